"""A province's energy from inbox to release by each engine: `python -m tests.bench.engines [INSTITUTIONS] [GIGABYTES]`.

Needs `make spark`, and the province of ../shared/checks/province (MINGZHANG_SHARED). DuckDB runs in one process; Spark has a master
and two workers of one core and so many gigabytes each (2). Both start from nothing, one after the other, and must end in the same release, byte for
byte. It is no part of `make bench`, which needs no Java. docs/scale.md has what it measured.
"""

from __future__ import annotations

import filecmp
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from tests.bench.bench_many import ROOT, Watch
from tests.spark.cluster import cluster, environment

DAY = "2026-01-01"


class WorkersWatch:
    """While it is open: what processor the given processes and all below them take, and the most memory they have together."""

    def __init__(self, pids: Iterable[int]):
        self._pids, self._used = list(pids), dict[int, float]()
        self.most, self._stop = 0, threading.Event()

    def __enter__(self) -> WorkersWatch:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def cpu(self) -> float:
        """Seconds of the processor, of those that have ended too."""
        return sum(self._used.values())

    def _look(self) -> None:
        while not self._stop.wait(0.5):
            memory = 0
            for pid in self._pids:
                try:
                    for p in (whole := psutil.Process(pid), *whole.children(recursive=True)):
                        times = p.cpu_times()
                        self._used[p.pid] = times.user + times.system
                        memory += p.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.most = max(self.most, memory)


def main(arguments: list[str]) -> None:
    """Prints a line of figures for each engine."""
    count = int(arguments[0]) if arguments else 20_000
    gigabytes = int(arguments[1]) if len(arguments) > 1 else 2
    checks = Path(os.environ.get("MINGZHANG_SHARED", ROOT.parent / "shared")) / "checks" / "province"
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        make = [sys.executable, str(checks / "make_province.py"), str(count), str(base)]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        _run(f"{count} institutions, DuckDB", base, "duckdb", [], os.environ)
        conf = base / "conf"
        conf.mkdir()
        memory = f"spark.executor.memory {gigabytes}g\nspark.driver.memory 2g\n"
        (conf / "spark-defaults.conf").write_text(f"spark.sql.shuffle.partitions {max(8, count // 5_000)}\n{memory}")
        env = environment() | {"SPARK_CONF_DIR": str(conf)}
        with (
            cluster(base / "cluster", gigabytes=gigabytes) as workers,
            WorkersWatch(w.pid for w in workers.workers) as watch,
        ):
            _run(f"{count} institutions, Spark", base, "spark", ["--master", workers.master], env)
        print(f"  its workers: {watch.cpu:.1f} s of the processor, {watch.most / 1e6:.0f} MB")
        ours, theirs = ((base / engine / "current").resolve() for engine in ("duckdb", "spark"))
        names = sorted(str(p.relative_to(ours)) for p in ours.rglob("*") if p.is_file())
        _, differ, absent = filecmp.cmpfiles(ours, theirs, names, shallow=False)
        print(f"  of {len(names)} files {len(differ) + len(absent)} differ: {(differ + absent)[:5]}")


def _run(name: str, base: Path, engine: str, more: list[str], env: Mapping[str, str]) -> None:
    home = base / engine
    command = ["run", "--home", str(home), "--inbox", str(base / "inbox"), "--as-of", DAY, "--engine", engine, *more]
    started = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *command],
        cwd=ROOT,
        env={**env, "MINGZHANG_PROCESSES": "2"},
        stdout=subprocess.DEVNULL,
    )
    with Watch(started.pid) as watch:
        status = started.wait()
    if status:
        raise SystemExit(f"The run of {name} ended with status {status}.")
    note = json.loads((home / "work" / "stages" / "release.json").read_text(encoding="utf-8"))
    print(
        f"  {name}: {watch.seconds:.0f} s by the clock, {watch.cpu:.1f} s of the processor, {watch.most / 1e6:.0f} MB; "
        f"stages by the clock: {note['reported']['seconds']}",
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
