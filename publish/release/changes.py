"""The differences between two releases, read from their finished databases.

Belongs here: the comparison, for changes.json and for `mingzhang releases diff`. Not here: where releases lie (store.py).
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

MOST = 2_000  # changed values that are written out; beyond it only their number is given
KEY = ("indicator_id", "year", "dimension", "member", "factor_set")


def compare(old: Path | None, new: Path) -> dict[str, Any]:
    """The difference between two releases' folders: what the bureau corrected, rows of each table, indicator values and statuses
    of statements.

    `old` is None for the first release. A value is null where it is suppressed, missing, or not there at all.
    """
    after = _read(new)
    before = _read(old) if old is not None else ({}, {}, {})
    tables = {
        name: {"old": before[0].get(name), "new": after[0].get(name)}
        for name in sorted({*before[0], *after[0]})
        if before[0].get(name) != after[0].get(name)
    }
    values = [
        dict(zip(KEY, key, strict=True)) | {"old": before[1].get(key), "new": after[1].get(key)}
        for key in sorted({*before[1], *after[1]}, key=str)
        if before[1].get(key) != after[1].get(key)
    ]
    claims = [
        {"claim_id": name, "old": before[2].get(name), "new": after[2].get(name)}
        for name in sorted({*before[2], *after[2]})
        if before[2].get(name) != after[2].get(name)
    ]
    first = old is None
    return {
        "previous": None if old is None else old.name,
        "corrections": _corrections(old, new),
        "tables": tables,
        "indicator_values_changed": len(values),
        # Everything is new in a first release: to list it would say nothing.
        "indicator_values": [] if first else values[:MOST],
        "claims": [] if first else claims,
    }


def _corrections(old: Path | None, new: Path) -> list[dict[str, Any]]:
    """The corrections of the new release that the old one does not have, or has with another figure."""
    before = [] if old is None else corrections(old)
    return [c for c in corrections(new) if c not in before][:MOST]


def corrections(folder: Path) -> list[dict[str, Any]]:
    """The rows of the public table corrections of a release; none where it has no such table."""
    path = (folder / "mingzhang.db").absolute()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as con:
        con.row_factory = sqlite3.Row
        if not con.execute("select 1 from sqlite_master where type = 'table' and name = 'corrections'").fetchone():
            return []
        return [dict(r) for r in con.execute("select * from corrections order by rowid")]


def _read(folder: Path) -> tuple[dict[str, int], dict[tuple[Any, ...], Any], dict[str, Any]]:
    path = (folder / "mingzhang.db").absolute()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as con:
        names = [
            n
            for (n,) in con.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
        ]
        rows = {n: con.execute(f'select count(*) from "{n}"').fetchone()[0] for n in names}
        keys = ", ".join(KEY)
        values = {tuple(r[:-1]): r[-1] for r in con.execute(f"select {keys}, value from indicator_values")}
        claims = dict(con.execute("select claim_id, check_status from claims").fetchall())
    return rows, values, claims
