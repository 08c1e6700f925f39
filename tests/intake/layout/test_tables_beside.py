"""Tables that share their rows with another table or form to the right, or to the left."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from expectations.contract import load_contracts
from pipelines.intake.model import FileReading
from tests.intake.layout.trial import reading

BOTH = load_contracts(only=["energy_use", "parking_lots"])
HEAD = ["单位名称", "月份", "用电量（千瓦时）", "用水量（立方米）"]
SWAPPED = ["单位名称", "月份", "用水量（立方米）", "用电量（千瓦时）"]


def beside(left: list[list[Any]], right: list[list[Any]], gap: int = 1, down: int = 0) -> list[list[Any]]:
    """Two blocks of rows side by side; the right one begins `down` rows lower."""
    right = [*([[]] * down), *right]
    width = max(map(len, left)) + gap
    rows = []
    for k in range(max(len(left), len(right))):
        a = list(left[k]) if k < len(left) else []
        rows.append([*a, *[""] * (width - len(a)), *(right[k] if k < len(right) else [])])
    return rows


def energy(read: FileReading) -> list[tuple[Any, ...]]:
    found = [s.values for s in read.sheets if s.dataset == "energy_use"]
    return [x for v in found for x in zip(v["org_name"], v["month"], v["electricity"], v["water"], strict=True)]


def year(head: list[str], y: int, *, swapped: bool) -> list[list[Any]]:
    """A title, a header, and three rows of a year."""
    rows = [["甲局", f"{y}-0{n}", 1000.0 + n, float(n)] for n in (1, 2, 3)]
    return [[f"{y}年"], head, *([[*r[:2], *r[:1:-1]] for r in rows] if swapped else rows)]


def expected(*years: int) -> list[tuple[Any, ...]]:
    return [("甲局", f"{y}-0{n}", 1000.0 + n, float(n)) for y in years for n in (1, 2, 3)]


STACKED = [
    *year(HEAD, 2021, swapped=False),
    [],
    *year(SWAPPED, 2022, swapped=True),
    [],
    *year(HEAD, 2023, swapped=False),
]
NUMBERS = [["项目", "数值"], *(["项目" + str(n), 7.0 * n] for n in range(1, 14))]
TEXTS = [["调研问题", "答复"], *(["问题" + str(n), "答复" + str(n)] for n in range(1, 14))]


def test_stacked_tables_each_have_their_own_header() -> None:
    assert energy(reading(BOTH, STACKED)) == expected(2021, 2022, 2023)


@pytest.mark.parametrize("right", [NUMBERS, TEXTS])
@pytest.mark.parametrize("gap", [0, 1, 2])
@pytest.mark.parametrize("down", [0, 1, 3])
def test_later_headers_share_their_line_with_a_table_to_the_right(right: list[list[Any]], gap: int, down: int) -> None:
    assert energy(reading(BOTH, beside(STACKED, right, gap, down))) == expected(2021, 2022, 2023)


@pytest.mark.parametrize("down", [0, 2])
def test_a_table_to_the_left_is_no_hindrance(down: int) -> None:
    read = reading(BOTH, beside([[]] * down + NUMBERS, STACKED))
    assert energy(read) == expected(2021, 2022, 2023)


@pytest.mark.parametrize("down", [0, 1, 4])
def test_tables_of_two_datasets_side_by_side_are_both_read(down: int) -> None:
    lots = [
        ["单位名称", "停车场名称", "开放车位数", "是否开放"],
        *(["乙局", f"{n}号院", 5.0 + n, "是"] for n in (1, 2, 3)),
    ]
    read = reading(BOTH, beside(STACKED, lots, 1, down))
    assert energy(read) == expected(2021, 2022, 2023)
    (spaces,) = [s.values["spaces"] for s in read.sheets if s.dataset == "parking_lots"]
    assert spaces == [6, 7, 8]
    assert all(s.rows_read == len(s.rows) + s.refused + s.rows_explained for s in read.sheets)


def test_the_heading_of_a_form_beside_is_its_own() -> None:
    left = [["填报单位：甲局", "", "单位：元"], *[r[1:] for r in STACKED[1:5]]]
    lots = [["填报单位：丙局"], ["单位名称", "停车场名称", "开放车位数", "是否开放"], ["乙局", "1号院", 6.0, "是"]]
    for rows, want in ((beside(left, lots), "甲局"), (beside(lots, left), "甲局"), (beside(left[1:], lots), None)):
        (own,) = [s for s in reading(BOTH, rows).sheets if s.dataset == "energy_use"]
        assert own.submitter == want


def _of(y: int, org: str, count: int, *, swapped: bool, title: bool) -> tuple[list[list[Any]], list[tuple[Any, ...]]]:
    """The rows of a table of one year, and what they say."""
    said = [(org, f"{y}-{m:02d}", y + float(m), float(m)) for m in range(1, count + 1)]
    rows = [[*r[:2], *r[:1:-1]] if swapped else list(r) for r in said]
    return [*([[f"{y}年用能情况"]] if title else []), SWAPPED if swapped else HEAD, *rows], said


@pytest.mark.parametrize("gap", [1, 2])
@pytest.mark.parametrize("down", [0, 1, 3])
@pytest.mark.parametrize("blank", [0, 1])
def test_stacked_tables_beside_stacked_tables_are_all_read(gap: int, down: int, blank: int) -> None:
    """Whether their headers share their lines or not."""
    for counts, title, swapped in product(((3, 2), (5, 4), (3, 3)), (True, False), (True, False)):
        first, a = _of(2021, "甲局", counts[0], swapped=swapped, title=title)
        second, b = _of(2022, "甲局", counts[1], swapped=not swapped, title=title)
        third, c = _of(2023, "乙局", counts[1], swapped=False, title=True)
        fourth, d = _of(2024, "乙局", counts[0], swapped=True, title=title)
        left, right = [*first, *([[]] * blank), *second], [*third, *([[]] * blank), *fourth]
        assert sorted(energy(reading(BOTH, beside(left, right, gap, down)))) == sorted([*a, *b, *c, *d])


def test_a_unit_at_the_right_end_of_a_heading_holds_for_the_table_to_the_left() -> None:
    lots = [["单位：万千瓦时"], ["单位名称", "停车场名称", "开放车位数", "是否开放"], ["乙局", "1号院", 6.0, "是"]]
    left = [["2021年报表"], [h.partition("（")[0] for h in HEAD], *STACKED[2:5]]
    (own,) = [s for s in reading(BOTH, beside(left, lots)).sheets if s.dataset == "energy_use"]
    assert own.values["electricity"] == [1e4 * (1000.0 + n) for n in (1, 2, 3)]
    lots[0].append("填报单位：丙局")
    (own,) = [s for s in reading(BOTH, beside(left, lots)).sheets if s.dataset == "energy_use"]
    assert own.values["electricity"] == [1000.0 + n for n in (1, 2, 3)] and own.submitter == "甲局"


def test_a_form_beside_that_nobody_knows_is_told() -> None:
    plain = beside(STACKED[1:5], [["煤气公司", "管线（公里）"], ["东区", 12.0], ["西区", 14.0]], 1, 1)
    read = reading(BOTH, plain)
    assert energy(read) == expected(2021)
    told = [i for s in read.sheets for i in s.issues]
    assert [(i.code, i.severity) for i in told] == [("unmapped_column", "warning")]
    assert "F—G" in told[0].message_zh


def test_a_column_without_a_header_between_parts_of_one_table_is_no_border() -> None:
    rows = [[*r[:2], "", *r[2:]] for r in STACKED[1:5]]
    assert energy(reading(BOTH, rows)) == expected(2021)


def test_a_remark_beside_the_table_is_no_table() -> None:
    rows = beside(STACKED[1:5], [["备注", "说明人"], ["已核", "王某"], ["", ""], ["补报", "李某"]])
    read = reading(BOTH, rows)
    assert energy(read) == expected(2021)
    assert {i.code for s in read.sheets for i in s.issues} == {"unmapped_column"}
    assert sorted(i.raw_value or "" for s in read.sheets for i in s.issues) == ["备注", "说明人"]


@pytest.mark.parametrize(
    "header",
    [
        ["单位名称", "月份", "用水量（立方米）", "天然气用量（立方米）"],  # it lacks what must be there
        ["单位名称", "时段", "用水量（立方米）", "耗电情况"],
        ["单位名称", "年", "用水量（立方米）", 2022.0],
        ["单位名称", "月份", "费用", "费用"],
    ],
)
def test_rows_under_another_header_that_is_no_table_are_not_taken(header: list[Any]) -> None:
    below = [header, ["乙局", "2022-01", 30.0, 2000.0], ["乙局", "2022-02", 31.0, 2001.0]]
    read = reading(BOTH, [*STACKED[1:5], [], *below])
    assert energy(read) == expected(2021)
    assert read.status == "partial"
    assert [i.row for s in read.sheets for i in s.issues if i.code == "unknown_dataset"] == [6]
