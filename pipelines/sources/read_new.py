"""Reads the files that are in the ledger and not in the cache, and returns the readings in force.

Belongs here: which files have to be read, in batches that survive a run that dies. Not here: reading one (pipelines/intake), or
keeping readings (pipelines/intake/cache.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from expectations.contract import Contracts
from pipelines.core import chunks
from pipelines.core.home import Home
from pipelines.core.progress import report
from pipelines.intake import cache
from pipelines.intake.executors import read_in_executors
from pipelines.intake.file_reader import refused
from pipelines.intake.model import FileReading
from pipelines.intake.pool import FileJob, read_many
from pipelines.intake.readings import Readings
from pipelines.intake.sheets import Refusal
from pipelines.sources.archive import where
from pipelines.sources.ledger import Ledger, Receipt
from pipelines.sources.spread import read_spread, take_left

STAGE = "Reading"
KEEP_EVERY = 2000  # files read between two writes to the cache: a run that dies loses no more than these
MANY = 1000  # files that are read by Spark's executors, where there are any
KEEP_ROWS = 400_000  # and no more rows than these are held, but for those of one file


@dataclass(frozen=True)
class Read:
    """`read` files were read now; `in_force` readings are there in all. `by`: how many of them each process read, where several did."""

    read: int
    in_force: int
    by: dict[str, int] = field(default_factory=dict)


def read_new(
    home: Home, contracts: Contracts, full: bool = False, processes: int | None = None, master: str | None = None
) -> Read:
    """Reads every file of the ledger that this reader and these contracts have not read yet; with `full`, every file.

    With the master of a Spark, many files are read by its executors; few are read here before those would have started.
    """
    ledger = Ledger(home)
    if full:
        cache.clear(home)
        chunks.remove(home)
    else:
        take_left(home, contracts)
    known = cache.known(home, contracts)
    todo = [r for r in ledger.latest.values() if r.file_id not in known]
    plain = [r for r in todo if r.members is None]
    jobs = [FileJob(r.file_id, where(home, r.file_id), r.name) for r in plain]
    if master is not None and len(jobs) >= MANY:
        report(STAGE, 0, len(jobs))
        read_in_executors(home, contracts, jobs, master)
        cache.append(home, contracts, [_archive(r) for r in todo if r.members is not None])
        return Read(len(jobs), len(ledger.latest))
    by = read_spread(home, contracts, jobs, processes, lambda done, total: report(STAGE, done, total))
    left = jobs
    if by:
        known = cache.known(home, contracts)
        left = [j for j in jobs if j.file_id not in known]
    batch: list[FileReading] = []
    rows = 0
    for done, reading in enumerate(read_many(left, contracts, processes), len(jobs) - len(left) + 1):
        report(STAGE, done, len(jobs))
        batch.append(reading)
        rows += sum(len(s.rows) for s in reading.sheets)
        if len(batch) >= KEEP_EVERY or rows >= KEEP_ROWS:
            cache.append(home, contracts, batch)
            batch, rows = [], 0
    cache.append(home, contracts, [*batch, *(_archive(r) for r in todo if r.members is not None)])
    return Read(len(jobs), len(ledger.latest), by)


def load_readings(home: Home, contracts: Contracts) -> Readings:
    """The readings in force, joined."""
    return cache.load(home, contracts, Ledger(home).latest)


def _archive(r: Receipt) -> FileReading:
    """An archive's own line: its members are files of their own."""
    if r.refused is None:
        return FileReading(r.file_id, r.name, "accepted")
    code, why, why_en = r.refused
    result = refused(r.file_id, r.name, Refusal(code, why, why_en))
    if r.members:
        result.status = "partial"
    return result
