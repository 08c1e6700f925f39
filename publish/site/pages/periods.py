"""The periods of a city, such as its five-year plans: which of them a page is about, and the page of each.

Belongs here: choosing among periods, and their own page. Not here: what a period is (city.yaml), or its figures (dbt). A page that
nobody asks for a period shows the current one, by the data: the last with what the page is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.site.pages.base import USUAL, held, page, rows
from publish.site.pages.topics import TOPICS, theme_order
from publish.site.units import unfinished

Period = Mapping[str, Any]
ALL = "all"  # in an address: the years of every period


async def periods_of(datasette: Any) -> list[dict[str, Any]]:
    """Return the periods in order; [] in a release that does not have them."""
    return await held(datasette, "periods", "first_year")


async def several(datasette: Any) -> dict[str, dict[str, Any]]:
    """Return the periods by their id, where statements must be told apart by them: {} where there is one alone."""
    found = await periods_of(datasette)
    return {p["period_id"]: p for p in found} if len(found) > 1 else {}


def has_year(period: Period, year: int) -> bool:
    return bool(period["first_year"] <= year <= period["last_year"])


def with_statements(periods: Sequence[Period], claims: Iterable[Mapping[str, Any]]) -> list[Period]:
    """Return the periods that have statements."""
    of = {c.get("period_id") for c in claims}
    return [p for p in periods if p["period_id"] in of]


def with_values(periods: Sequence[Period], points: Iterable[Mapping[str, Any]]) -> list[Period]:
    """Return the periods in whose years a series has a value."""
    years = [p["year"] for p in points if p["value"] is not None]
    return [p for p in periods if any(has_year(p, y) for y in years)]


def asked_for(found: Sequence[Period], asked: str | None) -> Period | None:
    """Return the one of `found` that an address names; None where it names none of them."""
    return next((p for p in found if p["period_id"] == asked), None)


def of_one_base(points: list[dict[str, Any]], as_of: str) -> list[dict[str, Any]]:
    """Return the points of a series that are comparable with one another: of changes those since one base year, the newest that has
    a complete year. Any other series is as it was."""
    if not points or points[-1]["dimension"] != "base":
        return points
    known = [p for p in points if p["value"] is not None]
    complete = [p for p in known if not unfinished(as_of, p["year"])]
    newest = (complete or known or points)[-1]
    return [p for p in points if p["member"] == newest["member"]]


async def current(datasette: Any) -> dict[str, Any] | None:
    """Return the last period with a value of a year that has begun; None in a release without periods."""
    found = await periods_of(datasette)
    if len(found) < 2:
        return found[-1] if found else None
    sql = "select max(year) as year from indicator_values where value is not null and year <= :now"
    (newest,) = await rows(datasette, sql, now=int(datasette.facts.as_of[:4]))
    begun = [p for p in found if newest["year"] is not None and p["first_year"] <= newest["year"]]
    return (begun or found[:1])[-1]


async def period(datasette: Any, request: Any) -> Response:
    """Show a period: its years, its statements, what its years come to together, and the changes since its base year."""
    from publish.site.pages.statements import shown, tally

    found = await periods_of(datasette)
    wanted = request.url_vars.get("period")
    this = asked_for(found, wanted) if wanted else await current(datasette)
    if this is None:
        raise NotFound("no such period")
    indicators = {i["indicator_id"]: i for i in await held(datasette, "indicators")}
    sums = await rows(
        datasette,
        f"select * from indicator_values where dimension = 'period' and member = :member and {USUAL} order by indicator_id",
        member=this["member"],
    )
    changes = await rows(
        datasette,
        f"""select * from indicator_values where dimension = 'base' and member = :base and {USUAL}
        and year between :first and :last order by indicator_id, year""",
        base=str(this["base_year"]),
        first=this["first_year"],
        last=this["last_year"],
    )
    by_year: dict[str, dict[int, dict[str, Any]]] = {}
    for c in changes:
        by_year.setdefault(c["indicator_id"], {})[c["year"]] = c
    claims = [
        c | {"shown": shown(c)} for c in await held(datasette, "claims") if c.get("period_id") == this["period_id"]
    ]
    return await page(
        datasette,
        request,
        "period.html",
        period=this,
        periods=found,
        claims=claims,
        tally=tally(claims),
        sums=_by_theme(indicators, {s["indicator_id"]: s for s in sums}),
        changes=_by_theme(indicators, by_year),
        years=sorted({c["year"] for c in changes}),
        addresses={theme: t for t, theme in TOPICS.items()},
    )


def _by_theme(
    indicators: Mapping[str, dict[str, Any]], of: Mapping[str, Any]
) -> dict[str, list[tuple[dict[str, Any], Any]]]:
    """Return what stands under each indicator, in groups by theme: (indicator, that)."""
    out: dict[str, list[tuple[dict[str, Any], Any]]] = {}
    for name, i in indicators.items():
        if name in of:
            out.setdefault(i["theme"], []).append((i, of[name]))
    return {theme: out[theme] for theme in sorted(out, key=theme_order)}
