"""Shapes of sheets in which a row or a header was once taken for what it is not: each gives its data rows and nothing else.

Belongs here: grids as they lie in memory, for shapes that no file format has to do with. Not here: formats (cases.py).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from expectations.contract import load_contracts
from pipelines.intake.book import Book, Grid
from pipelines.intake.model import SheetReading
from pipelines.intake.reader import Reader

READER = Reader(load_contracts())
Row = list[Any]
HEAD: Row = ["序号", "单位名称", "月份", "用电量（千瓦时）", "用水量（立方米）", "电费（元）"]
DATA: list[Row] = [
    [1.0, "甲示范局", "2021-01", 1000.0, 20.0, 600.0],
    [2.0, "乙示范局", "2021-01", 1100.5, 21.0, 660.3],
    [3.0, "丙示范局", "2021-01", 900.0, 19.0, 540.0],
]
WANT = ([1000.0, 1100.5, 900.0], [20.0, 21.0, 19.0], [600.0, 660.3, 540.0])


def read(rows: list[Row], merges: list[tuple[int, int, int, int]] | None = None) -> SheetReading:
    width = max(map(len, rows))
    grid = Grid("表", [[*r, *[""] * (width - len(r))] for r in rows], merges=merges)
    (sheet,) = READER.made_of(Book([grid]), "报送表.xlsx", "0").sheets
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
    "sums beside a name": ["", "丁示范局", "", 3000.5, 60.0, 1800.3],
    "one cell more than its number": [4.0, "丁示范局"],
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
