"""The year or month that a header's cell is, or that its group of columns is of.

Belongs here: one cell by itself. Not here: the period of a sheet (heading.py), or columns that repeat one a period (header_rows.py).
"""

from __future__ import annotations

import re
from typing import Any

from pipelines.core.text import squeeze

_GROUP_YEAR = re.compile(r"((?:19|20)\d\d)(?:年度?|\.0)?")
_YEAR_BEGINS = frozenset("12１２ \u3000\n\t")
_YEAR_FIRST = re.compile(r"((?:19|20)\d\d)年度?.+")


def year_of_group(cell: Any, alone: bool) -> int | None:
    """The year that a header cell states for its column or group of columns: 2021年, or 2021年用电量 unless `alone`."""
    if isinstance(cell, float | int):
        return int(cell) if 1990 <= cell <= 2100 and cell == int(cell) else None
    if type(cell) is not str or not cell or cell[0] not in _YEAR_BEGINS or len(cell) > 40:
        return None
    text = squeeze(cell)
    found = _GROUP_YEAR.fullmatch(text) or (None if alone else _YEAR_FIRST.fullmatch(text))
    return int(found[1]) if found else None


class Month(int):
    """The month of a column: 3, or 202103 where its header has the year."""

    @property
    def parts(self) -> tuple[int | None, int]:
        """Its year, None where the header has none, and its month."""
        return (self // 100 or None), self % 100


_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_IN_ENGLISH = re.compile(
    rf"({'|'.join(_NAMES)})(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?\.?[-/,]?((?:19|20)\d\d)?", re.IGNORECASE
)
_IN_CHINESE = re.compile(r"(?:((?:19|20)\d\d)年)?(1[0-2]|0?[1-9])月份?")
_IN_FIGURES = re.compile(r"((?:19|20)\d\d)[-/.](1[0-2]|0?[1-9])")


def month_of_header(cell: Any) -> Month | None:
    """The month that a header cell is and nothing else: 3月, 2021年3月, 2021-03, Mar, March 2021."""
    if type(cell) is not str or not cell or len(cell) > 20:
        return None
    text = squeeze(cell)
    if found := _IN_CHINESE.fullmatch(text) or _IN_FIGURES.fullmatch(text):
        return Month(int(found[1] or 0) * 100 + int(found[2]))
    if found := _IN_ENGLISH.fullmatch(text):
        return Month(int(found[2] or 0) * 100 + _NAMES.index(found[1].lower()) + 1)
    return None
