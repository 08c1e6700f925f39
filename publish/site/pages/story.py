"""Home, topics, indicators, and where a number comes from.

Belongs here: which figures tell the story. Not here: how figures are written (words.py) or drawn (charts.py).
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasette.utils.asgi import NotFound, Response

from publish.release.write import write_csv, write_parquet, write_xlsx
from publish.schema import MADE_UP_EN, MADE_UP_ZH, MARTS
from publish.site.charts import TOTALS, lines_of
from publish.site.facts import Facts, Label
from publish.site.pages import revisions
from publish.site.pages.base import USUAL, address, district_names, has, held, page, rows, whole_city
from publish.site.pages.behind import cells_behind, sources
from publish.site.pages.statements import shown, tally
from publish.site.words import FACTOR_SETS, address_parts, places, unfinished

# A topic's address, and the theme it shows as the release spells it.
TOPICS = {
    "savings": "节约",
    "assets": "资产",
    "energy": "能源",
    "vehicles": "车辆",
    "offices": "办公用房",
    "services": "服务与改革",
    "base": "基础",
}
# The charts of the home page: a topic, and the indicators that tell it best; the first with a series is shown, else
# any of the theme.
HOME = {
    "savings": ("utility_cost_saved", "energy_saved", "framework_saving", "retrofit_funds_paid"),
    "assets": ("disposal_amount", "lease_annual_rent", "lease_received"),
    "energy": ("energy_per_capita", "energy_per_area", "energy_tce", "energy_kgce"),
}
# What the pages of the topics show first.
LEADING = {
    "savings": ("utility_cost_saved", "framework_saving", "property_saving", "water_saved", "energy_saved"),
    "assets": ("disposal_amount", "lease_annual_rent", "idle_building_found", "warehouse_value"),
    "energy": (
        "energy_per_capita",
        "energy_per_area",
        "water_per_capita",
        "pv_generation",
        "electricity",
        "energy_tce",
    ),
    "vehicles": ("fleet_new_energy_share", "nev_share", "vehicle_purchases", "vehicle_cost", "parking_spaces"),
    "offices": ("office_area_per_head", "office_vacated_area", "office_excess_rate", "office_area"),
    "services": ("task_on_time_rate", "training_person_times", "canteen_coverage", "inspection_rectified_rate"),
    "base": ("institutions", "people", "floor_area"),
}
VALUES = next(t for t in MARTS if t.name == "indicator_values")
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json; charset=utf-8",
}


async def _benchmarks(datasette: Any) -> list[dict[str, Any]]:
    return await held(datasette, "benchmarks", "year")


async def _all(datasette: Any) -> list[dict[str, Any]]:
    """Every indicator with its series: `points` by year, `known` those with a value whose year was over."""
    found = [dict(i) for i in await held(datasette, "indicators")]
    latest = await rows(
        datasette,
        f"""
        select indicator_id, dimension, year, value, status from indicator_values
        where dimension in ('total', 'base') and {USUAL}
        order by indicator_id, year
        """,
    )
    series: dict[str, list[dict[str, Any]]] = {}
    for r in latest:
        series.setdefault(r["indicator_id"], []).append(r)
    for i in found:
        points = series.get(i["indicator_id"], [])
        i["points"] = [p for p in points if p["dimension"] == "total"] or points
        i["known"] = _known(i["points"], datasette.facts.as_of)
    return found


def _known(points: list[dict[str, Any]], as_of: str) -> list[dict[str, Any]]:
    """The years with a value that were over when the release was made: half a year is not held against a whole one."""
    known = [p for p in points if p["value"] is not None]
    return [p for p in known if not unfinished(as_of, p["year"])] or known


def _told(indicators: list[dict[str, Any]], topic: str) -> dict[str, Any] | None:
    """The indicator that tells a topic, None where none has two years."""
    of_theme = [i for i in indicators if i["theme"] == TOPICS[topic] and len(i["known"]) > 1]
    by_id = {i["indicator_id"]: i for i in of_theme}
    usual = [i for i in of_theme if i["kind"] in ("flow", "stock", "ratio")]
    return next((by_id[i] for i in HOME[topic] if i in by_id), next(iter(usual or of_theme), None))


async def home(datasette: Any, request: Any) -> Response:
    facts = datasette.facts
    found = await _all(datasette)
    benchmarks = await _benchmarks(datasette)
    told = [(t, i) for t in HOME if (i := _told(found, t)) is not None]
    stories = [{"topic": t, "indicator": i, "lines": lines_of(benchmarks, i)} for t, i in told]
    years = {p["year"] for _, i in told for p in i["known"]}
    claims = await held(datasette, "claims")
    return await page(
        datasette,
        request,
        "home.html",
        charts=bool(stories),
        stories=stories,
        span=(min(years), max(years)) if years else None,
        topics=_topics(found),
        claims=len(claims),
        tally=tally(claims),
        changes=_changes(facts),
    )


def _topics(indicators: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """The topics that have indicators: address, theme, how many."""
    counts = {t: sum(i["theme"] == theme for i in indicators) for t, theme in TOPICS.items()}
    return [(t, TOPICS[t], n) for t, n in counts.items() if n]


def _changes(facts: Facts) -> dict[str, Any] | None:
    """What this release changed: changes.json, counted. None where the release does not say."""
    path = facts.folder / "changes.json"
    if not path.is_file():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    changed = told.get("indicator_values") or []
    return {
        "previous": told.get("previous"),
        "changed": told.get("indicator_values_changed") or 0,
        "indicators": sorted({v["indicator_id"] for v in changed}),
        "claims": told.get("claims") or [],
        "tables": told.get("tables") or {},
    }


async def topic(datasette: Any, request: Any) -> Response:
    name = request.url_vars["topic"]
    if name not in TOPICS:
        raise NotFound("no such topic")
    everything = await _all(datasette)
    found = [i for i in everything if i["theme"] == TOPICS[name]]
    lines = await _savings(datasette) if name == "savings" else {}
    claims = [c | {"shown": shown(c)} for c in await held(datasette, "claims")]
    ids = {i["indicator_id"] for i in found}
    benchmarks = await _benchmarks(datasette)
    drawn = [i | {"lines": lines_of(benchmarks, i)} for i in found if len(i["known"]) > 1]
    leading = LEADING.get(name, ())
    drawn.sort(key=lambda i: leading.index(i["indicator_id"]) if i["indicator_id"] in leading else len(leading))
    return await page(
        datasette,
        request,
        "topic.html",
        charts=bool(drawn),
        topic=name,
        theme=TOPICS[name],
        drawn=drawn[:4],
        others=[(t, theme) for t, theme, _ in _topics(everything)],
        indicators=found,
        lines=lines,
        line_years=sorted({y for of in lines.values() for line in of for y in line["by"]}),
        claims=[c for c in claims if c["indicator_id"] in ids],
        datasets=[d for d in datasette.facts.datasets if d["theme"] == TOPICS[name]],
    )


async def _savings(datasette: Any) -> dict[str, list[dict[str, Any]]]:
    """The statement of savings: nature -> lines, each with its rows `by` year. Sums over the period are left to the table."""
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


async def indicators(datasette: Any, request: Any) -> Response:
    themes: dict[str, list[dict[str, Any]]] = {}
    for i in await _all(datasette):
        themes.setdefault(i["theme"], []).append(i)
    order = list(TOPICS.values())
    addresses = {theme: t for t, theme in TOPICS.items()}
    sorted_themes = sorted(themes.items(), key=lambda t: order.index(t[0]) if t[0] in order else len(order))
    return await page(datasette, request, "indicators.html", themes=dict(sorted_themes), addresses=addresses)


async def _indicator(datasette: Any, request: Any) -> dict[str, Any]:
    wanted = request.url_vars["indicator"]
    found = next((i for i in await held(datasette, "indicators") if i["indicator_id"] == wanted), None)
    if found is None:
        raise NotFound("no such indicator")
    return found


async def indicator(datasette: Any, request: Any) -> Response:
    about = await _indicator(datasette, request)
    name = about["indicator_id"]
    points = await rows(datasette, TOTALS, id=name)
    every = await rows(
        datasette,
        f"""
        select dimension, member, year, value, status, factor_set, {USUAL} as _usual from indicator_values
        where indicator_id = :id order by dimension, member, year
        """,
        id=name,
    )
    values = [v for v in every if v["_usual"] and v["dimension"] not in ("total", "base")]
    others = [
        v | {"member": v["factor_set"], "dimension": "factor_set"}
        for v in sorted(every, key=lambda v: (v["factor_set"] or "", v["year"]))
        if not v["_usual"] and v["dimension"] in ("total", "base")
    ]
    claims = [
        c | {"shown": shown(c)}
        for c in await held(datasette, "claims")
        if c["indicator_id"] == name or f"'{name}'" in (c["sql"] or "")
    ]
    names = await district_names(datasette)
    breakdowns = _pivot(values, names)
    city = await whole_city(datasette)
    if "district" in breakdowns and city is not None:  # the whole city first, named apart from its own bodies
        breakdowns["district"]["names"] = names | {"all": city}
        whole = {p["year"]: p for p in points if p["dimension"] == "total"}
        whole |= breakdowns.get("total", {}).get("members", {}).get("all", {})
        breakdowns["district"]["members"] = {"all": whole} | breakdowns["district"]["members"]
    hidden = any(v["status"] == "Q" for v in (*values, *points))
    return await page(
        datasette,
        request,
        "indicator.html",
        charts=True,
        indicator=about,
        points=points,
        lines=lines_of(await _benchmarks(datasette), about),
        breakdowns=breakdowns,
        factor_sets=_pivot(others, FACTOR_SETS),
        factors=await _factors(datasette, about, points, others),
        hidden=hidden,
        rules=datasette.facts.rules,
        claims=claims,
        sql=_sql(name),
        known=_known(points, datasette.facts.as_of),
        notes={p["year"]: p["note"] for p in points if p["note"]},
        revisions=await revisions.of_figures(datasette.facts, name),
        topic=next((t for t, theme in TOPICS.items() if theme == about["theme"]), None),
        years=[v["year"] for v in every],
    )


def _sql(indicator_id: str, year: int | None = None) -> str:
    where = f"where indicator_id = '{indicator_id}' and {USUAL}"
    if year is not None:
        where += f"\n  and year = {year} and dimension in ('total', 'base')"
    return (
        f"select year, dimension, member, value, unit, status, factor_set\nfrom indicator_values\n{where}\n"
        "order by dimension, member, year"
    )


def _pivot(values: list[dict[str, Any]], names: dict[str, Label]) -> dict[str, dict[str, Any]]:
    """Breakdowns as tables: dimension -> {'columns': [2021, ..., '2021-2025'], 'members': {name: {column: row}}}.

    `period/district` is the sum over the plan's years, its member `2021-2025/430202`: one more column of `district`.
    `base/district` is a change since a base year: there the year is the column, as in `district`.
    """
    out: dict[str, dict[str, Any]] = {}
    for v in values:
        over, dimension, prefix, member = address_parts(v["dimension"], v["member"] or "")
        column = prefix if over == "period" else v["year"]
        table = out.setdefault(dimension, {"columns": [], "members": {}, "names": names})
        if column not in table["columns"]:
            table["columns"].append(column)
        table["members"].setdefault(member, {})[column] = v
    for table in out.values():
        table["columns"].sort(key=lambda c: (isinstance(c, str), str(c)))
    return out


async def _factors(
    datasette: Any, about: dict[str, Any], points: list[dict[str, Any]], others: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The factors of the indicator: those its formula or definition names, and those of its factor sets for its unit."""
    text = f"{about.get('formula') or ''} {about.get('definition_zh') or ''} {about.get('definition_en') or ''}"
    sets = {p["factor_set"] for p in points} | {o["member"] for o in others}
    sets -= {None, "", "none"}
    metric = about["unit"].split("/")[0]
    metrics = {"tce": "kgce", "t": "kgCO2", "kg": "kgCO2"}
    wanted = metrics.get(metric, metric)
    out = []
    for f in await held(datasette, "factors", "factor_id"):
        belongs = set((f.get("factor_sets") or "").replace(" ", "").split(",")) & sets
        if f["factor_id"] in text or (belongs and f["metric"] == wanted):
            out.append(f | {"sets": sorted(belongs)})
    return out


