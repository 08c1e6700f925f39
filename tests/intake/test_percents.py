"""A cell that is shown as 85% holds 0.85 and means 85; a share that nothing tells from it is doubted."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter

from expectations.contract import load_contracts
from pipelines.core import zips
from pipelines.intake.file_reader import FileReader
from tests.intake.make import ods

READER = FileReader(load_contracts(only=["epc_contracts"]))
CONTRACT = READER.contracts["epc_contracts"]
COLUMNS = [c for c in CONTRACT.columns if c.required or c.name == "guaranteed_rate"]
HEAD = [c.header_zh for c in COLUMNS]
RATE = next(k for k, c in enumerate(COLUMNS) if c.name == "guaranteed_rate")


def row(n: int, rate: Any) -> list[Any]:
    kinds = {"date": dt.date(2021, 3, n + 1), "decimal": 10.0 + n, "integer": n + 1, "year": 2021, "month": "2021-03"}
    return [
        rate if k == RATE else c.values[0] if c.values else kinds.get(c.kind, f"{c.header_zh}{n}")
        for k, c in enumerate(COLUMNS)
    ]


def in_xlsx(rates: list[Any], code: str) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet, shown, day = (
        book.add_worksheet("表"),
        book.add_format({"num_format": code}),
        book.add_format({"num_format": 14}),
    )
    for c, h in enumerate(HEAD):
        sheet.write(2, c + 1, h)
    for n, rate in enumerate(rates):
        for c, v in enumerate(row(n, rate)):
            sheet.write(n + 3, c + 1, v, shown if c == RATE else day if isinstance(v, dt.date) else None)
    book.close()
    return out.getvalue()


def in_xls(rates: list[Any], code: str) -> bytes:
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("表")
    shown, day = xlwt.easyxf(num_format_str=code), xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for c, h in enumerate(HEAD):
        sheet.write(0, c, h)
    for n, rate in enumerate(rates):
        for c, v in enumerate(row(n, rate)):
            sheet.write(
                n + 1, c, v, shown if c == RATE else day if isinstance(v, dt.date) else xlwt.Style.default_style
            )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def in_ods(rates: list[Any], code: str) -> bytes:
    rows = [HEAD, *(row(n, r) for n, r in enumerate(rates))]
    return ods(("表", rows), percents={(n, RATE) for n in range(1, len(rows))} if "%" in code else ())


@pytest.mark.parametrize("make", [in_xlsx, in_xls, in_ods])
def test_what_is_shown_as_a_percentage_is_one(make: Callable[[list[Any], str], bytes]) -> None:
    (sheet,) = READER.read(make([0.85, 0.123, 1], "0.0%"), "a").sheets
    assert sheet.values["guaranteed_rate"] == [85.0, 12.3, 100.0]
    assert sheet.issues == []


@pytest.mark.parametrize("make", [in_xlsx, in_xls, in_ods])
def test_what_is_not_is_taken_as_it_stands(make: Callable[[list[Any], str], bytes]) -> None:
    (sheet,) = READER.read(make([85.0, 12.3], "0.0"), "a").sheets
    assert (sheet.values["guaranteed_rate"], sheet.issues) == ([85.0, 12.3], [])
    (sheet,) = READER.read(make([0.85, 0.123], "0.000"), "a").sheets
    assert sheet.values["guaranteed_rate"] == [0.85, 0.123]
    assert [i.code for i in sheet.issues] == ["doubtful"]


def test_a_text_among_them_says_what_it_says() -> None:
    (sheet,) = READER.read(in_xlsx(["85%", 0.5], "0%"), "a").sheets
    assert sheet.values["guaranteed_rate"] == [85.0, 50.0]


def _fails(*_: object, **__: object) -> None:
    raise AssertionError("a damaged record")


def test_where_nobody_can_say_how_cells_are_shown_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    data = in_xls([0.85, 90.0], "0.0%")
    monkeypatch.setattr("xlrd.open_workbook", _fails)
    monkeypatch.setattr("pipelines.intake.formats.biff.workbook", lambda _stream: None)
    (sheet,) = READER.read(data, "a").sheets
    assert sheet.values["guaranteed_rate"] == [0.85, 90.0]
    [issue] = sheet.issues
    assert (issue.code, issue.severity, issue.column) == ("doubtful", "warning", "guaranteed_rate")
    assert "85% 应填 85" in issue.message_zh and "does not say" in issue.message_en
    (sheet,) = READER.read(in_xls([85.0, 90.0], "0.0"), "a").sheets
    assert sheet.issues == [], "above 1 there is nothing to doubt"


def test_an_xlsx_whose_styles_cannot_be_read_is_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    real = zips.read
    monkeypatch.setattr(zips, "read", lambda d, e, n: None if e.name == "xl/styles.xml" else real(d, e, n))
    (sheet,) = READER.read(in_xlsx([0.85, 90.0], "0.0%"), "a").sheets
    assert [(i.code, i.row) for i in sheet.issues] == [("doubtful", 4)]
