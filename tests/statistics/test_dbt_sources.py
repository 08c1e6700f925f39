"""dbt's sources and staging models are those of the contracts."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from expectations.contract import Contracts, load_contracts
from pipelines.statistics import dbt_sources


def test_no_file_is_stale() -> None:
    assert dbt_sources.main(["--check"]) == 0, (
        "run 'python -m pipelines.statistics.dbt_sources' and commit what it made"
    )


def test_a_stale_file_is_found_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(dbt_sources.PROJECT / "models", tmp_path / "models")
    shutil.copy(dbt_sources.PROJECT / "dbt_project.yml", tmp_path)
    monkeypatch.setattr(dbt_sources, "PROJECT", tmp_path)
    sources, staging = tmp_path / dbt_sources.SOURCES, tmp_path / dbt_sources.STAGING
    sources.write_text(sources.read_text(encoding="utf-8").replace("electricity", "power", 1), encoding="utf-8")
    (staging / "stg_meetings.sql").unlink()
    (staging / "stg_of_no_contract.sql").write_text("select 1", encoding="utf-8")
    assert dbt_sources.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert all(name in said for name in ("sources.yml", "stg_meetings.sql", "stg_of_no_contract.sql"))
    assert dbt_sources.main([]) == 0
    assert dbt_sources.main(["--check"]) == 0
    assert (staging / "stg_meetings.sql").exists() and not (staging / "stg_of_no_contract.sql").exists()


def test_a_new_contract_has_a_staging_model_with_exact_numbers_and_quoted_keywords() -> None:
    contracts = load_contracts()
    leases = contracts["leases"]
    columns = tuple(replace(c, name="order") if c.name == "lease_id" else c for c in leases.columns)
    new = replace(leases, dataset="new_leases", columns=columns)
    made = dbt_sources.files(Contracts([*contracts.values(), new]))
    model = made["models/staging/records/stg_new_leases.sql"]
    assert '        "order",\n' in model and "        {{ amount('annual_rent') }} as annual_rent,\n" in model
    assert "_file as file_id" in model
    listed = yaml.safe_load(made["models/staging/records/records.yml"])["models"]
    assert "stg_new_leases" in [m["name"] for m in listed]
    assert set(made) - {"models/staging/records/stg_new_leases.sql"} == set(dbt_sources.files(contracts))


def test_what_is_sent_in_by_period_is_late_after_the_period_and_the_days_it_is_due_in() -> None:
    contracts = load_contracts()
    records = next(s for s in yaml.safe_load(dbt_sources.sources(contracts))["sources"] if s["name"] == "records")
    late = {t["name"]: t.get("config", {}).get("freshness", {}).get("warn_after") for t in records["tables"]}
    assert late["energy_use"] == {"count": 31 + 90, "period": "day"}  # its contract allows 90 days
    assert late["institutions"] == {"count": 366 + 31, "period": "day"}
    assert {n for n, w in late.items() if w is None} == {n for n, c in contracts.items() if c.frequency == "event"}


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
