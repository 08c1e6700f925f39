"""Dagster assets of feedback to departments: their files annotated, tasks, and changed headers.

Belongs here: calling pipelines/feedback once the records are there. Not here: any of its work.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from expectations.contract import Contracts
from pipelines.assets.described import OWNER, POOL, ROWS, STALE
from pipelines.assets.place import Place
from pipelines.assets.records import TABLES
from pipelines.core.memory import give_back
from pipelines.stages import code, tables_of

MARKED_FILES = 100  # that are listed in the metadata of a materialization
INTAKE = [dg.AssetKey(["intake", t]) for t in TABLES]


def _spec(key: str | list[str], kind: str, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=INTAKE,
        group_name="feedback",
        code_version=code("feedback"),
        kinds={kind},
        owners=[OWNER],
        description=description,
        skippable=True,
        automation_condition=STALE,
    )


@dg.multi_asset(
    name="feedback",
    specs=[
        _spec("feedback", "excel", "退回件：标出错误的原件 HOME/feedback: each file with its errors marked."),
        _spec("drift", "markdown", "表头漂移：没有别名认识的表头 Headers that no alias knows, by dataset."),
        _spec(
            ["intake", "tasks"], "parquet", "任务：交办、反馈、督办、销号 One task per error: 交办, 反馈, 督办, 销号."
        ),
    ],
    can_subset=True,
    pool=POOL,
)
def feedback(context: dg.AssetExecutionContext, place: Place) -> Iterator[dg.MaterializeResult]:
    """One step: each of the three is small, and a step of its own would cost more than it does. All are made; those asked for are told
    of."""
    asked = context.selected_asset_keys
    for made in _results(place):
        if made.asset_key in asked:
            yield made


def _results(place: Place) -> Iterator[dg.MaterializeResult]:
    contracts = place.load_contracts()
    stages = place.stages(contracts)
    note = place.fresh(stages, "feedback")
    if note is None:
        note = stages.done("feedback", _make(place, contracts))
        give_back()
    r, version = note.reported, tables_of(note)["intake/tasks"]
    made = {k: r[k] for k in ("written", "kept", "removed", "listed_only")}
    folder = dg.MetadataValue.path(place.home_folder.feedback)
    yield dg.MaterializeResult(
        asset_key=dg.AssetKey("feedback"),
        metadata={**made, "folder": folder, "marked_files": _marked_files(place, r.get("paths", []))},
        data_version=dg.DataVersion(note.fingerprint),
    )
    yield dg.MaterializeResult(
        asset_key=dg.AssetKey("drift"),
        metadata={"datasets": r["drift"]},
        data_version=dg.DataVersion(note.fingerprint),
    )
    yield dg.MaterializeResult(
        asset_key=dg.AssetKey(["intake", "tasks"]),
        metadata={ROWS: r["tasks"], "tasks": r["tasks"]},
        data_version=dg.DataVersion(version),
    )


def _marked_files(place: Place, paths: list[str]) -> dg.TableMetadataValue:
    """The files that the last call marked, the first MARKED_FILES of them: department, name and path of each."""
    columns = [dg.TableColumn(c, "string") for c in ("department", "file", "path")]
    records = [
        dg.TableRecord(
            {"department": p.split("/")[0], "file": p.split("/")[-1], "path": str(place.home_folder.feedback / p)}
        )
        for p in paths
    ]
    return dg.MetadataValue.table(records=records, schema=dg.TableSchema(columns=columns))


def _make(place: Place, contracts: Contracts) -> dict[str, Any]:
    from pipelines.feedback.drift import write_drift
    from pipelines.feedback.sending import write_feedback
    from pipelines.feedback.tasks import write_tasks

    home = place.home_folder
    sent = write_feedback(home, contracts, place.processes or None)
    return {
        "written": sent.written,
        "kept": sent.kept,
        "removed": sent.removed,
        "listed_only": sent.listed,
        "paths": list(sent.paths[:MARKED_FILES]),
        "drift": write_drift(home, contracts),
        "tasks": len(write_tasks(home, place.date, place.due_days)),
    }
