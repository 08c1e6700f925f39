"""The statistics: one asset per dbt model, its tests as checks, in one dbt run.

Belongs here: giving dbt a warehouse to work in and putting it in place when dbt is done. Not here: any SQL.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets
from packaging.version import Version

from pipelines.assets.place import Place
from pipelines.memory import give_back
from pipelines.records.load import load
from pipelines.statistics.city import load_city
from pipelines.statistics.run import PRODUCTION, PROJECT, being_built, environment, failure, manifest, publish


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
    """The dbt project as assets. Its manifest is made here where it is missing, so that a fresh clone loads."""

    @dbt_assets(manifest=manifest(), name="statistics", dagster_dbt_translator=_Groups())
    def statistics(context: dg.AssetExecutionContext, place: Place) -> Iterator[Any]:
        home = place.home_folder
        load_city(place.city_folder, home)
        being_built(home).unlink(missing_ok=True)
        load(home, being_built(home))
        give_back()
        os.environ.update(environment(home, place.date))
        executable = str(Path(sys.executable).with_name("dbt"))
        dbt = _Dbt(project_dir=str(PROJECT), profiles_dir=str(PROJECT), dbt_executable=executable)
        target = Path(environment(home)["DBT_TARGET_PATH"])
        run = dbt.cli(["build", *PRODUCTION], context=context, target_path=target, raise_on_error=False)
        yield from run.stream()
        if not run.is_successful():
            raise failure(home)
        publish(home)

    return statistics
