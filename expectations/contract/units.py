"""Units of numbers: the shared table of their spellings and factors, and the unit that a header contains.

Belongs here: units.yaml and finding a unit in a header. Not here: units that one column adds (parse_column.py), or converting a
cell (pipelines/intake/values).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from pipelines.core.text import half_width, key

UNITS = Path(__file__).parents[1] / "units.yaml"
# How a number of these units is compared with other years, unless its column says otherwise: as a flow, measured anew in each
# period, or as a stock, carried from one to the next. Counts of other things vary by ten times and more.
FLOWS = frozenset(["kWh", "m³", "L", "t", "kg", "GJ", "tce", "元", "km", "人次", "min"])
STOCKS = frozenset(["㎡", "人", "kW"])
_BRACKETED = re.compile(
    r"\s*[(\[{【〔<《]\s*(?:(?:计量|金额|数量)?单位[:为是]?)?([^()\[\]{}【】〔〕<>《》]*)[)\]}】〕>》]"
)
_LIKE_A_UNIT = re.compile(
    r"[$£€¥%‰]|[A-Za-z$£€¥%][A-Za-z0-9$£€¥%²³^·/. -]+"
)  # (kBtu), (sq ft), ($): in brackets behind a name

unit_key = header_key = key  # a unit's spelling and a header are looked up alike


@lru_cache
def unit_table() -> dict[str, dict[str, Decimal]]:
    """Canonical unit -> spelling (NFKC, no spaces, lower case) -> factor to the canonical unit, from units.yaml."""
    import yaml

    raw = yaml.safe_load(UNITS.read_text(encoding="utf-8"))
    out = {}
    for unit, spellings in raw["units"].items():
        out[unit] = {unit_key(unit): Decimal(1)} | {unit_key(s): Decimal(str(f)) for s, f in spellings.items()}
    return out


def find_unit(header: str, units: Mapping[str, Decimal]) -> tuple[str, str] | None:
    """The header without the unit it contains, and that unit as written, where it is one of `units` (spelling -> factor).

    In brackets behind the name, or after a separator, any unit counts: 年养护费（万元）, Steam, kBtu. Attached to the name,
    only one with a factor other than 1 does: 人次 is a part of the name 就餐人次.
    """
    if not units:
        return None
    text = half_width(header)
    for found in _BRACKETED.finditer(text):
        for part in re.split(r"[,;、]|保留", found[1]):
            inner = part.strip()
            if unit_key(inner) in units:
                return text[: found.start()] + text[found.end() :], inner
    for unit in sorted(units, key=len, reverse=True):
        spaced = r"\s*".join(map(re.escape, unit))
        found_apart = re.search(rf"(?<=\w)\s*[\s_/,:;、\-]\s*(?:单位:?)?({spaced})\s*$", text, re.IGNORECASE)
        glued = None
        if found_apart is None and len(unit) > (2 if unit.isascii() else 1) and units[unit] != 1:
            glued = re.search(rf"(?<=\w)({spaced})\s*$", text, re.IGNORECASE)
        if at := found_apart or glued:
            return text[: at.start()], at[1]
    return None


def bracketed_units(header: str) -> Iterator[str]:
    """Each bracketed part of a header that is a known unit, or has the form of one."""
    known = {spelling for spellings in unit_table().values() for spelling in spellings}
    for found in _BRACKETED.finditer(half_width(header)):
        inner = found[1].strip()
        if unit_key(inner) in known or _LIKE_A_UNIT.fullmatch(inner):
            yield inner
