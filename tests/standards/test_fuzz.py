"""A minute of requests that schemathesis makes up from /openapi.json: no answer that is not described, and none of 500."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.site.conftest import FIRST, build_release, point_current
from tests.site.serving import FREE, serving
from tests.standards.fuzz import fuzz

pytestmark = pytest.mark.slow


def test_a_minute_of_made_up_requests_finds_nothing(tmp_path: Path) -> None:
    build_release(tmp_path / "home", FIRST)
    point_current(tmp_path / "home", FIRST)
    with serving(tmp_path / "home", FREE) as (base, _):
        paths = httpx.get(f"{base}/openapi.json").json()["paths"].values()
        done = fuzz(base, 60, tmp_path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    operations = sum(len(p.keys() & {"get", "post"}) for p in paths)
    assert operations > 15 and f"{operations} passed" in done.stdout


def test_the_fuzzer_finds_a_column_that_is_not_as_described(tmp_path: Path) -> None:
    release = build_release(tmp_path / "home", FIRST)
    point_current(tmp_path / "home", FIRST)
    with sqlite3.connect(release / "mingzhang.db") as conn:
        conn.execute("alter table claims drop column section")
        conn.execute("alter table claims add column section integer default 7")
    with serving(tmp_path / "home", FREE) as (base, _):
        done = fuzz(base, 60, tmp_path, seed=1, only="/api/v1/claims")
    assert done.returncode == 1 and "GET /api/v1/claims" in done.stdout, done.stdout[-3000:]
