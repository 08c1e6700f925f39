"""Lists an inbox. Belongs here: where files lie and how old they say they are. Not here: keeping or reading them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

# Left behind by Office, Windows and macOS beside the files themselves; they never hold a department's data.
LITTER = ("~$", ".~lock.", "._")
LITTER_NAMES = {"thumbs.db", "desktop.ini", ".ds_store"}


class InboxError(RuntimeError):
    """An inbox that cannot be listed or read. The message says which and what to do."""

    exit_status = 2


@dataclass(frozen=True)
class Found:
    """One file of an inbox. `name` is its path below the inbox, with '/'; `modified` is UTC, None where unknown."""

    url: str
    name: str
    size: int
    modified: datetime | None
    _fs: Any
    _path: str

    def read(self) -> bytes:
        """The whole content. Raises InboxError where the source does not give it."""
        try:
            if isinstance(self._fs, LocalFileSystem):
                return Path(self._path).read_bytes()
            return bytes(self._fs.cat_file(self._path))
        except OSError as e:
            raise InboxError(
                f"{self.url} is listed but cannot be read ({e.strerror or type(e).__name__}); check its permissions."
            ) from e


def list_inbox(inbox: str) -> list[Found]:
    """Every file below `inbox`, a folder, a single file, or a URL that fsspec can open, in order of name.

    Office's lock files and the litter of file managers are left out; links that lead out of a local inbox are not
    followed. Raises InboxError where the inbox is missing or cannot be listed: an outage must not look like no new files.
    """
    try:
        fs, root = fsspec.core.url_to_fs(inbox)
    except (ValueError, ImportError) as e:
        raise InboxError(
            f"The inbox {inbox} cannot be opened ({_why(e)}); give a folder or a URL such as sftp://host/path."
        ) from e
    try:
        if not fs.exists(root):
            raise InboxError(f"There is no inbox at {inbox}; make the folder or give another --inbox.")
        found = list(_local(Path(root)) if isinstance(fs, LocalFileSystem) else _remote(fs, root))
    except OSError as e:
        raise InboxError(
            f"The inbox {inbox} cannot be listed ({_why(e)}); check the address, the network and your rights."
        ) from e
    return sorted((f for f in found if not _litter(f.name)), key=lambda f: f.name)


def _local(root: Path) -> Iterator[Found]:
    fs = LocalFileSystem()
    base = root.resolve()
    if base.is_file():
        s = base.stat()
        yield Found(base.as_uri(), base.name, s.st_size, datetime.fromtimestamp(s.st_mtime, UTC), fs, str(base))
        return

    def refuse(e: OSError) -> None:
        raise e

    # os.walk swallows unreadable folders unless told not to.
    for folder, folders, files in os.walk(base, onerror=refuse):
        folders.sort()
        for name in files:
            path = Path(folder, name)
            if path.is_symlink() and not path.resolve().is_relative_to(base):
                continue
            s = path.stat()
            yield Found(
                path.as_uri(),
                path.relative_to(base).as_posix(),
                s.st_size,
                datetime.fromtimestamp(s.st_mtime, UTC),
                fs,
                str(path),
            )


def _remote(fs: Any, root: str) -> Iterator[Found]:
    if fs.isfile(root):
        listing = {root: fs.info(root)}
        base = root.rsplit("/", 1)[0]
    else:
        listing = fs.find(root, detail=True)
        base = root.rstrip("/")
    for path, info in listing.items():
        yield Found(
            fs.unstrip_protocol(path),
            path[len(base) :].lstrip("/"),
            int(info.get("size") or 0),
            _modified(info),
            fs,
            path,
        )


def _modified(info: dict[str, Any]) -> datetime | None:
    """What a file system calls the time of change; each calls it something else."""
    for key in ("mtime", "LastModified", "last_modified", "modified", "updated", "time"):
        value = info.get(key)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
    return None


def _litter(name: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    return base.startswith(LITTER) or base.lower() in LITTER_NAMES


def _why(e: BaseException) -> str:
    return " ".join(str(e).split())[:160] or type(e).__name__
