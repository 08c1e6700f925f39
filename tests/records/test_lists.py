"""A list whose dates are attributes has no period of its own: a later state of it replaces the older one, another list does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from expectations.contract import load_contracts
from pipelines.core.home import Home
from pipelines.records.build import build
from tests.records.making import file, institution, joined, receipts, sheet

CONTRACTS = load_contracts(only=["institutions", "timeshare_vehicles"])
REGISTER = file("reg", sheet("institutions", [institution(n) for n in range(1, 4)], "机关事务中心", "2021"))


def car(n: int, year: int) -> dict[str, Any]:
    return {
        "vehicle_id": f"湘B{n:05d}",
        "start_on": f"{year}-05-01",
        "org_name": institution(1)["org_name"],
        "power": "纯电",
        "batch": 1,
    }


def cars_in_force(tmp_path: Path, *lists: list[dict[str, Any]], period: str | None = None) -> list[str]:
    """The vehicles of the records after lists came one after the other from one office."""
    home = Home(tmp_path).create()
    files = [file(f"f{n}", sheet("timeshare_vehicles", x, "分时租赁中心", period)) for n, x in enumerate(lists)]
    build(joined(REGISTER, *files, contracts=CONTRACTS), CONTRACTS, home, None, receipts(REGISTER, *files))
    return sorted(pd.read_parquet(home.records("timeshare_vehicles"))["vehicle_id"])


def test_a_newer_list_takes_out_what_is_no_longer_in_it(tmp_path: Path) -> None:
    old = [car(n, 2018 + n % 3) for n in range(10)]
    new = [*old[3:], car(20, 2024)]
    assert cars_in_force(tmp_path, old, new) == [c["vehicle_id"] for c in new]


def test_another_part_of_the_list_replaces_nothing(tmp_path: Path) -> None:
    parts = [car(n, 2020) for n in range(5)], [car(n, 2020) for n in range(5, 9)]
    assert len(cars_in_force(tmp_path, *parts)) == 9


def test_a_correction_of_some_rows_replaces_these_alone(tmp_path: Path) -> None:
    old = [car(n, 2020) for n in range(10)]
    assert len(cars_in_force(tmp_path, old, [car(2, 2021), car(3, 2021)])) == 10


@pytest.mark.parametrize("dataset", ["leases", "real_assets", "timeshare_vehicles", "epc_contracts"])
def test_lists_that_are_dated_by_an_attribute_say_that_it_is_no_period(dataset: str) -> None:
    contract = load_contracts()[dataset]
    assert contract.undated
    assert contract.period is not None and contract.period.kind == "date"  # still dates each row
