"""DuckDB within bounds: it takes no more memory than a run is allowed, and beyond that works on disk.

Belongs here: setting the bound, and a database of nobody's but ours. Not here: any query, or how much it is (memory.py).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from pipelines.core.memory import allowance
from pipelines.core.sql import literal


def bound(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The same connection, held to what a run may take; a database in a file spills beside it."""
    con.execute(f"set memory_limit = '{allowance()}MB'")
    return con


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that is gone after the block, spilling to a folder that only its owner may open."""
    with tempfile.TemporaryDirectory(prefix="mingzhang-") as folder, duckdb.connect() as con:
        con.execute(f"set temp_directory = {literal(folder)}")
        yield bound(con)
