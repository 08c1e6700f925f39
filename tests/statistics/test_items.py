"""What a figure over several items rests on: who is compared between years, and how many of how many it says it counts."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date as day
from decimal import Decimal as D
from typing import Any

import duckdb
import pytest

from expectations.contract import load_contracts
from pipelines.core.home import Home
from pipelines.statistics.city import load_city
from pipelines.statistics.run import PROJECT, build_statistics
from tests.statistics.statistics_home import institution, months, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("statistics")]


def use(n: int, year: int, count: int = 12, **stated: float) -> list[dict[str, Any]]:
    return months(n, year, count, **({"electricity": 100.0, "water": 10.0} | stated))


def cost(n: int, year: int, service: str, amount: float) -> list[dict[str, Any]]:
    return [
        {
            "org_name": f"示范单位{n}",
            "month": f"{year}-{m:02d}",
            "service": service,
            "amount": amount,
            "at_designated": True,
        }
        for m in range(1, 13)
    ]


# Six institutions in 2021 and 2022, of which a seventh of the register says nothing.
RECORDS = {
    "institutions": [institution(n, year) for n in range(1, 8) for year in (2021, 2022)],
    "energy_use": [
        # the first two state both bills in both years: 12 x (60 + 30) + 12 x (66 + 30) against 12 x (50 + 28) + 12 x (70 + 31)
        *use(1, 2021, electricity_cost=60.0, water_cost=30.0),
        *use(1, 2022, electricity_cost=50.0, water_cost=28.0),
        *use(2, 2021, electricity_cost=66.0, water_cost=30.0),
        *use(2, 2022, electricity_cost=70.0, water_cost=31.0),
        # the third states only water later, which once looked like 12 x 500 of electricity saved
        *use(3, 2021, electricity_cost=500.0, water_cost=30.0),
        *use(3, 2022, water_cost=30.0),
        # the fourth lacks a month of both later
        *use(4, 2021, electricity_cost=600.0, water_cost=30.0),
        *use(4, 2022, count=11, electricity_cost=600.0, water_cost=30.0),
        # the fifth states twelve months of electricity and seven of water, in both years
        *use(5, 2021, electricity_cost=700.0),
        *use(5, 2022, electricity_cost=600.0),
        # the sixth burnt gas, and later left the cell empty, which its contract allows
        *use(6, 2021, natural_gas=10.0),
        *use(6, 2022),
    ],
    "vehicle_costs": [
        *cost(1, 2021, "加油", 100.0), *cost(1, 2021, "保险", 10.0),
        *cost(1, 2022, "充电", 60.0), *cost(1, 2022, "保险", 11.0),
        *cost(2, 2021, "加油", 100.0), *cost(2, 2021, "维修保养", 900.0),
        *cost(2, 2022, "加油", 100.0),
    ],
}  # fmt: skip
for row in RECORDS["energy_use"]:
    if row["org_name"] == "示范单位5" and row["month"][5:] <= "07":
        row["water_cost"] = 30.0


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    home = Home(tmp_path_factory.mktemp("items") / "home")
    write(home, RECORDS)
    load_city(PROJECT.parent / "cities" / "zhuzhou", home)
    build_statistics(home, day(2025, 12, 31))
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        yield con


def figure(db: duckdb.DuckDBPyConnection, indicator: str, year: int, dimension: str = "base") -> tuple[Any, ...]:
    """(value, reporting, population, note_codes) of a figure of the whole city."""
    (row,) = db.execute(
        "select value, reporting, population, note_codes from marts.indicator_values "
        "where indicator_id = ? and year = ? and dimension = ? and factor_set in ('none', 'default')",
        [indicator, year, dimension],
    ).fetchall()
    return row


def test_a_saving_counts_only_who_stated_every_bill_in_both_years(db: duckdb.DuckDBPyConnection) -> None:
    assert figure(db, "utility_cost_saved", 2022)[:3] == (D(12 * (90 + 96 - 78 - 101)), 2, 7)
    assert figure(db, "electricity_cost_saved", 2022)[:3] == (D(12 * (60 + 66 - 50 - 70)), 2, 7)
    assert figure(db, "water_cost_saved", 2022)[:3] == (D(12 * (30 + 30 - 28 - 31)), 2, 7)


def test_eleven_months_are_not_held_against_twelve(db: duckdb.DuckDBPyConnection) -> None:
    # all six report electricity; the fourth lacks a month of 2022
    assert figure(db, "electricity_saved", 2022)[:3] == (D(0), 5, 7)
    assert figure(db, "energy_per_capita_change_comparable", 2022)[1:3] == (5, 7)


def test_an_optional_item_left_empty_is_said_in_the_note(db: duckdb.DuckDBPyConnection) -> None:
    # the gas of the sixth: 12 x 10 m³ x 1.2143
    value, reporting, _, codes = figure(db, "energy_saved", 2022)
    assert (value, reporting) == (D("145.72"), 5)
    assert "other_carriers:1" in codes.split()


def test_running_costs_are_compared_over_the_same_services(db: duckdb.DuckDBPyConnection) -> None:
    # the first went from fuel to charging; the second's repairs of 2021 were not stated later
    assert figure(db, "vehicle_cost_saved", 2022)[:2] == (D(12 * (110 - 71)), 1)


def test_beside_each_figure_stands_how_many_of_how_many(db: duckdb.DuckDBPyConnection) -> None:
    assert figure(db, "electricity", 2021, "total")[1:3] == (6, 7)
    value, reporting, population, codes = figure(db, "utility_cost", 2021, "total")
    assert (value, reporting, population) == (12 * (90 + 96 + 530 + 630 + 700) + 210, 4, 7)
    assert "stated_in_part:1" in codes.split()
    assert figure(db, "institutions", 2021, "total")[1:3] == (7, 7)


def test_what_must_be_stated_is_what_the_contracts_require() -> None:
    """Every item is a column of its contract (or a service of the running costs); what a contract requires is required."""
    contracts = load_contracts()
    with (PROJECT / "seeds" / "seed_items.csv").open(encoding="utf-8", newline="") as f:
        items = list(csv.DictReader(f))
    needs = {(i["measure"], i["item"]): i["need"] for i in items}
    columns = contracts["energy_use"].by_name
    for i in items:
        if i["dataset"] == "energy_use":
            column = columns[i["item"]]
            assert not column.required or i["need"] == "required", i
            assert i["need"] != "optional" or not column.required, i
    services = contracts["vehicle_costs"].by_name["service"].values
    assert {i["item"] for i in items if i["dataset"] == "vehicle_costs"} == {"all", "fuel_or_charging", *services} - {
        "加油",
        "充电",
    }
    bill = {i for (m, i), need in needs.items() if m == "utility_cost" and need == "required"}
    for part in bill:
        assert {i for (m, i) in needs if m == part} == bill  # a part is compared over the institutions of the whole
