"""Structured data of a page for search engines (JSON-LD): the dataset that it shows, and its files.

Belongs here: the subject of a page. Not here: the vocabulary of schema.org (publish/catalog/schema_org.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from publish.catalog import schema_org
from publish.site.facts import DB, Facts

# How far a statement is true, of 5, as ClaimReview has it; one without an answer has no rating.
RATINGS = {"match": 5, "within_qualifier": 5, "holds_in_part": 3, "mismatch": 1}


def block(facts: Facts, base_url: str, request: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the page of a request: an indicator, a dataset or table, else the whole release.

    `context` is that of the template; a page of an indicator has `indicator` and `years`, those with values.
    """
    base = facts.order.root(base_url)
    path = "/" + request.path.split("?")[0].removeprefix(base).removeprefix("/")
    route = "/" + facts.order.in_language(path, facts.order.first).strip("/")
    page = schema_org.Page(
        root=f"{request.scheme}://{request.host}/",
        release_id=facts.release_id,
        as_of=facts.as_of,
        publisher=facts.publisher,
        licence=facts.licence,
        synthetic=facts.synthetic,
        files=facts.files,
    )
    if re.fullmatch(r"/indicators/[A-Za-z0-9_-]+", route) and "indicator" in context:
        return _indicator(page, context["indicator"], context["years"])
    if re.fullmatch(r"/claims/[A-Za-z0-9_-]+", route) and "cited" in context:
        return schema_org.of_statement(page, context["claim"], context["cited"].there, RATINGS)
    if found := re.fullmatch(rf"/(?:datasets|{DB})/(\w+)", route):
        return _table(facts, page, route[1:], found[1])
    return schema_org.of_release(page)


def _indicator(page: schema_org.Page, i: Mapping[str, Any], of_years: Sequence[int]) -> dict[str, Any]:
    indicator_id = i["indicator_id"]
    years = f"{min(of_years)}/{max(of_years)}" if of_years else ""
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


def _table(facts: Facts, page: schema_org.Page, place: str, table: str) -> dict[str, Any]:
    d = next((d for d in facts.datasets if d["dataset"] == table), None)
    label = facts.labels.get(table)
    if label is None:
        return schema_org.of_release(page)
    name, text, theme, years = f"{label.zh} {label.en}".strip(), "", "", ""
    if d is not None:
        text, theme = f"{d.get('description') or ''} {d.get('grain') or ''}".strip(), d.get("theme") or ""
        if d.get("first_period") and d.get("last_period"):
            years = f"{d['first_period']}/{d['last_period']}"
    out = schema_org.of_table(schema_org.replace(page, years=years), place, name, text, table, [theme])
    columns = facts.columns.get(table, {})
    return out | {
        "variableMeasured": [
            {"@type": "PropertyValue", "name": la.zh, "propertyID": c} | ({"unitText": la.unit} if la.unit else {})
            for c, la in columns.items()
            if not c.startswith("_")
        ]
    }
