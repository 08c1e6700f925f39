"""What a guarded connection refuses, and what it does not: each limit has a query that meets it."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import datasette.utils.sqlite
import pytest
from datasette.utils import sqlite_timelimit

from publish.site import database, guard
from publish.site.database import GuardedDatabase
from publish.site.guard import LIMITS, GuardUnavailable


@pytest.fixture
def db(home: Path) -> GuardedDatabase:
    return GuardedDatabase(None, (home / "current" / "mingzhang.db").resolve(), heap_limit=256 << 20)


@pytest.fixture
def conn(db: GuardedDatabase) -> Iterator[sqlite3.Connection]:
    conn = db.connect()
    yield conn
    conn.close()


@pytest.mark.parametrize(
    "sql",
    [
        "select sqlite_version()",
        "select sqlite_source_id()",
        "select fts3_tokenizer('simple')",
        "select sqlite_compileoption_get(1)",
        "select * from pragma_database_list",
        "select * from pragma_function_list",
        "select * from pragma_compile_options",
        "attach database ':memory:' as a",
        "pragma query_only = off",
        "pragma hard_heap_limit = 0",
        "pragma schema_version = 7",
        "pragma writable_schema = on",
        "create table t (x)",
        "create temp table t (x)",
        "insert into claims (claim_id) values ('x')",
        "delete from claims",
        "drop table claims",
        "update sqlite_master set sql = 'x'",
        "begin",
        "explain query plan delete from claims",
    ],
)
def test_refused(conn: sqlite3.Connection, sql: str) -> None:
    with pytest.raises(sqlite3.DatabaseError, match=r"authorized|prohibited|may not be modified"):
        conn.execute(sql).fetchall()


def test_no_file_is_written(conn: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(sqlite3.DatabaseError):
        conn.execute(f"vacuum into '{tmp_path / 'x.db'}'")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("select replace(printf('%.*c', 60000, 'x'), 'x', 'yy')", sqlite3.DataError),
        ("select 1 where 'a' like printf('%.*c', 300, '%')", sqlite3.DatabaseError),
        ("select " + "+".join(["1"] * 400), sqlite3.OperationalError),
        (" union all ".join(["select 1"] * 40), sqlite3.OperationalError),
        ("select " + ", ".join(["1"] * 300), sqlite3.OperationalError),
        ("select 1 /*" + "x" * 25_000 + "*/", sqlite3.DataError),
        ("select max(" + ", ".join(["1"] * 80) + ")", sqlite3.OperationalError),
        ("select 1 as " + "x" * 300, sqlite3.DataError),
    ],
)
def test_too_large(conn: sqlite3.Connection, sql: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        conn.execute(sql).fetchall()


def test_an_answer_is_given_up_while_it_grows(conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "ANSWER_BYTES", 1_000_000)
    three_mb = "with recursive t(i) as (select 1 union all select i + 1 from t where i < 500) select printf('%.*c', 6000, 'x') from t"
    with pytest.raises(sqlite3.DataError, match="too large"):
        conn.execute(three_mb).fetchall()


def _sort_30_mb(database: Path) -> int:
    conn = GuardedDatabase(None, database, heap_limit=16 << 20).connect()
    sql = (
        "with recursive t(i) as (select 1 union all select i + 1 from t where i < 500) "
        "select count(*) from (select i, printf('%.*c', 60000, 'x') as x from t order by x, i desc limit -1 offset 1)"
    )
    return int(conn.execute(sql).fetchone()[0])


def test_memory_is_bounded(home: Path) -> None:
    """In a process of its own: SQLite's limit is one for the whole process, and no statement takes it back."""
    database = (home / "current" / "mingzhang.db").resolve()
    with (
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other,
        pytest.raises((MemoryError, sqlite3.OperationalError)),
    ):
        other.submit(_sort_30_mb, database).result(timeout=60)


LONG = "with recursive t(x) as (select 1 union all select x + 1 from t limit 10000000) select count(*) from t"


