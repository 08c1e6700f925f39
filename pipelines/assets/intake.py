"""The assets before records: what departments sent, and what reading it gave.

Belongs here: calling sources and intake, and saying how much they did. Not here: how a file is listed, kept or read.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.assets.place import Place
from pipelines.core.memory import give_back

CHECK = "inboxes"


@dg.asset(
    group_name="intake",
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
    from pipelines.standing import Standing

    home = place.home_folder
    r = receive(home, place.inbox, place.full)
    require_something(home, place.inbox, r)
    standing, notes = Standing(home), []
    is_empty = bool(place.inbox) and not r.seen and not r.down
    stands = is_empty and standing.is_published and standing.asks_the_same(place.city_folder, place.load_contracts())
    if stands:
        notes.append(
            f"{empty(place.inbox)}, and files came from there before: if it is a share, see that it is mounted; "
            f"release {standing.release_id} stands."
        )
    for note in (*r.down, *notes):
        context.log.warning(note)
    told: dict[str, Any] = {
        "left": list(r.left),
        "down": list(r.down),
        "notes": notes,
        "report_files": {"seen": r.seen, "new": r.new, "left": len(r.left)},
    }
    yield dg.AssetCheckResult(
        check_name=CHECK,
        asset_key="received",
        passed=not (r.down or is_empty),
        severity=dg.AssetCheckSeverity.WARN,
        metadata=told,
    )
    if not stands:
        yield dg.MaterializeResult(
            metadata={"seen": r.seen, "new": r.new, "report_files": told["report_files"]},
        )


@dg.asset(group_name="intake", kinds={"parquet"}, deps=[received])
def readings(place: Place) -> dg.MaterializeResult:
    """What reading gave, file by file: typed values and an account of every row. Only new files are read."""
    from pipelines.sources.read_new import read_new

    r = read_new(place.home_folder, place.load_contracts(), place.full, place.processes or None)
    give_back()
    return dg.MaterializeResult(
        metadata={"read": r.read, "in_force": r.in_force, "report_files": {"read": r.read}},
    )
