"""What would be accepted of a file, found out by the same code that accepts it, and thrown away again.

Belongs here: running reading and records over a few files in a scratch home. Not here: either of the two, or printing.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from expectations.contract import Contracts
from pipelines.filenames import printable
from pipelines.home import Home
from pipelines.intake.book import Refusal
from pipelines.intake.model import FileReading
from pipelines.intake.pool import Job, read_many
from pipelines.intake.read_new import load_readings
from pipelines.intake.reader import refused
from pipelines.intake.readings import Readings, concat, from_file_readings
from pipelines.intake.unpack import holds_files, members
from pipelines.records.build import build

SHEET = (
    "sheet",
    "dataset",
    "submitter",
    "period",
    "status",
    "reason",
    "rows_read",
    "rows_accepted",
    "rows_quarantined",
    "rows_explained",
)
ISSUE = ("sheet", "row", "column", "cell", "code", "severity", "raw_value", "message_zh", "message_en")


@dataclass
class CheckReport:
    """What became of one file. `sheets` and `issues` have the columns of intake.sheets and intake.issues."""

    name: str
    status: str
    reason: str | None
    sheets: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """No error: the department has nothing to mend."""
        return self.status == "accepted" and not any(i["severity"] == "error" for i in self.issues)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def check_files(files: Iterable[Path], contracts: Contracts, home: Home, city: Path | None = None) -> list[CheckReport]:
    """One report for each file, in the order given; of an archive, one for each file in it; of the same bytes under two
    names, one for each name. Institutions are looked up in the register of `home` where it has one. Nothing of the files
    is kept."""
    with tempfile.TemporaryDirectory(prefix="mingzhang-check-") as scratch:
        place = Home(Path(scratch)).create()
        asked, readings = _read(files, contracts, place)
        joined = from_file_readings(readings, contracts)
        register = _register(home, contracts, {file_id for file_id, _ in asked})
        build(concat([register, joined], contracts) if register else joined, contracts, place, city)
        found = {t: pq.read_table(place.table("intake", t)).to_pylist() for t in ("files", "sheets", "issues")}
    status = {f["file_id"]: (f["status"], f["reason"]) for f in found["files"]}
    sheets: dict[str, list[dict[str, Any]]] = {}
    issues: dict[str, list[dict[str, Any]]] = {}
    for s in found["sheets"]:
        sheets.setdefault(s["file_id"], []).append({k: s[k] for k in SHEET})
    for i in found["issues"]:
        issues.setdefault(i["file_id"], []).append({k: i[k] for k in ISSUE})
    return [CheckReport(name, *status[i], sheets.get(i, []), issues.get(i, [])) for i, name in asked]


def _read(files: Iterable[Path], contracts: Contracts, place: Home) -> tuple[list[tuple[str, str]], list[FileReading]]:
    """(file_id, name) of all that was given, and what was read, the same bytes once."""
    asked, jobs, done = [], {}, []
    for path in files:
        own = printable(path.name)
        if not holds_files(path):
            job = _job(path, own)
            asked.append((job.file_id, job.name))
            jobs[job.file_id] = job
            continue
        try:
            for i, (name, data) in enumerate(members(path, own)):
                part = place.work / f"member-{len(jobs)}-{i}"
                part.write_bytes(data)
                job = _job(part, name)
                asked.append((job.file_id, job.name))
                jobs[job.file_id] = job
        except Refusal as e:
            done.append(refused(hashlib.sha256(path.read_bytes()).hexdigest(), own, e))
            asked.append((done[-1].file_id, own))
    order = {file_id: i for i, file_id in enumerate(jobs)}
    return asked, sorted(read_many(jobs.values(), contracts), key=lambda r: order[r.file_id]) + done


def _job(path: Path, name: str) -> Job:
    return Job(hashlib.sha256(path.read_bytes()).hexdigest(), path, name)


def _register(home: Home, contracts: Contracts, mine: set[str]) -> Readings | None:
    """The readings of the home's register alone, so that names are looked up as a run would; None where there is none."""
    if contracts.register is None or not (home.archive / "received.jsonl").exists():
        return None
    r = load_readings(home, contracts)
    rows = r.rows.get(contracts.register.dataset)
    if rows is None or rows.empty:
        return None
    keep = set(rows["_file"]) - mine
    return Readings(
        files=r.files[r.files["file_id"].isin(keep)],
        sheets=r.sheets[r.sheets["file_id"].isin(keep)],
        columns=r.columns[r.columns["file_id"].isin(keep)],
        issues=r.issues[r.issues["file_id"].isin(keep)],
        rows={contracts.register.dataset: rows[rows["_file"].isin(keep)]},
    )
