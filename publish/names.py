"""Names of the breakdowns of indicator_values and of their members, in both languages.

Belongs here: reading names.toml, and composing a name from it. Not here: codes of other columns (publish/site/vocabulary.py), names of
districts (the table divisions), which the caller hands over.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

Names = tuple[str, str]  # Chinese, English

_FILE = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
DIMENSIONS: dict[str, Names] = {code: (zh, en) for code, (zh, en) in _FILE["dimensions"].items()}
CARRIERS: dict[str, Names] = {code: (zh, en) for code, (zh, en) in _FILE["carriers"].items()}
SPECIAL: dict[str, Names] = {code: (zh, en) for code, (zh, en) in _FILE["special"].items()}
MEMBERS: dict[str, str] = _FILE["members"]  # English names
# Members whose codes contain the limits of a city (its limits.csv, by way of int_vehicle_facts).
LIMITS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"超([\d.]+)万公里(或例外)?"),
        lambda m: f"Over {float(m[1]) * 10_000:,.0f} km" + (", or an exception" if m[2] else ""),
    ),
    (
        re.compile(r"(全市|单位)不超([\d.]+)%"),
        lambda m: f"At most {m[2]} % of the {'city' if m[1] == '全市' else 'institution'}'s",
    ),
)


def dimension_names(dimension: str, declared: Callable[[str], Names | None] = lambda part: None) -> Names:
    """Return the names of a dimension; of a compound one (period/district) those of all parts. `declared` knows what a city declares."""
    parts = [DIMENSIONS.get(p) or declared(p) or (p, p) for p in dimension.split("/")]
    return " / ".join(p[0] for p in parts), " / ".join(p[1] for p in parts)


def member_names(code: str, districts: Mapping[str, Names]) -> Names:
    """Return the names of a member; a prefix of years (2021-2025/990101) is kept."""
    prefix, slash, rest = code.rpartition("/")
    zh, en = districts.get(rest) or SPECIAL.get(rest) or CARRIERS.get(rest) or (rest, english(rest))
    return prefix + slash + zh, prefix + slash + (en or zh)


def english(code: str) -> str:
    """Return the English name of a member whose code is its Chinese name; the code itself where none is known."""
    for pattern, name in LIMITS:
        if match := pattern.fullmatch(code):
            return name(match)
    return MEMBERS.get(code, code)
