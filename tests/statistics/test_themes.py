"""A second made-up city, with no code: every theme's figures over small tables worked out by hand, as of 30 June 2025."""

from __future__ import annotations

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
from tests.statistics.statistics_home import date, institution, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("statistics")]

ONE, TWO, THREE = "示范单位1", "示范单位2", "示范单位3"
AS_OF = day(2025, 6, 30)


def meeting(kind: str, on: str) -> dict[str, Any]:
    return {"type": kind, "held_on": date(on)}


def lease(n: int, status: str, start: str, end: str, rent: float, received: float | None = None) -> dict[str, Any]:
    return {
        "lease_id": f"L{n}",
        "org_name": ONE,
        "tenant_type": "企业",
        "area": 10.0,
        "annual_rent": rent,
        "received": received,
        "start_on": date(start),
        "end_on": date(end),
        "status": status,
    }


def purchase(n: int, category: str, method: str, on: str, **own: Any) -> dict[str, Any]:
    given = {"contract_id": f"P{n}", "org_name": ONE, "category": category, "method": method, "award_on": date(on)}
    return given | {"contract_price": 100.0, "supplier": "示范供应商"} | own


def task(n: int, assigned: str, due: str, feedback: str = "", supervised: str = "", closed: str = "") -> dict[str, Any]:
    return {
        "task_id": f"T{n}",
        "owner_dept": "示范科",
        "area": "资产",
        "assigned_on": date(assigned),
        "due_on": date(due),
        "feedback_on": date(feedback) if feedback else None,
        "supervised_on": date(supervised) if supervised else None,
        "closed_on": date(closed) if closed else None,
        "status": "销号" if closed else "交办",
    }


