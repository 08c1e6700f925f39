"""The release: a folder of files that never changes, made from the marts and let out only by its gates.

Belongs here: calling publish/release and showing what the gates found. Not here: what may leave.
"""

from __future__ import annotations

import dagster as dg

from pipelines.assets.place import Place
from pipelines.statistics.city import load_city
from pipelines.version import code_version
from publish.release.build import build


def release_asset(marts: list[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset that depends on every mart. A refused release fails the step, and `current` stays where it was."""

    @dg.asset(
        name="release",
        group_name="publish",
        deps=marts,
        kinds={"sqlite"},
        check_specs=[dg.AssetCheckSpec("gates", asset="release", blocking=True)],
    )
    def release(place: Place) -> dg.MaterializeResult:
        home = place.home_folder
        city = load_city(place.city_folder, home)
        made = build(home, place.load_contracts(), city, place.date, code_version())
        return dg.MaterializeResult(
            metadata={
                "release_id": made.release_id,
                "state": made.state,
                "synthetic": made.synthetic,
                "rows": made.rows,
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="gates", passed=all(g["passed"] for g in made.gates), metadata={"gates": made.gates}
                )
            ],
        )

    return release
