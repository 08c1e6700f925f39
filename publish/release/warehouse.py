"""Reading the warehouse for a release: its schema marts, read-only, in public types and in order.

Belongs here: queries, casts and Arrow tables of a public shape. Not here: which table has which rows (tables.py, statements.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from pipelines.core.duck import bound
from pipelines.core.sql import identifier as _id
from publish.errors import GateRefused, ReleaseError
from publish.schema import MARTS, OWN, Table, Type

CASTS: dict[Type, str] = {
    "text": "varchar",
    "integer": "bigint",
    "real": "double",
    "boolean": "boolean",
    "date": "date",
}
MART = {t.name: t for t in MARTS}
BY_NAME = {t.name: t for t in (*MARTS, *OWN)}


class Warehouse:
    """The warehouse, opened read-only. Use it in a `with` block. Raises ReleaseError where it cannot be opened."""

    def __init__(self, path: Path):
        if not path.is_file():
            raise ReleaseError(f"There is no warehouse at {path.name}; run the pipeline first, then publish.")
        try:
            self.con = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as e:
            first = str(e).splitlines()[0]
            raise ReleaseError(f"The warehouse cannot be opened ({first}); wait for the run that holds it.") from e
        bound(self.con)
        self.con.execute("set preserve_insertion_order = true")
        found = self.con.sql(
            "select table_schema, table_name, column_name from information_schema.columns order by ordinal_position"
        ).fetchall()
        self.columns: dict[tuple[str, str], list[str]] = {}
        for schema, table, column in found:
            self.columns.setdefault((schema, table), []).append(column)

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.con.close()

    def require(self, schema: str, table: str, *columns: str) -> None:
        """Raises GateRefused where the table, or one of `columns`, is not there: what is made from it would be empty in silence."""
        have = self.columns.get((schema, table))
        lacking = [c for c in columns if have is not None and c not in have]
        if have is None or lacking:
            what = f"the column {', '.join(lacking)} of {schema}.{table}" if lacking else f"{schema}.{table}"
            raise GateRefused(
                [
                    f"the warehouse lacks {what}, so that tables made from it would be empty; build all with 'mingzhang run --full'"
                ]
            )

    def frame(self, sql: str) -> pd.DataFrame:
        return self.con.sql(sql).df()

    def arrow(self, sql: str) -> pa.Table:
        return self.con.sql(sql).to_arrow_table()

    def take(self, schema: str, source: str, table: Table, nulls: str = "last") -> pa.Table:
        """The columns of `table` from `schema.source`, cast and ordered, `nulls` last or first.

        Raises GateRefused where there is no such table, ReleaseError where a column that must be there is not.
        """
        self.require(schema, source)
        have = self.columns[schema, source]
        missing = [f.name for f in table.fields if f.name not in have and not f.optional]
        if missing:
            raise ReleaseError(
                f"{schema}.{source} lacks the column {', '.join(missing)}, which the public table {table.name} "
                "promises; add it to the model."
            )
        parts = [
            f"{value(_id(f.name), f.type)} as {_id(f.name)}"
            if f.name in have
            else f"cast(null as {CASTS[f.type]}) as {_id(f.name)}"
            for f in table.fields
        ]
        order = ", ".join(f"{_id(c)} nulls {nulls}" for c in (table.order or table.key or table.columns))
        return as_table(self.arrow(f"select {', '.join(parts)} from {schema}.{_id(source)} order by {order}"), table)


def value(expression: str, kind: Type) -> str:
    """SQL that casts to a public type: no NaN, no empty text, no control character (which no spreadsheet can hold)."""
    cast = f"cast({expression} as {CASTS[kind]})"
    if kind == "text":
        return rf"nullif(regexp_replace({cast}, '[\x00-\x08\x0b\x0c\x0e-\x1f]', '', 'g'), '')"
    if kind == "real":
        return f"case when isfinite({cast}) then {cast} end"
    return cast


def empty(table: Table) -> pa.Table:
    return table.arrow.empty_table()


def as_table(found: pa.Table, table: Table) -> pa.Table:
    """`found` in the columns and types of `table`."""
    return found.select(list(table.columns)).cast(table.arrow).combine_chunks()


def from_rows(rows: Iterable[dict[str, Any]], table: Table) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=table.arrow)
