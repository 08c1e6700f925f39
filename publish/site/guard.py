"""The first line of defence: what one SQLite connection of the site may do, and how long.

Belongs here: limits, the authorizer, the finer clock, the size of an answer, and refusing to start where one of them
cannot be set. Not here: processes and their limits (pool.py, worker.py), and HTTP.

The methods are SQLite's own advice for untrusted SQL, https://www.sqlite.org/security.html, with one more: a clock that
is asked every 20 steps instead of Datasette's 1,000, because one step may be a function that works for milliseconds.
"""

from __future__ import annotations

import copy
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import datasette.utils.sqlite
from datasette.database import Database
from datasette.utils import escape_sqlite

from publish.site import compat

PROGRESS_STEPS = 20
ANSWER_BYTES = 2_000_000  # what the rows of one answer may weigh, before JSON or HTML is made of them
CELL_BYTES = 24  # what a cell weighs besides its text: its brackets, its tags
TEXT = (str, bytes)
NAME_BYTES = 200  # the longest name of a column in an answer

# Honest rows fit: the longest text of a release is a definition or a query of some kilobytes.
LIMITS: dict[int, int] = {
    sqlite3.SQLITE_LIMIT_LENGTH: 65_536,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 20_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 30,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 64,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 2_000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}

# Those Datasette's own pages ask for. database_list is not among them: it tells where the file lies.
PRAGMAS = frozenset(
    [
        "schema_version",
        "table_info",
        "table_xinfo",
        "table_list",
        "foreign_key_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "recursive_triggers",  # 1.0 has it set on a connection before it looks for a label; nothing here has a trigger
    ]
)

# A list of what may be called, not of what may not: a function that SQLite learns tomorrow is refused until looked at.
# Left out on purpose: randomblob, zeroblob, load_extension, fts3_tokenizer, fts5, optimize, readfile, writefile, edit,
# sqlite_* and rtree*: they make memory out of nothing, reach out of the database, or show pointers.
FUNCTIONS = frozenset(
    [
        "abs",
        "avg",
        "bm25",
        "ceil",
        "ceiling",
        "changes",
        "char",
        "coalesce",
        "concat",
        "concat_ws",
        "count",
        "cume_dist",
        "current_date",
        "current_time",
        "current_timestamp",
        "date",
        "datetime",
        "degrees",
        "dense_rank",
        "exp",
        "first_value",
        "floor",
        "format",
        "glob",
        "group_concat",
        "hex",
        "highlight",
        "ifnull",
        "iif",
        "instr",
        "json",
        "json_array",
        "json_array_length",
        "json_each",
        "json_error_position",
        "json_extract",
        "json_group_array",
        "json_group_object",
        "json_insert",
        "json_object",
        "json_patch",
        "json_pretty",
        "json_quote",
        "json_remove",
        "json_replace",
        "json_set",
        "json_tree",
        "json_type",
        "json_valid",
        "julianday",
        "lag",
        "last_value",
        "lead",
        "length",
        "like",
        "likelihood",
        "likely",
        "ln",
        "log",
        "log10",
        "log2",
        "lower",
        "ltrim",
        "match",
        "max",
        "median",
        "min",
        "mod",
        "nth_value",
        "ntile",
        "nullif",
        "octet_length",
        "percent_rank",
        "percentile",
        "pi",
        "pow",
        "power",
        "printf",
        "quote",
        "radians",
        "random",
        "rank",
        "regexp",
        "replace",
        "round",
        "row_number",
        "rtrim",
        "sign",
        "snippet",
        "soundex",
        "sqrt",
        "strftime",
        "string_agg",
        "subtype",
        "substr",
        "substring",
        "sum",
        "timediff",
        "time",
        "total",
        "total_changes",
        "trim",
        "trunc",
        "typeof",
        "unicode",
        "unixepoch",
        "unlikely",
        "upper",
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "cos",
        "cosh",
        "sin",
        "sinh",
        "tan",
        "tanh",
        "escape_fts",
        "->",
        "->>",
    ]
)


class GuardUnavailable(RuntimeError):
    """A limit cannot be set here; the site must not start."""

    exit_status = 1


