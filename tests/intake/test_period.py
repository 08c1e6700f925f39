"""The months that a sheet tells of: a correction of part of a year is not the year's submission."""

from __future__ import annotations

import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.intake.file_reader import FileReader


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts(only=["energy_use"])


@pytest.mark.parametrize(
    ("title", "months", "period"),
    [
        ("2021年度能源资源消费状况", range(1, 13), "2021"),
        ("能源资源消费状况", range(1, 13), "2021"),
        ("2021年度能源资源消费状况", range(3, 6), "2021-03..2021-05"),
        ("2021年度能源资源消费状况", [4], "2021-04"),
        ("2021年度能源资源消费状况", range(1, 12), "2021"),  # the year's, which lacks a month
        ("2021年度能源资源消费状况", [1, 2, 5, 12], "2021"),
        ("能源资源消费状况", range(1, 12), "2021-01..2021-11"),
        ("2021年度能源资源消费状况", range(1, 7), "2021-01..2021-06"),  # half a year
    ],
)
def test_a_month_sheet_is_named_by_what_it_tells_of(
    contracts: Contracts, title: str, months: list[int], period: str
) -> None:
    rows = [f"{title},,,", "单位名称,月份,用电量,用水量", *(f"市甲局,2021-{m:02d},{100 + m},-5" for m in months)]
    [sheet] = FileReader(contracts).read("\n".join(rows).encode(), "a.csv").sheets
    assert (sheet.dataset, sheet.period, len(sheet.rows)) == ("energy_use", period, len(months))