RECORDS: dict[str, list[dict[str, Any]]] = {
    "institutions": [
        institution(n, year, division_code=d, admin_level=level, in_conservation_scope=scope)
        for year in (2024, 2025)
        for n, d, level, scope in ((1, "990101", "市", True), (2, "990102", "县", False), (3, "990101", "市", True))
    ],
    "leases": [
        lease(1, "在租", "2021-03-01", "2026-03-01", 12000.0, 12000.0),
        lease(2, "在租", "2024-01-01", "2025-05-31", 5000.0),
        lease(3, "欠租", "2023-01-01", "2027-01-01", 8000.0, 2000.0),
        lease(4, "空置", "2022-01-01", "2027-01-01", 1000.0),
        lease(5, "到期", "2021-01-01", "2022-01-01", 1000.0),
    ],
    "procurements": [
        purchase(1, "空调", "框架协议", "2022-05-01", reference_price=120.0),
        purchase(2, "物业", "公开招标", "2023-05-01", reported_cap=100.0, approved_cap=80.0, award_price=70.0),
        purchase(3, "加油", "框架协议", "2024-01-01", end_on=date("2025-12-31")),
        purchase(4, "维修保养", "框架协议", "2024-01-01", end_on=date("2024-12-31")),
        purchase(5, "办公家具", "框架协议", "2022-06-01"),
        purchase(6, "空调", "询价", "2022-07-01", reference_price=999.0),
    ],
    "utility_separation": [
        {"community_id": "C1", "org_name": ONE, "community": "甲", "buildings": 2, "households": 40, "floor_area": 4000.0, "started_on": date("2022-03-08"), "handed_over_on": date("2023-02-08"), "subsidy_before": 100000.0, "subsidy_after": 40000.0},
        {"community_id": "C2", "org_name": ONE, "community": "乙", "buildings": 1, "households": 20, "floor_area": 2000.0, "started_on": date("2022-05-01"), "handed_over_on": date("2022-12-01"), "subsidy_before": 30000.0, "subsidy_after": 0.0},
    ],
    "real_assets": [
        {"asset_id": f"A{n}", "org_name": ONE, "kind": kind, "land_area": land, "floor_area": floor, "use_status": status, "found_on": date(on), "sweep": "清仓"}
        for n, kind, land, floor, status, on in (
            (1, "土地", 1000.0, None, "闲置", "2021-04-01"), (2, "土地", 500.0, None, "已处置", "2021-05-01"),
            (3, "房屋", None, 300.0, "自用", "2021-05-01"), (4, "房屋", None, 200.0, "待处置", "2022-05-01"),
        )
    ],
    "tasks": [
        task(1, "2024-01-01", "2024-02-01", "2024-01-10", "2024-01-12", "2024-01-20"),
        task(2, "2024-01-01", "2024-01-15", "2024-01-05", "", "2024-02-01"),
        task(3, "2025-01-01", "2025-06-29"),
        task(4, "2025-01-01", "2025-07-31"),
    ],
    "meetings": [
        *(meeting("局务会", f"2024-{m:02d}-15") for m in range(1, 13) if m != 2),
        *(meeting("局务会", f"2025-{m:02d}-15") for m in range(1, 7)),
        meeting("碰头会", "2025-01-01"),
        meeting("碰头会", "2025-01-03"),
    ],
    "trainings": [
        {"training_id": "X1", "topic": "办公用房", "held_on": date("2023-03-03"), "attendees": 30},
        {"training_id": "X2", "topic": "节能", "held_on": date("2023-03-04"), "attendees": 50},
    ],
    "inspections": [
        {"inspection_id": "I1", "type": "实地督查", "held_on": date("2023-03-03"), "issue_count": 4, "rectified_count": 3, "notices": 1},
        {"inspection_id": "I2", "type": "回头看", "held_on": date("2023-04-03"), "issue_count": 6, "rectified_count": 6},
    ],
    "event_support": [
        {"event_id": "E1", "event_type": "专班", "item_name": "桌牌", "quantity": 5, "unit": "套", "from_warehouse": True, "start_on": date("2024-05-01")},
        {"event_id": "E1", "event_type": "专班", "item_name": "折叠椅", "quantity": 3, "unit": "把", "from_warehouse": False, "start_on": date("2024-05-01")},
    ],
    "service_assessments": [
        {"compound": "周转房", "area": "餐饮", "month": "2024-01", "score": 90.0, "issues": 1},
        {"compound": "周转房", "area": "餐饮", "month": "2024-02", "score": 80.0, "issues": 0},
        {"compound": "周转房", "area": "安保", "month": "2024-02", "score": 100.0},
    ],
    "policies": [
        {"policy_id": "1", "title": "一", "system": "1+6+N", "tier": "6", "area": "车辆", "status": "有效"},
        {"policy_id": "2", "title": "二", "system": "1+6+N", "tier": "N", "area": "车辆", "status": "试行"},
        {"policy_id": "3", "title": "三", "system": "1+6+N", "tier": "6", "area": "资产", "status": "废止"},
    ],
    "canteens": [
        {"canteen_id": "S1", "org_name": ONE, "admin_level": "市", "phase": 1, "connected_on": date("2023-03-01"), "month": "2024-01", "meals": 100, "in_city_reception": 0.0},
        {"canteen_id": "S2", "org_name": TWO, "admin_level": "乡", "phase": 2, "month": "2024-01", "meals": 10, "in_city_reception": 5.0},
    ],
    "timeshare_vehicles": [
        {"vehicle_id": "V1", "org_name": ONE, "power": "纯电", "start_on": date("2025-02-18"), "batch": 1},
        {"vehicle_id": "V2", "org_name": ONE, "power": "纯电", "start_on": date("2025-05-18"), "batch": 2},
        {"vehicle_id": "V3", "org_name": TWO, "power": "纯电", "start_on": date("2025-02-20"), "batch": 1},
    ],
    "timeshare_trips": [{"vehicle_id": "V1", "month": "2025-03", "trips": 10, "km": 100.0, "minutes": 600.0, "fee": 300.0}],
    "pv_sites": [
        {"site_id": "G1", "org_name": ONE, "roof_area": 1000.0, "capacity_kw": 100.0, "design_annual_kwh": 100000.0, "grid_on": date("2024-05-01"), "status": "已并网"},
        {"site_id": "G2", "org_name": TWO, "roof_area": 500.0, "capacity_kw": 50.0, "design_annual_kwh": 48000.0, "status": "在建"},
    ],
    "pv_generation": [{"site_id": "G1", "month": "2025-01", "generation_kwh": 8000.0, "self_use_kwh": 6000.0, "feed_in_kwh": 2000.0}],
    "pv_revenue": [{"entry_id": "R1", "year": 2023, "kind": "租金", "amount": 100.0}],
    "epc_contracts": [
        {"contract_id": "K1", "org_name": ONE, "contract_type": "能源费用托管", "status": "实施", "start_on": date("2023-01-01"), "end_on": date("2028-01-01"), "baseline_tce": 100.0, "guaranteed_rate": 10.0, "verified_saving_tce": 12.0},
        {"contract_id": "K2", "org_name": TWO, "contract_type": "节能量保证", "status": "实施", "start_on": date("2023-02-01"), "end_on": date("2028-01-01"), "baseline_tce": 200.0, "guaranteed_rate": 10.0, "verified_saving_tce": 10.0},
    ],
    "retrofit_funds": [{"seq": 1, "org_name": THREE, "planned_amount": 44000.0, "fiscal_year": 2023}],
    "recognitions": [
        {"org_name": org, "type": "节约型机关", "batch": batch, "issued_on": date(on), "issuer": "示范", "status": status}
        for org, batch, on, status in (
            (ONE, "一", "2023-05-01", "建成"), (THREE, "一", "2022-05-01", "建成"), (THREE, "二", "2024-05-01", "撤销"), (TWO, "一", "2023-05-01", "未通过"),
        )
    ],
    "vehicle_costs": [
        {"org_name": ONE, "month": "2024-01", "service": "加油", "amount": 100.0, "at_designated": True, "vehicle_count": 2},
        {"org_name": ONE, "month": "2024-02", "service": "加油", "amount": 50.0, "at_designated": False, "vehicle_count": 3},
        {"org_name": ONE, "month": "2022-01", "service": "加油", "amount": 100.0, "at_designated": True, "vehicle_count": 3},
        {"org_name": ONE, "month": "2022-02", "service": "加油", "amount": 90.0, "at_designated": True, "vehicle_count": 3},
    ],
    "vehicles": [
        {"vehicle_id": "V8", "year": 2025, "org_name": ONE, "use_class": "其他", "power": "燃油", "first_registered_on": date("2015-01-01"), "odometer_km": 280000, "status": "已更新", "replaced_on": date("2025-03-01")},
        *({"vehicle_id": "V9", "year": y, "org_name": ONE, "use_class": "其他", "power": "纯电", "first_registered_on": date("2023-01-01"), "odometer_km": km, "status": "在用", "marked": True}
        for y, km in ((2023, 5000), (2024, 12000), (2025, 11000))),
    ],
    "office_rooms": [
        {"org_name": ONE, "building": "一号楼", "rank": "市级副职", "headcount": 1, "used_area": 33.0, "year": 2024},
        {"org_name": ONE, "building": "一号楼", "rank": "局(处)级以下", "headcount": 10, "used_area": 80.0, "year": 2024},
    ],
    "office_changes": [
        {"change_id": "B1", "org_name": ONE, "change": "腾退", "area": 200.0, "area_basis": "建筑面积", "project": "甲", "changed_on": date("2023-02-01")},
        {"change_id": "B2", "org_name": ONE, "change": "封存", "area": 50.0, "project": "甲", "changed_on": date("2024-02-01")},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    home = Home(tmp_path_factory.mktemp("second"))
    write(home, RECORDS)
    load_city(Path(__file__).with_name("second_city"), home)
    made = build_statistics(home, AS_OF)
    assert made.rows["claims"] == 5
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        yield con


def figures(db: duckdb.DuckDBPyConnection, where: str, *years: int) -> list[Any]:
    """The values of `indicator` or `indicator@dimension/member` in these years; None where there is no row or no value."""
    name, _, rest = where.partition("@")
    dimension, member = rest.rsplit("=", 1) if rest else ("total", "all")
    sql = (
        "select value from marts.indicator_values where indicator_id = ? and dimension = ? and member = ? and year = ?"
        " and factor_set in ('none', 'default')"
    )
    out = []
    for year in years:
        rows = db.execute(sql, [name, dimension, member, year]).fetchall()
        assert len(rows) <= 1
        out.append(float(rows[0][0]) if rows and rows[0][0] is not None else None)
    return out


def test_five_statements_of_another_city_need_no_code(db: duckdb.DuckDBPyConnection) -> None:
    got = db.execute(
        "select claim_id, computed_value, computed_unit, check_status from marts.claims order by position"
    ).fetchall()
    assert got == [
        ("let_2024", D(2), "处", "match"),
        ("solar_share", D(150), "kW", "within_qualifier"),
        ("organs", D(50), "%", "mismatch"),
        ("every_task", D(50), "%", "mismatch"),
        ("best_of_all", None, None, "not_verifiable"),
    ]
    assert db.execute("select sql from marts.claims where claim_id = 'let_2024'").fetchall()[0][0] == (
        "select value from indicator_values where indicator_id = 'lease_count' and year = 2024 and dimension = 'total' "
        "and member = 'all' and factor_set = 'none'"
    )
    assert db.execute("select code, name_zh from marts.divisions where level = 'county'").fetchall() == [
        ("990102", "西县")
    ]


@pytest.mark.parametrize(
    ("where", "years", "expected"),
    [
        # in force at the end of the year, in 2025 on the as-of date; vacancy and arrears in the latest year alone
        ("lease_count", (2021, 2023, 2024, 2025, 2026), [1, 1, 2, 1, None]),
        ("lease_annual_rent", (2024, 2025), [17000, 12000]),
        ("lease_vacancy_rate", (2024, 2025), [None, 25]),
        ("lease_arrears_rate", (2025,), [30]),
        ("lease_in_arrears", (2025,), [1]),
        # savings: only under a framework and with a reference; the parts of property services apart
        ("framework_saving", (2022, 2023), [20, None]),
        ("property_saving", (2023,), [30]),
        ("property_saving@part=核减上限", (2023,), [20]),
        ("property_saving@period/part=2021-2025/招标降价", (2025,), [10]),
        ("property_since@period=2021-2025", (2025,), [2023]),
        ("designated_services", (2023, 2024, 2025), [None, 2, 1]),
        ("sgyy_units", (2022, 2023), [1, 0]),
        ("sgyy_communities@period=2021-2025", (2025,), [2]),
        ("sgyy_annual_saving", (2022, 2023), [30000, 60000]),
        ("sgyy_months", (2023,), [11]),
        ("sgyy_saving_per_household@period=2021-2025", (2025,), [1500]),
        ("vehicle_cost_saved@base=2022", (2024,), [40]),
        # assets
        ("idle_land_found@period/sweep=2021-2025/清仓", (2025,), [1500]),
        ("idle_land_left", (2021,), [1000]),
        ("idle_land_left_rate@period=2021-2025", (2025,), [66.6667]),
        ("idle_building_found", (2021, 2022), [None, 200]),
        # energy
        ("epc_units@period=2021-2025", (2025,), [1]),
        ("epc_saving_rate", (2023,), [7.3333]),
        ("epc_saving_rate@contract_type=能源费用托管", (2023,), [12]),
        ("epc_guarantee_rate", (2023,), [50]),
        ("retrofit_funds_per_tce", (2023,), [2000]),
        ("conservation_orgs", (2022, 2023, 2024), [1, 2, 1]),
        ("conservation_scope", (2023, 2024), [None, 2]),
        ("conservation_rate", (2024, 2025), [50, 50]),
        ("pv_units", (2024, 2025), [None, 2]),
        ("pv_capacity", (2025,), [150]),
        ("pv_capacity_on_grid", (2023, 2024), [0, 100]),
        ("pv_on_grid_rate", (2023, 2024, 2025), [0, 50, 50]),
        ("pv_self_use_rate", (2025,), [75]),
        ("pv_actual_to_design", (2025,), [96]),
        ("pv_full_load_hours", (2025,), [960]),
        ("pv_revenue@revenue_kind=租金", (2023,), [100]),
        # vehicles
        ("designated_spend_share@service=加油", (2024,), [66.6667]),
        ("vehicle_cost_per_vehicle", (2024,), [50]),
        ("vehicle_km_per_vehicle", (2023, 2024, 2025), [None, 7000, None]),
        ("fleet_new_energy_share", (2024,), [100]),
        # this city's own two conditions: more than 300,000 km, and at most 15 % of two vehicles
        ("vehicle_rule_met_rate@rule=满8年", (2025,), [100]),
        ("vehicle_rule_met_rate@rule=超30万公里", (2025,), [0]),
        ("vehicle_rule_met_rate@rule=单位不超15%", (2025,), [0]),
        ("timeshare_units@period/batch=2021-2025/1", (2025,), [2]),
        ("timeshare_vehicles@batch=2", (2025,), [1]),
        ("timeshare_start@period=2021-2025", (2025,), [202502]),
        ("timeshare_trips_per_vehicle", (2025,), [10]),
        ("timeshare_hours_per_vehicle", (2025,), [10]),
        ("timeshare_fee_per_vehicle", (2025,), [3600]),
        # offices: 1 x 30 and 10 x 9 are allowed
        ("office_excess_area", (2024,), [3]),
        ("office_excess_rate", (2024,), [2.5]),
        ("office_excess_rate@rank=市级副职", (2024,), [10]),
        ("office_area_per_head@rank=局(处)级以下", (2024,), [8]),
        ("office_vacated_area@area_basis=建筑面积", (2023,), [200]),
        ("office_projects@period=2021-2025", (2025,), [1]),
        ("office_corrections", (2023, 2024), [0, 1]),
        # the bureau's own work
        ("task_closed_rate", (2024, 2025), [100, 0]),
        ("task_on_time_rate", (2024, 2025), [50, 0]),
        ("task_overdue_rate@task_area=资产", (2024, 2025), [50, 50]),
        ("task_order_rate", (2024, 2025), [50, None]),
        ("task_days", (2024,), [25]),
        ("bureau_meeting_months", (2023, 2024, 2025), [None, 0.9167, 1]),
        ("bureau_meeting_months@period=2021-2025", (2025,), [0.9444]),
        ("leader_meeting_weeks", (2025,), [0.0385]),
        ("training_person_times", (2023,), [30]),
        ("training_attendees@topic=节能", (2023,), [50]),
        ("inspection_rectified_rate", (2023,), [90]),
        ("inspection_rectified_rate@inspection_type=实地督查", (2023,), [75]),
        ("events_supported", (2024,), [1]),
        ("event_items@unit=把", (2024,), [3]),
        ("event_items_from_warehouse", (2024,), [5]),
        ("service_score", (2024,), [90]),
        ("service_score@service_area=餐饮", (2024,), [85]),
        ("compound_service_areas", (2024,), [2]),
        ("policy_key_areas@system=1+6+N", (2025,), [1]),
        ("policies", (2025,), [2]),
        ("canteen_coverage", (2024,), [50]),
        ("canteen_coverage@canteen_level=市", (2024,), [100]),
        ("canteen_phases@period=2021-2025", (2025,), [2]),
        ("zero_reception_rate", (2024,), [50]),
    ],
)  # fmt: skip
def test_a_figure(db: duckdb.DuckDBPyConnection, where: str, years: tuple[int, ...], expected: list[Any]) -> None:
    assert figures(db, where, *years) == expected


def test_a_what_if_is_a_query(db: duckdb.DuckDBPyConnection) -> None:
    """148,000 kWh by each set. The province has no factor, so its default is the country's; Zhuzhou's article is not here."""
    got = db.execute(
        "select indicator_id, factor_set, value from marts.indicator_values "
        "where indicator_id in ('pv_coal_saved', 'pv_co2_avoided') and year = 2025 and dimension = 'total' order by all"
    ).fetchall()
    assert got == [
        ("pv_co2_avoided", "default", D("78.529")),
        ("pv_co2_avoided", "national", D("78.529")),
        ("pv_co2_avoided", "newest", D("78.529")),
        ("pv_coal_saved", "default", D("18.189")),
        ("pv_coal_saved", "national", D("44.637")),
        ("pv_coal_saved", "newest", D("44.637")),
    ]
    sets = dict(db.execute("select factor_id, factor_sets from marts.factors").fetchall())
    assert sets["co2-grid-cn-2023"] == "default,national,newest"
    assert sets["tce-electricity-article"] is None
    (codes,) = db.execute(
        "select note_codes from marts.indicator_values where indicator_id = 'pv_co2_avoided' and factor_set = 'default' and dimension = 'total'"
    ).fetchall()[0]
    assert "electricity_factors:co2-grid-cn-2023" in codes.split()


def test_the_savings_statement_keeps_natures_apart(db: duckdb.DuckDBPyConnection) -> None:
    got = db.execute(
        "select line, nature, year, whole_period, value, unit from marts.savings_statement where line in (1, 4, 12, 21) order by all"
    ).fetchall()
    assert got == [
        (1, "realised", 2022, False, D(20), "元"),
        (1, "realised", 2025, True, D(20), "元"),
        (4, "yearly", 2022, False, D(30000), "元"),
        (4, "yearly", 2023, False, D(60000), "元"),
        (4, "yearly", 2025, True, D(90000), "元"),
        (12, "realised", 2024, False, D(40), "元"),
        (21, "forecast", 2025, False, D("18.189"), "tce"),
    ]
    strangers = db.execute(
        "select count(*) from marts.savings_statement anti join marts.indicator_values "
        "using (indicator_id, year, dimension, member, factor_set, value)"
    ).fetchall()
    assert strangers == [(0,)]


def test_what_names_no_institution_has_no_district(db: duckdb.DuckDBPyConnection) -> None:
    found = db.execute(
        "select distinct dimension from marts.indicator_values where indicator_id in ('tasks', 'pv_revenue', 'event_items')"
        " and dimension similar to '(period/)?(district|org_type|level)'"
    ).fetchall()
    assert found == []
    assert figures(db, "lease_count@district=990101", 2024) == [2]
