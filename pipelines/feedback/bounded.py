"""Runs a function over many jobs in child processes with limits; a job that ends its child fails alone.

Belongs here: those limits, and the reasons a job fails for. Not here: the processes (pipelines/core/processes), or the function. Editing
a department's file means holding all of it, and some files are made to take hours or gigabytes.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from pipelines.core.processes.limits import Limits
from pipelines.core.processes.supervisor import Supervisor
from pipelines.core.processes.work import Answer, Meter, Setup

Job = TypeVar("Job")
SECONDS = 30.0  # of processor time for one job
PATIENCE = 20  # and so many times that by the clock: other work may hold the processors
MEMORY = 1_000_000_000  # bytes of address space beyond what the child has when it starts


@dataclass(frozen=True)
class Failed:
    """A job without a result; `why` is 'time', 'memory', 'died' or the exception that the function raised."""

    why: str


def run_each(
    function: Callable[[Job], Any],
    jobs: Sequence[Job],
    processes: int | None = None,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    patience: float = PATIENCE,
) -> Iterator[tuple[int, Any]]:
    """Yield (index of the job, the result of `function(job)`, or `Failed`), in no order, each job once.

    `function`, jobs and results must pickle. A job over its time (`seconds` of the processor, `patience` times that by the clock)
    is ended, one over its memory fails, one that ends its child fails alone. `processes`: None for one per processor, never
    more than jobs. Raises RuntimeError where a child cannot start.
    """
    if not jobs:
        return
    setup = Setup(prepare, function, Limits(growth=memory), seconds, seconds * patience)
    with Supervisor(setup, processes) as children:
        children.processes = min(children.processes, len(jobs))
        yield from children.run(([job] for job in enumerate(jobs)), _lost)


def prepare(function: Callable[[Any], Any]) -> Answer:
    """Return the function that works through a batch of (index, job)."""
    return partial(_answers, function)


def _answers(function: Callable[[Any], Any], batch: list[tuple[int, Any]], meter: Meter) -> list[tuple[int, Any]]:
    out = []
    for n, (index, job) in enumerate(batch):
        meter.begin(n)
        out.append((index, _result(function, job)))
    return out


def _result(function: Callable[[Any], Any], job: Any) -> Any:
    try:
        return function(job)
    except MemoryError:
        return Failed("memory")
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
        return Failed(f"{type(e).__name__}: {e}")


def _lost(job: tuple[int, Any], status: int) -> tuple[int, Failed]:
    return job[0], Failed("time" if status in (-signal.SIGPROF, -signal.SIGALRM) else "died")
