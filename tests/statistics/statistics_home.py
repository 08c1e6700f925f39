"""Small tables of records, as Parquet in a home, for tests of the statistics."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.contract import load_contracts
from pipelines.core.home import Home
from pipelines.records import tables
from pipelines.statistics.catalog import load_catalog

ARROW = {
    "string": pa.string(),
    "enum": pa.string(),
    "month": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "year": pa.int64(),
    "decimal": pa.float64(),
    "date": pa.date32(),
}


def write(
    home: Home,
    records: Mapping[str, Sequence[Mapping[str, Any]]],
    files: Sequence[Mapping[str, Any]] = (),
    sheets: Sequence[Mapping[str, Any]] = (),
    issues: Sequence[Mapping[str, Any]] = (),
    tasks: Sequence[Mapping[str, Any]] = (),
    findings: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Writes every table of intake and every dataset of the contracts (empty where nothing of it is given), and the catalog.

    A row without `_file` stands in file 'f1', sheet 'S'; `_row` counts. Files that rows name and `files` does not are not
    made-up.
    """
    home.create()
    seen = {f["file_id"] for f in files}
    named = {r.get("_file", "f1") for rows in records.values() for r in rows} - seen
    every = [*files, *({"file_id": f, "name": f, "status": "accepted", "synthetic": False} for f in sorted(named))]
    given = {"files": every, "sheets": sheets, "issues": issues, "tasks": tasks, "findings": findings}
    for name, schema in (tables.INTAKE | {"tasks": tables.TASKS}).items():
        rows = [{c: r.get(c) for c in schema} for r in given.get(name, ())]
        pq.write_table(pa.Table.from_pylist(rows, pa.schema(list(schema.items()))), home.table("intake", name))
    load_catalog(load_contracts(), home)
    for dataset, contract in load_contracts().items():
        kinds = {c.name: c.kind for c in contract.kept} | {"_file": "string", "_sheet": "string", "_row": "integer"}
        rows = [{"_file": "f1", "_sheet": "S", "_row": n, **r} for n, r in enumerate(records.get(dataset, ()), 2)]
        odd = {c for r in rows for c in r} - set(kinds)
        assert not odd, f"{dataset} has no columns {odd}"
        home.records(dataset).mkdir(exist_ok=True)
        _parquet(home.records(dataset) / "none.parquet", rows, kinds)


def _parquet(path: Path, rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> None:
    arrow = pa.schema([(c, ARROW[k]) for c, k in kinds.items()])
    pq.write_table(pa.Table.from_pylist([{c: r.get(c) for c in kinds} for r in rows], arrow), path)


def institution(n: int, year: int, **own: Any) -> dict[str, Any]:
    return {
        "uscc": f"U{n}",
        "org_name": f"示范单位{n}",
        "year": year,
        "org_type": "党政机关",
        "admin_level": "市",
        "division_code": "430202",
        "energy_population": 100,
        "floor_area": 1000.0,
        "_file": f"reg{year}",
    } | own


def months(n: int, year: int, count: int = 12, **quantities: float) -> list[dict[str, Any]]:
    """`count` months of institution n, each with these quantities; in a file of its own."""
    return [
        {"org_name": f"示范单位{n}", "month": f"{year}-{m:02d}", "_file": f"energy{n}-{year}", **quantities}
        for m in range(1, count + 1)
    ]


def date(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def public_database(home: Home, db: duckdb.DuckDBPyConnection) -> sqlite3.Connection:
    """A stand-in for the public database: the marts, and of the open datasets their public columns alone."""
    public = sqlite3.connect(":memory:")

    def plain(value: Any) -> Any:
        return float(value) if isinstance(value, Decimal) else str(value) if hasattr(value, "isoformat") else value

    def copy(table: str, columns: list[str], source: str) -> None:
        listed = ", ".join(f'"{c}"' for c in columns)
        rows = db.execute(f"select {listed} from {source}").fetchall()
        public.execute(f"create table {table} ({listed})")
        marks = ", ".join("?" * len(columns))
        public.executemany(f"insert into {table} values ({marks})", [[plain(v) for v in r] for r in rows])

    for mart in ("indicator_values", "claims", "factors"):
        names = [c for (c,) in db.execute(f"select column_name from (describe marts.{mart})").fetchall()]
        copy(mart, names, f"marts.{mart}")
    for dataset, contract in load_contracts().items():
        if contract.public:
            path = str(home.records(dataset)).replace("'", "''")
            copy(dataset, [c.name for c in contract.public], f"read_parquet('{path}/*.parquet')")
    return public
