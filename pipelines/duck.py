"""DuckDB within bounds: what a city of any size needs of memory is the same, and beyond it DuckDB works on disk.

Belongs here: the bound, and a database of nobody's but ours. Not here: any query. dbt's own bound is in
dbt_project/profiles.yml.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

MEMORY = "400MB"


def bound(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The same connection, held to MEMORY; a database in a file spills beside it."""
    con.execute(f"set memory_limit = '{MEMORY}'")
    return con


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that is gone after the block, spilling to a folder that only its owner may open."""
    with tempfile.TemporaryDirectory(prefix="mingzhang-") as folder, duckdb.connect() as con:
        con.execute(f"set temp_directory = '{folder.replace(chr(39), chr(39) * 2)}'")
        yield bound(con)
