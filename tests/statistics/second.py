"""The figures a second time, in Python's decimals, from the records and the seeds: nothing of the project's SQL is used here.

`facts_of_records` counts the themes of the register, energy, funds and the fleet's costs anew; `values` makes indicator values
of facts, whoever counted them: sums, ratios, periods, changes, and their rounding. Amounts are Decimal in the unit of the
measure (kgce, kgCO2, kWh, m³, 元, ㎡, people).
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"
Cell = tuple[str, int, str, str, str]  # indicator_id, year, dimension, member, factor_set
Record = Mapping[str, Any]
CARRIERS = ("electricity", "natural_gas", "gasoline", "diesel", "coal", "lpg", "heat", "other_energy")
MILLIONTH = Decimal("0.000001")
UNKNOWN = ("unknown", "unknown", "unknown")
# Energy, water and their costs over the years stand in the total alone.
IN_THE_TOTAL = {
    "energy_kgce",
    "energy_tce",
    *CARRIERS[:2],
    "water",
    "electricity_cost",
    "water_cost",
    "utility_cost",
    "co2_electricity",
}


@dataclass(frozen=True)
class Fact:
    """How much of a measure an institution has in a year; `where`: its district, kind and level then."""

    measure: str
    factor_set: str
    year: int
    org: str
    breakdown: str
    member: str
    where: tuple[str, str, str]
    amount: Decimal


@dataclass(frozen=True)
class Span:
    """The years of one of the city's periods, the last of them that has come, and the year that changes are measured from."""

    start: int
    last: int
    base: int | None

    @property
    def name(self) -> str:
        return f"{self.start}-{self.last}"


@dataclass(frozen=True)
class Plan:
    """The city's periods in order, its name and its grid."""

    spans: tuple[Span, ...]
    name_en: str
    grid: str

    def base_of(self, year: int) -> int | None:
        """What a year is measured from: the base year of the last period that had begun, if it lies before the year."""
        begun = [s for s in self.spans if s.start <= year] or [self.spans[0]]
        base = begun[-1].base
        return base if base is not None and base < year else None


# What an institution stated of a measure in a year that two years must have in common; None where it cannot be compared.
Stated = dict[tuple[str, str, int], Any]


def seed(name: str) -> list[dict[str, str | None]]:
    with (SEEDS / f"seed_{name}.csv").open(encoding="utf-8", newline="") as f:
        return [{k: v or None for k, v in r.items()} for r in csv.DictReader(f)]


def records(folder: Path, dataset: str) -> list[dict[str, Any]]:
    """The rows of an internal table, which is one Parquet file, or a folder of them."""
    path = folder / dataset
    return pq.read_table(path if path.is_dir() else path.with_suffix(".parquet")).to_pylist()


def plan_of(folder: Path, as_of: dt.date) -> Plan:
    """The plan that HOME/work/city states."""
    (city,) = records(folder, "city")
    spans = tuple(
        Span(p["first_year"], max(min(p["last_year"], as_of.year), p["first_year"]), p["base_year"])
        for p in sorted(records(folder, "periods"), key=lambda p: p["first_year"])
    )
    return Plan(spans, city["name_en"], city["grid_region"])


def exact(x: float | int | None) -> Decimal | None:
    """A number of a record: to six places, half up; none of 10^16 or more."""
    if x is None or abs(x) >= 1e16:
        return None
    return Decimal(repr(x)).quantize(MILLIONTH, ROUND_HALF_UP)


def half_up(x: Decimal, decimals: int) -> Decimal:
    return x.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


# The register


class Register:
    """Who is who, and what each was in a year: the register of the year, else of the nearest before, else after."""

    def __init__(self, rows: list[dict[str, Any]]):
        # the last file (then sheet, then row) that lists an institution in a year speaks
        self.rows: dict[tuple[str, int], dict[str, Any]] = {}
        for r in sorted(rows, key=lambda r: (r["_file"], r["_sheet"], r["_row"])):
            if r["uscc"] is not None and r["year"] is not None:
                self.rows[r["uscc"], r["year"]] = r
        self.names: dict[str, str] = {}
        by_code = sorted(rows, key=lambda r: r["uscc"] or "", reverse=True)
        for r in sorted(
            by_code, key=lambda r: r["year"] or 0
        ):  # of two that had a name, the later one, then the lower code
            self.names[r["org_name"]] = r["uscc"]
        self.years: dict[str, list[int]] = defaultdict(list)
        for org, year in self.rows:
            self.years[org].append(year)

    def org(self, name: str) -> str:
        return self.names.get(name) or name

    def where(self, org: str, year: int) -> tuple[str, str, str]:
        years = self.years.get(org)
        if not years:
            return UNKNOWN
        nearest = min(years, key=lambda y: (y > year, abs(y - year)))
        r = self.rows[org, nearest]
        return tuple(r[c] or "unknown" for c in ("division_code", "org_type", "admin_level"))  # type: ignore[return-value]


