"""The topics of the site, read from topics.toml: their themes and the indicators that lead their pages."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_FILE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("topics.toml").read_text(encoding="utf-8"))

TOPICS: dict[str, str] = {topic: entry["theme"] for topic, entry in _FILE.items()}  # address -> theme
HOME: dict[str, list[str]] = {topic: entry["home"] for topic, entry in _FILE.items() if "home" in entry}
LEADING: dict[str, list[str]] = {topic: entry["leading"] for topic, entry in _FILE.items()}
