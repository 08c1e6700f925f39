"""docs/statistics.md against the seed of indicators and a release of the made-up city."""

from __future__ import annotations

import csv
import re
import sqlite3
from pathlib import Path

import duckdb
import pytest

from tests.conftest import MadeUp

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
ROWS = [
    [re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|")]
    for line in DOC.partition("## How far")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| asked for")
]
BESIDE = {"factor_set", "default", "national", "in_conservation_scope"}  # what else stands in the column of indicators
TABLES = {"savings_statement", "benchmark_distances", "benchmarks"}


def indicators() -> list[str]:
    with (ROOT / "dbt_project" / "seeds" / "seed_indicators.csv").open(encoding="utf-8", newline="") as f:
        return [r["indicator_id"] for r in csv.DictReader(f)]


def test_every_indicator_is_named_and_no_other() -> None:
    named = {name for row in ROWS for name in row[1]}
    assert named - BESIDE - TABLES == set(indicators())
    assert all((ROOT / "dbt_project" / "models" / "marts" / f"{t}.sql").is_file() for t in TABLES & named)
    assert all(name for row in ROWS for name in row[1:2]), "a line of docs/statistics.md names nothing that answers it"


@pytest.mark.slow
def test_what_is_broken_down_is_broken_down_so(made_up: MadeUp) -> None:
    known = set(indicators())
    with sqlite3.connect(f"file:{made_up.release / 'mingzhang.db'}?mode=ro", uri=True) as con:
        there = set(
            con.execute(
                "select distinct indicator_id, replace(dimension, 'period/', '') from indicator_values"
            ).fetchall()
        )
    assert {i for i, _ in there} >= known - {"leader_meeting_weeks"}  # the made-up city keeps no list of those
    missing = [(row[1], d) for row in ROWS for d in row[2] if not any((i, d) in there for i in row[1])]
    assert missing == []


@pytest.mark.slow
def test_distances_can_be_computed_on_the_public_database(made_up: MadeUp) -> None:
    found = re.search(r"```sql\n(.+?)\n```", DOC, re.DOTALL)
    assert found
    with sqlite3.connect(f"file:{made_up.release / 'mingzhang.db'}?mode=ro", uri=True) as con:
        public = {(r[0], r[3]): r[8] for r in con.execute(found[1]).fetchall()}
    assert len({name for name, _ in public}) > 10
    with duckdb.connect(str(made_up.home / "warehouse.duckdb"), read_only=True) as con:
        ours = con.execute(
            "select b.name_zh, d.year, d.difference from marts.benchmark_distances d join marts.benchmarks b using (benchmark_id)"
        ).fetchall()
    shown = {(name, year): float(d) for name, year, d in ours if (name, year) in public}
    assert len(shown) == len(public)
    assert public == pytest.approx(shown, abs=1e-3)
