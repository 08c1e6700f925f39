"""The audit log of a home: one JSON line for each act that changes what is published or kept, HOME/archive/audit.jsonl.

Belongs here: writing a line durably, and reading the lines again. Not here: the acts themselves; each writes its line just before it
takes effect, so that there is no act without its line. After a crash in between there is a line of an act that was tried, and another
of the act when it was done. The log never leaves the home, and no line holds a value of a cell, a password or an address.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.core.home import Home, sync

PATH = "audit.jsonl"
LONGEST = 200  # characters of the name that MINGZHANG_ACTOR gives


@dataclass(frozen=True)
class AuditLine:
    """One act. `at`: local time with its offset from UTC; `account`: the operating system's account of the process; `actor`: the person
    or office that MINGZHANG_ACTOR named, '' for none; `release`: the release it is about; `what`: further words of the act."""

    at: str
    act: str
    account: str
    actor: str
    release: str
    what: dict[str, Any] = field(default_factory=dict)


def path(home: Home) -> Path:
    """The log's file, which need not be there yet."""
    return home.archive / PATH


def write(home: Home, act: str, release: str = "", **what: str | int | list[str]) -> AuditLine:
    """Append one line and flush it to the disk. `release`: the current one where not given. Raises OSError: the act must then not be done.

    Acts of a run and of a person may come at once, so the log has a lock of its own.
    """
    from pipelines.core.settings import Settings  # not before there is an act: `--help` must not wait for it

    line = AuditLine(
        datetime.now().astimezone().isoformat(timespec="milliseconds"),
        act,
        _account(),
        Settings.read().actor.strip()[:LONGEST],
        release or _current(home),
        what,
    )
    home.archive.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = path(home)
    handle = os.open(log, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+b") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        size = f.seek(0, os.SEEK_END)
        cut = size > 0 and os.pread(f.fileno(), 1, size - 1) != b"\n"  # by a crash; it stays, and is told of
        f.write((b"\n" if cut else b"") + (json.dumps(asdict(line), ensure_ascii=False) + "\n").encode())
        f.flush()
        os.fsync(f.fileno())
    if not size:
        sync(home.archive)
    return line


def read(home: Home) -> tuple[list[AuditLine], list[int]]:
    """The lines, the oldest first, and the numbers of those that cannot be read."""
    log = path(home)
    if not log.exists():
        return [], []
    lines, damaged = [], []
    # Lines end at "\n" alone: a name may hold U+2028, at which str.splitlines() would cut.
    for number, raw in enumerate(log.read_bytes().removesuffix(b"\n").split(b"\n"), 1):
        try:
            lines.append(AuditLine(**json.loads(raw)))
        except (ValueError, TypeError):
            damaged.append(number)
    return lines, damaged


def _account() -> str:
    """The account of this process, which no variable of the environment changes; its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _current(home: Home) -> str:
    return home.current.readlink().name if home.current.is_symlink() else ""
