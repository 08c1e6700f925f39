"""A second implementation, in Python's decimals (second.py), agrees on every figure of the made-up city and of drawn ones.

The drawn cities have holes: institutions, years, months and items that nobody stated. Their figures are made by the SQL that
dbt compiled once, in one DuckDB connection, so that a city takes seconds.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
import sqlite3
from collections import defaultdict
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.core.home import Home
from pipelines.statistics.city import load_city
from pipelines.statistics.run import PROJECT, build_statistics, environment
from publish.disclosure.history import is_frozen
from publish.disclosure.wholes import hold, shown_values, wholes_of
from tests.conftest import MadeUp
from tests.statistics import second
from tests.statistics.second import Cell, Crosses, Fact, Plan, facts_of_records, plan_of, records, values
from tests.statistics.statistics_home import institution, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("statistics")]

ZHUZHOU = PROJECT.parent / "cities" / "zhuzhou"
AS_OF = dt.date(2025, 12, 31)
FROM_RECORDS = {
    "institutions", "people", "floor_area", "energy_kgce", "co2_electricity", "electricity", "natural_gas", "water",
    "electricity_cost", "water_cost", "utility_cost", "retrofit_projects", "retrofit_funds_planned", "retrofit_funds_paid",
    "vehicle_cost", "vehicle_cost_designated", "vehicle_cost_vehicles",
}  # fmt: skip


def facts_of(con: duckdb.DuckDBPyConnection) -> list[Fact]:
    """The facts as the project's SQL counted them, of all themes."""
    rows = con.execute(
        "select measure, factor_set, year, org, breakdown, breakdown_member, district, org_type, admin_level, sum(amount) "
        "from intermediate.int_facts where year is not null group by all"
    ).fetchall()
    return [Fact(*r[:6], (r[6], r[7], r[8]), r[9]) for r in rows]


def marts(con: duckdb.DuckDBPyConnection) -> dict[Cell, Decimal | None]:
    rows = con.execute(
        "select indicator_id, year, dimension, member, factor_set, value from marts.indicator_values"
    ).fetchall()
    return {r[:5]: r[5] for r in rows}


def crosses_of(con: duckdb.DuckDBPyConnection, city: Path) -> Crosses:
    """What statements about one level ask for by level too, where all of the indicator is open in rows."""
    closed = {m for (m,) in con.execute("select distinct measure from intermediate.int_facts where closed").fetchall()}
    open_ones = {
        i["indicator_id"] for i in second.seed("indicators") if not {i["numerator"], i["denominator"]} & closed
    }
    asked = set()
    for claim in records(city, "claims"):
        over, _, rest = (claim["dimension"] or "").partition("/")
        dimension = rest if over == "period" and rest else over
        if (
            claim["level"] is not None
            and claim["indicator_id"] in open_ones
            and dimension not in ("total", "period", "base")
        ):
            asked.add((claim["indicator_id"], dimension.partition("/")[0]))
    return frozenset(asked)


def differences(one: dict[Any, Any], other: dict[Any, Any]) -> list[tuple[Any, Any, Any]]:
    keys = [k for k in {**one, **other} if one.get(k, "no row") != other.get(k, "no row")]
    return [(k, one.get(k, "no row"), other.get(k, "no row")) for k in sorted(keys, key=str)][:20]


def amounts(facts: list[Fact]) -> dict[tuple[Any, ...], Decimal]:
    out: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for f in facts:
        if f.measure in FROM_RECORDS:
            out[f.measure, f.factor_set, f.year, f.org, f.breakdown, f.member, f.where] += f.amount
    return dict(out)


@pytest.fixture(scope="module")
def plan(made_up: MadeUp) -> Plan:
    return plan_of(made_up.home / "work" / "city", AS_OF)


def test_the_records_give_the_same_facts(made_up: MadeUp, plan: Plan) -> None:
    facts, _, _ = facts_of_records(made_up.home / "work" / "records", plan)
    with duckdb.connect(str(made_up.home / "warehouse.duckdb"), read_only=True) as con:
        theirs = facts_of(con)
    assert {f.measure for f in facts} == FROM_RECORDS
    assert differences(amounts(facts), amounts(theirs)) == []


def test_every_value_of_the_made_up_city_is_right_to_its_last_digit(made_up: MadeUp, plan: Plan) -> None:
    _, stated, months = facts_of_records(made_up.home / "work" / "records", plan)
    with duckdb.connect(str(made_up.home / "warehouse.duckdb"), read_only=True) as con:
        crosses = crosses_of(con, made_up.home / "work" / "city")
        ours, theirs = values(facts_of(con), stated, months, plan, crosses), marts(con)
    assert len(theirs) > 8_000
    assert differences(ours, theirs) == []
    with closing(sqlite3.connect(made_up.release / "mingzhang.db")) as con:
        shown = con.execute(
            "select indicator_id, year, dimension, member, factor_set, value, note from indicator_values "
            "where value is not null"
        ).fetchall()
    published = {tuple(r[:5]): r[5] for r in shown if not is_frozen(r[6])}
    assert len(published) > 5_000
    wrong = [(k, v, ours[k]) for k, v in published.items() if ours[k] is None or v != float(ours[k] or 0)]  # type: ignore[index]
    assert wrong == []


# Drawn cities


