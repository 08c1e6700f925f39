"""The fast path for rows that are plainly data, which nearly all are: checks whole columns instead of each row by every rule.

Belongs here: what makes a row plainly data. Not here: the rules (rules.py); a test holds the two against one another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.intake.layout.tables import SheetTable
from pipelines.intake.layout.words import RowWords, Says
from pipelines.intake.packed import Packed

_NUMBERS: set[type] = {float}
_TEXTS: set[type] = {str}
_AMOUNT = r"[+-]?\d[\d,]*(?:\.\d+)?"
_IS_AMOUNT = re.compile(_AMOUNT).fullmatch
ARE_AMOUNTS = re.compile(
    rf"{_AMOUNT}(?:\n{_AMOUNT})*"
).fullmatch  # a column of a text file, its cells one under another
_FIRST = (
    3  # columns from the first of a table's on in which any word that tells counts; further right only a total's does
)


class Plain:
    """Finds the rows of `table` that are certainly data. `rows`: all of the grid's."""

    def __init__(self, table: SheetTable, rows: list[list[Any]], words: RowWords):
        self._table, self._rows, self._words = table, rows, words
        self._place = min(m.place for m in table.choice.mapped)
        self._amounts = [m.place for m in table.choice.mapped if m.column.kind in ("decimal", "integer")]
        self._beyond = self._place + _FIRST
        self._blanks = len(rows[0]) - 4

    def block(self, first: int) -> range:
        """A range of rows from `first`, or just below it, that whole columns prove to be data: usually nearly all rows.

        That is: something in the first column, numbers all down some column, four columns without a gap, and no telling text.
        """
        first, last = self._edges(first)
        if last - first < 3:
            return range(0)
        columns = self._turned(first, last)
        types: list[set[type]] = [_TEXTS if type(c) is Packed else set(map(type, c)) for c in columns]
        if not self._are_data(columns, types, first, last):
            return range(0)
        self._table.columns, self._table.types = columns, types
        return range(first, last)

    def after(self, i: int) -> int:
        """The row after the run of data rows that begins at `i`; `i` where it is no such row."""
        return i + self.is_data(self._rows[i])

    def _edges(self, first: int) -> tuple[int, int]:
        """The range of rows from `first` on, without rows at both ends that are certainly no data."""
        rows, place, beyond = self._rows, self._place, self._beyond
        last = len(rows)
        while last > first and (
            rows[last - 1][place] == ""
            or not self._has_amount(rows[last - 1])
            or self._is_no_data(rows[last - 1][:beyond])
        ):
            last -= 1
        while first < last and (not self._has_amount(rows[first]) or self._is_no_data(rows[first][:beyond])):
            first += 1
        return first, last

    def _turned(self, first: int, last: int) -> list[Sequence[Any]]:
        return list(zip(*self._rows[first:last], strict=False))

    def _are_data(self, columns: Sequence[Sequence[Any]], types: Sequence[set[type]], first: int, last: int) -> bool:
        """Whether the rows from `first` up to `last`, given as columns, are certainly data."""
        place, beyond = self._place, self._beyond
        full = 0
        for c, kinds in zip(columns, types, strict=True):
            full += str not in kinds or "" not in c
            if full == 4:
                break
        if full < 4 or (str in types[place] and "" in columns[place]):
            return False
        if _NUMBERS not in types and not any(
            types[p] == {str} and ARE_AMOUNTS("\n".join(columns[p])) for p in self._amounts
        ):
            return False
        for c, kinds in zip(columns[:beyond], types, strict=False):
            if str in kinds and self._is_no_data(set(c)):
                return False
        for c, kinds in zip(columns[beyond:], types[beyond:], strict=True):
            if str in kinds and self._words.any_total(set(c)):
                return False
        return True

    def is_data(self, row: list[Any]) -> bool:
        """Whether a row has few blanks, a number, and no text that indicates another kind of row."""
        return (
            row[self._place] != ""
            and row.count("") <= self._blanks
            and (float in map(type, row) or self._has_amount(row))
            and not self._is_no_data(row[: self._beyond])
            and not self._words.any_total(row[self._beyond :])
        )

    def _has_amount(self, row: list[Any]) -> bool:
        """Whether a row has a number; in a text file, a numeric text in a column of numbers."""
        if float in map(type, row):
            return True
        return any(type(v := row[p]) is str and v and _IS_AMOUNT(v) is not None for p in self._amounts)

    def _is_no_data(self, texts: Iterable[Any]) -> bool:
        """Whether a cell's text indicates that its row is no data."""
        known = self._words.known
        for v in texts:
            if type(v) is str and v:
                says = known.get(v)
                if says or (says is None and self._words.says(v) is not Says.NOTHING):
                    return True
        return False
