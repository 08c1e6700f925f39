"""The search page and the page about the API."""

from __future__ import annotations

import asyncio
from typing import Any

from datasette.utils.asgi import Response

from pipelines.core.text import fold
from publish.site.language import Pair, pair
from publish.site.pages.base import USUAL, district_names, held, page, rows
from publish.site.pages.periods import several
from publish.site.pages.statements import shown
from publish.site.pages.topics import in_order
from publish.site.search import LONGEST, answer, understand
from publish.site.units import unfinished

# The names of the site's own pages; words.toml has the words by which somebody asks for one.
PAGES: dict[str, Pair] = {
    "/about": pair("About and all files"),
    "/api": pair("API"),
    "/report": pair("Report an error"),
    "/methods": pair("Methods"),
    "/secrecy": pair("Secrecy"),
    "/quality": pair("Quality"),
    "/releases": pair("Releases"),
    "/accessibility": pair("Accessibility"),
    "/mingzhang": pair("Query"),
    "/claims": pair("Statements"),
    "/periods": pair("By period"),
    "/datasets": pair("Data"),
}
MOST_PAGES = 2  # shown before the hits
MOST_MEMBERS = 4  # figures of a district or kind shown before the hits


async def search(datasette: Any, request: Any) -> Response:
    question = (request.args.get("q") or "").strip()[:LONGEST]
    path = datasette.facts.search
    asked, found = None, []
    if question and path is not None:
        names = _names(await held(datasette, "divisions"))
        asked = await asyncio.to_thread(understand, path, question, names)
        found = await asyncio.to_thread(answer, path, asked)
    year = asked.year if asked else None
    figures = await _figures(datasette, [h["name"] for h in found if h["kind"] == "indicator"], year)
    claims = {c["claim_id"]: c | {"shown": shown(c)} for c in await held(datasette, "claims")}
    kinds = list(dict.fromkeys(h["kind"] for h in found))
    kind = request.args.get("kind") or ""
    return await page(
        datasette,
        request,
        "search.html",
        q=question,
        asked=asked,
        found=[h for h in found if kind not in kinds or h["kind"] == kind],
        fits=any(h["whole"] for h in found),
        kinds=[(k, sum(h["kind"] == k for h in found)) for k in kinds],
        kind=kind if kind in kinds else "",
        pages=[(place, PAGES[place]) for place in asked.pages[:MOST_PAGES]] if asked else [],
        member_names=await district_names(datasette),
        of_member=await _of_member(datasette, asked.member, found, year) if asked and asked.member else [],
        ready=path is not None,
        figures=figures,
        indicators={i["indicator_id"]: i for i in await held(datasette, "indicators")},
        claims=claims,
        plans=await several(datasette),
    )


def _names(divisions: list[dict[str, Any]]) -> dict[str, tuple[str, str] | None]:
    """Return the names of districts with dimension and code: in full, without the last character (its kind), in English, in one word.

    The names of the city have None, for every figure is the city's; its own bodies are as a district.
    """
    names: dict[str, tuple[str, str] | None] = {}
    for d in sorted(
        divisions, key=lambda d: d.get("level") == "city"
    ):  # a county called as the city is meant by its full name only
        full = [fold(n) for n in (d["name_zh"], d.get("name_en")) if n]
        short = [n[:-1] for n in full if len(n) > 2 and n[-1] in "区县市"] + [n.split()[0] for n in full if n.isascii()]
        code = ("district", str(d["code"]))
        names |= dict.fromkeys((*full, *short), None if d.get("level") == "city" else code)
        names |= {fold(n): code for n in (d.get("own_zh"), d.get("own_en")) if n}
    return {n: code for n, code in names.items() if len(n) > 1}


async def _of_member(
    datasette: Any, member: tuple[str, str], found: list[dict[str, Any]], year: int | None
) -> list[dict[str, Any]]:
    """Return the figures of a district or kind for the indicators found, in the year asked for or else the newest complete one."""
    names = [h["name"] for h in found if h["kind"] == "indicator"][:30]
    if not names:  # the member alone
        every = await held(datasette, "indicators")
        names = [i["indicator_id"] for i in in_order(every, "home_order") or every]
    wanted = {f"i{n}": name for n, name in enumerate(names)}
    values = await rows(
        datasette,
        f"""
        select indicator_id, year, value, status, v.unit, decimals, name_zh, name_en
        from indicator_values v join indicators using (indicator_id)
        where indicator_id in ({", ".join(f":{n}" for n in wanted)}) and dimension = :dimension and member = :member and {USUAL}
        order by year
        """,
        dimension=member[0],
        member=member[1],
        **wanted,
    )
    newest = _newest(values, datasette.facts.as_of, year)
    return [newest[n] for n in names if n in newest][:MOST_MEMBERS]


def _newest(values: list[dict[str, Any]], as_of: str, year: int | None) -> dict[str, dict[str, Any]]:
    """Return one row per indicator: that of the year asked for, else the newest of a complete year; `values` are in order of years."""
    newest = {r["indicator_id"]: r for r in values if not unfinished(as_of, r["year"])}
    return newest | {r["indicator_id"]: r for r in values if r["year"] == year}


async def _figures(datasette: Any, names: list[str], year: int | None) -> dict[str, dict[str, Any]]:
    """Return the figure of each indicator found that is shown beside the hit: of the year asked for, else the newest complete one."""
    bound = {f"i{n}": name for n, name in enumerate(names)}
    found = await rows(
        datasette,
        f"""
        select indicator_id, year, value, v.unit, decimals from indicator_values v join indicators using (indicator_id)
        where indicator_id in ({", ".join(f":{n}" for n in bound)}) and dimension in ('total', 'base') and {USUAL} and value is not null
        order by year
        """,
        **bound,
    )
    return _newest(found, datasette.facts.as_of, year)


async def api(datasette: Any, request: Any) -> Response:
    return await page(datasette, request, "api.html")
