"""The statements of the public report: the list with results, the page of one, and its source."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.site.facts import Facts
from publish.site.newer import shown
from publish.site.pages import revisions
from publish.site.pages.arithmetic import of_figure, of_years
from publish.site.pages.base import has, held, page, rows
from publish.site.pages.behind import cells_behind, sources
from publish.site.pages.citing import cite
from publish.site.pages.periods import ALL, asked_for, periods_of, several, with_statements
from publish.site.pages.topics import TOPICS
from publish.site.vocabulary import CODES, factor_sets

STATUSES = tuple(CODES["check_status"])
HOLD, PART, DIFFER = ("match", "within_qualifier"), ("holds_in_part",), ("mismatch",)


def tally(claims: list[dict[str, Any]]) -> dict[str, Any]:
    """Count the claims that hold, hold in part, differ or cannot be checked; `counted`: by status shown, in the order of STATUSES."""
    counts = Counter(shown(c) for c in claims)
    counted = [(s, counts[s]) for s in (*STATUSES, *sorted(set(counts) - set(STATUSES))) if counts[s]]
    hold, part, differ = (sum(counts[s] for s in group) for group in (HOLD, PART, DIFFER))
    rest = len(claims) - hold - part - differ
    return {"hold": hold, "part": part, "differ": differ, "open": rest, "counted": counted}


CLAIMS = "select claims.*, i.unit as indicator_unit, i.theme as theme from claims left join indicators i using (indicator_id)"


def _comparable(claim: dict[str, Any]) -> dict[str, Any]:
    """Add `computed_unit`, the unit of the computed figure, and `apart`, its distance from the printed one: None where no figure is
    printed or its unit differs, as with "eight years" and the share of older vehicles."""
    other = claim["indicator_unit"] == "%" and claim["unit"] != "%"
    unit = claim["indicator_unit"] if other or not claim["unit"] else claim["unit"]
    apart = None if other or claim["value"] is None else claim["difference"]
    apart_unit = "百分点" if unit == "%" else unit
    if unit == "年月" and apart is not None:  # 202502 is a month: the distance is in months
        months = [int(v) // 100 * 12 + int(v) % 100 for v in (claim["computed_value"], claim["value"])]
        apart, apart_unit = months[0] - months[1], "月"
    return claim | {
        "computed_unit": unit,
        "apart": apart,
        "apart_unit": apart_unit,
        "shown": shown(claim),
        "needs": re.findall(r"\w+", claim.get("datasets") or ""),
        "sets": json.loads(claim.get("basis") or "[]"),
    }


def _far(claim: dict[str, Any]) -> float:
    """Return how far the computed figure is from the printed one, as a share of it; −1 where they cannot be compared, or need not be."""
    if claim["apart"] is None:
        return -1.0
    return abs(claim["apart"] / claim["value"]) if claim["value"] else float(bool(claim["apart"]))


# How far apart, in per cent of what is printed: the least and the most of each choice.
SIZES = {"none": (-math.inf, 0.0), "1": (0.0, 1.0), "10": (1.0, 10.0), "more": (10.0, math.inf)}
SORTS = {
    "difference": lambda c: -_far(c),
    "closest": lambda c: _far(c) if _far(c) >= 0 else math.inf,
    "topic": lambda c: list(TOPICS.values()).index(c["theme"]) if c["theme"] in TOPICS.values() else len(TOPICS),
    "result": lambda c: (*STATUSES, c["shown"]).index(c["shown"]),
}


def _has_size(claim: dict[str, Any], size: str) -> bool:
    """Return whether a statement is as far from its figure as a choice of SIZES says: none, within 1 %, within 10 %, more."""
    least, most = SIZES[size]
    far = 100 * _far(claim)
    return far < 0 if size == "none" else far >= 0 and (least < far <= most or (size == "1" and far == 0))


async def claims(datasette: Any, request: Any) -> Response:
    found = [_comparable(c) for c in await rows(datasette, f"{CLAIMS} order by claims.rowid")]
    found.sort(key=lambda c: c.get("position") or 0)  # as the report has them
    periods = with_statements(await periods_of(datasette), found)
    period = None
    if len(periods) > 1 and request.args.get("period") != ALL:
        period = asked_for(periods, request.args.get("period")) or periods[-1]
        found = [c for c in found if c["period_id"] == period["period_id"]]
    sections = {c["section"]: _heading(datasette.facts, c) for c in found if c["section"]}
    themes = {c["theme"] for c in found}
    topics = [(t, theme) for t, theme in TOPICS.items() if theme in themes]
    asked = {name: request.args.get(name) or "" for name in ("status", "section", "topic", "sort", "size")}
    shown = [
        c
        for c in found
        if asked["status"] in ("", c["shown"])
        and asked["section"] in ("", c["section"])
        and (not asked["topic"] or c["theme"] == TOPICS.get(asked["topic"]))
        and (asked["size"] not in SIZES or _has_size(c, asked["size"]))
    ]
    if asked["sort"] in SORTS:
        shown.sort(key=SORTS[asked["sort"]])
    return await page(
        datasette,
        request,
        "claims.html",
        claims=shown,
        total=len(found),
        tally=tally(found),
        periods=periods if len(periods) > 1 else [],
        period=period["period_id"] if period else ALL,
        sections=sections,
        topics=topics,
        status=asked["status"] if asked["status"] in STATUSES else "",
        section=asked["section"] if asked["section"] in sections else "",
        topic=asked["topic"] if asked["topic"] in TOPICS else "",
        sort=asked["sort"] if asked["sort"] in SORTS else "",
        size=asked["size"] if asked["size"] in SIZES else "",
    )


def _heading(facts: Facts, claim: dict[str, Any]) -> dict[str, str] | None:
    """Return the heading of the section of the report that a statement is in, with title_zh and title_en; None where it is not given."""
    fits = [
        s for s in facts.sections if s["section"] == claim["section"] and s["period_id"] in ("", claim.get("period_id"))
    ]
    return max(fits, key=lambda s: s["period_id"], default=None)  # that of its own period, else of every


async def _neighbours(datasette: Any, claim: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return the statements before and after one, in the order of the report."""
    every = sorted(await held(datasette, "claims"), key=lambda c: c.get("position") or 0)
    at = next(n for n, c in enumerate(every) if c["claim_id"] == claim["claim_id"])
    return (every[at - 1] if at else None), (every[at + 1] if at + 1 < len(every) else None)


