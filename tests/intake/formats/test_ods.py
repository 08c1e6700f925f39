"""What is read of OpenDocument spreadsheets as programs other than LibreOffice write them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from pipelines.intake.formats import markup, ods, open_book
from pipelines.intake.sheets import Fault, Format, Grid, Refusal

SPACES = "".join(
    f' xmlns:{p}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"'
    for p, n in (
        ("office", "office"),
        ("table", "table"),
        ("text", "text"),
        ("style", "style"),
        ("number", "datastyle"),
    )
)
CALC = ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'


def book(cells: str, styles: str = "", gap: str = "", mimetype: bool = True, manifest: str = "<manifest/>") -> bytes:
    """A document of one row: the text A, the number 1000, then `cells`; `gap` stands between elements."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{SPACES}{CALC}>{gap}<office:automatic-styles>{styles}'
        f"</office:automatic-styles>{gap}<office:body>{gap}<office:spreadsheet>{gap}"
        f'<table:table table:name="表">{gap}<table:table-row>{gap}'
        f'<table:table-cell office:value-type="string">{gap}<text:p>A</text:p>{gap}</table:table-cell>{gap}'
        f'<table:table-cell office:value-type="float" office:value="1000"><text:p>1000</text:p></table:table-cell>{gap}'
        f"{cells}{gap}</table:table-row>{gap}</table:table>{gap}</office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        if mimetype:
            z.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        z.writestr("content.xml", content)
        z.writestr("META-INF/manifest.xml", manifest)
    return out.getvalue()


def opened(data: bytes) -> Grid:
    return open_book(data).grids[0]


def third(cells: str, **more: Any) -> Any:
    row = opened(book(cells, **more)).rows[0]
    return row[2] if len(row) > 2 else ""


NUMBER = '<table:table-cell office:value-type="float" office:value="2.5"><text:p>2.5</text:p></table:table-cell>'
MANIFEST = '<!DOCTYPE manifest:manifest PUBLIC "-//OpenOffice.org//DTD Manifest 1.0//EN" "Manifest.dtd"><manifest/>'


@pytest.mark.parametrize("gap", ["", "\n  "])
@pytest.mark.parametrize("mimetype", [True, False])
@pytest.mark.parametrize("manifest", ["<manifest/>", MANIFEST])
def test_white_space_between_cells_and_what_lies_beside_does_not_matter(
    gap: str, mimetype: bool, manifest: str
) -> None:
    assert opened(book(NUMBER, gap=gap, mimetype=mimetype, manifest=manifest)).rows == [["A", 1000.0, 2.5]]


@pytest.mark.parametrize(
    "cell",
    [
        '<table:table-cell table:formula="of:=[.B1]*0.6"/>',
        '<table:table-cell table:formula="of:=[.B1]*0.6" office:value-type="float"/>',
        '<table:table-cell table:formula="of:=[.B1]*0.6" office:value-type="float" office:value=""/>',
        '<table:table-cell table:formula="of:=[.B1]*0.6" office:value-type="string"/>',
    ],
)
def test_a_formula_without_a_result_is_told(cell: str) -> None:
    assert third(cell) == Fault("formula", "=B1*0.6")


@pytest.mark.parametrize(
    "cell",
    [
        '<table:table-cell table:formula="of:=IF(1;&quot;&quot;)" office:value-type="string" office:string-value=""/>',
        '<table:table-cell table:formula="of:=IF(1;&quot;&quot;)" office:value-type="string"><text:p/></table:table-cell>',
    ],
)
def test_an_empty_text_is_the_result_of_a_formula(cell: str) -> None:
    assert third(cell) == ""


@pytest.mark.parametrize(
    "cell",
    [
        '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value="" calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>',
        '<table:table-cell table:formula="of:=1/0" office:value-type="float" office:value="0"><text:p>#DIV/0!</text:p></table:table-cell>',
    ],
)
def test_an_error_is_told(cell: str) -> None:
    assert third(cell) == Fault("error", "#DIV/0!")


def test_tabs_spaces_and_line_breaks_in_a_text_are_kept() -> None:
    inner = '<text:p>甲<text:tab/>乙<text:s text:c="2"/>丙<text:line-break/>丁</text:p><text:p>戊</text:p>'
    assert third(f'<table:table-cell office:value-type="string">{inner}</table:table-cell>') == "甲\t乙  丙\n丁\n戊"


def test_a_comment_is_no_part_of_a_cell() -> None:
    note = "<office:annotation><text:p>注</text:p></office:annotation>"
    assert third(f'<table:table-cell office:value-type="string">{note}<text:p>甲</text:p></table:table-cell>') == "甲"


