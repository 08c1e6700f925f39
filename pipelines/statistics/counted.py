"""The tables of a warehouse: how many rows each has, and its columns.

Belongs here: asking DuckDB's own catalogue, in one look. Not here: what is made of it (pipelines/assets/statistics.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WarehouseTable:
    """`rows` of a table, None of a view, which is counted by nobody; `columns` are (name, type)."""

    rows: int | None
    columns: tuple[tuple[str, str], ...]


def tables_of(warehouse: Path) -> dict[str, WarehouseTable]:
    """`schema/table` -> each table and view of a warehouse file."""
    import duckdb

    with duckdb.connect(str(warehouse), read_only=True) as con:
        # For a table without deleted rows, as every table of dbt's is, DuckDB's estimate is the count.
        rows = con.execute(
            "select schema_name || '/' || table_name, estimated_size from duckdb_tables() where not internal"
        ).fetchall()
        columns = con.execute(
            """select schema_name || '/' || table_name, list((column_name, data_type) order by column_index)
               from duckdb_columns() where not internal group by 1"""
        ).fetchall()
    count = dict(rows)
    return {name: WarehouseTable(count.get(name), tuple(found)) for name, found in columns}
