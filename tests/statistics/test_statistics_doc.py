"""docs/statistics.md against the seed of indicators and a release of the made-up city."""

from __future__ import annotations

import csv
import re
import sqlite3
from pathlib import Path

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
def test_distances_are_those_of_the_published_values(made_up: MadeUp) -> None:
    found = re.search(r"```sql\n(.+?)\n```", DOC, re.DOTALL)
    assert found
    with sqlite3.connect(f"file:{made_up.release / 'mingzhang.db'}?mode=ro", uri=True) as con:
        told = con.execute(found[1]).fetchall()
        assert len({r[0] for r in told}) > 10
        assert [r for r in told if (r[3] is None) != (r[7] is None)] == []
        assert [r for r in told if r[3] is not None and r[7] != pytest.approx(r[3] - r[4], abs=1e-5)] == []
        odd = con.execute(
            "select benchmark_id, d.year from benchmark_distances d left join indicator_values v "
            "using (indicator_id, year, dimension, member, factor_set) where d.value is not v.value or d.status is not v.status"
        ).fetchall()
    assert odd == []
