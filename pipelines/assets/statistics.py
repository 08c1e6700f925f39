"""The statistics: one asset per dbt model, its tests as checks, in one dbt run.

Belongs here: giving dbt a warehouse to work in and putting it in place when dbt is done. Not here: any SQL.
"""

import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from packaging.version import Version

from pipelines.assets.place import Place
from pipelines.assets.without_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets
from pipelines.core.memory import give_back
from pipelines.core.progress import report
from pipelines.statistics.run import (
    PRODUCTION,
    PROJECT,
    StatisticsError,
    environment,
    failure,
    manifest,
    replaced_environment,
    start_trial,
    start_whole,
    target,
)

# A whole run: what it takes in and what it ends with. Where nothing in between changed, the release stands.
FIRST, LAST = dg.AssetKey("received"), dg.AssetKey("release")
# In no model's SQL, but copied into the warehouse with the rest of intake.
ALSO_LOADED = dg.AssetKey(["intake", "tasks"])


class _Groups(DagsterDbtTranslator):
    """Models in groups by their layer, so that the graph reads from left to right."""

    def get_group_name(self, dbt_resource_props: Any) -> str:
        layer = dbt_resource_props.get("fqn", ["", "marts"])[1]
        return layer if layer in ("staging", "intermediate", "marts") else "seeds"


class _Dbt(DbtCliResource):
    """dbt without what dagster-dbt does around a run and nobody here asks for. It starts `dbt --version`, which also asks
    the package index, and it loads all of dbt in this process for an adapter that fetches row counts and columns, where asked
    to (dagster_dbt 0.29, core/resource.py, `cli`). The two took as long as the whole SQL of a small city.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        return None


def statistics_assets() -> dg.AssetsDefinition:
    """The dbt project as assets. Its manifest is made here where it is missing, so that a fresh clone loads.

    All of them together build a warehouse anew, which takes the place of the last one when every model and test went well.
    A part of them is built on a copy of the last warehouse, which stays as it is.
    """

    @dbt_assets(manifest=manifest(), name="statistics", dagster_dbt_translator=_Groups())
    def statistics(context: dg.AssetExecutionContext, place: Place) -> Iterator[Any]:
        from pipelines.records.load import load
        from pipelines.standing import Standing
        from pipelines.statistics.built import publish
        from pipelines.statistics.city import load_city

        home, contracts = place.home_folder, place.load_contracts()
        whole = context.selected_asset_keys >= every
        standing = Standing(home)
        made_of = standing.made_of(place.city_folder, contracts, place.date)
        if whole and _is_whole_run(context) and standing.holds(made_of):
            context.log.info(f"Nothing that release {standing.release_id} was made of has changed: it stands.")
            return
        report("statistics")
        load_city(place.city_folder, home)
        warehouse = start_whole(home) if whole else start_trial(home)
        load(home, warehouse)
        give_back()
        # Nothing is called made before it can be read in its place; of a build that failed, only its checks are told.
        events: list[Any] = []
        try:
            for event in _build(context, place, warehouse):
                events.append(event)
        except StatisticsError:
            yield from (e for e in events if isinstance(e, dg.AssetCheckResult))
            raise
        if whole:
            publish(home, place.date, made_of)
        else:
            context.log.warning(
                f"A part of the statistics was built, on a copy of the warehouse: {warehouse}. "
                f"{home.warehouse} and the release stand as they were; launch the job 'refresh' for new ones."
            )
        yield from events

    every = statistics.keys

    def loaded(spec: dg.AssetSpec) -> dg.AssetSpec:
        from_intake = any(d.asset_key.path[0] in ("intake", "records") for d in spec.deps)
        return spec.replace_attributes(deps=[*spec.deps, ALSO_LOADED]) if from_intake else spec

    return statistics.map_asset_specs(loaded)


def _is_whole_run(context: dg.AssetExecutionContext) -> bool:
    selected = context.run.asset_selection
    return not selected or {FIRST, LAST} <= selected  # none is named where all are meant


def _build(context: dg.AssetExecutionContext, place: Place, warehouse: Path) -> Iterator[Any]:
    """What dbt did, as events. Raises StatisticsError where it failed, after the last of them."""
    home = place.home_folder
    executable = str(Path(sys.executable).with_name("dbt"))
    dbt = _Dbt(project_dir=str(PROJECT), profiles_dir=str(PROJECT), dbt_executable=executable)
    (target(home) / "run_results.json").unlink(missing_ok=True)
    with replaced_environment(environment(home, place.date, warehouse)):
        run = dbt.cli(["build", *PRODUCTION], context=context, target_path=target(home), raise_on_error=False)
    try:
        yield from run.stream()
        if not run.is_successful():
            raise failure(home, run._error_messages)
    finally:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
