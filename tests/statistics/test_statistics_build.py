"""The dbt project over small tables whose figures were worked out by hand."""

from __future__ import annotations

import datetime
import json
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.contract import load_contracts
from pipelines.core.home import Home
from pipelines.statistics.city import load_city
from pipelines.statistics.run import (
    PROJECT,
    StatisticsError,
    being_built,
    build_statistics,
    environment,
    manifest,
    run_dbt,
    target,
)
from publish.release.statements import claim_sentences
from publish.release.warehouse import Warehouse
from tests.statistics.statistics_home import date, institution, months, public_database, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("statistics")]

# Two institutions report in 2021 and 2024. In 2024 the second bears a new name, lacks a month, and two more come up: one of
# the register that reports nothing, and one that reports but stands in no register.
RENAMED = "示范单位2（新名）"
STRANGER = "未登记单位"
RECORDS: dict[str, list[dict[str, Any]]] = {
    "institutions": [
        institution(1, 2021, energy_population=100, floor_area=1000.0),
        institution(2, 2021, org_type="教育", division_code="430203", energy_population=200, floor_area=4000.0),
        institution(1, 2024, energy_population=110, floor_area=1000.0),
        institution(
            2, 2024, org_name=RENAMED, org_type="教育", division_code="430203", energy_population=200, floor_area=4000.0
        ),
        institution(3, 2024, admin_level="县"),
    ],
    "energy_use": [
        *months(1, 2021, electricity=1000.0, water=10.0, gasoline=10.0),
        *months(2, 2021, electricity=500.0, water=20.0, natural_gas=3.0),
        *months(1, 2024, electricity=1000.0, water=8.0),
        *(m | {"org_name": RENAMED} for m in months(2, 2024, count=11, electricity=500.0, water=20.0)),
        *(m | {"org_name": STRANGER} for m in months(9, 2024, electricity=100.0, water=1.0)),
        *months(1, 2022, count=1, electricity=1e20, water=5.0),
    ],
    "retrofit_funds": [
        {"seq": 1, "org_name": "示范单位1", "planned_amount": 150000.0, "paid_amount": 100000.0, "fiscal_year": 2024},
        {"seq": 2, "org_name": "示范单位1", "planned_amount": 150000.0, "fiscal_year": 2024},
        {"seq": 3, "org_name": "示范单位2", "planned_amount": 100000.0, "fiscal_year": 2024},
        {"seq": 1, "org_name": "示范单位2", "planned_amount": 3980000.0, "fiscal_year": 2023, "_file": "f2"},
        {"seq": 1, "org_name": "示范单位2", "planned_amount": 999.0, "fiscal_year": 2019, "_file": "f2"},
        {"seq": 2, "org_name": "示范单位2", "planned_amount": 50000.0, "_file": "f2"},
    ],
    "disposals": [
        {"disposal_id": "D1", "method": "摘牌出售", "area_kind": "土地", "area": 20000.0, "status": "已成交", "sold_on": date("2022-03-01"), "deal_amount": 2.0e8, "treasury_amount": 1.5e8},
        {"disposal_id": "D2", "method": "摘牌出售", "area_kind": "房屋", "area": 10300.0, "status": "已成交", "sold_on": date("2023-12-31"), "deal_amount": 0.67e8},
        {"disposal_id": "D3", "method": "划转", "area_kind": "房屋", "area": 500.0, "status": "已成交", "sold_on": date("2023-01-01")},
        {"disposal_id": "D4", "method": "摘牌出售", "area_kind": "房屋", "area": 9.0, "status": "挂牌"},
        {"disposal_id": "D5", "method": "摘牌出售", "area_kind": "房屋", "area": 77.0, "status": "已成交"},
    ],
    "parking_lots": [
        {"org_name": "示范单位1", "lot_name": "东", "spaces": 40, "started_on": date("2023-05-01"), "open": True},
        {"org_name": "示范单位1", "lot_name": "西", "spaces": 10, "started_on": date("2024-05-01"), "open": True},
        {"org_name": "示范单位2", "lot_name": "院", "spaces": 25, "open": True, "_file": "made-up"},
        {"org_name": "示范单位2", "lot_name": "后院", "spaces": 500, "open": False},
    ],
}  # fmt: skip
for row in RECORDS["disposals"]:
    row["org_name"] = "示范单位1"
