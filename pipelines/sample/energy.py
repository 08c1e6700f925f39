"""Generates the made-up returns about energy beside the monthly use: funds, solar roofs, contracts, certificates.

Belongs here and not here: as in datasets.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from pipelines.sample.lists import Lists
from pipelines.sample.world import Draft, Value, World, cents, day, parts


def retrofit_funds(w: World) -> Iterator[Draft]:
    """One plan a year, project by project; the total of the shortest stands before its rows."""
    shape, lists = w.shape["retrofit_funds"], Lists(w, "retrofit_funds", ["paid_amount", "remark"], month=9)
    for year in w.years:
        amounts, orgs = shape["planned"].get(year, []), w.own(year, 40)
        for seq, wan in enumerate(amounts, 1):
            given: dict[str, Value] = {
                "seq": seq,
                "org_name": orgs[(seq * 3 + year) % len(orgs)].name(year),
                "project_name": lists.r.choice(shape["projects"]),
                "planned_amount": Decimal(wan) * 10000,
                "fiscal_year": year,
                "paid_amount": Decimal(wan) * lists.r.choice([10000, 10000, 8000]),
                "remark": lists.r.choice([None, None, "分两批拨付"]),
            }
            lists.add(year, given)
    for draft in lists.done(2, lambda year, n: {"seq": 90 + n}):
        if len(shape["planned"].get(draft.year, [])) == 3:
            draft.layout = "total_first"
        yield draft


def pv_sites(w: World) -> Iterator[Draft]:
    """The solar roofs put on the grid in each year, and the last year's unfinished ones."""
    shape, lists = w.shape["pv_sites"], Lists(w, "pv_sites")
    for site in sites(w):
        lists.add(int(str(site["year"])), {k: v for k, v in site.items() if k != "year"})
    status = w.values("pv_sites", "status")
    for draft in lists.done(2):
        if draft.year == max(lists.drafts):
            for x in [x for x in draft.rows if not x.extra][-shape["unfinished"] :]:
                x.values |= {"grid_on": None, "status": status[1]}
        yield draft


