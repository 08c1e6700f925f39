"""The Dagster definitions of one home: assets, job and schedule.

Belongs here: that one function. Not here: any work, or which place Dagster itself works on (definitions.py).
"""

from __future__ import annotations

import dagster as dg

from pipelines.assets.feedback import feedback
from pipelines.assets.given import given
from pipelines.assets.intake import readings, received
from pipelines.assets.place import Place
from pipelines.assets.records import records_asset
from pipelines.assets.release import release_asset
from pipelines.assets.statistics import statistics_assets
from pipelines.core.clock import zone


def make_definitions(place: Place) -> dg.Definitions:
    """All of the platform's definitions, working on `place`."""
    records = records_asset(place.load_contracts())
    statistics = statistics_assets()
    marts = sorted(k for k, g in statistics.group_names_by_key.items() if g == "marts")
    refresh = dg.define_asset_job(
        "refresh",
        selection=dg.AssetSelection.all(),
        description="From the inbox to a release: the whole way, once.",
    )
    return dg.Definitions(
        assets=[given, received, readings, records, feedback, statistics, release_asset(marts)],
        jobs=[refresh],
        schedules=[
            dg.ScheduleDefinition(
                name="nightly",
                job=refresh,
                cron_schedule="0 2 * * *",
                execution_timezone=zone(place.city_folder).key,
                description="Every night at two in the city. Off until somebody switches it on.",
            )
        ],
        resources={"place": place},
        executor=dg.in_process_executor,
    )