FILES = [
    {"file_id": "made-up", "name": "x.xlsx", "status": "accepted", "synthetic": True},
    {"file_id": "met", "name": "y.xlsx", "status": "accepted", "received_at": datetime.datetime(2025, 2, 1)},
]
SHEETS = [
    {"file_id": "made-up", "sheet": "S", "dataset": "parking_lots", "period": "2025", "status": "accepted"},
    {"file_id": "met", "sheet": "", "dataset": "meetings", "period": "2025-06", "status": "partial", "submitter": "示范单位1",
     "rows_read": 9, "rows_accepted": 5, "rows_quarantined": 1, "rows_explained": 3},
]  # fmt: skip
ISSUES = [
    {"issue_id": str(n), "file_id": "met", "sheet": "", "row": n, "column": "month", "code": "doubtful", "severity": "warning",
     "responsibility": "department", "status": "open", "message_zh": "可疑", "message_en": "doubtful"}
    for n in (2, 3)
]  # fmt: skip
TASKS = [
    {"task_id": state, "dataset": dataset, "assigned_on": date("2025-02-01"), "state": state}
    for state, dataset in (("交办", "meetings"), ("销号", None))
]
FINDINGS = [
    {"file_id": "f1", "sheet": "S", "dataset": "parking_lots", "period": "2024", "row": 2, "column": "spaces", "kind": "slips", "facts": "{}"},
    {"file_id": "f1", "sheet": "S", "dataset": "parking_lots", "period": "2024", "column": "spaces", "kind": "slips", "facts": '{"count": 12}'},
]  # fmt: skip
AS_OF = datetime.date(2025, 12, 31)
ZHUZHOU = PROJECT.parent / "cities" / "zhuzhou"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home built once; its path has what SQL and shells stumble over."""
    home = Home(tmp_path_factory.mktemp("it's 一个 home"))
    write(home, RECORDS, FILES, SHEETS, ISSUES, TASKS, FINDINGS)
    load_city(ZHUZHOU, home)
    made = build_statistics(home, AS_OF, unit_tests=True)
    assert made.rows["claims"] == 65
    assert made.tests > 30
    return home


def test_every_unit_test_of_dbt_was_run(home: Home) -> None:
    ran = json.loads((target(home) / "run_results.json").read_text(encoding="utf-8"))["results"]
    units = {r["unique_id"].split(".")[-1]: r["status"] for r in ran if r["unique_id"].startswith("unit_test.")}
    assert units["closed_records_of_several_sheets_add_up_and_those_of_both_halves_count_once"] == "pass"
    assert len(units) > 10 and set(units.values()) == {"pass"}


def test_the_account_of_what_came_is_counted_beside_the_figures(home: Home, db: duckdb.DuckDBPyConnection) -> None:
    """The open datasets' names are those that may be named; who sent closed figures is not said."""
    asked = "select submitter, status, files, rows_read, rows_accepted, rows_quarantined, rows_explained from marts.submissions"
    assert db.execute(f"{asked} where dataset = 'meetings'").fetchall() == [("示范单位1", "partial", 1, 9, 5, 1, 3)]
    assert db.execute("select dataset, issues, files from marts.data_issues").fetchall() == [("meetings", 2, 1)]
    assert db.execute('select dataset, "column", findings from marts.findings').fetchall() == [
        ("parking_lots", "spaces", 13)
    ]
    assert db.execute("from marts.task_counts").fetchall() == [
        ("", "2025-02", "销号", 1),
        ("meetings", "2025-02", "交办", 1),
    ]
    assert db.execute("select due_on, submissions, on_time from marts.punctuality").fetchall() == [
        (date("2025-07-31"), 1, 1)
    ]
    of_register = "select period, institutions, expected from marts.coverage where dataset = 'institutions' order by 1"
    assert all(n == due for _, n, due in db.execute(of_register).fetchall())
    rows, files, synthetic = db.execute(
        "select rows, files, synthetic from marts.datasets where dataset = 'parking_lots'"
    ).fetchall()[0]
    assert (rows, files, synthetic) == (4, 2, True)


