"""The release: a folder of files that never changes, made from the marts and let out only by its gates.

Belongs here: calling publish/release and showing what the gates found. Not here: what may leave.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from pipelines.assets.place import Place
from pipelines.core.fingerprint import code_version
from publish.errors import GateHeld, GateRefused

CHECK = "gates"
DESCRIPTION = (
    "A folder of files that never changes: SQLite, CSV, XLSX, Parquet, catalogues. `current` points to the newest."
)


def release_asset(marts: list[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset that depends on every mart. A release that is refused or held fails the step, and `current` stays where it was; so it does
    where the warehouse is not one that a whole run built."""

    @dg.multi_asset(
        name="release",
        specs=[dg.AssetSpec("release", deps=marts, group_name="publish", kinds={"sqlite"}, description=DESCRIPTION)],
        check_specs=[dg.AssetCheckSpec(CHECK, asset="release", description="The gates over the finished files.")],
    )
    def release(place: Place) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        from pipelines.standing import Standing
        from pipelines.statistics.city import load_city
        from pipelines.statistics.run import require_whole
        from publish.release.build import build

        home, contracts = place.home_folder, place.load_contracts()
        made_of = require_whole(home, place.date)
        city = load_city(place.city_folder, home)
        try:
            made = build(home, contracts, city, place.date, code_version(), due_days=place.due_days)
        except GateRefused as e:
            yield dg.AssetCheckResult(check_name=CHECK, asset_key="release", passed=False, metadata={"hits": e.hits})
            raise
        except GateHeld as e:
            found: dict[str, str | list[str]] = {
                "held_release": e.release_id,
                "last_release": e.last,
                "reasons": e.reasons,
            }
            yield dg.AssetCheckResult(check_name=CHECK, asset_key="release", passed=False, metadata=found)
            raise
        noted = {"release": made.release_id, "release_state": made.state, "synthetic": made.synthetic}
        Standing(home).write(place.city_folder, contracts, made_of, made.release_id, None, noted)
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
