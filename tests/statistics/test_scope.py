"""A statement about institutions of one level is computed over those alone, in its value and in its SQL."""

from __future__ import annotations

import csv
import datetime
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.core.home import Home
from pipelines.statistics.city import load_city
from pipelines.statistics.run import PROJECT, build_statistics
from tests.statistics.statistics_home import date, institution, public_database, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("statistics")]

ZHUZHOU = PROJECT.parent / "cities" / "zhuzhou"
OWN = "市直"
with (ZHUZHOU / "claims.csv").open(encoding="utf-8", newline="") as f:
    STATED = {r["claim_id"]: r for r in csv.DictReader(f)}


def rows_of(n: int, k: int = 1) -> dict[str, list[dict[str, Any]]]:
    """Records of institution n in every dataset that a statement about 市直 needs; `k` scales the amounts."""
    org = {"org_name": f"示范单位{n}"}
    bought = [(2021, 3), (2022, 4), (2023, 3), (2024, 2)] if k == 1 else [(2022, 1), (2023, 5), (2024, 9)]
    days = {"plan_on": date("2021-01-01"), "budget_on": date("2021-01-02"), "approved_on": date("2021-01-03")}
    return {
        "procurements": [
            org | {"contract_id": f"P{n}a", "method": "框架协议", "category": "空调", "award_on": date(f"202{k}-02-01"), "end_on": date("2026-01-01"), "reference_price": 500.0 * k, "contract_price": 400.0},
            org | {"contract_id": f"P{n}b", "method": "公开招标", "category": "物业", "award_on": date(f"202{4 - k}-02-01"), "reported_cap": 900.0 * k, "approved_cap": 800.0, "award_price": 700.0, "contract_price": 700.0},
            org | {"contract_id": f"P{n}c", "method": "公开招标", "category": "物业", "award_on": date("2024-02-01"), "reported_cap": 900.0 * k, "approved_cap": 800.0, "award_price": 700.0, "contract_price": 700.0},
            org | {"contract_id": f"P{n}d", "method": "框架协议", "category": "加油" if k == 1 else "保险", "award_on": date("2024-02-01"), "end_on": date("2026-01-01"), "contract_price": 1.0},
        ],
        "real_assets": [
            org | {"asset_id": f"A{n}a", "kind": "土地", "land_area": 1000.0 * k, "use_status": "闲置", "found_on": date("2021-05-01"), "sweep": "扫楼清仓"},
            org | {"asset_id": f"A{n}b", "kind": "房屋", "floor_area": 100.0 * k, "use_status": "已处置", "found_on": date("2022-05-01"), "sweep": "扫楼清仓"},
        ],
        "disposals": [org | {"disposal_id": f"D{n}", "method": "摘牌出售", "area_kind": "土地", "area": 100.0 * k, "status": "已成交", "sold_on": date("2022-03-01"), "deal_amount": 1e6 * k}],
        "leases": [org | {"lease_id": f"L{n}", "tenant_type": "企业", "area": 10.0, "annual_rent": 1000.0 * k, "start_on": date("2022-01-01"), "end_on": date("2029-01-01"), "status": "在租"}],
        "warehouse_moves": [{"move_id": f"W{n}", "item_name": "桌", "quantity": 5 * k, "unit": "件", "original_value": 100.0 * k, "direction": "调出", "to_org": f"示范单位{n}", "moved_on": date("2023-01-01")}],
        "vehicle_purchases": [
            org | {"year": year, "power": "纯电" if i < k else "燃油", "price": 1000.0, "purchased_on": date("2021-01-04" if k == 1 else "2020-01-01")} | days
            for year, count in bought for i in range(count)
        ],
        "parking_lots": [org | {"lot_name": f"院{n}", "spaces": 10 * k, "started_on": date("2025-01-01"), "open": True}],
        "office_changes": [org | {"change_id": f"B{n}", "change": "腾退", "area": 50.0 * k, "changed_on": date("2023-01-01")}],
        "utility_separation": [
            # a compound of both, which the other level handed over earlier
            org | {"community_id": f"C{n}{c}", "community": c, "buildings": k, "households": 10 * k, "floor_area": 100.0 * k, "started_on": date(f"202{3 - k}-01-01"), "handed_over_on": date(f"202{3 - k}-0{9 - k}-01"), "subsidy_before": 9.0, "subsidy_after": 1.0}
            for c in ("甲", "乙")
        ],
        "timeshare_vehicles": [org | {"vehicle_id": f"V{n}", "power": "纯电", "start_on": date("2025-03-01"), "batch": 1}],
    }  # fmt: skip


