"""The lineage of one value: the tree from it to files, sheets and cells, read from the release's database.

Belongs here: the tree of one indicator and year as text, for `mingzhang releases show ID --why`. Not here: finding out where
a number comes from (publish/sources.py). It tells nothing that the release does not hold.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from pipelines.core.home import Home
from pipelines.core.sql import identifier
from publish.errors import ReleaseError
from publish.release import store
from publish.sources import KEY, sources_of

MOST_ROWS = 20  # rows of one sheet that are written out
NUMBERS = ("decimal", "integer")


def why(home: Home, release_id: str, indicator_id: str, year: int) -> str:
    """The tree of an indicator's value in a year: by factor set the value, then datasets, files and, of open rows, cells.

    `release_id` may be 'current'. Raises NoSuchRelease, or ReleaseError where the release has no such indicator or year.
    """
    path = (store.folder(home, release_id) / "mingzhang.db").absolute()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as con:
        con.row_factory = sqlite3.Row
        about = con.execute("select * from indicators where indicator_id = ?", [indicator_id]).fetchone()
        if about is None:
            raise ReleaseError(
                f"Release {path.parent.name} has no indicator {indicator_id}; its table 'indicators' lists those it has."
            )
        # The city as a whole: a year, else the years together, else the change since the base year.
        values = con.execute(
            """select * from indicator_values where indicator_id = ? and year = ? and dimension in ('total', 'period', 'base')
            order by dimension desc, factor_set""",
            [indicator_id, year],
        ).fetchall()
        if not values:
            has = con.execute(
                "select min(year), max(year) from indicator_values where indicator_id = ?", [indicator_id]
            )
            first, last = has.fetchone()
            known = f"it has {first} to {last}" if first is not None else "it has none at all"
            raise ReleaseError(f"Release {path.parent.name} has no value of {indicator_id} for {year}; {known}.")
        lines = [f"{indicator_id} {about['name_zh']} / {about['name_en']}", f"  = {about['formula']}"]
        for v in values:
            lines += _value(con, v, about["unit"])
    return "\n".join(lines)


def _value(con: sqlite3.Connection, v: sqlite3.Row, unit: str) -> Iterator[str]:
    place = str(v["year"]) if v["dimension"] == "total" else f"{v['year']} {v['dimension']} {v['member']}"
    factors = "" if v["factor_set"] == "none" else f", factors: {v['factor_set']}"
    if v["status"] == "Q":
        yield f"{place}: suppressed{factors}; where it comes from would reveal the figures of single institutions"
        return
    shown = "no value" if v["value"] is None else f"{v['value']:,} {unit}"
    made_up = "; made-up data" if v["synthetic"] else ""
    yield f"{place}: {shown} (status {v['status']}{factors}; records: {v['records']}, files: {v['files']}{made_up})"
    if v["note"]:
        yield f"  {v['note']}"
    columns = [r["name"] for r in con.execute("pragma table_info(provenance)")]
    where = " and ".join(f"{c} = :{c}" for c in KEY)
    sources = con.execute(
        f"""select s.*, d.title_zh, d.title_en, d.published from ({sources_of(where, columns)}) s left join datasets d using (dataset)
        order by s.dataset, s.file, s.sheet""",
        {c: v[c] for c in KEY},
    ).fetchall()
    dataset = None
    for s in sources:
        if s["dataset"] != dataset:
            dataset = s["dataset"]
            closed = "" if s["published"] else "; its rows are not open: counts and hashes only"
            yield f"  {dataset} {s['title_zh']} / {s['title_en']}{closed}"
        sheet = f" {s['sheet']}" if s["sheet"] else ""
        yield f"    file {s['file']}{sheet}: {s['records']} records"
        if s["published"]:
            yield from _cells(con, s)


def _cells(con: sqlite3.Connection, source: sqlite3.Row) -> Iterator[str]:
    """The cells of the rows of one sheet that count. A release of earlier code does not name them."""
    if source["sheet_rows"] is None:
        if source["sheet"] is not None:  # else rows that are not open, of a dataset that is
            yield "      this release does not say which rows"
        return
    table, sheet = source["dataset"], source["sheet"] or ""
    letters = con.execute(
        """select p."column", min(p.letter) as letter, c.type from provenance p
        join dataset_columns c on c.dataset = p.dataset and c."column" = p."column"
        where p.kind = 'column' and p.dataset = ? and p.file = ? and coalesce(p.sheet, '') = ? and c.published
        group by p."column" order by length(min(p.letter)), min(p.letter)""",
        [table, source["file"], sheet],
    ).fetchall()
    numbers = [r for r in letters if r["type"] in NUMBERS]
    rows = con.execute(
        f"""select r.* from {identifier(table)} r where _file = ? and coalesce(_sheet, '') = ? and exists (
            select 1 from json_each(?) where _row between value ->> 0 and value ->> 1) order by _row""",
        [source["file"], sheet, source["sheet_rows"]],
    ).fetchall()
    for row in rows[:MOST_ROWS]:
        cells = [f"{_at(sheet, c['letter'], row['_row'])} {c['column']} = {_plain(row[c['column']])}" for c in numbers]
        yield "      " + (", ".join(cells) or f"row {row['_row']}")
    if len(rows) > MOST_ROWS:
        yield f"      and {len(rows) - MOST_ROWS} rows more: select * from {table} where _file = '{source['file']}'"


def _at(sheet: str, letter: str, row: int) -> str:
    return f"{sheet}!{letter}{row}" if sheet else f"{letter}{row}"


def _plain(value: Any) -> str:
    return "empty" if value is None else f"{value:,}"
