"""Notes of stages: the fingerprint of a stage's inputs, and size, time and SHA-256 of its outputs.

Belongs here: writing and reading them in HOME/work/stages. Not here: the inputs of a stage (pipelines/stages.py). A stage without a
readable note is stale.
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
    """`fingerprint` digests the stage's inputs and code. `outputs` has [size in bytes, time of change in ns, sha256 or ''] by path below
    the home; `reported` is the stage's own report, as JSON."""

    fingerprint: str
    outputs: dict[str, list[Any]]
    reported: dict[str, Any] = field(default_factory=dict)

    def is_intact(self, home: Home, files: Iterable[Path]) -> bool:
        """Whether `files`, the outputs that exist now, are those noted, with the same sizes and times."""
        now = {str(p.relative_to(home.root)): stat_signature(p) for p in files if p.is_file()}
        return now == {path: o[:2] for path, o in self.outputs.items()}


def read(home: Home, stage: str) -> Note | None:
    """Read the note of a stage; None where there is none or it cannot be read."""
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
    """Write the note of a stage durably. `files` may map the final path of a file to its present one; `hashed`: compute each file's sha256,
    unless its size and time are those of the last note."""
    last = read(home, stage)
    known = {} if last is None else last.outputs
    lies = dict(files) if isinstance(files, Mapping) else {p: p for p in files}
    outputs = {}
    for path, now in sorted(lies.items()):
        name, found = str(path.relative_to(home.root)), stat_signature(now)
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
    """Delete the note of a stage, which makes it stale."""
    _path(home, stage).unlink(missing_ok=True)


def stat_signature(path: Path) -> list[int]:
    """[size in bytes, time of change in ns] of a file."""
    s = path.stat()
    return [s.st_size, s.st_mtime_ns]


def sha256(path: Path) -> str:
    """The SHA-256 of a file; '' where there is none."""
    return file_sha256(path) if path.is_file() else ""


def _path(home: Home, stage: str) -> Path:
    return home.work / "stages" / f"{stage}.json"
