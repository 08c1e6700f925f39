"""The assets before records: what departments sent, and what reading it gave.

Belongs here: calling sources and intake, and saying how much they did. Not here: how a file is listed, kept or read.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from pipelines.assets.place import Place
from pipelines.core import notes
from pipelines.core.memory import give_back
from pipelines.stages import code

CHECK = "inboxes"


@dg.asset(
    group_name="intake",
    code_version=code("received"),
    kinds={"file"},
    output_required=False,
    check_specs=[dg.AssetCheckSpec(CHECK, asset="received", description="Every inbox could be read and holds files.")],
)
def received(context: dg.AssetExecutionContext, place: Place) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Every file of the inboxes, kept in the archive under its sha256; which came when is in the ledger.

    Where the inboxes are empty and nothing but the date is another than when the last release was made, that release stands
    and the run ends here: an empty folder is also what a share looks like that is not mounted.
    """
    from pipelines.sources.receive import empty, receive, require_something
    from pipelines.stages import Published, Stages

    home = place.home_folder
    r = receive(home, place.inbox, place.full)
    require_something(home, place.inbox, r)
    published, notices = Published(home), []
    is_empty = bool(place.inbox) and not r.seen and not r.down
    unchanged = is_empty and published.is_published
    if unchanged:  # and nothing but the date is another
        then = date.fromisoformat(published.report.get("as_of") or place.date.isoformat())
        unchanged = Stages(home, place.load_contracts(), place.city_folder, then, place.due_days).all_fresh()
    if unchanged:
        notices.append(
            f"{empty(place.inbox)}, and files came from there before: if it is a share, see that it is mounted; "
            f"release {published.release_id} stands."
        )
    for sentence in (*r.down, *notices):
        context.log.warning(sentence)
    metadata: dict[str, Any] = {
        "left": list(r.left),
        "down": list(r.down),
        "notes": notices,
        "report_files": {"seen": r.seen, "new": r.new, "left": len(r.left)},
    }
    yield dg.AssetCheckResult(
        check_name=CHECK,
        asset_key="received",
        passed=not (r.down or is_empty),
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
    if not unchanged:
        yield dg.MaterializeResult(
            metadata={"seen": r.seen, "new": r.new, "report_files": metadata["report_files"]},
            data_version=dg.DataVersion(notes.sha256(home.archive / "received.jsonl")),
        )


@dg.asset(group_name="intake", kinds={"parquet"}, deps=[received, "contracts"], code_version=code("readings"))
def readings(place: Place) -> dg.MaterializeResult:
    """What reading gave, file by file: typed values and an account of every row. Only new files are read."""
    from pipelines.sources.read_new import read_new

    contracts = place.load_contracts()
    stages = place.stages(contracts)
    if place.full:  # what a damaged disk left wrong is kept nowhere
        stages.forget()
    note = place.fresh(stages, "readings")
    if note is None:
        r = read_new(place.home_folder, contracts, place.full, place.processes or None)
        give_back()
        note = stages.done("readings", {"in_force": r.in_force})
        read = r.read
    else:
        read = 0
    return dg.MaterializeResult(
        metadata={"read": read, "in_force": note.reported["in_force"], "report_files": {"read": read}},
        data_version=dg.DataVersion(note.fingerprint),
    )
