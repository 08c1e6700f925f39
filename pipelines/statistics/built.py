"""The note of the warehouse that a whole run built.

By it a warehouse that a part of a run built, that was changed since, or that is absent, is recognised.

Belongs here: putting a finished warehouse in place, and that note. Not here: building one (run.py), for which DuckDB and
dbt are needed; this is asked by runs that need neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.core import notes
from pipelines.core.home import Home
from pipelines.core.spark import DUCKDB

STAGE = "statistics"


@dataclass(frozen=True)
class Built:
    """What HOME/warehouse.duckdb was built of: the date its figures speak of, the fingerprint of the stage, the code, the folder
    whose tables its views read, and the version of each table it read; and the engine, for one that Spark built has the marts alone."""

    as_of: date
    fingerprint: str
    code: str
    work: str
    sources: Mapping[str, str]
    engine: str = DUCKDB


def being_built(home: Home) -> Path:
    """Where the warehouse lies until it is whole. It has the name it will have: views in it say which catalogue they mean."""
    return home.work / home.warehouse.name


def trial(home: Home) -> Path:
    """Where a part of the statistics is built, on a copy of the last warehouse, whose place it never takes."""
    return home.work / "trial" / home.warehouse.name


def publish(
    home: Home,
    as_of: date,
    fingerprint: str,
    code: str = "",
    sources: Mapping[str, str] | None = None,
    engine: str = DUCKDB,
) -> None:
    """Puts the finished warehouse in the place of the last one, at once; it holds closed rows and is its owner's alone."""
    path = being_built(home)
    path.chmod(0o600)
    # The note comes first: should the run die in between, it fits no warehouse and the next run builds one.
    report = {
        "as_of": as_of.isoformat(),
        "code": code,
        "work": str(home.work.resolve()),
        "sources": dict(sources or {}),
        "engine": engine,
    }
    notes.write(home, STAGE, fingerprint, {home.warehouse: path}, report, hashed=False)
    drop_log(home.warehouse)  # of a shell that wrote to the last warehouse
    path.replace(home.warehouse)


def drop_log(database: Path) -> None:
    """Removes the log that a shell, or a run that was killed, left beside a database: it is of the file that was there, and DuckDB opens
    no other beside it."""
    database.with_name(f"{database.name}.wal").unlink(missing_ok=True)


def built(home: Home) -> Built | None:
    """What the warehouse was built of, None where a whole run did not build it or somebody has changed it since."""
    note = notes.read(home, STAGE)
    if note is None or not note.is_intact(home, [home.warehouse]):
        return None
    try:
        r = note.reported
        engine = r.get("engine", DUCKDB)
        return Built(date.fromisoformat(r["as_of"]), note.fingerprint, r["code"], r["work"], r["sources"], engine)
    except (ValueError, KeyError, TypeError):
        return None
