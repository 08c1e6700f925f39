"""Generates the made-up returns about official vehicles: fleet, purchases, running costs, car-sharing, car parks.

Belongs here and not here: as in datasets.py.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pipelines.sample.lists import Lists
from pipelines.sample.world import Draft, Value, World, cents, day, later, parts


@dataclass(slots=True)
class _Car:
    number: str
    org: int  # its place in World.orgs
    power: str
    price: int
    use_class: str
    since: dt.date
    km: dict[int, int]
    replaced: dt.date | None = None
    reason: str | None = None


@dataclass(slots=True)
class _Purchase:
    year: int
    old: str
    new: _Car


def _fleet(w: World) -> tuple[list[_Car], list[_Purchase]]:
    """Every vehicle with its mileage by year, and every purchase with the vehicle it replaces; the same each time."""
    shape, bought = w.shape["vehicles"], w.shape["vehicle_purchases"]
    r = w.chance("fleet")
    first, last = w.years[0], w.years[-1]
    powers = list(bought["powers"])
    orgs = [o.number for o in w.own(first, 60) if last in o.names]
    cars: list[_Car] = []
    purchases: list[_Purchase] = []

    def new(power: str, since: dt.date, org: int) -> _Car:
        low, high = bought["powers"][power]
        uses = w.values("vehicles", "use_class") if "vehicles" in w.contracts else ("",)
        car = _Car(
            f"GC{len(cars) + 1:05d}", org, power, r.randint(low // 1000, high // 1000) * 1000, r.choice(uses), since, {}
        )
        cars.append(car)
        return car

    def drive(car: _Car, a_year: int) -> None:
        km = a_year * max(0, first - car.since.year - 1) + r.randint(0, a_year)
        for year in w.years:
            if year >= car.since.year:
                km += round(a_year * r.uniform(0.8, 1.2))
                car.km[year] = km

    due = {y: bought["count"].get(y, 0) for y in w.years}
    plan = [y for y in w.years for _ in range(due[y])]
    for i in range(max(shape["fleet"], len(plan))):
        leaves = plan[i] if i < len(plan) else None
        age = r.randint(9, 12) if leaves else r.randint(0, 7)
        since = dt.date((leaves or first) - age, r.randint(1, 12), r.randint(1, 28))
        car = new(powers[0] if leaves or r.random() < 0.9 else r.choice(powers[1:]), since, orgs[i % len(orgs)])
        drive(car, r.randint(29000, 36000) if leaves else r.randint(9000, 16000))
        if leaves:
            _leave(car, leaves, shape, w.years, r)
    leaving = [c for c in cars if c.replaced]
    for year in w.years:
        fresh = bought["new_energy"].get(year, 0)
        for n, old in enumerate([c for c in leaving if c.replaced and c.replaced.year == year]):
            assert old.replaced is not None
            car = new(
                r.choice(powers[1:]) if n < fresh else powers[0],
                old.replaced - dt.timedelta(days=r.randint(1, 20)),
                old.org,
            )
            drive(car, r.randint(9000, 16000))
            purchases.append(_Purchase(year, old.number, car))
    return cars, purchases


def _leave(car: _Car, year: int, shape: dict[str, Value], years: tuple[int, ...], r: random.Random) -> None:
    """Ends a vehicle in a year: past both limits, but for a few that have a reason."""
    limits, exceptions = shape["limits"], shape["exceptions"]
    assert isinstance(limits, dict) and isinstance(exceptions, float)
    car.replaced = dt.date(year, r.randint(3, 11), r.randint(1, 28))
    if r.random() < exceptions:
        car.reason = str(shape["reason"])
        scale = 0.8 * limits["km"] / car.km[year]
    else:
        scale = max(1.0, 1.02 * limits["km"] / car.km[year])
    car.km = {y: round(km * scale) for y, km in car.km.items() if y <= year}


def vehicles(w: World) -> Iterator[Draft]:
    """The fleet at the end of each year."""
    shape, lists = w.shape["vehicles"], Lists(w, "vehicles", ["displacement", "model"])
    states = w.values("vehicles", "status")
    orgs = {o.number: o for o in w.orgs}
    for car in _fleet(w)[0]:
        for year, km in car.km.items():
            gone = car.replaced is not None and car.replaced.year == year
            given: dict[str, Value] = {
                "vehicle_id": car.number,
                "year": year,
                "org_name": orgs[car.org].name(year),
                "plate_no": _plate(w, year, car.number),
                "use_class": car.use_class,
                "power": car.power,
                "model": shape["models"][car.power],
                "displacement": Decimal("1.8") if car.power == next(iter(shape["models"])) else Decimal("1.5"),
                "price": Decimal(car.price),
                "first_registered_on": car.since,
                "odometer_km": km,
                "status": states[2] if gone else states[0],
                "replaced_on": car.replaced if gone else None,
                "exception_reason": car.reason if gone else None,
                "marked": lists.r.random() < 0.96,
                "on_platform": lists.r.random() < 0.98,
            }
            lists.add(year, given, spare=not gone and car.replaced is None)
    yield from lists.done()


def _plate(w: World, year: int, number: str) -> str:
    """A plate of a province that does not exist."""
    plate = f"示B{year % 10}{number[-4:]}"
    w.canaries[plate] = "vehicles.plate_no"
    return plate


def vehicle_purchases(w: World) -> Iterator[Draft]:
    """What was bought in place of what; planned, budgeted, approved, bought. One cost too much."""
    lists = Lists(w, "vehicle_purchases")
    orgs = {o.number: o for o in w.orgs}
    for p in _fleet(w)[1]:
        approved = p.new.since - dt.timedelta(days=lists.r.randint(5, 30))
        budget = approved - dt.timedelta(days=lists.r.randint(5, 30))
        given: dict[str, Value] = {
            "org_name": orgs[p.new.org].name(p.year),
            "year": p.year,
            "power": p.new.power,
            "price": Decimal(p.new.price),
            "plan_on": budget - dt.timedelta(days=lists.r.randint(5, 30)),
            "budget_on": budget,
            "approved_on": approved,
            "purchased_on": p.new.since,
            "replaces_vehicle_id": p.old,
        }
        lists.add(p.year, given)
    first = lists.drafts[w.years[0]].rows
    if first:
        first[0].values["price"], first[0].warned = Decimal(186000), ("price", "doubtful")
    yield from lists.done(2)


def vehicle_costs(w: World) -> Iterator[Draft]:
    """What some institutions paid each month for each service."""
    shape, lists = w.shape["vehicle_costs"], Lists(w, "vehicle_costs")
    r = lists.r
    for year in w.years:
        for o in w.own(year, shape["units"]):
            for month in range(1, 13):
                for service, (low, high) in shape["a_month"].items():
                    given: dict[str, Value] = {
                        "org_name": o.name(year),
                        "month": f"{year}-{month:02d}",
                        "service": service,
                        "amount": cents(r.uniform(low, high) * 4),
                        "at_designated": r.random() >= shape["elsewhere"],
                        "vehicle_count": 4 + o.number % 9,
                    }
                    lists.add(year, given, spare=True)
    yield from lists.done()


def timeshare_vehicles(w: World) -> Iterator[Draft]:
    """The first batch of shared cars, and a later one."""
    shape, lists = w.shape["timeshare_vehicles"], Lists(w, "timeshare_vehicles")
    for number, year, org, start, batch in _shared(w):
        given: dict[str, Value] = {"vehicle_id": number, "org_name": org, "start_on": start, "batch": batch}
        power = w.values("timeshare_vehicles", "power")[1]
        lists.add(year, given | {"power": power}, spare=batch > 1)
    assert shape["vehicles"] >= shape["units"]
    yield from lists.done(1)


def _shared(w: World) -> list[tuple[str, int, str, dt.date, int]]:
    """Shared cars: number, year, institution, first day, batch. None where the city's years end before they begin."""
    shape, r = w.shape["timeshare_vehicles"], w.chance("shared")
    start: dt.date = shape["start_on"]
    if start.year not in w.years:
        return []
    orgs = w.own(start.year, shape["units"])
    out = [
        (f"ZL{i + 1:03d}", start.year, orgs[i % len(orgs)].name(start.year), start, 1) for i in range(shape["vehicles"])
    ]
    return out + [
        (f"ZL{len(out) + i + 1:03d}", start.year, orgs[i % len(orgs)].name(start.year), later(r, start, 150, 200), 2)
        for i in range(shape["later"])
    ]


