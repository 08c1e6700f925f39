"""The one Definitions object that Dagster loads, on the place that the settings name.

Belongs here: that object. Not here: what is in it (graph.py), which a run from the command line makes for its own place.
"""

from __future__ import annotations

from pipelines.assets.place import place_of
from pipelines.core.settings import Settings
from pipelines.graph import make_definitions

defs = make_definitions(place_of(Settings.read()))
