"""The stages of a home: what each is made of, and so whether it is stale. Nothing else decides what a run does again.

Belongs here: the inputs and the outputs of each stage. Not here: any stage's work, the files of code behind each
(pipelines/core/fingerprint.py), or the note itself (pipelines/core/notes.py).

    city, received  ->  readings  ->  records  ->  feedback  ->  statistics  ->  release

A stage is fresh where its fingerprint (its code, and the versions of what it reads) is the one noted when it was made, and
its outputs look as they did then. The version of an output is the digest of its bytes: a stage that was made again and gave the
same leaves what follows fresh. Dagster's code and data versions are these same ones (pipelines/assets).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from expectations.contract import Contracts
from pipelines.core import audit, notes
from pipelines.core.fingerprint import STAGES, code_of
from pipelines.core.home import Home
from pipelines.core.notes import Note
from pipelines.core.settings import MEND_DAYS
from pipelines.intake import key
from pipelines.sources import decisions
from pipelines.statistics.built import built
from publish.release import store

ORDER = ("city", "readings", "records", "feedback", "statistics", "release")
# What stages keep of their work, by its content: shares of datasets, results of suites, what secrecy worked out.
WORKED_OUT = ("parts", "suites", "disclosure/solved")
TASKS = ("intake", "tasks")  # the one table of intake that feedback makes


class Stages:
    """The stages of one home, for one city's folder, its contracts, the date of a run and the days a department has to mend."""

    def __init__(self, home: Home, contracts: Contracts, city: Path, as_of: date, due_days: int = MEND_DAYS):
        self.home, self.contracts, self.city, self.as_of, self.due_days = home, contracts, city, as_of, due_days

    def fingerprint(self, stage: str) -> str:
        """The digest of all that the stage would be made of now; 64 hexadecimal digits."""
        h = hashlib.sha256(f"{stage} {code(stage)}\n".encode())
        for part in self._reads(stage):
            h.update(f"{part}\n".encode())
        return h.hexdigest()

    def fresh(self, stage: str) -> Note | None:
        """The note of a stage that need not be made again; None of a stale one."""
        note = notes.read(self.home, stage)
        if note is None or note.fingerprint != self.fingerprint(stage):
            return None
        return note if self._is_intact(stage, note) else None

    def forget(self) -> None:
        """Makes every stage stale, and takes away what stages keep of their work between runs.

        The release's note stays, for it says where `current` should point; without a warehouse its stage is stale too.
        """
        for stage in ORDER[:-1]:
            notes.forget(self.home, stage)
        for name in WORKED_OUT:
            shutil.rmtree(self.home.work / name, ignore_errors=True)

    def all_fresh(self) -> bool:
        """Whether nothing at all need be made again."""
        return all(self.fresh(s) is not None for s in ORDER)

    def done(self, stage: str, reported: Mapping[str, Any] | None = None) -> Note:
        """Notes that the stage was made of what is there now."""
        hashed = stage in ("city", "records", "feedback")
        return notes.write(self.home, stage, self.fingerprint(stage), self._outputs(stage, reported), reported, hashed)

    def versions(self, stage: str) -> dict[str, str]:
        """`schema/table` -> the version of each internal table that a stage made; empty where it never was."""
        note = notes.read(self.home, stage)
        return {} if note is None else tables_of(note)

    def sources(self) -> dict[str, str]:
        """`schema/table` -> the version of each table that the statistics read."""
        found = {name: v for s in ("city", "records", "feedback") for name, v in self.versions(s).items()}
        # What is counted over the records of all datasets asks the catalog which there are: no source of dbt's names those.
        records = sorted(f"{name} {v}" for name, v in found.items() if name.startswith("records/"))
        listed = "\n".join([self.contracts.digest, *records])
        found["catalog/contracts"] = hashlib.sha256(listed.encode()).hexdigest()[:16]
        found["catalog/columns"] = self.contracts.digest
        # The date is no column of the city's folder; the staging model of the city adds it.
        return {n: f"{v} {self.as_of}" if n == "city/city" else v for n, v in found.items()}

    def _reads(self, stage: str) -> Iterable[Any]:
        if stage == "city":
            return [_folder(self.city)]
        if stage == "readings":
            return [self._received()]
        if stage == "records":
            decided = notes.sha256(decisions.path(self.home))
            # A decision holds from a day on; without any, the records are the same on every day.
            return [self._received(), _folder(self.city), decided, self.as_of if decided else ""]
        if stage == "feedback":
            return [*self.versions("records").items(), self.contracts.digest, self.as_of, self.due_days]
        if stage == "statistics":
            return sorted(self.sources().items())
        warehouse = built(self.home)
        decided = notes.sha256(decisions.path(self.home))
        built_from = warehouse.fingerprint if warehouse else ""
        return [built_from, _folder(self.city), self.contracts.digest, decided, self.as_of, self.due_days]

    def _received(self) -> str:
        return f"{key.key(self.contracts)} {notes.sha256(self.home.archive / 'received.jsonl')}"

    def _outputs(self, stage: str, reported: Mapping[str, Any] | None) -> list[Path]:
        work = self.home.work
        if stage == "city":
            return tables_in(work / "city")
        if stage == "readings":
            return tables_in(self.home.readings)
        if stage == "records":
            tasks = self.home.table(*TASKS)
            return [p for p in (*tables_in(work / "records"), *tables_in(work / "intake")) if p != tasks]
        if stage == "feedback":
            tasks = self.home.table(*TASKS)
            sent = [p for p in self.home.feedback.rglob("*") if p.is_file()] if self.home.feedback.is_dir() else []
            return [*([tasks] if tasks.is_file() else []), *sent]
        if stage == "statistics":
            return [self.home.warehouse]
        release = self.home.releases / str((reported or {}).get("release") or ".none")
        return [p for p in release.rglob("*") if p.is_file()]

    def _is_intact(self, stage: str, note: Note) -> bool:
        if stage == "release":
            return Published(self.home).is_published
        if stage == "feedback":  # whatever else somebody puts into that folder is not ours
            return note.is_intact(self.home, [self.home.root / path for path in note.outputs])
        return note.is_intact(self.home, self._outputs(stage, note.reported))


