"""A warehouse that a person's own shell holds open keeps no run back."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb

from pipelines.core.home import Home
from pipelines.statistics.built import being_built, built, publish
from pipelines.statistics.run import start_part, start_whole

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
