"""The history of a figure or a result over the releases kept, up to the one that is shown.

Belongs here: reading it from the other releases. Later releases are left out, so that a page of a release never changes.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from publish.release import store
from publish.site.facts import DB, Facts
from publish.site.newer import CLAIM, select, shown
from publish.site.totals import TOTALS

DATASET = "select * from datasets where dataset = :id"
MOST = 20  # releases that are read, the newest


async def history(facts: Facts, indicator: str) -> dict[int, list[dict[str, Any]]]:
    """Return the figures of an indicator by year: a step is the first release with a value, status, note and revised."""
    found: dict[int, list[dict[str, Any]]] = {}
    for release_id, rows in await asyncio.to_thread(_each, facts, TOTALS, indicator):
        for r in rows:
            steps = found.setdefault(r["year"], [])
            step = {"release_id": release_id} | {c: r.get(c) for c in ("value", "status", "note", "revised")}
            if not steps or any(steps[-1][c] != step[c] for c in ("value", "status", "revised")):
                steps.append(step)
    return dict(sorted(found.items()))


async def of_figures(facts: Facts, indicator: str, years: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    """Return the years of an indicator with a changed figure: {year, steps}, as `history` has them. `years`: only these."""
    found = await history(facts, indicator)
    return [{"year": y, "steps": s} for y, s in found.items() if len(s) > 1 and (not years or y in years)]


async def of_dataset(facts: Facts, dataset: str) -> list[dict[str, Any]]:
    """Return the number of records and files of a dataset, each with the first release that had it."""
    steps: list[dict[str, Any]] = []
    for release_id, rows in await asyncio.to_thread(_each, facts, DATASET, dataset):
        for r in rows:
            step = {"release_id": release_id, "rows": r["rows"]}
            if not steps or steps[-1]["rows"] != step["rows"]:
                steps.append(step)
    return steps


async def of_claim(facts: Facts, claim_id: str) -> list[dict[str, Any]]:
    """Return the results of a statement, each with the first release that had it; [] where it never changed."""
    steps: list[dict[str, Any]] = []
    for release_id, rows in await asyncio.to_thread(_each, facts, CLAIM, claim_id):
        for r in rows:
            step = {"release_id": release_id, "check_status": shown(r), "computed_value": r["computed_value"]}
            if not steps or any(steps[-1][c] != step[c] for c in ("check_status", "computed_value")):
                steps.append(step)
    return steps if len(steps) > 1 else []


def _each(facts: Facts, sql: str, name: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the rows of a query on each release up to this one, the oldest first."""
    ids = [r["release_id"] for r in store.history(facts.folder.parent)]
    upto = ids[ids.index(facts.release_id) :][:MOST] if facts.release_id in ids else [facts.release_id]
    folders: list[Path] = [facts.folder.parent / i for i in reversed(upto)]
    return [(f.name, select(f / f"{DB}.db", sql, id=name)) for f in folders if (f / f"{DB}.db").is_file()]
