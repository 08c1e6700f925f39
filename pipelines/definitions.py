"""The one Definitions object that Dagster loads, on the place that the settings name.

Belongs here: that object. Not here: what is in it (graph.py), which a run from the command line makes for its own place.
"""

from __future__ import annotations

import dagster as dg

from pipelines.assets.place import Place
from pipelines.graph import make_definitions
from pipelines.settings import Settings


def _from_settings() -> dg.Definitions:
    s = Settings()
    return make_definitions(
        Place(
            home=str(s.home.resolve()),
            inbox=s.inbox,
            contracts=[str(c) for c in s.contracts],
            city=str(s.city),
            as_of=s.as_of,
            full=s.full,
            processes=s.processes or 0,
            due_days=s.due_days,
        )
    )


defs = _from_settings()