def draw(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Records of a city of a dozen institutions with holes of every kind."""
    r = random.Random(seed)
    districts, kinds = ["430202", "430203", "430211"], ["党政机关", "教育", "卫生"]
    orgs = range(1, r.randint(9, 14))
    what = {n: (r.choice(districts), r.choice(kinds), r.choice(["市", "县"])) for n in orgs}

    def amount(most: int) -> float:
        return r.choice(
            [0.0, 0.5, 0.005, round(r.uniform(0, most), 2), round(r.uniform(0, most), 2), float(r.randint(0, most))]
        )

    register, energy, costs, funds = [], [], [], []
    for year in range(2021, 2026):
        for n in orgs:
            d, kind, level = what[n]
            if r.random() < 0.9:
                area = amount(5000) if r.random() < 0.9 else None
                register.append(institution(n, year, division_code=d, org_type=kind, admin_level=level,
                                            energy_population=r.randint(0, 300), floor_area=area))  # fmt: skip
            if r.random() < 0.12:
                continue  # a year that was not reported
            items = {i: r.random() < p for i, p in
                     (("natural_gas", 0.5), ("gasoline", 0.7), ("heat", 0.2), ("electricity_cost", 0.85), ("water_cost", 0.85))}  # fmt: skip
            stated = r.choice([1.0, 1.0, 1.0, 0.9])  # how many of an item's months have it
            missing = set(r.sample(range(1, 13), r.choice([0, 0, 0, 0, 0, 1, 5])))
            for month in sorted(set(range(1, 13)) - missing):
                given = {i: amount(900) for i, has in items.items() if has and r.random() < stated}
                energy.append({"org_name": f"示范单位{n}", "month": f"{year}-{month:02d}", "electricity": amount(9000),
                               "water": amount(90), "_file": f"energy{n}-{year}", **given})  # fmt: skip
                for service in ("加油", "充电", "保险", "维修保养"):
                    if n % 2 and r.random() < (0.98 if service == "加油" else 0.3):
                        costs.append({"org_name": f"示范单位{n}", "month": f"{year}-{month:02d}", "service": service,
                                      "amount": amount(700), "at_designated": r.random() < 0.5, "vehicle_count": r.choice([None, 1, 3])})  # fmt: skip
        funds += [{"seq": s, "org_name": f"示范单位{r.choice(orgs)}", "planned_amount": amount(90000),
                   "paid_amount": r.choice([None, amount(90000)]), "fiscal_year": year, "_file": f"funds{year}"} for s in range(r.randint(0, 3))]  # fmt: skip
    return {"institutions": register, "energy_use": energy, "vehicle_costs": costs, "retrofit_funds": funds}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose project is compiled; its records are drawn anew by each test."""
    home = Home(tmp_path_factory.mktemp("drawn") / "home")
    write(home, draw(0))
    load_city(ZHUZHOU, home)
    build_statistics(home, AS_OF)
    return home


def again(home: Home, warehouse: Path) -> None:
    """Makes the warehouse of the records that lie in the home now, by the SQL that dbt compiled."""
    target = Path(environment(home, AS_OF)["DBT_TARGET_PATH"])
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    ran = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    with duckdb.connect(str(warehouse)) as con:
        for schema in ("seeds", "staging", "intermediate", "marts"):
            con.execute(f"create schema {schema}")
        made = [r for r in ran if r["unique_id"] in nodes]  # dbt lists exposures too, which make nothing
        for result in sorted(made, key=lambda x: min(t["started_at"] for t in x["timing"])):
            node = nodes[result["unique_id"]]
            name = f"{node['schema']}.{node['name']}"
            if node["resource_type"] == "seed":
                types = node["config"]["column_types"]
                path = PROJECT / node["original_file_path"]
                con.execute(f"create table {name} as from read_csv('{path}', columns = {types!r}, header = true)")
            elif node["resource_type"] == "model" and name != "marts.claims":
                kind = "view" if node["config"]["materialized"] == "replaced_view" else "table"
                con.execute(f"create {kind} {name} as ({result['compiled_code']}\n)")


@pytest.mark.parametrize("seed", range(1, 7))
def test_a_drawn_city_with_holes_agrees_with_itself_and_with_its_records(
    built: Home, tmp_path: Path, seed: int
) -> None:
    write(built, draw(seed))
    warehouse = tmp_path / built.warehouse.name
    again(built, warehouse)
    plan = plan_of(built.work / "city", AS_OF)
    facts, stated, months = facts_of_records(built.work / "records", plan)
    ours = values(facts, stated, months, plan)
    with duckdb.connect(str(warehouse), read_only=True) as con:
        # the funds are told of the city once more, which second.py leaves to the SQL
        theirs = {k: v for k, v in marts(con).items() if not k[0].endswith(("_of_city", "_per_tce"))}
        rows = con.execute(
            "select indicator_id, year, dimension, member, factor_set, cast(value as double), note, reporting, population "
            "from marts.indicator_values"
        ).fetchall()
    assert differences({k: v for k, v in ours.items() if k in theirs or v is not None}, theirs) == []
    with (second.SEEDS / "seed_wholes.csv").open(encoding="utf-8", newline="") as f:
        wholes = [(x["whole"], x["part"], x["relation"]) for x in csv.DictReader(f)]
    indicators = [x | {"adds_over_years": x["adds_over_years"] == "true"} for x in second.seed("indicators")]
    found = hold(shown_values(rows), wholes_of(indicators, wholes))
    assert found.looked_at > 300
    assert found.broken == []
    bills = [k for k in theirs if k[0] == "utility_cost_saved"]
    assert bills
    for _, *place in bills:
        parts = [theirs[part, *place] for part in ("electricity_cost_saved", "water_cost_saved")]  # type: ignore[index]
        whole = theirs["utility_cost_saved", *place]  # type: ignore[index]
        assert whole is not None
        assert abs(whole - sum(p for p in parts if p is not None)) <= Decimal("0.015")  # each rounded to 0.01
