"""The list of indicators, the page of one, and the source of one year's value.

Belongs here: what these pages read. Not here: files of an indicator (export.py), rows behind a value (behind.py).
"""

from __future__ import annotations

from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.site.facts import Label
from publish.site.pages import charting, revisions
from publish.site.pages.arithmetic import of_figure
from publish.site.pages.base import USUAL, district_names, has, held, page, rows, whole_city
from publish.site.pages.behind import cells_behind, sources
from publish.site.pages.citing import cite
from publish.site.pages.periods import Period, asked_for, has_year, of_one_base, periods_of, several, with_values
from publish.site.pages.series import benchmarks_of, complete_years, indicators_with_series
from publish.site.pages.statements import shown
from publish.site.pages.topics import TOPICS, theme_order
from publish.site.totals import TOTALS, lines_of
from publish.site.vocabulary import address_parts, factor_sets


async def indicators(datasette: Any, request: Any) -> Response:
    themes: dict[str, list[dict[str, Any]]] = {}
    for i in await indicators_with_series(datasette):
        themes.setdefault(i["theme"], []).append(i)
    addresses = {theme: t for t, theme in TOPICS.items()}
    sorted_themes = {theme: themes[theme] for theme in sorted(themes, key=theme_order)}
    return await page(datasette, request, "indicators.html", themes=sorted_themes, addresses=addresses)


async def indicator_of(datasette: Any, request: Any) -> dict[str, Any]:
    wanted = request.url_vars["indicator"]
    found = next((i for i in await held(datasette, "indicators") if i["indicator_id"] == wanted), None)
    if found is None:
        raise NotFound("no such indicator")
    return found


async def material(datasette: Any, about: dict[str, Any], asked: str | None = None) -> dict[str, Any]:
    """Read the values of an indicator: `points` (its series), `lines`, `breakdowns` and `others` (of other factor sets) as tables,
    `revisions`, `hidden`: whether one is suppressed. `periods` are those with a value, if several; `period` is the one of them that
    is `asked` for, whose values alone are given. Of a change those since one base year are, for others do not compare."""
    name = about["indicator_id"]
    points = await rows(datasette, TOTALS, id=name)
    periods = with_values(await periods_of(datasette), points)
    period = asked_for(periods, asked) if len(periods) > 1 else None
    changes = bool(points) and points[-1]["dimension"] == "base"
    points = (
        [p for p in points if has_year(period, p["year"])] if period else of_one_base(points, datasette.facts.as_of)
    )
    bases = {p["member"] for p in points if p["dimension"] == "base"}
    known = datasette.facts.columns["indicator_values"]
    counted = ", ".join(c if c in known else f"null as {c}" for c in ("reporting", "population"))
    every = await rows(
        datasette,
        f"""
        select dimension, member, year, value, status, factor_set, {counted}, {USUAL} as _usual from indicator_values
        where indicator_id = :id order by dimension, member, year
        """,
        id=name,
    )
    every = [v for v in every if _belongs(v, period, bases)]
    values = [v for v in every if v["_usual"] and v["dimension"] not in ("total", "base")]
    others = [
        v | {"member": v["factor_set"], "dimension": "factor_set"}
        for v in sorted(every, key=lambda v: (v["factor_set"] or "", v["year"]))
        if not v["_usual"] and v["dimension"] in ("total", "base")
    ]
    names = await district_names(datasette)
    breakdowns = _pivot(values, names)
    await _as_contracts_list(datasette, breakdowns)
    city = await whole_city(datasette)
    if "district" in breakdowns and city is not None:  # the whole city first, named apart from its own bodies
        breakdowns["district"]["names"] = names | {"all": city}
        whole = {p["year"]: p for p in points if p["dimension"] == "total"}
        whole |= breakdowns.get("total", {}).get("members", {}).get("all", {})
        breakdowns["district"]["members"] = {"all": whole} | breakdowns["district"]["members"]
    return {
        "points": points,
        "periods": periods if len(periods) > 1 else [],
        "period": period
        or (next((p for p in periods if has_year(p, points[-1]["year"])), None) if changes and points else None),
        "of_period": period["period_id"] if period else "",
        "lines": lines_of(await benchmarks_of(datasette), about, bases),
        "breakdowns": breakdowns,
        "others": others,
        "revisions": await revisions.of_figures(datasette.facts, name),
        "hidden": any(v["status"] == "Q" for v in (*values, *points)),
        "years": [v["year"] for v in every],
    }


async def _as_contracts_list(datasette: Any, breakdowns: dict[str, dict[str, Any]]) -> None:
    """Put the members of each breakdown in the order in which a contract lists them (市, 县, 乡), where one lists them all."""
    listed = "select distinct allowed from dataset_columns where allowed <> '' order by length(allowed), allowed"
    held = datasette.facts.held
    if "closed lists" not in held:
        held["closed lists"] = await rows(datasette, listed)
    lists = [r["allowed"].split("|") for r in held["closed lists"]]
    for table in breakdowns.values():
        named = [m for m in table["members"] if m not in ("all", "unknown")]
        order: list[str] = next((of for of in lists if set(named) <= set(of)), [])
        if named and order:
            rank = {m: n for n, m in enumerate(order)}
            found = sorted(table["members"].items(), key=lambda i: rank.get(i[0], -1 if i[0] == "all" else len(rank)))
            table["members"] = dict(found)


