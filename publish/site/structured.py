"""What each page says of itself to search engines, in its head: which dataset it shows, where its files are.

Belongs here: finding out what a page shows. Not here: schema.org's words (publish/catalog/schema_org.py).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl
from datasette.plugins import pm
from markupsafe import Markup

from publish.catalog import schema_org
from publish.site.facts import DB
from publish.site.plugin import SiteDatasette


@hookimpl
def extra_template_vars(datasette: Any, request: Any) -> Callable[[], Awaitable[dict[str, Any]]] | dict[str, Any]:
    if not isinstance(datasette, SiteDatasette) or request is None:
        return {}

    async def make() -> dict[str, Any]:
        return {"structured_data": Markup(schema_org.script(await block(datasette, request)))}

    return make


async def block(ds: SiteDatasette, request: Any) -> dict[str, Any]:
    """The description of the page that is asked for: of an indicator, of a dataset or table, else of the whole release."""
    facts = ds.facts
    base = str(ds.setting("base_url")).removesuffix("en/")
    route = "/" + request.path.split("?")[0].removeprefix(base).removeprefix("/").removeprefix("en/").strip("/")
    page = schema_org.Page(
        root=f"{request.scheme}://{request.host}/",
        release_id=facts.release_id,
        as_of=facts.as_of,
        publisher=facts.publisher,
        licence=facts.licence,
        synthetic=facts.synthetic,
        files=facts.files,
    )
    if found := re.fullmatch(r"/indicators/([A-Za-z0-9_-]+)", route):
        return await _indicator(ds, page, found[1])
    if found := re.fullmatch(rf"/(?:datasets|{DB})/(\w+)", route):
        return _table(ds, page, route[1:], found[1])
    return schema_org.of_release(page)


async def _indicator(ds: SiteDatasette, page: schema_org.Page, indicator_id: str) -> dict[str, Any]:
    sql = """
        select i.*, min(v.year) as first, max(v.year) as last
        from indicators i left join indicator_values v using (indicator_id) where i.indicator_id = :id group by 1
    """
    rows = (await ds.execute(DB, sql, {"id": indicator_id})).rows
    if not rows:
        return schema_org.of_release(page)
    i = dict(rows[0])
    years = f"{i['first']}/{i['last']}" if i["first"] else ""
    name = f"{i.get('name_zh') or indicator_id} {i.get('name_en') or ''}".strip()
    text = f"{i.get('definition_zh') or ''} {i.get('definition_en') or ''}".strip()
    out = schema_org.of_table(
        schema_org.replace(page, years=years),
        f"indicators/{indicator_id}",
        name,
        text,
        "indicator_values",
        [i.get("theme") or ""],
    )
    measured = {"@type": "PropertyValue", "name": name, "propertyID": indicator_id, "unitText": i.get("unit") or ""}
    return out | {"variableMeasured": [measured]}


def _table(ds: SiteDatasette, page: schema_org.Page, place: str, table: str) -> dict[str, Any]:
    d = next((d for d in ds.facts.datasets if d["dataset"] == table), None)
    label = ds.facts.labels.get(table)
    if label is None:
        return schema_org.of_release(page)
    name, text, theme, years = f"{label.zh} {label.en}".strip(), "", "", ""
    if d is not None:
        text, theme = f"{d.get('description') or ''} {d.get('grain') or ''}".strip(), d.get("theme") or ""
        if d.get("first_period") and d.get("last_period"):
            years = f"{d['first_period']}/{d['last_period']}"
    out = schema_org.of_table(schema_org.replace(page, years=years), place, name, text, table, [theme])
    columns = ds.facts.columns.get(table, {})
    return out | {
        "variableMeasured": [
            {"@type": "PropertyValue", "name": la.zh, "propertyID": c} | ({"unitText": la.unit} if la.unit else {})
            for c, la in columns.items()
            if not c.startswith("_")
        ]
    }


pm.register(sys.modules[__name__], name=__name__)
