"""A home made by the code of before is taken over by a run, without anything done by hand, also from a backup of it."""

from __future__ import annotations

import csv
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from pipelines.backup import back_up, restore
from pipelines.core.home import Home
from pipelines.sources.archive import where
from pipelines.sources.ledger import Ledger
from publish.release import store
from tests.conftest import mingzhang
from tests.long.city import DAY

# 30 files of a made-up city of 8 institutions, run by the version of 28 November 2026 before records had partitions.
OLD = Path(__file__).with_name("home_of_0.1.0.tar.xz")
# What the statistics say is the same; provenance, the list of columns and the release itself are told otherwise since.
SAME = ("indicator_values", "claims", "claim_arithmetic", "coverage", "submissions", "data_issues", "meetings")

# Told otherwise since: the English of `note`; `sql` divides by 10000 where it multiplied by 0.0001.
WORDED = ("note", "sql")

pytestmark = pytest.mark.slow


def columns_of(release: Path, table: str) -> list[str]:
    """The columns that a release of then had; there are more since."""
    with (release / "csv" / f"{table}.csv").open(encoding="utf-8-sig", newline="") as f:
        return [c for c in next(csv.reader(f)) if c not in WORDED]


def rows(release: Path, table: str, columns: list[str]) -> list[tuple[str, ...]]:
    with (release / "csv" / f"{table}.csv").open(encoding="utf-8-sig", newline="") as f:
        return [tuple(row[c] for c in columns) for row in csv.DictReader(f)]


@pytest.fixture
def old(tmp_path: Path) -> tuple[Home, Path]:
    """The old home, and an inbox with the files it was made of."""
    with tarfile.open(OLD) as archive:
        archive.extractall(tmp_path, filter="data")
    home, inbox = Home(tmp_path / "home"), tmp_path / "inbox"
    inbox.mkdir()
    for receipt in Ledger(home).latest.values():
        shutil.copyfile(where(home, receipt.file_id), inbox / receipt.name)
    assert len(list(inbox.iterdir())) == 30
    return home, inbox


@pytest.mark.parametrize("backed_up", [False, True], ids=["as it is", "from a backup"])
def test_an_old_home_is_taken_over(old: tuple[Home, Path], tmp_path: Path, backed_up: bool) -> None:
    home, inbox = old
    if backed_up:
        assert back_up(home, tmp_path / "b.tar.gz").damaged == []
        home = restore(tmp_path / "b.tar.gz", Home(tmp_path / "new")).home
    before = store.current(home)
    assert before is not None and store.verify(home, before.name) == []
    ran = mingzhang("run", "--home", home.root, "--inbox", inbox, "--as-of", DAY, "--json")
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert (report["release_state"], report["files"]["new"], report["files"]["read"]) == ("new", 0, 30)
    after = store.current(home)
    assert after is not None and after.name != before.name
    for table in SAME:
        columns = columns_of(before, table)
        assert rows(after, table, columns) == rows(before, table, columns), table
    assert store.verify(home, before.name) == [] and store.verify(home, after.name) == []
    left = {p.name for p in home.work.iterdir()}
    assert "standing.json" not in left and "warehouse.json" not in left

    if not backed_up:
        again = mingzhang("run", "--home", home.root, "--inbox", inbox, "--as-of", DAY, "--json")
        assert json.loads(again.stdout)["release_state"] == "unchanged"
