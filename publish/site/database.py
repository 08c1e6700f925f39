"""Datasette's database on guarded connections: one file that never changes, under a deadline per request.

Belongs here: connections, deadlines, cached introspection, stable order of pages, the record of truncated answers. Not here:
what a connection may do (guard.py).
"""

from __future__ import annotations

import copy
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from datasette.database import Database
from datasette.utils import escape_sqlite

from publish.site.guard import GuardedConnection, protect

_TRUNCATED: ContextVar[list[bool] | None] = ContextVar("truncated", default=None)
_ORDERED: ContextVar[str | None] = ContextVar("ordered", default=None)
# The end of the query that Datasette builds for a table sorted by a column: it pages by column and key, and orders by the
# column alone.
_SORTED = re.compile(r" order by (\[[^\]]+\]|\w+)( desc)? limit \d+$")


@contextmanager
def record_truncation() -> Iterator[list[bool]]:
    """Within this context, in this task and those it starts, each truncated answer appends True to the list: Datasette says so
    in one of its shapes only."""
    truncated: list[bool] = []
    token = _TRUNCATED.set(truncated)
    try:
        yield truncated
    finally:
        _TRUNCATED.reset(token)


@contextmanager
def stable_order(table: str | None) -> Iterator[None]:
    """Within this context, in this task and those it starts, pages of `table` are ordered by its key where the sorted column has
    equal values, so that no row is lost or repeated between two pages. None: no table is asked for."""
    token = _ORDERED.set(table)
    try:
        yield
    finally:
        _ORDERED.reset(token)


def is_truncated() -> bool:
    """Return whether rows were cut from the answer in progress."""
    return bool(_TRUNCATED.get())


def _cached(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Wrap an introspection method of Database: the file never changes, so its answers are cached.

    The argument is a table of the file, or absent. An unknown table comes from a visitor, and is not cached: there is no end
    of those.
    """
    name = method.__name__

    async def introspect(self: GuardedDatabase, *args: str) -> Any:
        if (name, *args) not in self._introspected:
            answer = await method(self, *args)
            if args and not await Database.table_exists(self, args[0]):
                return answer
            self._introspected[(name, *args)] = answer
        return copy.copy(self._introspected[(name, *args)])

    return introspect


class GuardedDatabase(Database):
    """Datasette's database on guarded connections to a file that never changes.

    A request may have a deadline, which holds for all its queries together, where Datasette counts each alone. It is of
    processor time of this process, with half as much again of wall-clock time at most, so that an honest query is not late
    because others keep the machine busy.
    """

    count_limit = 1_000_000_000  # 1.0 would report 10,001 for any number of rows above 10,000

    # What each page of Datasette asks of a table.
    table_names = _cached(Database.table_names)
    view_names = _cached(Database.view_names)
    hidden_table_names = _cached(Database.hidden_table_names)
    get_all_foreign_keys = _cached(Database.get_all_foreign_keys)
    table_exists = _cached(Database.table_exists)
    table_columns = _cached(Database.table_columns)
    table_column_details = _cached(Database.table_column_details)
    primary_keys = _cached(Database.primary_keys)
    fts_table = _cached(Database.fts_table)
    label_column_for_table = _cached(Database.label_column_for_table)
    foreign_keys_for_table = _cached(Database.foreign_keys_for_table)
    get_table_definition = _cached(Database.get_table_definition)

    def __init__(self, ds: Any, path: Path, heap_limit: int):
        super().__init__(ds, path=str(path), is_mutable=False)
        self.heap_limit = heap_limit
        self._deadline: float | None = None  # of time.monotonic; processor time is read only after it
        self._computed = self._last = 0.0
        self._introspected: dict[tuple[str, ...], Any] = {}
        self._open: list[sqlite3.Connection] = []

    def allow(self, seconds: float) -> None:
        """Set the deadline of a request: `seconds` from now."""
        self._deadline = time.monotonic() + seconds
        self._last = self._deadline + seconds / 2
        self._computed = time.process_time() + seconds

    def is_late(self) -> bool:
        """Return whether the deadline has passed."""
        if self._deadline is None or (now := time.monotonic()) <= self._deadline:
            return False
        return now > self._last or time.process_time() > self._computed

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Open a guarded connection; Datasette keeps one per thread. Raises sqlite3.OperationalError for one to write with."""
        if write:
            raise sqlite3.OperationalError("the public database is read-only")
        uri = f"{Path(self.path).resolve().as_uri()}?immutable=1"
        conn = sqlite3.connect(uri, uri=True, check_same_thread=False, factory=GuardedConnection)
        self._open.append(conn)
        protect(conn, self.heap_limit)
        conn.database = self
        return conn

    def close(self) -> None:
        """Close every connection; again without effect, for Datasette 1.0 closes the databases of each of its instances."""
        while self._open:
            self._open.pop().close()
        super().close()

    async def execute(self, sql: str, *args: Any, **kwargs: Any) -> Any:
        """Run a query as Datasette does, in a stable order, recording whether its answer was truncated."""
        kwargs["log_sql_errors"] = False  # a visitor's mistake is no event of ours, and a flood of them fills a disk
        table = _ORDERED.get()
        if table is not None and (end := _SORTED.search(sql)):
            keys = [escape_sqlite(k) for k in await self.primary_keys(table)] or ["rowid"]
            at = end.end(end.lastindex or 1)
            sql = f"{sql[:at]}, {', '.join(keys)}{sql[at:]}"
        results = await super().execute(sql, *args, **kwargs)
        # Of a page Datasette asks for one row more, to see whether there is a next one.
        truncated, page = _TRUNCATED.get(), kwargs.get("page_size")
        if truncated is not None and (results.truncated or (page and len(results.rows) > page)):
            truncated.append(True)
        return results

    async def attached_databases(self) -> list[Any]:
        """Return none: nothing can be attached, and asking SQLite would need the pragma database_list."""
        return []
