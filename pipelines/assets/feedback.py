"""What goes back to the departments: their own files marked, the tasks that follow from them, and headers that drift.

Belongs here: calling pipelines/feedback once the records are there. Not here: any of its work.
"""

from collections.abc import Iterator

import dagster as dg

from pipelines.assets.place import Place
from pipelines.assets.records import TABLES
from pipelines.core.memory import give_back

INTAKE = [dg.AssetKey(["intake", t]) for t in TABLES]


@dg.multi_asset(
    name="feedback",
    specs=[
        dg.AssetSpec(
            "feedback",
            deps=INTAKE,
            group_name="feedback",
            description="HOME/feedback: each file with its errors marked.",
        ),
        dg.AssetSpec(
            "drift", deps=INTAKE, group_name="feedback", description="Headers that no alias knows, by dataset."
        ),
        dg.AssetSpec(
            ["intake", "tasks"],
            deps=INTAKE,
            group_name="feedback",
            kinds={"parquet"},
            description="One task per error: 交办, 反馈, 督办, 销号.",
        ),
    ],
)
def feedback(place: Place) -> Iterator[dg.MaterializeResult]:
    """One step: each of the three is small, and a step of its own would cost more than it does."""
    from pipelines.feedback.drift import write_drift
    from pipelines.feedback.sending import write_feedback
    from pipelines.feedback.tasks import write_tasks

    home, contracts = place.home_folder, place.load_contracts()
    sent = write_feedback(home, contracts, place.processes or None)
    yield dg.MaterializeResult(
        asset_key="feedback",
        metadata={"written": sent.written, "kept": sent.kept, "removed": sent.removed, "listed_only": sent.listed},
    )
    yield dg.MaterializeResult(asset_key="drift", metadata={"datasets": write_drift(home, contracts)})
    tasks = len(write_tasks(home, place.date, place.due_days))
    give_back()
    yield dg.MaterializeResult(asset_key=["intake", "tasks"], metadata={"tasks": tasks})
