"""The letters of a spreadsheet's columns.

Belongs here: a column's place to its letters and back. Not here: addresses of cells, which also need the sheet's top row.
"""

from __future__ import annotations

_LETTERS: dict[int, str] = {}


def letter(column: int) -> str:
    """The name of a column, 0-based: 0 is A, 27 is AB."""
    known = _LETTERS.get(column)
    if known is None:
        known, n = "", column + 1
        while n:
            n, rest = divmod(n - 1, 26)
            known = chr(65 + rest) + known
        _LETTERS[column] = known
    return known


def number(name: str) -> int:
    """A column's place, 0-based, by its name: A is 0, AB is 27."""
    place = 0
    for c in name:
        place = place * 26 + ord(c) - 64
    return place - 1
