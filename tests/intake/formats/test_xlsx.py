"""What the XML of an .xlsx tells besides its values: formulas nobody computed, errors, pictures, runs of fonts, formats."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter

from expectations.contract import load_contracts
from pipelines.intake.file_reader import reader_for
from pipelines.intake.formats import open_book
from pipelines.intake.sheets import Fault, Format, Grid

CELLS = '<c r="A2"><v>1000</v></c><c r="B2"><v>2</v></c>'


def book(
    cell: str, shared: str = "", before: str = "", row: str = 'r="2"', prefix: str = "", styles: str = ""
) -> bytes:
    """A workbook of the header A1:C1 and the row 2 of 1000, 2 and `cell`, at C2."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    head = "".join(f'<c r="{c}1" t="inlineStr"><is><t>{c}</t></is></c>' for c in "ABC")
    sheet = f'<worksheet {space}>{before}<sheetData><row r="1">{head}</row><row {row}>{CELLS}{cell}</row></sheetData></worksheet>'
    if prefix:
        sheet = re.sub(r"<(/?)(\w)", rf"<\1{prefix}:\2", sheet).replace("xmlns=", f"xmlns:{prefix}=")
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{rels}"><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{office}"><sheets><sheet name="表" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{rels}"><Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{office}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="rId3" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
    }
    if shared:
        parts["xl/sharedStrings.xml"] = f"<sst {space}>{shared}</sst>"
    if styles:
        parts["xl/styles.xml"] = f"<styleSheet {space}>{styles}</styleSheet>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, part in parts.items():
            z.writestr(name, part)
    return out.getvalue()


def opened(data: bytes) -> Grid:
    return open_book(data).grids[0]


def third(data: bytes) -> Any:
    """What stands in C2."""
    row = opened(data).rows[1]
    return row[2] if len(row) > 2 else ""


NOT_COMPUTED = {
    "without v": '<c r="C2"><f>A2*B2</f></c>',
    "an empty v": '<c r="C2"><f>A2*B2</f><v></v></c>',
    "v closed at once": '<c r="C2"><f>A2*B2</f><v/></c>',
    "white space between": '<c r="C2" >\n <f>A2*B2</f>\n <v />\n</c>',
    "attributes in another order": '<c s="0" t="n" r="C2"><f aca="false">A2*B2</f></c>',
    "in single quotes": "<c r='C2'><f ca='1'>A2*B2</f></c>",
}


@pytest.mark.parametrize("prefix", ["", "x"])
@pytest.mark.parametrize("cell", NOT_COMPUTED.values(), ids=NOT_COMPUTED)
def test_a_formula_without_a_result_is_told_in_any_spelling(cell: str, prefix: str) -> None:
    assert third(book(cell, prefix=prefix)) == Fault("formula", "=A2*B2")


def test_a_row_of_formulas_alone_without_results_is_not_lost() -> None:
    cell = '<c r="C2"><v>1</v></c></row><row r="3"><c r="A3"><f>A2</f></c>'
    assert opened(book(cell)).rows[2][0] == Fault("formula", "=A2")


@pytest.mark.parametrize("value", ["<v></v>", "<v/>", "<v />"])
@pytest.mark.parametrize("prefix", ["", "x"])
def test_an_empty_text_is_the_result_of_a_formula(value: str, prefix: str) -> None:
    assert third(book(f'<c r="C2" t="str"><f>IF(A2="","",A2)</f>{value}</c>', prefix=prefix)) == ""


@pytest.mark.parametrize("prefix", ["", "x"])
@pytest.mark.parametrize("cell", ['<c r="C2" t="e"><v>#REF!</v></c>', "<c t='e' r='C2'><f>A9</f><v>#REF!</v></c>"])
def test_an_error_is_told(cell: str, prefix: str) -> None:
    assert third(book(cell, prefix=prefix)) == Fault("error", "#REF!")


