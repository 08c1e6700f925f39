"""Child processes: their limits, their death, and what they may not do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.intake import pool as pools
from pipelines.intake.model import FileReading
from pipelines.intake.pool import FileJob, ReadingPool, read_many
from tests.intake.cases import CASES

# Put in front of a child's own start: files with these names do what a bad file might make a library do.
HOOK = """
import pipelines.intake.file_reader as reader, os, signal, socket, time
true, opened = reader.FileReader.read_book, reader.FileReader.open_book
def open_it(data):
    if data == b"abort": os.abort()
    return opened(data)
def read_book(self, book, name, file_id):
    if name == "abort": os.abort()
    if name == "segv": os.kill(os.getpid(), signal.SIGSEGV)
    if name == "hang": time.sleep(60)
    while name == "spin": pass
    if name == "grow": bytes(700_000_000)
    if name == "write": open("/tmp/mingzhang-must-not-be", "w").write("x")
    if name == "connect": socket.create_connection(("127.0.0.1", 9), 1)
    if name == "start": os.system("true")
    return true(self, book, name, file_id)
reader.FileReader.read_book, reader.FileReader.open_book = read_book, staticmethod(open_it)
if os.environ.get("MINGZHANG_TEST_NO_NAMESPACES"):  # a container that permits none
    import ctypes, types
    ctypes.CDLL = lambda *_, **__: types.SimpleNamespace(unshare=lambda _: -1)
"""


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts(only=["energy_use", "retrofit_funds"])


@pytest.fixture
def hooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "x.xlsx"
    path.write_bytes(CASES["plain"]())
    return path


def by_name(readings: list[FileReading]) -> dict[str, FileReading]:
    return {r.name: r for r in readings}


def test_many_files_give_as_many_readings_equal_to_reading_here(tmp_path: Path, contracts: Contracts) -> None:
    from pipelines.intake.file_reader import read_file

    jobs = []
    for name in ("plain", "refused_rows", "unknown_dataset", "csv_gb18030", "wrong_total"):
        path = tmp_path / name
        path.write_bytes(CASES[name]())
        jobs += [FileJob(f"{name}{i}", path, name) for i in range(40)]
    got = {r.file_id: r for r in read_many(jobs, contracts, 2)}
    assert set(got) == {j.file_id for j in jobs}
    for j in jobs:
        assert got[j.file_id] == read_file(j.path, j.name, contracts, j.file_id)


def test_a_file_that_kills_its_reader_is_unreadable_and_the_others_are_read(
    hooked: None, book: Path, contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "PATIENCE", 15)  # a busy machine takes its time to give a second of processor
    names = ["a", "abort", "b", "hang", "spin", "c", "segv", "d", "grow", "e", *[f"more{i}" for i in range(60)]]
    with ReadingPool(contracts, 2, memory=600_000_000, seconds=1) as pool:
        got = by_name(list(pool.read([FileJob(n, book, n) for n in names])))
    assert set(got) == set(names)
    bad = {n for n, r in got.items() if r.status != "accepted"}
    assert bad == {"abort", "hang", "spin", "segv", "grow"}
    assert all(got[n].reason == "unreadable" for n in bad)
    assert "longer than 1 s" in got["spin"].issues[0].message_en
    assert "longer than 15 s" in got["hang"].issues[0].message_en
    assert "memory" in got["grow"].issues[0].message_en
    assert "内存" in got["abort"].issues[0].message_zh


def test_a_file_that_kills_while_it_is_opened_is_told_from_those_opened_with_it(
    hooked: None, book: Path, tmp_path: Path, contracts: Contracts
) -> None:
    killer = tmp_path / "killer"
    killer.write_bytes(b"abort")
    jobs = [FileJob(str(n), killer if n in (7, 8, 40) else book, f"{n}.xlsx") for n in range(70)]
    with ReadingPool(contracts, 2) as pool:
        got = {r.file_id: r.status for r in pool.read(jobs)}
    assert {i for i, s in got.items() if s == "rejected"} == {"7", "8", "40"}
    assert len(got) == 70


def test_children_write_nowhere_and_reach_nobody(hooked: None, book: Path, contracts: Contracts) -> None:
    with ReadingPool(contracts, 1) as pool:
        got = by_name(list(pool.read([FileJob(n, book, n) for n in ("write", "connect", "start", "fine")])))
    assert got["fine"].status == "accepted"
    for name in ("write", "connect", "start"):
        assert got[name].reason == "unreadable"
        assert "may not do" in got[name].issues[0].message_en or "writes nowhere" in got[name].issues[0].message_en
    assert not Path("/tmp/mingzhang-must-not-be").exists()


def test_a_file_that_went_away_is_said_to_be_unreadable(tmp_path: Path, contracts: Contracts) -> None:
    (reading,) = read_many([FileJob("0", tmp_path / "gone.xlsx", "gone.xlsx")], contracts, 1)
    assert reading.reason == "unreadable"


def test_no_job_starts_no_process(contracts: Contracts, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("started a process")

    monkeypatch.setattr(subprocess, "Popen", never)
    assert list(read_many([], contracts)) == []


def test_children_that_cannot_start_say_how_to_find_out_why(
    contracts: Contracts, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match=r"pipelines\.core\.processes\.child"), ReadingPool(contracts, 1) as pool:
        list(pool.read([FileJob("0", book, "x")]))


@pytest.mark.parametrize("permitted", [True, False])
def test_a_reading_process_that_keeps_its_network_is_told_of(
    permitted: bool,
    contracts: Contracts,
    hooked: None,
    book: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if permitted and os.geteuid() != 0:
        pytest.skip("whether a network namespace may be made is root's to know: run as root")
    if not permitted:
        monkeypatch.setenv("MINGZHANG_TEST_NO_NAMESPACES", "1")
    jobs = [FileJob(str(n), book, "x.xlsx") for n in range(3)] + [FileJob("c", book, "connect")]
    found = {r.file_id: r for r in read_many(jobs, contracts, processes=1)}
    assert [found[k].status for k in "012"] == ["accepted"] * 3
    assert found["c"].status == "rejected"  # Python's sockets are closed either way
    told = [r for r in caplog.records if "unshare was refused" in r.message]
    assert len(told) == (0 if permitted else 1)
