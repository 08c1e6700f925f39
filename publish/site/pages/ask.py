"""The search page and the page about the API."""

from __future__ import annotations

import asyncio
from typing import Any

from datasette.utils.asgi import Response

from publish.site.pages.base import USUAL, held, page, rows
from publish.site.pages.statements import shown
from publish.site.search import LONGEST, find
from publish.site.units import unfinished


async def search(datasette: Any, request: Any) -> Response:
    question = (request.args.get("q") or "").strip()[:LONGEST]
    path = datasette.facts.search
    found = await asyncio.to_thread(find, path, question) if question and path is not None else []
    figures = await _figures(datasette, [h["name"] for h in found if h["kind"] == "indicator"])
    claims = {c["claim_id"]: c | {"shown": shown(c)} for c in await held(datasette, "claims")}
    return await page(
        datasette,
        request,
        "search.html",
        q=question,
        found=found,
        ready=path is not None,
        figures=figures,
        claims=claims,
    )


async def _figures(datasette: Any, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return the newest figure of each indicator found, of a complete year: it is shown beside the hit."""
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
    return {r["indicator_id"]: r for r in found if not unfinished(datasette.facts.as_of, r["year"])}


async def api(datasette: Any, request: Any) -> Response:
    return await page(datasette, request, "api.html")
