"""Rules that look further than one row: last year's, another dataset's, the city's. Each has a row that breaks it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from expectations.contract import ContractError, Contracts
from pipelines.core.city import CityError
from pipelines.core.home import Home
from pipelines.intake.model import FileReading
from pipelines.records.build import build
from pipelines.records.referenced import load_city_tables
from tests.records.making import CONTRACTS, energy, file, institution, joined, receipts, sheet

Told = list[tuple[str, int, str, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").create()


@pytest.fixture(scope="module")
def city(root: Path) -> Path:
    return root / "cities" / "zhuzhou"


def told(home: Home, city: Path | None, *files: FileReading) -> Told:
    """(file, row, column, code, severity) of each open issue, but for that no register has come."""
    here = Contracts(CONTRACTS[d] for d in {str(s.dataset) for f in files for s in f.sheets})
    build(joined(*files, contracts=here), here, home, city, receipts(*files))
    found = pd.read_parquet(home.table("intake", "issues"))
    found = found[(found["status"] == "open") & found["row"].notna()]
    return list(found[["file_id", "row", "column", "code", "severity"]].itertuples(index=False, name=None))


def count(home: Home, dataset: str) -> int:
    return len(pd.read_parquet(home.records(dataset)))


def car(n: int, year: int, **more: Any) -> dict[str, Any]:
    return {
        "vehicle_id": f"车{n}", "year": year, "org_name": "甲局", "use_class": "其他", "power": "燃油",
        "first_registered_on": "2015-05-01", "odometer_km": 1000 * (year - 2000), "status": "在用",
    } | more  # fmt: skip


def cars(file_id: str, *rows: dict[str, Any], submitter: str | None = "甲局", period: str | None = None) -> FileReading:
    return file(file_id, sheet("vehicles", rows, submitter, period or str(rows[0]["year"])))


# --- the row of the period before


def test_an_odometer_that_falls(home: Home, city: Path) -> None:
    a, b = cars("a", car(1, 2021, odometer_km=50000), car(2, 2021)), cars("b", car(1, 2022, odometer_km=40000))
    assert told(home, city, a, b) == [("b", 4, "odometer_km", "doubtful", "warning")]
    assert count(home, "vehicles") == 3, "the row is kept: either year may be the wrong one"


def test_the_nearest_earlier_year_counts_and_a_later_file_may_bring_it(home: Home, city: Path) -> None:
    later = cars("later", car(1, 2024, odometer_km=60000))
    earlier = cars("earlier", car(1, 2021, odometer_km=70000))
    between = cars("between", car(1, 2023, odometer_km=60000))
    assert told(home, city, later, earlier) == [("later", 4, "odometer_km", "doubtful", "warning")]
    assert told(home, city, later, earlier, between) == [("between", 4, "odometer_km", "doubtful", "warning")]


def test_what_a_newer_file_replaced_is_not_the_year_before(home: Home, city: Path) -> None:
    wrong, right = cars("wrong", car(1, 2021, odometer_km=500000)), cars("right", car(1, 2021, odometer_km=21000))
    next_year = cars("next", car(1, 2022, odometer_km=22000))
    assert told(home, city, wrong, next_year) == [("next", 4, "odometer_km", "doubtful", "warning")]
    assert told(home, city, wrong, next_year, right) == [], "the submission as a whole"
    by_key = cars("key", car(1, 2021, odometer_km=21000), submitter=None)
    assert told(home, city, wrong, next_year, by_key) == [], "or the row alone"


# --- a vehicle's replacement

REPLACED = {"status": "已更新", "replaced_on": "2024-06-30", "odometer_km": 300000}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"first_registered_on": "2016-07-01"}, ["满 8 年"]),
        ({"first_registered_on": "2016-06-30"}, []),
        ({"odometer_km": 250000}, ["里程"]),
        ({"odometer_km": 250001}, []),
        ({"first_registered_on": "2020-01-01", "odometer_km": 9}, ["满 8 年", "里程"]),
        ({"first_registered_on": "2020-01-01", "odometer_km": 9, "exception_reason": "事故报废"}, []),
        ({"odometer_km": 9, "status": "在用"}, []),
    ],
)
def test_a_replacement_that_misses_a_condition(
    home: Home, city: Path, change: dict[str, Any], expected: list[str]
) -> None:
    rows = [car(n, 2024) for n in range(1, 10)] + [car(10, 2024, **(REPLACED | change))]
    found = told(home, city, cars("a", *rows))
    assert found == [("a", 13, "exception_reason", "doubtful", "warning")] * len(expected)
    texts = "".join(pd.read_parquet(home.table("intake", "issues"))["message_zh"])
    assert all(e in texts for e in expected)
    assert count(home, "vehicles") == 10


def test_an_institution_that_replaces_too_many(home: Home, city: Path) -> None:
    few = [car(n, 2024) for n in range(1, 9)] + [car(9, 2024, **REPLACED)]
    assert told(home, city, cars("a", *few)) == [("a", 12, "exception_reason", "doubtful", "warning")], "1 of 9"
    other = [car(n, 2024, org_name="乙局") for n in range(20, 40)]
    assert len(told(home, city, cars("a", *few), cars("b", *other, submitter="乙局"))) == 1, "another's do not help"
    more = cars("c", *few, car(10, 2024), car(11, 2024))
    assert told(home, city, cars("a", *few), more) == [], "the old list does not count beside the new"


def test_a_city_without_limits_has_no_such_rule(home: Home, tmp_path: Path) -> None:
    a = cars("a", car(1, 2024, **(REPLACED | {"odometer_km": 9})))
    assert told(home, tmp_path, a) == [] == told(home, None, a)


# --- another dataset's row


def site(n: int, **more: Any) -> dict[str, Any]:
    return {
        "site_id": f"P{n}", "org_name": "甲局", "roof_area": 1000.0, "capacity_kw": 100.0, "status": "已并网",
        "design_annual_kwh": 100000.0,
    } | more  # fmt: skip


def sun(n: int, kwh: float, month: str = "2024-05") -> dict[str, Any]:
    return {"site_id": f"P{n}", "month": month, "generation_kwh": kwh}


def test_generation_against_capacity(home: Home, city: Path) -> None:
    sites = file("s", sheet("pv_sites", [site(1), site(2)], "甲局", "2024"))
    made = file("g", sheet("pv_generation", [sun(1, 20000.0), sun(2, 20000.1), sun(1, 1.0, "2024-06")], "甲局", "2024"))
    assert told(home, city, sites, made) == [("g", 5, "generation_kwh", "out_of_range", "error")]
    assert count(home, "pv_generation") == 2
    larger = file("s2", sheet("pv_sites", [site(2, capacity_kw=120.0)], "甲局", "2025"))
    assert told(home, city, sites, made, larger) == [], "the newer row of the site counts"


@pytest.mark.parametrize(
    ("dataset", "row", "column", "target", "there"),
    [
        ("pv_generation", sun(7, 1.0), "site_id", "pv_sites", site(1)),
        (
            "timeshare_trips",
            {"vehicle_id": "T7", "month": "2024-05", "trips": 1, "km": 1.0, "minutes": 1.0, "fee": 1.0},
            "vehicle_id",
            "timeshare_vehicles",
            {"vehicle_id": "T1", "org_name": "甲局", "power": "纯电", "start_on": "2024-01-01", "batch": 1},
        ),
        (
            "disposals",
            {"disposal_id": "D1", "asset_id": "A7", "org_name": "甲局", "method": "拍卖", "area_kind": "土地",
             "area": 1.0, "status": "挂牌"},
            "asset_id",
            "real_assets",
            {"asset_id": "A1", "org_name": "甲局", "kind": "土地", "use_status": "闲置", "found_on": "2024-01-01",
             "sweep": "一"},
        ),
        (
            "vehicle_purchases",
            {"purchase_id": "B1", "org_name": "甲局", "year": 2024, "power": "纯电", "price": 1.0,
             "purchased_on": "2024-01-01", "replaces_vehicle_id": "车7"},
            "replaces_vehicle_id",
            "vehicles",
            car(1, 2024),
        ),
    ],
)  # fmt: skip
def test_a_number_that_the_other_dataset_does_not_have(
    home: Home, dataset: str, row: dict[str, Any], column: str, target: str, there: dict[str, Any]
) -> None:
    mine = file("mine", sheet(dataset, [row]))
    assert told(home, None, mine) == [], "nothing has come that it could be in"
    other = file("other", sheet(target, [there]))
    assert told(home, None, mine, other) == [("mine", 4, column, "doubtful", "warning")]
    assert count(home, dataset) == 1
    found = pd.read_parquet(home.table("intake", "issues"))
    assert CONTRACTS[target].title_zh in "".join(found["message_zh"])
    key = next(r.target for r in CONTRACTS[dataset].references)
    now = file("now", sheet(target, [there | {key: row[column]}]))
    assert told(home, None, mine, other, now) == []


# --- the city's tables


def test_office_area_against_the_standard(home: Home, city: Path) -> None:
    def rooms(rank: str, area: float) -> dict[str, Any]:
        return {"org_name": "甲局", "building": "1号楼", "rank": rank, "headcount": 2, "used_area": area, "year": 2024}

    rows = [rooms("正科级", 36.0), rooms("副科级", 24.1), rooms("市级正职", 84.0)]
    sent = file("o", sheet("office_rooms", rows, "甲局", "2024"))
    assert told(home, city, sent) == [("o", 5, "used_area", "doubtful", "warning")]
    assert told(home, None, sent) == []


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("limits.csv", "name,value,unit,meaning_zh\nreplacement_km,far,km,\n", "row 2: value is 'far'; write a number"),
        ("limits.csv", "name,value,unit,meaning_zh\nreplacement_km,,km,\n", "row 2: value is empty; write the number"),
        ("limits.csv", "name\nreplacement_km\n", "limits.csv: column 'value' is missing"),
        ("office_standards.csv", "level,rank,max_usable_area_m2\n县级,正科级\n", "row 2 has not as many cells"),
    ],
)
def test_a_mistake_in_a_city_folder(name: str, text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CityError, match=sentence):
        load_city_tables(CONTRACTS, tmp_path)


def test_datasets_come_after_those_they_look_at() -> None:
    order = [c.dataset for c in CONTRACTS.in_order]
    assert order[0] == "institutions" and sorted(order) == sorted(CONTRACTS)
    for c in CONTRACTS.values():
        for r in c.references:
            assert r.table.startswith("city.") or order.index(r.table) < order.index(c.dataset)


def test_references_in_a_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    a, b = CONTRACTS["pv_sites"], CONTRACTS["pv_generation"]
    back = replace(a, references=(replace(b.references[0], table="pv_generation"),))
    with pytest.raises(ContractError, match="round in a circle"):
        Contracts([back, b])


# --- what the department is told, and part of a year


def test_a_number_is_told_in_the_units_of_the_sheet(home: Home) -> None:
    sent = sheet("energy_use", [energy(1, "2021-01", electricity=-50000.0), energy(2, "2021-01", electricity=5e15)])
    next(c for c in sent.columns if c.column == "electricity").unit = "万千瓦时"
    told(home, None, file("e", sent))
    found = pd.read_parquet(home.table("intake", "issues")).dropna(subset=["row"]).set_index("row")
    assert found.loc[4, "raw_value"] == "-5" and "“-5 万千瓦时（-50000 kWh）”" in found.loc[4, "message_zh"]
    assert "不小于 0 kWh" in found.loc[4, "message_zh"] and "不大于 1000000000000000 kWh" in found.loc[5, "message_zh"]


def test_a_correction_of_some_months_leaves_the_others(home: Home) -> None:
    year = sheet("energy_use", [energy(1, f"2021-{m:02d}") for m in range(1, 12)], "市示范局001", "2021")
    part = sheet(
        "energy_use", [energy(1, f"2021-{m:02d}", water=1.0) for m in (3, 4)], "市示范局001", "2021-03..2021-04"
    )
    register = file("reg", sheet("institutions", [institution(1)], "局", "2021"))
    told(home, None, register, file("year", year), file("part", part))
    assert count(home, "energy_use") == 11
    whole = sheet("energy_use", [energy(1, f"2021-{m:02d}") for m in range(2, 13)], "市示范局001", "2021")
    told(home, None, register, file("year", year), file("part", part), file("whole", whole))
    assert pd.read_parquet(home.records("energy_use"))["_file"].eq("whole").all()


def test_tables_without_a_row(home: Home, city: Path) -> None:
    empty = [file(d, sheet(d, [], "甲局", "2024")) for d in ("vehicles", "pv_sites", "pv_generation", "office_rooms")]
    assert told(home, city, *empty) == []
    assert told(home, city, *empty, file("g", sheet("pv_generation", [sun(1, 5.0)]))) == [], "no site has come"