def require() -> None:
    """Raises GuardUnavailable, with one sentence, where any part of the guard cannot work in this Python."""
    if datasette.utils.sqlite.using_pysqlite3 or datasette.utils.sqlite.sqlite3 is not sqlite3:
        raise GuardUnavailable(
            "The package pysqlite3 takes the place of Python's own sqlite3 and has no limits; uninstall it and start again."
        )
    if not hasattr(sqlite3.Connection, "setlimit"):
        raise GuardUnavailable("Python's sqlite3 cannot set limits on a connection; use Python 3.11 or newer.")
    conn = sqlite3.connect(":memory:", factory=GuardedConnection)
    try:
        protect(conn, heap_limit=256 << 20)
        for sql, why in (
            ("select sqlite_version()", "the authorizer"),
            ("select * from pragma_database_list", "the authorizer of pragmas"),
            ("select replace(printf('%.*c', 60000, 'x'), 'x', 'yy')", "the limit of length"),
        ):
            try:
                conn.execute(sql).fetchall()
            except sqlite3.DatabaseError:
                continue
            raise GuardUnavailable(
                f"{why.capitalize()} of SQLite {sqlite3.sqlite_version} does not hold; use another build."
            )
    finally:
        conn.close()


class GuardedCursor(sqlite3.Cursor):
    """A cursor that gives up an answer that grows too large while it is being fetched."""

    def _rows(self, most: int | None) -> list[Any]:
        names = [d[0] for d in self.description or ()]
        if any(len(n) > NAME_BYTES for n in names):
            raise sqlite3.DataError(
                f"a column's name is longer than {NAME_BYTES} characters; give it a short one with AS"
            )
        row_bytes = sum(len(n) + CELL_BYTES for n in names)
        rows: list[Any] = []
        weight = 0
        while most is None or len(rows) < most:
            row = self.fetchone()
            if row is None:
                break
            weight += row_bytes + sum([len(v) for v in row if v.__class__ in TEXT])
            if weight > ANSWER_BYTES:
                raise sqlite3.DataError("the answer is too large; ask for fewer columns or rows")
            rows.append(row)
        return rows

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        return self._rows(size or 1)

    def fetchall(self) -> list[Any]:
        return self._rows(None)


class GuardedConnection(sqlite3.Connection):
    """A connection whose clock is asked every few steps, whoever sets it, and that heeds its database's deadline."""

    database: GuardedDatabase | None = None

    def set_progress_handler(self, handler: Callable[[], Any] | None, n: int) -> None:
        def asked() -> int:
            late = self.database is not None and self.database.is_late()
            return 1 if late or (handler is not None and handler()) else 0

        super().set_progress_handler(asked, min(n, PROGRESS_STEPS))

    def close(self) -> None:
        # The handler holds this connection, where Python's collector of cycles cannot see it.
        super().set_progress_handler(None, 0)
        super().close()

    def cursor(self, factory: type[sqlite3.Cursor] = GuardedCursor) -> Any:  # type: ignore[override]
        return super().cursor(factory)

    def execute(self, *args: Any) -> Any:
        return self.cursor().execute(*args)


def protect(conn: sqlite3.Connection, heap_limit: int) -> None:
    """Sets every limit on a connection; nothing can be loosened afterwards through SQL.

    `heap_limit` in bytes is SQLite's hard heap limit, one for the whole process. Raises GuardUnavailable where a limit
    was not taken.
    """
    conn.execute("PRAGMA trusted_schema = off")
    conn.execute("PRAGMA query_only = on")
    conn.execute("PRAGMA temp_store = memory")  # a sort that spills would fill the disk instead of meeting the limit
    taken = conn.execute(f"PRAGMA hard_heap_limit = {heap_limit}").fetchone()[0]
    if not 0 < taken <= heap_limit:
        raise GuardUnavailable(f"SQLite {sqlite3.sqlite_version} takes no hard heap limit; use a build that does.")
    for what, limit in LIMITS.items():
        conn.setlimit(what, limit)
        if conn.getlimit(what) > limit:
            raise GuardUnavailable(f"SQLite {sqlite3.sqlite_version} did not take limit {what}; use another build.")
    conn.set_authorizer(authorize)
    conn.set_progress_handler(None, PROGRESS_STEPS)


def authorize(action: int, a: str | None, b: str | None, db: str | None, inner: str | None) -> int:
    """SQLite's question at compile time whether a statement may do something: reading is all it may."""
    if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (b or "").lower() in FUNCTIONS:
        return sqlite3.SQLITE_OK
    # A table-valued function such as json_each declares its columns the first time, which SQLite up to 3.40 announces as
    # this; a real change of sqlite_master needs writable_schema, which no one gets, on a file that is open read-only.
    if action == sqlite3.SQLITE_UPDATE and a == "sqlite_master":
        return sqlite3.SQLITE_OK
    # The argument of a pragma is a table's name; with it none of these changes anything, save schema_version.
    if action == sqlite3.SQLITE_PRAGMA and (a or "").lower() in PRAGMAS and not (a == "schema_version" and b):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


