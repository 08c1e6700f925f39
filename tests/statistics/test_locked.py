"""A warehouse that a person's own shell holds open keeps no run back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.core.home import Home
from pipelines.statistics.built import being_built, built, publish
from pipelines.statistics.run import start_part, start_trial, start_whole

HOLD = """
import sys, duckdb
con = duckdb.connect(sys.argv[1])
con.execute("create table held as select 1")
print("holds", flush=True)
sys.stdin.read()
print(con.execute("select x from marts").fetchall(), flush=True)
"""


def _make(home: Home, number: int) -> None:
    with duckdb.connect(str(being_built(home))) as con:
        con.execute(f"create or replace table marts as select {number} as x")


def _now(home: Home) -> int:
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        return int(con.execute("select x from marts").fetchall()[0][0])


def test_a_warehouse_is_replaced_under_the_shell_that_holds_it(tmp_path: Path) -> None:
    home, day = Home(tmp_path).create(), date(2025, 12, 31)
    start_whole(home)
    _make(home, 1)
    publish(home, day, "one", "code", {"records/a": "1"})
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, home.warehouse], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as shell:
        assert shell.stdout is not None and shell.stdout.readline() == "holds\n"
        # The shell may write meanwhile: what it changed is no whole run's warehouse, and the next one is built from nothing.
        assert start_part(home, "code", {"records/a": "2"}) in (None, {"records/a"})
        start_whole(home)
        _make(home, 2)
        publish(home, day, "two", "code", {"records/a": "2"})
        assert _now(home) == 2
        found = built(home)
        assert found is not None and found.fingerprint == "two"
        printed, _ = shell.communicate("", timeout=60)
    assert printed == "[(1,)]\n"  # it reads what it opened
    assert _now(home) == 2


DIE = """
import os, sys, duckdb
con = duckdb.connect(sys.argv[1])
for n in range(3):
    con.execute(f"create table more{n} as select 1")
    con.execute("checkpoint")
con.execute("create table unfinished as select 1")
os._exit(9)
"""


@pytest.mark.parametrize(
    "start", [lambda home: start_part(home, "code", {"records/a": "2"}) and being_built(home), start_trial]
)
def test_the_log_of_a_run_that_was_killed_keeps_no_later_run_back(
    tmp_path: Path, start: Callable[[Home], Path]
) -> None:
    """Found by killing runs: the log is of another file than the copy that the next run builds on."""
    home = Home(tmp_path).create()
    start_whole(home)
    _make(home, 1)
    publish(home, date(2025, 12, 31), "one", "code", {"records/a": "1"})
    warehouse = start(home)
    assert subprocess.run([sys.executable, "-c", DIE, warehouse], check=False).returncode == 9
    assert warehouse.with_name("warehouse.duckdb.wal").exists()
    with duckdb.connect(str(start(home))) as con:
        assert con.execute("select x from marts").fetchall() == [(1,)]
