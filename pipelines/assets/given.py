"""Dagster assets that a run is given besides the inboxes: contracts, the bureau's decisions, the city's folder.

Belongs here: their versions, by which Dagster sees what is stale after one of them changed. Not here: what they say.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from pipelines.assets.place import Place
from pipelines.core import notes
from pipelines.stages import code, tables_of
from pipelines.statistics import catalog
from pipelines.statistics.city_tables import TABLES


@dg.multi_asset(
    name="given",
    specs=[
        dg.AssetSpec("contracts", group_name="given", description="The contracts in force, the city's own among them."),
        dg.AssetSpec("decisions", group_name="given", description="What the bureau decided about files and figures."),
        *(
            dg.AssetSpec(
                ["city", t],
                group_name="given",
                code_version=code("city"),
                kinds={"parquet"},
                description="Of the city's folder.",
            )
            for t in TABLES
        ),
        *(
            dg.AssetSpec(
                ["catalog", t], group_name="given", kinds={"parquet"}, description="Of the contracts in force."
            )
            for t in catalog.TABLES
        ),
    ],
)
def given(place: Place) -> Iterator[dg.MaterializeResult]:
    """One step: it reads small files."""
    from pipelines.sources import decisions
    from pipelines.statistics.city import check_against, load_city

    home, contracts = place.home_folder, place.load_contracts()
    check_against(contracts, place.city_folder)
    stages = place.stages(contracts)
    note = place.fresh(stages, "city")
    if note is None:
        load_city(place.city_folder, home)
        note = stages.done("city")
    catalog.load_catalog(contracts, home)
    for key in ("contracts", *(["catalog", t] for t in catalog.TABLES)):
        yield dg.MaterializeResult(asset_key=key, data_version=dg.DataVersion(contracts.digest))
    decided = notes.sha256(decisions.path(home)) or "none"
    yield dg.MaterializeResult(asset_key="decisions", data_version=dg.DataVersion(decided))
    for name, version in tables_of(note).items():
        table = name.partition("/")[2]
        version = f"{version} {place.date}" if table == "city" else version  # see Stages.sources
        yield dg.MaterializeResult(asset_key=["city", table], data_version=dg.DataVersion(version))
