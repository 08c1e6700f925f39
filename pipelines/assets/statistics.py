"""The statistics: one asset per dbt model, its tests as checks, in one dbt run.

Belongs here: giving dbt a warehouse to work in and putting it in place when dbt is done. Not here: any SQL.
"""

import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from packaging.version import Version

from pipelines.assets.described import COLUMNS, LINEAGE, OWNER, POOL, ROWS, STALE
from pipelines.assets.place import Place
from pipelines.assets.without_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets
from pipelines.core.memory import give_back
from pipelines.core.progress import report
from pipelines.core.spark import SPARK, require_spark
from pipelines.stages import Stages, code
from pipelines.statistics.built import being_built, publish
from pipelines.statistics.column_lineage import Columns, column_lineage
from pipelines.statistics.counted import WarehouseTable, tables_of
from pipelines.statistics.run import (
    BY_CONSTRUCTION,
    PRODUCTION,
    PROJECT,
    StatisticsError,
    changed_sources,
    compiled_models,
    environment,
    failure,
    forget_other_project,
    manifest,
    replaced_environment,
    start_part,
    start_trial,
    start_whole,
    target,
)
from pipelines.statistics.spark import TARGET, end_tables, environment_on_spark, start_tables, tables_of_run, take_marts

SQL_COMMENT = re.compile(r"(?:\s*--.*\n)+")
# What asks it goes over the records of all datasets, which no model names (dbt's macro `contracts`).
CATALOG = dg.AssetKey(["catalog", "contracts"])


class _Translator(DagsterDbtTranslator):
    """Models in groups by their layer, so that the graph reads from left to right, each with words, an owner and when it is stale."""

    def get_owners(self, dbt_resource_props: Any) -> list[str]:
        return [OWNER]

    def get_automation_condition(self, dbt_resource_props: Any) -> dg.AutomationCondition[dg.AssetKey]:
        return STALE

    def get_description(self, dbt_resource_props: Any) -> str:
        """Its titles in both languages and its description, else the comment that begins its SQL."""
        meta = dbt_resource_props.get("config", {}).get("meta") or {}
        titles = " ".join(meta[k] for k in ("title_zh", "title_en") if k in meta)
        sql = dbt_resource_props.get("raw_code") or ""
        said = dbt_resource_props.get("description") or commented(sql) or _typed(dbt_resource_props)
        return "\n\n".join(t for t in (titles, said, f"```sql\n{sql}\n```" if sql else "") if t)

    def get_group_name(self, dbt_resource_props: Any) -> str:
        layer = dbt_resource_props.get("fqn", ["", "marts"])[1]
        return layer if layer in ("staging", "intermediate", "marts") else "seeds"

    def get_asset_check_spec(self, asset_spec: Any, manifest: Any, unique_id: str, project: Any) -> Any:
        """None for a test that no run of a city makes (PRODUCTION)."""
        if BY_CONSTRUCTION in manifest["nodes"][unique_id].get("tags", ()):
            return None
        return super().get_asset_check_spec(asset_spec, manifest, unique_id, project)


def commented(sql: str) -> str:
    """The comment that begins a model's SQL, '' where none does."""
    comment = SQL_COMMENT.match(sql)
    return " ".join(line.strip(" -") for line in comment[0].strip().splitlines()) if comment else ""


def _typed(dbt_resource_props: Any) -> str:
    """What a model without words is: a staging model of the sources it reads, or a seed."""
    read = [
        n.split(".")[2:] for n in dbt_resource_props.get("depends_on", {}).get("nodes", []) if n.startswith("source.")
    ]
    if read:
        return f"{', '.join(name for _, name in read)} of {read[0][0]}, typed."
    return f"dbt {dbt_resource_props['resource_type']} {dbt_resource_props['name']}"


