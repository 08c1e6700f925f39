"""Data Docs of a home: from the results that the records stage kept, again only after another was kept."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.contract import load_contracts
from expectations.suite import Outcome, plan
from pipelines.core.home import Home
from pipelines.records import data_docs


def keep(home: Home, name: str, failed: int) -> None:
    planned = plan(load_contracts(only=["canteens"])["canteens"])
    outcomes = [asdict(Outcome(p.rule, p.column, p.code, p.severity, 9, failed)) for p in planned]
    folder = home.work / "suites"
    folder.mkdir(exist_ok=True)
    table = pa.table({"position": pa.array([], pa.int64())}).replace_schema_metadata({"outcomes": json.dumps(outcomes)})
    pq.write_table(table, folder / f"{name}.parquet")


def test_pages_are_built_of_kept_results_and_only_when_they_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path / "h").create()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["data_docs", "--home", str(home.root)])
    data_docs.main()
    assert "mingzhang run" in capsys.readouterr().out and not data_docs.folder(home).exists()
    keep(home, "canteens-2024", 0)
    keep(home, "withdrawn_dataset-2024", 3)  # no contract describes it any more
    data_docs.main()
    index = data_docs.folder(home) / "index.html"
    assert index.as_uri() in capsys.readouterr().out
    assert "canteens" in index.read_text(encoding="utf-8") and "withdrawn" not in index.read_text(encoding="utf-8")
    assert data_docs.is_fresh(home)
    keep(home, "canteens-2025", 2)
    later = index.stat().st_mtime_ns + 1
    os.utime(home.work / "suites" / "canteens-2025.parquet", ns=(later, later))
    assert not data_docs.is_fresh(home)
    data_docs.main()
    assert ">2025<" in index.read_text(encoding="utf-8")
