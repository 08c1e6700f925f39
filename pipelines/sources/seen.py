"""What each address of the inboxes held when it was last read, and how it looked then: what looks the same is not read again.

Belongs here: how a file looks, and when its looks can be trusted. Not here: what came when (ledger.py), which cannot be
made anew; this can, so it lies in HOME/work, and throwing it away costs one reading of the inboxes.
"""

from __future__ import annotations

import json
from pathlib import Path
from time import time_ns
from typing import Any

from pipelines.core.home import Home, whole_file
from pipelines.sources.inbox import Found

# A file may be changed again within the tick of its file system's clock and look the same: FAT's tick is two seconds.
LOCAL_TICK = 2_000_000_000
REMOTE_TICK = 86_400_000_000_000  # another machine's clock may be wrong too, and some say the day alone


class Seen:
    """By address: the sha256 of what it held, for as long as it looks as it did. Times are nanoseconds since 1970."""

    def __init__(self, home: Home):
        self._path: Path = home.work / "seen.json"
        self._files: dict[str, list[Any]] = _kept(self._path)
        self._now = time_ns()  # before the inbox is listed: whatever is changed later than this looks otherwise

    def file_at(self, found: Found) -> str | None:
        """The file_id of what lies at an address, None where it has to be read to know."""
        looks, file_id = self._files.get(found.url, (None, None))
        return file_id if looks is not None and looks == list(found.looks) else None

    def note(self, found: Found, file_id: str) -> None:
        """Remembers what was read at an address, unless it is so young that a change would not show."""
        tick = LOCAL_TICK if found.is_local else REMOTE_TICK
        if found.changed_ns is not None and found.changed_ns < self._now - tick:
            self._files[found.url] = [list(found.looks), file_id]
        else:
            self._files.pop(found.url, None)

    def write(self) -> None:
        """Keeps it for the next run."""
        with whole_file(self._path) as part:
            part.write_text(json.dumps(self._files, ensure_ascii=False), encoding="utf-8")


def _kept(path: Path) -> dict[str, list[Any]]:
    """What was written; where that cannot be read everything is looked at anew."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
