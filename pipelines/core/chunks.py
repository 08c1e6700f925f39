"""Chunks of work in a folder that several machines share, each taken by one process at a time under a lease.

Belongs here: the folder's layout, leases, who offers to work, and the one result of a chunk. Not here: what is done with a chunk
(pipelines/sources/spread.py).

    HOME/work/workers/<who>            a process that offers to work; rewritten at each beat
    HOME/work/chunks/<plan>/plan.json  key of the plan and how many chunks it has; written last: without it there is no plan
                            00001.json         the jobs of a chunk
                            00001.lease        who works on it; rewritten at each beat
                            00001.lost-<rest>  a lease that stood still, put aside by whoever took the chunk over
                            00001.done/        its result, renamed into place

A lease saves work and guards nothing: two processes that work on one chunk cost time and no more, because a result is a folder that
is renamed into place, and the first stands. A beat is a change that others see, measured by their own clocks: no two machines need
agree on the time. Asked of the file system: a rename is atomic, a file is created exclusively by one, and others see both.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from pipelines.core.home import Home, whole_file

BEAT = 2.0  # seconds between two beats
PATIENCE = 30.0  # seconds without a beat after which a chunk is another's to take
MOST_LOST = (
    2  # leases that a chunk may lose before only the process that planned it takes it: it may be what ends the others
)
PLAN = "plan.json"
_SAID = "said.json"

Job = tuple[str, ...]


@dataclass(frozen=True)
class ChunkPlan:
    """The chunks of one piece of work, numbered from 1, for whoever computes the same `key`."""

    folder: Path
    key: str
    chunks: int

    def result(self, number: int) -> Path:
        """The folder that holds the result of a chunk, once there is one."""
        return self.folder / f"{number:05d}.done"


@dataclass(frozen=True)
class Chunk:
    """A chunk that this process holds the lease of."""

    number: int
    jobs: list[Job]


def publish(home: Home, key: str, chunks: Sequence[Sequence[Job]]) -> ChunkPlan:
    """Write down a plan for others to see."""
    folder = _plans(home) / secrets.token_hex(8)
    folder.mkdir(parents=True)
    for number, jobs in enumerate(chunks, 1):
        (folder / f"{number:05d}.json").write_text(json.dumps(list(jobs), ensure_ascii=False), encoding="utf-8")
    with whole_file(folder / PLAN) as part:
        part.write_text(json.dumps({"key": key, "chunks": len(chunks)}), encoding="utf-8")
    return ChunkPlan(folder, key, len(chunks))


def plans(home: Home) -> list[ChunkPlan]:
    """The plans there are: that of the run at work, and those that dead runs left."""
    found = []
    for path in sorted(_plans(home).glob(f"*/{PLAN}")):
        with suppress(OSError, ValueError, KeyError):  # it was removed meanwhile
            said = json.loads(path.read_text(encoding="utf-8"))
            found.append(ChunkPlan(path.parent, said["key"], said["chunks"]))
    return found


def remove(home: Home) -> None:
    """Remove every plan. Whoever still works on a chunk of one finds no place for the result."""
    if not _plans(home).is_dir():
        return
    gone = _plans(home).with_name(f".chunks-{secrets.token_hex(8)}")
    _plans(home).rename(gone)  # at once: what is removed file by file looks like a plan with chunks to do
    shutil.rmtree(gone, ignore_errors=True)
    for old in home.work.glob(".chunks-*"):  # of a process that died here, or that kept a file open over NFS
        shutil.rmtree(old, ignore_errors=True)


def name_of_process() -> str:
    """Host, process, and a number that no other process has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


@contextmanager
def offered(home: Home, who: str) -> Iterator[None]:
    """Offers to work under this name while the block runs."""
    folder = _workers(home)
    folder.mkdir(exist_ok=True)
    path = folder / who
    try:
        with _Beat(path, who, create=True):
            yield
    finally:
        path.unlink(missing_ok=True)


class Offers:
    """The processes that offer to work, as seen when this was made. `drop_dead` forgets those that did not beat since."""

    def __init__(self, home: Home):
        self._since = time.monotonic()
        self._seen = {p: _content(p) for p in sorted(_workers(home).glob("*"))}

    def __len__(self) -> int:
        return len(self._seen)

    def drop_dead(self) -> None:
        """Remove the offers that stood still for longer than PATIENCE. A process that lives after all offers again at its next beat."""
        if time.monotonic() - self._since > PATIENCE:
            for path, seen in self._seen.items():
                if _content(path) == seen:
                    path.unlink(missing_ok=True)


