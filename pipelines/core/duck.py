"""DuckDB with a memory limit, beyond which it works on disk.

Belongs here: setting the limit, and temporary databases. Not here: any query, or the size of the limit (memory.py).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from pipelines.core.memory import allowance
from pipelines.core.sql import literal


def bound(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Set the memory limit of a connection and return it; a database in a file spills into its folder."""
    con.execute(f"set memory_limit = '{allowance()}MB'")
    return con


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory for one block; it spills to a temporary folder that only its owner may open."""
    with tempfile.TemporaryDirectory(prefix="mingzhang-") as folder, duckdb.connect() as con:
        con.execute(f"set temp_directory = {literal(folder)}")
        yield bound(con)