def sites(w: World) -> list[dict[str, Value]]:
    """Every solar roof with the year it is reported in; the same each time it is asked for."""
    shape, r = w.shape["pv_sites"], w.chance("sites")
    orgs = w.own(w.years[-1], shape["units"])
    n = max(len(orgs), shape["sites"] * len(orgs) // shape["units"])
    years = [y for y in shape["grid_years"] if y in w.years] or [w.years[-1]]
    capacity = parts(r, shape["capacity_kw"], n)
    roof = parts(r, shape["roof_area"], n, weights=[c * r.uniform(0.92, 1.08) for c in capacity])
    design = parts(r, shape["design_annual_kwh"], n, weights=[c * r.uniform(0.95, 1.05) for c in capacity])
    status = w.values("pv_sites", "status")
    out: list[dict[str, Value]] = []
    for i in range(n):
        org, year = orgs[i % len(orgs)], years[i * len(years) // n]
        out.append(
            {
                "year": year,
                "site_id": f"GF{year}{i + 1:03d}",
                "org_name": org.latest,
                "site_name": f"{org.latest}{'' if i < len(orgs) else '二期'}屋顶光伏",
                "roof_area": Decimal(roof[i]),
                "capacity_kw": Decimal(capacity[i]),
                "design_annual_kwh": Decimal(design[i]),
                "grid_on": day(r, year, 1, 11),
                "status": status[2],
            }
        )
    return out


def pv_generation(w: World) -> Iterator[Draft]:
    """A line a site and month from the month after it went on the grid."""
    shape, lists = w.shape["pv_generation"], Lists(w, "pv_generation", ["feed_in_kwh"])
    roofs = sites(w)
    for site in roofs[: len(roofs) - w.shape["pv_sites"]["unfinished"]]:
        begun = site["grid_on"]
        assert isinstance(begun, dt.date)
        for year in w.years:
            for month, season in enumerate(shape["seasons"], 1):
                if (year, month) <= (begun.year, begun.month):
                    continue
                made = cents(
                    float(str(site["design_annual_kwh"]))
                    / 12
                    * season
                    * shape["against_design"]
                    * lists.r.uniform(0.9, 1.1)
                )
                used = cents(float(made) * shape["self_use"] * lists.r.uniform(0.85, 1.15))
                given: dict[str, Value] = {
                    "site_id": site["site_id"],
                    "month": f"{year}-{month:02d}",
                    "generation_kwh": made,
                    "self_use_kwh": used,
                    "feed_in_kwh": made - used,
                }
                lists.add(year, given, spare=True)
    for draft in lists.done():
        if len(draft.rows) > 4:  # power that went somewhere nobody wrote down
            lost = draft.rows[3]
            lost.values["feed_in_kwh"] = Decimal(str(lost.values["feed_in_kwh"])) + Decimal(
                str(lost.values["generation_kwh"])
            )
            lost.bad, lost.counts, lost.spare = ("feed_in_kwh", "inconsistent"), False, False
        draft.may_drop = frozenset()
        yield draft


def pv_revenue(w: World) -> Iterator[Draft]:
    """What the treasury got from the roofs, entry by entry."""
    shape, lists = w.shape["pv_revenue"], Lists(w, "pv_revenue")
    for i, amount in enumerate(parts(lists.r, shape["amount"], shape["entries"], 10000)):
        lists.add(year := lists.year(i, shape["entries"]), {"amount": Decimal(amount), "year": year})
    yield from lists.done(2)


def epc_contracts(w: World) -> Iterator[Draft]:
    """Energy contracts: those that run as the city says, and others."""
    shape, lists = w.shape["epc_contracts"], Lists(w, "epc_contracts")
    running, kinds = shape["running"], w.values("epc_contracts", "contract_type")
    states = [s for s in w.values("epc_contracts", "status") if s != running["status"]]
    orgs = w.own(w.years[-1], 30)
    total = running["units"] + shape["others"]
    for i in range(total):
        year, r = lists.year(i, total), lists.r
        start = day(r, year, 1, 10)
        baseline = Decimal(r.randint(80, 420))
        rate = Decimal(r.randint(8, 16))
        given: dict[str, Value] = {
            "org_name": orgs[i % len(orgs)].latest,
            "contract_type": running["contract_type"] if i < running["units"] else r.choice(kinds),
            "status": running["status"] if i < running["units"] else r.choice(states),
            "provider": r.choice(shape["providers"]),
            "start_on": start,
            "end_on": start.replace(year=year + r.choice([5, 8, 10])),
            "annual_fee": Decimal(r.randint(40, 260) * 10000),
            "baseline_tce": baseline,
            "guaranteed_rate": rate,
            "verified_saving_tce": cents(float(baseline * rate) / 100 * r.uniform(0.85, 1.25)),
        }
        lists.add(year, given, spare=i >= running["units"])
    yield from lists.done(1)


def recognitions(w: World) -> Iterator[Draft]:
    """Certificates, batch by batch."""
    shape, lists = w.shape["recognitions"], Lists(w, "recognitions", ["score"])
    r, last = lists.r, w.years[-1]
    organs = [o for o in w.members(last) if w.in_scope(o)]
    n = min(shape["organs"]["built"], round(len(organs) * shape["organs"]["share"]))
    waste = w.own(last, shape["waste"]["units"])

    def add(i: int, of: int, org: str, kind: str, status: str, issuer: str, spare: bool = False) -> None:
        year = lists.year(i, of)
        given: dict[str, Value] = {
            "org_name": org,
            "type": kind,
            "status": status,
            "batch": f"{year}年第{'一二'[i % 2]}批",
            "issued_on": day(r, year, 3, 11),
            "issuer": issuer,
            "score": cents(r.uniform(81, 97)),
        }
        lists.add(year, given, spare=spare)

    for i, o in enumerate(organs):
        built = i < n
        state = shape["organs"]["status"] if built else shape["organs"]["failed"]
        add(i, len(organs), o.latest, shape["organs"]["type"], state, shape["issuers"][0], spare=not built)
    for i, o in enumerate(waste):
        add(i, len(waste), o.latest, shape["waste"]["type"], shape["waste"]["status"], shape["issuers"][1])
    for i in range(shape["others"]["rows"]):
        kind = shape["others"]["type"][i % len(shape["others"]["type"])]
        add(
            i,
            shape["others"]["rows"],
            w.orgs[i % len(w.orgs)].latest,
            kind,
            shape["organs"]["status"],
            shape["issuers"][0],
            spare=True,
        )
    yield from lists.done(1, lambda year, n: {"batch": f"补录{n + 1}"})