def test_the_time_of_a_request_stops_a_query(db: GuardedDatabase, conn: sqlite3.Connection) -> None:
    begun = time.process_time()
    db.allow(0.1)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        conn.execute(LONG).fetchall()
    assert 0.0 < time.process_time() - begun < 0.3


def test_who_is_kept_waiting_by_others_is_not_late_at_once_but_in_the_end(
    db: GuardedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, computed = [100.0], [5.0]
    monkeypatch.setattr(database.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(database.time, "process_time", lambda: computed[0])
    assert not db.is_late()  # who was given no time has all of it
    db.allow(1.0)
    for clock[0], computed[0], late in (
        (100.9, 5.9, False),
        (101.2, 5.1, False),
        (101.2, 6.1, True),
        (101.6, 5.1, True),
    ):
        assert db.is_late() == late, (clock, computed)


def test_a_query_that_waited_for_a_processor_is_not_stopped_by_datasettes_clock(
    conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = LONG.replace("10000000", "2000")
    with sqlite_timelimit(conn, 200):
        time.sleep(0.4)  # as on a machine that stands still
        assert conn.execute(short).fetchall() == [(2000,)]
    monkeypatch.setattr(guard, "WAITING_SECONDS", 0.3)
    with sqlite_timelimit(conn, 200), pytest.raises(sqlite3.OperationalError, match="interrupted"):
        time.sleep(0.4)  # that is too long for anybody
        conn.execute(short).fetchall()


def test_a_query_that_computes_is_stopped_by_datasettes_clock(conn: sqlite3.Connection) -> None:
    begun = time.thread_time()
    with sqlite_timelimit(conn, 100), pytest.raises(sqlite3.OperationalError, match="interrupted"):
        conn.execute(LONG).fetchall()
    assert time.thread_time() - begun > 0.05


def test_the_clock_cannot_be_made_coarser(db: GuardedDatabase, conn: sqlite3.Connection) -> None:
    asked = []
    conn.set_progress_handler(lambda: asked.append(1), 1_000_000)
    conn.execute(
        "with recursive t(x) as (select 1 union all select x + 1 from t limit 2000) select count(*) from t"
    ).fetchall()
    assert len(asked) > 500


@pytest.mark.parametrize(
    "sql",
    [
        "select theme, count(*) from indicators group by theme having count(*) > 0 order by 2 desc",
        "select member, year, value, lag(value) over (partition by member order by year) from indicator_values",
        "select json_group_array(json_object('y', year, 'v', value)) from indicator_values",
        "select i.name_zh, round(avg(v.value), 2) from indicators i join indicator_values v using (indicator_id) group by 1",
        "select group_concat(member, '、') from (select distinct member from indicator_values)",
        "with t as (select * from claims) select check_status, count(*) from t where name_zh like '%车%' group by 1",
        "select value ->> '$.a' from json_each('[{\"a\": 1}]')",
        "select strftime('%Y', '2024-01-01'), substr('abc', 2), coalesce(null, 1), 5.0 / 2, sqrt(2), upper('a')",
        "select * from pragma_table_info('claims')",
        "select name from sqlite_master",
        "explain query plan select * from claims",
    ],
)
def test_honest_queries_run(conn: sqlite3.Connection, sql: str) -> None:
    assert conn.execute(sql).fetchall()


def test_every_limit_is_taken(conn: sqlite3.Connection) -> None:
    assert {what: conn.getlimit(what) for what in LIMITS} == LIMITS


def test_refuses_to_start_where_sqlite3_is_shadowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasette.utils.sqlite, "using_pysqlite3", True)
    with pytest.raises(GuardUnavailable, match="pysqlite3"):
        guard.require()


def test_refuses_to_start_where_a_limit_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf(guard.GuardedConnection):
        def setlimit(self, *_: Any) -> int:
            return 0

    monkeypatch.setattr(guard, "GuardedConnection", Deaf)
    with pytest.raises(GuardUnavailable, match="limit"):
        guard.require()


def test_refuses_to_start_where_the_authorizer_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "authorize", lambda *_: sqlite3.SQLITE_OK)
    with pytest.raises(GuardUnavailable, match="authorizer"):
        guard.require()


def test_starts_here() -> None:
    guard.require()
