"""A line of signatures ends a table, unless it clearly goes on."""

from __future__ import annotations

from typing import Any

import pytest

from expectations.contract import load_contracts
from pipelines.intake.model import SheetReading
from tests.intake.layout.trial import reading, sheet

ENERGY = load_contracts(only=["energy_use"])
HEAD = ["单位名称", "月份", "用电量", "用水量"]
ROWS: list[list[Any]] = [["甲局", f"2021-0{n}", 10.0 * n, 1.0 * n] for n in range(1, 5)]
SIGNED: list[Any] = ["填表人：王某", "", "审核人：李某", ""]


def months(*sheets: SheetReading) -> list[str]:
    return [m for s in sheets for m in s.values["month"]]


@pytest.mark.parametrize(
    "scratch",
    [
        [["", "", 100.0, 10.0], ["", "", 50.0, ""]],
        [[], ["", "", "", 33.0], [100.0, 2.0, 3.0, 4.0]],
        [["核对", "", 100.0, 10.0], ["差额", 7.0, "", ""]],
        [["", "", 100.0, 10.0], ["", "", 99.0, 9.0], ["差额", "2021-04", 1.0, 1.0]],
        [["", "合计", 100.0, 10.0], ["", "", 100.5, 10.5]],
    ],
)
@pytest.mark.parametrize(
    "signed",
    [
        SIGNED,
        ["制表：王某"],
        ["填报人:", "王某", "联系电话：", "123"],
        ["制表人", "王某", "审核人", "李某"],
        ["单位负责人（签字）："],
    ],
)
def test_sums_below_a_line_of_signatures_are_no_data(scratch: list[list[Any]], signed: list[Any]) -> None:
    read = sheet(ENERGY, [HEAD, *ROWS, signed, *scratch])
    assert months(read) == [r[1] for r in ROWS]
    assert read.rows_read == len(read.rows) + read.rows_explained
    (told,) = read.issues
    assert (told.code, told.severity) == ("doubtful", "warning")
    numbers = [6 + k for k, r in enumerate(scratch, 1) if r and "合计" not in r]
    assert told.row == numbers[0] - 0 or told.row in numbers
    assert str(sum(any(v != "" for v in r) and "合计" not in r for r in scratch)) in told.message_zh


@pytest.mark.parametrize("between", [[HEAD], [["续表"], HEAD], [["续表"]], [], [[]]])
def test_a_form_signed_at_the_end_of_each_page_is_read_in_full(between: list[list[Any]]) -> None:
    rows = [HEAD, *ROWS[:2], SIGNED, *between, *ROWS[2:], SIGNED]
    read = sheet(ENERGY, rows)
    assert months(read) == [r[1] for r in ROWS]
    assert read.issues == []


def test_a_row_that_lacks_a_cell_between_rows_below_a_signature_is_told_and_kept() -> None:
    rows = [HEAD, *ROWS[:2], SIGNED, ["甲局", "", 5.0, 1.0], *ROWS[2:]]
    read = sheet(ENERGY, rows)
    assert months(read) == ["2021-01", "2021-02", None, "2021-03", "2021-04"]


def test_rows_under_a_header_again_that_lack_cells_are_data() -> None:
    rows = [HEAD, *ROWS[:2], SIGNED, HEAD, ["甲局", "", 5.0, 1.0]]
    assert months(sheet(ENERGY, rows)) == ["2021-01", "2021-02", None]


def test_a_table_below_the_signatures_of_another_is_read() -> None:
    other = [["单位名称", "月份", "用水量", "用电量"], ["乙局", "2022-01", 3.0, 30.0], ["乙局", "2022-02", 4.0, 40.0]]
    read = reading(ENERGY, [HEAD, *ROWS, SIGNED, ["", "", 100.0, 10.0], [], *other])
    assert months(*read.sheets) == [*(r[1] for r in ROWS), "2022-01", "2022-02"]
    assert [v for s in read.sheets for v in s.values["water"]] == [1.0, 2.0, 3.0, 4.0, 3.0, 4.0]


def test_a_table_that_says_its_submitter_once_has_rows_below_a_signature() -> None:
    head, rows = HEAD[1:], [r[1:] for r in ROWS]
    read = sheet(ENERGY, [["填报单位：甲局"], head, *rows[:2], ["填表人：王某"], *rows[2:], ["", 50.0, 5.0]])
    assert months(read) == [r[0] for r in rows]
