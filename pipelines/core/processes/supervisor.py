"""The supervisor of children that work through batches of jobs; it survives the death of any of them.

Belongs here: handing out work, and finding the job that ended a child. Not here: the work (Setup), or the child's loop (child.py).
"""

from __future__ import annotations

import logging
import os
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import RawIOBase
from types import TracebackType
from typing import IO, Any, cast

from pipelines.core.processes.frames import receive, send
from pipelines.core.processes.start import command, environment
from pipelines.core.processes.work import CONNECTED, STARTING, Setup, Shared

_log = logging.getLogger(__name__)

MODULE = "pipelines.core.processes.child"
START_SECONDS = 120.0  # a child imports its libraries first; a busy machine takes its time over that
RETRIED = 8  # jobs a batch after a child died: small, so that little is done again because of the next killer
# Of a child: few arenas of glibc's, Arrow's memory from it too, and of large pieces what is free goes back to the system.
_ALLOCATORS = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "1000000",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}

Batch = list[Any]


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    shared: Shared
    started: float
    given: deque[Batch] = field(default_factory=deque)
    answered: int = 0  # jobs

    @property
    def stdin(self) -> IO[bytes]:
        assert self.process.stdin
        return self.process.stdin

    @property
    def stdout(self) -> RawIOBase:
        # Not through a buffer: what waits in one would wake no selector.
        assert self.process.stdout
        return cast("RawIOBase", self.process.stdout.raw)  # type: ignore[attr-defined]


class Supervisor:
    """Child processes with one setup. A context manager: on leaving, they end.

    `processes` None: as many as there are processors this process may use. `ahead`: batches a child has at a time; more than one, so that it
    never waits, only where a batch fits a pipe's buffer. `quiet`: their standard error goes nowhere.
    """

    def __init__(self, setup: Setup, processes: int | None = None, ahead: int = 1, quiet: bool = False):
        self.setup, self.ahead, self.quiet = setup, ahead, quiet
        self.processes = processes or len(os.sched_getaffinity(0))
        self._children: list[_Child] = []
        self._select = selectors.DefaultSelector()
        self._warned = False

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the children, whatever they are at."""
        for c in self._children:
            c.process.kill()
            c.process.wait()
            _hang_up(c)
        self._children.clear()
        self._select.close()
        self._select = selectors.DefaultSelector()

    def start(self) -> None:
        """Start all children now rather than when there is work."""
        while len(self._children) < self.processes:
            self._spawn()

    def run(self, batches: Iterator[Batch], lost: Callable[[Any, int], Any]) -> Iterator[Any]:
        """Yield one result for each job, in no order. `lost(job, status)` gives the result of a job that ended its child; `status` is
        the child's exit status, negative for a signal. Raises RuntimeError where children cannot start."""
        waiting: deque[Batch] = deque()
        drained = False
        while True:
            while not drained and len(waiting) < self.processes * self.ahead:
                batch = next(batches, None)
                if batch is None:
                    drained = True
                else:
                    waiting.append(batch)
            self._hand_out(waiting)
            if not any(c.given for c in self._children):
                return
            for key, _ in self._select.select(self._patience()):
                yield from self._taken(key.data, waiting, lost)

    def _hand_out(self, waiting: deque[Batch]) -> None:
        while waiting and len(self._children) < self.processes and all(c.given for c in self._children):
            self._spawn()
        for c in sorted(self._children, key=lambda c: len(c.given)):
            while waiting and len(c.given) < self.ahead:
                batch = waiting.popleft()
                c.given.append(batch)
                try:
                    send(c.stdin, batch)
                except BrokenPipeError:
                    break  # it died: reading its answers shows it

    def _taken(self, c: _Child, waiting: deque[Batch], lost: Callable[[Any, int], Any]) -> Iterator[Any]:
        """The results that a child has ready, or that of the job it died on."""
        answers = receive(c.stdout)
        if answers is None:
            yield from self._bury(c, waiting, lost)
            return
        c.given.popleft()
        c.answered += len(answers)
        self._warn_of_network(c)
        yield from answers

    def _patience(self) -> float | None:
        """Seconds to wait for an answer: until the next child ought to have started. Raises RuntimeError where one has not."""
        ends = [c.started + START_SECONDS for c in self._children if c.shared.state == STARTING]
        left = min(ends, default=0.0) - time.monotonic()
        if ends and left <= 0:
            raise RuntimeError(
                f"A child process did not start within {START_SECONDS:g} s; run again when the machine is free."
            )
        return left if ends else None

    def _warn_of_network(self, c: _Child) -> None:
        """Warn once where the system refused to cut the children off from the network."""
        if not self._warned and c.shared.state == CONNECTED:
            self._warned = True
            _log.warning(
                "The processes that read files could not be cut off from the network (unshare was refused); Python's sockets "
                "are closed to them all the same. Allow user namespaces, or run where nothing secret can be reached."
            )

    def _spawn(self) -> None:
        shared, descriptor = Shared.create()
        process = subprocess.Popen(
            command(MODULE, descriptor),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if self.quiet else None,
            pass_fds=(descriptor,),
            env=environment(_ALLOCATORS),
        )
        os.close(descriptor)
        child = _Child(process, shared, time.monotonic())
        self._children.append(child)
        self._select.register(child.stdout, selectors.EVENT_READ, child)
        with suppress(BrokenPipeError):  # it died at once: reading its answers shows it
            send(child.stdin, self.setup)

    def _bury(self, c: _Child, waiting: deque[Batch], lost: Callable[[Any, int], Any]) -> Iterator[Any]:
        """Put back what a dead child had not answered, all but the job it died on; yield the result of that."""
        status = c.process.wait()
        self._select.unregister(c.stdout)
        position = c.shared.position
        _hang_up(c)
        self._children.remove(c)
        if position < 0:
            raise RuntimeError(
                f"A child process ended with status {status} before its first job; free memory, or run "
                f"'{sys.executable} -m {MODULE}' to see why."
            )
        left = [job for batch in c.given for job in batch]
        at = position - c.answered
        killer = [left.pop(at)] if 0 <= at < len(left) else []
        for k in range(0, len(left), RETRIED):
            waiting.append(left[k : k + RETRIED])
        for job in killer:
            yield lost(job, status)


def _hang_up(c: _Child) -> None:
    """Close the pipes to a child that has ended."""
    for pipe in (c.stdin, c.process.stdout):
        with suppress(BrokenPipeError):  # what was left in its buffer goes nowhere
            if pipe:
                pipe.close()
    c.shared.close()