class Taker:
    """Takes chunks of a plan, one at a time, in the name of one process. A context manager: what it holds on leaving is free again.

    `planner`: the process that planned them, which takes also those that others died of.
    """

    def __init__(self, plan: ChunkPlan, who: str, planner: bool = False):
        self.plan, self.who, self.planner = plan, who, planner
        self._seen: dict[int, tuple[bytes, float]] = {}
        self._holds: tuple[int, _Beat] | None = None

    def __enter__(self) -> Taker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._free()

    def take(self) -> Chunk | None:
        """A chunk that nobody works on, None where there is none now."""
        names = self._names()
        for number in range(1, self.plan.chunks + 1):
            if self.plan.result(number).name in names:
                continue
            lost = sum(n.startswith(f"{number:05d}.lost-") for n in names)
            if lost >= MOST_LOST and not self.planner:
                continue
            lease = self._lease(number)
            if lease.name in names and not self._put_aside(number, lease):
                continue
            with suppress(FileExistsError, FileNotFoundError):  # another was quicker; the plan is gone
                chunk = self._hold(number, lease)
                if not self.plan.result(number).is_dir():
                    return chunk
                self._free()  # another finished it since the names were listed
        return None

    def finish(self, chunk: Chunk, fill: Callable[[Path], None], said: dict[str, Any]) -> bool:
        """Make the folder that `fill` writes to the result of a chunk, with what is `said` of it. False where there is one already, or
        the plan is no more: what was written is then removed."""
        done = self.plan.result(chunk.number)
        part = done.with_name(f".{done.name}-{secrets.token_hex(8)}")
        try:
            part.mkdir()
            fill(part)
            (part / _SAID).write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
            part.rename(done)
        except OSError:
            if self.plan.folder.is_dir() and not done.is_dir():
                raise
            return False
        finally:
            shutil.rmtree(part, ignore_errors=True)
            self._free()
        return True

    def said(self, number: int) -> dict[str, Any]:
        """What was said of the result of a chunk."""
        said: dict[str, Any] = json.loads((self.plan.result(number) / _SAID).read_text(encoding="utf-8"))
        return said

    def finished(self) -> set[int]:
        """The chunks that have a result."""
        names = self._names()
        return {n for n in range(1, self.plan.chunks + 1) if self.plan.result(n).name in names}

    def _names(self) -> set[str]:
        with suppress(FileNotFoundError):
            return set(os.listdir(self.plan.folder))  # noqa: PTH208 (names alone)
        return set()

    def _lease(self, number: int) -> Path:
        return self.plan.folder / f"{number:05d}.lease"

    def _hold(self, number: int, lease: Path) -> Chunk:
        jobs = json.loads((self.plan.folder / f"{number:05d}.json").read_text(encoding="utf-8"))
        os.close(os.open(lease, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        beat = _Beat(lease, self.who)
        self._holds = (number, beat)
        beat.begin()
        return Chunk(number, [tuple(j) for j in jobs])

    def _put_aside(self, number: int, lease: Path) -> bool:
        """Put a lease aside that stood still for longer than PATIENCE."""
        content, now = _content(lease), time.monotonic()
        seen, since = self._seen.setdefault(number, (content, now))
        if seen != content:
            self._seen[number] = (content, now)
            return False
        if now - since <= PATIENCE:
            return False
        del self._seen[number]
        with suppress(FileNotFoundError):  # another was quicker
            lease.rename(lease.with_name(f"{number:05d}.lost-{secrets.token_hex(8)}"))
            return True
        return False

    def _free(self) -> None:
        if self._holds is not None:
            number, beat = self._holds
            self._holds = None
            if beat.end():
                self._lease(number).unlink(missing_ok=True)


class _Beat:
    """Rewrites a file in a thread, each time with another number, until another has it or it is gone. A context manager."""

    def __init__(self, path: Path, who: str, create: bool = False):
        self._path, self._create = path, create
        self._mine = f"{who} {secrets.token_hex(4)} "
        self._n = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"beat of {path.name}")

    def __enter__(self) -> _Beat:
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def begin(self) -> None:
        """Write it the first time, and go on in a thread."""
        self._write()
        self._thread.start()

    def end(self) -> bool:
        """Stop. Whether the file was still this one's."""
        self._ends.set()
        self._thread.join(timeout=BEAT)
        return self._is_mine()

    def _run(self) -> None:
        while not self._ends.wait(BEAT):
            with suppress(OSError):  # the next beat may find the share again; until then others see none
                if not self._create and not self._is_mine():
                    return
                self._write()

    def _is_mine(self) -> bool:
        return _content(self._path).startswith(self._mine.encode())

    def _write(self) -> None:
        self._n += 1
        self._path.write_text(f"{self._mine}{self._n}", encoding="utf-8")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _plans(home: Home) -> Path:
    return home.work / "chunks"


def _workers(home: Home) -> Path:
    return home.work / "workers"
