"""The home folder: where everything of one city's running platform lies.

Belongs here: its paths, its lock, and writing a file so that nobody ever sees half of it. Not here: what the files say.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RELEASE_ID = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}")  # as-of date and digest


class HomeBusy(RuntimeError):
    """Another run holds this home."""

    exit_status = 1


class HomeError(ValueError):
    """A path that cannot be a home folder. The message says which and what to do."""

    exit_status = 2


# Which homes a thread holds, so that what it calls may ask for the same home again.
_held: set[tuple[int, str]] = set()


@dataclass(frozen=True)
class Home:
    """The paths under one home folder. Making a Home touches no disk; `create` does."""

    root: Path

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def held(self) -> Path:
        return self.root / "held"

    @property
    def current(self) -> Path:
        return self.root / "current"

    @property
    def feedback(self) -> Path:
        return self.root / "feedback"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def readings(self) -> Path:
        return self.work / "readings"

    def table(self, schema: str, name: str) -> Path:
        """The Parquet file of one internal table; `schema` is intake or city. Records have `records`."""
        return self.work / schema / f"{name}.parquet"

    def records(self, dataset: str) -> Path:
        """The folder of one dataset's records: a Parquet file for each year, which together are the table."""
        return self.work / "records" / dataset

    def create(self) -> Home:
        """Makes the folders; what departments sent is for the owner alone. Raises HomeError."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise HomeError(
                f"The home {self.root} is, or lies in, a file and no folder; give another --home."
            ) from None
        for p in (self.archive, self.work):
            p.mkdir(mode=0o700, exist_ok=True)
            p.chmod(0o700)
        for p in (self.readings, self.work / "records", self.work / "intake", self.work / "city", self.releases):
            p.mkdir(exist_ok=True)
        return self

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the home for one run. Raises HomeBusy at once where another run holds it.

        Where this thread holds it already, it holds it until the outermost block ends.
        """
        self.create()
        mine = (threading.get_ident(), str(self.root.resolve()))
        if mine in _held:
            yield
            return
        with (self.work / "lock").open("a+") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                f.seek(0)
                who = f.read().strip() or "unknown"
                raise HomeBusy(
                    f"Another run (process {who}) is working on {self.root}; wait until it ends, or give another --home."
                ) from None
            f.truncate(0)
            f.write(str(os.getpid()))
            f.flush()
            _held.add(mine)
            try:
                yield
            finally:
                _held.discard(mine)


def release_folders(releases: Path) -> list[Path]:
    """The folders of the releases in HOME/releases, the newest last: by as-of date, then by when it was put there."""
    if not releases.is_dir():
        return []
    found = [p for p in releases.iterdir() if RELEASE_ID.fullmatch(p.name) and p.is_dir()]
    return sorted(found, key=lambda p: (p.name[:10], p.stat().st_mtime_ns, p.name))


@contextmanager
def whole_file(path: Path, durable: bool = False) -> Iterator[Path]:
    """Gives a path beside `path` to write to; it takes the place of `path` only when the block ends well.

    `durable`: it is on the disk when this returns, for a note by which a later run decides something. Without it a power cut may
    leave the new name over an empty file.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        if durable:
            sync(part)
        part.replace(path)
        if durable:
            sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Forces a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
