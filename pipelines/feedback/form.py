"""The empty form of a dataset, generated from its contract: headers, units, drop-downs, notes, and the dataset's id hidden in it.

Belongs here: laying out the workbook. Not here: what a column is (the contract) or reading a form back (pipelines/intake).
The headers are the contract's own, so that a form filled in needs no guess when it comes back; a column of level L3 is
never asked for. The id is hidden three times, because programs differ in what they keep: as the document property
`mingzhang_dataset`, as a defined name of the same name, and in A1 of a sheet that no menu shows.
"""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_cell_to_rowcol, xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from expectations.contract import Column, Contract
from pipelines.core.home import whole_file
from pipelines.intake.messages import EXPECTED

ID_PROPERTY = "mingzhang_dataset"
SHEET_OF_NOTES = "填表说明"
SHEET_OF_LISTS = "选项"
HEADER_ROW = 4  # 1-based
LAST_CHECKED_ROW = 5000  # validations reach this far; rows below can be filled in as well
SUBMITTER_CELL = "B2"
YEAR_CELL = "D2"
YES_NO = ("是", "否")
_BLUE, _PALE, _INK = "#1F4E79", "#BDD7EE", "#1F2933"
_CREATED = dt.datetime(2025, 1, 1)  # a constant time of creation: the same contract gives the same bytes


def form_columns(contract: Contract, year: int | None = None) -> list[Column]:
    """Return the columns of the form of `year`, in the contract's order; None is the form in force today.

    A column that a later version of the form added, or that a version of that time had dropped, is left out.
    """
    last_day = f"{year}-12-31" if year is not None else "9999"
    out = set()
    for v in contract.versions:
        out |= set(v.adds) if v.valid_from > last_day else set(v.drops)
    return [c for c in contract.kept if c.name not in out]


def write_form(contract: Contract, out: Path, year: int | None = None) -> None:
    """Write the empty form of a dataset as .xlsx, with `year` in its heading, atomically.

    Raises OSError where it cannot be written.
    """
    columns = form_columns(contract, year)
    made = io.BytesIO()  # XlsxWriter raises no OSError for a missing folder
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        book.set_properties({"title": contract.title_zh, "author": "明账 Mingzhang", "created": _CREATED})
        book.set_custom_property(ID_PROPERTY, contract.dataset, "text")
        sheet = book.add_worksheet(contract.title_zh[:31])
        notes = book.add_worksheet(SHEET_OF_NOTES)
        lists = book.add_worksheet(SHEET_OF_LISTS)
        lists.very_hidden()
        lists.write_string(0, 0, contract.dataset)
        book.define_name(ID_PROPERTY, f"='{SHEET_OF_LISTS}'!$A$1")
        _heading(book, sheet, contract, columns, year)
        for i, c in enumerate(columns):
            _column(book, sheet, lists, i, c)
        sheet.freeze_panes(HEADER_ROW, 0)
        may = ("format_cells", "format_columns", "format_rows", "insert_rows", "delete_rows", "sort", "autofilter")
        sheet.protect("", dict.fromkeys(may, True))
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(HEADER_ROW - 1)
        _notes(book, notes, contract, columns)
    with whole_file(out) as part:
        part.write_bytes(made.getvalue())


def _heading(book: Any, sheet: Worksheet, contract: Contract, columns: list[Column], year: int | None) -> None:
    title = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter", "font_color": _INK})
    label = book.add_format({"bold": True, "align": "right", "valign": "vcenter"})
    blank = book.add_format({"locked": False, "bottom": 1, "valign": "vcenter", "num_format": "@"})
    digits = book.add_format({"locked": False, "bottom": 1, "align": "left", "valign": "vcenter", "num_format": "0"})
    small = book.add_format({"font_size": 9, "font_color": "#52606D", "text_wrap": False, "valign": "vcenter"})
    for row, height in enumerate((32, 22, 18, 36)):
        sheet.set_row(row, height)
    sheet.merge_range(0, 0, 0, max(len(columns) - 1, 3), contract.title_zh, title)
    sheet.write_string("A2", "填报单位：", label)
    sheet.write_blank(SUBMITTER_CELL, None, blank)
    sheet.write_string("C2", "年度：", label)
    if year is None:
        sheet.write_blank(YEAR_CELL, None, digits)
    else:
        sheet.write_number(YEAR_CELL, year, digits)
    row, column = xl_cell_to_rowcol(YEAR_CELL)
    sheet.data_validation(
        row,
        column,
        row,
        column,
        {
            "validate": "integer",
            "criteria": "between",
            "minimum": 2000,
            "maximum": 2099,
            "error_title": "年度",
            "error_message": "请填四位数字的年度，例如 2025。",
        },
    )
    sheet.write_string(
        "A3", f"注：深色表头必须填，浅色表头可以不填；从第 {HEADER_ROW + 1} 行起每行填一条，不要改动表头。", small
    )


