"""A release whose statistics a cluster computed is the release of DuckDB's statistics, byte for byte."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.conftest import mingzhang
from tests.spark.conftest import DAY, City, OnSpark

pytestmark = [pytest.mark.spark, pytest.mark.timeout(3600)]


def _digests(release: Path) -> dict[str, str]:
    """Path within the release -> sha256, of every file of it."""
    files = sorted(p for p in release.rglob("*") if p.is_file())
    return {str(p.relative_to(release)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_every_file_is_equal(city: City, on_spark: OnSpark) -> None:
    ours, theirs = (city.home / "current").resolve(), (on_spark.home / "current").resolve()
    expected, found = _digests(ours), _digests(theirs)
    assert len(expected) > 100
    assert {n for n in expected.keys() | found.keys() if expected.get(n) != found.get(n)} == set()
    assert ours.name == theirs.name


def test_nothing_of_the_work_is_left(on_spark: OnSpark) -> None:
    assert not (on_spark.home / "work" / "spark").exists()


def test_the_other_engine_has_nothing_to_do(city: City, on_spark: OnSpark) -> None:
    home = on_spark.home
    before, warehouse = (home / "current").readlink(), (home / "warehouse.duckdb").stat()
    ran = mingzhang("run", "--home", home, "--inbox", city.inbox, "--as-of", DAY, "--engine", "duckdb")
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-3000:]
    assert (home / "current").readlink() == before
    assert (home / "warehouse.duckdb").stat().st_mtime_ns == warehouse.st_mtime_ns
