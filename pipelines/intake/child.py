"""The process that reads: takes batches of paths from its standard input, answers on its standard output.

Belongs here: what such a process may do, and its loop. Not here: how many there are or what happens when one dies (pool.py).
It starts nothing, opens no socket and writes nowhere but to its pipe; too much memory or time kills it, not its parent. Where
the system lets it, it has no network at all; where not (a container without user namespaces), Python's own sockets alone
are closed to it, and the parent is told.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import pickle
import resource
import signal
import struct
import sys
from dataclasses import fields
from io import RawIOBase
from operator import attrgetter
from typing import IO, Any

from expectations.contract import Contracts
from pipelines.intake.file_reader import Reader, bytes_of, reader_for, refused
from pipelines.intake.model import FileReading, Issue, MappedColumn, SheetReading
from pipelines.intake.sheets import LARGEST_FILE, Book, Refusal

FRAME = struct.Struct("<Q")
POSITION = struct.Struct("<q")  # in memory shared with the parent: which file of all those sent it is on
NETWORK = POSITION.size  # there, the byte that says whether it is cut off from the network: one of the next three
UNKNOWN, CUT_OFF, CONNECTED = 0, 1, 2
MORE_MEMORY = 2_000_000_000  # bytes of address space beyond the usual, for a text larger than other files may be
_MOST_CELLS = 100_000  # of files that are open at a time: a few small ones, or one large
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def main() -> None:
    """Arguments: the descriptor of the shared memory, bytes of memory, seconds of processor time a file, and of the clock. Ends
    when its input ends."""
    shared, memory, seconds, patience = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    position = mmap.mmap(shared, mmap.PAGESIZE)
    contracts: Contracts = receive(stdin)
    reader = reader_for(contracts)  # before the walls go up: it may still import
    _warm()
    position[NETWORK] = CUT_OFF if _confine(memory) else CONNECTED
    for late in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(late, signal.SIG_DFL)  # the default action ends the process wherever it is, in C or Rust too
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)  # readings hold no cycles worth looking for a thousand times a second
    done = 0
    while True:
        batch = receive(stdin)
        if batch is None:
            return
        send(stdout, _answers(batch, done, reader, position, seconds, patience))
        done += len(batch)


def _time(processor: float, clock: float) -> None:
    """Ends this process when it has used so many seconds of processor time from now, or so many have passed; 0: never.

    Processor time is what a file costs, whatever else the machine does: on a busy one a file is no slower to read. The clock is
    for what waits without working.
    """
    signal.setitimer(signal.ITIMER_PROF, processor)
    signal.setitimer(signal.ITIMER_REAL, clock)


def _answers(
    batch: list[tuple[str, str, str]], done: int, reader: Reader, position: mmap.mmap, seconds: float, patience: float
) -> list[tuple[Any, ...]]:
    """Reads a batch. Some files are opened before the first of them is looked into: what a processor has at hand then
    serves more than one file. `position` always says which file is being dealt with, and its seconds are counted.
    """
    answers: list[tuple[Any, ...]] = []
    times = _more_for(batch)
    opened: list[tuple[Book | Refusal, float]] = []
    cells = 0

    def look_into() -> None:
        for book, left in opened:
            file_id, _, name = batch[len(answers)]
            POSITION.pack_into(position, 0, done + len(answers))
            _time(left, patience * times)
            try:
                answers.append(packed(reader.made_of(book, name, file_id)))
            except MemoryError:
                answers.append(packed(refused(file_id, name, out_of_memory())))
            except OSError as e:
                answers.append(packed(refused(file_id, name, _not_read(e))))
        opened.clear()

    for n, (_, path, _) in enumerate(batch):
        POSITION.pack_into(position, 0, done + n)
        _time(seconds * times, patience * times)
        book: Book | Refusal
        try:
            data = bytes_of(path)
            book = data if isinstance(data, Refusal) else reader.opened(data)
        except MemoryError:
            book = out_of_memory()
        except OSError as e:
            book = _not_read(e)
        opened.append((book, max(signal.getitimer(signal.ITIMER_PROF)[0], 0.001)))
        cells += sum(len(g.rows) * len(g.rows[0]) for g in book.grids if g.rows) if isinstance(book, Book) else 0
        if cells > _MOST_CELLS:
            look_into()
            cells = 0
    look_into()
    _time(0, 0)
    return answers


def _more_for(batch: list[tuple[str, str, str]]) -> float:
    """Gives this process the memory that the largest file of a batch takes, where it is larger than most formats may be; returns how
    many times the usual time it may take."""
    largest = max((_size(path) for _, path, _ in batch), default=0)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    usual = hard - MORE_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (usual if largest <= LARGEST_FILE else hard, hard))
    return max(1.0, largest / LARGEST_FILE)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - half the time of the same through pathlib
    except OSError:
        return 0  # reading it will say so


def _not_read(e: OSError) -> Refusal:
    return Refusal("unreadable", "读取文件出错", f"cannot be opened: {e}")


def out_of_memory() -> Refusal:
    """Why a file that took too much memory was not read."""
    return Refusal("unreadable", "读取它占用的内存超过上限", "reading it took more memory than allowed; killed")


def out_of_time(seconds: float) -> Refusal:
    """Why a file that took too long was not read; `seconds` of processor time, or of the clock."""
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


def send(pipe: IO[bytes], message: Any) -> None:
    """Writes one message."""
    body = pickle.dumps(message, 5)
    pipe.write(FRAME.pack(len(body)))
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes] | RawIOBase) -> Any:
    """The next message, or None where the other side has closed. Only ever between a parent and its own child."""
    head = _exactly(pipe, FRAME.size)
    body = _exactly(pipe, FRAME.unpack(head)[0]) if head else None
    return pickle.loads(body) if body else None  # noqa: S301 - our own child's


def _exactly(pipe: IO[bytes] | RawIOBase, size: int) -> bytes | None:
    """`size` bytes, or None where the pipe ends before."""
    parts = []
    while size:
        part = pipe.read(size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _warm() -> None:
    """Loads what is loaded late, while the disk may still be read freely and bytecode written."""
    import msoffcrypto  # noqa: F401
    import xlrd  # noqa: F401


def _confine(memory: int) -> bool:
    """Sets the limits; says whether the process is cut off from the network, which not every system permits."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory + MORE_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.dont_write_bytecode = True
    libc = ctypes.CDLL(None, use_errno=True)
    # Root needs no user namespace, and in one would lose the right to read what others own.
    failed = libc.unshare(_CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER)
    sys.addaudithook(_forbid)
    return not failed


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    """Stops Python code from what a reader never does; it cannot be taken down again."""
    if event == "open":
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            raise PermissionError("a reading process writes nowhere")
    elif event.startswith(
        ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "os.remove")
    ) or event in (
        "os.rename",
        "os.mkdir",
        "os.rmdir",
        "os.chmod",
        "os.link",
        "os.symlink",
        "os.truncate",
        "urllib.Request",
    ):
        raise PermissionError(f"a reading process may not do {event}")


if __name__ == "__main__":
    main()