def test_a_picture_of_wps_is_no_text() -> None:
    cell = '<c r="C2" t="str"><f>_xlfn.DISPIMG("ID_1",1)</f><v>=DISPIMG("ID_1",1)</v></c>'
    assert third(book(cell)) == Fault("picture", '=DISPIMG("ID_1",1)')


RUNS = {
    "struck": (
        '<r><rPr><strike/></rPr><t>1200</t></r><r><t>1500</t></r>',
        Fault("struck", "12001500"),
    ),
    "not struck": ('<r><rPr><strike val="0"/></rPr><t>1200</t></r><r><t>1500</t></r>', "12001500"),
    "raised": ('<r><t>12500</t></r><r><rPr><vertAlign val="superscript"/></rPr><t>1</t></r>', Fault("marked", "125001")),
    "an exponent of a unit": ('<r><t>m</t></r><r><rPr><vertAlign val="superscript"/></rPr><t>2</t></r>', "m2"),
    "a whole text that is struck": ("<r><rPr><strike/></rPr><t>1200</t></r>", "1200"),
}  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "x"])
@pytest.mark.parametrize(("runs", "right"), RUNS.values(), ids=RUNS)
def test_runs_that_are_struck_or_raised_are_told(runs: str, right: Any, prefix: str) -> None:
    assert third(book('<c r="C2" t="s"><v>1</v></c>', f"<si><t>a</t></si><si>{runs}</si>")) == right
    assert third(book(f'<c r="C2" t="inlineStr"><is>{runs}</is></c>', prefix=prefix)) == right


def test_a_character_in_two_escapes_is_one() -> None:
    cell = '<c r="C2" t="s"><v>0</v></c>'
    assert third(book(cell, "<si><t>犇鱻_xD842__xDFB7_村</t></si>")) == "犇鱻𠮷村"


@pytest.mark.parametrize("prefix", ["", "x"])
@pytest.mark.parametrize(
    ("before", "row", "rows", "columns"),
    [
        ("", 'r="2" hidden="1"', [2], []),
        ("", "hidden='true' r='2'", [2], []),
        ("", 'r="2" ht="0" customHeight="1"', [2], []),
        ("", 'r="2" ht="0.75"', [], []),
        ('<sheetFormatPr zeroHeight="1"/>', 'r="2" ht="15"', [1], []),
        ('<cols><col max="3" min="2" hidden="1"/></cols>', 'r="2"', [], [(1, 2)]),
        ('<cols><col min="2" max="2" width="0" customWidth="1"/></cols>', 'r="2"', [], [(1, 1)]),
    ],
)
def test_what_is_hidden_is_told(before: str, row: str, rows: list[int], columns: list[Any], prefix: str) -> None:
    grid = opened(book('<c r="C2"><v>3</v></c>', before=before, row=row, prefix=prefix))
    assert (grid.hidden_rows, grid.hidden_columns) == (rows, columns)


@pytest.mark.parametrize("code", ["0.0%", "0!.0000", '0.00&quot;万元&quot;'])  # fmt: skip
def test_number_formats_are_told_in_any_order_of_attributes(code: str) -> None:
    styles = f"<numFmts><numFmt formatCode='{code}' numFmtId='176'/></numFmts><cellXfs><xf/><xf fontId='0' numFmtId='176'/></cellXfs>"
    told = opened(book('<c s="1" r="C2"><v>0.5</v></c>', styles=styles)).formats()
    assert told is not None and list(told) == [(1, 2)]
    assert (told[1, 2].percent, told[1, 2].power, told[1, 2].unit) == {
        "0.0%": (True, 0, None),
        "0!.0000": (False, 4, None),
    }.get(code, (False, 0, "万元"))


def written(
    formulas: list[str], value: str | float = 0, numbers: Callable[[int], float] = lambda r: 1000.0 * r
) -> bytes:
    """A workbook by XlsxWriter of rows of numbers in A and B and a formula each in C."""
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out)
    sheet = made.add_worksheet("表")
    sheet.write_row(0, 0, ["A", "B", "C"])
    for r, formula in enumerate(formulas, 1):
        sheet.write_row(r, 0, [numbers(r), 2.0])
        sheet.write_formula(r, 2, formula, None, value)
    made.close()
    return out.getvalue()


