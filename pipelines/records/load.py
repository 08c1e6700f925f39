"""Copies the Parquet files of intake and records into the warehouse, for the release; dbt reads the Parquet files themselves.

Belongs here: that copy. Not here: what the files hold (build.py) or what is computed from them (dbt_project).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.core.duck import bound
from pipelines.core.home import Home
from pipelines.core.sql import identifier, literal
from pipelines.records import tables

SCHEMAS = ("intake", "records")
LOADED = "main.loaded"  # (source, version): what of each table stands in the warehouse


def load(home: Home, warehouse: Path) -> set[str]:
    """Makes schemas intake and records of `warehouse` what work/intake and work/records are, and returns what it replaced.

    A table is named `schema.table`, as in `tables.sources`. One whose version is noted in the warehouse already is left; of
    those that are not on the disk any more nothing is left, and they count as replaced. Rows are in the order of the files.
    """
    on_disk = tables.sources(home)
    wanted = {s: tables.version(files) for s, files in on_disk.items()}
    with duckdb.connect(str(warehouse)) as con:
        bound(con)
        for schema in SCHEMAS:
            con.execute(f"create schema if not exists {schema}")
        con.execute(f"create table if not exists {LOADED} (source varchar not null, version varchar not null)")
        noted = dict(con.execute(f"from {LOADED}").fetchall())
        there = _tables(con)
        stale = {s for s in there | set(wanted) if s not in there or noted.get(s) != wanted.get(s, "")}
        for source in sorted(stale):
            # Together with its note, so that a run that dies leaves no table that its note is not about.
            con.begin()
            con.execute(f"delete from {LOADED} where source = ?", [source])
            con.execute(f"drop table if exists {_quoted(source)}")
            if source in wanted:
                files = ", ".join(literal(str(p)) for p in on_disk[source])
                con.execute(f"create table {_quoted(source)} as from read_parquet([{files}])")
                con.execute(f"insert into {LOADED} values (?, ?)", [source, wanted[source]])
            con.commit()
    return stale


def _tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    found = con.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where table_catalog = current_database() and table_schema in ('intake', 'records')"
    ).fetchall()
    return {name for (name,) in found}


def _quoted(source: str) -> str:
    schema, _, table = source.partition(".")
    return f"{schema}.{identifier(table)}"
