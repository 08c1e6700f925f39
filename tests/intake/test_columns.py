"""One table's columns: what number formats change, cells at fault, columns that were lost, and what is recorded of units."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
import xlsxwriter

from expectations.contract import load_contracts
from pipelines.intake.file_reader import FileReader
from pipelines.intake.formats import number_format
from pipelines.intake.issues import EACH
from pipelines.intake.model import FileReading, SheetReading
from pipelines.intake.readings import tables
from pipelines.intake.sheets import Book, Fault, Format, Formats, Grid

READER = FileReader(load_contracts(only=["retrofit_funds", "energy_use", "disposals", "parking_lots"]))
WAN = Format("0!.0000", power=4)


def file(rows: list[list[Any]], formats: Formats | None = None, **more: Any) -> FileReading:
    return READER.read_book(Book([Grid("表", rows, formats=lambda: formats, **more)]), "表.xlsx", "f")


def sheet(rows: list[list[Any]], formats: Formats | None = None) -> SheetReading:
    (found,) = file(rows, formats).sheets
    return found


def funds(header: str, *amounts: Any) -> list[list[Any]]:
    rows = [[float(n), "甲示范局", f"改造{n}", 2021.0, v] for n, v in enumerate(amounts, 1)]
    return [["序号", "单位名称", "申报内容", "年度", header], *rows]


def told(s: SheetReading) -> list[tuple[str | None, str, str]]:
    return [(i.cell, i.code, i.severity) for i in s.issues]


def column(s: SheetReading, name: str) -> str | None:
    return next(c.unit for c in s.columns if c.column == name)


# ---- number formats


def test_a_number_shown_ten_thousand_times_smaller_under_that_unit_is_what_is_stored() -> None:
    got = sheet(funds("计划安排资金（万元）", 123456.0, 80000.0), {(1, 4): WAN, (2, 4): WAN})
    assert got.values["planned_amount"] == [123456.0, 80000.0]
    assert told(got) == [("E2", "doubtful", "warning")]
    assert "0!.0000" in got.issues[0].message_zh and "2 个数" in got.issues[0].message_zh


def test_so_is_one_under_a_unit_that_the_heading_states() -> None:
    rows = [["", "", "", "", "单位：万元"], *funds("计划安排资金", 123456.0)]
    got = sheet(rows, {(2, 4): WAN})
    assert (got.values["planned_amount"], column(got, "planned_amount")) == ([123456.0], "万元")
    assert [i.code for i in got.issues] == ["doubtful"]


def test_only_the_cells_so_shown_are_taken_so() -> None:
    got = sheet(funds("计划安排资金（万元）", 123456.0, 8.0), {(1, 4): WAN})
    assert got.values["planned_amount"] == [123456.0, 80000.0]


def test_thousands_are_no_ten_thousands() -> None:
    got = sheet(funds("计划安排资金（千元）", 123456.0), {(1, 4): Format("#,##0.00,", power=3)})
    assert got.values["planned_amount"] == [123456.0]
    got = sheet(funds("计划安排资金（万元）", 123456.0), {(1, 4): Format("#,##0.00,", power=3)})
    assert got.values["planned_amount"] == [1234560.0], "123.456 万元, as it is shown"


def test_a_number_shown_smaller_where_no_unit_is_stated_is_what_is_stored() -> None:
    got = sheet(funds("计划安排资金", 123456.0), {(1, 4): WAN})
    assert got.values["planned_amount"] == [123456.0]
    assert [i.code for i in got.issues] == ["doubtful"]


def test_a_unit_in_the_format_counts_where_no_other_is_stated() -> None:
    shown = Format('0.00"万元"', unit="万元")
    got = sheet(funds("计划安排资金", 12.5, 8.0), {(1, 4): shown, (2, 4): shown})
    assert (got.values["planned_amount"], got.issues) == ([125000.0, 80000.0], [])
    assert column(got, "planned_amount") == "万元"
    got = sheet(funds("计划安排资金（万元）", 12.5), {(1, 4): shown})
    assert (got.values["planned_amount"], got.issues) == ([125000.0], [])


def test_a_unit_and_a_power_in_the_format_leave_the_number_as_it_is_stored() -> None:
    shown = Format('0!.0,"万元"', power=4, unit="万元")
    got = sheet(funds("计划安排资金", 125000.0), {(1, 4): shown})
    assert (got.values["planned_amount"], got.issues) == ([125000.0], [])


def test_a_multiple_in_the_format_that_the_format_itself_makes_is_no_contradiction() -> None:
    shown = Format('0!.0,"万"', power=4, unit="万")
    got = sheet(funds("计划安排资金（元）", 125000.0), {(1, 4): shown})
    assert (got.values["planned_amount"], got.issues) == ([125000.0], [])
    got = sheet(funds("计划安排资金（万元）", 125000.0), {(1, 4): shown})
    assert (got.values["planned_amount"], got.issues) == ([125000.0], [])


def test_a_larger_unit_in_the_format_than_the_header_says_is_doubted() -> None:
    got = sheet(funds("计划安排资金（元）", 12.5), {(1, 4): Format('0.00"万元"', unit="万元")})
    assert got.values["planned_amount"] == [125000.0]
    assert told(got) == [("E2", "doubtful", "warning")]
    assert "万元" in got.issues[0].message_zh


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("计划安排资金（万元）", "元"), ("计划安排资金（万元）", "亿元"), ("计划安排资金（元）", "$"), ("计划安排资金", "USD"), ("计划安排资金", "美元"),
        ("计划安排资金", "吨"), ("计划安排资金", "kWh"), ("计划安排资金（元）", "%"),
    ],
)  # fmt: skip
def test_a_unit_in_the_format_that_contradicts_the_header_is_as_one_in_the_cell(header: str, unit: str) -> None:
    got = sheet(funds(header, 12.5, 7.0), {(1, 4): Format(f'0.00"{unit}"', unit=unit)})
    assert got.values["planned_amount"][0] is None
    assert told(got) == [("E2", "bad_type", "error")]
    assert f"12.5 {unit}" in got.issues[0].message_zh


def test_words_in_the_format_that_are_no_unit_change_no_number() -> None:
    for unit in ("号", "个", "含税", "起"):
        got = sheet(funds("计划安排资金（元）", 12.5), {(1, 4): Format(f'0.00"{unit}"', unit=unit)})
        assert (got.values["planned_amount"], got.issues) == ([12.5], [])


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [('"HT-"000', 12.0, "HT-012"), ('0"号"', 3.0, "3号"), ('"第"0"号"', 3.0, "第3号"), ("0.0%", 0.853, "85.3%"), ("0000-00", 20213.0, "0202-13")],
)  # fmt: skip
def test_words_in_the_format_of_a_code_are_part_of_it(code: str, number: float, text: str) -> None:
    shown = number_format.of(code, number)
    assert shown
    assert sheet(codes(number), {(1, 0): shown}).values["disposal_id"] == [text]


def test_a_total_is_read_as_its_rows_are() -> None:
    rows = [*funds("计划安排资金（万元）", 123456.0, 80000.0), ["合计", "", "", "", 203456.0]]
    got = sheet(rows, {(r, 4): WAN for r in (1, 2, 3)})
    assert [i.code for i in got.issues] == ["doubtful"], "no total_mismatch"


def test_zeros_that_a_format_shows_are_part_of_a_code() -> None:
    rows = [
        ["处置编号", "单位名称", "处置方式", "面积类别", "面积（平方米）", "状态", "成交价（元）"],
        [123.0, "甲示范局", "拍卖", "房屋", 5.0, "已成交", 7.0],
        [1234567.0, "甲示范局", "拍卖", "房屋", 5.0, "已成交", 7.0],
        ["000125", "甲示范局", "拍卖", "房屋", 5.0, "已成交", 7.0],
    ]
    shown = Format("000000", zeros=6)
    got = sheet(rows, {(r, c): shown for r in (1, 2, 3) for c in (0, 4)})
    assert got.values["disposal_id"] == ["000123", "1234567", "000125"]
    assert got.values["area"] == [5.0, 5.0, 5.0]


# ---- cells at fault


def test_a_cell_at_fault_is_lost_and_the_row_waits_where_it_is_required() -> None:
    rows = funds("计划安排资金（元）", 5.0, 6.0, 7.0, 8.0)
    rows[0].append("备注")
    for row, fault in zip(rows[1:], ("error", "picture", "struck", "marked"), strict=True):
        row.append(Fault(fault, f"{fault} here"))  # type: ignore[arg-type]
    rows[2][2] = Fault("formula", '=C2&"二期"')
    got = sheet(rows)
    assert got.values["remark"] == [None] * 4
    assert got.values["project_name"] == ["改造1", None, "改造3", "改造4"]
    assert [(i.cell, i.raw_value, i.quarantines) for i in got.issues] == [
        ("C3", '=C2&"二期"', True),
        ("F2", "error here", False),
        ("F3", "picture here", False),
        ("F4", "struck here", False),
        ("F5", "marked here", False),
    ]
    said = {i.cell: i.message_zh for i in got.issues}
    assert "没有算出结果" in said["C3"] and "错误值" in said["F2"] and "图片" in said["F3"] and "删除线" in said["F4"]


def test_a_look_up_that_found_nothing_is_nothing_and_told() -> None:
    for cell in (Fault("error", "#N/A"), "#N/A"):
        rows = [["单位名称", "月份", "用电量（千瓦时）", "用水量（立方米）", "电费（元）"]]
        rows.append(["甲示范局", "2021-01", 5.0, 6.0, cell])
        got = sheet(rows)
        assert (got.values["electricity_cost"], told(got)) == ([None], [("E2", "bad_type", "error")])


# ---- whole columns


def energy(*costs: Any) -> list[list[Any]]:
    rows = [["甲示范局", f"{2020 + n // 12}-{n % 12 + 1:02}", 5.0 + n, 6.0, v] for n, v in enumerate(costs)]
    return [["单位名称", "月份", "用电量（千瓦时）", "用水量（立方米）", "电费（元）"], *rows]


def test_a_column_that_was_lost_is_said_once_and_leaves_the_file_partial() -> None:
    lost = EACH + 5
    got = file(energy(*["$14190.13"] * lost, "", "-"))
    (s,) = got.sheets
    assert (got.status, s.status, s.values["electricity_cost"]) == ("partial", "partial", [None] * (lost + 2))
    assert [(i.cell, i.code, i.severity, i.quarantines) for i in s.issues] == [("E2", "bad_type", "error", False)]
    assert (
        "$14190.13" in s.issues[0].message_zh and f"{lost} 个单元格都读不出来，整列没有收下" in s.issues[0].message_zh
    )


def test_a_column_that_was_lost_for_one_reason_says_that_reason() -> None:
    got = file(energy(*[Fault("formula", "=B2*2")] * (EACH + 1)))
    (found,) = got.sheets[0].issues
    assert "打开、保存一次" in found.message_zh and "整列没有收下" in found.message_zh


def test_a_few_lost_cells_are_told_one_by_one_and_leave_it_partial_where_nothing_else_stood() -> None:
    got = file(energy("$5", "$6", "$7"))
    assert got.status == "partial"
    assert [i.cell for i in got.sheets[0].issues] == ["E2", "E3", "E4"]
    got = file(energy("$5", "$6", "$7", 8.0))
    assert (got.status, len(got.sheets[0].issues)) == ("accepted", 3)
    got = file(energy("$5"))
    assert (got.status, len(got.sheets[0].issues)) == ("accepted", 1)


def test_of_a_required_column_that_was_lost_each_row_waits() -> None:
    rows = energy(*[1.0] * (EACH + 1))
    for row in rows[1:]:
        row[2] = "见附件"
    (s,) = file(rows).sheets
    assert s.status == "partial"
    waiting = {i.row for i in s.issues if i.quarantines}
    assert waiting == set(s.rows)
    assert [i.message_zh for i in s.issues if "整列没有收下" in i.message_zh] != []


def test_a_unit_that_the_heading_states_is_recorded() -> None:
    got = sheet([["", "", "", "", "单位：万元"], *funds("计划安排资金", 12.5)])
    assert (got.values["planned_amount"], column(got, "planned_amount")) == ([125000.0], "万元")
    assert column(got, "seq") is None
    assert column(sheet(funds("计划安排资金（万元）", 12.5)), "planned_amount") == "万元"
    assert column(sheet(funds("计划安排资金", 12.5)), "planned_amount") is None


# ---- days


def codes(*ids: Any) -> list[list[Any]]:
    head = ["处置编号", "单位名称", "处置方式", "面积类别", "面积（平方米）", "状态", "成交价（元）"]
    return [head, *([v, "甲示范局", "拍卖", "房屋", 5.0, "已成交", 7.0] for v in ids)]


def test_a_day_among_codes_is_none_of_them() -> None:
    got = sheet(codes("13-1", dt.date(2021, 3, 12), "14-2"))
    assert got.values["disposal_id"] == ["13-1", None, "14-2"]
    assert [(*t, i.quarantines) for t, i in zip(told(got), got.issues, strict=True)] == [
        ("A3", "bad_type", "error", True)
    ]
    assert "2021-03-12" in got.issues[0].message_zh
    assert [c for c, _, _ in told(sheet(codes(dt.date(2021, 3, 12), dt.date(2021, 3, 13))))] == ["A2", "A3"], (
        "a code is no day"
    )
    assert sheet(codes("2021-3-11", dt.date(2021, 3, 12))).values["disposal_id"][1] == "2021-03-12", (
        "unless codes are days"
    )


def test_days_among_texts_that_are_days_are_not() -> None:
    rows = funds("计划安排资金（元）", 5.0, 6.0)
    rows[0].append("备注")
    rows[1].append(dt.date(2021, 3, 12))
    rows[2].append("2021.3.13")
    assert sheet(rows).issues == []
    rows[2][-1] = ""
    assert sheet(rows).issues == []
    rows[2][-1] = "首批"
    assert told(sheet(rows)) == [("F2", "doubtful", "warning")]


def lots(*days: Any) -> list[list[Any]]:
    head = ["单位名称", "停车场名称", "开放车位数", "是否开放", "开放日期"]
    return [head, *(["甲示范局", f"{n}号", 5.0, "是", v] for n, v in enumerate(days))]


def test_a_year_typed_into_a_cell_for_dates_is_told() -> None:
    got = sheet(lots(dt.date(2021, 3, 5), dt.date(1905, 7, 7)))
    assert got.values["started_on"] == [dt.date(2021, 3, 5), None]
    assert told(got) == [("E3", "bad_type", "error")]
    assert "2015 会变成 1905 年" in got.issues[0].message_zh


def test_nought_in_a_cell_for_dates_is_nothing() -> None:
    got = sheet(lots(dt.time(), dt.date(2021, 3, 5)))
    assert (got.values["started_on"], got.issues) == ([None, dt.date(2021, 3, 5)], [])
    rows = [["单位名称", "月份", "用电量（千瓦时）", "用水量（立方米）"], ["甲示范局", dt.time(), 5.0, 6.0]]
    (found,) = sheet(rows).issues
    assert (found.cell, found.raw_value, found.quarantines) == ("B2", "1900/1/0", True)
    assert "“1900/1/0”" in found.message_zh and "00:00:00" not in found.message_zh


def test_a_midnight_43_seconds_early_is_the_next_day_and_told() -> None:
    got = sheet(lots(dt.datetime(2021, 2, 28, 23, 59, 17)))
    assert got.values["started_on"] == [dt.date(2021, 3, 1)]
    assert told(got) == [("E2", "doubtful", "warning")]
    assert "2021-03-01" in got.issues[0].message_zh


@pytest.mark.parametrize("text", [False, True])
def test_days_that_all_stand_at_four_in_the_afternoon_are_doubted_once(text: bool) -> None:
    days: list[Any] = [dt.datetime(2021, 2, 28, 16), dt.datetime(2021, 3, 30, 16), dt.datetime(2021, 3, 31, 16)]
    if text:
        days = [str(d) for d in days]
    got = sheet(lots(*days, ""))
    assert got.values["started_on"][:2] == [dt.date(2021, 2, 28), dt.date(2021, 3, 30)]
    assert told(got) == [("E2", "doubtful", "warning")]
    assert "3 个日期都带着 16:00:00" in got.issues[0].message_zh
    assert sheet(lots(*days, dt.datetime(2021, 4, 1, 9, 30))).issues == [], "people meet at four as well"
    assert sheet(lots(days[0])).issues == []


def contracts_of(*rates: Any) -> list[list[Any]]:
    head = ["合同编号", "单位名称", "合同类型", "开始日期", "结束日期", "保证节能率", "状态"]
    days = [dt.date(2021, 1, 1), dt.date(2022, 1, 1)]
    return [head, *([f"H-{n}", "甲示范局", "节能量保证", *days, v, "实施"] for n, v in enumerate(rates))]


RATES = FileReader(load_contracts(only=["epc_contracts"]))
PERCENT = Format("0%", percent=True)


def rates(*cells: Any, formats: Formats | None = None) -> SheetReading:
    book = Book([Grid("表", contracts_of(*cells), formats=lambda: formats or {})])
    return RATES.read_book(book, "表.xlsx", "f").sheets[0]


def test_beside_percentages_a_share_is_taken_for_neither() -> None:
    got = rates("85%", 0.85, 85.0, "0.5", "0")
    assert got.values["guaranteed_rate"] == [85.0, None, 85.0, None, 0.0]
    assert told(got) == [("F3", "bad_type", "error"), ("F5", "bad_type", "error")]
    got = rates(0.85, 0.85, 1.0, formats={(1, 5): PERCENT})
    assert got.values["guaranteed_rate"] == [85.0, None, None]
    assert [c for c, _, _ in told(got)] == ["F3", "F4"]


def test_shares_in_texts_are_doubted_as_numbers_are() -> None:
    assert told(rates("0.155", "0.2")) == [("F2", "doubtful", "warning")]
    assert told(rates("0.155")) == told(rates(0.155)) == [("F2", "doubtful", "warning")]
    assert told(rates("15.5", "0.2")) == []


def test_a_cell_that_says_as_above_is_shown_as_the_one_above() -> None:
    got = rates(0.85, "同上", "（同上）", formats={(1, 5): PERCENT})
    assert (got.values["guaranteed_rate"], got.issues) == ([85.0, 85.0, 85.0], [])
    rows = codes(123.0, "同 上", "〃")
    got = sheet(rows, {(1, 0): Format("000000", zeros=6)})
    assert got.values["disposal_id"] == ["000123"] * 3


def test_a_code_merged_down_is_shown_as_its_first_cell_is() -> None:
    rows = codes(123.0, "", 4.0)
    got = file(rows, {(1, 0): Format("000000", zeros=6)}, merges=[(1, 0, 2, 0)]).sheets[0]
    assert got.values["disposal_id"] == ["000123", "000123", "4"]


def months_of(*rows: tuple[Any, ...]) -> list[list[Any]]:
    return [["单位名称", "月份", "用电量（千瓦时）", "用水量（立方米）"], *(["甲示范局", *r] for r in rows)]


def test_a_month_that_lost_its_nought_in_a_text_file_is_no_january() -> None:
    def months(*cells: Any, formats: Formats | None = None) -> list[str | None]:
        return sheet(months_of(*((c, 5.0, 6.0) for c in cells)), formats).values["month"]

    assert months("2021.9", "2021.1", "2021.11") == ["2021-09", None, "2021-11"]
    assert months("2021.1") == [None]
    assert months("2020.12", "2021.1") == ["2020-12", "2021-01"]
    assert months("2021.1", "2021.2") == ["2021-01", "2021-02"]
    assert months("2021.1", "2021.10") == ["2021-01", "2021-10"], "whoever writes 2021.10 keeps its nought"
    assert months("2021.1", "2021.9", formats={}) == ["2021-01", "2021-09"], "a text in a workbook was typed as one"
    found = sheet(months_of(("2021.1", 5.0, 6.0), ("2021.3", 5.0, 6.0))).issues
    assert [(i.code, i.severity, i.quarantines) for i in found] == [("bad_type", "error", True)]


def test_a_month_without_its_year_is_of_no_other_year_than_its_neighbours() -> None:
    def months(*cells: Any) -> list[str | None]:
        rows = [["2023年能耗表", "", "", ""], *months_of(*((c, 5.0, 6.0) for c in cells))]
        return sheet(rows, {}).values["month"]

    assert months("2023年11月", "12月", "2024年1月", "2月") == ["2023-11", None, "2024-01", None]
    assert months("2023年11月", "12月", 1.0) == ["2023-11", "2023-12", "2023-01"]
    rows = [["2023-2024年能耗表", "", "", ""], *months_of(("3月", 5.0, 6.0))]
    assert sheet(rows, {}).values["month"] == [None], "of two years the heading states none"


def test_beside_a_decimal_comma_no_comma_parts_thousands() -> None:
    got = sheet(months_of(("2021-01", "12,5", "1,234"), ("2021-02", "1.234", "5"), ("2021-03", 7.0, "8.25")))
    assert got.values["electricity"] == [None, None, 7.0]
    assert got.values["water"] == [None, 5.0, 8.25]
    assert {(i.cell, i.code, i.severity) for i in got.issues} == {(c, "bad_type", "error") for c in ("C2", "D2", "C3")}
    got = sheet(months_of(("2021-01", "12,5", "1,234.5"), ("2021-02", "1,234", "5")))
    assert got.values["electricity"] == [None, 1234.0], "there is one that can only part thousands"


def test_years_that_all_stand_at_four_in_the_afternoon_are_doubted() -> None:
    rows = funds("计划安排资金（元）", 5.0, 6.0)
    rows[1][3] = rows[2][3] = dt.datetime(2020, 12, 31, 16)
    assert ("D2", "doubtful", "warning") in told(sheet(rows))


def test_formats_are_read_from_a_workbook() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet("表")
    shown = {c: book.add_format({"num_format": c}) for c in ("0!.0000", "000000")}
    rows = codes(123.0, 4567.0)
    rows[0][-1] = "成交价（万元）"
    for r, row in enumerate(rows):
        row[-1] = 741234.0 if r else row[-1]
        for c, v in enumerate(row):
            code = {0: "000000", 6: "0!.0000"}.get(c) if r else None
            page.write(r, c, v, shown[code] if code else None)
    book.close()
    (got,) = READER.read(out.getvalue(), "表.xlsx").sheets
    assert got.values["disposal_id"] == ["000123", "004567"]
    assert got.values["deal_amount"] == [741234.0, 741234.0]
    assert told(got) == [("G2", "doubtful", "warning")]


TRIPS = load_contracts(only=["timeshare_trips"])


@pytest.mark.parametrize(
    ("unit", "raw", "shown_by"),
    [
        ("万次", "999999999999999999", None),
        ("万次", 9.5e17, None),
        ("", 1e17, Format("0万次", unit="万次")),
        ("万次", 123_457.0, Format("0,,,", power=5)),  # 1.23457 万次, which is no whole number of trips
    ],
)
def test_a_whole_number_that_no_column_has_room_for_is_bad_and_does_not_end_the_run(
    unit: str, raw: Any, shown_by: Format | None
) -> None:
    header = [
        f"{c.header_zh}（{unit}）" if unit and c.name == "trips" else c.header_zh
        for c in TRIPS["timeshare_trips"].columns
    ]
    rows = [header, ["湘A1", "2021-01", raw, 3.0, 10.0, 1.0], ["湘A2", "2021-01", 2.0, 3.0, 10.0, 1.0]]
    formats = {(1, 2): shown_by} if shown_by else {}
    reading = FileReader(TRIPS).read_book(Book([Grid("表", rows, formats=lambda: formats)]), "出车.xlsx", "0")
    trips = tables([reading], TRIPS)["rows-timeshare_trips"]["trips"].to_pylist()
    assert trips == [None, 20_000 if unit else 2]
    assert [i.code for i in reading.sheets[0].issues] == ["bad_type"]
