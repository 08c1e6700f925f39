"""Runs a function over many jobs in child processes that may use only so much time and memory, and outlives their death.

Belongs here: the children and their limits. Not here: what they do. Editing a department's file means holding all of it,
and some files are made to take hours or gigabytes.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

Job = TypeVar("Job")
SECONDS = 30.0  # of processor time for one job
PATIENCE = 20  # and so many times that by the clock: other work may hold the processors
MEMORY = 1_000_000_000  # bytes of address space beyond what the child has when it starts
_START_SECONDS = 60.0  # a child imports openpyxl first; a busy machine takes its time over that


@dataclass(frozen=True)
class Failed:
    """A job that gave nothing; `why` is 'time', 'memory', 'died' or what the function raised."""

    why: str


@dataclass
class _Child(Generic[Job]):
    process: Any
    pipe: Connection
    at: int | None = None  # the job it is on
    until: float = 0.0
    ready: bool = False


def run_each(
    function: Callable[[Job], Any],
    jobs: Sequence[Job],
    processes: int | None = None,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    patience: float = PATIENCE,
) -> Iterator[tuple[int, Any]]:
    """(index of the job, what `function(job)` returned, or `Failed`), in no order, each job once.

    `function`, jobs and results must pickle. A job over its time (`seconds` of the processor, `patience` times that by the clock)
    is killed, one over its memory fails, one that takes its child down fails alone. `processes`: None for one per core, never
    more than jobs.
    """
    count = min(processes or os.cpu_count() or 1, len(jobs))
    context = multiprocessing.get_context("forkserver")
    todo = iter(range(len(jobs)))
    children: list[_Child] = []

    def start() -> None:
        ours, theirs = context.Pipe()
        p = context.Process(target=_work, args=(function, theirs, memory, seconds), daemon=True)
        p.start()
        theirs.close()
        children.append(_Child(p, ours, until=time.monotonic() + _START_SECONDS))

    def stop(c: _Child) -> None:
        c.process.kill()
        c.process.join()
        c.pipe.close()
        children.remove(c)

    def give(c: _Child) -> None:
        c.at = next(todo, None)
        if c.at is None:
            stop(c)
        else:
            c.until = time.monotonic() + seconds * patience
            c.pipe.send(jobs[c.at])

    for _ in range(count):
        start()
    try:
        while children:
            left = min(c.until for c in children) - time.monotonic()
            spoke = set(wait([c.pipe for c in children], max(0.0, left)))
            for c in list(children):
                if c.pipe in spoke:
                    try:
                        said = c.pipe.recv()
                    except (EOFError, OSError):
                        c.process.join()
                        said = Failed("time" if c.process.exitcode == -signal.SIGPROF else "died")
                    if not c.ready and not isinstance(said, Failed):
                        c.ready = True
                        give(c)
                        continue
                    if c.at is None:
                        raise RuntimeError("A child process could not start; free memory, then run again.")
                    yield c.at, said
                    if c.process.exitcode is not None:
                        stop(c)
                        start()
                    else:
                        give(c)
                elif time.monotonic() > c.until:
                    at = c.at
                    stop(c)
                    if at is None:
                        raise RuntimeError(
                            "A child process could not start in time; run again when the machine is free."
                        )
                    yield at, Failed("time")
                    start()
    finally:
        for c in list(children):
            stop(c)


def _work(function: Callable[[Any], Any], pipe: Connection, memory: int, seconds: float) -> None:
    limit = _address_space() + memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process wherever it is
    pipe.send("ready")
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            result = function(job)
        except MemoryError:
            result = Failed("memory")
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            IndexError,
            ArithmeticError,
            RuntimeError,
            OSError,
        ) as e:
            result = Failed(f"{type(e).__name__}: {e}")
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send(result)


def _address_space() -> int:
    """Bytes mapped now: libraries map much that they never touch, and a limit below it would let nothing be loaded."""
    with open("/proc/self/statm") as f:  # noqa: PTH123 (not a file of ours)
        return int(f.read().split()[0]) * resource.getpagesize()
