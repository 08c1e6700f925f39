"""Shapes of sheets in which a row or a header was once taken for what it is not: each gives its data rows and nothing else.

Belongs here: grids as they lie in memory, for shapes that no file format has to do with. Not here: formats (cases.py).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from expectations.contract import load_contracts
from pipelines.intake.file_reader import FileReader
from pipelines.intake.model import SheetReading
from pipelines.intake.sheets import Book, Grid

READER = FileReader(load_contracts())
Row = list[Any]
HEAD: Row = ["序号", "单位名称", "月份", "用电量（千瓦时）", "用水量（立方米）", "电费（元）"]
DATA: list[Row] = [
    [1.0, "甲示范局", "2021-01", 1000.0, 20.0, 600.0],
    [2.0, "乙示范局", "2021-01", 1100.5, 21.0, 660.3],
    [3.0, "丙示范局", "2021-01", 900.0, 19.0, 540.0],
]
WANT = ([1000.0, 1100.5, 900.0], [20.0, 21.0, 19.0], [600.0, 660.3, 540.0])


Merges = list[tuple[int, int, int, int]]


def sheets(rows: list[Row], merges: Merges | None = None) -> list[SheetReading]:
    width = max(map(len, rows))
    grid = Grid("表", [[*r, *[""] * (width - len(r))] for r in rows], merges=merges)
    return READER.read_book(Book([grid]), "报送表.xlsx", "0").sheets


def read(rows: list[Row], merges: Merges | None = None) -> SheetReading:
    (sheet,) = sheets(rows, merges)
    return sheet


AROUND: dict[str, list[Row]] = {
    "signed with a date cell": [HEAD, *DATA, ["填表日期：", dt.date(2022, 1, 5)]],
    "two signatures": [HEAD, *DATA, ["填表人：", "某某", "填表日期：", dt.date(2022, 1, 5)]],
    "signed without colons": [HEAD, *DATA, ["制表人", "某某"]],
    "a telephone that is a number": [HEAD, *DATA, ["联系电话：", 13800000000.0]],
    "an office and a date at the foot": [HEAD, *DATA, [], ["", "", "某市示范管理局"], ["", "", "2022年1月5日"]],
    "lines numbered beforehand": [HEAD, *DATA, [4.0], [5.0], ["6"]],
    "dots": [HEAD, *DATA, ["……"]],
    "a line of dashes": [HEAD, *DATA, ["—"] * 6],
    "an example under the header": [HEAD, ["示例", "某某局", "2021-01", 1.0, 2.0, 3.0], *DATA],
    "groups": [HEAD, ["一", "市直单位"], *DATA[:1], ["（二）", "县市区"], *DATA[1:]],
    "groups with sums": [
        HEAD,
        ["", "合计", "", 3000.5, 60.0, 1800.3],
        ["一", "市直单位", "", 1000.0, 20.0, 600.0],
        *DATA[:1],
        ["二", "县市区", "", 2000.5, 40.0, 1200.3],
        *DATA[1:],
    ],
    "sums that say nothing": [HEAD, *DATA, ["", "", "", 3000.5, 60.0, 1800.3]],
    "sums that say nothing, first": [HEAD, ["", "", "", 3000.5, 60.0, 1800.3], *DATA],
    "sums that say nothing, of parts": [
        HEAD,
        *DATA[:2],
        ["", "", "", 2100.5, 41.0, 1260.3],
        DATA[2],
        ["", "", "", 3000.5, 60.0, 1800.3],
    ],
    "sums beside a group's name": [
        HEAD,
        ["", "市直单位", "", 2100.5, 41.0, 1260.3],
        *DATA[:2],
        ["", "县市区", "", 900.0, 19.0, 540.0],
        DATA[2],
        ["", "全市", "", 3000.5, 60.0, 1800.3],
    ],
    "signed with a date alone": [HEAD, *DATA, ["", "", dt.date(2022, 1, 5)]],
    "signed with a date alone under a number": [HEAD, *DATA, ["", "", "", "", "2022年1月5日"]],
    "column numbers again on each page": [
        HEAD,
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        *DATA[:2],
        HEAD,
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        DATA[2],
    ],
    "among them, in a later column": [HEAD, *DATA, [3.1, "其中：办公区", "2021-01", 400.0, 9.0, 240.0]],
    "English under the header": [HEAD, ["No.", "Institution", "Month", "Electricity", "Water", "Cost (yuan)"], *DATA],
    "English in the header": [
        [
            "序号\nNo.",
            "单位名称 Institution",
            "月份\nMonth",
            "用电量（千瓦时）\nElectricity",
            "用水量\nWater",
            "电费 Cost",
        ],
        *DATA,
    ],
    "one that has nothing to report": [HEAD, *DATA, ["", "丁示范局", "无", "无", "—", "—"]],
    "what the money is counted in, over nothing": [
        ["填报单位：某市示范管理局", "", "", "", "", "", "", "金额单位：元"],
        [*HEAD, "", ""],
        *DATA,
    ],
    "a total of an amount": [HEAD, *DATA, ["合计金额", "", "", 3000.5, 60.0, 1800.3]],
    "a total that counts": [HEAD, *DATA, ["共 3 家", "", "", 3000.5, 60.0, 1800.3]],
    "甲 1 2": [HEAD, ["甲", "乙", "丙", "1", "2", "3"], *DATA],
    "units with dashes": [
        ["序号", "单位名称", "月份", "用电量", "用水量", "电费"],
        ["—", "—", "/", "千瓦时", "立方米", "元"],
        *DATA,
    ],
    "units with their name": [
        ["序号", "单位名称", "月份", "用电量", "用水量", "电费"],
        ["计量单位", "", "", "（千瓦时）", "（立方米）", "（元）"],
        *DATA,
    ],
    "merged down, and the merges lost": [
        [*HEAD[:3], "能源资源消费", "", ""],
        ["", "", "", *HEAD[3:]],
        *DATA,
    ],
    "decorated": [
        ["序号", "【单位名称】", "⑴月份", "用电量〔千瓦时〕①", "用水量（以立方米计）", "电费\n元"],
        *DATA,
    ],
    "asked for": [
        ["序号", "单位名称*必填", "月份（必填）", "*用电量（千瓦时）[注1]", "本月用水量（立方米）", "电费（以元计）"],
        *DATA,
    ],
}


@pytest.mark.parametrize("shape", AROUND)
def test_only_data_is_data(shape: str) -> None:
    got = read(AROUND[shape])
    assert got.dataset == "energy_use"
    assert [(i.code, i.cell, i.message_en) for i in got.issues] == []
    assert (got.values["electricity"], got.values["water"], got.values["electricity_cost"]) == WANT
    assert got.rows_read == len(got.rows) + got.rows_explained


KEPT: dict[str, Row] = {
    "a row of numbers that are no sums": ["", "", "", 3000.0, 60.0, 1800.3],
    "sums beside a name, but for one": ["", "丁示范局", "", 3000.5, 60.0, 1800.4],
    "the sum of one column beside a name": ["", "丁示范局", "", 3000.5],
    "one cell more than its number": [4.0, "丁示范局"],
    "nothing but a name and dashes": ["", "丁示范局", "—", "—", "—", "—"],
    "nothing used in a month": ["", "丁示范局", "2021-01", "无", "无", "无"],
    "words where numbers belong": [4.0, "NA", "unknown", "see annex", 1.0, 2.0],
    "a name that is an example": [4.0, "示例", "2021-01", 1.0, 2.0, 3.0],
}


@pytest.mark.parametrize("shape", KEPT)
def test_what_may_be_data_stays_data(shape: str) -> None:
    assert len(read([HEAD, *DATA, KEPT[shape]]).rows) == 4


def test_chinese_numerals_that_count_the_rows_are_no_groups() -> None:
    rows = [[n, *r[1:]] for n, r in zip("一二三", DATA, strict=True)]
    assert len(read([HEAD, *rows]).rows) == 3


def test_units_below_a_header_count_even_where_another_name_stands_between() -> None:
    head = ["单位名称", "月份", "用水量", "用电量", "煤炭"], ["", "", "", "(万千瓦时)", "用量"]
    got = read([*head, ["甲示范局", "2021-01", 5.0, 0.1, 2.0], ["乙示范局", "2021-01", 6.0, 0.2, 3.0]])
    assert (got.values["electricity"], got.values["coal"]) == ([1000.0, 2000.0], [2.0, 3.0])


def test_a_counter_is_no_number_of_a_thing_that_has_one() -> None:
    contract = READER.contracts["vehicles"]
    names = [c for c in contract.columns if c.name == "vehicle_id" or (c.required and c.stated is None)]
    head = ["序号", *("编号" if c.name == "vehicle_id" else c.header_zh for c in names)]
    row = [1.0, *("V1" if c.name == "vehicle_id" else "" for c in names)]
    got = read([head, row, [2.0, *row[1:]]])
    assert got.dataset == "vehicles"
    assert got.values["vehicle_id"] == ["V1", "V1"]


MEETINGS: list[Row] = [["会议类型", "日期"], ["局务会", "2024-03-05"], ["碰头会", "2024-04-05"]]


@pytest.mark.parametrize(
    "foot",
    [
        [["", "2024年12月31日"]],  # written as no other date is
        [[], ["", "2024-12-31"]],  # apart
        [["2024-12-31", ""]],  # where no date belongs
        [[], ["某市示范管理局", ""], ["", "2024年12月31日"]],
        [["注：含扩大会议"], ["", "2024-12-31"]],
    ],
)
def test_a_narrow_table_is_signed_with_a_date(foot: list[Row]) -> None:
    got = read([*MEETINGS, *foot])
    assert got.values["held_on"] == [dt.date(2024, 3, 5), dt.date(2024, 4, 5)]
    assert got.rows_read == 2 + got.rows_explained


def test_a_date_like_the_others_right_below_them_is_half_a_row() -> None:
    assert len(read([*MEETINGS, ["", "2024-05-05"]]).rows) == 3
    assert len(read([*MEETINGS, ["", "2024-05-05"], MEETINGS[1]]).rows) == 4


def test_column_numbers_under_two_columns_are_no_meeting() -> None:
    assert read([MEETINGS[0], ["1", "2"], *MEETINGS[1:]]).rows == [3, 4]


FUNDS: Row = ["序号", "单位名称", "申报内容", "计划安排资金", "年度"]


def test_a_unit_above_that_is_not_the_headers_is_said_and_the_headers_holds() -> None:
    head = [*FUNDS[:3], "计划安排资金（元）", "年度"]
    got = read([["节能补助资金安排（单位：万元）"], head, [1.0, "甲示范局", "照明改造", 30000.0, 2024.0]])
    assert got.values["planned_amount"] == [30000.0]
    assert [(i.code, i.severity, i.cell) for i in got.issues] == [("doubtful", "warning", "D2")]
    assert "万元" in got.issues[0].message_zh


def test_two_units_above_are_not_chosen_from() -> None:
    heading: list[Row] = [["节能补助资金安排（单位：万元）"], ["单位：元"]]
    got = read([*heading, FUNDS, [1.0, "甲示范局", "照明改造", 30000.0, 2024.0]])
    assert got.values["planned_amount"] == [None]
    assert [(i.code, i.cell, i.quarantines) for i in got.issues] == [("bad_type", "D4", True)]
    assert "万元、元" in got.issues[0].message_zh
    clear = read([*heading, [*FUNDS[:3], "计划安排资金（元）", "年度"], [1.0, "甲示范局", "照明改造", 30000.0, 2024.0]])
    assert clear.values["planned_amount"] == [30000.0]


def test_units_above_of_different_things_do_not_contradict_each_other() -> None:
    head = ["单位名称", "月份", "用电量", "用水量", "电费"]
    got = read([["单位：万元、万千瓦时、吨"], head, ["甲示范局", "2021-01", 0.1, 20.0, 0.06]])
    assert got.issues == []
    assert (got.values["electricity"], got.values["electricity_cost"]) == ([1000.0], [600.0])


def test_a_multiple_in_a_cell_of_a_column_of_multiples_is_not_guessed() -> None:
    head = [*FUNDS[:3], "计划安排资金（万元）", "年度"]
    rows = [
        [float(n), "甲示范局", "照明改造", v, 2024.0] for n, v in enumerate(["3万", "0.3亿", "3万元", "30000元"], 1)
    ]
    got = read([head, *rows])
    assert got.values["planned_amount"] == [None] * 4
    assert [(i.code, i.cell, i.quarantines) for i in got.issues] == [("bad_type", f"D{n}", True) for n in (2, 3, 4, 5)]


def test_of_two_counters_the_one_that_counts_rows_is_no_value() -> None:
    head = ["序号", "单位名称", "序号", "申报内容", "计划安排资金", "年度"]
    rows: list[Row] = [
        ["一", "甲示范局", 1.0, "照明改造", 3.0, 2024.0],
        ["", "", 2.0, "空调改造", 4.0, 2024.0],
        ["二", "乙示范局", 3.0, "锅炉改造", 5.0, 2024.0],
    ]
    got = read([head, *rows], merges=[(1, 0, 2, 0), (1, 1, 2, 1)])
    assert got.values["seq"] == [1, 2, 3]
    assert got.values["org_name"] == ["甲示范局", "甲示范局", "乙示范局"]


def test_a_column_that_is_called_序号_is_found_beside_an_empty_编号() -> None:
    got = read([["编号", *FUNDS], ["", 1.0, "甲示范局", "照明改造", 3.0, 2024.0]])
    assert got.values["seq"] == [1]


def test_同上_goes_on_from_a_merged_cell() -> None:
    rows: list[Row] = [
        ["甲示范局", "2021-01", 1.0, 2.0],
        ["", "2021-02", 3.0, 4.0],
        ["同上", "2021-03", 5.0, "〃"],
        ["乙示范局", "2021-01", 6.0, 7.0],
        ["〃", "2021-02", 8.0, 9.0],
    ]
    got = read([["单位名称", "月份", "用电量", "用水量"], *rows], merges=[(1, 0, 2, 0)])
    assert got.values["org_name"] == ["甲示范局"] * 3 + ["乙示范局"] * 2
    assert got.values["water"] == [2.0, 4.0, 4.0, 7.0, 9.0]


def test_a_header_that_changes_between_pages_is_read_anew() -> None:
    got = sheets(
        [
            ["2021年度能源资源消费状况"],
            ["单位名称", "月份", "用电量", "用水量"],
            ["甲示范局", "1月", 1.0, 2.0],
            ["单位名称", "月份", "用水量（吨）", "用电量（万千瓦时）", "电费（元）"],
            ["甲示范局", "2月", 4.0, 3.0, 9.0],
            ["单位", "月份", "电", "水"],
            ["甲示范局", "3月", 5.0, 6.0],
        ]
    )
    assert [s.values["month"] for s in got] == [["2021-01"], ["2021-02"], ["2021-03"]]
    assert [s.values["electricity"] for s in got] == [[1.0], [30000.0], [5.0]]
    assert [s.values["electricity_cost"] for s in got] == [[None], [9.0], [None]]


def test_tables_side_by_side_go_on_below() -> None:
    head = ["单位名称", "月份", "用电量", "用水量"]
    left, right = sheets(
        [
            ["2021年度能源资源消费状况", "", "", "", "", "续表"],
            [*head, "", *head],
            ["甲示范局", "1月", 1.0, 2.0, "", "甲示范局", "3月", 5.0, 6.0],
            ["甲示范局", "2月", 3.0, 4.0, "", "甲示范局", "4月", 7.0, 8.0],
            ["小计", "", 4.0, 6.0, "", "小计", "", 12.0, 14.0],
            ["续表"],
            [*head, "", *head],
            ["甲示范局", "5月", 9.0, 10.0, "", "甲示范局", "7月", 13.0, 14.0],
            ["甲示范局", "6月", 11.0, 12.0],
        ]
    )
    assert left.values["month"] == ["2021-01", "2021-02", "2021-05", "2021-06"]
    assert right.values["electricity"] == [5.0, 7.0, 13.0]
    assert (left.issues, right.issues) == ([], [])


@pytest.mark.parametrize("when", ["2021年上半年", "下半年", "2021H1", "2021年1-6月", "2021Q3", "2021年第二季度"])
def test_half_a_year_is_no_month_and_no_row_of_it_is_lost(when: str) -> None:
    got = read([HEAD, [1.0, "甲示范局", when, 1.0, 2.0, 3.0]])
    assert (got.rows, [(i.code, i.cell, i.quarantines) for i in got.issues]) == ([2], [("bad_type", "C2", True)])
    assert "每月填一行" in got.issues[0].message_zh


@pytest.mark.parametrize("second", [["", "甲示范局"], [1.0, "甲示范局"], ["1", "甲示范局"], ["甲示范局", ""]])
def test_a_header_merged_over_two_columns_has_its_values_in_either(second: Row) -> None:
    rows: list[Row] = [
        ["2021年度能源资源消费状况"],
        ["单位名称", "", "月份", "用电量", "用水量"],
        [*second, "1月", 1.0, 2.0],
        [*second, "2月", 3.0, 4.0],
    ]
    got = read(rows, merges=[(1, 0, 1, 1)])
    assert (got.values["org_name"], got.values["electricity"], got.issues) == (["甲示范局"] * 2, [1.0, 3.0], [])


def test_names_merged_down_beside_a_date_cut_into_three_are_header_and_no_row() -> None:
    head = ["处置编号", "单位名称", "处置方式", "面积类别", "面积", "批准日期", "", "", "状态"]
    rows: list[Row] = [
        ["2021年资产处置"],
        head,
        ["", "", "", "", "", "年", "月", "日", ""],
        ["1", "甲示范局", "拍卖", "房屋", 5.0, 2021.0, 3.0, 5.0, "已成交"],
    ]
    got = read(rows, merges=[(1, 5, 1, 7), *((1, c, 2, c) for c in (0, 1, 2, 3, 4, 8))])
    assert got.rows == [4]
    assert [(i.code, i.cell) for i in got.issues] == [("bad_type", "F4")]  # a day of which only the year is in its cell


def test_rows_that_say_a_year_begin_that_years_table() -> None:
    head = ["单位名称", "月份", "用电量", "用水量"]
    first, second = sheets(
        [
            ["能源资源消费状况"],
            head,
            ["2021年"],
            ["甲示范局", "1月", 1.0, 2.0],
            ["甲示范局", "2月", 3.0, 4.0],
            ["小计", "", 4.0, 6.0],
            ["二、2022年度"],
            ["甲示范局", "1月", 5.0, 6.0],
            ["小计", "", 5.0, 6.0],
        ]
    )
    assert (first.values["month"], first.period, first.issues) == (["2021-01", "2021-02"], "2021-01..2021-02", [])
    assert (second.values["month"], second.rows, second.issues) == (["2022-01"], [8], [])
    assert (first.rows_read, second.rows_read) == (6, 3)
    assert all(s.rows_read == len(s.rows) + s.rows_explained for s in (first, second))


def test_a_year_that_a_title_says_holds_until_a_row_says_another() -> None:
    rows: list[Row] = [
        ["2021年节能补助资金安排"],
        FUNDS[:4],
        [1.0, "甲示范局", "照明改造", 3.0],
        ["", "2022年"],
        [1.0, "乙示范局", "空调改造", 4.0],
    ]
    assert [s.values["fiscal_year"] for s in sheets(rows)] == [[2021], [2022]]
