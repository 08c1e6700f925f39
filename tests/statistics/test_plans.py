"""Plans that do not fit one city's five years: a base year before the plan, a plan in its first years, a year to come."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date as day
from decimal import Decimal as D
from pathlib import Path

import duckdb
import pytest

from pipelines.core.home import Home
from pipelines.statistics.city import load_city
from pipelines.statistics.run import build_statistics
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


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    base = tmp_path_factory.mktemp("plans")
    shutil.copytree(CITY, base / "city")
    yaml = (base / "city" / "city.yaml").read_text(encoding="utf-8")
    lines = [x for x in yaml.splitlines() if not x.startswith(("period_start", "period_end", "base_year"))]
    plan = ["period_start: 2026", "period_end: 2030", "base_year: 2025"]
    (base / "city" / "city.yaml").write_text("\n".join([*lines, *plan]) + "\n", encoding="utf-8")
    for name in ("claims.csv", "arithmetic.csv"):
        (base / "city" / name).unlink(missing_ok=True)
    home = Home(base / "home")
    write(home, RECORDS)
    load_city(base / "city", home)
    build_statistics(home, AS_OF)
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
