"""Generates each department's rows, dataset by dataset: right values in canonical units, scaled to the city's totals.

Belongs here: one generator for each dataset whose values hang together; it names columns, as it makes them. Not here:
headers, aliases, units and lists, which come from the contracts; figures of a city, which come from its shape file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

from pipelines.sample import assets, cars, energy, services
from pipelines.sample.city import Institution, credit_code
from pipelines.sample.world import Draft, Row, Value, World, cents

Generator = Callable[[World], Iterator[Draft]]


def institutions(w: World) -> Iterator[Draft]:
    """A register a year and place, collected by the bureau of the place; a later sheet corrects two rows."""
    contract = w.contracts["institutions"]
    for year in w.years:
        drafts: list[Draft] = []
        for place in dict.fromkeys(o.place for o in w.orgs):
            here = [o for o in w.members(year) if o.place == place]
            if not here:
                continue
            r = w.chance("institutions", year, place)
            rows = [Row(_institution(w, o, year, w.in_scope(o))) for o in here]
            number = 90000 + 100 * len(drafts) + year % 100
            model = here[-1]
            rows.append(Row(_unknown_name(w, model, year, number, f"{place}示范增设{year % 100}室"), extra=True))
            if not drafts:
                hidden = f"{place}示范涉密单位{year}"
                values = _unknown_name(w, model, year, number + 50, hidden) | {"classified": True}
                rows.append(Row(values, bad=("classified", "classified_refused"), counts=False))
                w.refused.append(hidden)
            drafts.append(
                Draft(
                    "institutions", year, f"{year}年{contract.title_zh}_{place}", rows, w.bureau(place),
                    dt.date(year, 2, 1), may_drop=frozenset({"in_conservation_scope"}) if r.random() < 0.1 else frozenset(),
                )
            )  # fmt: skip
        yield from drafts
        if year == w.years[len(w.years) // 2]:
            old = drafts[-1].rows[:2]
            rows = [Row(dict(x.values, floor_area=_number(x, "floor_area") + 120)) for x in old if not x.spare]
            for x in old[: len(rows)]:
                x.counts = False
            name = f"{year}年{contract.title_zh}补正表"
            yield Draft(
                "institutions",
                year,
                name,
                rows,
                f"{w.orgs[0].place}示范统计核查组",
                dt.date(year, 9, 1),
                layout="title",
                may_spoil=False,
            )


def _institution(w: World, o: Institution, year: int, in_scope: bool) -> dict[str, Value]:
    r = w.chance("institution", o.number, year)
    return w.fill("institutions", year, o.number, r, {
        "uscc": o.uscc, "org_name": o.name(year), "year": year, "org_type": o.kind, "admin_level": o.level,
        "division_code": o.place if o.division in w.shape["districts"] and o.number % 5 == 0 else o.division,
        "energy_population": o.heads[year], "floor_area": Decimal(o.area),
        "in_conservation_scope": in_scope, "classified": False,
    })  # fmt: skip


def _unknown_name(w: World, like: Institution, year: int, number: int, name: str) -> dict[str, Value]:
    return _institution(w, like, year, False) | {
        "uscc": credit_code(1, like.division, number), "org_name": name,
        "contact": w.secret("institutions", "contact", year, number),
    }  # fmt: skip


def energy_use(w: World) -> Iterator[Draft]:
    """A sheet an institution and year, twelve months each; one is sent again, corrected. `settle_energy` scales them."""
    contract, shape = w.contracts["energy_use"], w.shape["energy_use"]
    optional = frozenset(shape["price"]) | {"uscc"}
    for year in w.years:
        members = w.members(year)
        exact = year in shape["exact"]
        again = members[len(members) // 2] if year == w.years[len(w.years) // 2] and not exact else None
        for o in members:
            r = w.chance("energy", o.number, year)
            rows = []
            for month, use in enumerate(_consumption(w, o, year), 1):
                given: dict[str, Value] = dict.fromkeys(contract.by_name)
                given |= {k: cents(v) for k, v in use.items()}
                for cost, (of, price) in shape["price"].items():
                    given[cost] = cents(use[of] * price * r.uniform(0.93, 1.07))
                given |= {"org_name": o.name(year), "uscc": o.uscc, "month": f"{year}-{month:02d}"}
                rows.append(Row(w.fill("energy_use", year, month, r, given), spare=not exact))
            name, sent = f"{year}年{contract.title_zh}_{o.name(year)}", dt.date(year + 1, 1, 10)
            draft = Draft("energy_use", year, name, rows, o.name(year), sent, o.name(year), may_drop=optional)
            if o.number % 17 == 3:
                _dear(draft.rows[4], "electricity_cost", 10)
            if o is again:
                wrong = [Row(dict(x.values, electricity=_number(x, "electricity") * 10), counts=False) for x in rows]
                old = Draft("energy_use", year, name, wrong, o.name(year), dt.date(year + 1, 1, 9), o.name(year))
                old.layout, old.may_spoil = "title", False
                yield old
                draft.replaces, draft.sent, draft.may_spoil = old, dt.date(year + 1, 2, 20), False
                draft.name, draft.layout = name + "（更正）", "title"
            yield draft


def settle_energy(w: World, drafts: list[Draft]) -> None:
    """Scales each year's rows so that those that become records add up to the wanted use a head: sums over sums."""
    shape = w.shape["energy_use"]
    for year in w.years:
        people = sum(o.heads[year] for o in w.members(year))
        rows = [x for d in drafts if d.year == year for x in d.rows]
        sound = [x for x in rows if x.counts]
        energy = sum(
            float(_number(x, k)) * v for x in sound for k, v in shape["kgce"].items() if x.values.get(k) is not None
        )
        water = sum(float(_number(x, "water")) for x in sound)
        base = shape["per_head"]
        by = {
            "energy": base["energy"] * (1 + shape["energy_change"].get(year, 0) / 100) * people / energy,
            "water": base["water"] * (1 + shape["water_change"].get(year, 0) / 100) * people / water,
        }
        for x in rows:
            for c in (*shape["kgce"], "water", *shape["price"]):
                of = shape["price"].get(c, [c])[0]
                if x.values.get(c) is not None:
                    x.values[c] = cents(float(_number(x, c)) * by["water" if of == "water" else "energy"])


