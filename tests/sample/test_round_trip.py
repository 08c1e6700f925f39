"""The reader and the records stage, over the made-up city: they find what its truth says, no more and no less."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from expectations.contract import load_contracts
from pipelines.core.home import Home
from pipelines.intake.file_reader import FileReader
from pipelines.intake.model import FileReading
from pipelines.intake.readings import from_file_readings
from pipelines.records.build import build
from pipelines.sample.make import SHAPE, make_city
from pipelines.sources.ledger import Receipt


class Run:
    """A city, what reading each of its files gave, and the records that came of it."""

    def __init__(self, place: Path):
        self.contracts = load_contracts()
        made = make_city(place / "city", orgs=20, years=(2022, 2023, 2024))
        self.truth: dict[str, Any] = json.loads(made.truth.read_text(encoding="utf-8"))
        reader, home = FileReader(self.contracts), Home(place / "home").create()
        self.read: dict[str, FileReading] = {}
        receipts: dict[str, Receipt] = {}
        for path in made.paths:
            name, data = str(path.relative_to(made.inbox)), path.read_bytes()
            reading = reader.read(data, name, hashlib.sha256(data).hexdigest())
            self.read[name] = reading
            changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).isoformat()
            receipts[reading.file_id] = Receipt(
                reading.file_id, name, path.as_uri(), changed, "2026-01-01T00:00:00+00:00"
            )
        build(from_file_readings(self.read.values(), self.contracts), self.contracts, home, SHAPE.parent, receipts)
        self.records = {d: pd.read_parquet(home.records(d)) for d in self.contracts}
        self.issues = pd.read_parquet(home.table("intake", "issues"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("round"))


def sheet_of(entry: dict[str, Any]) -> str:
    return "" if entry["format"].startswith("csv") else entry["sheet"]


def test_each_file_says_that_it_is_made_up(run: Run) -> None:
    unreadable = {x["path"] for x in run.truth["rejected"] if x["code"] in ("unreadable", "empty", "unsafe")}
    assert [n for n, f in run.read.items() if not f.synthetic and n not in unreadable] == []


def test_each_sheet_is_known_for_what_it_is(run: Run) -> None:
    wrong = []
    for e in run.truth["files"]:
        found = {s.sheet: (s.dataset, s.submitter) for s in run.read[e["path"]].sheets if s.dataset}
        dataset, submitter = found.get(sheet_of(e), (None, None))
        if dataset != e["dataset"] or (e["org"] and submitter != e["org"]):
            wrong.append((e["path"], found))
    assert wrong == []


def test_wrong_files_are_rejected_for_the_right_reason(run: Run) -> None:
    wrong = []
    for x in run.truth["rejected"]:
        f = run.read[x["path"]]
        codes = {f.reason} | {s.reason for s in f.sheets} | {i.code for s in f.sheets for i in s.issues}
        if f.status != "rejected" or x["code"] not in codes:
            wrong.append((x, f.status, codes))
    assert wrong == []


def test_records_are_as_many_and_as_much_as_the_truth_says(run: Run) -> None:
    wrong: list[tuple[Any, ...]] = []
    for e in run.truth["files"]:
        frame = run.records[e["dataset"]]
        mine = frame[(frame["_file"] == run.read[e["path"]].file_id) & (frame["_sheet"] == sheet_of(e))]
        if len(mine) != e["rows"]:
            wrong.append((e["path"], "rows", len(mine), e["rows"]))
        for column, value in e["sums"].items():
            if float(mine[column].sum()) != pytest.approx(value, rel=1e-6):
                wrong.append((e["path"], column, float(mine[column].sum()), value))
    assert wrong == []


def test_errors_are_those_that_were_planted(run: Run) -> None:
    found: dict[tuple[str, str], set[tuple[int, str]]] = defaultdict(set)
    errors = run.issues[(run.issues["severity"] == "error") & run.issues["row"].notna()]
    for file_id, sheet, row, code in errors[["file_id", "sheet", "row", "code"]].itertuples(index=False):
        found[file_id, sheet].add((int(row), code))
    wrong = []
    for e in run.truth["files"]:
        planted = {(b["row"], b["code"]) for b in e["bad"]}
        here = found[run.read[e["path"]].file_id, sheet_of(e)]
        # A bad cell may make another rule fail too; its row and its code must be found, and no other row.
        if planted - here or {r for r, _ in here} - {r for r, _ in planted}:
            wrong.append((e["path"], sorted(planted), sorted(here)))
    assert wrong == []


def test_warnings_are_those_that_were_planted(run: Run) -> None:
    # Those of the replaced file have closed by themselves; an institution that was renamed is told so in its name, and
    # offices over the standard of their rank are made on purpose, because a statement is about them.
    named = run.issues["column"].isin(["org_name", "used_area"])
    # A header with another unit than the one stated above it is the sheet's doubt, and no row's.
    of_units = run.issues["message_en"].str.startswith("The units in the headers")
    assert of_units.any()
    doubtful = run.issues[(run.issues["code"] == "doubtful") & (run.issues["status"] == "open") & ~named & ~of_units]
    found = set(doubtful[["file_id", "row"]].itertuples(index=False, name=None))
    planted = {(run.read[e["path"]].file_id, w["row"]) for e in run.truth["files"] for w in e["warned"]}
    bad = {(run.read[e["path"]].file_id, b["row"]) for e in run.truth["files"] for b in e["bad"]}
    assert planted
    assert planted <= found
    # A wrong cell may look doubtful too; and of tens of thousands of cells one, of few meals, falls to a seventh by chance.
    assert len(found - planted - bad) <= 1
    assert {"total_mismatch", "unmapped_column"} <= set(run.issues["code"])


def test_nothing_secret_is_in_a_record(run: Run) -> None:
    text = "".join(frame.to_csv() for frame in run.records.values()) + run.issues.to_csv()
    kept_inside = {
        v
        for v, where in run.truth["canaries"].items()
        if run.contracts[where.split(".")[0]].column(where.split(".")[1]).kept
    }
    assert [v for v in run.truth["canaries"] if v not in kept_inside and v in text] == []
    assert [n for n in run.truth["refused"] if n in text] == []
    assert any(v in text for v in kept_inside)