def _column(book: Any, sheet: Worksheet, lists: Worksheet, i: int, c: Column) -> None:
    header = book.add_format(
        {
            "bold": True,
            "text_wrap": True,
            "align": "center",
            "valign": "vcenter",
            "border": 1,
            "bg_color": _BLUE if c.required else _PALE,
            "font_color": "#FFFFFF" if c.required else _INK,
        }
    )
    body = book.add_format({"locked": False, "num_format": _format(c)})
    text = header_text(c)
    sheet.set_column(i, i, max(11, min(30, 2.2 * len(text) + 2)), body)
    sheet.write_string(HEADER_ROW - 1, i, text, header)
    sheet.write_comment(HEADER_ROW - 1, i, how_to_fill(c), {"x_scale": 2, "y_scale": 1.2, "author": "明账"})
    rule = _validation(c, i, lists)
    rule |= {
        "ignore_blank": True,
        "input_title": _cut(c.header_zh, 32),
        "input_message": _cut(how_to_fill(c), 255),
    }
    if rule["validate"] != "any":
        rule |= {"error_title": _cut(c.header_zh, 32), "error_message": _cut(f"请填{_expected(c)}。", 255)}
    sheet.data_validation(HEADER_ROW, i, LAST_CHECKED_ROW - 1, i, rule)


def header_text(c: Column) -> str:
    """The header in the form: the contract's, followed by its unit."""
    return f"{c.header_zh}（{c.unit}）" if c.unit and not c.unit_in(c.header_zh) else c.header_zh


def how_to_fill(c: Column) -> str:
    """The instructions for one column, in one or two sentences."""
    must = "必填" if c.required else "选填"
    return f"{must}。填{_expected(c)}。{c.description}"


def _expected(c: Column) -> str:
    if c.subset:
        return f"这些选项中的一个或几个，用顿号分开：{'、'.join(c.values)}"
    if c.values:
        return f"这些选项中的一个：{'、'.join(c.values)}"
    if c.kind == "boolean":
        return "“是”或“否”"
    if c.check == "uscc":
        return "18 位统一社会信用代码"
    if c.codelist == "divisions":
        return "行政区划代码或名称"
    if c.kind in ("decimal", "integer", "year"):
        bounds = _bounds(c)
        unit = f"，单位为{c.unit}，只填数字" if c.unit else ""
        return EXPECTED[c.kind][0] + (f"（{bounds}）" if bounds else "") + unit
    if c.kind in ("month", "date"):
        low, high = c.minimum_text, c.maximum_text
        span = f"（{low or '…'} 至 {high or '…'}）" if low or high else ""
        return f"{EXPECTED[c.kind][0]}{span}，写成 {EXPECTED[c.kind][2]}"
    return "文字"


def _bounds(c: Column) -> str:
    low = f"大于 {c.exclusive_minimum:f}" if c.exclusive_minimum is not None else ""
    if c.minimum is not None:
        low = f"不小于 {c.minimum:f}"
    high = f"不大于 {c.maximum:f}" if c.maximum is not None else ""
    return "，".join(p for p in (low, high) if p)


def _format(c: Column) -> str:
    if c.kind == "date":
        return "yyyy-mm-dd"
    if c.kind in ("integer", "year"):
        return "0"
    # As text an 18-digit code keeps its digits, and a month is not converted to a date.
    return "General" if c.kind == "decimal" else "@"


def _validation(c: Column, i: int, lists: Worksheet) -> dict[str, Any]:
    if c.kind == "boolean" or (c.values and not c.subset):
        return {"validate": "list", "source": _list(lists, i, YES_NO if c.kind == "boolean" else c.values)}
    if c.kind in ("integer", "year", "decimal"):
        return _number_rule(c)
    if c.kind == "date":
        low = dt.date.fromisoformat(c.minimum_text) if c.minimum_text else dt.date(1949, 10, 1)
        high = dt.date.fromisoformat(c.maximum_text) if c.maximum_text else dt.date(2099, 12, 31)
        return {"validate": "date", "criteria": "between", "minimum": low, "maximum": high}
    if c.kind == "month":
        return {"validate": "custom", "value": _month_rule(c, f"{xl_col_to_name(i)}{HEADER_ROW + 1}")}
    if c.check == "uscc":
        return {"validate": "length", "criteria": "==", "value": 18}
    return {"validate": "any"}