def _number(row: Row, column: str) -> Decimal:
    return Decimal(str(row.values[column]))


def _dear(row: Row, column: str, times: int) -> None:
    """Makes a cost doubtful: the row stays, with a warning."""
    row.values[column] = _number(row, column) * times
    row.warned, row.spare = (column, "doubtful"), False


def _consumption(w: World, o: Institution, year: int) -> list[dict[str, float]]:
    """Twelve months of one institution before scaling: carrier -> amount in its canonical unit."""
    shape = w.shape["energy_use"]
    r, once = w.chance("use", o.number, year), w.chance("carriers", o.number)
    kind, heads, since = w.shape["kinds"][o.kind], o.heads[year], year - shape["per_head"]["base"]
    yearly = {c: kind[c] * heads * o.traits["use"] for c in ("electricity", "natural_gas", "gasoline", "diesel")}
    yearly["water"] = kind["water"] * heads * o.traits["water"]
    for carrier, (share, a_head) in shape["some"].items():
        if once.random() >= share:
            yearly.pop(carrier, None)
        elif carrier not in yearly:
            yearly[carrier] = a_head * heads * once.uniform(0.6, 1.4)
    if once.random() < shape["pv"]["share"] and year >= shape["pv"]["from"]:
        yearly["pv_generation"] = shape["pv"]["kwh_a_head"] * heads
    columns = w.contracts["energy_use"].by_name
    yearly = {c: v * (1 + shape["drift"].get(c, 0)) ** since for c, v in yearly.items() if c in columns}
    own = r.uniform(0.95, 1.05)
    return [
        {c: v * own * season * r.uniform(0.94, 1.06) / 12 for c, v in yearly.items()} for season in shape["seasons"]
    ]


GENERATORS: dict[str, Generator] = {
    f.__name__: f
    for f in (
        institutions, energy_use,
        energy.retrofit_funds, energy.pv_sites, energy.pv_generation, energy.pv_revenue, energy.epc_contracts,
        energy.recognitions,
        assets.real_assets, assets.disposals, assets.leases, assets.warehouse_moves, assets.procurements,
        assets.office_rooms, assets.office_changes,
        cars.vehicles, cars.vehicle_purchases, cars.vehicle_costs, cars.parking_lots, cars.timeshare_vehicles, cars.timeshare_trips,
        services.event_support, services.service_assessments, services.utility_separation, services.canteens,
        services.policies, services.meetings, services.tasks, services.trainings, services.inspections,
    )
}  # fmt: skip
# What is put right once it is known which rows are spoiled.
SETTLERS: dict[str, Callable[[World, list[Draft]], None]] = {"energy_use": settle_energy}
