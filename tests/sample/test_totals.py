"""The rows of the made-up city that become records add up to what the city has stated; no rule fails but where planned.

Datasets whose contract is not there yet are skipped, saying so.
"""

from __future__ import annotations

import re
from functools import cached_property

import pandas as pd
import pytest

from expectations.contract import load_contracts
from expectations.expression import evaluate
from pipelines.sample.datasets import GENERATORS
from pipelines.sample.make import SHAPE, drafts_of, read_shape, usual_years
from pipelines.sample.world import World

YEARS = usual_years(read_shape(SHAPE))


class City:
    """Frames of right rows by dataset, made when asked for. 900 institutions: enough for every count that is stated."""

    @cached_property
    def world(self) -> World:
        return World(load_contracts(), read_shape(SHAPE), 3, 900, YEARS)

    def __init__(self) -> None:
        self.frames: dict[str, pd.DataFrame] = {}

    def __getitem__(self, dataset: str) -> pd.DataFrame:
        if dataset not in self.frames:
            contract = self.world.contracts[dataset]
            rows = [x.values for d in drafts_of(self.world, dataset) for x in d.rows if x.counts]
            frame = pd.DataFrame(rows, columns=[c.name for c in contract.columns])
            for c in contract.columns:
                if c.kind == "decimal":
                    frame[c.name] = frame[c.name].astype(float)
                if c.kind == "date":
                    frame[c.name] = pd.to_datetime(frame[c.name])
            self.frames[dataset] = frame
        return self.frames[dataset]


@pytest.fixture(scope="module")
def city() -> City:
    return City()


@pytest.mark.parametrize("dataset", sorted(GENERATORS))
def test_right_rows_keep_the_contract(city: City, dataset: str) -> None:
    frame, contract = city[dataset], city.world.contracts[dataset]
    assert len(frame) > 0
    assert frame[frame.duplicated(list(contract.key))].empty
    assert [c.name for c in contract.columns if c.required and frame[c.name].isna().any()] == []
    # Rules that look beside the row are held against the whole city in test_round_trip.py.
    for rule in (r for r in contract.rules if not re.search(r"[a-z]\.[a-z]", r.expression)):
        known = frame.dropna(subset=list(rule.columns))
        broken = known[~pd.Series(evaluate(rule.expression, known), dtype=bool)]
        assert len(broken) == 0 or (rule.severity == "warning" and len(broken) < len(known) / 50 + 2), rule.name


def test_policies(city: City) -> None:
    assert city["policies"].query("system == '1+6+N'")["area"].nunique() == 6


def test_a_meeting_each_month_and_no_list_of_the_weekly_ones(city: City) -> None:
    held = city["meetings"]
    assert held[held["type"] == "局务会"]["held_on"].dt.to_period("M").nunique() == 12 * len(YEARS)
    assert set(held["type"]) == {"局务会"}


def test_trainings(city: City) -> None:
    assert 1000 <= city["trainings"].query("topic in ['办公用房', '公务用车', '公务接待']")["attendees"].sum() < 1100


def test_procurements(city: City) -> None:
    p = city["procurements"]
    frame = p.query("method == '框架协议' and category in ['空调', '办公设备', '办公家具']")
    assert 900_000 <= (frame["reference_price"] - frame["contract_price"]).sum() < 1_000_000
    house = p.query("category == '物业'")
    assert 20_000_000 <= (house["reported_cap"] - house["award_price"]).sum() < 22_000_000
    assert house["award_on"].min().year == 2023
    in_force = p[(p["framework_type"] == "开放式") & (p["end_on"] >= pd.Timestamp(2025, 12, 31))]
    assert {"加油", "保险", "维修保养"} <= set(in_force["category"])


def test_idle_property(city: City) -> None:
    idle = city["real_assets"].query("use_status in ['闲置', '已处置'] and sweep == '扫楼清仓'")
    assert idle["land_area"].sum() == pytest.approx(100_000, rel=0.05)
    assert idle["floor_area"].sum() == pytest.approx(30_000, rel=0.05)


def test_disposals(city: City) -> None:
    sold = city["disposals"].query("method == '摘牌出售' and status == '已成交'")
    assert (len(sold), sold["area"].sum(), sold["deal_amount"].sum()) == (6, 30_300, 267_000_000)
    assets = city["real_assets"].set_index("asset_id")
    assert (assets.loc[sold["asset_id"], "use_status"] == "已处置").all()
    size = assets.loc[sold["asset_id"], ["land_area", "floor_area"]].sum(axis=1)
    assert list(size) == list(sold["area"])


def test_leases(city: City) -> None:
    running = city["leases"].query("status == '在租'")
    assert (len(running), running["annual_rent"].sum()) == (189, 6_446_800)
    assert running["end_on"].min() > pd.Timestamp(2030, 1, 1)
    assert (city["real_assets"].set_index("asset_id").loc[running["asset_id"], "use_status"] == "出租").all()


def test_warehouse(city: City) -> None:
    out = city["warehouse_moves"].query("direction == '调出'")
    assert out["quantity"].sum() == 2804
    assert 38_000_000 <= out["original_value"].sum() < 41_800_000


