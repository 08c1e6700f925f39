"""Whether the release that stands was made of just what is there now, so that nothing has to be computed again.

Belongs here: the digests of everything a release is made of, and the note of what the last one was made of. Not here:
making one (publish/release), whose own id says the same more slowly.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

from expectations.contract import Contracts
from pipelines import decisions
from pipelines.home import Home, whole_file
from pipelines.version import code_version


class Standing:
    """The last release this home published through a run, what it was made of, and what that run reported; empty before
    the first.

    `made_of` and `looks_of` are two digests of the same: one of the bytes that the statistics are made of, which asks that
    the records are there, and one of how the files look that those were made of, which a run that changes nothing can ask
    for before it does anything.
    """

    def __init__(self, home: Home):
        self._home = home
        self._path = home.work / "standing.json"
        said = _note(self._path)
        self._made_of: str | None = said.get("made_of")
        self._looks_of: str | None = said.get("looks_of")
        self.report: dict[str, Any] = said.get("report") or {}

    @property
    def release_id(self) -> str | None:
        return self.report.get("release")

    def made_of(self, city: Path, contracts: Contracts, as_of: date) -> str:
        """The digest of what a release would be made of now: records, intake, decisions, the city's folder, contracts, code,
        date."""
        h = self._asked(city, contracts, as_of)
        for path in self._tables():
            h.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        return h.hexdigest()

    def looks_of(self, city: Path, contracts: Contracts, as_of: date, due_days: int) -> str:
        """The same of what has been received, and of how the tables made of it look. `due_days` as for tasks."""
        h = self._asked(city, contracts, as_of)
        ledger = self._home.archive / "received.jsonl"
        h.update(f"{due_days} {hashlib.sha256(ledger.read_bytes()).hexdigest() if ledger.exists() else ''}".encode())
        for path in self._tables():
            s = path.stat()
            h.update(f"{path.name} {s.st_size} {s.st_mtime_ns}\n".encode())
        return h.hexdigest()

    def _asked(self, city: Path, contracts: Contracts, as_of: date) -> Any:
        h = _asked(city, contracts, as_of)
        decided = decisions.path(self._home)
        h.update(hashlib.sha256(decided.read_bytes()).digest() if decided.exists() else b"")
        return h

    def _tables(self) -> list[Path]:
        return sorted(p for s in ("records", "intake") for p in self._home.table(s, "_").parent.glob("*.parquet"))

    def holds(self, made_of: str) -> bool:
        """Whether the release noted was made of this, and is still kept. One that was rolled back from stands too."""
        release = self.release_id
        return release is not None and self._made_of == made_of and (self._home.releases / release).is_dir()

    def looks_so(self, looks_of: str) -> bool:
        """Whether nothing that the release was made of looks otherwise, and all that came of it is still there."""
        return self._looks_of == looks_of and self._made_of is not None and self.holds(self._made_of) and self._sent()

    def _sent(self) -> bool:
        manifest = self._home.feedback / ".manifest.json"
        if not manifest.exists():
            return True
        return all((self._home.feedback / p).is_file() for p in json.loads(manifest.read_text(encoding="utf-8")))

    def write(self, made_of: str, looks_of: str, report: dict[str, Any]) -> None:
        """Notes what the release that stands is made of, and what was said of the run that found it so."""
        with whole_file(self._path, durable=True) as part:
            said = {"made_of": made_of, "looks_of": looks_of, "report": report}
            part.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")


def _note(path: Path) -> dict[str, Any]:
    """The note as it was written; one that cannot be read (a power cut) counts for none, so that everything is computed."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _asked(city: Path, contracts: Contracts, as_of: date) -> Any:
    h = hashlib.sha256(f"{code_version()} {contracts.digest} {as_of}".encode())
    for path in sorted(p for p in city.rglob("*") if p.is_file()):
        h.update(path.relative_to(city).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return h
