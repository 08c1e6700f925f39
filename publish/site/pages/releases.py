"""The releases kept: their list, and the differences between two.

Belongs here: pages over several releases. At a release's own address (`/r/<release_id>/releases`) they redirect to the list of
all, the one page that changes with each release. Not here: feeds (feeds.py), reading the folders (publish/release/store.py).
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.release import store
from publish.release.changes import compare
from publish.site.pages.base import district_names, page, rows

SHOWN = 300  # changed values on a page; changes.json has all of them


def _elsewhere(datasette: Any, request: Any) -> Response | None:
    """Return the redirect to the list of all below a release's own address; None elsewhere."""
    if not request.path.startswith("/r/"):
        return None
    target = datasette.facts.order.prefix(datasette.language) + request.path[request.path.rindex("/releases") :]
    return Response.redirect(target + (f"?{request.query_string}" if request.query_string else ""))


async def listed(datasette: Any, request: Any) -> Response:
    return _elsewhere(datasette, request) or await page(
        datasette,
        request,
        "releases.html",
        releases=await asyncio.to_thread(store.history, datasette.facts.folder.parent),
    )


async def diff(datasette: Any, request: Any) -> Response:
    moved = _elsewhere(datasette, request)
    if moved is not None:
        return moved
    facts = datasette.facts
    names = [r["release_id"] for r in await asyncio.to_thread(store.history, facts.folder.parent)]
    new = request.args.get("new") or facts.release_id
    old = request.args.get("old") or next((n for n in names if n != new), new)
    if old not in names or new not in names:
        raise NotFound("no such release")
    changed = await asyncio.to_thread(_compare, facts.folder.parent, old, new)
    about = {r["indicator_id"]: r for r in await rows(datasette, "select * from indicators")}
    claims = {r["claim_id"]: r for r in await rows(datasette, "select claim_id, name_zh, name_en from claims")}
    shown = sorted(changed["indicator_values"], key=_rank)[:SHOWN]
    by_indicator: dict[str, list[dict[str, Any]]] = {}  # those with a changed total first
    for v in shown:
        by_indicator.setdefault(v["indicator_id"], []).append(v)
    return await page(
        datasette,
        request,
        "diff.html",
        old=old,
        new=new,
        names=names,
        changed=changed,
        shown=shown,
        by_indicator=list(by_indicator.items()),
        indicators=about,
        names_of=await district_names(datasette),
        claims=claims,
    )


def _rank(value: dict[str, Any]) -> int:
    """Return 0 for a total with the factors in force, 1 for the other totals, 2 for breakdowns: what most readers ask for first."""
    total = value["dimension"] in ("total", "base")
    return 2 if not total else int(value["factor_set"] not in ("default", "none", "", None))


def _compare(releases: Path, old: str, new: str) -> dict[str, Any]:
    """Return changes.json where it compares these two, else compare them now."""
    path = releases / new / "changes.json"
    changes = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return dict(changes) if changes.get("previous") == old else compare(releases / old, releases / new)