async def source(datasette: Any, request: Any) -> Response:
    """Where one year's number comes from: files, sheets, and for open datasets the rows and cells."""
    about = await _indicator(datasette, request)
    year = int(request.url_vars["year"])
    found = [p for p in await rows(datasette, TOTALS, id=about["indicator_id"]) if p["year"] == year]
    if not found:
        raise NotFound("no such year")
    value = found[0]
    files = []
    if has(datasette, "provenance"):
        files = await sources(
            datasette,
            "indicator_id = :id and year = :year and dimension = :dimension and coalesce(factor_set, '') = coalesce(:factors, '')",
            id=about["indicator_id"],
            year=year,
            dimension=value["dimension"],
            factors=value["factor_set"],
        )
    return await page(
        datasette,
        request,
        "source.html",
        indicator=about,
        value=value,
        files=files,
        cells=await cells_behind(datasette, files, about["formula"]),
        factors=await _factors(datasette, about, found, []),
        sql=_sql(about["indicator_id"], year),
    )


async def export(datasette: Any, request: Any) -> Response:
    """An indicator's values as a file: CSV with BOM, XLSX with a sheet of notes, Parquet, JSON."""
    about = await _indicator(datasette, request)
    form = request.url_vars["format"]
    every = await rows(
        datasette,
        "select * from indicator_values where indicator_id = :id order by dimension, member, year, factor_set",
        id=about["indicator_id"],
    )
    # A release of years ago lacks a column that came later; here it is empty.
    found = [{c: r.get(c) for c in VALUES.columns} for r in every]
    for r in found:
        r["synthetic"] = bool(r["synthetic"])
    facts = datasette.facts
    notes = _notes(facts, about, address(request, facts.release_id))
    if form == "json":
        body = json.dumps(
            {"indicator": about, "notes": dict(notes), "values": found}, ensure_ascii=False, indent=1
        ).encode()
    else:
        body = await asyncio.to_thread(_file, form, pa.Table.from_pylist(found, schema=VALUES.arrow), notes)
    name = f"{about['indicator_id']}-{facts.release_id}.{form}"
    response = Response(body, headers={"content-disposition": f'attachment; filename="{name}"'})
    response.content_type = FORMATS[form]
    return response