@pytest.fixture(scope="module")
def db(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        yield con


Value = tuple[Any, ...]


def value(
    db: duckdb.DuckDBPyConnection, indicator: str, year: int, dimension: str = "total", member: str = "all"
) -> Value:
    """(value, status, records, files, contributors, left_out) of one indicator value; () where it has no row."""
    rows = db.execute(
        "select value, status, records, files, contributors, left_out from marts.indicator_values "
        "where indicator_id = ? and year = ? and dimension = ? and member = ? and factor_set in ('none', 'default')",
        [indicator, year, dimension, member],
    ).fetchall()
    assert len(rows) <= 1
    return rows[0] if rows else ()


def test_energy_is_summed_over_carriers_and_institutions(db: duckdb.DuckDBPyConnection) -> None:
    # 12 x (1000 x 0.1229 + 10 x 0.73 x 1.4714) + 12 x (500 x 0.1229 + 3 x 1.2143) = 1603.69464 + 781.1148
    assert value(db, "energy_kgce", 2021) == (D("2384.810000"), "A", 24, 2, 2, 0)
    assert value(db, "energy_tce", 2021)[0] == D("2.385")
    assert value(db, "energy_kgce", 2021, "carrier", "electricity")[0] == D("2212.2")
    assert value(db, "energy_kgce", 2021, "carrier", "gasoline")[:2] == (D("128.89"), "A")
    assert value(db, "energy_kgce", 2021, "carrier", "natural_gas") == (D("43.71"), "A", 12, 1, 1, 0)
    assert value(db, "energy_kgce", 2021, "carrier", "coal") == ()
    assert value(db, "energy_kgce", 2021, "district", "430203")[0] == D("781.11")
    assert value(db, "energy_kgce", 2021, "org_type", "党政机关")[0] == D("1603.69")
    assert value(db, "electricity", 2021)[0] == 18000
    assert value(db, "water", 2021)[0] == 360


def test_a_number_that_no_ledger_holds_counts_nowhere_and_stops_nothing(db: duckdb.DuckDBPyConnection) -> None:
    assert value(db, "electricity", 2022) == ()
    assert value(db, "energy_kgce", 2022) == ()
    assert value(db, "water", 2022)[:3] == (D(5), "E", 1)
    notes = db.execute(
        "select distinct note_codes from marts.indicator_values where indicator_id in ('water', 'energy_per_capita_change', 'floor_area')"
    ).fetchall()
    said = ["too_large:1" in (codes or "").split() for (codes,) in notes]
    assert said.count(False) == 1  # the floor area is of another dataset
    assert said.count(True) > 1


def test_a_ratio_is_a_sum_over_a_sum(db: duckdb.DuckDBPyConnection) -> None:
    # 2384.80944 / 300, not the mean of 16.04 and 3.91; its records are those of both datasets.
    assert value(db, "energy_per_capita", 2021) == (D("7.9494"), "A", 26, 3, 2, 0)
    assert value(db, "energy_per_area", 2021)[0] == D("0.4770")
    assert value(db, "water_per_capita", 2021)[0] == D("1.2")


def test_who_lacks_people_is_left_out_and_missing_months_are_said(db: duckdb.DuckDBPyConnection) -> None:
    # 1474.8 + 675.95 + 147.48; one month of the second missing and all twelve of the third, which reported nothing.
    assert value(db, "energy_kgce", 2024) == (D("2298.23"), "E", 35, 3, 3, 0)
    # (1474.8 + 675.95) / 310
    assert value(db, "energy_per_capita", 2024) == (D("6.9379"), "E", 25, 3, 2, 1)
    (codes,) = db.execute(
        "select note_codes from marts.indicator_values where indicator_id = 'energy_per_capita' and year = 2024 and dimension = 'total'"
    ).fetchall()[0]
    assert {"months_missing_some_all_year:13/1", "left_out:1"} <= set(codes.split())
    assert value(db, "energy_kgce", 2024, "level", "县") == ()
    assert value(db, "energy_kgce", 2024, "district", "430203")[:2] == (D("675.95"), "E")
    assert value(db, "energy_kgce", 2024, "org_type", "教育")[1] == "E"


def test_a_new_name_is_still_the_same_institution_and_a_stranger_is_unknown(db: duckdb.DuckDBPyConnection) -> None:
    assert value(db, "energy_kgce", 2024, "org_type", "教育")[0] == D("675.95")
    assert value(db, "energy_kgce", 2024, "district", "unknown")[0] == D("147.48")
    # A ratio that nobody of a member can enter has a row that says so, not a value.
    assert value(db, "energy_per_capita", 2024, "district", "unknown") == (None, "O", 0, 0, 0, 1)


def test_a_change_divides_two_ratios(db: duckdb.DuckDBPyConnection) -> None:
    # ((1474.8 + 675.95) / 310) / (2384.80944 / 300) - 1
    assert value(db, "energy_per_capita_change", 2024, "base", "2021")[:2] == (D("-12.7238"), "E")
    # (316 / 310) / (360 / 300) - 1
    assert value(db, "water_per_capita_change", 2024, "base", "2021")[0] == D("-15.0538")
    # ((12 x 8) / 110) / ((12 x 10) / 100) - 1
    assert value(db, "water_per_capita_change", 2024, "base/district", "2021/430202")[0] == D("-27.2727")
    assert value(db, "energy_per_capita_change", 2021, "base", "2021") == ()


def test_energy_over_the_period_adds_its_years_and_their_gaps(db: duckdb.DuckDBPyConnection) -> None:
    # 18000 in 2021 and 12000 + 5500 + 1200 in 2024; 11 months of 2022 and 13 of 2024 are missing
    assert value(db, "electricity", 2025, "period", "2021-2025")[:2] == (D(36700), "E")
    assert value(db, "electricity", 2025, "period/district", "2021-2025/430203") == ()
    notes = db.execute(
        "select note_codes from marts.indicator_values where indicator_id = 'electricity' and dimension = 'period'"
    ).fetchall()
    assert len(notes) == 1
    assert any(c.startswith(("months_missing:24", "months_missing_some_all_year:24/")) for c in notes[0][0].split())
    notes = db.execute(
        "select note_codes from marts.indicator_values where indicator_id = 'co2_electricity' and dimension = 'period'"
        " and factor_set = 'default'"
    ).fetchall()
    assert "electricity_factors:co2-grid-hunan-2021,co2-grid-hunan-2022" in notes[0][0].split()


def test_how_far_from_targets_and_averages(db: duckdb.DuckDBPyConnection) -> None:
    got = db.execute(
        "select benchmark_id, year, difference, percent, reached from marts.benchmark_distances "
        "where benchmark_id in ('cn_energy_per_capita_2020', 'target_water_per_capita_2025') order by all"
    ).fetchall()
    assert got == [
        ("cn_energy_per_capita_2020", 2021, D("-321.6106"), D("-97.59"), None),
        ("cn_energy_per_capita_2020", 2024, D("-322.6221"), D("-97.89"), None),
        ("target_water_per_capita_2025", 2024, D("-9.0538"), None, None),
    ]
    strangers = db.execute(
        "select count(*) from marts.benchmark_distances anti join marts.indicator_values "
        "using (indicator_id, year, dimension, member, factor_set, value)"
    ).fetchall()
    assert strangers == [(0,)]


def test_funds_by_year_and_over_the_period(db: duckdb.DuckDBPyConnection) -> None:
    assert value(db, "retrofit_funds_planned", 2024)[:4] == (D("400000"), "A", 3, 1)
    assert value(db, "retrofit_funds_planned", 2023)[0] == 3980000
    assert value(db, "retrofit_funds_planned", 2019)[0] == 999
    assert value(db, "retrofit_funds_paid", 2024)[:3] == (D("100000"), "A", 1)
    assert value(db, "retrofit_funds_paid", 2023) == ()
    assert value(db, "retrofit_projects", 2025, "period", "2021-2025")[0] == 4
    assert value(db, "retrofit_funds_planned", 2025, "period", "2021-2025")[:4] == (D("4380000"), "A", 4, 2)
    assert value(db, "retrofit_funds_planned", 2025, "period/org_type", "2021-2025/党政机关")[0] == 300000
    (codes,) = db.execute(
        "select distinct note_codes from marts.indicator_values where indicator_id = 'retrofit_funds_planned'"
    ).fetchall()[0]
    assert codes.split()[0] == "undated:1"


def test_disposals_by_year_of_sale_with_land_and_building_apart(db: duckdb.DuckDBPyConnection) -> None:
    assert value(db, "disposal_count", 2023)[0] == 2
    assert value(db, "disposal_count", 2023, "method", "摘牌出售")[0] == 1
    assert value(db, "disposal_area", 2022, "area_kind", "土地")[0] == 20000
    assert value(db, "disposal_area", 2023, "area_kind", "房屋")[0] == 10800
    assert value(db, "disposal_area", 2025, "period/area_kind", "2021-2025/房屋")[0] == 10800
    assert value(db, "disposal_amount", 2025, "period", "2021-2025")[0] == 267000000
    assert value(db, "disposal_treasury", 2022)[0] == 150000000
    assert value(db, "disposal_treasury", 2023) == ()


def test_parking_is_a_stock_at_the_end_of_the_year(db: duckdb.DuckDBPyConnection) -> None:
    got = [(value(db, "parking_units", y)[:1], value(db, "parking_spaces", y)[:1]) for y in (2022, 2023, 2024, 2025)]
    assert got == [((), ()), ((1,), (40,)), ((1,), (50,)), ((2,), (75,))]


def test_the_mark_of_made_up_data_travels_only_where_it_belongs(db: duckdb.DuckDBPyConnection) -> None:
    marked = db.execute(
        "select distinct indicator_id, year from marts.indicator_values where synthetic order by all"
    ).fetchall()
    assert marked == [("parking_spaces", 2025), ("parking_units", 2025)]
    claims = db.execute("select claim_id, evidence from marts.claims where synthetic order by all").fetchall()
    assert claims == [("parking_spaces", "synthetic"), ("parking_units", "synthetic")]


def test_institutions_are_counted_by_kind(db: duckdb.DuckDBPyConnection) -> None:
    assert value(db, "institutions", 2024) == (D(3), "A", 3, 1, 3, 0)
    assert value(db, "institutions", 2024, "level", "县")[0] == 1
    assert value(db, "people", 2024)[0] == 410
    assert value(db, "floor_area", 2021)[0] == 5000


SUMS_ALONE = {
    "people",
    "floor_area",
}  # measures made from columns that are open in sums alone (L1) of a dataset open in rows


def test_what_is_not_open_in_rows_is_closed(db: duckdb.DuckDBPyConnection) -> None:
    """The measures say it themselves; the contracts are what they must agree with."""
    contracts = load_contracts()
    measures = db.execute("select distinct dataset, measure, closed from intermediate.int_facts").fetchall()
    assert {d for d, _, _ in measures} == {"institutions", "energy_use", "retrofit_funds", "disposals", "parking_lots"}
    for dataset, measure, closed in measures:
        assert closed == (contracts[dataset].opening != "open" or measure in SUMS_ALONE), (dataset, measure)
    shares = db.execute(
        "select contributors, largest_share from marts.indicator_values "
        "where indicator_id = 'energy_per_capita' and year = 2021 and dimension = 'total' and factor_set = 'default'"
    ).fetchall()
    assert shares == [(2, D("0.672462"))]  # 1603.69464 of the energy is more than 200 of the people


def test_every_model_says_which_of_its_datasets_are_closed() -> None:
    """Each `facts(...)` over a dataset that is not open in rows says so, each other one does not, and none over open rows
    touches a column that is not."""
    contracts = load_contracts()
    calls = 0
    for path in sorted((PROJECT / "models" / "intermediate").rglob("int_*_facts.sql")):
        text = path.read_text(encoding="utf-8")
        for dataset, rest in re.findall(r"facts\('\w+', '(\w+)', \[(.*?)\) \}\}", text, re.DOTALL):
            calls += 1
            secret = {c.name for c in contracts[dataset].columns if c.access != "L0"}
            touched = {w for w in re.findall(r"\w+", rest) if w in secret | SUMS_ALONE}
            rows = contracts[dataset].open_rows
            if rows:
                left_out = ", ".join(f"'{v}'" for v in rows.not_in)
                assert f"{rows.column} = {left_out}" in rest or f"{rows.column} in ({left_out})" in rest, (
                    path.name,
                    dataset,
                )
            elif contracts[dataset].opening == "open" and "closed=true" not in rest:
                assert not (touched - ({"floor_area"} if "floor_area" not in secret else set())), (path.name, touched)
            else:
                assert "closed=true" in rest, (path.name, dataset)
                assert contracts[dataset].opening != "open" or touched, (path.name, dataset)
    assert calls > 40


def test_provenance_names_files_but_no_sheet_of_closed_data(db: duckdb.DuckDBPyConnection) -> None:
    names = """select dataset, file_id, sheet, sheet_rows, year, unnest(map_entries(from_json(indicators, '"map(varchar, bigint)"')), recursive := true)
        from marts.provenance"""
    select = f"select dataset, file_id, sheet, value from ({names}) where key = ? and year = ? order by all"
    assert db.execute(select, ["energy_per_capita", 2024]).fetchall() == [
        ("energy_use", "energy1-2024", None, 12),
        ("energy_use", "energy2-2024", None, 11),
        ("institutions", "reg2024", None, 2),
    ]
    funds = f"""select dataset, file_id, sheet, sum(value) from ({names}) where key = 'retrofit_funds_planned' and year between 2021 and 2025
        group by all order by all"""
    assert db.execute(funds).fetchall() == [("retrofit_funds", "f1", "S", 3), ("retrofit_funds", "f2", "S", 1)]
    lost = db.execute(
        f"select v.indicator_id, v.year, v.records, v.files, sum(p.value), count(distinct p.file_id) "
        f"from marts.indicator_values v left join ({names}) p on p.key = v.indicator_id and p.year = v.year "
        "where v.value is not null and v.dimension = 'total' and v.factor_set in ('none', 'default') "
        "group by all having v.records <> sum(p.value) or v.files <> count(distinct p.file_id)"
    ).fetchall()
    assert lost == []


def test_statements_are_held_against_the_records(home: Home, db: duckdb.DuckDBPyConnection) -> None:
    got = {
        c: (v, d, s, e)
        for c, v, d, s, e in db.execute(
            "select claim_id, computed_value, difference, check_status, evidence from marts.claims"
        ).fetchall()
    }
    assert got["retrofit_funds"] == (D(438), D(0), "match", "records")
    assert got["disposal_count"] == (D(2), D(-4), "mismatch", "records")
    assert got["disposal_area"] == (D(30300), D(0), "match", "records")
    assert got["disposal_income"] == (D(26700), D(0), "match", "records")
    assert got["parking_units"] == (D(2), D(-30), "mismatch", "synthetic")
    assert got["energy_per_capita_change"][2] == "mismatch"
    assert got["first_in_province"] == (None, None, "not_verifiable", None)
    assert got["training_person_times"] == (None, None, "no_data", None)
    assert {s for _, _, s, _ in got.values()} == {"match", "mismatch", "not_verifiable", "no_data"}
    with Warehouse(home.warehouse) as w:
        said = claim_sentences(w)["fixed_point_services"]
    costs, bought = (load_contracts()[d] for d in ("vehicle_costs", "procurements"))
    assert str(said["explanation_zh"]).startswith(
        f"没有可用的记录；核对需要《{costs.title_zh}》、《{bought.title_zh}》。"
    )
    needed = f"There are no records to hold this against; it needs: {costs.title_en}, {bought.title_en}."
    assert str(said["explanation_en"]).startswith(needed)


def test_the_sql_of_each_statement_gives_its_value_on_the_public_database(
    home: Home, db: duckdb.DuckDBPyConnection
) -> None:
    public = public_database(home, db)
    claims = db.execute("select claim_id, sql, computed_value from marts.claims where sql is not null").fetchall()
    checks = db.execute("select check_id, sql, computed from marts.claim_arithmetic").fetchall()
    assert len(claims) == 60  # one cannot be verified, and the four rules for replacing vehicles not for one level
    assert sum(computed is not None for _, _, computed in claims) == 8
    assert len(checks) == 21
    for name, sql, expected in claims + checks:
        found = public.execute(sql).fetchall()
        got = found[0][0] if found else None
        assert got == (None if expected is None else pytest.approx(float(expected), abs=1e-6)), name


# How each data test of the project can be made to fail: the statement spoils a copy of the finished warehouse.
SPOILT = {
    "factors_convert_every_carrier": "delete from intermediate.int_carrier_factors where carrier = 'gasoline' and year = 2021",
    "indicators_name_measures_that_exist": "update seeds.seed_indicators set change_of = 'water' where indicator_id = 'water_per_capita_change'",
    "members_add_up_to_the_total": "update intermediate.int_indicator_sums set numerator = numerator + 0.000001 where dimension = 'district' and indicator_id = 'water'",
    "an_institution_is_one_row_of_a_cell": "insert into intermediate.int_facts by name select * replace ('total' as breakdown, 'all' as breakdown_member) from intermediate.int_facts where measure = 'water' limit 1",
    "int_facts_is_whole": "update intermediate.int_facts set org = null where measure = 'water'",
    "int_indicator_values_share_is_a_share": "update intermediate.int_indicator_values set largest_share = 1.2",
    "indicators_kind_and_better_are_known": "update marts.indicators set kind = 'sum' where indicator_id = 'water'",
    "indicator_values_has_a_value_or_says_it_is_missing": "update marts.indicator_values set status = 'O' where indicator_id = 'water'",
    "indicator_values_rests_on_records": "update marts.indicator_values set files = 0 where indicator_id = 'water'",
    "indicator_values_counts_no_more_than_were_expected": "update marts.indicator_values set reporting = population + 1 where indicator_id = 'water'",
    "benchmark_distances_compares_like_with_like": "update marts.benchmark_distances set comparison = 'scale'",
    "datasets_opening_is_known": "update marts.datasets set opening = 'half'",
    "submissions_account_for_every_row": "update marts.submissions set rows_read = rows_read + 1",
    "punctuality_counts_some_of_all": "insert into marts.punctuality values ('d', '2025', date '2025-12-31', 1, 2)",
    "not_reported_lacks_some": "insert into marts.not_reported values ('d', 2025, '甲局', 3, 2)",
    "task_counts_states_are_known": "insert into marts.task_counts values ('d', '2025-12', '完成', 1)",
    "claims_says_why_it_cannot_be_verified": "update marts.claims set note_en = '' where claim_id = 'first_in_province'",
}  # fmt: skip


def test_an_institution_is_one_row_of_a_cell(db: duckdb.DuckDBPyConnection) -> None:
    """What int_indicator_sums, int_indicator_changes and the release's contributions count on."""
    cell = "indicator_id, factor_set, year, org, breakdown, breakdown_member"
    for table in ("int_indicator_parts", "int_comparable_pairs"):
        rows = db.execute(f"select count(*), count(distinct ({cell})) from intermediate.{table}").fetchone()
        assert rows is not None and rows[0] == rows[1] > 0, table


def _spoiler(test: dict[str, Any], model: dict[str, Any]) -> str | None:
    """The statement that makes one of dbt's own tests, or of a combination that is unique, fail; None of any other."""
    kind, column = test["test_metadata"]["name"], test["column_name"]
    table = f"{model['schema']}.{model['name']}"
    return {
        "unique": f"insert into {table} select * from {table} where {column} is not null limit 1",
        "unique_combination": f"insert into {table} select * from {table} limit 1",
        "not_null": f"update {table} set {column} = null",
        "accepted_values": f"update {table} set {column} = 'of no kind'",
        "relationships": f"update {table} set {column} = 'of nothing'",
    }.get(kind)


def test_every_data_test_can_fail(home: Home, tmp_path: Path) -> None:
    built = json.loads((target(home) / "manifest.json").read_text(encoding="utf-8"))
    tests = {n["name"]: n for n in built["nodes"].values() if n["resource_type"] == "test"}
    copy = tmp_path / home.warehouse.name
    shutil.copy(home.warehouse, copy)
    with duckdb.connect(str(copy)) as con:
        for name, node in tests.items():
            spoil = SPOILT.get(name)
            if "test_metadata" in node:
                spoil = spoil or _spoiler(node, built["nodes"][node["attached_node"]])
            assert spoil, f"{name} has no fixture that makes it fail: add one to SPOILT"
            sql = Path(node["compiled_path"]).read_text(encoding="utf-8")
            con.begin()
            assert con.execute(sql).fetchall() == [], name
            con.execute(spoil)
            assert con.execute(sql).fetchall() != [], name
            con.rollback()
    assert set(SPOILT) <= set(tests)


def test_the_same_records_give_the_same_marts_to_the_last_digit(home: Home, tmp_path: Path) -> None:
    """And a home without a single record but one file of funds is built all the same."""
    again = Home(tmp_path / "again")
    write(again, RECORDS, FILES, SHEETS, ISSUES, TASKS, FINDINGS)
    load_city(ZHUZHOU, again)
    build_statistics(again, AS_OF)

    def marts(h: Home) -> dict[str, list[Any]]:
        with duckdb.connect(str(h.warehouse), read_only=True) as con:
            names = [
                n
                for (n,) in con.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
            ]
            return {n: con.execute(f"select * from marts.{n}").fetchall() for n in names}

    assert marts(again) == marts(home)

    funds = [
        {"seq": n, "org_name": f"甲{n}", "planned_amount": a, "fiscal_year": 2024}
        for n, a in enumerate((15e4, 15e4, 1e5))
    ]
    write(again, {"retrofit_funds": funds})
    build_statistics(again, AS_OF)
    with duckdb.connect(str(again.warehouse), read_only=True) as con:
        got = con.execute(
            "select indicator_id, year, dimension, value from marts.indicator_values order by all"
        ).fetchall()
    assert got == [
        ("retrofit_funds_of_city", 2024, "total", D(400000)),
        ("retrofit_funds_of_city", 2025, "period", D(400000)),
        ("retrofit_funds_per_tce", 2024, "total", None),
        ("retrofit_funds_per_tce", 2025, "period", None),
        ("retrofit_funds_planned", 2024, "total", D(400000)),
        ("retrofit_funds_planned", 2025, "period", D(400000)),
        ("retrofit_projects", 2024, "total", D(3)),
        ("retrofit_projects", 2025, "period", D(3)),
    ]


def test_what_breaks_names_the_model_and_the_log_and_leaves_the_last_warehouse(home: Home, tmp_path: Path) -> None:
    broken = Home(tmp_path / "broken")
    write(broken, {})
    load_city(ZHUZHOU, broken)
    broken.warehouse.write_bytes(b"the last one")
    shutil.rmtree(broken.records("disposals"))
    with pytest.raises(StatisticsError) as e:
        build_statistics(broken, AS_OF)
    assert re.search("dbt's model (stg_disposals|int_dataset_files|int_too_large|findings)", str(e.value))
    named = Path(str(e.value).rpartition("read ")[2].removesuffix("."))
    assert named.name == "dbt.log" and "stg_disposals" in named.read_text(encoding="utf-8")
    assert "\n" not in str(e.value)
    assert broken.warehouse.read_bytes() == b"the last one"
    assert being_built(broken).exists()


def test_without_an_as_of_date_dbt_stops(tmp_path: Path) -> None:
    """It is a setting of the environment and no variable of dbt, which reads the whole project again where a variable changes."""
    home = Home(tmp_path / "home")
    home.create()
    env = {k: v for k, v in environment(home, AS_OF).items() if k != "MINGZHANG_AS_OF"}
    with pytest.raises(StatisticsError, match="Env var required but not provided: 'MINGZHANG_AS_OF'"):
        run_dbt(["parse"], PROJECT, env)


def test_the_manifest_is_made_once_and_again_when_the_project_changes(tmp_path: Path) -> None:
    project = tmp_path / "dbt_project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    made = manifest(project)
    nodes = json.loads(made.read_text(encoding="utf-8"))["nodes"]
    assert "model.mingzhang.indicator_values" in nodes
    first = made.stat().st_mtime_ns
    assert manifest(project).stat().st_mtime_ns == first
    (project / "models" / "marts" / "divisions.sql").write_text("select {{ nonsense", encoding="utf-8")
    with pytest.raises(StatisticsError, match=r"dbt parse did not finish: Compilation Error in model divisions"):
        manifest(project)
    assert made.stat().st_mtime_ns == first
