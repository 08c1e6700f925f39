"""The statements of the public report: all of them with their results, and each with how it was checked."""

from __future__ import annotations

from collections import Counter
from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.site.pages.base import has, page, rows
from publish.site.words import CODES

STATUSES = tuple(CODES["check_status"])
HOLD, DIFFER = ("match", "within_qualifier"), ("mismatch",)


def tally(claims: list[dict[str, Any]]) -> dict[str, Any]:
    """How many claims hold, differ, and cannot be checked; `counted` by status in the order of the list of statuses."""
    counts = Counter(c["check_status"] or "no_data" for c in claims)
    counted = [(s, counts[s]) for s in (*STATUSES, *sorted(set(counts) - set(STATUSES))) if counts[s]]
    hold, differ = sum(counts[s] for s in HOLD), sum(counts[s] for s in DIFFER)
    return {"hold": hold, "differ": differ, "open": len(claims) - hold - differ, "counted": counted}


CLAIMS = "select claims.*, i.unit as indicator_unit from claims left join indicators i using (indicator_id)"


def _comparable(claim: dict[str, Any]) -> dict[str, Any]:
    """A claim with `computed_unit`, that of the computed figure, and `apart`, how far it is from the printed one: None where
    what is printed is no figure or stands in another unit, as eight years do beside the share that is older."""
    other = claim["indicator_unit"] == "%" and claim["unit"] != "%"
    unit = claim["indicator_unit"] if other or not claim["unit"] else claim["unit"]
    apart = None if other or claim["value"] is None else claim["difference"]
    return claim | {"computed_unit": unit, "apart": apart}


async def claims(datasette: Any, request: Any) -> Response:
    found = [_comparable(c) for c in await rows(datasette, f"{CLAIMS} order by claims.rowid")]
    found.sort(key=lambda c: c.get("position") or 0)  # as the report has them
    status = request.args.get("status") or ""
    section = request.args.get("section") or ""
    sections = list(dict.fromkeys(c["section"] for c in found if c["section"]))
    return await page(
        datasette,
        request,
        "claims.html",
        claims=[
            c for c in found if (not status or c["check_status"] == status) and (not section or c["section"] == section)
        ],
        total=len(found),
        tally=tally(found),
        sections=sections,
        status=status if status in STATUSES else "",
        section=section if section in sections else "",
    )


async def claim(datasette: Any, request: Any) -> Response:
    found = await rows(datasette, f"{CLAIMS} where claim_id = :id", id=request.url_vars["claim"])
    if not found:
        raise NotFound("no such statement")
    claim = _comparable(found[0])
    indicator = None
    if claim.get("indicator_id"):
        of = await rows(datasette, "select * from indicators where indicator_id = :id", id=claim["indicator_id"])
        indicator = of[0] if of else None
    arithmetic = []
    if has(datasette, "claim_arithmetic"):
        arithmetic = [
            a
            for a in await rows(datasette, "select * from claim_arithmetic order by rowid")
            if f"'{claim['claim_id']}'" in (a.get("sql") or "")
        ]
    return await page(datasette, request, "claim.html", claim=claim, indicator=indicator, arithmetic=arithmetic)
