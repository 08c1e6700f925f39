"""Generates the made-up returns about property: land, buildings, sales, leases, the warehouse, purchases, offices.

Belongs here and not here: as in datasets.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from pipelines.sample.lists import Lists
from pipelines.sample.world import Draft, Row, Value, World, cents, day, later, parts


def real_assets(w: World) -> Iterator[Draft]:
    """The sweep of land and buildings: what stood idle, other property that was counted with it, and what is sold since."""
    yield from _assets(w)[0].done()


def _assets(w: World) -> tuple[Lists, list[Row], list[Row]]:
    """The lists of assets, those that were sold (land, then buildings) and those that are let; the same each time."""
    shape, lists = w.shape["real_assets"], Lists(w, "real_assets", ["accumulated_depreciation", "net_value"])
    r = lists.r
    kinds = w.values("real_assets", "kind")

    def add(year: int, kind: str, area: int, status: str, spare: bool) -> Row:
        value = Decimal(area * r.randint(900, 3600))
        worn = (
            (value * Decimal(str(round(r.uniform(0.1, 0.7), 2)))).quantize(Decimal(1))
            if kind == kinds[1]
            else Decimal(0)
        )
        given: dict[str, Value] = {
            "org_name": r.choice(w.members(year) if spare else w.own(year, 60)).name(year),
            "kind": kind,
            "land_area": Decimal(area) if kind == kinds[0] else None,
            "floor_area": Decimal(area) if kind == kinds[1] else None,
            "use_status": status,
            "found_on": day(r, year),
            "sweep": shape["sweep"],
            "original_value": value,
            "accumulated_depreciation": worn,
            "net_value": value - worn,
        }
        return lists.add(year, given, spare=spare)

    for kind in kinds:
        total, n = shape["idle"][kind]
        for i, area in enumerate(parts(r, total, n, 10)):
            add(lists.year(i, n), kind, area, shape["idle"]["use_status"], False)
    let = []
    for year in w.years:
        for _ in range(shape["others"]["rows"]):
            kind, area, status = r.choice(kinds), r.randint(12, 900) * 10, r.choice(shape["others"]["use_status"])
            row = add(year, kind, area, status, status != shape["others"]["let"])
            let += [row] if not row.spare else []
    sold, first = w.shape["disposals"]["sold"], w.years[0]
    areas = [(kinds[0], a) for a in sold["land"]] + [(kinds[1], a) for a in sold["buildings"]]
    gone = [add(first, kind, a, shape["sold"], False) for kind, a in areas]
    return lists, gone, let


def disposals(w: World) -> Iterator[Draft]:
    """The sales by listing that the totals need, and other disposals beside them; one went below its appraisal."""
    shape, lists = w.shape["disposals"], Lists(w, "disposals", ["asset_id"])
    sold, r = shape["sold"], lists.r
    kinds = w.values("disposals", "area_kind")
    wanted = [(kinds[0], a) for a in sold["land"]] + [(kinds[1], a) for a in sold["buildings"]]
    methods = [m for m in w.values("disposals", "method") if m != sold["method"]]
    gone = _assets(w)[1]

    def add(year: int, given: dict[str, Value], spare: bool) -> None:
        approved = day(r, year, 1, 4)
        listed = later(r, approved, 10, 60)
        deal = Decimal(str(given["deal_amount"]))
        own: dict[str, Value] = {
            "asset_id": None,  # a number that no list holds would be a warning that nobody planted
            "org_name": r.choice(w.members(year) if spare else w.own(year, 60)).name(year),
            "approved_on": approved,
            "listed_on": listed,
            "sold_on": later(r, listed, 20, 90),
            "appraised_value": (deal * Decimal(r.choice(["0.97", "0.95", "0.9"]))).quantize(Decimal(1)),
            "treasury_amount": (deal * Decimal(str(sold["treasury"]))).quantize(Decimal(1)),
        }
        lists.add(year, own | given, spare=spare)

    for i, ((kind, area), income) in enumerate(zip(wanted, parts(r, sold["income"], len(wanted), 10000), strict=True)):
        given: dict[str, Value] = {"method": sold["method"], "status": sold["status"], "area_kind": kind}
        given |= {c: gone[i].values[c] for c in ("asset_id", "org_name")}
        add(w.years[i % len(w.years)], given | {"area": Decimal(area), "deal_amount": Decimal(income)}, False)
    for year in w.years:
        for _ in range(shape["others"]):
            given = {"method": r.choice(methods), "area": Decimal(r.randint(4, 90) * 10)}
            add(year, given | {"deal_amount": Decimal(r.randint(20, 400) * 10000)}, True)
        r.shuffle(lists.drafts[year].rows)
    low = next(x for x in lists.drafts[w.years[-1]].rows if x.spare)
    low.values["appraised_value"] = Decimal(str(low.values["deal_amount"])) * 2
    low.warned, low.spare = ("deal_amount", "doubtful"), False
    yield from lists.done()


def leases(w: World) -> Iterator[Draft]:
    """Leases by the year they began; those that run still, and those that have ended."""
    shape, lists = w.shape["leases"], Lists(w, "leases", ["award_method"])
    running, r, let = shape["running"], lists.r, _assets(w)[2]

    def add(year: int, rent: int, status: str, length: int, spare: bool) -> None:
        start = day(r, year)
        asset = let[lists.number % len(let)].values if let and status == running["status"] else {}
        given: dict[str, Value] = {
            "asset_id": asset.get("asset_id"),
            "org_name": r.choice(w.members(year) if spare else w.own(year, 60)).name(year),
            "area": Decimal(r.randint(18, 620)),
            "annual_rent": Decimal(rent),
            "start_on": start,
            "end_on": start.replace(year=year + length) if length else start + dt.timedelta(days=150),
            "received": Decimal(rent) * Decimal(r.choice(["1", "1", "1", "0.5"])),
            "status": status,
        }
        lists.add(year, given, spare=spare)

    for i, rent in enumerate(parts(r, running["annual_rent"], running["count"], 100)):
        add(lists.year(i, running["count"]), rent, running["status"], 12, False)
    for year in w.years:
        for _ in range(shape["others"]["rows"]):
            add(year, r.randint(80, 900) * 100, r.choice(shape["others"]["status"]), 0, True)
    yield from lists.done()


def warehouse_moves(w: World) -> Iterator[Draft]:
    """Things that went out of the public warehouse, and some that came in."""
    shape, lists = w.shape["warehouse_moves"], Lists(w, "warehouse_moves", ["category_code"])
    out, r = shape["out"], lists.r
    items = list(shape["items"].items())
    amounts = parts(r, out["quantity"], out["moves"])
    chosen = [r.choice(items) for _ in amounts]
    dear = [n * price for n, (_, (_, _, price)) in zip(amounts, chosen, strict=True)]
    values = parts(r, out["original_value"], out["moves"], 100, weights=dear)
    units = w.values("warehouse_moves", "unit")

    def add(year: int, name: str, direction: str, quantity: int, value: int, spare: bool) -> None:
        moved = day(r, year, 1, 11)
        unit, code, _ = shape["items"][name]
        given: dict[str, Value] = {
            "item_name": name,
            "category_code": code,
            "quantity": quantity,
            "unit": unit if unit in units else units[0],
            "original_value": Decimal(value),
            "direction": direction,
            # by the name of now: nobody merges an older one in a column that names a second institution
            "from_org": w.bureau() if direction == out["direction"] else r.choice(w.own(year, 60)).latest,
            "to_org": r.choice(w.own(year, 60)).latest if direction == out["direction"] else w.bureau(),
            "moved_on": moved,
            "returned_on": later(r, moved, 5, 90) if r.random() < 0.3 else None,
        }
        lists.add(year, given, spare=spare)

    for i, (n, value, (name, _)) in enumerate(zip(amounts, values, chosen, strict=True)):
        add(lists.year(i, len(amounts)), name, out["direction"], n, value, False)
    for year in w.years:
        for _ in range(shape["back"]["rows"]):
            name, (_, _, price) = r.choice(items)
            n = r.randint(1, 12)
            add(year, name, shape["back"]["direction"], n, n * price, True)
    yield from lists.done()


def procurements(w: World) -> Iterator[Draft]:
    """Framework purchases, property services with their two savings, the designated services, and other contracts."""
    shape, lists = w.shape["procurements"], Lists(w, "procurements")
    frame, house, r = shape["framework"], shape["property"], lists.r
    empty: dict[str, Value] = dict.fromkeys(
        ["framework_type", "reference_price", "reported_cap", "approved_cap", "award_price"]
    )

    def add(year: int, given: dict[str, Value], spare: bool = False) -> None:
        awarded = day(r, year, 2, 11)
        own: dict[str, Value] = {
            "org_name": r.choice(w.members(year) if spare else w.own(year, 60)).name(year),
            "award_on": awarded,
            "end_on": awarded.replace(year=year + 1),
            "supplier": f"示范供应商{r.choice('甲乙丙丁戊己庚辛')}公司",
        }
        lists.add(year, empty | own | given, spare=spare)

    for i, saved in enumerate(parts(r, frame["saving"], frame["contracts"], 100)):
        price = saved * r.randint(6, 14)
        kind = r.choice(w.values("procurements", "framework_type"))
        given: dict[str, Value] = {
            "method": frame["method"],
            "category": r.choice(frame["category"]),
            "framework_type": kind,
        }
        add(
            lists.year(i, frame["contracts"]),
            given | {"reference_price": Decimal(price + saved), "contract_price": Decimal(price)},
        )
    years = [y for y in house["years"] if y in w.years]
    n = house["contracts"] if years else 0
    cuts, wins = (parts(r, house[k], n, 1000) if n else [] for k in ("cut", "won"))
    for i, (cut, won) in enumerate(zip(cuts, wins, strict=True)):
        price = (cut + won) * r.randint(3, 6)
        given = {
            "method": house["method"],
            "category": house["category"],
            "contract_price": Decimal(price),
            "award_price": Decimal(price),
        }
        add(
            years[i * len(years) // n],
            given | {"approved_cap": Decimal(price + won), "reported_cap": Decimal(price + won + cut)},
        )
    for year in w.years:
        for category in shape["services"]["category"]:
            given = {
                "method": shape["services"]["method"],
                "framework_type": shape["services"]["framework_type"],
                "category": category,
            }
            add(
                year,
                given | {"contract_price": Decimal(r.randint(30, 180) * 10000), "end_on": dt.date(year + 2, 12, 31)},
            )
        for _ in range(shape["others"]["rows"]):
            given = {"method": r.choice(shape["others"]["method"]), "category": shape["others"]["category"]}
            add(year, given | {"contract_price": Decimal(r.randint(3, 60) * 1000)}, spare=True)
    yield from lists.done(1)


def office_rooms(w: World) -> Iterator[Draft]:
    """Offices by building and rank; a few are larger than the rank allows."""
    shape, lists = w.shape["office_rooms"], Lists(w, "office_rooms", month=11)
    r, own = lists.r, next(iter(w.shape["levels"]))
    ranks = [x for x in w.values("office_rooms", "rank") if x in shape["area"]]
    for year in w.years:
        for o in w.own(year, shape["units"]):
            half = [x for x in ranks if ("科" in x) != (o.level == own)]
            for rank in half:
                heads = r.randint(1, 4) if rank != half[-1] else r.randint(8, 60)
                over = 1.6 if r.random() < shape["over"] else r.uniform(0.85, 1.05)
                given: dict[str, Value] = {
                    "org_name": o.name(year),
                    "building": f"示范{'一二三'[o.number % 3]}号楼",
                    "rank": rank,
                    "headcount": heads,
                    "used_area": cents(heads * shape["area"][rank] * over),
                    "year": year,
                    "id_card": _identity(w, year, lists.number + 1),
                }
                lists.add(year, given, spare=True)
    yield from lists.done()


def _identity(w: World, year: int, number: int) -> str:
    """An identity number of the right form for a place that does not exist (99 begins no division)."""
    text = f"990000{1960 + number % 40}{number % 12 + 1:02d}{number % 28 + 1:02d}{(year * 7 + number) % 1000:03d}"
    weights = [pow(2, 17 - i, 11) for i in range(17)]
    out = text + "10X98765432"[sum(int(c) * k for c, k in zip(text, weights, strict=True)) % 11]
    w.canaries[out] = "office_rooms.id_card"
    return out


def office_changes(w: World) -> Iterator[Draft]:
    """Space that was vacated, and offices moved, adjusted, sealed or put right."""
    shape, lists = w.shape["office_changes"], Lists(w, "office_changes", ["area_basis"])
    vacated, r = shape["vacated"], lists.r
    for i, area in enumerate(parts(r, vacated["area"], vacated["rows"], 10)):
        year = lists.year(i, vacated["rows"])
        given: dict[str, Value] = {
            "org_name": r.choice(w.own(year, 60)).name(year),
            "change": vacated["change"],
            "area": Decimal(area),
            "area_basis": w.values("office_changes", "area_basis")[0],
            "project": shape["projects"][i % len(shape["projects"])],
        }
        lists.add(year, given)
    for year in w.years:
        for _ in range(shape["others"]["rows"]):
            given = {
                "org_name": r.choice(w.members(year)).name(year),
                "change": r.choice(shape["others"]["change"]),
                "area": Decimal(r.randint(12, 400)),
                "project": None,
            }
            lists.add(year, given, spare=True)
    yield from lists.done()