async def _claim(datasette: Any, request: Any) -> tuple[dict[str, Any], dict[str, Any] | None, list[dict[str, Any]]]:
    """Return the statement, its indicator, and the values behind it. Raises NotFound."""
    found = await rows(datasette, f"{CLAIMS} where claim_id = :id", id=request.url_vars["claim"])
    if not found:
        raise NotFound("no such statement")
    claim, indicator, values = _comparable(found[0]), None, []
    if claim.get("indicator_id"):
        of = await rows(datasette, "select * from indicators where indicator_id = :id", id=claim["indicator_id"])
        indicator = of[0] if of else None
    if indicator is not None and claim.get("year"):
        values = await rows(
            datasette, f"select * from indicator_values where {ADDRESS} order by year", **_address(claim)
        )
    return claim, indicator, values


ADDRESS = (
    "indicator_id = :id and year between :first and :last and dimension = :dimension and member = :member "
    "and factor_set = :factors"
)


def _address(claim: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": claim["indicator_id"],
        "first": claim.get("first_year") or claim["year"],
        "last": claim["year"],
        "dimension": claim["dimension"],
        "member": claim["member"],
        "factors": claim["factor_set"],
    }


async def claim(datasette: Any, request: Any) -> Response:
    claim, indicator, values = await _claim(datasette, request)
    arithmetic = []
    if has(datasette, "claim_arithmetic"):
        arithmetic = [
            a
            for a in await rows(datasette, "select * from claim_arithmetic order by rowid")
            if f"'{claim['claim_id']}'" in (a.get("sql") or "")
        ]
    last = claim.get("year") or 0
    first = claim.get("first_year") or last
    revised = []
    if indicator and last and claim.get("dimension") in ("total", "base"):
        revised = await revisions.of_figures(datasette.facts, indicator["indicator_id"], tuple(range(first, last + 1)))
    results = await revisions.of_claim(datasette.facts, claim["claim_id"])
    made = None
    if indicator is not None and values:
        point = values[-1]
        made = await of_years(datasette, indicator, point) or await of_figure(datasette, indicator, point)
    before, after = await _neighbours(datasette, claim)
    place = f"claims/{claim['claim_id']}"
    return await page(
        datasette, request, "claim.html", script=True, claim=claim, indicator=indicator, arithmetic=arithmetic,
        sourced=bool(values), FACTOR_SETS=factor_sets(datasette.facts), revisions=revised, results=results, plans=await several(datasette), made=made, before=before, after=after,
        cited=cite(datasette, request, f"{claim['name_zh']}：{claim['value_text'] or ''}", claim["name_en"], place),
        heading=_heading(datasette.facts, claim),
    )  # fmt: skip


async def source(datasette: Any, request: Any) -> Response:
    """Show the source of a statement: the values of its years, their files, and for open datasets their rows."""
    claim, indicator, values = await _claim(datasette, request)
    if indicator is None or not values:
        raise NotFound("no value behind this statement")
    files = []
    if has(datasette, "provenance"):
        files = await sources(datasette, ADDRESS, **_address(claim))
    cells = await cells_behind(datasette, files, indicator["formula"])
    return await page(
        datasette,
        request,
        "claim_source.html",
        claim=claim,
        indicator=indicator,
        values=values,
        files=files,
        cells=cells,
    )
