"""Charts outside the site: as a file, and as a page to be framed by others.

Belongs here: their answers. Not here: what a chart shows (charting.py), PNG (publish/site/charts.py, by way of app.py).
"""

from __future__ import annotations

from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.site.drawing import WIDTHS, svg
from publish.site.pages import charting
from publish.site.pages.base import address, page
from publish.site.pages.indicators import choose, indicator_of, material
from publish.site.responses import CSP_DRAWING

CSP_FRAMED = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors *"
)


def _there(datasette: Any, request: Any, indicator_id: str, query: str) -> str:
    """Return the permanent address of the page that shows the same choice."""
    facts = datasette.facts
    return (
        f"{address(request, facts.release_id)}{facts.order.prefix(datasette.language)}/indicators/{indicator_id}{query}"
    )


async def drawing(datasette: Any, request: Any) -> Response:
    """Return a chart as SVG. It names its release, its permanent address, and whether the data are made up."""
    about = await indicator_of(datasette, request)
    of = await material(datasette, about)
    picked = choose(datasette, request, about, of)
    if not any(p.value is not None for s in picked.chart.series for p in s.points):
        raise NotFound("no value to draw")
    there = _there(datasette, request, about["indicator_id"], picked.choice.query(view="chart"))
    picked = choose(datasette, request, about, of, (there,))
    body = svg(picked.chart, WIDTHS[request.url_vars["width"]], "c", file=True)
    response = Response(body, headers={"content-security-policy": CSP_DRAWING})
    response.content_type = "image/svg+xml"
    return response


async def embed(datasette: Any, request: Any) -> Response:
    """Return a chart as a page of its own: the only kind of page that others may show in a frame."""
    about = await indicator_of(datasette, request)
    picked = choose(datasette, request, about, await material(datasette, about))
    return await page(
        datasette,
        request,
        "embed.html",
        policy=CSP_FRAMED,
        indicator=about,
        picked=picked,
        picture=charting.figure(picked.chart, "c"),
        there=_there(datasette, request, about["indicator_id"], picked.choice.query(view="chart")),
    )
