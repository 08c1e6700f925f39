"""The command `mingzhang check`: tries one file with the code that accepts files, and keeps nothing.

Belongs here: running reading and records over a few files in a scratch home. Not here: either of the two, or printing.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from expectations.contract import Contracts
from pipelines.core.filenames import printable
from pipelines.core.home import Home
from pipelines.intake import cache
from pipelines.intake.file_reader import refused
from pipelines.intake.formats import open_book
from pipelines.intake.messages import message_of
from pipelines.intake.model import FileReading
from pipelines.intake.pool import FileJob, read_many
from pipelines.intake.readings import Readings, concat, from_file_readings
from pipelines.intake.sheets import Refusal
from pipelines.records.build import build
from pipelines.sources.archive import where
from pipelines.sources.ledger import Ledger, Receipt, stamp
from pipelines.sources.unpack import holds_files, members

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
NIL = "本期无"  # how a department says that there was nothing in the period (docs/issues/empty.md)
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
        asked, readings, paths = _read(files, contracts, place)
        joined = from_file_readings(readings, contracts)
        ledger = Ledger(home)
        register = _register(home, contracts, ledger, {file_id for file_id, _ in asked})
        # What is asked about would come last, after all that was received.
        last = max((r.order for r in ledger.latest.values()), default=0) + 1
        now = stamp(datetime.now(UTC))
        # Each has an address of its own: of two of one name in two folders neither is a newer state of the other.
        receipts = ledger.latest | {i: Receipt(i, name, f"check:{i}", "", now, order=last) for i, name in asked}
        build(concat([register, joined], contracts) if register else joined, contracts, place, city, receipts)
        says_nil = {i for i in _without_row(readings) if NIL in _text(paths[i])}
        found = {t: pq.read_table(place.table("intake", t)).to_pylist() for t in ("files", "sheets", "issues")}
    status = {f["file_id"]: (f["status"], f["reason"]) for f in found["files"]}
    sheets: dict[str, list[dict[str, Any]]] = {}
    issues: dict[str, list[dict[str, Any]]] = {}
    for s in found["sheets"]:
        sheets.setdefault(s["file_id"], []).append({k: s[k] for k in SHEET})
    for i in found["issues"]:
        issues.setdefault(i["file_id"], []).append({k: i[k] for k in ISSUE})
    for i in _without_row(readings):
        if i not in says_nil:
            issues.setdefault(i, []).append(_no_row())
    return [CheckReport(name, *status[i], sheets.get(i, []), issues.get(i, [])) for i, name in asked]


def _without_row(readings: list[FileReading]) -> list[str]:
    """The files that could be read and hold no row of data at all."""
    return [r.file_id for r in readings if r.status != "rejected" and not any(s.rows or s.refused for s in r.sheets)]


def _text(path: Path) -> str:
    """All that stands in the cells of a file that was read well."""
    return "\n".join(
        str(c) for grid in open_book(path.read_bytes()).grids if not grid.hidden for row in grid.rows for c in row if c
    )


def _no_row() -> dict[str, Any]:
    """A form that nobody filled in is no fault in a run, which takes nothing from it; whoever asks is about to send it."""
    zh, en = message_of("empty", "no_row")
    found_issue = {"sheet": "", "code": "empty", "severity": "error", "message_zh": zh, "message_en": en}
    return {k: found_issue.get(k) for k in ISSUE}


def _read(
    files: Iterable[Path], contracts: Contracts, place: Home
) -> tuple[list[tuple[str, str]], list[FileReading], dict[str, Path]]:
    """(file_id, name) of all that was given, what was read, the same bytes once, and where each that was read lies."""
    asked, jobs, done = [], {}, []
    for path in files:
        own = printable(path.name)
        if not holds_files(path, path.name):
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
    read = sorted(read_many(jobs.values(), contracts), key=lambda r: order[r.file_id])
    return asked, read + done, {i: job.path for i, job in jobs.items()}


def _job(path: Path, name: str) -> FileJob:
    return FileJob(hashlib.sha256(path.read_bytes()).hexdigest(), path, name)


def _register(home: Home, contracts: Contracts, ledger: Ledger, mine: set[str]) -> Readings | None:
    """The readings of the home's register alone, so that names are looked up as a run would; None where there is none.

    Readings that the last run kept are used; where other contracts or other code made them, the register is read again.
    """
    if contracts.register is None:
        return None
    name = contracts.register.dataset
    wanted = {i for i in _holding(home, name, ledger) if i in ledger.latest and ledger.latest[i].members is None} - mine
    kept = cache.known(home, contracts) & wanted
    jobs = [FileJob(i, where(home, i), ledger.latest[i].name) for i in sorted(wanted - kept)]
    again = from_file_readings(sorted(read_many(jobs, contracts), key=lambda r: r.file_id), contracts)
    r = concat([cache.load(home, contracts, kept), again], contracts)
    rows = r.rows[name]
    if rows.empty:
        return None
    keep = set(rows["_file"])
    return Readings(
        files=r.files[r.files["file_id"].isin(keep)],
        sheets=r.sheets[r.sheets["file_id"].isin(keep)],
        columns=r.columns[r.columns["file_id"].isin(keep)],
        issues=r.issues[r.issues["file_id"].isin(keep)],
        rows={d: found if d == name else found.iloc[:0] for d, found in r.rows.items()},
    )


def _holding(home: Home, dataset: str, ledger: Ledger) -> set[str]:
    """The files that hold something of a dataset, as the last run found; where it left no account, all that were received."""
    path = home.table("intake", "sheets")
    if not path.is_file():
        return set(ledger.latest)
    sheets = pq.read_table(path, columns=["file_id", "dataset"], filters=[("dataset", "=", dataset)])
    return set(sheets["file_id"].to_pylist())
