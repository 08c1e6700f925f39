"""The agreement between the supervisor of batches and its children: the setup they are sent, and the memory they share.

Belongs here: both ends' knowledge of each other. Not here: either end (supervisor.py, child.py).
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipelines.core.processes.limits import Limits, end_after, processor_left

_POSITION = struct.Struct("<q")
_STATE = _POSITION.size
STARTING, CONFINED, CONNECTED = 0, 1, 2  # CONNECTED: at work, though the system refused to cut it off from the network


class Shared:
    """A page of memory that parent and child share; it outlives the child and says which job ended it."""

    def __init__(self, descriptor: int):
        self._page = mmap.mmap(descriptor, mmap.PAGESIZE)

    @classmethod
    def create(cls) -> tuple[Shared, int]:
        """A new page and its descriptor, which the child is to inherit."""
        descriptor = os.memfd_create("mingzhang-child")
        os.ftruncate(descriptor, mmap.PAGESIZE)
        shared = cls(descriptor)
        shared.position = -1
        return shared, descriptor

    @property
    def position(self) -> int:
        """The number of the job in hand, of all that the child was sent; -1 before the first."""
        return int(_POSITION.unpack_from(self._page, 0)[0])

    @position.setter
    def position(self, number: int) -> None:
        _POSITION.pack_into(self._page, 0, number)

    @property
    def state(self) -> int:
        return self._page[_STATE]

    @state.setter
    def state(self, state: int) -> None:
        self._page[_STATE] = state

    def close(self) -> None:
        self._page.close()


@dataclass
class Meter:
    """Counts a job's time. `seconds` of processor time for one job, `patience` by the clock: other work may hold the processors."""

    shared: Shared
    seconds: float
    patience: float
    done: int = field(default=0, init=False)  # jobs of earlier batches

    def begin(self, n: int, times: float = 1.0, seconds: float | None = None) -> None:
        """Count from now for job `n` of the batch: `times` the usual time, of which `seconds` of processor time are left."""
        self.shared.position = self.done + n
        end_after(self.seconds * times if seconds is None else seconds, self.patience * times)

    def left(self) -> float:
        """Seconds of processor time left for the job in hand; never 0, which would mean no limit."""
        return max(processor_left(), 0.001)

    def end(self, batch: int) -> None:
        """Stop counting after a batch of so many jobs."""
        end_after(0, 0)
        self.done += batch


Answer = Callable[[list[Any], Meter], list[Any]]


@dataclass(frozen=True)
class Setup:
    """A child's work. `prepare(argument)`, called before the limits are set, returns the function that answers a batch: one
    result for each job. All of it is pickled; functions go by their names."""

    prepare: Callable[[Any], Answer]
    argument: Any
    limits: Limits
    seconds: float
    patience: float
