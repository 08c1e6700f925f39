"""The letters of a spreadsheet's columns, in both directions.

Belongs here: column numbers and names. Not here: the row of an address, or files that openpyxl writes (it has its own).
"""

from __future__ import annotations

_LETTERS: dict[int, str] = {}


def column_letter(column: int) -> str:
    """The name of a column, 0-based: 0 is A, 27 is AB."""
    known = _LETTERS.get(column)
    if known is None:
        known, n = "", column + 1
        while n:
            n, rest = divmod(n - 1, 26)
            known = chr(65 + rest) + known
        _LETTERS[column] = known
    return known


def column_number(reference: str) -> int:
    """The column of a name or of a cell's address, 0-based: A is 0, AB and ab12 are 27; -1 where it begins with no letter."""
    column = 0
    for c in reference:
        if not c.isalpha():
            break
        column = column * 26 + ord(c.upper()) - 64
    return column - 1
