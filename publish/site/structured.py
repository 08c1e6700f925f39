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
    english = facts.order.first == "en"
    page = schema_org.Page(
        root=f"{request.scheme}://{request.host}/",
        release_id=facts.release_id,
        as_of=facts.as_of,
        publisher=(english and facts.publisher_en) or facts.publisher,
        licence=(english and facts.licence_en) or facts.licence,
        synthetic=facts.synthetic,
        files=facts.files,
        english=english,
        about="" if facts.description is None else facts.description.en if english else facts.description.zh,
        **{name: facts.doors.get(name, "") for name in ("licence_url", "email", "telephone")},
    )
    if re.fullmatch(r"/indicators/[A-Za-z0-9_-]+", route) and "indicator" in context:
        return _indicator(page, context["indicator"], context["years"])
    if re.fullmatch(r"/claims/[A-Za-z0-9_-]+", route) and "cited" in context:
        return schema_org.of_statement(page, context["claim"], context["cited"].permalink, RATINGS)
    if found := re.fullmatch(rf"/(?:datasets|{DB})/(\w+)", route):
        return _table(facts, page, route[1:], found[1])
    return schema_org.of_release(page)


def _indicator(page: schema_org.Page, i: Mapping[str, Any], of_years: Sequence[int]) -> dict[str, Any]:
    indicator_id = i["indicator_id"]
    years = f"{min(of_years)}/{max(of_years)}" if of_years else ""
    name = _both(page, i.get("name_zh") or indicator_id, i.get("name_en"))
    text = _both(page, i.get("definition_zh"), i.get("definition_en"))
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
    name, text, theme, years = _both(page, label.zh, label.en), "", "", ""
    if d is not None:
        text, theme = _both(page, d.get("description"), d.get("description_en") or d.get("grain")), d.get("theme") or ""
        if d.get("first_period") and d.get("last_period"):
            years = f"{d['first_period']}/{d['last_period']}"
    out = schema_org.of_table(schema_org.replace(page, years=years), place, name, text, table, [theme])
    columns = facts.columns.get(table, {})
    return out | {
        "variableMeasured": [
            {"@type": "PropertyValue", "name": (page.english and la.en) or la.zh, "propertyID": c}
            | ({"unitText": la.unit} if la.unit else {})
            for c, la in columns.items()
            if not c.startswith("_")
        ]
    }


def _both(page: schema_org.Page, zh: str | None, en: str | None) -> str:
    """A text in both languages, the city's first one first."""
    return " ".join(t for t in ((en, zh) if page.english else (zh, en)) if t)
