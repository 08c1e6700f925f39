"""Where a reader asks: the search, the page about the API, and the examples of the query page."""

from __future__ import annotations

import asyncio
from typing import Any

from datasette.utils.asgi import Response

from publish.site.pages.base import page
from publish.site.search import LONGEST, find


async def search(datasette: Any, request: Any) -> Response:
    asked = (request.args.get("q") or "").strip()[:LONGEST]
    path = datasette.facts.search
    found = await asyncio.to_thread(find, path, asked) if asked and path is not None else []
    return await page(datasette, request, "search.html", q=asked, found=found, ready=path is not None)


async def api(datasette: Any, request: Any) -> Response:
    return await page(datasette, request, "api.html")
