"""Whether the release that stands was made of just what is there now, so that nothing has to be computed again.

Belongs here: the digest of everything a release is made of, and the note of what the last one was made of. Not here:
making one (publish/release), whose own id says the same more slowly.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path

from expectations.contract import Contracts
from pipelines.home import Home, whole_file
from pipelines.version import code_version


class Standing:
    """The last release this home published through a run, and what it was made of; empty before the first."""

    def __init__(self, home: Home):
        self._home = home
        self._path = home.work / "standing.json"
        said = json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else {}
        self._made_of: str | None = said.get("made_of")
        self.release_id: str | None = said.get("release_id")
        self.synthetic: bool = bool(said.get("synthetic"))

    def made_of(self, city: Path, contracts: Contracts, as_of: date) -> str:
        """The digest of what a release would be made of now: records, intake, the city's folder, contracts, code, date."""
        h = hashlib.sha256(f"{code_version()} {contracts.digest} {as_of}".encode())
        files = [p for s in ("records", "intake") for p in self._home.table(s, "_").parent.glob("*.parquet")]
        files += [p for p in city.rglob("*") if p.is_file()]
        for path in sorted(files):
            h.update(path.name.encode() + b"\\0" + hashlib.sha256(path.read_bytes()).digest())
        return h.hexdigest()

    def holds(self, made_of: str) -> bool:
        """Whether the release noted was made of this, and is still kept. One that was rolled back from stands too."""
        release = self.release_id
        return release is not None and self._made_of == made_of and (self._home.releases / release).is_dir()

    def write(self, made_of: str, release_id: str | None, synthetic: bool) -> None:
        """Notes what the release just made was made of."""
        with whole_file(self._path) as part:
            part.write_text(
                json.dumps({"made_of": made_of, "release_id": release_id, "synthetic": synthetic}), encoding="utf-8"
            )