class Published:
    """The release that the last run of this home published or found unchanged, from its note."""

    def __init__(self, home: Home):
        self._home = home
        self._note = notes.read(home, "release")

    @property
    def report(self) -> dict[str, Any]:
        """What the run reported that made it; empty where there is none."""
        return {} if self._note is None else self._note.reported

    @property
    def release_id(self) -> str | None:
        """Its identity, None where there is none."""
        return self.report.get("release")

    @property
    def is_published(self) -> bool:
        """Whether its files look as they were published, and `current` points to it, or to another because this one was rolled back
        from."""
        if self._note is None or self.release_id is None:
            return False
        folder = self._home.releases / self.release_id
        if not self._note.is_intact(self._home, folder.rglob("*")):
            return False
        now = store.current(self._home)
        return now is not None and (now.name == self.release_id or self.release_id in store.withdrawn(self._home))

    def mend_current(self) -> None:
        """Points `current` to it again, where it points to nothing, to no release, or to an older one without a rollback. A newer
        one is left: it was accepted by a person, or its run died before it could note it."""
        if self.release_id is None or self.release_id in store.withdrawn(self._home):
            return
        now, noted = store.current(self._home), self._home.releases / self.release_id
        if not noted.is_dir() or (now is not None and now.name == noted.name):
            return
        is_release = now is not None and (now / store.SUMS).is_file()
        if now is None or not is_release or now.stat().st_mtime_ns < noted.stat().st_mtime_ns:
            audit.write(self._home, "mended", self.release_id, pointed_to=now.name if now is not None else "")
            store.switch(self._home, self.release_id)


def code(stage: str) -> str:
    """The fingerprint of the code of a stage, which Dagster has as its code version."""
    return code_of(*STAGES[stage])


def tables_of(note: Note) -> dict[str, str]:
    """`schema/table` -> the version of each internal table among a note's outputs: one file, or the files of its folder."""
    parts: dict[str, list[str]] = {}
    for path, (_, _, digest) in sorted(note.outputs.items()):
        below = Path(path).parts
        if below[0] == "work" and len(below) > 2:
            parts.setdefault(f"{below[1]}/{below[2].removesuffix('.parquet')}", []).append(f"{path} {digest}")
    return {name: hashlib.sha256("\n".join(p).encode()).hexdigest()[:16] for name, p in parts.items()}


def tables_in(folder: Path) -> list[Path]:
    """The Parquet files below a folder, but for those half written."""
    return [p for p in folder.rglob("*.parquet") if not p.name.startswith(".")]


def _folder(folder: Path) -> str:
    h = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        h.update(path.relative_to(folder).as_posix().encode() + b"\0" + notes.sha256(path).encode())
    return h.hexdigest()