# Factors


class Factors:
    """What a unit of a carrier comes to in kgce and kgCO2, by factor set and year."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.factors = {r["factor_id"]: r for r in seed("factors")}
        self.sets: dict[tuple[str, str, str], dict[str, str | None]] = {}
        rows = [r for r in seed("factor_sets") if self._ours(r)]
        for r in rows:
            self.sets[r["factor_set"], r["metric"], r["carrier"]] = r  # type: ignore[index]
        for (_, metric, carrier), r in list(self.sets.items()):
            if r["factor_set"] == "default":
                for name in {s for s, m, _ in self.sets if m == metric}:
                    self.sets.setdefault((name, metric, carrier), r)

    def _ours(self, r: Mapping[str, str | None]) -> bool:
        """What a city's statements imply is for that city alone."""
        factor = self.factors.get(r["factor_id"] or "")
        return factor is None or factor["basis"] != "原文隐含" or factor["region"] == self.plan.name_en

    def per_unit(self, name: str, metric: str, carrier: str, year: int) -> Decimal | None:
        r = self.sets.get((name, metric, carrier))
        if r is None:
            return None
        value = Decimal(1)
        if r["factor_id"]:
            value = Decimal(self.factors[r["factor_id"]]["value"] or "1")
        elif r["basis"]:
            value = self._of_year(r, metric, carrier, year)
        density = self.factors.get(r["density_id"] or "")
        value *= Decimal(density["value"] or "1") if density else 1
        return half_up(value * Decimal(r["multiplier"] or "1"), 6)

    def _of_year(self, r: Mapping[str, str | None], metric: str, carrier: str, year: int) -> Decimal:
        """The city's own grid before the country's; that of the year, else the latest before, else the first; or the newest."""
        city = r["region"] == "city"
        region = self.plan.grid if city else r["region"]
        newest = r["newest"] == "true"

        def fits(f: Mapping[str, str | None]) -> bool:
            same = f["carrier"] == carrier and f["metric"] == metric
            own = f["basis"] == r["basis"] and f["region"] == region
            return same and (own or (city and f["region"] == "CN" and f["basis"] == "全国平均"))

        found = [f for f in self.factors.values() if fits(f)]
        if not found:
            return Decimal(1)
        own = [f for f in found if f["region"] == self.plan.grid] or found
        by_year = {int(f["valid_year"] or 0): f for f in own}
        if newest:
            chosen = max(by_year)
        else:
            before = [y for y in by_year if y <= year]
            chosen = max(before) if before else min(by_year)
        return Decimal(by_year[chosen]["value"] or "1")


# Facts from records


def facts_of_records(folder: Path, plan: Plan) -> tuple[list[Fact], Stated, dict[int, frozenset[int]]]:
    """The facts of register, energy, funds and running costs; what was stated of each; and the months reported by year."""
    register = Register(records(folder, "institutions"))
    out: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)

    def add(
        measure: str, factor_set: str, year: int, org: str, amount: Decimal | None, bd: str = "", member: str = ""
    ) -> None:
        if amount is not None:
            out[measure, factor_set, year, org, bd, member] += amount

    for (org, year), r in register.rows.items():
        add("institutions", "none", year, org, Decimal(1))
        add("people", "none", year, org, exact(r["energy_population"]))
        add("floor_area", "none", year, org, exact(r["floor_area"]))
    used, stated, months = _energy(folder, register)
    _convert(used, Factors(plan), add)
    for r in records(folder, "retrofit_funds"):
        if r["fiscal_year"] is not None:
            org = register.org(r["org_name"])
            add("retrofit_projects", "none", r["fiscal_year"], org, Decimal(1))
            add("retrofit_funds_planned", "none", r["fiscal_year"], org, exact(r["planned_amount"]))
            add("retrofit_funds_paid", "none", r["fiscal_year"], org, exact(r["paid_amount"]))
    stated |= _running_costs(folder, register, add)
    facts = [Fact(m, f, y, o, b, x, register.where(o, y), a) for (m, f, y, o, b, x), a in out.items()]
    return facts, stated, months


