"""Helpers of every page: rows, rendering, addresses, names of districts.

Belongs here: what does not depend on the subject of a page.
"""

from __future__ import annotations

from typing import Any

from datasette.utils.asgi import Response

from publish.site.charts import draws_chinese
from publish.site.facts import DB, Label

# Pages with something to choose or to copy load one small script of ours. The other pages keep the policy of responses.py,
# which allows no script.
CSP_SCRIPT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
USUAL = (
    "factor_set in ('default', 'none')"  # of each indicator one of the two: with factors in force, or without factors
)


async def rows(datasette: Any, sql: str, **params: Any) -> list[dict[str, Any]]:
    """Return the rows of one fixed query."""
    return [dict(r) for r in (await datasette.execute(DB, sql, params)).rows]


MOST_HELD = 2_000


async def held(datasette: Any, table: str, order: str = "rowid") -> list[dict[str, Any]]:
    """Return all rows of a table of names and definitions; [] where the release has no such table.

    Up to MOST_HELD rows are cached per release, and must not be modified.
    """
    if not has(datasette, table):
        return []
    sql = f"select * from {table} order by {order}"
    if datasette.facts.tables[table] > MOST_HELD:
        return await rows(datasette, sql)
    if sql not in datasette.facts.held:
        datasette.facts.held[sql] = await rows(datasette, sql)
    return list(datasette.facts.held[sql])


async def page(
    datasette: Any, request: Any, template: str, script: bool = False, policy: str = "", **context: Any
) -> Response:
    """Render a template. `script`: the page loads static/site.js; `policy`: its content security policy where it has one of its own."""
    context |= {"script": script, "png": draws_chinese()}
    html = datasette.renderer.render(template, context, request)
    policy = policy or (CSP_SCRIPT if script else "")
    return Response.html(html, headers={"content-security-policy": policy} if policy else {})


def address(request: Any, release_id: str) -> str:
    """Return the permanent address of a release: `https://host/r/<release_id>`, without a trailing slash."""
    return f"{request.scheme}://{request.host}/r/{release_id}"


def has(datasette: Any, table: str) -> bool:
    """Return whether the release has a table; older releases lack later tables."""
    return table in datasette.facts.tables


async def district_names(datasette: Any) -> dict[str, Label]:
    """Return the names of districts by code, as in a list of districts, where the code of the city means the city's own bodies.
    The other members of breakdowns are in vocabulary.toml."""
    divisions = await held(datasette, "divisions")
    return {
        r["code"]: Label(r.get("own_zh") or r.get("name_zh") or r["code"], r.get("own_en") or r.get("name_en") or "")
        for r in divisions
    }


async def whole_city(datasette: Any) -> Label | None:
    """Return the name of the sum over all districts and the city's own bodies; None in a release without a city."""
    found = [r for r in await held(datasette, "divisions") if r.get("level") == "city"]
    if not found:
        return None
    return Label(f"{found[0]['name_zh']}合计", f"{found[0]['name_en']}, total" if found[0].get("name_en") else "")
