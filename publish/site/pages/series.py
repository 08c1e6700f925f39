"""Indicators with their yearly totals, for every page that draws or lists them."""

from __future__ import annotations

from typing import Any

from publish.site.pages.base import USUAL, held, rows
from publish.site.pages.periods import of_one_base
from publish.site.units import unfinished


async def benchmarks_of(datasette: Any) -> list[dict[str, Any]]:
    return await held(datasette, "benchmarks", "year")


async def indicators_with_series(datasette: Any) -> list[dict[str, Any]]:
    """Return every indicator with its series: `points` by year, of a change those since its newest base year; `known`: those with a
    value of a complete year."""
    found = [dict(i) for i in await held(datasette, "indicators")]
    revised = "revised" if "revised" in datasette.facts.columns["indicator_values"] else "null as revised"
    latest = await rows(
        datasette,
        f"""
        select indicator_id, dimension, member, year, value, status, {revised} from indicator_values
        where dimension in ('total', 'base') and {USUAL}
        order by indicator_id, year
        """,
    )
    series: dict[str, list[dict[str, Any]]] = {}
    for r in latest:
        series.setdefault(r["indicator_id"], []).append(r)
    for i in found:
        points = series.get(i["indicator_id"], [])
        i["points"] = [p for p in points if p["dimension"] == "total"] or of_one_base(points, datasette.facts.as_of)
        i["known"] = complete_years(i["points"], datasette.facts.as_of)
    return found


def complete_years(points: list[dict[str, Any]], as_of: str) -> list[dict[str, Any]]:
    """Return the points with a value of a complete year; half a year is not comparable with a whole one. All where none is complete."""
    known = [p for p in points if p["value"] is not None]
    return [p for p in known if not unfinished(as_of, p["year"])] or known
