"""Reads many files in child processes; a file that ends its child is refused, and the others are read.

Belongs here: batches of files, their limits, and the reason that a file is refused for. Not here: the processes
(pipelines/core/processes), or reading (child.py, file_reader.py).
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from expectations.contract import Contracts
from pipelines.core.processes.limits import Limits
from pipelines.core.processes.supervisor import Supervisor
from pipelines.core.processes.work import Setup
from pipelines.intake.child import Batch, out_of_memory, out_of_time, packed, prepare, unpacked
from pipelines.intake.file_reader import refused
from pipelines.intake.model import FileReading
from pipelines.intake.sheets import Refusal

MEMORY = 1_000_000_000  # bytes of address space a child may have
RESERVE = 2_000_000_000  # bytes beyond it, for a text larger than other files may be
SECONDS = 30.0  # of processor time for one file
PATIENCE = 20  # and so many times that by the clock: other work may hold the processors
BATCH_FILES = 32
BATCH_BYTES = 2_000_000
AHEAD = 2  # batches a child has at a time, so that it never waits for its parent


@dataclass(frozen=True, slots=True)
class FileJob:
    """A file to read: its sha256, the path of its bytes, and its name."""

    file_id: str
    path: Path
    name: str


class ReadingPool:
    """Child processes that read files against one set of contracts. A context manager: on leaving, they end.

    `processes` None: as many as there are processors this process may use. Starting one takes about half a second, so
    keep a pool for all the files of a run.
    """

    def __init__(
        self, contracts: Contracts, processes: int | None = None, memory: int = MEMORY, seconds: float = SECONDS
    ):
        limits = Limits(memory=memory, reserve=RESERVE, file_bytes=0, isolated=True)
        self._setup = Setup(prepare, (contracts, limits), limits, seconds, seconds * PATIENCE)
        # A library that panics writes a backtrace to standard error; the issue says what happened.
        self._children = Supervisor(self._setup, processes, AHEAD, quiet=True)

    def __enter__(self) -> ReadingPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the children, whatever they are at."""
        self._children.close()

    def start(self) -> ReadingPool:
        """Start all children now rather than when there is work."""
        self._children.start()
        return self

    def read(self, jobs: Iterable[FileJob]) -> Iterator[FileReading]:
        """Yield one FileReading for each job, in no particular order. A file that ended its child is `unreadable`."""
        return map(unpacked, self._children.run(_batches(jobs), self._lost))

    def _lost(self, job: tuple[str, str, str], status: int) -> tuple[Any, ...]:
        """The reading of a file that ended its child with this exit status."""
        if status in (-signal.SIGPROF, -signal.SIGALRM):
            why = out_of_time(self._setup.seconds if status == -signal.SIGPROF else self._setup.patience)
        elif status in (-signal.SIGABRT, -signal.SIGKILL):
            why = out_of_memory()
        else:
            why = Refusal("unreadable", "读取程序因它而崩溃", f"the reading process died on it (status {status})")
        return packed(refused(job[0], job[2], why))


def _batches(jobs: Iterable[FileJob]) -> Iterator[Batch]:
    batch: Batch = []
    size = 0
    for job in jobs:
        batch.append((job.file_id, str(job.path), job.name))
        try:
            size += job.path.stat().st_size
        except OSError:
            size += 1  # gone meanwhile: reading it will say so
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def read_many(jobs: Iterable[FileJob], contracts: Contracts, processes: int | None = None) -> Iterator[FileReading]:
    """Read files in child processes of at most 1 GB and 30 s of processor time a file, in no particular order. No job, no process."""
    with ReadingPool(contracts, processes) as pool:
        yield from pool.read(jobs)
