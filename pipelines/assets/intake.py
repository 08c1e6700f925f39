"""The assets before records: what departments sent, and what reading it gave.

Belongs here: calling sources and intake, and saying how much they did. Not here: how a file is listed, kept or read.
"""

from __future__ import annotations

import dagster as dg

from pipelines.assets.place import Place
from pipelines.intake.read_new import read_new
from pipelines.memory import give_back
from pipelines.sources.receive import receive


@dg.asset(group_name="intake", kinds={"file"})
def received(place: Place) -> dg.MaterializeResult:
    """Every file of the inboxes, kept in the archive under its sha256; which came when is in the ledger."""
    r = receive(place.home_folder, place.inbox, place.full)
    return dg.MaterializeResult(
        metadata={
            "seen": r.seen,
            "new": r.new,
            "left": list(r.left),
            "down": list(r.down),
            "report_files": {"seen": r.seen, "new": r.new, "left": len(r.left)},
        },
    )


@dg.asset(group_name="intake", kinds={"parquet"}, deps=[received])
def readings(place: Place) -> dg.MaterializeResult:
    """What reading gave, file by file: typed values and an account of every row. Only new files are read."""
    r = read_new(place.home_folder, place.load_contracts(), place.full, place.processes or None)
    give_back()
    return dg.MaterializeResult(
        metadata={"read": r.read, "in_force": r.in_force, "report_files": {"read": r.read}},
    )
