"""The home folder of one city's running platform: paths, lock, atomic writes.

Belongs here: its paths, its lock, and replacing a file atomically. Not here: the contents of the files.
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
    """A path that cannot be a home folder. The message names it and the remedy."""

    exit_status = 2


# The homes that each thread holds, so that the lock is reentrant.
_held: set[tuple[int, str]] = set()


@dataclass(frozen=True)
class Home:
    """The paths under one home folder. Constructing a Home does not touch the disk; `create` does."""

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
    def reports(self) -> Path:
        """What readers of the site reported as wrong; `mingzhang serve` makes the folder."""
        return self.root / "reports"

    @property
    def bills(self) -> Path:
        """The bills of materials of the releases: what the installation that made each consisted of."""
        return self.root / "sbom"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def readings(self) -> Path:
        return self.work / "readings"

    def table(self, schema: str, name: str) -> Path:
        """The Parquet file of one internal table; `schema` is intake or city."""
        return self.work / schema / f"{name}.parquet"

    def records(self, dataset: str) -> Path:
        """The folder of one dataset's records: a Parquet file for each year, which together are the table."""
        return self.work / "records" / dataset

    def create(self) -> Home:
        """Create the folders; the archive and `work` are readable by their owner alone. Raises HomeError."""
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
        """Lock the home for one run. Raises HomeBusy at once where another run holds it.

        Reentrant within a thread: the lock is released at the end of the outermost block.
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
    """Yield a temporary path to write to; it replaces `path` atomically when the block ends without an exception.

    `durable`: flush it to the disk before returning, for a file that later runs rely on. Without it a power cut may leave an empty
    file under the new name.
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
    """Flush a file, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