def _list(lists: Worksheet, i: int, values: tuple[str, ...]) -> str:
    """Write a list to the hidden sheet and return its range: a list inside the validation is limited to 255 characters."""
    for n, v in enumerate(values):
        lists.write_string(n + 1, i, v)
    letter = xl_col_to_name(i)
    return f"='{SHEET_OF_LISTS}'!${letter}$2:${letter}${len(values) + 1}"


def _number_rule(c: Column) -> dict[str, Any]:
    kind = "decimal" if c.kind == "decimal" else "integer"
    low, high = _plain(c.minimum), _plain(c.maximum)
    if c.exclusive_minimum is not None and high is None:
        return {"validate": kind, "criteria": ">", "value": _plain(c.exclusive_minimum)}
    if c.exclusive_minimum is not None:
        low = _plain(c.exclusive_minimum)  # validations have no half-open range; the suite refuses the bound itself
    if low is not None and high is not None:
        return {"validate": kind, "criteria": "between", "minimum": low, "maximum": high}
    if high is not None:
        return {"validate": kind, "criteria": "<=", "value": high}
    if low is not None:
        return {"validate": kind, "criteria": ">=", "value": low}
    return {"validate": kind, "criteria": "between", "minimum": -1e15, "maximum": 1e15}


def _month_rule(c: Column, cell: str) -> str:
    """A formula that holds for 'YYYY-MM' within the column's span."""
    year, month = f"VALUE(LEFT({cell},4))", f"VALUE(RIGHT({cell},2))"
    low = int((c.minimum_text or "1949-10").replace("-", ""))
    high = int((c.maximum_text or "2099-12").replace("-", ""))
    number = f"{year}*100+{month}"
    return (
        f'=IFERROR(AND(LEN({cell})=7,MID({cell},5,1)="-",{month}>=1,{month}<=12,'
        f"{number}>={low},{number}<={high}),FALSE)"
    )


def _plain(value: Decimal | None) -> float | int | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _notes(book: Any, sheet: Worksheet, contract: Contract, columns: list[Column]) -> None:
    """Write the sheet of instructions. Its headings are no headers of any dataset, so that it is not read as one."""
    bold = book.add_format({"bold": True, "font_size": 14})
    head = book.add_format({"bold": True, "bg_color": _PALE, "border": 1, "valign": "vcenter"})
    cell = book.add_format({"text_wrap": True, "valign": "top", "border": 1})
    plain = book.add_format({"text_wrap": True, "valign": "top"})
    for i, width in enumerate((22, 10, 60, 34)):
        sheet.set_column(i, i, width)
    sheet.write_string(0, 0, f"《{contract.title_zh}》怎么填", bold)
    checks = [f"平台还会核对：{r.message_zh}" for r in contract.rules]
    lines = [contract.description, *_GENERAL, *checks]
    at = 1
    for line in lines:
        if line:
            sheet.merge_range(at, 0, at, 3, line, plain)
            sheet.set_row(at, 16 * (1 + len(line) // 60))
            at += 1
    at += 1
    for i, text in enumerate(("表头写作", "填不填", "怎么填", "样子")):
        sheet.write_string(at, i, text, head)
    for c in columns:
        at += 1
        for i, text in enumerate(
            (header_text(c), "必须填" if c.required else "可不填", how_to_fill(c), f"例如：{_example(c)}")
        ):
            sheet.write_string(at, i, text, cell)
    sheet.protect("", {"format_columns": True, "format_rows": True})


_GENERAL = (
    "只在原表头下面填写，一行一条；不要增删或改名列，不要合并单元格。",
    "数字只填数字，单位已写在表头里；没有的项目留空，不要写“无”“—”。是零的填 0。",
    "日期写成 2021-03-05，月份写成 2021-03。拿不准的不要估填，留空并在回复中说明。",
    "涉密单位请勿通过本平台报送。",
)


def _example(c: Column) -> str:
    if c.values:
        return "、".join(c.values[:2]) if c.subset else c.values[0]
    if c.kind == "boolean":
        return "是"
    if c.kind in ("month", "date", "year"):
        return EXPECTED[c.kind][2]
    if c.kind == "integer":
        return "12"
    if c.kind == "decimal":
        return "1234.5" if c.maximum is None or c.maximum >= 2000 else "7.5"
    if c.institution == "name":
        return "某某市教育局（名录中的全称）"
    return "按实际填写"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
