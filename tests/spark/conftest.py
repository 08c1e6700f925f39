"""A made-up city that DuckDB computed, and the same on a cluster of Spark, of which a worker was lost meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT, mingzhang
from tests.spark.cluster import cluster, environment, kill, wait

DAY = "2025-12-31"
TABLES = 15  # that stand when the worker is lost


@dataclass(frozen=True)
class City:
    """The folder of its spreadsheets, and the home whose release DuckDB computed."""

    inbox: Path
    home: Path


@dataclass(frozen=True)
class OnSpark:
    """The home whose release Spark computed, and the tables that Spark built, `<schema>.db/<table>/*.parquet`."""

    home: Path
    tables: Path


@pytest.fixture(scope="session", autouse=True)
def few_partitions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings of Spark for tables of a few rows, as an engineer writes them for a cluster."""
    folder = tmp_path_factory.mktemp("conf")
    (folder / "spark-defaults.conf").write_text("spark.sql.shuffle.partitions 4\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(folder))
        yield


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("city")
    assert mingzhang("sample", "--out", folder / "sample", "--seed", "1", "--orgs", "40").returncode == 0
    made = City(folder / "sample" / "inbox", folder / "home")
    ran = mingzhang("run", "--home", made.home, "--inbox", made.inbox, "--as-of", DAY)
    assert ran.returncode == 0, ran.stderr
    return made


@pytest.fixture(scope="session")
def on_spark(city: City, tmp_path_factory: pytest.TempPathFactory) -> OnSpark:
    """The same spreadsheets in a new home, with a master and two workers, of which one is lost in the middle."""
    folder = tmp_path_factory.mktemp("on-spark")
    made, pipe = OnSpark(folder / "home", folder / "tables"), subprocess.PIPE
    command = [sys.executable, "-m", "pipelines.cli", "run", "--home", str(made.home), "--inbox", str(city.inbox)]
    with cluster(folder / "cluster") as workers:
        command += ["--as-of", DAY, "--engine", "spark", "--master", workers.master]
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, env=environment()) as run:
            try:
                wait(run, lambda: _kept(made) >= TABLES)
                assert workers.said("Launching executor") >= 2
                workers.lose(0)
                while run.poll() is None:
                    _kept(made)
                    time.sleep(0.1)
                out, said = run.communicate(timeout=60)
            finally:
                kill(run)
        assert run.returncode == 0, (out + said)[-3000:]
        assert workers.said("Removing worker")
    return made


def _kept(made: OnSpark) -> int:
    """Links to each table that stands by now, for a run removes its own; returns how many there are."""
    with suppress(FileNotFoundError):  # the run is removing them: all were linked at an earlier look
        for done in (made.home / "work" / "spark").glob("*.db/*/_SUCCESS"):
            table = made.tables / done.parent.parent.name / done.parent.name
            if not table.exists():
                shutil.copytree(done.parent, table, copy_function=os.link)
    return len(list(made.tables.glob("*.db/*")))


def differences(home: Path, tables: Path) -> dict[str, int]:
    """Table -> how many of its rows are in one engine's and not in the other's, of those where any is."""
    with duckdb.connect() as con:
        con.execute(f"attach '{home / 'warehouse.duckdb'}' as home (read_only)")
        made = _made_by_duckdb(con)
        assert len(made) > 60
        found = {
            f"{schema}.{name}": _differing(con, schema, name, str(tables / f"{schema}.db" / name / "*.parquet"))
            for schema, name in made
        }
    return {name: rows for name, rows in found.items() if rows}


def _made_by_duckdb(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Schema and name of the tables that dbt made, and so not of the views of open rows."""
    return con.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = 'home' and schema_name in ('intermediate', 'marts') order by all"
    ).fetchall()


def _differing(con: duckdb.DuckDBPyConnection, schema: str, name: str, files: str) -> int:
    kinds = {c: t for c, t, *_ in con.execute(f'describe home.{schema}."{name}"').fetchall()}
    columns = ", ".join(f'list_sort("{c}")' if t.endswith("[]") else f'cast("{c}" as {t})' for c, t in kinds.items())
    ours, theirs = f'select {columns} from home.{schema}."{name}"', f"select {columns} from read_parquet('{files}')"
    found = con.execute(
        f"select (select count(*) from (({ours}) except all ({theirs}))) + (select count(*) from (({theirs}) except all ({ours})))"
    ).fetchone()
    return int(found[0]) if found else -1