@pytest.mark.parametrize(
    "formulas",
    [
        ["=A2*0.6", "=A3*0.6"],
        ["=A2+B2", "=SUM(A3:B3)"],
        ["=ROUND(A2*B2,2)", "=C2+1"],
        ["=-A2%"],
        ["=VLOOKUP(A2,A:B,2)", "=$A$3-B3"],
    ],
)
def test_zeros_that_a_writer_put_in_place_of_results_are_doubted(formulas: list[str]) -> None:
    rows = opened(written(formulas)).rows
    assert [r[2] for r in rows[1:]] == [Fault("formula", f) for f in formulas]


@pytest.mark.parametrize("value", ["0", "0.0"])
def test_zeros_that_are_right_stay(value: str) -> None:
    """A difference that is none, a sum of nothing: a spreadsheet program gives 0 for them too."""
    same = book(
        f'<c r="C2"><f>A2-B2*500</f><v>{value}</v></c></row><row r="3"><c r="C3"><f>SUM(C2:C2)</f><v>{value}</v></c>'
    )
    assert [r[2] for r in opened(same).rows[1:]] == [0.0, 0.0]


def test_zeros_stay_where_another_formula_was_computed() -> None:
    cell = '<c r="C2"><f>A2*B2</f><v>2000</v></c></row><row r="3"><c r="C3"><f>A2*B2</f><v>0</v></c>'
    assert [r[2] for r in opened(book(cell)).rows[1:]] == [2000.0, 0.0]


def test_a_zero_as_no_spreadsheet_program_writes_it_is_doubted() -> None:
    """POI's SXSSF writes 0.0 for a formula; whether this one gives 0 cannot be told."""
    assert third(book('<c r="C2"><f>VLOOKUP(A2,X1:Y9,2)</f><v>0.0</v></c>')) == Fault("formula", "=VLOOKUP(A2,X1:Y9,2)")
    assert third(book('<c r="C2"><f>VLOOKUP(A2,X1:Y9,2)</f><v>0</v></c>')) == 0.0


@pytest.mark.parametrize("table", [True, False], ids=["shared texts", "texts in cells"])
def test_a_blank_text_in_the_last_row_is_no_row(table: bool) -> None:
    """One stray blank in row 1,048,576 took calamine to lay out every cell above it: too large."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": table, "constant_memory": not table}) as made:
        sheet = made.add_worksheet()
        for r, row in enumerate(
            [
                ["单位名称", "停车场名称", "开放车位数", "是否开放", "开放日期"],
                ["市示范局", "甲", 5, "是", "2024-01-01"],
            ]
        ):
            for c, v in enumerate(row):
                sheet.write(r, c, v)
        sheet.write(1_048_575, 20, " ")
    (grid,) = open_book(out.getvalue()).grids
    assert grid.refusal is None and len(grid.rows) == 2 and grid.rows[1][:3] == ["市示范局", "甲", 5.0]
    (read,) = reader_for(load_contracts()).read(out.getvalue(), "停车.xlsx").sheets
    assert (read.dataset, len(read.rows), read.rows_read) == ("parking_lots", 1, 2)


def test_a_value_in_the_last_row_is_kept() -> None:
    far = '<c r="C2"><v>1</v></c></row><row r="200000"><c r="B200000" t="s"><v>{}</v></c>'
    texts = "<si><t>  </t></si><si><t>甲</t></si>"
    assert len(opened(book(far.format(0), texts)).rows) == 2
    rows = opened(book(far.format(1), texts)).rows
    assert len(rows) == 200_000 and rows[-1][1] == "甲" and rows[1] == [1000.0, 2.0, 1.0]


def changed(data: bytes, change: Callable[[str, bytes], tuple[str, bytes]]) -> bytes:
    """A package with its members and their names changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(*change(name, old.read(name)))
    return out.getvalue()