_CUT: ContextVar[list[bool] | None] = ContextVar("cut", default=None)
_PAGED: ContextVar[str | None] = ContextVar("paged", default=None)
# How the query ends that Datasette makes of a table sorted by a column; it pages by column and key, and orders by the column alone.
_SORTED = re.compile(r" order by (\[[^\]]+\]|\w+)( desc)? limit \d+$")


@contextmanager
def watched() -> Iterator[list[bool]]:
    """While this lasts, in this task and those it starts, each answer of which rows were cut away adds one to the list:
    Datasette says so in one of its shapes and in no other."""
    cut: list[bool] = []
    token = _CUT.set(cut)
    try:
        yield cut
    finally:
        _CUT.reset(token)


@contextmanager
def paged(table: str | None) -> Iterator[None]:
    """While this lasts, in this task and those it starts, pages of `table` are put in order by its key where the sorted column
    does not tell rows apart, so that no row is left out between two pages or given twice. None: no table is asked for."""
    token = _PAGED.set(table)
    try:
        yield
    finally:
        _PAGED.reset(token)


def was_cut() -> bool:
    """Whether rows were cut away in what is being answered."""
    return bool(_CUT.get())


class GuardedDatabase(Database):
    """Datasette's database on guarded connections to a file that never changes.

    A request may be given a time, which holds for all its queries together, where Datasette counts each alone. It is time
    that this process computes; of time on the clock there is half as much again at most. So an honest query is not late
    because others keep the machine busy.
    """

    count_limit = 1_000_000_000  # 1.0 would say of more than 10,000 rows that there are 10,001

    def __init__(self, ds: Any, path: Path, heap_limit: int):
        super().__init__(ds, path=str(path), is_mutable=False)
        self.heap_limit = heap_limit
        self._deadline: float | None = None  # of time.monotonic; only after it is the processor's time asked for
        self._computed = self._last = 0.0
        self._told: dict[tuple[str, ...], Any] = {}

    def allow(self, seconds: float) -> None:
        """From now on, so long and no longer."""
        self._deadline = time.monotonic() + seconds
        self._last = self._deadline + seconds / 2
        self._computed = time.process_time() + seconds

    def is_late(self) -> bool:
        if self._deadline is None or (now := time.monotonic()) <= self._deadline:
            return False
        return now > self._last or time.process_time() > self._computed

    def connect(self, write: bool = False) -> sqlite3.Connection:
        if write:
            raise sqlite3.OperationalError("the public database is read-only")
        uri = f"{Path(self.path).resolve().as_uri()}?immutable=1"
        conn = sqlite3.connect(uri, uri=True, check_same_thread=False, factory=GuardedConnection)
        compat.opened(self, conn)
        protect(conn, self.heap_limit)
        conn.database = self
        return conn

    async def execute(self, sql: str, *args: Any, **kwargs: Any) -> Any:
        kwargs["log_sql_errors"] = False  # a visitor's mistake is no event of ours, and a flood of them fills a disk
        table = _PAGED.get()
        if table is not None and (end := _SORTED.search(sql)):
            keys = [escape_sqlite(k) for k in await self.primary_keys(table)] or ["rowid"]
            at = end.end(end.lastindex or 1)
            sql = f"{sql[:at]}, {', '.join(keys)}{sql[at:]}"
        results = await super().execute(sql, *args, **kwargs)
        cut, page = (
            _CUT.get(),
            kwargs.get("page_size"),
        )  # of a page one row more is asked for, to see whether there is one
        if cut is not None and (results.truncated or (page and len(results.rows) > page)):
            cut.append(True)
        return results

    async def attached_databases(self) -> list[Any]:
        return []  # none can be; asking SQLite would need database_list


def _told_once(name: str) -> Any:
    """A method of Datasette's database that asks SQLite what the file looks like: the file never changes, so the answer is
    kept; it is about one of the file's tables, of which there are few, or none."""
    ask = getattr(Database, name)

    async def asked(self: GuardedDatabase, *of: str) -> Any:
        if (name, *of) not in self._told:
            told = await ask(self, *of)
            if of and not await Database.table_exists(self, of[0]):
                return told  # a visitor's word: there is no end of those
            self._told[(name, *of)] = told
        return copy.copy(self._told[(name, *of)])

    return asked


# Of what a page of Datasette asks for each time; those that only one of its versions has are left as they are.
for _name in (
    "table_names",
    "view_names",
    "hidden_table_names",
    "get_all_foreign_keys",
    "table_exists",
    "table_columns",
    "table_column_details",
    "primary_keys",
    "fts_table",
    "label_column_for_table",
    "foreign_keys_for_table",
    "get_table_definition",
):
    setattr(GuardedDatabase, _name, _told_once(_name))