def built(home: Home, *others: dict[str, list[dict[str, Any]]]) -> dict[str, tuple[Any, ...]]:
    """Of a city with an institution of its own level, one that came to it from a county, and what `others` sent: for each
    statement about 市直 its value, its status, and what its SQL gives on the public database."""
    register = [
        *(institution(1, y) for y in (2021, 2025)),
        *(institution(2, y, admin_level="县") for y in (2021, 2025)),
        institution(3, 2021, admin_level="县"), institution(3, 2023, admin_level="市"),
    ]  # fmt: skip
    records: dict[str, list[dict[str, Any]]] = {"institutions": register}
    came = {
        "disposals": rows_of(3)["disposals"],
        "office_changes": rows_of(3)["office_changes"],
    }  # sold in 2022, vacated in 2023
    for part in (rows_of(1), came, *others):
        for dataset, rows in part.items():
            records[dataset] = [*records.get(dataset, []), *rows]
    write(home, records)
    load_city(ZHUZHOU, home)
    build_statistics(home, datetime.date(2025, 12, 31))
    with duckdb.connect(str(home.warehouse), read_only=True) as db:
        public = public_database(home, db)
        found = db.execute(
            "select claim_id, computed_value, check_status, sql from marts.claims where scope = ?", [OWN]
        )
        return {c: (v, s, _answer(public, sql)) for c, v, s, sql in found.fetchall()}


def _answer(public: sqlite3.Connection, sql: str | None) -> float | None:
    row = public.execute(sql).fetchone() if sql else None
    return None if row is None or row[0] is None else float(row[0])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, ...]]:
    return built(Home(tmp_path_factory.mktemp("alone")))


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, ...]]:
    return built(Home(tmp_path_factory.mktemp("beside")), rows_of(2, 2))


@pytest.mark.parametrize("claim", [c for c, r in STATED.items() if r["scope"] == OWN])
def test_a_statement_about_one_level_counts_that_level_alone(
    claim: str, alone: dict[str, tuple[Any, ...]], beside: dict[str, tuple[Any, ...]]
) -> None:
    value, status, answer = alone[claim]
    if STATED[claim]["verifiable"] == "0":
        assert (value, status) == (None, "not_verifiable") and STATED[claim]["note_zh"]
        return
    assert STATED[claim]["level"] == "市"
    assert value is not None
    assert answer == pytest.approx(float(value), abs=1e-6), "its SQL gives another value"
    assert beside[claim][0] == value, "an institution of another level changed it"
    assert beside[claim][2] == pytest.approx(float(value), abs=1e-6), "an institution of another level changed its SQL"


def test_thirty_three_statements_are_about_one_level(alone: dict[str, tuple[Any, ...]]) -> None:
    assert len(alone) == 33
    assert sum(value is None for value, _, _ in alone.values()) == 4


def test_an_institution_counts_at_the_level_it_had_in_the_year(alone: dict[str, tuple[Any, ...]]) -> None:
    """One that was of a county when it sold, and of the city when it vacated an office."""
    assert alone["disposal_count"][0] == Decimal(1)
    assert alone["office_vacated_area"][0] == Decimal(100)


def test_the_city_without_regard_to_level_is_another_figure(tmp_path: Path) -> None:
    """The test above would see nothing if the other level's records counted nowhere."""
    home = Home(tmp_path / "home")
    built(home, rows_of(2, 2))
    with duckdb.connect(str(home.warehouse), read_only=True) as db:
        whole = db.execute(
            "select count(*) from marts.claims c join marts.indicator_values v on v.indicator_id = c.indicator_id and v.year = c.year "
            "and v.dimension = case when c.dimension like 'period%' then 'period' else 'total' end and v.factor_set = c.factor_set "
            "join marts.indicator_values own on own.indicator_id = c.indicator_id and own.year = c.year and own.dimension = c.dimension "
            "and own.member = c.member and own.factor_set = c.factor_set "
            "where c.scope = ? and c.first_year is null and v.value <> own.value",
            [OWN],
        ).fetchone()
    assert whole is not None and whole[0] >= 15
