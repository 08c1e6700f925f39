"""Reads batches of files in a child process: the function that the supervisor's child calls, and readings as plain tuples.

Belongs here: opening and reading the files of a batch under the meter. Not here: the processes (pipelines/core/processes), or the limits
(pool.py).
"""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from expectations.contract import Contracts
from pipelines.core.processes.limits import Limits, use_reserve
from pipelines.core.processes.work import Answer, Meter
from pipelines.intake.file_reader import FileReader, bytes_of, reader_for, refused
from pipelines.intake.model import FileReading, Issue, MappedColumn, SheetReading
from pipelines.intake.sheets import LARGEST_FILE, Book, Refusal

_MOST_CELLS = 100_000  # of files that are open at a time: a few small ones, or one large

Batch = list[tuple[str, str, str]]  # file_id, path, name


def prepare(setup: tuple[Contracts, Limits]) -> Answer:
    """Return the function that reads batches. Called before the limits are set: imports may still read the disk."""
    contracts, limits = setup
    reader = reader_for(contracts)
    _import_late_libraries()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)  # readings hold no cycles worth looking for a thousand times a second
    return _BatchReader(reader, limits).answer


@dataclass(frozen=True)
class _BatchReader:
    reader: FileReader
    limits: Limits

    def answer(self, batch: Batch, meter: Meter) -> list[tuple[Any, ...]]:
        """Read a batch. Some files are opened before the first of them is read: what a processor has at hand then serves more
        than one file. The time of each is counted, and the meter always has the file in hand."""
        answers: list[tuple[Any, ...]] = []
        times = self._times(batch)
        opened: list[tuple[Book | Refusal, float]] = []
        cells = 0

        def read_opened() -> None:
            for book, left in opened:
                n = len(answers)
                meter.begin(n, times, left)
                answers.append(self._reading(book, batch[n]))
            opened.clear()

        for n, (_, path, _) in enumerate(batch):
            meter.begin(n, times)
            book = self._book(path)
            opened.append((book, meter.left()))
            cells += _cells(book)
            if cells > _MOST_CELLS:
                read_opened()
                cells = 0
        read_opened()
        return answers

    def _times(self, batch: Batch) -> float:
        """The multiple of the usual time limit for a batch. A file larger than most formats may be also gets the reserve of memory."""
        largest = max((_size(path) for _, path, _ in batch), default=0)
        use_reserve(self.limits, largest > LARGEST_FILE)
        return max(1.0, largest / LARGEST_FILE)

    def _book(self, path: str) -> Book | Refusal:
        try:
            data = bytes_of(path)
            return data if isinstance(data, Refusal) else self.reader.open_book(data)
        except MemoryError:
            return out_of_memory()
        except OSError as e:
            return _not_read(e)

    def _reading(self, book: Book | Refusal, job: tuple[str, str, str]) -> tuple[Any, ...]:
        file_id, _, name = job
        try:
            return packed(self.reader.read_book(book, name, file_id))
        except MemoryError:
            return packed(refused(file_id, name, out_of_memory()))
        except OSError as e:
            return packed(refused(file_id, name, _not_read(e)))


def _cells(book: Book | Refusal) -> int:
    return sum(len(g.rows) * len(g.rows[0]) for g in book.grids if g.rows) if isinstance(book, Book) else 0


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - half the time of the same through pathlib
    except OSError:
        return 0  # reading it will say so


def _not_read(e: OSError) -> Refusal:
    return Refusal("unreadable", "读取文件出错", f"cannot be opened: {e}")


def out_of_memory() -> Refusal:
    """The reason to refuse a file that took too much memory."""
    return Refusal("unreadable", "读取它占用的内存超过上限", "reading it took more memory than allowed; killed")


def out_of_time(seconds: float) -> Refusal:
    """The reason to refuse a file that took too long; `seconds` of processor time or of wall-clock time."""
    return Refusal("unreadable", f"读取超过 {seconds:g} 秒", f"reading it took longer than {seconds:g} s; killed")


_FILE = attrgetter(*(f.name for f in fields(FileReading)))
_SHEET = attrgetter(*(f.name for f in fields(SheetReading)))
_COLUMN = attrgetter(*(f.name for f in fields(MappedColumn)))
_ISSUE = attrgetter(*(f.name for f in fields(Issue)))


def packed(reading: FileReading) -> tuple[Any, ...]:
    """A reading as plain tuples: pickling those takes a third of the time of pickling objects."""
    *own, sheets, issues = _FILE(reading)
    plain = []
    for s in sheets:
        *head, columns, found = _SHEET(s)
        plain.append((*head, [_COLUMN(c) for c in columns], [_ISSUE(i) for i in found]))
    return (*own, plain, [_ISSUE(i) for i in issues])


def unpacked(plain: tuple[Any, ...]) -> FileReading:
    """The reading that `packed` made plain."""
    *own, sheets, issues = plain
    made = [
        SheetReading(*head, [MappedColumn(*c) for c in columns], [Issue(*i) for i in found])  # type: ignore[call-arg]
        for *head, columns, found in sheets
    ]
    return FileReading(*own, made, [Issue(*i) for i in issues])  # type: ignore[call-arg]


def _import_late_libraries() -> None:
    """Import what the formats import late, while bytecode may still be written."""
    import msoffcrypto  # noqa: F401
    import xlrd  # noqa: F401
