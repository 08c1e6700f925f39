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
from pipelines.core.fingerprint import code_version
from pipelines.core.home import Home, whole_file
from pipelines.sources import decisions
from pipelines.statistics.built import built
from publish.release import store


class Standing:
    """The last release this home published through a run, what it was made of, and what that run reported; empty before
    the first, and where the note cannot be read.

    `made_of` and `looks_of` are two digests of the same inputs: one of the bytes that the statistics are made of, which
    requires the records to be there, and one of the size and time of the files those were made of, which a run that changes
    nothing can compute before it does anything.
    """

    def __init__(self, home: Home):
        self._home = home
        self._path = home.work / "standing.json"
        noted = _read(self._path)
        self._made_of: str | None = noted.get("made_of")
        self._looks_of: str | None = noted.get("looks_of")
        self._asked: str | None = noted.get("asked")
        self._release_looks: str | None = noted.get("release_looks")
        self.release_id: str | None = noted.get("release")
        self.report: dict[str, Any] = noted.get("report") or {}

    @property
    def noted(self) -> str | None:
        """The digest of what the release noted was made of."""
        return self._made_of

    def made_of(self, city: Path, contracts: Contracts, as_of: date) -> str:
        """The digest of what a release would be made of now: records, intake, the city's folder, contracts, code, decisions, date."""
        h = _asked(self._home, city, contracts)
        h.update(f"{as_of}\n".encode())
        for path in self._tables():
            h.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        return h.hexdigest()

    def looks_of(self, city: Path, contracts: Contracts, as_of: date, due_days: int) -> str:
        """The same of what has been received, and of how the tables made of it look. `due_days` as for tasks."""
        h = _asked(self._home, city, contracts)
        ledger = self._home.archive / "received.jsonl"
        received = hashlib.sha256(ledger.read_bytes()).hexdigest() if ledger.exists() else ""
        h.update(f"{as_of} {due_days} {received}".encode())
        for path in self._tables():
            s = path.stat()
            h.update(f"{path.name} {s.st_size} {s.st_mtime_ns}\n".encode())
        return h.hexdigest()

    def _tables(self) -> list[Path]:
        return sorted(p for s in ("records", "intake") for p in self._home.table(s, "_").parent.glob("*.parquet"))

    def holds(self, made_of: str) -> bool:
        """Whether the release noted was made of this, and it, the warehouse and `current` are as that run left them. One that
        was rolled back from holds too."""
        warehouse = built(self._home)
        return (
            self.release_id is not None
            and self._made_of == made_of
            and warehouse is not None
            and warehouse.made_of == made_of
            and self.is_published
        )

    @property
    def is_published(self) -> bool:
        """Whether the release noted is there as it was published, and `current` points to it, or to another because this one
        was rolled back from."""
        if self.release_id is None or self._release_looks != _looks(self._home.releases / self.release_id):
            return False
        now = store.current(self._home)
        return now is not None and (now.name == self.release_id or self.release_id in store.withdrawn(self._home))

    def mend_current(self) -> None:
        """Points `current` to the release noted again, where it points to nothing, to no release, or to an older one without a
        rollback. A newer one is left: it was accepted by a person, or its run died before it could note it."""
        if self.release_id is None or self.release_id in store.withdrawn(self._home):
            return
        now, noted = store.current(self._home), self._home.releases / self.release_id
        if not noted.is_dir() or (now is not None and now.name == noted.name):
            return
        is_release = now is not None and (now / store.SUMS).is_file()
        if now is None or not is_release or now.stat().st_mtime_ns < noted.stat().st_mtime_ns:
            store.switch(self._home, self.release_id)

    def asks_the_same(self, city: Path, contracts: Contracts) -> bool:
        """Whether the code, the contracts, the bureau's decisions and the city's folder are those of the release noted, whatever the date is."""
        return self._asked == _asked(self._home, city, contracts).hexdigest()

    def looks_so(self, looks_of: str) -> bool:
        """Whether nothing that the release was made of looks otherwise, and all that came of it is still there."""
        return self._looks_of == looks_of and self._made_of is not None and self.holds(self._made_of) and self._sent()

    def _sent(self) -> bool:
        manifest = self._home.feedback / ".manifest.json"
        return not manifest.exists() or all((self._home.feedback / p).is_file() for p in _read(manifest))

    def write(
        self,
        city: Path,
        contracts: Contracts,
        made_of: str,
        release_id: str,
        looks_of: str | None,
        report: dict[str, Any],
    ) -> None:
        """Notes what the release that stands is made of, and what the run that found it so reported. `looks_of` is None where a
        part of a run made it: the next run then computes again."""
        noted = {
            "release": release_id,
            "made_of": made_of,
            "looks_of": looks_of,
            "asked": _asked(self._home, city, contracts).hexdigest(),
            "release_looks": _looks(self._home.releases / release_id),
            "report": report,
        }
        with whole_file(self._path, durable=True) as part:
            part.write_text(json.dumps(noted, ensure_ascii=False), encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    """A JSON object in a file; empty where there is none or it cannot be read: it is made anew then."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _looks(release: Path) -> str:
    """A digest of the names, sizes and times of a release's files: they never change once they are there."""
    h = hashlib.sha256()
    for path in sorted(p for p in release.rglob("*") if p.is_file()):
        s = path.stat()
        h.update(f"{path.relative_to(release).as_posix()} {s.st_size} {s.st_mtime_ns}\n".encode())
    return h.hexdigest()


def _asked(home: Home, city: Path, contracts: Contracts) -> Any:
    h = hashlib.sha256(f"{code_version()} {contracts.digest} ".encode())
    decided = decisions.path(home)
    h.update(hashlib.sha256(decided.read_bytes()).digest() if decided.exists() else b"")
    for path in sorted(p for p in city.rglob("*") if p.is_file()):
        h.update(path.relative_to(city).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return h
