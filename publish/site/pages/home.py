"""The home page and the pages of topics.

Belongs here: which indicators lead a page. Not here: how figures are written (numbers.py, units.py) or drawn (charts.py).
"""

from __future__ import annotations

import json
from typing import Any

from datasette.utils.asgi import NotFound, Response
from markupsafe import Markup

from publish.site.facts import Facts
from publish.site.numbers import places
from publish.site.pages import charting
from publish.site.pages.base import has, held, page, rows
from publish.site.pages.periods import periods_of, several, with_statements
from publish.site.pages.series import benchmarks_of, indicators_with_series
from publish.site.pages.statements import shown, tally
from publish.site.pages.topics import TOPICS, home_indicators, in_order
from publish.site.totals import lines_of


def _figure(datasette: Any, indicator: dict[str, Any], lines: list[dict[str, Any]]) -> Markup:
    chart = charting.total_chart(datasette.language, datasette.facts, indicator, indicator["points"], lines)
    return charting.figure(chart, indicator["indicator_id"], grid=True)


async def home(datasette: Any, request: Any) -> Response:
    facts = datasette.facts
    found = await indicators_with_series(datasette)
    benchmarks = await benchmarks_of(datasette)
    choice = {t: next((i for i in of if len(i["known"]) > 1), None) for t, of in home_indicators(found).items()}
    leading = [(t, i) for t, i in choice.items() if i is not None]
    stories = []
    for of, i in leading:
        lines = lines_of(benchmarks, i)
        stories.append({"topic": of, "indicator": i, "lines": lines, "picture": _figure(datasette, i, lines)})
    years = {p["year"] for _, i in leading for p in i["known"]}
    claims, periods = await held(datasette, "claims"), await periods_of(datasette)
    newest = with_statements(periods, claims)[-1:] if len(periods) > 1 else []
    if newest:  # those that /claims shows
        claims = [c for c in claims if c["period_id"] == newest[0]["period_id"]]
    return await page(
        datasette,
        request,
        "home.html",
        periods=periods,
        newest=newest[0] if newest else None,
        stories=stories,
        span=(min(years), max(years)) if years else None,
        topics=_topics(found),
        claims=len(claims),
        tally=tally(claims),
        changes=_changes(facts),
    )


def _topics(indicators: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """Return the topics with indicators: (address, theme, number of indicators)."""
    counts = {t: sum(i["theme"] == theme for i in indicators) for t, theme in TOPICS.items()}
    return [(t, TOPICS[t], n) for t, n in counts.items() if n]


def _changes(facts: Facts) -> dict[str, Any] | None:
    """Summarize changes.json; None in a release without it."""
    path = facts.folder / "changes.json"
    if not path.is_file():
        return None
    changes = json.loads(path.read_text(encoding="utf-8"))
    changed = changes.get("indicator_values") or []
    return {
        "previous": changes.get("previous"),
        "changed": changes.get("indicator_values_changed") or 0,
        "indicators": sorted({v["indicator_id"] for v in changed}),
        "claims": changes.get("claims") or [],
        "tables": changes.get("tables") or {},
    }


async def topic(datasette: Any, request: Any) -> Response:
    name = request.url_vars["topic"]
    if name not in TOPICS:
        raise NotFound("no such topic")
    everything = await indicators_with_series(datasette)
    found = [i for i in everything if i["theme"] == TOPICS[name]]
    lines = await _savings(datasette) if name == "savings" else {}
    claims = [c | {"shown": shown(c)} for c in await held(datasette, "claims")]
    ids = {i["indicator_id"] for i in found}
    benchmarks = await benchmarks_of(datasette)
    drawable = [i | {"lines": lines_of(benchmarks, i)} for i in found if len(i["known"]) > 1]
    first = in_order(drawable, "topic_order")
    drawn = [*first, *(i for i in drawable if i not in first)][:4]
    drawn = [i | {"picture": _figure(datasette, i, i["lines"])} for i in drawn]
    return await page(
        datasette,
        request,
        "topic.html",
        topic=name,
        theme=TOPICS[name],
        drawn=drawn,
        others=[(t, theme) for t, theme, _ in _topics(everything)],
        indicators=found,
        lines=lines,
        line_years=sorted({y for of in lines.values() for line in of for y in line["by"]}),
        claims=[c for c in claims if c["indicator_id"] in ids],
        plans=await several(datasette),
        datasets=[d for d in datasette.facts.datasets if d["theme"] == TOPICS[name]],
    )


async def _savings(datasette: Any) -> dict[str, list[dict[str, Any]]]:
    """Return the statement of savings: nature -> lines, each with its rows `by` year; sums over the period are left out."""
    if not has(datasette, "savings_statement"):
        return {}
    lines: dict[str, dict[str, Any]] = {}
    for r in await rows(
        datasette, "select * from savings_statement where not whole_period order by cast(line as integer), line, year"
    ):
        lines.setdefault(r["line"], r | {"by": {}})["by"][r["year"]] = r
    out: dict[str, list[dict[str, Any]]] = {}
    for line in lines.values():
        line["places"] = places([r["value"] for r in line["by"].values()], 2, line["unit"])
        out.setdefault(line["nature"], []).append(line)
    return out
