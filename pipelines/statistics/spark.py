"""The dbt project on Spark, over one home: the session it runs in, and where the tables are when it ends.

Belongs here: everything about Spark. Not here: what DuckDB and Spark write differently (dbt_project/macros/engines.sql), and how
a run on one machine goes (run.py).

`python -m pipelines.statistics.spark --home HOME --as-of DATE --tables FOLDER [--master spark://host:7077]` builds every model from
the same Parquet files as DuckDB does, as Parquet in FOLDER/<schema>.db/<table>. docs/scale.md says what is done this way, and
what not yet.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from datetime import date
from pathlib import Path

from pipelines.core.home import Home
from pipelines.statistics.run import PRODUCTION, PROJECT, StatisticsError, environment

LOCAL = "local[2]"
# A session of its own: nothing of one run is there in the next. ANSI mode is off, because dbt-spark turns it off (docs/scale.md).
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.enabled": "false",
}


def build_on_spark(home: Home, as_of: date, tables: Path, master: str = LOCAL) -> None:
    """Builds every model of the project on Spark from work/{intake,records,city,catalog}, as Parquet in `tables`, a new or empty folder.

    Settings of a cluster (executors, memory, storage) are Spark's own, from spark-defaults.conf. Raises StatisticsError where
    Spark, dbt-spark or Java is missing, the folder is not empty, or a model failed.
    """
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise StatisticsError(
            "Spark needs Java 17 or newer, and there is none; on Debian type: apt-get install default-jre-headless"
        )
    try:
        import dbt.adapters.spark  # noqa: F401
        from pyspark.sql import SparkSession
    except ImportError as e:
        raise StatisticsError(
            f"Statistics on Spark need the extra 'spark' ({e.name} is missing); type: make spark"
        ) from None
    from dbt.cli.main import dbtRunner

    if tables.is_dir() and any(tables.iterdir()):
        raise StatisticsError(f"{tables} holds files already; name a folder that is empty or not there yet.")
    os.environ.update(environment(home, as_of))
    builder = SparkSession.builder.master(master).appName("mingzhang statistics")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.config("spark.sql.warehouse.dir", str(tables.resolve())).getOrCreate()
    session.sparkContext.setLogLevel("OFF")  # dbt says which model failed, and why
    try:
        folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        done = dbtRunner().invoke(["--quiet", "build", *PRODUCTION, "--target", "spark", *folders])
    finally:
        session.stop()
    if done.exception is not None:
        raise StatisticsError(f"dbt could not run on Spark: {done.exception}") from done.exception
    if not done.success:
        results = getattr(done.result, "results", [])
        failed = next(r for r in results if r.status in ("error", "fail"))
        more = sum(r.status in ("error", "fail") for r in results) - 1
        beside = f" (and {more} more)" if more else ""
        raise StatisticsError(
            f"On Spark dbt's {failed.node.resource_type} {failed.node.name}{beside} failed: {failed.message}"
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m pipelines.statistics.spark", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("--tables", type=Path, required=True, help="new or empty folder for the tables")
    parser.add_argument("--master", default=LOCAL, help=f"Spark's master; {LOCAL} unless told")
    given = parser.parse_args(arguments)
    try:
        build_on_spark(Home(given.home), given.as_of, given.tables, given.master)
    except StatisticsError as e:
        print(e, file=sys.stderr)
        return e.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