def in_encoding(part: bytes, encoding: str) -> bytes:
    text = part.decode().partition("?>")[2] if part.startswith(b"<?xml") else part.decode()
    return f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)


PACKAGES: dict[str, Callable[[str, bytes], tuple[str, bytes]]] = {
    "names with backslashes": lambda n, b: (n.replace("/", "\\"), b),
    "sheets in another folder": lambda n, b: (n.replace("worksheets/", "data/"), b.replace(b"worksheets/", b"data/")),
    "the workbook in another folder": lambda n, b: (n.replace("xl/", "book/"), b.replace(b"xl/", b"book/")),
    "the workbook under another name": lambda n, b: (n.replace("workbook.xml", "w.xml"), b.replace(b"workbook.xml", b"w.xml")),
    "the sheet in UTF-16": lambda n, b: (n, in_encoding(b, "UTF-16") if "worksheets" in n else b),
    "the sheet in GBK": lambda n, b: (n, in_encoding(b, "GBK") if "worksheets" in n else b),
    "shared texts in GBK": lambda n, b: (n, in_encoding(b, "GBK") if "shared" in n else b),
    "the workbook in GB2312": lambda n, b: (n, in_encoding(b, "GB2312") if n == "xl/workbook.xml" else b),
}  # fmt: skip
SHEETS: dict[str, Callable[[bytes], bytes]] = {
    "white space in values": lambda b: b.replace(b"<v>", b"<v>\n ").replace(b"</v>", b" </v>"),
    "comments in values": lambda b: b.replace(b"<v>", b"<v><!-- v -->"),
    "values in sections": lambda b: re.sub(rb"<v>(.*?)</v>", rb"<v><![CDATA[\1]]></v>", b),
    "extensions in cells": lambda b: b.replace(b"</v></c>", b'</v><extLst><ext uri="a"/></extLst></c>'),
    "entities in attributes": lambda b: b.replace(b't="s"', b't="&#115;"').replace(b't="e"', b't="&#x65;"'),
}


@pytest.mark.parametrize("change", [*PACKAGES.values(), *(lambda n, b, c=c: (n, c(b) if "worksheets" in n else b) for c in SHEETS.values())],
                         ids=[*PACKAGES, *SHEETS])  # fmt: skip
def test_what_calamine_cannot_read_or_reads_wrong_is_read_all_the_same(change: Callable[[str, bytes], Any]) -> None:
    """calamine 0.9 gives the first shared text for <v> 1 </v>, an empty sheet for one in UTF-16, and no sheet where the workbook
    has another name; it reads names with backslashes, of which nothing else was told then."""
    cells = '<c r="C2" t="s"><v>1</v></c></row><row r="3" hidden="1"><c r="A3"><f>A2</f><v>0</v></c><c r="B3" s="1"><v>44256</v></c><c r="C3" t="e"><v>#N/A</v></c><c r="D3" s="2"><v>0.5</v></c>'
    styles = '<cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="9"/></cellXfs>'
    plain = book(
        cells, "<si><t>一</t></si><si><r><t>二</t></r><r><t>元</t></r><rPh><t>er</t></rPh></si>", styles=styles
    )
    right, got = opened(plain), opened(changed(plain, change))
    assert right.rows[1:] == [
        [1000.0, 2.0, "二元", ""],
        [Fault("formula", "=A2"), dt.date(2021, 3, 1), Fault("error", "#N/A"), 0.5],
    ]
    assert [[*r, *[""] * (4 - len(r))] for r in got.rows] == right.rows
    assert (got.name, got.hidden_rows, got.merges) == (right.name, [3], right.merges)
    assert got.formats() == right.formats() == {(2, 3): Format("0%", percent=True)}


@pytest.mark.parametrize("lead", [b"\r\n", b"\xef\xbb\xbf", b"\n\n\t "])
def test_a_workbook_behind_white_space_is_read(lead: bytes) -> None:
    """Scripts that print a line before the file they send leave such ones."""
    assert opened(lead + book('<c r="C2"><v>3</v></c>')).rows[1] == [1000.0, 2.0, 3.0]
