"""Reading spread over several processes: the same readings, whoever read them and whoever died."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.core import chunks
from pipelines.core.home import Home
from pipelines.intake import cache
from pipelines.intake.key import key
from pipelines.intake.pool import ReadingPool
from pipelines.intake.readings import Readings
from pipelines.sources import spread
from pipelines.sources.read_new import load_readings, read_new
from pipelines.sources.receive import receive
from pipelines.sources.source import sources_of
from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spread")]
FILES = 25  # among them one that is no spreadsheet


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts()


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that received files and read none."""
    base = tmp_path_factory.mktemp("spread")
    inbox = base / "inbox"
    inbox.mkdir()
    for n in range(FILES - 1):
        head = "机构名称,会议名称,会议类别,召开日期,会期（天）,参会人数,会议费（元）\n"
        rows = "".join(f"市某局{n},会{i},三类,2024-03-{i + 1:02d},1,{20 + n},{1000 + 7 * i}\n" for i in range(9))
        (inbox / f"会议{n}.csv").write_text(head + rows, encoding="utf-8")
    (inbox / "坏.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    home = Home(base / "home").create()
    receive(home, sources_of([str(inbox)], None), True)
    return home


@pytest.fixture(scope="module")
def alone(received: Home, contracts: Contracts, tmp_path_factory: pytest.TempPathFactory) -> Readings:
    """What one process reads."""
    home = _copy(received, tmp_path_factory.mktemp("alone"))
    assert read_new(home, contracts, processes=1).by == {}
    assert not (home.work / "chunks").exists()
    return load_readings(home, contracts)


@pytest.fixture
def home(received: Home, tmp_path: Path) -> Home:
    return _copy(received, tmp_path)


def _copy(home: Home, to: Path) -> Home:
    shutil.copytree(home.root, to / "home")
    return Home(to / "home")


def _same(home: Home, contracts: Contracts, alone: Readings) -> None:
    found = load_readings(home, contracts)
    for name in ("files", "sheets", "columns", "issues"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(alone, name))
    for dataset in contracts:
        pd.testing.assert_frame_equal(found.rows[dataset], alone.rows[dataset])
    assert not list(home.work.glob("*chunks*"))


def _offer(home: Home) -> None:
    """An offer of a process that is dead."""
    (home.work / "workers").mkdir()
    (home.work / "workers" / "dead").write_text("dead 1")


@contextmanager
def worker(home: Home) -> Iterator[subprocess.Popen[str]]:
    """A worker as a person starts it, once it offers to work."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "worker", "--home", str(home.root)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout and process.stdout.readline().startswith("Waiting")
        yield process
    finally:
        process.kill()
        process.wait(timeout=60)
        if process.stdout:
            process.stdout.close()


def test_the_run_reads_all_where_those_who_offered_are_dead(home: Home, contracts: Contracts, alone: Readings) -> None:
    _offer(home)
    read = read_new(home, contracts, processes=1)
    assert read.read == FILES and list(read.by.values()) == [FILES - 1]  # what is unreadable is read by the run as ever
    _same(home, contracts, alone)


def test_a_worker_s_share_is_the_same(
    home: Home, contracts: Contracts, alone: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "FEWEST", 2)
    with worker(home) as process:
        read = read_new(home, contracts, processes=1)
        while len(read.by) < 2:  # on a busy machine one process may have been quicker than the other's start
            read = read_new(home, contracts, full=True, processes=1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        assert process.stdout and "Stopped." in process.stdout.read()
    assert sum(read.by.values()) == FILES - 1
    assert list((home.work / "workers").iterdir()) == []
    _same(home, contracts, alone)


def test_a_worker_that_dies_in_a_chunk_loses_nothing(
    home: Home, contracts: Contracts, alone: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker is stopped in the middle of a chunk, as a machine that hangs; another reads the chunk; then it goes on, too late."""
    monkeypatch.setattr(chunks, "PATIENCE", 3.0)
    jobs = [(p.name, "某.csv") for p in sorted(home.archive.glob("??/*"))]
    with worker(home) as process:
        plan = chunks.publish(home, key(contracts), [jobs])
        while not list(plan.folder.glob("*.lease")):
            time.sleep(0.005)
        process.send_signal(signal.SIGSTOP)
        assert not plan.result(1).exists()  # in the middle
        with ReadingPool(contracts, 1) as pool, chunks.Taker(plan, "me", planner=True) as taker:
            assert taker.take() is None
            while (chunk := taker.take()) is None:
                time.sleep(0.05)
            spread.read_chunk(home, contracts, taker, chunk, pool)
        process.send_signal(signal.SIGCONT)
        assert process.stdout and process.stdout.readline().startswith("Read")
        assert taker.said(1)["who"] == "me"
        assert len(list(plan.folder.glob("*.done"))) == 1 and not list(plan.folder.glob(".*"))
    spread.take_left(home, contracts)
    assert read_new(home, contracts, processes=1).read == 1


def test_what_a_dead_run_s_workers_read_is_not_read_again(home: Home, contracts: Contracts) -> None:
    jobs = [(p.name, "某.csv") for p in sorted(home.archive.glob("??/*"))]
    plan = chunks.publish(home, key(contracts), [jobs[:10], jobs[10:]])
    with ReadingPool(contracts, 1) as pool, chunks.Taker(plan, "w") as taker:
        chunk = taker.take()
        assert chunk
        read, _ = spread.read_chunk(home, contracts, taker, chunk, pool)
        assert taker.take()  # and it dies over the second
    assert read_new(home, contracts, processes=1).read == FILES - read
    assert len(cache.known(home, contracts)) == FILES and not list(home.work.glob("*chunks*"))


def test_a_worker_that_cannot_open_the_files_leaves_them_to_the_run(
    home: Home, contracts: Contracts, alone: Readings, tmp_path: Path
) -> None:
    """Its share of the archive is not mounted: no file is called unreadable for that."""
    elsewhere = Home(tmp_path / "elsewhere")
    elsewhere.root.mkdir()
    elsewhere.work.symlink_to(home.work)
    elsewhere.archive.mkdir()
    jobs = [(p.name, "某.csv") for p in sorted(home.archive.glob("??/*"))]
    plan = chunks.publish(home, key(contracts), [jobs])
    told = []
    spread.work_on(elsewhere, contracts, plan, "w", 1, lambda read, left: told.append((read, left)))
    assert told == [(0, FILES)]
    assert read_new(home, contracts, processes=1).read == FILES
    _same(home, contracts, alone)


def test_a_worker_of_another_version_leaves_a_run_alone(home: Home) -> None:
    with worker(home) as process:
        plan = chunks.publish(home, "another", [[("id", "name")]])
        assert process.stdout and "has other code, libraries or contracts" in process.stdout.readline()
        assert not list(plan.folder.glob("*.lease"))


def test_a_worker_makes_no_home_where_none_is_mounted(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "worker", "--home", str(tmp_path / "home")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, list(tmp_path.iterdir())) == (1, [])
    assert "There is no home at" in ran.stderr
