"""Every shape of sheet in cases.py against what reading it gave when somebody last looked at it.

To take over a change after looking at it: `MINGZHANG_GOLDEN=write python -m pytest tests/intake/test_golden.py`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.intake.file_reader import FileReader, reader_for
from pipelines.intake.model import FileReading
from tests.intake.cases import CASES

GOLDEN = Path(__file__).parent / "golden"
FIVE = ("disposals", "energy_use", "institutions", "parking_lots", "retrofit_funds")


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts(only=FIVE)


def told(r: FileReading) -> dict[str, Any]:
    """A reading as the golden files have it: values row by row, without what is empty."""

    def plain(v: Any) -> Any:
        return v.isoformat() if isinstance(v, dt.date) else v

    sheets = []
    for s in r.sheets:
        rows = {str(n): {c: plain(v[i]) for c, v in s.values.items() if v[i] is not None} for i, n in enumerate(s.rows)}
        issues = [
            {
                "at": i.cell or i.row,
                "column": i.column,
                "code": i.code,
                "severity": i.severity,
                "raw": i.raw_value,
                "quarantines": i.quarantines,
                "zh": i.message_zh,
            }
            for i in s.issues
        ]
        sheets.append(
            {
                "sheet": s.sheet,
                "dataset": s.dataset,
                "submitter": s.submitter,
                "period": s.period,
                "status": s.status,
                "reason": s.reason,
                "counts": [s.rows_read, len(s.rows), s.refused, s.rows_explained],
                "rows": rows,
                "columns": [f"{c.letter} {c.column} [{c.unit}] {c.first_row}-{c.last_row}" for c in s.columns],
                "issues": issues,
            }
        )
    return {
        "status": r.status,
        "reason": r.reason,
        "synthetic": r.synthetic,
        "issues": [i.code for i in r.issues],
        "sheets": sheets,
    }


@pytest.mark.parametrize("name", CASES)
def test_case_reads_as_looked_at(name: str, contracts: Contracts) -> None:
    got = told(reader_for(contracts).read(CASES[name](), "表.xlsx"))
    path = GOLDEN / f"{name}.json"
    if os.environ.get("MINGZHANG_GOLDEN") == "write":
        path.write_text(json.dumps(got, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert got == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_every_row_is_accounted_for(name: str, contracts: Contracts) -> None:
    for s in reader_for(contracts).read(CASES[name](), "表.xlsx").sheets:
        assert s.rows_read == len(s.rows) + s.refused + s.rows_explained, s.sheet
        assert all(len(v) == len(s.rows) for v in s.values.values())


def test_what_was_read_before_does_not_matter(contracts: Contracts) -> None:
    fresh = {name: told(FileReader(contracts).read(build(), "表.xlsx")) for name, build in CASES.items()}
    reader, order = FileReader(contracts), list(CASES)
    for seed in range(3):
        random.Random(seed).shuffle(order)
        for name in order:
            assert told(reader.read(CASES[name](), "表.xlsx")) == fresh[name], name


def test_no_golden_file_is_left_over() -> None:
    assert {p.stem for p in GOLDEN.glob("*.json")} == set(CASES)