def _file(form: str, data: pa.Table, notes: list[tuple[str, str]]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"values.{form}"
        if form == "csv":
            write_csv(path, VALUES, data)
        elif form == "parquet":
            write_parquet(path, VALUES, data, {name.split(" ")[-1].lower(): text for name, text in notes})
        else:
            write_xlsx(path, VALUES, data, notes, Path(folder))
        return path.read_bytes()


def _notes(facts: Facts, about: dict[str, Any], site: str) -> list[tuple[str, str]]:
    made_up = [("提示 Notice", f"{MADE_UP_ZH} {MADE_UP_EN}")] if facts.synthetic else []
    return [
        *made_up,
        ("名称 Title", f"{about['name_zh']} / {about['name_en']}"),
        ("定义 Definition", f"{about['definition_zh']} / {about['definition_en']}"),
        ("公式 Formula", about["formula"] or ""),
        ("计量单位 Unit", about["unit"] or ""),
        ("发布版本 Release", facts.release_id),
        ("数据截止 As of", facts.as_of),
        ("发布单位 Publisher", facts.publisher),
        ("许可 Licence", facts.licence),
        ("永久地址 Address", f"{site}/indicators/{about['indicator_id']}"),
        ("状态 Status", "A 正常 normal; E 估计 estimated; F 预测 forecast; O 缺失 missing; Q 已隐去 suppressed"),
    ]
