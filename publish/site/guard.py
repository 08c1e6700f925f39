"""The first line of defence: what one SQLite connection of the site may do, and for how long.

Belongs here: limits, the authorizer, the finer progress handler, the size of an answer, and refusing to start where one of
them cannot be set. Not here: Datasette's database on such connections (database.py), processes and their limits (pool.py,
worker.py), HTTP.

The methods are SQLite's own advice for untrusted SQL, https://www.sqlite.org/security.html, with one more: a progress
handler called every 20 steps in place of Datasette's 1,000, because one step may be a function that runs for milliseconds.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any, Protocol

import datasette.utils.sqlite

PROGRESS_STEPS = 20
WAITING_SECONDS = 5.0  # of wall-clock time at most for a query that others keep from a processor
ANSWER_BYTES = 2_000_000  # of the rows of one answer, before JSON or HTML is made of them
CELL_BYTES = 24  # of a cell besides its text: brackets, tags
TEXT = (str, bytes)
NAME_BYTES = 200  # the longest name of a column in an answer

# Rows of a release fit: its longest text is a definition or a query of some kilobytes.
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

# Those that Datasette's own pages need. database_list is not among them: it reveals the path of the file.
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

# A list of allowed functions, not of forbidden ones: a function that a later SQLite brings is refused until it was reviewed.
# Left out on purpose: randomblob, zeroblob, load_extension, fts3_tokenizer, fts5, optimize, readfile, writefile, edit,
# sqlite_* and rtree*: they allocate memory at will, reach out of the database, or reveal pointers.
FUNCTIONS = frozenset(
    [
        "abs", "avg", "bm25", "ceil", "ceiling", "changes", "char", "coalesce", "concat", "concat_ws", "count",
        "cume_dist", "current_date", "current_time", "current_timestamp", "date", "datetime", "degrees", "dense_rank",
        "exp", "first_value", "floor", "format", "glob", "group_concat", "hex", "highlight", "ifnull", "iif", "instr",
        "json", "json_array", "json_array_length", "json_each", "json_error_position", "json_extract",
        "json_group_array", "json_group_object", "json_insert", "json_object", "json_patch", "json_pretty",
        "json_quote", "json_remove", "json_replace", "json_set", "json_tree", "json_type", "json_valid", "julianday",
        "lag", "last_value", "lead", "length", "like", "likelihood", "likely", "ln", "log", "log10", "log2", "lower",
        "ltrim", "match", "max", "median", "min", "mod", "nth_value", "ntile", "nullif", "octet_length", "percent_rank",
        "percentile", "pi", "pow", "power", "printf", "quote", "radians", "random", "rank", "regexp", "replace",
        "round", "row_number", "rtrim", "sign", "snippet", "soundex", "sqrt", "strftime", "string_agg", "subtype",
        "substr", "substring", "sum", "timediff", "time", "total", "total_changes", "trim", "trunc", "typeof",
        "unicode", "unixepoch", "unlikely", "upper", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos",
        "cosh", "sin", "sinh", "tan", "tanh", "escape_fts", "->", "->>"
    ]
)  # fmt: skip


class GuardUnavailable(RuntimeError):
    """A limit cannot be set on this machine; the site must not start."""

    exit_status = 1


def require() -> None:
    """Raise GuardUnavailable, with one sentence, where any part of the guard does not work in this Python."""
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
    """A cursor that raises sqlite3.DataError for an answer that grows too large while it is fetched."""

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


class Deadline(Protocol):
    """The database of a connection: it knows whether the time of the request is over."""

    def is_late(self) -> bool: ...


class GuardedConnection(sqlite3.Connection):
    """A connection whose progress handler runs every PROGRESS_STEPS steps at least, and checks the deadline of its database.

    Datasette's own handler, set before each query, counts wall-clock time alone. Once it says that the time is over, the query
    goes on until it has used as much on a processor, for WAITING_SECONDS at most: an honest query is not late because others keep
    the machine busy.
    """

    database: Deadline | None = None

    def set_progress_handler(self, handler: Callable[[], Any] | None, n: int) -> None:
        began, computed = time.monotonic(), time.thread_time()
        allowed: list[float] = []  # the seconds after which the handler said for the first time that they are over

        def has_used_its_time() -> bool:
            waited = time.monotonic() - began
            if not allowed:
                allowed.append(waited)
            return waited > WAITING_SECONDS or time.thread_time() - computed >= 0.9 * allowed[0]

        def is_over() -> int:
            late = self.database is not None and self.database.is_late()
            return 1 if late or (handler is not None and handler() and has_used_its_time()) else 0

        super().set_progress_handler(is_over, min(n, PROGRESS_STEPS))

    def close(self) -> None:
        # The handler refers to this connection in a way that Python's garbage collector cannot see.
        super().set_progress_handler(None, 0)
        super().close()

    def cursor(self, factory: type[sqlite3.Cursor] = GuardedCursor) -> Any:  # type: ignore[override]
        return super().cursor(factory)

    def execute(self, *args: Any) -> Any:
        return self.cursor().execute(*args)


def protect(conn: sqlite3.Connection, heap_limit: int) -> None:
    """Set every limit on a connection; none can be loosened through SQL.

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
    """Authorize an action of a statement when SQLite compiles it: reading only."""
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
