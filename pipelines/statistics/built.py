"""Which warehouse a whole run built: the note beside it, by which a part, a changed one or none at all is told from it.

Belongs here: putting a finished warehouse in place, and that note. Not here: building one (run.py), for which DuckDB and
dbt are needed; this is asked by runs that need neither.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.core.home import Home, whole_file


@dataclass(frozen=True)
class Built:
    """What HOME/warehouse.duckdb was built of: the date its figures speak of, and the digest of its inputs (Standing.made_of)."""

    as_of: date
    made_of: str


def being_built(home: Home) -> Path:
    """Where the warehouse lies until it is whole. It has the name it will have: views in it say which catalogue they mean."""
    return home.work / home.warehouse.name


def trial(home: Home) -> Path:
    """Where a part of the statistics is built, on a copy of the last warehouse, whose place it never takes."""
    return home.work / "trial" / home.warehouse.name


def publish(home: Home, as_of: date, made_of: str) -> None:
    """Puts the finished warehouse in the place of the last one, at once; it holds closed rows and is its owner's alone."""
    path = being_built(home)
    path.chmod(0o600)
    # The note comes first: should the run die in between, it fits no warehouse and the next run builds one.
    with whole_file(_note(home), durable=True) as part:
        noted = {"as_of": as_of.isoformat(), "made_of": made_of, "looks": _looks(path)}
        part.write_text(json.dumps(noted), encoding="utf-8")
    path.replace(home.warehouse)


def built(home: Home) -> Built | None:
    """What the warehouse was built of, None where a whole run did not build it or somebody has changed it since."""
    try:
        noted = json.loads(_note(home).read_text(encoding="utf-8"))
        if noted["looks"] != _looks(home.warehouse):
            return None
        return Built(date.fromisoformat(noted["as_of"]), noted["made_of"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(home: Home) -> Path:
    return home.work / "warehouse.json"


def _looks(path: Path) -> list[int]:
    s = os.stat(path)  # noqa: PTH116
    return [s.st_size, s.st_mtime_ns]
