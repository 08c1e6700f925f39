"""The records by dataset and year: one asset with a partition for each file of records, which a backfill judges again.

Belongs here: telling Dagster which of these files changed, and forgetting the kept judgement of one. Not here: judging (pipelines/records).
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import dagster as dg

from expectations.contract import Contracts
from pipelines.assets.described import OWNER, POOL, rows_in
from pipelines.assets.place import Place
from pipelines.core.home import Home
from pipelines.core.notes import Note
from pipelines.stages import code

KEY = dg.AssetKey("records_by_year")
YEARS = dg.DynamicPartitionsDefinition(name="year")  # those of the files there are; `none` holds what nothing dates
_FILE = re.compile(r"work/records/([^/]+)/([^/]+)\.parquet")
DESCRIPTION = """按数据集和年度的记录 The records of one dataset and year, which are one file of its table.

A backfill judges these rows again, whatever was kept of the last time, and leaves all others. `refresh` makes the files too, and tells of those
that changed."""


def years_asset(contracts: Contracts, deps: Iterable[dg.AssetKey], make: Callable[..., Note]) -> dg.AssetsDefinition:
    """The partitioned asset; `make` makes what is stale of the records and returns their note."""

    @dg.asset(
        key=KEY,
        partitions_def=dg.MultiPartitionsDefinition(
            {"dataset": dg.StaticPartitionsDefinition(list(contracts)), "year": YEARS}
        ),
        deps=list(deps),
        group_name="records",
        code_version=code("records"),
        kinds={"parquet"},
        owners=[OWNER],
        pool=POOL,
        description=DESCRIPTION,
    )
    def records_by_year(context: dg.AssetExecutionContext, place: Place) -> dg.MaterializeResult:
        dims = context.partition_key.keys_by_dimension
        dataset, year = dims["dataset"], dims["year"]
        _forget(place.home_folder, dataset, year)
        make(context, place, again=True)
        return dg.MaterializeResult(metadata=_metadata(place.home_folder.records(dataset) / f"{year}.parquet"))

    return records_by_year


def _forget(home: Home, dataset: str, year: str) -> None:
    """Forgets what is kept of this dataset's share and this year's suite; every suite of rows that only their sheets date."""
    from pipelines.records.parts import Parts

    Parts(home).forget(dataset)
    suites = list((home.work / "suites").glob(f"{dataset}-*.parquet"))
    of_year = [p for p in suites if p.stem == f"{dataset}-{year}"]
    for path in of_year or suites:
        path.unlink()


def tell_years(context: dg.AssetExecutionContext, home: Home, before: Note | None, now: Note) -> None:
    """Tells Dagster of each file of records that is new or another than it was."""
    known = {} if before is None else before.outputs
    changed = [
        (*found.groups(), path)
        for path, (_, _, digest) in now.outputs.items()
        if (found := _FILE.fullmatch(path)) and known.get(path, [0, 0, ""])[2] != digest
    ]
    if not changed:
        return
    context.instance.add_dynamic_partitions(str(YEARS.name), sorted({year for _, year, _ in changed}))
    for dataset, year, path in changed:
        context.log_event(
            dg.AssetMaterialization(
                asset_key=KEY,
                partition=dg.MultiPartitionKey({"dataset": dataset, "year": year}),
                metadata=_metadata(home.root / path),
            )
        )


def _metadata(path: Path) -> dict[str, Any]:
    """Of one file of records; one that is gone has no rows."""
    rows = rows_in(path)
    size = path.stat().st_size if path.is_file() else 0
    return {"dagster/partition_row_count": rows, "rows": rows, "bytes": size, "file": dg.MetadataValue.path(path)}
