"""Generates the made-up returns about services, reform and the bureau's own work.

Belongs here and not here: as in datasets.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from pipelines.sample.lists import Lists
from pipelines.sample.world import Draft, Value, World, cents, day, later, parts


def event_support(w: World) -> Iterator[Draft]:
    """Things lent to events, item by item."""
    shape, lists = w.shape["event_support"], Lists(w, "event_support")
    r, items = lists.r, list(shape["items"].items())
    kinds = w.values("event_support", "event_type")
    chosen = [(event, item) for event in range(shape["events"]) for item in r.sample(items, 3)]
    dates: dict[int, tuple[dt.date, dt.date]] = {}
    for (event, (name, unit)), quantity in zip(chosen, parts(r, shape["quantity"], len(chosen)), strict=True):
        year = lists.year(event, shape["events"])
        if event not in dates:
            begun = day(r, year, 1, 11)
            dates[event] = (begun, later(r, begun, 1, 25))
        given: dict[str, Value] = {
            "event_id": f"HD{year}{event + 1:02d}",
            "event_type": kinds[event % len(kinds)],
            "event_name": f"示范活动{event + 1}",
            "item_name": name,
            "quantity": quantity,
            "unit": unit,
            "from_warehouse": r.random() < 0.7,
            "start_on": dates[event][0],
            "end_on": dates[event][1],
        }
        lists.add(year, given)
    yield from lists.done(1, lambda year, n: {"item_name": f"补登物资{n + 1}"})


def service_assessments(w: World) -> Iterator[Draft]:
    """A score for each compound, service and month."""
    shape, lists = w.shape["service_assessments"], Lists(w, "service_assessments")
    for year in w.years:
        for compound in w.values("service_assessments", "compound"):
            for area in w.values("service_assessments", "area"):
                for month in range(1, 13):
                    given: dict[str, Value] = {
                        "compound": compound,
                        "area": area,
                        "month": f"{year}-{month:02d}",
                        "score": cents(lists.r.uniform(shape["low"], shape["high"])),
                        "issues": lists.r.randint(0, 5),
                    }
                    lists.add(year, given, spare=True)
    yield from lists.done()


def utility_separation(w: World) -> Iterator[Draft]:
    """Housing compounds handed to the utilities, from the first start to the last handing over."""
    shape, lists = w.shape["utility_separation"], Lists(w, "utility_separation", month=6)
    r, n = lists.r, shape["communities"]
    begun, ended = shape["started_on"], shape["handed_over_on"]
    year = next((y for y in w.years if y >= ended.year), w.years[-1])
    orgs = w.own(year, shape["units"])
    buildings = parts(r, shape["buildings"], n)
    households = parts(r, shape["households"], n, weights=[b * r.uniform(0.9, 1.1) for b in buildings])
    area = parts(r, shape["floor_area"], n, 20, weights=[h * r.uniform(0.9, 1.1) for h in households])
    before = parts(r, shape["before"], n, 1000, weights=area)
    saved = parts(r, shape["saving"], n, 1000, weights=before)
    for i in range(n):
        start = later(r, begun, 0, 60) if i else begun
        given: dict[str, Value] = {
            "org_name": orgs[i % len(orgs)].name(year),
            "community": f"示范{i + 1}号小区",
            "buildings": buildings[i],
            "households": households[i],
            "floor_area": Decimal(area[i]),
            "started_on": start,
            "handed_over_on": ended - dt.timedelta(days=r.randint(0, 90)) if i else ended,
            "subsidy_before": Decimal(before[i]),
            "subsidy_after": Decimal(before[i] - min(saved[i], before[i])),
        }
        lists.add(year, given)
    yield from lists.done(2, lambda year, n: {"community_id": f"XQ9{n:02d}", "community": f"示范补录{n + 1}号小区"})


def canteens(w: World) -> Iterator[Draft]:
    """Canteens by month, from the day each was connected."""
    shape, lists = w.shape["canteens"], Lists(w, "canteens", ["official_meal_amount"])
    r, levels = lists.r, w.values("canteens", "admin_level")
    orgs = w.own(w.years[-1], len(shape["phases"]) * shape["each"])
    for i, (phase, on) in enumerate((p, d) for p, d in shape["phases"].items() for _ in range(shape["each"])):
        size = r.randint(900, 6000)
        for year in w.years:
            for month in range(1, 13):
                if (year, month) <= (on.year, on.month):
                    continue
                official = r.randint(4, 60)
                given: dict[str, Value] = {
                    "canteen_id": f"ST{i + 1:03d}",
                    "org_name": orgs[i % len(orgs)].latest,
                    "admin_level": levels[i % len(levels)],
                    "phase": phase,
                    "connected_on": on,
                    "month": f"{year}-{month:02d}",
                    "meals": round(size * r.uniform(0.85, 1.1)),
                    "official_meals": official,
                    "official_meal_amount": Decimal(official * 40),
                    "in_city_reception": Decimal(0),
                }
                lists.add(year, given, spare=True)
    yield from lists.done()


def policies(w: World) -> Iterator[Draft]:
    """One basic rule, one for each key area, and more below them."""
    shape, lists = w.shape["policies"], Lists(w, "policies", ["doc_no"])
    r, areas = lists.r, shape["areas"]
    tiers, states = w.values("policies", "tier"), w.values("policies", "status")
    wanted: list[tuple[str, str | None, str]] = [(tiers[0], None, "示范机关事务管理办法")]
    wanted += [(tiers[1], a, f"示范{a}管理办法") for a in areas]
    wanted += [
        (tiers[2], areas[i % len(areas)], f"示范{areas[i % len(areas)]}实施细则之{i + 1}") for i in range(shape["more"])
    ]
    for i, (tier, area, title) in enumerate(wanted):
        given: dict[str, Value] = {
            "title": title,
            "system": shape["system"],
            "tier": tier,
            "area": area,
            "status": states[0],
        }
        year = lists.year(i, len(wanted))
        lists.add(year, given | {"doc_no": f"示范发〔{year}〕{i + 1}号", "issued_on": day(r, year)})
    other = w.values("policies", "system")[-1]
    for i in range(shape["others"]):
        given = {"title": f"示范工作制度{i + 1}", "system": other, "tier": None, "area": None}
        lists.add(lists.year(i, shape["others"]), given, spare=True)
    yield from lists.done(1)


def meetings(w: World) -> Iterator[Draft]:
    """One meeting a month and, where the city keeps a list of them, one a week."""
    shape, lists = w.shape["meetings"], Lists(w, "meetings")
    for year in w.years:
        for month in range(1, 13):
            lists.add(
                year,
                {
                    "type": shape["monthly"],
                    "held_on": day(lists.r, year, month, month),
                    "topics": lists.r.randint(3, 12),
                },
            )
        held = dt.date(year, 1, 1)
        while (
            "weekly" in shape and held.year == year
        ):  # the Friday of each week, or the last day of the year that the week has
            friday = held + dt.timedelta(days=(4 - held.weekday()) % 7)
            if held.weekday() > 4:  # a year that begins at a weekend: that week's days are few, but it is a week
                friday = held
            on = min(friday, dt.date(year, 12, 31))
            lists.add(year, {"type": shape["weekly"], "held_on": on, "topics": lists.r.randint(2, 8)})
            held = on + dt.timedelta(days=7 - on.weekday())
    yield from lists.done(1, lambda year, n: {"held_on": dt.date(year, 3 + n, 3), "topics": 90})


def tasks(w: World) -> Iterator[Draft]:
    """Tasks on their way through four states; some late, the newest still open."""
    shape, lists = w.shape["tasks"], Lists(w, "tasks")
    r, states = lists.r, w.values("tasks", "status")
    for year in w.years:
        for _ in range(shape["a_year"]):
            assigned = day(r, year, 1, 11)
            due = later(r, assigned, 15, 60)
            feedback = later(r, assigned, 3, 30)
            closed = later(r, feedback, 1, 40)
            reached = 3 if year != w.years[-1] or assigned.month < 9 else r.randint(0, 3)
            given: dict[str, Value] = {
                "source": r.choice(shape["sources"]),
                "area": r.choice(shape["areas"]),
                "owner_dept": r.choice(shape["departments"]),
                "assigned_on": assigned,
                "due_on": due,
                "feedback_on": feedback if reached >= 1 else None,
                "supervised_on": later(r, feedback, 0, 1) if reached >= 2 else None,
                "closed_on": closed if reached >= 3 else None,
                "status": states[reached],
            }
            lists.add(year, given, spare=True)
    yield from lists.done()


def trainings(w: World) -> Iterator[Draft]:
    """Trainings that the total counts, and others."""
    shape, lists = w.shape["trainings"], Lists(w, "trainings", ["hours"])
    counted, r = shape["counted"], lists.r
    for i, n in enumerate(parts(r, counted["attendees"], counted["sessions"])):
        given: dict[str, Value] = {"topic": counted["topic"][i % len(counted["topic"])], "attendees": n}
        lists.add(lists.year(i, counted["sessions"]), given | {"hours": Decimal(r.choice([3, 6, 12]))})
    for year in w.years:
        for _ in range(shape["others"]["rows"]):
            given = {"topic": r.choice(shape["others"]["topic"]), "attendees": r.randint(20, 90)}
            lists.add(year, given | {"hours": Decimal(r.choice([3, 6]))}, spare=True)
    yield from lists.done()


def inspections(w: World) -> Iterator[Draft]:
    """Inspections, what they found and what was put right."""
    shape, lists = w.shape["inspections"], Lists(w, "inspections")
    r = lists.r
    for year in w.years:
        for _ in range(shape["a_year"]):
            found = r.randint(1, 14)
            given: dict[str, Value] = {
                "area": r.choice(shape["areas"]),
                "issue_count": found,
                "rectified_count": found - (r.random() < 0.15),
                "notices": r.choice([0, 0, 1]),
            }
            lists.add(year, given, spare=True)
    yield from lists.done()