STYLE = '<style:style style:name="ce1" style:family="table-cell" style:data-style-name="N1"/>'
NUMBERS = {
    "per cent": (
        '<number:percentage-style style:name="N1"><number:number number:decimal-places="2" number:min-integer-digits="1"/><number:text>%</number:text></number:percentage-style>',
        Format("0.00%", percent=True),
    ),
    "a condition": (
        '<number:percentage-style style:name="N2"><number:number number:decimal-places="0"/><number:text>%</number:text></number:percentage-style>'
        '<number:number-style style:name="N1"><number:number number:decimal-places="2"/><style:map style:condition="value()&lt;1" style:apply-style-name="N2"/></number:number-style>',
        Format("[<1]0%;0.00", percent=True),
    ),
    "a unit": (
        '<number:number-style style:name="N1"><number:number number:decimal-places="2"/><number:text>万元</number:text></number:number-style>',
        Format('0.00"万元"', unit="万元"),
    ),
    "a factor": (
        '<number:number-style style:name="N1"><number:number number:decimal-places="2" number:display-factor="1000"/></number:number-style>',
        Format("0.00,", power=3),
    ),
    "a point that is mere text": (
        '<number:number-style style:name="N1"><number:number number:decimal-places="0" number:min-integer-digits="5"><number:embedded-text number:position="4">.</number:embedded-text></number:number></number:number-style>',
        Format('0"."0000', power=4),
    ),
    "zeros": (
        '<number:number-style style:name="N1"><number:number number:decimal-places="0" number:min-integer-digits="6"/></number:number-style>',
        Format("000000", zeros=6),
    ),
}


@pytest.mark.parametrize(("style", "right"), NUMBERS.values(), ids=NUMBERS)
def test_number_styles_are_read(style: str, right: Format) -> None:
    cell = '<table:table-cell table:style-name="ce1" office:value-type="float" office:value="0.5"/>'
    assert opened(book(cell, style + STYLE)).formats() == {(0, 2): right}


def test_a_blank_text_in_the_last_row_is_no_row() -> None:
    blank = '<table:table-cell office:value-type="string"><text:p> </text:p></table:table-cell>'
    far = f'</table:table-row><table:table-row table:number-rows-repeated="1048574"><table:table-cell/></table:table-row><table:table-row>{blank}'
    assert opened(book(NUMBER + far)).rows == [["A", 1000.0, 2.5]]


def test_a_document_in_another_encoding_is_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(NUMBER))) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(
                name, part.replace(b'"UTF-8"', b'"GBK"').decode().encode("gbk") if name == "content.xml" else part
            )
    (only,) = open_book(out.getvalue()).grids
    assert (only.name, only.rows) == ("表", [["A", 1000.0, 2.5]])


def test_a_document_with_a_password_says_so() -> None:
    manifest = "<manifest><file-entry><encryption-data/></file-entry></manifest>"
    with (
        zipfile.ZipFile(io.BytesIO(book(NUMBER, manifest=manifest))) as old,
        zipfile.ZipFile(out := io.BytesIO(), "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, bytes(range(200)) if name == "content.xml" else old.read(name))
    with pytest.raises(Refusal) as e:
        open_book(out.getvalue())
    assert e.value.code == "encrypted"


@pytest.mark.parametrize(
    ("runs", "right"),
    [
        ('<text:span text:style-name="T1">1200</text:span>1500', Fault("struck", "12001500")),
        ('12500<text:span text:style-name="T2">1</text:span>', Fault("marked", "125001")),
        ('面积m<text:span text:style-name="T2">2</text:span>', "面积m2"),
        ('<text:span text:style-name="T1">废止</text:span>', "废止"),
        ('<text:a>甲</text:a><text:note><text:p>注</text:p></text:note>乙', "甲乙"),
    ],
)  # fmt: skip
def test_runs_that_are_struck_or_raised_are_told(runs: str, right: Any) -> None:
    styles = (
        '<style:style style:name="T1" style:family="text"><style:text-properties style:text-line-through-style="solid"/></style:style>'
        '<style:style style:name="T2" style:family="text"><style:text-properties style:text-position="super 58%"/></style:style>'
    )
    cell = f'<table:table-cell office:value-type="string"><text:p>{runs}</text:p></table:table-cell>'
    assert third(cell, styles=styles) == right


def test_rows_of_no_height_and_columns_of_no_width_are_told() -> None:
    style = '<style:style style:name="{0}" style:family="table-{1}"><style:table-{1}-properties style:{2}="0cm"/></style:style>'
    styles = style.format("r", "row", "row-height") + style.format("c", "column", "column-width")
    more = f'{NUMBER}</table:table-row><table:table-row table:style-name="r">{NUMBER}'
    data = book(more, styles=styles)
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        content = z.read("content.xml").decode()
    column = '<table:table-column table:style-name="c"/>'
    content = content.replace('<table:table table:name="表">', f'<table:table table:name="表">{column}')
    grid = ods.read(content.encode()).grids[0]
    assert (grid.hidden_rows, grid.hidden_columns) == ([2], [(0, 0)])


def test_rows_that_repeat_are_as_many_rows() -> None:
    more = f'{NUMBER}</table:table-row><table:table-row table:number-rows-repeated="3">{NUMBER}'
    assert [r[0] for r in opened(book(more)).rows] == ["A", 2.5, 2.5, 2.5]


def test_a_large_document_is_read_piece_by_piece_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = "<table:table><table:table-row><table:table-cell/></table:table-row></table:table>"
    data = book(f'<table:table-cell office:value-type="string">{inner}<text:p>甲</text:p></table:table-cell>{NUMBER}')
    right = opened(data).rows
    monkeypatch.setattr(markup, "_LARGEST_TREE", 0)
    assert opened(data).rows == right == [["A", 1000.0, "甲", 2.5]]
