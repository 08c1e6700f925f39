"""Charts outside the site: as a file, and as a page to be framed by others.

Belongs here: their answers. Not here: what a chart shows (charting.py), PNG (publish/site/charts.py, by way of app.py).
"""

from __future__ import annotations

from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.site.drawing import WIDTHS, Chart
from publish.site.pages import charting
from publish.site.pages.base import address, held, page
from publish.site.pages.indicators import choose, indicator_of, material
from publish.site.responses import CSP_DRAWING
from publish.site.tilemap import TileMap

CSP_FRAMED = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors *"
)


def _permalink(datasette: Any, request: Any, indicator_id: str, query: str) -> str:
    """Return the permanent address of the page that shows the same choice."""
    facts = datasette.facts
    return (
        f"{address(request, facts.release_id)}{facts.order.prefix(datasette.language)}/indicators/{indicator_id}{query}"
    )


async def drawing(datasette: Any, request: Any) -> Response:
    """Return a chart as SVG. It names its release, its permanent address, and whether the data are made up."""
    about = await indicator_of(datasette, request)
    _, shown = await _shown(datasette, request, about, True)
    values = shown.tiles if isinstance(shown, TileMap) else [p for s in shown.series for p in s.points]
    if not any(v.value is not None for v in values):
        raise NotFound("no value to draw")
    body = charting.picture(shown, WIDTHS[request.url_vars["width"]], "c", file=True)
    response = Response(body, headers={"content-security-policy": CSP_DRAWING})
    response.content_type = "image/svg+xml"
    return response


async def _shown(datasette: Any, request: Any, about: dict[str, Any], file: bool) -> tuple[str, Chart | TileMap]:
    """Return the permanent address of the page that shows what a request chose, and its chart, or its map where it asks for one. A
    `file` names that address itself. Raises NotFound where there is no map."""
    of = await material(datasette, about, request.args.get("period"))
    picked = choose(datasette, request, about, of)
    view = "map" if picked.choice.view == "map" else "chart"
    permalink = _permalink(datasette, request, about["indicator_id"], picked.choice.query(view=view))
    notes = (permalink,) if file else ()
    if view == "map":
        divisions = await held(datasette, "divisions")
        made = charting.tile_map(
            datasette.language, datasette.facts, about, picked.choice, picked.available, divisions, notes
        )
        if made is None:
            raise NotFound("no map of this indicator")
        return permalink, made[0]
    return permalink, choose(datasette, request, about, of, notes).chart if file else picked.chart


async def embed(datasette: Any, request: Any) -> Response:
    """Return a chart or map as a page of its own: the only kind of page that others may show in a frame."""
    about = await indicator_of(datasette, request)
    permalink, shown = await _shown(datasette, request, about, False)
    return await page(
        datasette,
        request,
        "embed.html",
        policy=CSP_FRAMED,
        indicator=about,
        title=shown.title,
        picture=charting.figure(shown, "c"),
        permalink=permalink,
    )
