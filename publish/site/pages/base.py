"""What every page needs: rows, a filled template, and the addresses at which a release is found.

Belongs here: nothing that knows what a page is about.
"""

from __future__ import annotations

from typing import Any

from datasette.utils.asgi import Response

from publish.site.charts import draws_chinese
from publish.site.facts import DB, Label

# Pages with a chart load one small script of ours, which fetches the rest only when somebody asks for it. The other
# pages keep the policy of app.py, which allows no script at all.
CSP_CHART = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
USUAL = "factor_set in ('default', 'none')"  # the factors in force, or none where an indicator needs none


async def rows(datasette: Any, sql: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of one fixed query."""
    return [dict(r) for r in (await datasette.execute(DB, sql, params)).rows]


MOST_HELD = 2_000


async def held(datasette: Any, table: str, order: str = "rowid") -> list[dict[str, Any]]:
    """All rows of a table that says what things are called and how they are defined: asked for once in a release, if there are
    no more than MOST_HELD, for a release never changes. Nobody may change a row of these; none where there is no such table."""
    if not has(datasette, table):
        return []
    sql = f"select * from {table} order by {order}"
    if datasette.facts.tables[table] > MOST_HELD:
        return await rows(datasette, sql)
    if sql not in datasette.facts.held:
        datasette.facts.held[sql] = await rows(datasette, sql)
    return list(datasette.facts.held[sql])


async def page(datasette: Any, request: Any, template: str, charts: bool = False, **context: Any) -> Response:
    """A filled template. `charts`: it shows some, so the page may load the script that makes them interactive."""
    context |= {"charts": charts, "png": charts and draws_chinese()}
    html = datasette.renderer.render(template, context, request)
    return Response.html(html, headers={"content-security-policy": CSP_CHART} if charts else {})


def address(request: Any, release_id: str) -> str:
    """Where this release stays for ever: `https://host/r/<release_id>`, without a slash at its end."""
    return f"{request.scheme}://{request.host}/r/{release_id}"


def has(datasette: Any, table: str) -> bool:
    """Whether the release has a table; those of years ago may lack one that came later."""
    return table in datasette.facts.tables


async def district_names(datasette: Any) -> dict[str, Label]:
    """What districts are called in a list of them, by their code; the other members of breakdowns are in vocabulary.toml. The code of
    the city itself stands for the city's own bodies there, and is called so."""
    divisions = await held(datasette, "divisions")
    return {
        r["code"]: Label(r.get("own_zh") or r.get("name_zh") or r["code"], r.get("own_en") or r.get("name_en") or "")
        for r in divisions
    }


async def whole_city(datasette: Any) -> Label | None:
    """What the sum over all districts and the city's own bodies is called; None in a release that names no city."""
    found = [r for r in await held(datasette, "divisions") if r.get("level") == "city"]
    if not found:
        return None
    return Label(f"{found[0]['name_zh']}合计", f"{found[0]['name_en']}, total" if found[0].get("name_en") else "")
