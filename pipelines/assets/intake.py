"""The assets before records: what departments sent, and what reading it gave.

Belongs here: calling sources and intake, and saying how much they did. Not here: how a file is listed, kept or read.
"""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipelines.assets.described import OWNER, POOL, STALE
from pipelines.assets.place import Place
from pipelines.assets.sensors import answers, check_of
from pipelines.core import notes
from pipelines.core.memory import give_back
from pipelines.core.spark import SPARK
from pipelines.sources.source import Source
from pipelines.stages import code

if TYPE_CHECKING:
    from pipelines.sources.receive import Received

CHECK = "inboxes"


def received_asset(sources: list[Source]) -> dg.AssetsDefinition:
    """The first asset, with a check for each of these inboxes."""
    checks = [dg.AssetCheckSpec(CHECK, asset="received", description="Every inbox could be read and holds files.")]
    checks += [
        dg.AssetCheckSpec(check_of(s), asset="received", description=f"来源可用 {s.address} answers.") for s in sources
    ]

    @dg.asset(
        group_name="intake",
        code_version=code("received"),
        kinds={"file"},
        owners=[OWNER],
        pool=POOL,
        output_required=False,
        check_specs=checks,
    )
    def received(
        context: dg.AssetExecutionContext, place: Place
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """收件：收到的每个文件按内容存档 Every file of the inboxes, kept in the archive under its sha256; which came when is in the ledger.

        Where the inboxes are empty and nothing but the date is another than when the last release was made, that release stands
        and the run ends here: an empty folder is also what a share looks like that is not mounted.
        """
        from pipelines.sources.inbox import SourceDown
        from pipelines.sources.receive import receive, require_something

        home = place.home_folder
        wanted = {k.name for k in context.selected_asset_check_keys}
        try:
            r = receive(home, place.sources(), place.full)
        except SourceDown as e:
            yield from (_answers(s, e.down[s.address]) for s in place.sources() if check_of(s) in wanted)
            raise
        require_something(home, place.addresses, r)
        notices = _why_it_ends(place, r)
        for sentence in (*r.down.values(), *r.refused, *notices):
            context.log.warning(sentence)
        yield _check(place, r, notices)
        yield from (_answers(s, r.down.get(s.address)) for s in place.sources() if check_of(s) in wanted)
        if not notices:
            files = {"seen": r.seen, "new": r.new, "left": len(r.left)}
            yield dg.MaterializeResult(
                metadata={"seen": r.seen, "new": r.new, "bytes": r.bytes, "report_files": files},
                data_version=dg.DataVersion(notes.sha256(home.archive / "received.jsonl")),
            )

    return received


def _why_it_ends(place: Place, r: "Received") -> list[str]:
    """The sentence for a run that ends here because the inboxes are empty and the last release stands; nothing else."""
    from pipelines.sources.receive import empty
    from pipelines.stages import Published, Stages

    published = Published(place.home_folder)
    if not _is_empty(place, r) or not published.is_published:
        return []
    then = date.fromisoformat(published.report.get("as_of") or place.date.isoformat())
    stages = Stages(place.home_folder, place.load_contracts(), place.city_folder, then, place.due_days)
    if not stages.all_fresh():  # more than the date is another
        return []
    return [
        f"{empty(place.addresses)}, and files came from there before: if it is a share, see that it is mounted; "
        f"release {published.release_id} stands."
    ]


def _is_empty(place: Place, r: "Received") -> bool:
    return bool(place.addresses) and not r.seen and not r.down


def _check(place: Place, r: "Received", notices: list[str]) -> dg.AssetCheckResult:
    """The check over all inboxes, with what the run's report says of them."""
    metadata: dict[str, Any] = {
        "left": list(r.left),
        "down": list(r.down.values()),
        "notes": [*notices, *r.refused],
        "report_files": {"seen": r.seen, "new": r.new, "left": len(r.left)},
    }
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=dg.AssetKey("received"),
        passed=not (r.down or _is_empty(place, r)),
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def _answers(source: Source, error: object) -> dg.AssetCheckResult:
    """The check of one inbox, as its sensor evaluates it too. It fails without ending the run: the others are taken in."""
    made = answers(source, error=error)
    return dg.AssetCheckResult(
        check_name=made.check_name,
        asset_key=made.asset_key,
        passed=made.passed,
        severity=made.severity,
        metadata=made.metadata,
    )


@dg.asset(
    group_name="intake",
    kinds={"parquet"},
    deps=["received", "contracts"],
    code_version=code("readings"),
    owners=[OWNER],
    pool=POOL,
    automation_condition=STALE,
)
def readings(place: Place) -> dg.MaterializeResult:
    """读表：每个文件读出的值 What reading gave, file by file: typed values and an account of every row. Only new files are read."""
    from pipelines.sources.read_new import read_new

    contracts = place.load_contracts()
    stages = place.stages(contracts)
    if place.full:  # what a damaged disk left wrong is kept nowhere
        stages.forget()
    note = place.fresh(stages, "readings")
    if note is None:
        master = place.master if place.engine == SPARK else None
        r = read_new(place.home_folder, contracts, place.full, place.processes or None, master)
        give_back()
        note = stages.done("readings", {"in_force": r.in_force})
        read, by = r.read, r.by
    else:
        read, by = 0, {}
    return dg.MaterializeResult(
        metadata={
            "read": read,
            "in_force": note.reported["in_force"],
            "report_files": {"read": read},
            **({"read_by": by} if by else {}),
        },
        data_version=dg.DataVersion(note.fingerprint),
    )
