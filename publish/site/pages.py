"""The site's own pages: home, indicators, statements, data. Each reads the release's public tables and fills a template.

Belongs here: which figures a page shows. Not here: what they look like (templates/) or are called (words.py).
Every query is fixed here; what a visitor sends is only ever bound to it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.site.charts import TOTALS
from publish.site.facts import DB
from publish.site.words import CODES

STATUSES = tuple(CODES["check_status"])


async def _rows(datasette: Any, sql: str, **params: Any) -> list[dict[str, Any]]:
    return [dict(r) for r in (await datasette.execute(DB, sql, params)).rows]


async def _page(datasette: Any, request: Any, template: str, **context: Any) -> Response:
    return Response.html(await datasette.render_template(template, context, request))


async def _series(datasette: Any, indicator_id: str) -> list[dict[str, Any]]:
    return await _rows(datasette, TOTALS, id=indicator_id)


def _counted(claims: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """How many claims have each status, in the order of the list of statuses; one nobody knows comes last."""
    counts = Counter(c["check_status"] or "no_data" for c in claims)
    return [(s, counts[s]) for s in (*STATUSES, *sorted(set(counts) - set(STATUSES))) if counts[s]]


async def home(datasette: Any, request: Any) -> Response:
    facts = datasette.facts
    indicator, points = None, []
    if facts.headline:
        indicator = (await _rows(datasette, "select * from indicators where indicator_id = :id", id=facts.headline))[0]
        points = await _series(datasette, facts.headline)
    claims = await _rows(datasette, "select check_status from claims")
    return await _page(
        datasette,
        request,
        "home.html",
        indicator=indicator,
        points=points,
        claims=len(claims),
        counted=_counted(claims),
    )


async def indicators(datasette: Any, request: Any) -> Response:
    rows = await _rows(datasette, "select * from indicators order by theme, indicator_id")
    latest = await _rows(
        datasette,
        """
        select indicator_id, dimension, year, value, status from indicator_values
        where dimension in ('total', 'base') and coalesce(factor_set, '') in ('', 'none', 'default')
        order by indicator_id, year
        """,
    )
    series: dict[str, list[dict[str, Any]]] = {}
    for r in latest:
        series.setdefault(r["indicator_id"], []).append(r)
    series = {i: [r for r in s if r["dimension"] == "total"] or s for i, s in series.items()}
    themes: dict[str, list[dict[str, Any]]] = {}
    for r in rows:
        themes.setdefault(r["theme"], []).append(r | {"points": series.get(r["indicator_id"], [])})
    return await _page(datasette, request, "indicators.html", themes=themes)


async def indicator(datasette: Any, request: Any) -> Response:
    indicator_id = request.url_vars["indicator"]
    found = await _rows(datasette, "select * from indicators where indicator_id = :id", id=indicator_id)
    if not found:
        raise NotFound("no such indicator")
    values = await _rows(
        datasette,
        """
        select * from indicator_values
        where indicator_id = :id and dimension not in ('total', 'base') and coalesce(factor_set, '') in ('', 'none', 'default')
        order by dimension, member, year
        """,
        id=indicator_id,
    )
    others = await _rows(
        datasette,
        """
        select factor_set as member, 'factor_set' as dimension, year, value, status from indicator_values
        where indicator_id = :id and dimension = 'total' and coalesce(factor_set, '') not in ('', 'none', 'default')
        order by factor_set, year
        """,
        id=indicator_id,
    )
    claims = [
        c
        for c in await _rows(datasette, "select * from claims")
        if c.get("indicator_id") == indicator_id or f"'{indicator_id}'" in (c["sql"] or "")
    ]
    return await _page(
        datasette,
        request,
        "indicator.html",
        indicator=found[0],
        points=await _series(datasette, indicator_id),
        breakdowns=_pivot(values, await _names(datasette)),
        factor_sets=_pivot(others, {}),
        factors=await _factors(datasette, found[0], values),
        sources=await _sources(datasette, indicator_id),
        claims=claims,
    )


def _pivot(values: list[dict[str, Any]], names: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Breakdowns as tables: dimension -> {'columns': [2021, ..., '2021-2025'], 'members': {name: {column: row}}}.

    `period/district` is the sum over the plan's years, its member `2021-2025/430202`: one more column of `district`.
    `base/district` is a change since a base year: there the year is the column, as in `district`.
    """
    out: dict[str, dict[str, Any]] = {}
    for v in values:
        over, _, dimension = v["dimension"].rpartition("/")
        column, member = v["year"], v["member"] or ""
        if over:
            prefix, _, member = member.partition("/")
            column = prefix if over == "period" else column
        elif dimension == "period":
            dimension, column, member = "total", member, "合计"
        table = out.setdefault(dimension, {"columns": [], "members": {}})
        if column not in table["columns"]:
            table["columns"].append(column)
        table["members"].setdefault(names.get(member, member), {})[column] = v
    for table in out.values():
        table["columns"].sort(key=lambda c: (isinstance(c, str), str(c)))
    return out


