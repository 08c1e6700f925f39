"""Plans that do not fit one city's five years: a base year before the plan, a plan in its first years, a year to come, two plans."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date as day
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.core.home import Home
from pipelines.statistics.city import load_city
from pipelines.statistics.run import build_statistics
from tests.statistics.second import facts_of_records, plan_of, values
from tests.statistics.statistics_home import institution, months, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("statistics")]

CITY = Path(__file__).parent / "second_city"
AS_OF = day(2027, 1, 31)
RECORDS = {
    "institutions": [institution(n, year) for n in (1, 2) for year in (2025, 2026)],
    "energy_use": [
        *(m for n in (1, 2) for m in months(n, 2025, electricity=100.0, water=10.0)),
        *(m for n in (1, 2) for m in months(n, 2026, electricity=90.0, water=9.0)),
        *months(1, 2027, count=1, electricity=80.0, water=8.0),
    ],
    "retrofit_funds": [
        {"seq": 1, "org_name": "示范单位1", "planned_amount": 1000.0, "fiscal_year": 2026},
        {"seq": 1, "org_name": "示范单位1", "planned_amount": 3000.0, "fiscal_year": 2028, "_file": "f2"},
    ],
}


def built(base: Path, plan: str, records: dict[str, list[dict[str, Any]]], **files: str) -> Home:
    """A home with the statistics of records, of the made-up second city with another plan in its city.yaml and other `files`."""
    shutil.copytree(CITY, base / "city")
    yaml = (base / "city" / "city.yaml").read_text(encoding="utf-8")
    lines = [x for x in yaml.splitlines() if not x.startswith(("period_start", "period_end", "base_year"))]
    (base / "city" / "city.yaml").write_text("\n".join([*lines, plan]) + "\n", encoding="utf-8")
    for name in ("claims.csv", "arithmetic.csv"):
        (base / "city" / name).unlink(missing_ok=True)
    for name, text in files.items():
        (base / "city" / f"{name}.csv").write_text(text, encoding="utf-8")
    home = Home(base / "home")
    write(home, records)
    load_city(base / "city", home)
    build_statistics(home, AS_OF)
    return home


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    home = built(tmp_path_factory.mktemp("plans"), "period_start: 2026\nperiod_end: 2030\nbase_year: 2025", RECORDS)
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        yield con


def test_a_change_counts_from_the_year_before_the_plan(db: duckdb.DuckDBPyConnection) -> None:
    got = db.execute(
        "select year, member, value, status, reporting from marts.indicator_values where indicator_id = 'electricity_saved'"
    ).fetchall()
    # 2 institutions x 12 months x 10 kWh; one month of 2027 is not held against the twelve of 2025
    assert got == [(2026, "2025", D(240), "A", 2)]
    got = db.execute(
        "select year, value, status, note_codes from marts.indicator_values "
        "where indicator_id = 'energy_per_capita_change' and dimension = 'base' and factor_set = 'default' order by year"
    ).fetchall()
    assert [(y, v, s) for y, v, s, _ in got] == [(2026, D(-10), "A"), (2027, None, "O")]
    assert got[1][3].split()[0] == "other_months"


def test_a_plan_in_its_first_years_says_which_years_are_in_it(db: duckdb.DuckDBPyConnection) -> None:
    got = db.execute(
        "select year, member, value, status, note_codes from marts.indicator_values "
        "where indicator_id = 'electricity' and dimension = 'period'"
    ).fetchall()
    assert [r[:4] for r in got] == [(2027, "2026-2027", D(2240), "P")]
    assert "plan_not_over:2026-2030/2026-2027" in got[0][4].split()
    (codes,) = db.execute(
        "select note_codes from marts.indicator_values where indicator_id = 'retrofit_funds_planned' and dimension = 'period'"
    ).fetchall()[0]
    assert "plan_not_over:2026-2030/2026" in codes.split()
    unsaid = "select count(*) from marts.indicator_values where dimension like 'period%' and status = 'A'"
    assert db.execute(unsaid).fetchall() == [(0,)]


def test_no_value_of_a_year_that_is_not_over_looks_like_one_that_is(db: duckdb.DuckDBPyConnection) -> None:
    got = db.execute(
        "select year, status, count(*) from marts.indicator_values where year >= 2027 and value is not null group by all"
    ).fetchall()
    assert {(y, s) for y, s, _ in got} == {(2027, "P"), (2028, "F")}
    got = db.execute("select value, note_codes from marts.indicator_values where year = 2028 and dimension = 'total' "
                     "and indicator_id = 'retrofit_funds_planned'").fetchall()  # fmt: skip
    assert got[0][0] == 3000
    assert got[0][1].split()[0] == "year_to_come"


TWO = """periods:
  - {name_zh: 前期, name_en: Earlier, first_year: 2021, last_year: 2025, base_year: 2021, claims: earlier.csv}
  - {name_zh: 后期, name_en: Later, first_year: 2026, last_year: 2030, base_year: 2025, claims: later.csv}
