"""Reads many files in child processes, and outlives the death of any of them.

Belongs here: handing out work, limits, and telling which file killed a child. Not here: reading (reader.py), or what a
child may do (child.py).
"""

from __future__ import annotations

import logging
import mmap
import os
import selectors
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from expectations.contract import Contracts
from pipelines.intake.child import CONNECTED, NETWORK, POSITION, out_of_memory, out_of_time, receive, send, unpacked
from pipelines.intake.file_reader import refused
from pipelines.intake.model import FileReading
from pipelines.intake.sheets import Refusal

_log = logging.getLogger(__name__)

MEMORY = 1_000_000_000  # bytes of address space a child may have
SECONDS = 30.0  # of processor time for one file
PATIENCE = 20  # and so many times that by the clock: other work may hold the processors
BATCH_FILES = 32
BATCH_BYTES = 2_000_000
# Of a child: few arenas of glibc's, Arrow's memory from it too, and of large pieces what is free goes back to the system.
_ALLOCATORS = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "1000000",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
AHEAD = 2  # batches a child has at a time, so that it never waits for its parent


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read: its sha256, where its bytes lie, and what it is called."""

    file_id: str
    path: Path
    name: str


Batch = list[tuple[str, str, str]]


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    shared: mmap.mmap
    given: deque[Batch] = field(default_factory=deque)
    answered: int = 0  # files

    @property
    def stdin(self) -> IO[bytes]:
        assert self.process.stdin
        return self.process.stdin

    @property
    def stdout(self) -> RawIOBase:
        # Not through a buffer: what waits in one would wake no selector.
        assert self.process.stdout
        return cast("RawIOBase", self.process.stdout.raw)  # type: ignore[attr-defined]


class Pool:
    """Child processes that read files against one set of contracts. A context manager: on leaving, they end.

    `processes` None: as many as there are processors this process may use. Starting one takes about half a second, so
    keep a Pool for all the files of a run.
    """

    def __init__(
        self, contracts: Contracts, processes: int | None = None, memory: int = MEMORY, seconds: float = SECONDS
    ):
        self.contracts, self.memory, self._limits = contracts, memory, (seconds, seconds * PATIENCE)
        self.processes = processes or len(os.sched_getaffinity(0))
        self._children: list[_Child] = []
        self._select = selectors.DefaultSelector()
        self._told = False

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the children, whatever they are at."""
        for c in self._children:
            c.process.kill()
            c.process.wait()
            _hang_up(c)
        self._children.clear()
        self._select.close()
        self._select = selectors.DefaultSelector()

    def start(self) -> Pool:
        """Starts all children now rather than when there is work."""
        while len(self._children) < self.processes:
            self._spawn()
        return self

    def read(self, jobs: Iterable[Job]) -> Iterator[FileReading]:
        """One FileReading for each job, in no particular order. A file that killed its child is `unreadable`."""
        waiting: deque[Batch] = deque()
        source = _batches(jobs)
        drained = False
        while True:
            while not drained and len(waiting) < self.processes * AHEAD:
                batch = next(source, None)
                if batch is None:
                    drained = True
                else:
                    waiting.append(batch)
            while waiting and len(self._children) < self.processes and all(c.given for c in self._children):
                self._spawn()
            for c in sorted(self._children, key=lambda c: len(c.given)):
                while waiting and len(c.given) < AHEAD:
                    batch = waiting.popleft()
                    c.given.append(batch)
                    try:
                        send(c.stdin, batch)
                    except BrokenPipeError:
                        break  # it died; its end shows below
            if not any(c.given for c in self._children):
                return
            for key, _ in self._select.select():
                c = key.data
                answers = receive(c.stdout)
                if answers is None:
                    killed = self._bury(c, waiting)
                    if killed:
                        yield killed
                else:
                    c.given.popleft()
                    c.answered += len(answers)
                    self._tell_of_network(c)
                    yield from map(unpacked, answers)

    def _tell_of_network(self, c: _Child) -> None:
        """Warns once for a pool whose processes the system does not let be cut off from the network."""
        if not self._told and c.shared[NETWORK] == CONNECTED:
            self._told = True
            _log.warning(
                "The processes that read files could not be cut off from the network (unshare was refused); Python's sockets "
                "are closed to them all the same. Allow user namespaces, or run where nothing secret can be reached."
            )

    def _spawn(self) -> None:
        descriptor = os.memfd_create("mingzhang-reader")
        os.ftruncate(descriptor, mmap.PAGESIZE)
        shared = mmap.mmap(descriptor, mmap.PAGESIZE)
        POSITION.pack_into(shared, 0, -1)
        root = str(Path(__file__).resolve().parents[2])
        paths = [root, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pipelines.intake.child",
                str(descriptor),
                str(self.memory),
                *map(str, self._limits),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a panic's backtrace: the parent says what happened
            pass_fds=(descriptor,),
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in paths if p), **_ALLOCATORS},
        )
        os.close(descriptor)
        child = _Child(process, shared)
        self._children.append(child)
        self._select.register(child.stdout, selectors.EVENT_READ, child)
        with suppress(BrokenPipeError):  # it died at once: its end shows when its answer is awaited
            send(child.stdin, self.contracts)

    def _bury(self, c: _Child, waiting: deque[Batch]) -> FileReading | None:
        """Puts back what a dead child had not answered, all but the file it died on; returns that file's reading."""
        status = c.process.wait()
        self._select.unregister(c.stdout)
        (position,) = POSITION.unpack_from(c.shared, 0)
        _hang_up(c)
        self._children.remove(c)
        if position < 0:
            raise RuntimeError(
                f"A reading process ended with status {status} before it read anything; "
                f"run '{sys.executable} -m pipelines.intake.child' to see why."
            )
        left = [job for batch in c.given for job in batch]
        at = position - c.answered
        killer = left.pop(at) if 0 <= at < len(left) else None
        # Small batches, so that what is read again because of a next killer stays small.
        for k in range(0, len(left), 8):
            waiting.append(left[k : k + 8])
        if killer is None:
            return None
        if status in (-signal.SIGPROF, -signal.SIGALRM):
            why = out_of_time(self._limits[status == -signal.SIGALRM])
        elif status in (-signal.SIGABRT, -signal.SIGKILL):
            why = out_of_memory()
        else:
            why = Refusal("unreadable", "读取程序因它而崩溃", f"the reading process died on it (status {status})")
        return refused(killer[0], killer[2], why)


def _hang_up(c: _Child) -> None:
    """Closes what connects to a child that has ended."""
    for pipe in (c.stdin, c.process.stdout):
        with suppress(BrokenPipeError):  # what was left in its buffer goes nowhere
            if pipe:
                pipe.close()
    c.shared.close()


def _batches(jobs: Iterable[Job]) -> Iterator[Batch]:
    batch: Batch = []
    size = 0
    for job in jobs:
        batch.append((job.file_id, str(job.path), job.name))
        try:
            size += job.path.stat().st_size
        except OSError:
            size += 1  # gone meanwhile: the child will say so
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def read_many(jobs: Iterable[Job], contracts: Contracts, processes: int | None = None) -> Iterator[FileReading]:
    """Reads files in child processes of at most 1 GB and 30 s of processor time a file, in no particular order. No job, no process."""
    with Pool(contracts, processes) as pool:
        yield from pool.read(jobs)
