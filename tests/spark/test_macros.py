"""What DuckDB and Spark write differently means the same: each macro of engines.sql, on both, by the cases of macros.sql.

A case is a line `-- <macro>[ more words]: <what it gives>` and a query of one value below it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.core.home import Home
from pipelines.statistics.run import PROJECT, clean, environment
from pipelines.statistics.spark import TARGET, environment_on_spark
from tests.conftest import ROOT
from tests.spark.cluster import environment as environment_of_spark

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]
CASES = Path(__file__).with_name("macros.sql")
DAY = date(2025, 12, 31)
CASE = re.compile(r"^-- (?P<name>\w+)(?P<more>[^:\n]*): (?P<value>.*)$", re.M)
# Runs the queries that come as JSON, and prints a JSON list of what each gives, as text.
ON_SPARK = """
import json, sys
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.ansi.enabled", "false")
session = builder.config("spark.sql.catalogImplementation", "in-memory").config("spark.log.level", "OFF").getOrCreate()
out = []
for query in json.load(sys.stdin):
    frame = session.sql(query)
    out.append(frame.selectExpr(f"cast(`{frame.columns[0]}` as string) as v").first().v)
print(json.dumps(out))
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Parquet file of three rows."""
    path = tmp_path_factory.mktemp("sample") / "三 rows.parquet"
    duckdb.sql("select * from range(3)").write_parquet(str(path))
    return path


def _queries(env: dict[str, str], sample: Path, *options: str) -> list[str]:
    """The queries of the cases as dbt writes them for one engine."""
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "compile"]
    command += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), *options]
    command += ["--output", "text", "--inline", CASES.read_text(encoding="utf-8")]
    ran = subprocess.run(
        command,
        env=clean(env | {"PARQUET_OF_A_TEST": str(sample)}),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    _, *found = re.split(r"^-- .*$", ran.stdout, flags=re.M)
    return [q.strip() for q in found]


def _expected() -> dict[str, str | None]:
    return {
        f"{m['name']}{m['more']}": None if m["value"] == "null" else m["value"]
        for m in CASE.finditer(CASES.read_text(encoding="utf-8"))
    }


def test_every_macro_has_a_case() -> None:
    macros = re.findall(r"macro default__(\w+)\(", (PROJECT / "macros" / "engines.sql").read_text(encoding="utf-8"))
    assert len(macros) > 30
    assert set(macros) - {name.split()[0].rstrip(",") for name in _expected()} == set()


def test_on_duckdb(tmp_path: Path, sample: Path) -> None:
    queries = _queries(environment(Home(tmp_path / "home").create(), DAY), sample)
    with duckdb.connect() as con:
        found = [
            str(row[0]) if row and row[0] is not None else None
            for row in (con.execute(f"select cast(v as string) from ({q}) as t(v)").fetchone() for q in queries)
        ]
    assert dict(zip(_expected(), found, strict=True)) == _expected()


def test_on_spark(tmp_path: Path, sample: Path) -> None:
    env = environment_on_spark(Home(tmp_path / "home").create(), DAY, tmp_path / "tables", "local[1]")
    queries = _queries(env, sample, "--target", TARGET)
    ran = subprocess.run(
        [sys.executable, "-c", ON_SPARK],
        input=json.dumps(queries), env=os.environ | environment_of_spark(), capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert dict(zip(_expected(), json.loads(ran.stdout), strict=True)) == _expected()
