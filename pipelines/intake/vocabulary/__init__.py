"""Vocabulary of sheets, as data: one TOML file for each kind of word, each read once.

Belongs here: reading those files. Not here: what a word does to a cell or a row. A contract or a city adds words of its own to
them, see docs/contracts.md. TOML, because processes that only read spreadsheets never load a YAML parser.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@cache
def vocabulary(name: str) -> Mapping[str, Any]:
    """Return the file `name`.toml as TOML gives it. Raises FileNotFoundError."""
    return tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))
