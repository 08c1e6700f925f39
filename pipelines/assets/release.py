"""The release: a folder of files that never changes, made from the marts and let out only by its gates.

Belongs here: calling publish/release and showing what the gates found. Not here: what may leave.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from pipelines.assets.place import Place
from pipelines.statistics.city import load_city
from pipelines.version import code_version
from publish.errors import GateRefused
from publish.release.build import build

CHECK = "gates"
DESCRIPTION = (
    "A folder of files that never changes: SQLite, CSV, XLSX, Parquet, catalogues. `current` points to the newest."
)


def release_asset(marts: list[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset that depends on every mart. A refused release fails the step, and `current` stays where it was."""

    @dg.multi_asset(
        name="release",
        specs=[dg.AssetSpec("release", deps=marts, group_name="publish", kinds={"sqlite"}, description=DESCRIPTION)],
        check_specs=[dg.AssetCheckSpec(CHECK, asset="release", description="The gates over the finished files.")],
    )
    def release(place: Place) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        home = place.home_folder
        city = load_city(place.city_folder, home)
        try:
            made = build(home, place.load_contracts(), city, place.date, code_version(), due_days=place.due_days)
        except GateRefused as e:
            yield dg.AssetCheckResult(check_name=CHECK, asset_key="release", passed=False, metadata={"hits": e.hits})
            raise
        yield dg.MaterializeResult(
            asset_key="release",
            metadata={
                "release_id": made.release_id,
                "state": made.state,
                "synthetic": made.synthetic,
                "suppressed": made.suppressed,
                "held": made.held,
                "corrected": made.corrected,
                "rows": made.rows,
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=CHECK,
                    asset_key="release",
                    passed=True,
                    metadata={"gates": dg.MetadataValue.json(made.gates)},
                )
            ],
        )

    return release
