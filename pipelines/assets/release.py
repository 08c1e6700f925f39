"""The release: a folder of files that never changes, made from the marts and let out only by its gates.

Belongs here: calling publish/release and showing what the gates found. Not here: what may leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from expectations.contract import Contracts
from pipelines.assets.described import OWNER, POOL, STALE
from pipelines.assets.place import Place
from pipelines.core.city import City, read_city
from pipelines.core.fingerprint import code_version
from pipelines.core.home import Home
from pipelines.stages import code
from publish.errors import GateHeld, GateRefused
from publish.release.store import drop_held

if TYPE_CHECKING:
    from publish.release.build import BuiltRelease

CHECK = "gates"
DESCRIPTION = "发布版：一个永不改变的文件夹 A folder of files that never changes: SQLite, CSV, XLSX, Parquet, catalogues. `current` points to the newest."


def release_asset(marts: list[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset that depends on every mart. A release that is refused or held fails the step, and `current` stays where it was; so it does
    where the warehouse is not one that a whole run built."""

    @dg.multi_asset(
        name="release",
        specs=[
            dg.AssetSpec(
                "release",
                deps=[*marts, "contracts", "decisions"],
                owners=[OWNER],
                automation_condition=STALE,
                group_name="publish",
                code_version=code("release"),
                kinds={"sqlite"},
                description=DESCRIPTION,
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(CHECK, asset="release", blocking=True, description="The gates over the finished files.")
        ],
        pool=POOL,
    )
    def release(place: Place) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        from pipelines.statistics.run import require_whole

        require_whole(place.home_folder, place.date)
        contracts = place.load_contracts()
        stages = place.stages(contracts)
        note = place.fresh(stages, "release")
        if note is not None:
            drop_held(place.home_folder)
            yield _result(place.home_folder, note.reported | {"release_state": "unchanged"})
            return
        try:
            made = _build(place, contracts)
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
        note = stages.done("release", _reported(made, place.date))
        yield _result(place.home_folder, note.reported)

    return release


def _build(place: Place, contracts: Contracts) -> BuiltRelease:
    from publish.release.build import build

    city = City(folder=place.city_folder, **read_city(place.city_folder / "city.yaml"))
    return build(place.home_folder, contracts, city, place.date, code_version())


def _reported(made: BuiltRelease, as_of: date) -> dict[str, Any]:
    """What the note of the stage keeps; `pipelines.run` adds the rest of its report."""
    return {
        "release": made.release_id,
        "release_state": made.state,
        "as_of": as_of.isoformat(),
        "synthetic": made.synthetic,
        "suppressed": made.suppressed,
        "held": made.held,
        "corrected": made.corrected,
        "published_rows": made.rows,
        "gates": made.gates,
    }


def _result(home: Home, reported: dict[str, Any]) -> dg.MaterializeResult:
    gates = dg.MetadataValue.json(reported["gates"])
    metadata = {
        "release_id": reported["release"],
        "state": reported["release_state"],
        **{k: reported[k] for k in ("synthetic", "suppressed", "held", "corrected")},
        "rows": reported["published_rows"],
        "folder": dg.MetadataValue.path(home.releases / reported["release"]),
    }
    return dg.MaterializeResult(
        asset_key="release",
        metadata=metadata,
        data_version=dg.DataVersion(reported["release"]),
        check_results=[
            dg.AssetCheckResult(check_name=CHECK, asset_key="release", passed=True, metadata={"gates": gates})
        ],
    )