"""
CLAIM = (
    "claim_id,section,name_zh,name_en,value_text,value,unit,qualifier,step,test,target,period_start,period_end,period_note,scope,kind,"
    "is_forecast,verifiable,datasets,indicator_id,first_year,year,dimension,member,factor_set,note_zh,note_en,sql\n"
    "{id},1,电,Electricity,x,{value},kWh,exact,1,,,,,,City,flow,0,1,energy_use,electricity,,{year},{dimension},{member},none,,,\n"
)
# kWh of each of two institutions in a month; both report every month of every year but 2027, of which there is one
USED = {2021: 110.0, 2022: 108.0, 2024: 104.0, 2025: 100.0, 2026: 90.0, 2027: 80.0}
OF_TWO = {
    "institutions": [institution(n, year, energy_population=5) for n in (1, 2) for year in USED],
    "energy_use": [
        m
        for n in (1, 2)
        for year, kwh in USED.items()
        for m in months(n, year, count=1 if year == 2027 else 12, electricity=kwh, water=kwh / 10)
    ],
    "retrofit_funds": [
        {
            "seq": n,
            "org_name": f"示范单位{1 + n % 2}",
            "planned_amount": 1000.0 * n,
            "fiscal_year": year,
            "_file": f"f{n}",
        }
        for n, year in enumerate((2021, 2023, 2025, 2026, 2027, 2028), 1)
    ],
}


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Home:
    statements = {
        "earlier": CLAIM.format(id="all", value=10128, year=2025, dimension="period", member="2021-2025"),
        "later": CLAIM.format(id="so_far", value=2320, year=2027, dimension="period", member="2026-2027"),
    }
    return built(tmp_path_factory.mktemp("two"), TWO, OF_TWO, **statements)


@pytest.fixture(scope="module")
def two(of_two: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(of_two.warehouse), read_only=True) as con:
        yield con


def test_each_period_has_its_years_and_its_sums(two: duckdb.DuckDBPyConnection) -> None:
    got = two.sql("select period_id, first_year, last_year, base_year, member, is_over from marts.periods").fetchall()
    assert got == [
        ("2021-2025", 2021, 2025, 2021, "2021-2025", True),
        ("2026-2030", 2026, 2030, 2025, "2026-2027", False),
    ]
    got = two.sql(
        "select year, member, value, status from marts.indicator_values "
        "where indicator_id = 'electricity' and dimension = 'period' order by year"
    ).fetchall()
    assert got == [(2025, "2021-2025", D(2 * 12 * 422), "A"), (2027, "2026-2027", D(2 * (12 * 90 + 80)), "P")]
    got = two.sql(
        "select year, member, value, status from marts.indicator_values "
        "where indicator_id = 'retrofit_funds_planned' and dimension = 'period' order by year"
    ).fetchall()
    assert got == [(2025, "2021-2025", D(6000), "A"), (2027, "2026-2027", D(9000), "P")]


def test_each_year_is_measured_from_the_base_year_of_its_period_alone(two: duckdb.DuckDBPyConnection) -> None:
    got = two.sql(
        "select year, member, value from marts.indicator_values where indicator_id = 'electricity_saved' order by year"
    ).fetchall()
    assert got == [(2022, "2021", D(48)), (2024, "2021", D(144)), (2025, "2021", D(240)), (2026, "2025", D(240))]


def test_targets_are_held_against_the_period_that_they_are_for(two: duckdb.DuckDBPyConnection) -> None:
    """The country's targets for 2025 are of the earlier period, whose base year is not theirs."""
    got = two.sql(
        "select distinct benchmark_year, member from marts.benchmark_distances where dimension = 'base' order by all"
    ).fetchall()
    assert got == [(2025, "2021")]
    got = two.sql("select year, member from marts.savings_statement where line = '6' order by year").fetchall()
    assert got == [(2022, "2021"), (2024, "2021"), (2025, "2021"), (2026, "2025")]
    once = "select line, year, whole_period, count(*) from marts.savings_statement group by all having count(*) > 1"
    assert two.sql(once).fetchall() == []


def test_a_statement_belongs_to_a_period(two: duckdb.DuckDBPyConnection) -> None:
    got = two.sql(
        "select claim_id, period_id, computed_value, check_status from marts.claims order by position"
    ).fetchall()
    assert got == [("all", "2021-2025", D(10128), "match"), ("so_far", "2026-2030", D(2320), "match")]


def test_a_second_implementation_gives_the_same_figures(two: duckdb.DuckDBPyConnection, of_two: Home) -> None:
    plan = plan_of(of_two.work / "city", AS_OF)
    facts, stated, reported = facts_of_records(of_two.work / "records", plan)
    ours = values(facts, stated, reported, plan)
    theirs = two.sql(
        "select indicator_id, year, dimension, member, factor_set, value from marts.indicator_values"
    ).fetchall()
    of = {i for i, *_ in ours}
    assert {"electricity_saved", "energy_per_capita_change", "retrofit_funds_planned"} <= of
    assert {r[:5]: r[5] for r in theirs if r[0] in of} == ours
