"""Dagster assets that a run is given besides the inboxes: contracts, the bureau's decisions, the city's folder.

Belongs here: their versions, by which Dagster sees what is stale after one of them changed. Not here: what they say.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.assets.described import OWNER, POOL, ROWS, STALE, rows_in
from pipelines.assets.place import Place
from pipelines.core import notes
from pipelines.stages import code, tables_of
from pipelines.statistics import catalog
from pipelines.statistics.city_tables import TABLES


def _spec(key: str | list[str], description: str, kind: str = "parquet", **more: Any) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        group_name="given",
        kinds={kind},
        owners=[OWNER],
        description=description,
        skippable=True,
        automation_condition=STALE,
        **more,
    )


@dg.multi_asset(
    name="given",
    specs=[
        _spec(
            "contracts",
            "合同：每个数据集的列、规则与开放方式 The contracts in force, the city's own among them.",
            "yaml",
        ),
        _spec(
            "decisions",
            "决定：本单位对文件和数字所作的决定 What the bureau decided about files and figures.",
            "jsonlines",
        ),
        *(
            _spec(["city", t], f"城市文件夹 Of the city's folder: {t.replace('_', ' ')}.", code_version=code("city"))
            for t in TABLES
        ),
        *(_spec(["catalog", t], f"生效合同 Of the contracts in force: {t}.") for t in catalog.TABLES),
    ],
    can_subset=True,
    pool=POOL,
)
def given(context: dg.AssetExecutionContext, place: Place) -> Iterator[dg.MaterializeResult]:
    """One step: it reads small files. All are made; those asked for are reported."""
    asked = context.selected_asset_keys
    for made in _results(place):
        if made.asset_key in asked:
            yield made


def _results(place: Place) -> Iterator[dg.MaterializeResult]:
    """Every asset of the step."""
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
    for key in (dg.AssetKey("contracts"), *(dg.AssetKey(["catalog", t]) for t in catalog.TABLES)):
        yield dg.MaterializeResult(
            asset_key=key, data_version=dg.DataVersion(contracts.digest), metadata={"contracts": len(contracts)}
        )
    decided = notes.sha256(decisions.path(home)) or "none"
    yield dg.MaterializeResult(asset_key=dg.AssetKey("decisions"), data_version=dg.DataVersion(decided))
    for name, version in tables_of(note).items():
        table = name.partition("/")[2]
        version = f"{version} {place.date}" if table == "city" else version  # see Stages.sources
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["city", table]),
            data_version=dg.DataVersion(version),
            metadata={ROWS: rows_in(home.table("city", table))},
        )
