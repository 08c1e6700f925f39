"""dbt's sources are those of the contracts."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from expectations.contract import load_contracts
from pipelines.statistics import dbt_sources


def test_the_file_is_not_stale() -> None:
    assert dbt_sources.main(["--check"]) == 0, "run 'python -m pipelines.statistics.dbt_sources' and commit sources.yml"


def test_a_stale_file_is_seen_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sources.yml"
    monkeypatch.setattr(dbt_sources, "PATH", path)
    assert dbt_sources.main(["--check"]) == 1
    assert not path.exists()
    assert dbt_sources.main([]) == 0
    path.write_text(path.read_text(encoding="utf-8").replace("electricity", "power", 1), encoding="utf-8")
    assert dbt_sources.main(["--check"]) == 1
    assert "is stale" in capsys.readouterr().err


def test_every_column_stands_there_with_a_description_and_no_l3_column() -> None:
    contracts = load_contracts()
    said = {
        s["name"]: {t["name"]: t for t in s["tables"]}
        for s in yaml.safe_load(dbt_sources.sources(contracts))["sources"]
    }
    assert set(said) == {"intake", "records", "city", "catalog"}
    assert set(said["records"]) == set(contracts)
    for dataset, contract in contracts.items():
        columns = {c["name"]: c for c in said["records"][dataset]["columns"]}
        assert list(columns) == [*(c.name for c in contract.kept), "_file", "_sheet", "_row"]
        for c in contract.kept:
            assert c.header_zh in columns[c.name]["description"]
    for name, table in (said["intake"] | said["catalog"]).items():
        assert all(c["description"] for c in table["columns"]), name