def _energy(
    folder: Path, register: Register
) -> tuple[dict[tuple[str, str, int, str], Decimal], Stated, dict[int, frozenset[int]]]:
    """Quantities by carrier, institution, year and file (each file is converted by itself); what was stated; months by year."""
    items = (*CARRIERS, "water", "electricity_cost", "water_cost")
    used: dict[tuple[str, str, int, str], Decimal] = defaultdict(Decimal)
    months: dict[tuple[str, int], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    by_year: dict[int, set[int]] = defaultdict(set)
    for r in records(folder, "energy_use"):
        year, month, org = int(r["month"][:4]), int(r["month"][5:7]), register.org(r["org_name"])
        for item in items:
            amount = exact(r[item])
            if amount is not None:
                used[item, org, year, f"{r['_file']}/{r['_sheet']}"] += amount
                months[org, year][item].add(month)
                by_year[year].add(month)
    stated: Stated = {}
    for (org, year), m in months.items():
        for measure, needed in {
            "energy_kgce": ("electricity",), "co2_electricity": ("electricity",), "electricity": ("electricity",),
            "water": ("water",), "natural_gas": ("natural_gas",),
            "electricity_cost": ("electricity_cost", "water_cost"), "water_cost": ("electricity_cost", "water_cost"),
            "utility_cost": ("electricity_cost", "water_cost"),
        }.items():  # fmt: skip
            of_each = [frozenset(m.get(i, ())) for i in needed]
            stated[measure, org, year] = of_each[0] if of_each[0] and len(set(of_each)) == 1 else None
    return used, stated, {y: frozenset(m) for y, m in by_year.items()}


def _convert(used: Mapping[tuple[str, str, int, str], Decimal], factors: Factors, add: Callable[..., None]) -> None:
    for (item, org, year, _), amount in used.items():
        if item in ("electricity", "natural_gas", "water", "electricity_cost", "water_cost"):
            add(item, "none", year, org, amount)
        if item in ("electricity_cost", "water_cost"):
            add("utility_cost", "none", year, org, amount)
        for name, metric in {(s, m) for s, m, c in factors.sets if c == item}:
            per_unit = factors.per_unit(name, metric, item, year)
            assert per_unit is not None
            converted = half_up(amount * per_unit, 6)
            bd, member = ("", "") if name == "default" else ("total", "all")
            add("energy_kgce" if metric == "kgce" else "co2_electricity", name, year, org, converted, bd, member)
            if metric == "kgce" and name == "default":
                add("energy_kgce", name, year, org, converted, "carrier", item)


def _running_costs(folder: Path, register: Register, add: Callable[..., None]) -> Stated:
    """The fleet's costs by service; the vehicles they are for are the most that a unit named in the year."""
    months: dict[tuple[str, int], set[int]] = defaultdict(set)
    services: dict[tuple[str, int], set[str]] = defaultdict(set)
    vehicles: dict[tuple[str, int], Decimal] = {}
    for r in records(folder, "vehicle_costs"):
        year, org = int(r["month"][:4]), register.org(r["org_name"])
        amount, service = exact(r["amount"]), r["service"] or "unknown"
        for bd, member in (("", ""), ("service", service)):
            add("vehicle_cost", "none", year, org, amount, bd, member)
            add("vehicle_cost_designated", "none", year, org, amount if r["at_designated"] else Decimal(0), bd, member)
        months[org, year].add(int(r["month"][5:7]))
        services[org, year].add("加油或充电" if service in ("加油", "充电") else service)
        if r["vehicle_count"] is not None:
            vehicles[org, year] = max(vehicles.get((org, year), Decimal(0)), Decimal(r["vehicle_count"]))
    for (org, year), n in vehicles.items():
        add("vehicle_cost_vehicles", "none", year, org, n)
    return {
        ("vehicle_cost", org, year): (frozenset(m), frozenset(services[org, year])) for (org, year), m in months.items()
    }


# Values from facts


@dataclass
class _Part:
    indicator: str
    factor_set: str
    year: int
    org: str
    breakdown: str
    member: str
    where: tuple[str, str, str]
    top: Decimal
    bottom: Decimal | None
    matched: bool


Sums = dict[tuple[str, str, int, str, str], list[Decimal]]  # [numerator, denominator] by address


Crosses = frozenset[tuple[str, str]]  # indicators and breakdowns that are crossed with the level


def values(
    facts: Iterable[Fact],
    stated: Stated,
    months: Mapping[int, frozenset[int]],
    plan: Plan,
    crosses: Crosses = frozenset(),
) -> dict[Cell, Decimal | None]:
    """Every indicator value that the facts give, rounded; None where there is no denominator or nothing to compare."""
    indicators = seed("indicators")
    parts = _parts(list(facts), indicators)
    out: dict[Cell, Decimal | None] = {}
    with localcontext() as c:
        c.prec = 100  # a quotient that ends exactly on a half has far fewer digits
        sums: dict[str, Sums] = {}
        for i in indicators:
            name = str(i["indicator_id"])
            if i["numerator"]:
                sums[name] = _sums(parts[name], i, plan, crosses)
                for (fs, year, dim, member), (top, bottom) in sums[name].items():  # type: ignore[misc]
                    whole = top / bottom if i["denominator"] and bottom else None if i["denominator"] else top
                    out[name, year, dim, member, fs] = _rounded(whole, i)
        for i in indicators:
            if i["change_kind"] == "full":
                out |= _full(i, sums[str(i["change_of"])], months, plan)
            elif i["change_kind"]:
                out |= _of_the_same(i, parts[str(i["change_of"])], stated, indicators, plan)
    return out


def _rounded(x: Decimal | None, i: Mapping[str, str | None]) -> Decimal | None:
    if x is None:
        return None
    m = Decimal(i["multiplier"] or "1")
    x = x * m if m >= 1 else x / (1 / m).to_integral_value()
    return half_up(x, int(i["decimals"] or "0"))


def _parts(facts: list[Fact], indicators: list[dict[str, str | None]]) -> dict[str, list[_Part]]:
    """What each institution has of numerator and denominator; one that lacks the denominator is not matched."""
    summed: dict[str, dict[tuple[Any, ...], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    where: dict[tuple[str, int], tuple[str, str, str]] = {}
    broken: dict[str, set[str]] = defaultdict(set)
    for f in facts:
        summed[f.measure][f.factor_set, f.year, f.org, f.breakdown, f.member] += f.amount
        where[f.org, f.year] = f.where
        if f.breakdown not in ("", "total"):
            broken[f.measure].add(f.breakdown)
    out: dict[str, list[_Part]] = defaultdict(list)
    for i in indicators:
        name, below = str(i["indicator_id"]), i["denominator"]
        for (fs, year, org, bd, member), top in summed.get(str(i["numerator"]), {}).items():
            if below is None:
                out[name].append(_Part(name, fs, year, org, bd, member, where[org, year], top, None, True))
                continue
            if bd not in ("", "total") and i["by_breakdown"] != "true":
                continue
            place = (bd, member) if bd in broken[below] else ("", "")
            found = _lookup(summed.get(below, {}), year, org, place)
            for bfs, bottom in found or [("none", None)]:
                out[name].append(
                    _Part(
                        name,
                        fs if fs != "none" else bfs,
                        year,
                        org,
                        bd,
                        member,
                        where[org, year],
                        top,
                        bottom,
                        bool(found),
                    )
                )
    return out


def _lookup(
    summed: Mapping[tuple[Any, ...], Decimal], year: int, org: str, place: tuple[str, str]
) -> list[tuple[str, Decimal]]:
    sets = ("none", "default", "national", "newest", "article")
    return [(fs, summed[k]) for fs in sets if (k := (fs, year, org, *place)) in summed]


def _dimensions(p: _Part, crosses: Crosses = frozenset()) -> list[tuple[str, str]]:
    if p.breakdown == "":
        return [("total", "all"), *zip(("district", "org_type", "level"), p.where, strict=True)]
    crossed = (p.indicator, p.breakdown) in crosses
    return [(p.breakdown, p.member), *([(f"level/{p.breakdown}", f"{p.where[2]}/{p.member}")] if crossed else [])]


def _sums(parts: list[_Part], i: Mapping[str, str | None], plan: Plan, crosses: Crosses) -> Sums:
    out: dict[Any, list[Decimal]] = {}
    for p in parts:
        for dim, member in _dimensions(p, crosses):
            places = [(p.factor_set, p.year, dim, member)]
            for s in plan.spans if i["adds_over_years"] == "true" else ():
                if not s.start <= p.year <= s.last:
                    continue
                if dim == "total":
                    places.append((p.factor_set, s.last, "period", s.name))
                elif p.indicator not in IN_THE_TOTAL:
                    places.append((p.factor_set, s.last, f"period/{dim}", f"{s.name}/{member}"))
            for place in places:
                both = out.setdefault(place, [Decimal(0), Decimal(0)])
                if p.matched:
                    both[0] += p.top
                    both[1] += p.bottom or 0
    return _known(out)


def _known(cells: dict[Any, Any]) -> dict[Any, Any]:
    """Without the dimensions of which nothing at all is known; the key is factor set, year, dimension, member."""
    known = {(k[0], k[2]) for k in cells if k[3].rpartition("/")[2] != "unknown"}
    return {k: v for k, v in cells.items() if (k[0], k[2]) in known}


def _base(dim: str, member: str, base: int | None) -> tuple[str, str]:
    return ("base", str(base)) if dim == "total" else (f"base/{dim}", f"{base}/{member}")


def _full(
    i: Mapping[str, str | None], sums: Sums, months: Mapping[int, frozenset[int]], plan: Plan
) -> dict[Cell, Decimal | None]:
    out: dict[Cell, Decimal | None] = {}
    for (fs, year, dim, member), (top, bottom) in sums.items():  # type: ignore[misc]
        since = plan.base_of(year)
        base = sums.get((fs, since, dim, member))  # type: ignore[call-overload]
        if since is None or base is None or dim.startswith("period"):
            continue
        same = i["monthly_dataset"] is None or months.get(year) == months.get(since)
        change = None
        if same and bottom and base[0] and base[1]:
            change = top * base[1] / (bottom * base[0]) - 1
        out[str(i["indicator_id"]), year, *_base(dim, member, since), fs] = _rounded(change, i)
    return out


def _of_the_same(
    i: Mapping[str, str | None], parts: list[_Part], stated: Stated, indicators: list[dict[str, str | None]], plan: Plan
) -> dict[Cell, Decimal | None]:
    """The change, or the difference, over the institutions that stated the same of the quantity in both years."""
    of = next(x for x in indicators if x["indicator_id"] == i["change_of"])
    measure, itemised = str(of["numerator"]), {k[0] for k in stated}
    before = {(p.factor_set, p.org, p.breakdown, p.year): p for p in parts if p.matched}
    added: dict[Any, list[Decimal]] = {}
    for p in parts:
        since = plan.base_of(p.year)
        b = before.get((p.factor_set, p.org, p.breakdown, since))  # type: ignore[arg-type]
        if not p.matched or p.breakdown not in ("", "total") or since is None or b is None:
            continue
        if measure in itemised:
            now, then = (stated.get((measure, p.org, y)) for y in (p.year, since))
            if now is None or now != then:
                continue
        for dim, member in [("total", "all")] if i["change_kind"] == "saved" else _dimensions(p):
            four = added.setdefault((p.factor_set, p.year, dim, member), [Decimal(0)] * 4)
            for n, x in enumerate((p.top, p.bottom, b.top, b.bottom)):
                four[n] += x or 0
    out: dict[Cell, Decimal | None] = {}
    for (fs, year, dim, member), (top, bottom, base_top, base_bottom) in _known(added).items():
        if i["change_kind"] == "saved":
            change: Decimal | None = base_top - top
        else:
            change = top * base_bottom / (bottom * base_top) - 1 if bottom and base_top and base_bottom else None
        out[str(i["indicator_id"]), year, *_base(dim, member, plan.base_of(year)), fs] = _rounded(change, i)
    return out
