"""A made-up city's messy files, read and built, against what its truth says of each: rows, sums, and every bad row by name."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest

from pipelines.core.home import Home
from pipelines.intake.file_reader import read_file
from pipelines.intake.readings import from_file_readings
from pipelines.records.build import build
from pipelines.sources.ledger import Receipt, stamp
from tests.records.making import CONTRACTS

pytestmark = pytest.mark.realdata


def test_records_are_what_the_truth_says(shared: Path, root: Path, tmp_path: Path) -> None:
    city = shared / "sample-city"
    truth = json.loads((city / "truth.json").read_text(encoding="utf-8"))
    ours = [f for f in truth["files"] if f["dataset"] in CONTRACTS]
    readings, receipts, ids = [], {}, {}
    for f in ours:
        path = city / "inbox" / f["path"]
        ids[f["path"]] = file_id = hashlib.sha256(path.read_bytes()).hexdigest()
        readings.append(read_file(path, f["path"], CONTRACTS, file_id))
        receipts[file_id] = Receipt(file_id, f["path"], path.as_uri(), stamp(None), "2026-01-01T00:00:00Z")
    home = Home(tmp_path).create()
    summary = build(from_file_readings(readings, CONTRACTS), CONTRACTS, home, root / "cities" / "zhuzhou", receipts)
    assert summary.records == {d: truth["totals"][d]["rows"] for d in CONTRACTS}

    issues = pd.read_parquet(home.table("intake", "issues"))
    errors = issues[(issues["severity"] == "error") & issues["row"].notna()]
    said = defaultdict(set)
    for file_id, row, code in zip(errors["file_id"], errors["row"], errors["code"], strict=True):
        said[file_id].add((int(row), code))
    for f in ours:
        mine = pd.read_parquet(home.records(f["dataset"]), filters=[("_file", "==", ids[f["path"]])])
        assert len(mine) == f["rows"], f["path"]
        for column, total in f["sums"].items():
            assert mine[column].sum() == pytest.approx(total, rel=1e-9), f"{f['path']} {column}"
        assert said[ids[f["path"]]] == {(b["row"], b["code"]) for b in f["bad"]}, f["path"]

    everything = "".join(p.read_bytes().decode("utf-8", "ignore") for p in sorted(home.work.rglob("*.parquet")))
    everything += "".join(str(pd.read_parquet(p).to_dict("list")) for p in sorted(home.work.rglob("*.parquet")))
    kept = {f"{d}.{c.name}" for d, contract in CONTRACTS.items() for c in contract.kept}
    for secret, where in truth["canaries"].items():
        if where.split(".")[0] in CONTRACTS and where not in kept:
            assert secret not in everything, where
    for name in truth["refused"]:
        assert name not in everything
