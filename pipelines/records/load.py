"""Copies the Parquet files of intake and records into the warehouse, for the release; dbt reads the Parquet files themselves.

Belongs here: that copy. Not here: what the files hold (build.py) or what is computed from them (dbt_project).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.core.duck import bound
from pipelines.core.home import Home

SCHEMAS = ("intake", "records")


def load(home: Home, warehouse: Path) -> dict[str, int]:
    """Puts each Parquet file of work/intake and work/records into schemas of the same name in `warehouse`.

    Tables that are there already are replaced, and those without a file dropped. Returns rows by 'schema.table'.
    """
    rows: dict[str, int] = {}
    with duckdb.connect(str(warehouse)) as con:
        bound(con)
        for schema in SCHEMAS:
            con.execute(f"drop schema if exists {schema} cascade")
            con.execute(f"create schema {schema}")
            for path in sorted(home.table(schema, "_").parent.glob("*.parquet")):
                if path.name.startswith("."):
                    continue  # another process's half-written file
                con.execute(f'create table {schema}."{path.stem}" as select * from read_parquet(?)', [str(path)])
                found = con.execute(f'select count(*) from {schema}."{path.stem}"').fetchone()
                rows[f"{schema}.{path.stem}"] = int(found[0]) if found else 0
    return rows
