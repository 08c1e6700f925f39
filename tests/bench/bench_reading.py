"""How fast reading is: ours against calamine alone and against pandas with openpyxl, over the same workbooks.

`python -m tests.bench.bench_reading [--files N] [--processes P] [--folder DIR]`: DIR holds .xlsx files to use instead of
those made here. Ratios hold from machine to machine, seconds do not; each time is the best of three, in turns, with
processes already running. On a busy machine look at the processor's time (children and parent), which waits for nobody.
Aim: at most 2 times calamine alone, at least 20 times faster than pandas with openpyxl.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
from python_calamine import CalamineWorkbook

from expectations.contract import load_contracts
from pipelines.intake.pool import FileJob, ReadingPool
from tests.bench.figures import Measured
from tests.bench.workbooks import make


@dataclass(frozen=True)
class Figures:
    """Seconds for all files, and how often ours goes into the others."""

    files: int
    processes: int
    ours: float
    calamine: float
    openpyxl: float
    ours_cpu: float
    calamine_cpu: float

    @property
    def to_calamine(self) -> float:
        return self.ours / self.calamine

    @property
    def to_openpyxl(self) -> float:
        return self.openpyxl / self.ours

    def __str__(self) -> str:
        per = 1000 / self.files
        return (
            f"{self.files} workbooks, {self.processes} processes\n"
            f"  ours               {self.ours * per:7.3f} ms a file\n"
            f"  calamine alone     {self.calamine * per:7.3f} ms a file   ours takes {self.to_calamine:.2f} times that (aim: 2.0)\n"
            f"    processor's time {self.ours_cpu * per:7.3f} and {self.calamine_cpu * per:.3f} ms a file: {self.ours_cpu / self.calamine_cpu:.2f} times\n"
            f"  pandas + openpyxl  {self.openpyxl * per:7.3f} ms a file   ours is {self.to_openpyxl:.0f} times faster (aim: 20)"
        )


def calamine_alone(path: Path) -> int:
    """Every sheet of a workbook as rows, and nothing done with them."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
    return sum(len(book.get_sheet_by_name(n).to_python()) for n in book.sheet_names)


def with_openpyxl(path: Path) -> int:
    """Every sheet of a workbook as pandas reads it with openpyxl."""
    return sum(map(len, pd.read_excel(path, sheet_name=None, header=None, engine="openpyxl").values()))


def measure(paths: list[Path], processes: int = 2, few: int = 60) -> Figures:
    """Measures; `few`: so many of the files for openpyxl, which is slow, scaled up."""
    jobs = [FileJob(hashlib.sha256(p.read_bytes()).hexdigest(), p, p.name) for p in paths]
    contracts = load_contracts()
    ours: list[tuple[float, float]] = []
    calamine: list[tuple[float, float]] = []
    with ReadingPool(contracts, processes) as pool, multiprocessing.get_context("spawn").Pool(processes) as others:
        pool.start()
        bad = [r.name for r in pool.read(jobs) if r.status == "rejected"]
        if len(bad) == len(jobs):
            raise SystemExit("None of these files fits a contract: there is nothing to measure.")
        others.map(calamine_alone, paths, 16)
        for _ in range(3):
            ours.append(_seconds(lambda: list(pool.read(jobs))))
            calamine.append(_seconds(lambda: others.map(calamine_alone, paths, 16)))
        some = paths[:few]
        others.map(with_openpyxl, some[: 2 * processes], 1)
        openpyxl = _seconds(lambda: others.map(with_openpyxl, some, 4))[0] * len(paths) / len(some)
    best = [min(x[k] for x in xs) for k in (0, 1) for xs in (ours, calamine)]
    return Figures(len(paths), processes, best[0], best[1], openpyxl, best[2], best[3])


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor in this process and all its children."""

    def used() -> float:
        me = psutil.Process()
        return sum(t.user + t.system for t in (p.cpu_times() for p in (me, *me.children(recursive=True))))

    begin, before = time.perf_counter(), used()
    work()
    return time.perf_counter() - begin, used() - before


def main(arguments: list[str] | None = None) -> list[Measured]:
    """Prints the figures and gives the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args(arguments)
    if given.folder:
        found = measure(sorted(given.folder.rglob("*.xlsx"))[: given.files], given.processes)
    else:
        with tempfile.TemporaryDirectory() as folder:
            found = measure(make(Path(folder), given.files), given.processes)
    print(found)
    cpu = found.ours_cpu / found.calamine_cpu
    name = f"reading {found.files} workbooks"
    return [
        Measured(f"{name}, by the clock", f"{found.to_calamine:.2f} x calamine", "2.0", found.to_calamine <= 2),
        Measured(f"{name}, processor's time", f"{cpu:.2f} x calamine", "2.0", cpu <= 2),
        Measured(f"{name}", f"pandas + openpyxl x {found.to_openpyxl:.0f}", "20", found.to_openpyxl >= 20),
    ]


if __name__ == "__main__":
    main()
