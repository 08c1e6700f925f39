"""The dbt project on Spark, over one home: what dbt is told there, and where the tables are when it ends.

Belongs here: everything about statistics on Spark. Not here: what DuckDB and Spark write differently (dbt_project/macros/engines.sql),
and how a run on one machine goes (run.py).

`python -m pipelines.statistics.spark --home HOME --as-of DATE --tables FOLDER [--master spark://host:7077]` builds every model from
the same Parquet files as DuckDB does, as Parquet in FOLDER/<schema>.db/<table>. `mingzhang run --engine spark` does so and takes the
marts into the warehouse, from which the release is made as ever (docs/scale.md).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from datetime import date
from pathlib import Path

from pipelines.core.home import Home
from pipelines.core.spark import LOCAL, SparkMissing, require_spark
from pipelines.core.sql import identifier, literal
from pipelines.statistics.run import PRODUCTION, PROJECT, StatisticsError, environment, manifest, run_dbt

TARGET = "spark"  # in dbt_project/profiles.yml
MARTS = "marts"


def environment_on_spark(
    home: Home, as_of: date, tables: Path, master: str, warehouse: Path | None = None
) -> dict[str, str]:
    """The environment variables of a dbt run on Spark: those of `environment`, the master, and the folder for the tables."""
    return environment(home, as_of, warehouse) | {
        "MINGZHANG_SPARK_MASTER": master,
        "MINGZHANG_SPARK_TABLES": str(tables.resolve()),
    }


def build_on_spark(home: Home, as_of: date, tables: Path, master: str = LOCAL) -> None:
    """Builds every model of the project on Spark from work/{intake,records,city,catalog}, as Parquet in `tables`, a new or empty folder.

    Settings of a cluster (executors, memory, storage) are Spark's own, from spark-defaults.conf. Raises SparkMissing, and
    StatisticsError where the folder is not empty or a model failed.
    """
    require_spark()
    if tables.is_dir() and any(tables.iterdir()):
        raise StatisticsError(f"{tables} holds files already; name a folder that is empty or not there yet.")
    run_dbt(["build", *PRODUCTION, "--target", TARGET], PROJECT, environment_on_spark(home, as_of, tables, master))


def tables_of_run(home: Home) -> Path:
    """Where the tables of a run lie until its warehouse has the marts: below the home, which every executor has to reach anyway."""
    return home.work / "spark"


def start_tables(home: Home) -> Path:
    """Clears the place where a run's tables are built, and returns it."""
    end_tables(home)
    tables_of_run(home).mkdir(mode=0o700)
    return tables_of_run(home)


def end_tables(home: Home) -> None:
    """Removes the tables of a run."""
    shutil.rmtree(tables_of_run(home), ignore_errors=True)


def take_marts(tables: Path, warehouse: Path) -> None:
    """Copies the marts among `tables` into schema marts of the warehouse, in the types that the models state.

    Raises StatisticsError where a mart was not built.
    """
    import duckdb

    from pipelines.core.duck import bound

    with duckdb.connect(str(warehouse)) as con:
        bound(con)
        con.execute(f"create schema if not exists {MARTS}")
        for name, types in _types_of_marts().items():
            folder = tables / f"{MARTS}.db" / name
            if not any(folder.glob("*.parquet")):
                raise StatisticsError(f"Spark left no table {MARTS}.{name} in {tables}; run again, with --full.")
            columns = ", ".join(f"cast({identifier(c)} as {t}) as {identifier(c)}" for c, t in types.items())
            files = literal(str(folder / "*.parquet"))
            con.execute(
                f"create or replace table {MARTS}.{identifier(name)} as select {columns} from read_parquet({files})"
            )


def _types_of_marts() -> dict[str, dict[str, str]]:
    """Mart -> column -> type of DuckDB, in the order of the models' contracts."""
    nodes = json.loads(manifest().read_text(encoding="utf-8"))["nodes"].values()
    marts = (n for n in nodes if n["resource_type"] == "model" and n["schema"] == MARTS)
    return {n["alias"]: {c["name"]: c["data_type"] for c in n["columns"].values()} for n in marts}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m pipelines.statistics.spark", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("--tables", type=Path, required=True, help="new or empty folder for the tables")
    parser.add_argument("--master", default=LOCAL, help=f"Spark's master; {LOCAL} unless told")
    given = parser.parse_args(arguments)
    try:
        build_on_spark(Home(given.home), given.as_of, given.tables, given.master)
    except (SparkMissing, StatisticsError) as e:
        print(e, file=sys.stderr)
        return e.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
