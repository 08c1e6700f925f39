"""The rows behind a figure, for every page of a source.

Belongs here: reading provenance and the open rows that it names. Not here: which figure (indicators.py, statements.py).
"""

from __future__ import annotations

import json
import re
from typing import Any

from publish.site.facts import DB
from publish.site.pages.base import has, rows
from publish.sources import sources_of

MOST_ROWS = 200  # open rows shown behind one figure; all of them are in the table


async def sources(datasette: Any, where: str, **bound: Any) -> list[dict[str, Any]]:
    """Return the files behind the values that match `where` (over publish.sources.KEY)."""
    columns = await datasette.get_database(DB).table_columns("provenance")
    found = await rows(datasette, sources_of(where, columns), **bound)
    return sorted(found, key=lambda f: (f["dataset"], f["year"], f["file"], f["sheet"] or ""))


async def cells_behind(datasette: Any, files: list[dict[str, Any]], formula: str | None) -> list[dict[str, Any]]:
    """Return for each open dataset behind a figure its rows in these files, with the cells of their numbers.

    `files`: rows of `sources`. `counted`: number of rows in the figure; `_counts`: whether a row is one of them; `told`: false in a
    release whose provenance names no rows, as in older ones. `totals`: the columns that `formula` adds up, each with its sum
    over the rows that count; they are the first of `columns`.
    """
    out = []
    for dataset in dict.fromkeys(f["dataset"] for f in files):
        if not has(datasette, dataset):
            continue
        columns = datasette.facts.columns.get(dataset, {})
        theirs = [f for f in files if f["dataset"] == dataset]
        spans = [
            [f["file"], f["sheet"] or "", *span]
            for f in theirs
            if f.get("sheet_rows")
            for span in json.loads(f["sheet_rows"])
        ]
        bound = {"spans": json.dumps(spans), "files": json.dumps(sorted({f["file"] for f in theirs}))}
        counts = f'''
            with spans as materialized (
                select value ->> 0 as file, value ->> 1 as sheet, value ->> 2 as first, value ->> 3 as last from json_each(:spans)),
            theirs as (
                select rowid as _id, *, exists (
                    select 1 from spans where file = _file and sheet = coalesce(_sheet, '') and _row between first and last) as _counts
                from "{dataset}" where _file in (select value from json_each(:files)))'''
        found = await rows(
            datasette,
            f"{counts} select * from theirs order by _counts desc, _file, _sheet, _row limit {MOST_ROWS + 1}",
            **bound,
        )
        letters = await rows(
            datasette,
            """
            select file, sheet, "column", min(letter) as letter from provenance
            where kind = 'column' and dataset = :dataset and file in (select value from json_each(:files)) group by 1, 2, 3
            """,
            dataset=dataset,
            files=bound["files"],
        )
        at = {(r["file"], r["sheet"] or "", r["column"]): r["letter"] for r in letters}
        there = await datasette.get_database(DB).table_columns(
            dataset
        )  # of the columns named, some are never published
        shown = [c for c in columns if not c.startswith("_") and c in there]
        summed = _summed(formula, shown)
        for r in found:
            r["_cells"] = {
                c: f"{letter}{r['_row']}"
                for c in shown
                if (letter := at.get((r["_file"], r["_sheet"] or "", c))) is not None
            }
        totals: dict[str, Any] = {}
        if summed and spans:
            sums = ", ".join(f'sum("{c}") as "{c}"' for c in summed)
            totals = (await rows(datasette, f"{counts} select {sums} from theirs where _counts", **bound))[0]
        out.append(
            {
                "dataset": dataset,
                "columns": [*summed, *(c for c in shown if c not in summed)],
                "rows": found[:MOST_ROWS],
                "more": len(found) > MOST_ROWS,
                "told": bool(spans),
                "counted": sum(f["records"] for f in theirs),
                "totals": totals,
            }
        )
    return out


def _summed(formula: str | None, columns: list[str]) -> list[str]:
    """Return the columns that a formula adds up: area of sum(area), both of Σ (reference_price − contract_price)."""
    parts = re.findall(r"(?:\bsum\s*|Σ\s*)(\([^()]*\)|\w+)", formula or "")
    words = [w for part in parts for w in re.findall(r"\w+", part)]
    return [c for c in columns if c in words]