class _Dbt(DbtCliResource):
    """Skips dagster-dbt's version check and adapter start-up (dagster_dbt 0.29, core/resource.py, `cli`).

    The check starts `dbt --version`, which also asks the package index; the adapter loads all of dbt in this process, to fetch row counts
    and columns where asked to. The two took as long as the whole SQL of a small city.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        return None


def statistics_assets() -> dg.AssetsDefinition:
    """The dbt project as assets. Its manifest is made here where it is missing, so that a fresh clone loads.

    All of them together build a warehouse: on a copy of the last one, what rests on a table that changed, or all of it where the
    code did. It takes the place of the last one when every model and test went well. So does a part of them that has all that rests on
    what changed. Any other part is built on a copy of the last warehouse, which stays as it is.
    """

    @dbt_assets(manifest=manifest(), name="statistics", dagster_dbt_translator=_Translator(), pool=POOL)
    def statistics(context: dg.AssetExecutionContext, place: Place) -> Iterator[Any]:
        stages = place.stages(place.load_contracts())
        asked = context.selected_asset_keys
        if not (asked >= every or _covers(asked, place, stages, statistics.specs)):
            if place.engine == SPARK:
                raise StatisticsError(
                    "Spark builds all of the statistics together; launch the job 'refresh' (or 'mingzhang run'), or set the engine to duckdb "
                    "for a part."
                )
            yield from _trial(context, place)
            return
        events: list[Any] = []
        if place.fresh(stages, "statistics") is None:
            try:
                for event in _next(context, place, stages):
                    events.append(event)
            except StatisticsError:
                yield from events
                raise
        made = {context.asset_key_for_output(e.output_name) for e in events if isinstance(e, dg.Output)}
        # The release waits for every mart; one under which nothing changed has the version it had. Dagster takes no asset before
        # those it depends on: what is kept depends on nothing that was made, or it would have been made too.
        for key in upstream_first(
            statistics.specs, {s.key for s in statistics.specs if s.group_name == "marts" and s.key in asked} - made
        ):
            yield dg.MaterializeResult(asset_key=key, metadata={"kept": True})
        yield from events

    every = statistics.keys
    records = sorted({d.asset_key for s in statistics.specs for d in s.deps if d.asset_key.path[0] == "records"})

    def counted(spec: dg.AssetSpec) -> dg.AssetSpec:
        over_all = any(d.asset_key == CATALOG for d in spec.deps)
        return spec.merge_attributes(deps=records) if over_all else spec

    return statistics.map_asset_specs(counted)


def _covers(asked: Collection[dg.AssetKey], place: Place, stages: Stages, specs: Iterable[dg.AssetSpec]) -> bool:
    """Whether something changed and all that rests on it is among the assets asked for: then a part is as good as the whole. Spark builds the whole."""
    changed = (
        None
        if place.full or place.engine == SPARK
        else changed_sources(place.home_folder, code("statistics"), stages.sources())
    )
    if not changed:
        return False
    stale = {dg.AssetKey(name.split("/")) for name in changed}
    order = {s.key: {d.asset_key for d in s.deps} for s in specs}
    for key in upstream_first(specs, set(order)):
        if order[key] & stale:
            stale.add(key)
    return {k for k in stale if k in order} <= set(asked)


def upstream_first(specs: Iterable[dg.AssetSpec], wanted: set[dg.AssetKey]) -> list[dg.AssetKey]:
    """The wanted assets, each after those it depends on. The order of `specs` is that of dbt's manifest, where a model may come
    before those it reads."""
    graph = {spec.key: sorted(d.asset_key for d in spec.deps) for spec in sorted(specs, key=lambda s: s.key)}
    return [key for key in TopologicalSorter(graph).static_order() if key in wanted]


def _next(context: dg.AssetExecutionContext, place: Place, stages: Stages) -> Iterator[Any]:
    """Builds the next warehouse and puts it in place; yields what dbt did once it can be read there."""
    home = place.home_folder
    version, sources, of_code = stages.fingerprint("statistics"), stages.sources(), code("statistics")
    changed = None if place.full or place.engine == SPARK else start_part(home, of_code, sources)
    warehouse = start_whole(home) if changed is None else being_built(home)
    # Nothing is called made before it can be read in its place.
    put_in_place = partial(publish, home, place.date, version, of_code, sources, place.engine)
    yield from _build(context, place, warehouse, changed, put_in_place)


def _trial(context: dg.AssetExecutionContext, place: Place) -> Iterator[Any]:
    """Builds a part on a copy of the last warehouse."""
    home = place.home_folder
    warehouse = start_trial(home)

    def left_as_it_is() -> None:
        context.log.warning(
            f"A part of the statistics was built, on a copy of the warehouse: {warehouse}. "
            f"{home.warehouse} and the release stand as they were; launch the job 'refresh' for new ones."
        )

    yield from _build(context, place, warehouse, None, left_as_it_is)


def _build(
    context: dg.AssetExecutionContext,
    place: Place,
    warehouse: Path,
    changed: set[str] | None,
    finish: Callable[[], None],
) -> Iterator[Any]:
    """Runs dbt in `warehouse`, over what rests on the `changed` sources (`schema/table`) or, where that is None, over what Dagster
    selected; calls `finish`, then yields dbt's events. Raises StatisticsError where dbt failed, after yielding its checks."""
    from pipelines.records.load import load
    from pipelines.statistics.opened import open_rows

    report("statistics")
    load(place.home_folder, warehouse)
    open_rows(warehouse, place.load_contracts())
    give_back()
    events: list[Any] = []
    try:
        for event in _dbt(context, place, warehouse, changed):
            events.append(event)
    except StatisticsError:
        yield from (e for e in events if isinstance(e, dg.AssetCheckResult))
        raise
    if place.engine == SPARK:
        take_marts(tables_of_run(place.home_folder), warehouse)
        end_tables(place.home_folder)
    tables = tables_of(warehouse)
    made = {_table(context, e) for e in events if isinstance(e, dg.Output)}
    compiled = {name: path for name, path in compiled_models(place.home_folder).items() if name in made}
    lineage = column_lineage(place.home_folder, compiled, tables)
    finish()
    yield from (_with_metadata(context, e, tables, lineage) for e in events)


