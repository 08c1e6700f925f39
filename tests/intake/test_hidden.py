"""What is hidden in a sheet: columns are read with a warning as rows are; a hidden sheet is not read, whatever the format."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable

import pytest
import xlsxwriter

from expectations.contract import load_contracts
from pipelines.intake.file_reader import FileReader
from tests.intake.cases import HEAD, TWO
from tests.intake.make import ods, xls, xlsb, xml2003

READER = FileReader(load_contracts(only=["energy_use"]))
ROWS = [HEAD, *TWO]
HIDDEN = 3  # the column of the water, 0-based


def in_xlsx(hide: bool) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("表")
    for r, row in enumerate(ROWS):
        sheet.write_row(r, 0, row)
    sheet.set_column(0, 0, 30)
    if hide:
        sheet.set_column(HIDDEN, HIDDEN, None, None, {"hidden": True})
    book.close()
    return out.getvalue()


def in_xls(hide: bool) -> bytes:
    import xlwt

    if not hide:
        return xls(("表", ROWS))
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("表")
    for r, row in enumerate(ROWS):
        for c, v in enumerate(row):
            sheet.write(r, c, v)
    sheet.col(0).width = 9000
    sheet.col(HIDDEN).hidden = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def in_xlsb(hide: bool) -> bytes:
    info = struct.pack("<4LH", HIDDEN, HIDDEN, 2560, 0, 1 if hide else 0)
    columns = b"\x86\x03\x00" + b"\x3c" + bytes([len(info)]) + info + b"\x87\x03\x00"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsb("表", ROWS))) as old, zipfile.ZipFile(out, "w") as new:
        for n in old.namelist():
            part = old.read(n)
            if n.endswith("sheet1.bin"):
                part = part.replace(b"\x91\x01\x00", columns + b"\x91\x01\x00", 1)
            new.writestr(n, part)
    return out.getvalue()


def in_ods(hide: bool) -> bytes:
    return ods(("表", ROWS), hidden_column=HIDDEN if hide else None)


def in_xml(hide: bool) -> bytes:
    columns = f'<Table><Column ss:Span="2"/><Column ss:Hidden="{int(hide)}"/>'
    return xml2003("表", ROWS).replace(b"<Table>", columns.encode())


@pytest.mark.parametrize("make", [in_xlsx, in_xls, in_xlsb, in_ods, in_xml])
def test_a_hidden_column_is_read_and_said(make: Callable[[bool], bytes]) -> None:
    (plain,) = READER.read(make(False), "a").sheets
    assert plain.issues == []
    (got,) = READER.read(make(True), "a").sheets
    assert got.values == plain.values
    assert [(i.code, i.severity, i.row) for i in got.issues] == [("doubtful", "warning", 1)]
    assert "D 列“用水量（立方米）”" in got.issues[0].message_zh


def test_a_hidden_sheet_of_an_xml_workbook_is_not_read() -> None:
    whole = xml2003("表", ROWS).decode()
    one = whole[whole.index("<Worksheet") : whole.index("</Workbook>")]
    hide = '<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><Visible>SheetHidden</Visible></WorksheetOptions>'
    second = one.replace('"表"', '"存"').replace("甲示范局", "藏示范局").replace("</Worksheet>", f"{hide}</Worksheet>")
    got = READER.read(whole.replace("</Workbook>", second + "</Workbook>").encode(), "a.xls")
    assert [(s.sheet, s.status) for s in got.sheets] == [("表", "accepted"), ("存", "ignored")]
    assert "藏示范局" not in repr(got)


def test_a_comment_in_an_xml_workbook_is_no_value() -> None:
    comment = b'<Comment><ss:Data xmlns="http://www.w3.org/TR/REC-html40">7</ss:Data></Comment></Cell>'
    whole = xml2003("表", ROWS)
    at = whole.index(b">1000</Data></Cell>")
    whole = whole[:at] + whole[at:].replace(b"</Cell>", comment, 1)
    (got,) = READER.read(whole, "a.xls").sheets
    assert got.values["electricity"] == [1000.0, 1100.5]


def _rewritten(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for n in old.namelist():
            part = old.read(n)
            new.writestr(n, change(part) if n.endswith("worksheets/sheet1.xml") else part)
    return out.getvalue()


def _prefixed(xml: bytes) -> bytes:
    """As the Open XML SDK writes: each element with a prefix."""
    xml = re.sub(rb"<(/?)(?!\?)(\w)", rb"<\1x:\2", xml)
    return xml.replace(b"xmlns=", b"xmlns:x=")


SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "hidden after the number": lambda xml: xml.replace(b'<row r="3"', b'<row r="3" hidden="1"'),
    "hidden before the number": lambda xml: xml.replace(b'<row r="3"', b'<row hidden="true" r="3"'),
    "in single quotes": lambda xml: xml.replace(b'<row r="3"', b"<row hidden='1' r='3'"),
    "with spaces and line breaks": lambda xml: xml.replace(b'<row r="3"', b'<row\n  r = "3"\n  hidden = "1" '),
    "with a prefix": lambda xml: _prefixed(xml.replace(b'<row r="3"', b'<row hidden="1" r="3"')),
    "rows without numbers": lambda xml: re.sub(
        rb'<(row|c) r="[A-Z]*\d+"', rb"<\1", xml.replace(b'<row r="3"', b'<row hidden="1" r="3"')
    ),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_hidden_row_is_told_however_its_xml_is_written(spell: Callable[[bytes], bytes]) -> None:
    plain = READER.read(in_xlsx(False), "表.xlsx")
    found = READER.read(_rewritten(in_xlsx(False), spell), "表.xlsx")
    assert found.sheets[0].values == plain.sheets[0].values and plain.sheets[0].rows
    issues = [i for s in found.sheets for i in s.issues if i.code == "doubtful"]
    assert [(i.row, "隐藏" in i.message_zh) for i in issues] == [(3, True)]
    assert not [i for s in plain.sheets for i in s.issues if i.code == "doubtful"]
