"""The note that a stage leaves beside what it made: of what it was made, and how the files looked.

Belongs here: writing a note and reading it again. Not here: what a stage is made of (pipelines/stages.py). A note can be made anew, so it
lies in HOME/work/stages; without it, or where it cannot be read, the stage is stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.core.digests import file_sha256
from pipelines.core.home import Home, whole_file


@dataclass(frozen=True)
class Note:
    """`fingerprint` digests what a stage was made of. `outputs` has [size in bytes, time of change in ns, sha256 or ''] by path below
    the home; `reported` is what the stage said of its work, as JSON."""

    fingerprint: str
    outputs: dict[str, list[Any]]
    reported: dict[str, Any] = field(default_factory=dict)

    def is_intact(self, home: Home, files: Iterable[Path]) -> bool:
        """Whether `files`, those there are now, are the outputs noted and look as they did."""
        now = {str(p.relative_to(home.root)): looks(p) for p in files if p.is_file()}
        return now == {path: o[:2] for path, o in self.outputs.items()}


def read(home: Home, stage: str) -> Note | None:
    """The note of a stage; None where there is none or it cannot be read."""
    try:
        return Note(**json.loads(_path(home, stage).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write(
    home: Home,
    stage: str,
    fingerprint: str,
    files: Mapping[Path, Path] | Iterable[Path],
    reported: Mapping[str, Any] | None = None,
    hashed: bool = True,
) -> Note:
    """Notes, durably, what a stage made. `files` may map where a file will lie to where it lies while this is written; `hashed`: each file
    is read for its sha256, unless it looks as the last note says."""
    last = read(home, stage)
    known = {} if last is None else last.outputs
    lies = dict(files) if isinstance(files, Mapping) else {p: p for p in files}
    outputs = {}
    for path, now in sorted(lies.items()):
        name, found = str(path.relative_to(home.root)), looks(now)
        old = known.get(name, [0, 0, ""])
        same = old[:2] == found and old[2]
        outputs[name] = [*found, same or sha256(now) if hashed else ""]
    note = Note(fingerprint, outputs, dict(reported or {}))
    path = _path(home, stage)
    path.parent.mkdir(exist_ok=True)
    with whole_file(path, durable=True) as part:
        part.write_text(json.dumps(vars(note), ensure_ascii=False), encoding="utf-8")
    return note


def forget(home: Home, stage: str) -> None:
    """Makes a stage stale."""
    _path(home, stage).unlink(missing_ok=True)


def looks(path: Path) -> list[int]:
    """[size in bytes, time of change in ns] of a file."""
    s = path.stat()
    return [s.st_size, s.st_mtime_ns]


def sha256(path: Path) -> str:
    """The SHA-256 of a file; '' where there is none."""
    return file_sha256(path) if path.is_file() else ""


def _path(home: Home, stage: str) -> Path:
    return home.work / "stages" / f"{stage}.json"
