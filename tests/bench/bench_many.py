"""A city's workbooks, five years of them: read and kept as Parquet, memory, a run with nothing new, and one new file.

`python -m tests.bench.bench_many [--files N] [--processes P] [--no-runs]`. 30,000 is a city; the ratio does not depend on it,
so fewer are measured unless asked. Aims: 1.5 times calamine alone with as many processes; memory flat and under 1.5 GB; a run
with nothing new under 15 s and one new file under 30 s with 30,000 workbooks.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from expectations.contract import Contracts, load_contracts
from pipelines.core.home import Home
from pipelines.intake import cache
from pipelines.intake.pool import FileJob, ReadingPool
from pipelines.sources.read_new import KEEP_EVERY
from tests.bench.bench_reading import calamine_alone
from tests.bench.figures import Measured
from tests.bench.workbooks import make, register

ROOT = Path(__file__).resolve().parents[2]


class Watch:
    """While it is open: the largest memory of a process (this one unless told) and its children together, and what
    processor they took."""

    def __init__(self, pid: int | None = None):
        self._whose, self._other = psutil.Process(pid), pid is not None

    def __enter__(self) -> Watch:
        self.most, self._stop = 0, threading.Event()
        self.begin, self._before = time.perf_counter(), self._used()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds, self.cpu = time.perf_counter() - self.begin, self._used() - self._before
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.2):
            self.most = max(self.most, sum(_memory(p) for p in self._family()))

    def _family(self) -> list[psutil.Process]:
        try:
            return [self._whose, *self._whose.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _used(self) -> float:
        if self._other:  # it has ended, and what its own children took that it waited for is in its account
            r = resource.getrusage(resource.RUSAGE_CHILDREN)
            return r.ru_utime + r.ru_stime
        return sum(t.user + t.system for t in (p.cpu_times() for p in self._family()))


def _memory(p: psutil.Process) -> int:
    try:
        return int(p.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def read_and_keep(home: Home, jobs: list[FileJob], contracts: Contracts, pool: ReadingPool) -> None:
    """What the reading stage does: every file to readings, and those to Parquet."""
    batch = []
    for reading in pool.read(jobs):
        batch.append(reading)
        if len(batch) == KEEP_EVERY:
            cache.append(home, contracts, batch)
            batch = []
    cache.append(home, contracts, batch)


def main(arguments: list[str] | None = None) -> list[Measured]:
    """Prints the figures and gives the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-runs", action="store_true", help="leave out the whole runs, which take a minute or more")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        paths = make(base / "inbox", given.files)
        register(base / "inbox", given.files)
        out = _reading(base, paths, given.processes)
        if not given.no_runs:
            out += _runs(base, given.files, given.processes)
    return out


def _reading(base: Path, paths: list[Path], processes: int) -> list[Measured]:
    contracts = load_contracts()
    jobs = [FileJob(hashlib.sha256(p.read_bytes()).hexdigest(), p, p.name) for p in paths]
    with ReadingPool(contracts, processes) as pool:
        pool.start()
        list(pool.read(jobs[:64]))
        half, whole = Home(base / "half").create(), Home(base / "whole").create()
        with Watch() as first:
            read_and_keep(half, jobs[: len(jobs) // 2], contracts, pool)
        with Watch() as ours:
            read_and_keep(whole, jobs, contracts, pool)
    kept = len(cache.known(whole, contracts))
    if kept != len({j.file_id for j in jobs}):
        raise SystemExit(f"Of {len(jobs)} workbooks only {kept} were kept: what was measured is not the reading.")
    with multiprocessing.get_context("spawn").Pool(processes) as others:
        others.map(calamine_alone, paths[:64], 16)
        with Watch() as alone:
            others.map(calamine_alone, paths, 16)
    clock, cpu, grown = ours.seconds / alone.seconds, ours.cpu / alone.cpu, ours.most / first.most
    n = len(paths)
    print(
        f"{n} workbooks, {processes} processes\n"
        f"  read and kept as Parquet {ours.seconds / n * 1000:.3f} ms a file by the clock, {ours.cpu / n * 1000:.3f} of the processor\n"
        f"  calamine alone           {alone.seconds / n * 1000:.3f} ms a file by the clock, {alone.cpu / n * 1000:.3f} of the processor\n"
        f"  memory of all processes  {first.most / 1e6:.0f} MB for half of them, {ours.most / 1e6:.0f} MB for all"
    )
    name = f"read and kept {n} workbooks"
    return [
        Measured(f"{name}, by the clock", f"{clock:.2f} x calamine", "1.5", clock <= 1.5),
        Measured(f"{name}, processor's time", f"{cpu:.2f} x calamine", "1.5", cpu <= 1.5),
        Measured(
            "memory, twice as many", f"{grown:.2f} x, {ours.most / 1e6:.0f} MB", "1.2, 1500 MB", grown <= 1.2 and ours.most < 1.5e9
        ),
    ]  # fmt: skip


def _runs(base: Path, files: int, processes: int) -> list[Measured]:
    """The command as a person types it, three times: everything is new, nothing is, and one file is."""
    first = _run(base, processes)
    nothing = _run(base, processes)
    make(base / "inbox" / "new", 1, seed=2)
    one = _run(base, processes)
    out = []
    for name, run in (("everything new", first), ("nothing new", nothing), ("one new file", one)):
        print(
            f"  a run with {name}: {run.seconds:.1f} s by the clock, {run.cpu:.1f} s of the processor, {run.most / 1e6:.0f} MB"
        )
        out.append(_memory_of(f"a run with {name} among {files}", run))
    for name, run, aim in (("nothing new", nothing, 15), ("one new file", one, 30)):
        what, holds = f"a run with {name} among {files}", run.seconds < aim
        out.append(
            Measured(what, f"{run.seconds:.1f} s, {run.cpu / first.cpu:.2f} x the first's processor", f"{aim} s", holds)
        )
    return out


def _memory_of(what: str, run: Watch) -> Measured:
    return Measured(f"memory of {what}", f"{run.most / 1e6:.0f} MB", "1500 MB", run.most < 1.5e9)


def _run(base: Path, processes: int) -> Watch:
    command = ["run", "--home", str(base / "home"), "--inbox", str(base / "inbox"), "--as-of", "2026-01-01", "--json"]
    started = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *command],
        cwd=ROOT,
        env=os.environ | {"MINGZHANG_PROCESSES": str(processes)},
        stdout=subprocess.DEVNULL,
    )
    with Watch(started.pid) as watch:
        status = started.wait()
    if status:
        raise SystemExit(f"The run ended with status {status}: what was measured is not a run.")
    return watch


if __name__ == "__main__":
    main()
