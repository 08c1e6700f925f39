"""What Spark built stands in the warehouse as DuckDB's does, except that no part of it can be built anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.core.home import Home
from pipelines.core.spark import DUCKDB, SPARK
from pipelines.statistics.built import being_built, built, publish
from pipelines.statistics.run import StatisticsError, changed_sources, start_trial
from pipelines.statistics.spark import take_marts

SOURCES = {"records/energy_use": "v1", "city/city": "v1"}


def _built_by(engine: str, tmp_path: Path) -> Home:
    home = Home(tmp_path / engine).create()
    duckdb.connect(str(being_built(home))).close()
    publish(home, date(2025, 12, 31), "fingerprint", "code", SOURCES, engine)
    return home


def test_after_spark_duckdb_builds_the_whole(tmp_path: Path) -> None:
    newer = SOURCES | {"city/city": "v2"}
    assert changed_sources(_built_by(DUCKDB, tmp_path), "code", newer) == {"city/city"}
    home = _built_by(SPARK, tmp_path)
    assert changed_sources(home, "code", newer) is None
    found = built(home)
    assert found is not None and found.engine == SPARK


def test_a_part_is_not_built_on_what_spark_built(tmp_path: Path) -> None:
    start_trial(_built_by(DUCKDB, tmp_path))
    with pytest.raises(StatisticsError, match="copy of the last whole warehouse that DuckDB built"):
        start_trial(_built_by(SPARK, tmp_path))


def test_a_mart_that_spark_did_not_leave_is_said(tmp_path: Path) -> None:
    with pytest.raises(StatisticsError, match="Spark left no table marts"):
        take_marts(tmp_path / "tables", tmp_path / "warehouse.duckdb")
