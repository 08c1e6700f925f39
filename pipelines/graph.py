"""The Dagster definitions of one home: assets, job, schedule and sensors.

Belongs here: that one function. Not here: any work, or which place Dagster itself works on (definitions.py).
"""

from __future__ import annotations

import dagster as dg

from pipelines.assets.feedback import feedback
from pipelines.assets.given import given
from pipelines.assets.intake import readings, received_asset
from pipelines.assets.place import Place
from pipelines.assets.records import GIVEN, make, records_asset
from pipelines.assets.release import release_asset
from pipelines.assets.sensors import failure_sensor, source_sensor
from pipelines.assets.statistics import statistics_assets
from pipelines.assets.years import KEY, years_asset
from pipelines.core.clock import zone


def make_definitions(place: Place) -> dg.Definitions:
    """All of the platform's definitions, working on `place`."""
    contracts, sources = place.load_contracts(), place.sources()
    statistics = statistics_assets()
    marts = sorted(k for k, g in statistics.group_names_by_key.items() if g == "marts")
    refresh = dg.define_asset_job(
        "refresh",
        selection=dg.AssetSelection.all() - dg.AssetSelection.assets(KEY),
        description="从收件到发布 From the inboxes to a release: the whole way, once.",
    )
    return dg.Definitions(
        assets=[
            given,
            received_asset(sources),
            readings,
            records_asset(contracts),
            years_asset(contracts, GIVEN, make),
            feedback,
            statistics,
            release_asset(marts),
        ],
        jobs=[refresh],
        schedules=[
            dg.ScheduleDefinition(
                name="nightly",
                job=refresh,
                cron_schedule="0 2 * * *",
                execution_timezone=zone(place.city_folder).key,
                description="每天凌晨两点 Every night at two, in the city's time zone. Off until somebody switches it on.",
            )
        ],
        sensors=[
            *(source_sensor(s, refresh, place.home) for s in sources),
            failure_sensor(place.home),
            dg.AutomationConditionSensorDefinition(
                "stale",
                target=dg.AssetSelection.all(),
                description="只重做过期的 Makes again what is stale, and nothing else. Off until somebody switches it on.",
                minimum_interval_seconds=60,
            ),
        ],
        resources={"place": place},
        executor=dg.in_process_executor,
    )