def test_purchases_fall_and_turn_electric(city: City) -> None:
    bought = city["vehicle_purchases"]
    number, spent = bought.groupby("year").size(), bought.groupby("year")["price"].sum()
    assert number[2022] > number[2023] > number[2024]
    assert spent[2022] > spent[2023] > spent[2024]
    new = bought[bought["power"] != "燃油"].groupby("year").size() / number * 100
    assert (round(new[2021], 2), round(new[2024], 1)) == (7.89, 95.5)


def test_vehicles_are_replaced_by_the_rules(city: City) -> None:
    fleet = city["vehicles"]
    gone = fleet[fleet["status"] == "已更新"]
    old = (gone["replaced_on"] - gone["first_registered_on"]).dt.days >= 8 * 365.25
    far = gone["odometer_km"] > 250_000
    assert (old & far).mean() > 0.85
    assert ((old & far) | gone["exception_reason"].notna()).all()
    begun = [(fleet["year"] == y) & (fleet["first_registered_on"] < pd.Timestamp(y, 1, 1)) for y in YEARS]
    assert all((gone["year"] == y).sum() <= 0.1 * here.sum() for y, here in zip(YEARS, begun, strict=True))
    assert (fleet.sort_values(["vehicle_id", "year"]).groupby("vehicle_id")["odometer_km"].diff().dropna() >= 0).all()


def test_parking(city: City) -> None:
    shown = city["parking_lots"].query("open == True")
    assert (shown["org_name"].nunique(), shown["spaces"].sum()) == (32, 1314)


def test_offices(city: City) -> None:
    changes = city["office_changes"]
    assert changes[changes["change"] == "腾退"]["area"].sum() == 14_000
    assert changes["project"].nunique() >= 4


def test_certificates(city: City) -> None:
    given = city["recognitions"].query("status == '建成'")
    organs = given[given["type"] == "节约型机关"]["org_name"].nunique()
    register = city["institutions"]
    scope = register[(register["year"] == 2025) & register["in_conservation_scope"].fillna(False).astype(bool)]
    assert (organs, scope["uscc"].nunique()) == (527, 581)
    assert given[given["type"] == "省级生活垃圾分类示范单位"]["org_name"].nunique() == 27


def test_retrofit_funds(city: City) -> None:
    funds = city["retrofit_funds"].groupby("fiscal_year")["planned_amount"].sum()
    assert (funds.sum(), funds[2024]) == (4_380_000, 400_000)


def test_solar_roofs(city: City) -> None:
    sites = city["pv_sites"]
    assert sites["org_name"].nunique() == 138
    assert 200_000 <= sites["roof_area"].sum() < 220_000
    assert (sites["capacity_kw"].sum(), sites["design_annual_kwh"].sum()) == (19_660, 18_870_000)
    made = city["pv_generation"].merge(sites[["site_id", "capacity_kw"]], on="site_id")
    assert (made["generation_kwh"] <= 200 * made["capacity_kw"]).all()
    assert 18_000_000 <= city["pv_revenue"]["amount"].sum() < 20_000_000


def test_energy_contracts(city: City) -> None:
    running = city["epc_contracts"].query("contract_type == '能源费用托管' and status == '实施'")
    assert running["org_name"].nunique() >= 3


def test_events(city: City) -> None:
    lent = city["event_support"]
    assert 20 <= lent["event_id"].nunique() < 22
    assert 500 <= lent["quantity"].sum() < 550


def test_services(city: City) -> None:
    assert city["service_assessments"]["area"].nunique() == 5
    canteens = city["canteens"]
    assert (canteens["phase"].nunique(), canteens["in_city_reception"].sum()) == (3, 0)
    assert set(canteens["admin_level"]) == {"市", "县", "乡"}


def test_utility_separation(city: City) -> None:
    done = city["utility_separation"]
    counts = (
        done["org_name"].nunique(),
        done["community"].nunique(),
        done["buildings"].sum(),
        done["households"].sum(),
    )
    assert counts == (27, 65, 184, 4618)
    assert done["floor_area"].sum() == pytest.approx(519_500, rel=0.05)
    first, last = done["started_on"].min(), done["handed_over_on"].max()
    assert (last.year - first.year) * 12 + last.month - first.month == 11
    assert (done["subsidy_before"] - done["subsidy_after"]).sum() >= 12_000_000


def test_car_sharing(city: City) -> None:
    first = city["timeshare_vehicles"].query("batch == 1")
    assert (first["org_name"].nunique(), first["vehicle_id"].nunique()) == (5, 20)
    assert first["start_on"].min().strftime("%Y-%m") == "2025-02"


def test_tasks_and_inspections(city: City) -> None:
    tasks = city["tasks"]
    assert set(tasks["status"]) == {"交办", "反馈", "督办", "销号"}
    assert 0.1 < (tasks["closed_on"] > tasks["due_on"]).mean() < 0.6
    found = city["inspections"]
    assert 0.9 < found["rectified_count"].sum() / found["issue_count"].sum() <= 1
