"""Which column is the period of a submission: the contract says, else the one that can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.contract import ContractError
from tests.intake.layout.trial import column, contracts, sheet

ROWS: list[list[Any]] = [
    ["车号", "出厂年份", "统计年度", "启用日期"],
    ["A1", 2009.0, 2023.0, "2015-03-01"],
    ["A2", 2012.0, 2023.0, "2016-03-01"],
]


def period_of(
    folder: Path, rows: list[list[Any]] = ROWS, need: bool = False, heading: str = "", **top: Any
) -> str | None:
    found = contracts(
        folder,
        column("car", "车号", key=1),
        column("built", "出厂年份", "year", required=need),
        column("year", "统计年度", "year"),
        column("start_on", "启用日期", "date", required=True),
        **top,
    )
    return sheet(found, [[heading], *rows] if heading else rows).period


def test_an_attribute_is_not_taken_for_the_period(tmp_path: Path) -> None:
    assert period_of(tmp_path, need=True, period="year") == "2023"
    assert period_of(tmp_path, need=True, period=None) is None
    assert period_of(tmp_path, period=None) is None
    assert period_of(tmp_path, period=None, heading="2024年车辆清单") == "2024"


def test_a_year_that_may_be_empty_and_is_no_key_is_an_attribute(tmp_path: Path) -> None:
    assert period_of(tmp_path) == "2015..2016"  # the date that every row has
    assert period_of(tmp_path, need=True) == "2009..2012"


@pytest.mark.parametrize("named", ["car", "made", "启用日期"])
def test_a_period_that_is_no_year_month_or_date_is_refused(named: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"'period' is .*\(built, year, start_on\), or write null"):
        period_of(tmp_path, period=named)
