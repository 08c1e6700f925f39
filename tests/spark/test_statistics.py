"""The statistics of a made-up city on Spark are those of DuckDB, table by table and value by value.

`make test-spark` runs these: they need Java and the extra `spark`. Lists have no order of their own in either engine.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.core.home import Home
from pipelines.statistics.run import StatisticsError
from pipelines.statistics.spark import build_on_spark
from tests.spark.conftest import DAY, City, OnSpark, differences

pytestmark = [pytest.mark.spark, pytest.mark.timeout(3600)]


def test_every_table_is_equal(city: City, on_spark: OnSpark) -> None:
    assert differences(city.home, on_spark.tables) == {}


def test_a_folder_with_files_is_left_alone(city: City, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(StatisticsError, match="holds files already; name a folder that is empty"):
        build_on_spark(Home(city.home), date.fromisoformat(DAY), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "kept"