def _belongs(value: dict[str, Any], period: Period | None, bases: set[str]) -> bool:
    """Return whether a value is of the period shown and, where it is a change, of the base year shown."""
    over, _, prefix, _ = address_parts(value["dimension"], value["member"] or "")
    if over == "base" and bases and prefix not in bases:
        return False
    if period is None:
        return True
    return prefix == period["member"] if over == "period" else has_year(period, value["year"])


def choose(
    datasette: Any, request: Any, about: dict[str, Any], of: dict[str, Any], notes: tuple[str, ...] = ()
) -> charting.Chosen:
    """Return the series that a request asks for, and their chart. `of`: what `material` read."""
    series = charting.available(datasette.language, of["points"], of["breakdowns"])
    choice = charting.chosen_from(request.args, [a.key for a in series], of["of_period"])
    revised = {r["year"]: r for r in of["revisions"]}
    return charting.chosen(datasette.language, datasette.facts, about, choice, series, of["lines"], revised, notes)


def reported(breakdowns: dict[str, dict[str, Any]], year: int) -> dict[str, list[tuple[str, int, int]]]:
    """Return by district, kind and level how many of how many institutions are behind a year's figure: (member, reporting,
    population), those first of which most are missing. Only what the release publishes with each value is counted."""
    out: dict[str, list[tuple[str, int, int]]] = {}
    for dimension in ("district", "org_type", "level"):
        found = [
            (member, by[year]["reporting"], by[year]["population"])
            for member, by in breakdowns.get(dimension, {}).get("members", {}).items()
            if member != "all" and year in by and None not in (by[year].get("reporting"), by[year].get("population"))
        ]
        if found:
            out[dimension] = sorted(found, key=lambda f: f[1] - f[2])
    return out


async def indicator(datasette: Any, request: Any) -> Response:
    about = await indicator_of(datasette, request)
    name = about["indicator_id"]
    of = await material(datasette, about, request.args.get("period"))
    points, others = of["points"], of.pop("others")
    claims = [
        c | {"shown": shown(c)}
        for c in await held(datasette, "claims")
        if c["indicator_id"] == name or f"'{name}'" in (c["sql"] or "")
    ]
    picked = choose(datasette, request, about, of)
    divisions = await held(datasette, "divisions")
    own = frozenset(f"district/{d['code']}" for d in divisions if d.get("level") == "city")
    ranked = charting.ranking(datasette.language, datasette.facts, about, picked.choice, picked.available, own)
    mapped = charting.tile_map(datasette.language, datasette.facts, about, picked.choice, picked.available, divisions)
    known = complete_years(points, datasette.facts.as_of)
    made = await of_figure(datasette, about, known[-1]) if known else None
    return await page(
        datasette,
        request,
        "indicator.html",
        script=True,
        indicator=about,
        **of,
        picked=picked,
        ranked=ranked,
        mapped=mapped,
        picture=charting.figure(mapped[0] if mapped and picked.choice.view == "map" else picked.chart, "c"),
        factor_sets=_pivot(others, factor_sets(datasette.facts)),
        factors=await _factors(datasette, about, points, others),
        rules=datasette.facts.rules,
        claims=claims,
        plans=await several(datasette),
        sql=_sql(name),
        known=known,
        made=made,
        reported=reported(of["breakdowns"], known[-1]["year"]) if known else {},
        cited=cite(datasette, request, about["name_zh"], about["name_en"], f"indicators/{name}", picked.choice.query()),
        notes={p["year"]: p["note"] for p in points if p["note"]},
        topic=next((t for t, theme in TOPICS.items() if theme == about["theme"]), None),
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
    """Arrange breakdowns as tables: dimension -> {'columns': [2025, ..., '2021-2025'], 'members': {name: {column: row}}}.

    `period/district` is the sum over the plan's years, its member `2021-2025/990102`: one more column of `district`.
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
        # The newest year first, which is the one in sight on a phone.
        table["columns"].sort(key=lambda c: (isinstance(c, str), -c if isinstance(c, int) else 0, str(c)))
    return out


async def _factors(
    datasette: Any, about: dict[str, Any], points: list[dict[str, Any]], others: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the factors of an indicator: those that its formula or definition names, and those of its factor sets for its unit."""
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
    """Show the source of one year's figure: files, sheets, and for open datasets rows and cells."""
    about = await indicator_of(datasette, request)
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
        script=True,
        made=await of_figure(datasette, about, value),
        cited=cite(
            datasette,
            request,
            f"{about['name_zh']}（{year} 年）",
            f"{about['name_en'] or about['name_zh']} ({year})",
            f"indicators/{about['indicator_id']}/{year}",
        ),
        indicator=about,
        value=value,
        files=files,
        cells=await cells_behind(datasette, files, about["formula"]),
        factors=await _factors(datasette, about, found, []),
        sql=_sql(about["indicator_id"], year),
    )
