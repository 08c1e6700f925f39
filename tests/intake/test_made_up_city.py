"""The made-up city of the shared folder: what its truth says of each file's parsing holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import load_contracts
from pipelines.intake.file_reader import FileReader
from pipelines.intake.model import FileReading

pytestmark = pytest.mark.realdata


READER = FileReader(load_contracts())
City = tuple[dict[str, Any], dict[str, FileReading]]


@pytest.fixture(scope="module")
def city(shared: Path) -> City:
    """The truth, and what each of its files read as."""
    folder = shared / "sample-city"
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    paths = [f["path"] for f in truth["files"]]
    return truth, {p: READER.read((folder / "inbox" / p).read_bytes(), p) for p in paths}


def test_datasets_rows_sums_and_unreadable_cells(city: City) -> None:
    truth, read = city
    wrong = []
    for f in truth["files"]:
        r = read[f["path"]]
        assert all(s.rows_read == len(s.rows) + s.refused + s.rows_explained for s in r.sheets)
        if f["dataset"] not in READER.contracts:
            if r.reason != "unknown_dataset":
                wrong.append((f["path"], r.reason, "for unknown_dataset"))
            continue
        name = "" if f["format"].startswith("csv") else f["sheet"]
        found = [s for s in r.sheets if s.sheet == name]
        if [s.dataset for s in found] != [f["dataset"]]:
            wrong.append((f["path"], r.reason, [s.dataset for s in found]))
            continue
        (s,) = found
        refused = {b["row"] for b in f["bad"] if b["code"] == "classified_refused"}
        bad = {b["row"] for b in f["bad"]} - refused
        if len(s.rows) != f["rows"] + len(bad) or s.refused != len(refused):
            wrong.append((f["path"], len(s.rows), s.refused))
        errors = {(i.row, i.column, i.code) for i in s.issues if i.severity == "error"}
        parsing = {
            (b["row"], b["column"], b["code"]) for b in f["bad"] if b["code"] in ("bad_type", "classified_refused")
        }
        if errors != parsing:
            wrong.append((f["path"], errors ^ parsing))
        for column, want in f["sums"].items():
            got = sum(v for v, row in zip(s.values[column], s.rows, strict=True) if v is not None and row not in bad)
            if abs(got - want) > 1e-6 * max(1, abs(want)):
                wrong.append((f["path"], column, got, want))
        if not f["bad"] and any(i.code == "total_mismatch" for i in s.issues):
            wrong.append((f["path"], "a right total is doubted"))
    assert not wrong


def test_nothing_secret_is_in_a_reading_that_must_not_be(city: City) -> None:
    truth, read = city
    third = {
        v: at
        for v, at in truth["canaries"].items()
        if at.split(".")[0] in READER.contracts
        and READER.contracts[at.split(".")[0]].column(at.split(".")[1]).access == "L3"
    }
    assert third
    told = [repr(read[f["path"]]) for f in truth["files"] if f["dataset"] in READER.contracts]
    everything = "\n".join(told)
    assert not [v for v in third if v in everything]
    assert not [n for n in truth["refused"] if n in everything]