def _table(context: dg.AssetExecutionContext, output: Any) -> str:
    """The `schema/table` that an output of dbt stands for."""
    return "/".join(context.asset_key_for_output(output.output_name).path)


def _with_metadata(
    context: dg.AssetExecutionContext, event: Any, tables: Mapping[str, WarehouseTable], lineage: Mapping[str, Columns]
) -> Any:
    """An output of dbt with its row count, what its columns are computed from and, where no model states them, its columns."""
    if not isinstance(event, dg.Output):
        return event
    key, name = context.asset_key_for_output(event.output_name), _table(context, event)
    table = tables.get(name)
    if table is None:
        return event
    more: dict[str, Any] = {} if table.rows is None else {ROWS: table.rows}
    if name in lineage:
        more[LINEAGE] = dg.TableColumnLineage(
            {
                column: [dg.TableColumnDep(dg.AssetKey(of.split("/")), source) for of, source in found]
                for column, found in lineage[name].items()
            }
        )
    if COLUMNS not in context.assets_def.metadata_by_key.get(key, {}):
        more[COLUMNS] = dg.TableSchema(columns=[dg.TableColumn(n, kind) for n, kind in table.columns])
    return dg.Output(
        event.value,
        event.output_name,
        metadata={**event.metadata, **more},
        data_version=event.data_version,
        tags=event.tags,
    )


def _dbt(context: dg.AssetExecutionContext, place: Place, warehouse: Path, changed: set[str] | None) -> Iterator[Any]:
    """Yields what dbt did, as events. Raises StatisticsError where it failed, after the last of them."""
    home = place.home_folder
    executable = str(Path(sys.executable).with_name("dbt"))
    on_spark = place.engine == SPARK
    dbt = _Dbt(
        project_dir=str(PROJECT),
        profiles_dir=str(PROJECT),
        dbt_executable=executable,
        target=TARGET if on_spark else None,
    )
    (target(home) / "run_results.json").unlink(missing_ok=True)
    forget_other_project(target(home), PROJECT)
    how: dict[str, Any] = {"target_path": target(home), "raise_on_error": False}
    if on_spark:
        require_spark()
        told = environment_on_spark(home, place.date, start_tables(home), place.master, warehouse)
    else:
        told = environment(home, place.date, warehouse)
    with replaced_environment(told):
        if changed is None:
            run = dbt.cli(["build", *PRODUCTION], context=context, **how)
        else:
            # With a context dagster-dbt selects what Dagster selected, which is everything, whatever else is asked for.
            chosen = [f"source:{s.replace('/', '.')}+" for s in sorted(changed)]
            of: dict[str, Any] = {"manifest": manifest(), "dagster_dbt_translator": _Translator()}
            run = dbt.cli(["build", *PRODUCTION, "--select", " ".join(chosen)], **of, **how)
            run.context = context
    try:
        yield from run.stream()
        if not run.is_successful():
            raise failure(home, run._error_messages)
    finally:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
