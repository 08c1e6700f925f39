"""The arithmetic behind a figure, from published figures alone: a division, a change, a sum of years.

Belongs here: reading a formula, finding its terms, and whether they give the figure. Not here: how it is written (templates).

Only published values are read, so nothing is said that the tables do not say. A ratio counts institutions that stated both of its
terms, and so may rest on fewer than the terms as published: then these do not give the figure, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from publish.site.pages.base import USUAL, held, rows

RATIO = re.compile(r"Σ (\w+) ÷ Σ (\w+)(?: × ([\d.]+))?")
CHANGE = re.compile(r"\((\w+) of year ÷ \1 of base year − 1\) × 100")
SCALES = (1.0, 1_000.0, 0.001, 10_000.0, 0.0001)  # of units: t and kg, 万元 and 元


@dataclass(frozen=True)
class Term:
    """A published figure of an indicator. `reporting` of `population`: the institutions behind it, where that is known."""

    indicator: Mapping[str, Any]
    year: int
    value: float
    reporting: int | None
    population: int | None

    @property
    def decimals(self) -> int:
        return _decimals(self.value, self.indicator)


@dataclass(frozen=True)
class Arithmetic:
    """`kind`: ratio, change or sum; `times`: what the division is multiplied by; `agrees`: whether the terms give `result`."""

    kind: str
    terms: tuple[Term, ...]
    result: float
    times: float = 1.0
    agrees: bool = True


async def of_figure(datasette: Any, about: Mapping[str, Any], point: Mapping[str, Any]) -> Arithmetic | None:
    """Return the arithmetic of a total, or of a change since a base year; None where the formula names no published terms."""
    formula = about.get("formula") or ""
    if point["value"] is None:
        return None
    if (found := RATIO.fullmatch(formula)) and point["dimension"] == "total":
        above = await _term(datasette, found[1], point["year"], point["factor_set"])
        below = await _term(datasette, found[2], point["year"], point["factor_set"])
        if above is None or below is None or not below.value:
            return None
        times = float(found[3] or 1)
        for scale in SCALES:
            if _near(above.value / below.value * times * scale, point["value"], about):
                return Arithmetic("ratio", (above, below), point["value"], times * scale)
        return Arithmetic("ratio", (above, below), point["value"], times, agrees=False)
    if (found := CHANGE.fullmatch(formula)) and point["dimension"] == "base" and point["member"].isdecimal():
        now = await _term(datasette, found[1], point["year"], point["factor_set"])
        then = await _term(datasette, found[1], int(point["member"]), point["factor_set"])
        if now is None or then is None or not then.value:
            return None
        agrees = _near((now.value / then.value - 1) * 100, point["value"], about)
        return Arithmetic("change", (now, then), point["value"], 100.0, agrees)
    return None


async def of_years(datasette: Any, about: Mapping[str, Any], point: Mapping[str, Any]) -> Arithmetic | None:
    """Return the sum of years behind a figure of a period; None where it is no sum of published figures."""
    over, _, dimension = point["dimension"].partition("/")
    years, _, member = point["member"].partition("/")
    span = re.fullmatch(r"(\d{4})-(\d{4})", years)
    if over != "period" or span is None or point["value"] is None or about["kind"] in ("ratio", "index"):
        return None
    found = await rows(
        datasette,
        "select * from indicator_values where indicator_id = :id and dimension = :dimension and member = :member "
        "and factor_set = :factors and year between :first and :last order by year",
        id=about["indicator_id"], dimension=dimension or "total", member=member or "all", factors=point["factor_set"],
        first=int(span[1]), last=int(span[2]),
    )  # fmt: skip
    if len(found) < 2 or any(r["value"] is None for r in found):
        return None
    terms = tuple(Term(about, r["year"], r["value"], r.get("reporting"), r.get("population")) for r in found)
    if not _near(sum(t.value for t in terms), point["value"], about):
        return None
    return Arithmetic("sum", terms, point["value"])


async def _term(datasette: Any, indicator_id: str, year: int, factors: str | None) -> Term | None:
    """Return the total of an indicator in a year: with the same factors, else without any."""
    about = next((i for i in await held(datasette, "indicators") if i["indicator_id"] == indicator_id), None)
    if about is None:
        return None
    found = await rows(
        datasette,
        f"select * from indicator_values where indicator_id = :id and year = :year and dimension = 'total' and value is not null "
        f"and (factor_set = :factors or {USUAL}) order by factor_set <> :factors limit 1",
        id=indicator_id, year=year, factors=factors or "none",
    )  # fmt: skip
    if not found:
        return None
    r = found[0]
    return Term(about, year, r["value"], r.get("reporting"), r.get("population"))


def _decimals(value: float, about: Mapping[str, Any]) -> int:
    """Return how many decimals a figure is written with: all that are published, none where it is whole."""
    return 0 if value == int(value) else int(about.get("decimals") or 0)


def _near(made: float, value: float, about: Mapping[str, Any]) -> bool:
    """Return whether a result is the figure published, up to the rounding of its terms and its own."""
    step = 10.0 ** -(about.get("decimals") or 0)
    return abs(made - value) <= max(step, abs(value) * 1e-6)