async def _names(datasette: Any) -> dict[str, str]:
    """What members of a breakdown are called that are codes: districts and energy carriers."""
    districts = {}
    if "divisions" in datasette.facts.tables:
        rows = await _rows(datasette, "select * from divisions")
        districts = {r["code"]: r.get("name_zh") or r.get("name") or r["code"] for r in rows}
    return districts | {code: zh for code, (zh, _) in CODES["carrier"].items()}


async def _factors(datasette: Any, indicator: dict[str, Any], values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The factors that the indicator's formula names."""
    if "factors" not in datasette.facts.tables:
        return []
    text = f"{indicator.get('formula') or ''} {indicator.get('definition_zh') or ''}"
    return [f for f in await _rows(datasette, "select * from factors order by factor_id") if f["factor_id"] in text]


async def _sources(datasette: Any, indicator_id: str) -> list[dict[str, Any]]:
    """Where the yearly totals come from: files by hash with the records each gave."""
    if "provenance" not in datasette.facts.tables:
        return []
    return await _rows(
        datasette,
        """
        select year, dataset, file, sum(records) as records from provenance
        where indicator_id = :id and dimension in ('total', 'base') and coalesce(factor_set, '') in ('', 'none', 'default')
        group by year, dataset, file order by year, dataset, file limit 300
        """,
        id=indicator_id,
    )


async def claims(datasette: Any, request: Any) -> Response:
    rows = await _rows(datasette, "select * from claims order by rowid")
    rows.sort(key=lambda c: c.get("position") or 0)  # as the report has them
    status = request.args.get("status") or ""
    section = request.args.get("section") or ""
    shown = [
        c for c in rows if (not status or c["check_status"] == status) and (not section or c["section"] == section)
    ]
    sections = list(dict.fromkeys(c["section"] for c in rows if c["section"]))
    return await _page(
        datasette,
        request,
        "claims.html",
        claims=shown,
        total=len(rows),
        counted=_counted(rows),
        sections=sections,
        status=status,
        section=section,
    )


async def claim(datasette: Any, request: Any) -> Response:
    found = await _rows(datasette, "select * from claims where claim_id = :id", id=request.url_vars["claim"])
    if not found:
        raise NotFound("no such statement")
    return await _page(datasette, request, "claim.html", claim=found[0])


async def datasets(datasette: Any, request: Any) -> Response:
    facts = datasette.facts
    own = [t for t in facts.tables if t not in {d["dataset"] for d in facts.datasets} and t in facts.labels]
    return await _page(datasette, request, "datasets.html", datasets=facts.datasets, own=own)


async def dataset(datasette: Any, request: Any) -> Response:
    facts = datasette.facts
    name = request.url_vars["dataset"]
    found = next((d for d in facts.datasets if d["dataset"] == name), None)
    if found is None:
        raise NotFound("no such dataset")
    columns = await _rows(datasette, "select * from dataset_columns where dataset = :d order by rowid", d=name)
    files = sorted(f for f in facts.files if f.split("/")[-1].rsplit(".", 1)[0] == name)
    return await _page(datasette, request, "dataset.html", dataset=found, columns=columns, files=files)


async def about(datasette: Any, request: Any) -> Response:
    tables: dict[str, list[str]] = {}
    single = []
    for name in sorted(datasette.facts.files):
        folder, _, file = name.rpartition("/")
        if folder in ("csv", "xlsx", "parquet"):
            tables.setdefault(file.rsplit(".", 1)[0], []).append(name)
        else:
            single.append(name)
    return await _page(datasette, request, "about.html", tables=tables, single=single)


ROUTES: list[tuple[str, Any]] = [
    (r"^/$", home),
    (r"^/indicators$", indicators),
    (r"^/indicators/(?P<indicator>[A-Za-z0-9_-]+)$", indicator),
    (r"^/claims$", claims),
    (r"^/claims/(?P<claim>[A-Za-z0-9_-]+)$", claim),
    (r"^/datasets$", datasets),
    (r"^/datasets/(?P<dataset>[A-Za-z0-9_-]+)$", dataset),
    (r"^/about$", about),
]