def timeshare_trips(w: World) -> Iterator[Draft]:
    """Trips of each shared car by month."""
    shape, lists = w.shape["timeshare_trips"], Lists(w, "timeshare_trips")
    r = lists.r
    for number, year, _, start, _ in _shared(w):
        for month in range(start.month, 13):
            trips = r.randint(*shape["trips"])
            given: dict[str, Value] = {"vehicle_id": number, "month": f"{year}-{month:02d}", "trips": trips}
            each: dict[str, Value] = {c: cents(trips * r.uniform(*shape[c])) for c in ("km", "minutes", "fee")}
            lists.add(year, given | each, spare=True)
    yield from lists.done()


def parking_lots(w: World) -> Iterator[Draft]:
    """The car parks opened in each year; the last sheet says that one has closed again."""
    shape, lists = w.shape["parking_lots"], Lists(w, "parking_lots", ["weekend"])
    r, last = lists.r, w.years[-1]
    orgs = w.own(last, shape["units"])
    n = max(shape["lots"], len(orgs))
    years = [y for y in shape["opened"] if y in w.years] or [last]
    for i, spaces in enumerate(parts(r, shape["spaces"], n)):
        o, year = orgs[i % len(orgs)], years[i * len(years) // n]
        given: dict[str, Value] = {
            "org_name": o.latest,
            "lot_name": f"{o.latest}第{i // len(orgs) + 1}停车场",
            "spaces": spaces,
            "weekday_hours": r.choice(shape["hours"]),
            "weekend": r.random() < 0.8,
            "started_on": day(r, year, 3, 11),
            "open": True,
        }
        lists.add(year, given)
    closed: dict[str, Value] = {"open": False, "weekday_hours": None, "weekend": False}
    for year in years:
        for i in range(3):
            name = orgs[(i + year) % len(orgs)].latest
            own: dict[str, Value] = {"org_name": name, "lot_name": f"{name}{year}年临时停车场{i + 1}", "spaces": 10 + i}
            lists.add(year, own | closed, spare=True)
    shut = lists.drafts[years[0]].rows[-1]
    again = lists.add(last, dict(shut.values))
    lists.drafts[last].rows.pop()
    shut.values["open"], shut.spare, shut.counts = True, False, False
    yield from lists.done()
    # The institution itself says so: a second sheet of the bureau for the year would replace its whole list.
    yield Draft(
        "parking_lots", last, f"{last}年{lists.contract.title_zh}变更", [again], str(shut.values["org_name"]),
        later(r, dt.date(last, 12, 24), 1, 5), layout="title", may_spoil=False,
    )  # fmt: skip
