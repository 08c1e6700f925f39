"""Caches (size, times, inode) -> SHA-256 per inbox path, to skip unchanged files.

Belongs here: the attributes of a file, and when they can be trusted. Not here: what came when (ledger.py), which cannot be
made anew; this can, so it lies in HOME/work, and throwing it away costs one reading of the inboxes.
"""

from __future__ import annotations

import json
from pathlib import Path
from time import time_ns
from typing import Any

from pipelines.core.home import Home, whole_file
from pipelines.sources.inbox import InboxFile

# A file may be changed again within the tick of its file system's clock and look the same: FAT's tick is two seconds.
LOCAL_TICK = 2_000_000_000
REMOTE_TICK = 86_400_000_000_000  # another machine's clock may be wrong too, and some say the day alone


class InboxCache:
    """The cache: by address, the SHA-256 of its contents while its attributes stay the same. Times are nanoseconds since 1970."""

    def __init__(self, home: Home):
        self._path: Path = home.work / "seen.json"
        self._files: dict[str, list[Any]] = _kept(self._path)
        self._now = time_ns()  # before the inbox is listed: a later change has a later time

    def file_at(self, found: InboxFile) -> str | None:
        """Return the file_id of the contents of an address; None where it must be read."""
        attributes, file_id = self._files.get(found.url, (None, None))
        return file_id if attributes is not None and attributes == list(found.attributes) else None

    def note(self, found: InboxFile, file_id: str) -> None:
        """Store the file_id of an address, unless the file is so new that a change might keep its time."""
        tick = LOCAL_TICK if found.is_local else REMOTE_TICK
        if found.changed_ns is not None and found.changed_ns < self._now - tick:
            self._files[found.url] = [list(found.attributes), file_id]
        else:
            self._files.pop(found.url, None)

    def write(self) -> None:
        """Keeps it for the next run."""
        with whole_file(self._path) as part:
            part.write_text(json.dumps(self._files, ensure_ascii=False), encoding="utf-8")


def _kept(path: Path) -> dict[str, list[Any]]:
    """Read the cache; an unreadable one is empty, so that every file is read again."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
