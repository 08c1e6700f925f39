"""Progress of a run, reported to listeners; there is one only while the command line runs on a terminal.

Belongs here: the one hook between the stages and a progress bar. Not here: drawing it (cli.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, int, int | None], None]
_listeners: list[Listener] = []


def report(stage: str, done: int = 0, total: int | None = None) -> None:
    """Report that `stage` has done `done` of `total` units of its work; `total` is None where it is unknown."""
    for listener in _listeners:
        listener(stage, done, total)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Pass every report to `listener` while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
