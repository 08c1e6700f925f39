"""The statistics of a made-up city on Spark are those of DuckDB, table by table and value by value.

`make test-spark` runs these: they need Java and the extra `spark`. Lists have no order of their own in either engine.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.core.home import Home
from pipelines.statistics.run import StatisticsError
from pipelines.statistics.spark import build_on_spark
from tests.conftest import mingzhang

pytestmark = [pytest.mark.spark, pytest.mark.timeout(3600)]
DAY = "2025-12-31"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spark")
    assert mingzhang("sample", "--out", folder / "sample", "--seed", "1", "--orgs", "40").returncode == 0
    ran = mingzhang("run", "--home", folder / "home", "--inbox", folder / "sample" / "inbox", "--as-of", DAY)
    assert ran.returncode == 0, ran.stderr
    return folder / "home"


@pytest.fixture(scope="module")
def tables(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables") / "spark"
    command = ["--home", str(home), "--as-of", DAY, "--tables", str(folder)]
    ran = subprocess.run(
        [sys.executable, "-m", "pipelines.statistics.spark", *command], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return folder


def _made_by_duckdb(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Schema and name of the tables that dbt made, and so not of the views of open rows."""
    return con.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = 'home' and schema_name in ('intermediate', 'marts') order by all"
    ).fetchall()


def _differing(con: duckdb.DuckDBPyConnection, schema: str, name: str, files: str) -> int:
    """How many rows of the table are in one engine's and not in the other's."""
    kinds = {c: t for c, t, *_ in con.execute(f'describe home.{schema}."{name}"').fetchall()}
    columns = ", ".join(f'list_sort("{c}")' if t.endswith("[]") else f'cast("{c}" as {t})' for c, t in kinds.items())
    ours, theirs = f'select {columns} from home.{schema}."{name}"', f"select {columns} from read_parquet('{files}')"
    found = con.execute(
        f"select (select count(*) from (({ours}) except all ({theirs}))) + (select count(*) from (({theirs}) except all ({ours})))"
    ).fetchone()
    return int(found[0]) if found else -1


def test_every_table_is_equal(home: Path, tables: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"attach '{home / 'warehouse.duckdb'}' as home (read_only)")
        made = _made_by_duckdb(con)
        assert len(made) > 60
        differing = {
            f"{schema}.{name}": _differing(con, schema, name, str(tables / f"{schema}.db" / name / "*.parquet"))
            for schema, name in made
        }
    assert {name: rows for name, rows in differing.items() if rows} == {}


def test_a_folder_with_files_is_left_alone(home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(StatisticsError, match="holds files already; name a folder that is empty"):
        build_on_spark(Home(home), date.fromisoformat(DAY), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "kept"
