"""The current date in a city: the one module that asks the clock for a date.

Belongs here: the city's time zone and the date of today in it. Not here: the as-of date of a run (run.py and the place
resource resolve it once and pass it on), or moments, which are kept in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

# Divisions have codes of GB/T 2260, so a city lies in China, which has one time zone; city.yaml may name another.
DEFAULT_ZONE = "Asia/Shanghai"


def zone(city: Path) -> ZoneInfo:
    """Return the time zone that city.yaml names, else DEFAULT_ZONE. Raises CityError where the folder cannot be used."""
    try:
        named = yaml.safe_load((city / "city.yaml").read_text(encoding="utf-8")).get("time_zone") or DEFAULT_ZONE
        return ZoneInfo(named)
    except (OSError, yaml.YAMLError, AttributeError, TypeError, ValueError, KeyError):
        # read_city checks the whole file and raises the right message.
        from pipelines.core.city import read_city

        return ZoneInfo(read_city(city / "city.yaml")["time_zone"])


def today(city: Path) -> date:
    """Return today's date in the city's time zone."""
    return datetime.now(UTC).astimezone(zone(city)).date()
