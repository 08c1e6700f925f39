"""A statement is about its time: records of later years must not change what its SQL gives, or the gate refuses every release."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def unbounded(path: Path) -> list[str]:
    """Statements summed over years whose SQL says nothing of the last; a first day or year needs no end."""
    with path.open(encoding="utf-8") as f:
        rows = [r for r in csv.DictReader(f) if r["sql"] and r["first_year"] and "min(" not in r["sql"]]
    found = []
    for r in rows:
        last = int(r["year"])
        if not any(year in r["sql"] for year in (f"{last}", f"'{last + 1}'")):
            found.append(r["claim_id"])
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "cities").glob("*/claims.csv")), ids=lambda p: p.parent.name)
def test_the_sql_of_a_statement_ends_with_its_last_year(path: Path) -> None:
    assert unbounded(path) == []


def test_one_that_does_not_end_is_found(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(
        "claim_id,first_year,year,sql\na,2000,2025,select sum(amount) from pv_revenue\n"
        "b,2000,2025,select sum(amount) from pv_revenue where year <= 2025\n",
        encoding="utf-8",
    )
    assert unbounded(path) == ["a"]
