"""The fast path of plain.py over Arrow columns, for a large sheet of texts.

Belongs here: the same questions, each asked once of a column or of its distinct texts. Not here: what makes a row plainly data
(plain.py), or a row for which the answer is no: it goes to the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.intake.layout.plain import ARE_AMOUNTS, Plain
from pipelines.intake.layout.tables import SheetTable
from pipelines.intake.layout.words import RowWords
from pipelines.intake.packed import LargeRows

Mask = NDArray[np.bool_]
_AMOUNT = r"^[+-]?[0-9][0-9,]*(?:\.[0-9]+)?$"  # in ASCII digits; a row of other digits is looked at by itself


class PlainColumns(Plain):
    """As `Plain`, for rows stored as columns. A mask has an element for each row of the sheet."""

    def __init__(self, table: SheetTable, rows: LargeRows, words: RowWords):
        super().__init__(table, rows, words)  # type: ignore[arg-type]  # rows are only read
        self._large = rows
        self._known: dict[int, Mask] = {}  # of columns of amounts

    def after(self, i: int) -> int:
        """As `Plain.after`, over all rows at once."""
        if not self._plain[i]:
            return super().after(i)
        k = int(np.searchsorted(self._not_plain, i))
        return int(self._not_plain[k]) if k < len(self._not_plain) else len(self._plain)

    def _turned(self, first: int, last: int) -> list[Sequence[Any]]:
        return [self._large.column(p, first, last) for p in range(self._large.width)]

    def _are_data(self, columns: Sequence[Sequence[Any]], types: Sequence[set[type]], first: int, last: int) -> bool:
        rows = slice(first, last)
        if sum(bool(f[rows].all()) for f in self._filled) < 4 or not self._filled[self._place][rows].all():
            return False
        if not any(self._are_amounts(p, rows) for p in self._amounts):
            return False
        return not self._no_data[rows].any() and not self._totals[rows].any()

    def _are_amounts(self, place: int, rows: slice) -> bool:
        """Whether each cell of a column is an amount, however it is written."""
        others = ~self._amount(place)[rows]
        if not others.any():
            return True
        column = self._large.column(place, rows.start, rows.stop).array
        return all(map(ARE_AMOUNTS, column.filter(pa.array(others)).unique().to_pylist()))

    @cached_property
    def _filled(self) -> list[Mask]:
        return [_mask(self._large.filled(p)) for p in range(self._large.width)]

    def _amount(self, place: int) -> Mask:
        """Mask of the cells of a column that are amounts."""
        if place not in self._known:
            self._known[place] = _mask(pc.match_substring_regex(self._large.columns[place], _AMOUNT))
        return self._known[place]

    @cached_property
    def _no_data(self) -> Mask:
        """Mask of the rows whose first columns hold a text that indicates a kind of row."""
        return self._any(range(self._beyond), lambda text: self._is_no_data([text]))

    @cached_property
    def _totals(self) -> Mask:
        """Mask of the rows with a total's word after the first columns."""
        parts = self._words.total_parts()
        return self._any(range(self._beyond, self._large.width), lambda text: self._words.any_total([text]), parts)

    def _any(self, places: range, is_so: Callable[[str], bool], parts: Sequence[str] | None = None) -> Mask:
        """Mask of the rows in which a text of some columns fulfils a condition; `parts`: only texts with one of these are examined."""
        out = np.zeros(len(self._large), bool)
        for p in places:
            column = self._large.columns[p]
            if parts is not None:
                asked = np.any([_mask(pc.match_substring(column, part)) for part in parts], axis=0)
            elif p in self._amounts and not self._words.figures_tell:
                asked = ~self._amount(p)
            else:
                asked = np.ones(len(out), bool)
            encoded = column.filter(pa.array(asked)).dictionary_encode()
            so = np.array([is_so(text) for text in encoded.dictionary.to_pylist()], bool)
            if so.any():
                out[asked] |= so[encoded.indices.to_numpy()]
        return out

    @cached_property
    def _plain(self) -> Mask:
        """Mask of the rows for which `is_data` is true, except some with digits other than ASCII's."""
        filled = np.sum(self._filled, axis=0)
        amount = np.any([np.zeros(len(self._large), bool), *map(self._amount, self._amounts)], axis=0)
        enough = self._large.width - filled <= self._blanks
        return np.asarray(self._filled[self._place] & enough & amount & ~self._no_data & ~self._totals)

    @cached_property
    def _not_plain(self) -> NDArray[np.intp]:
        return np.flatnonzero(~self._plain)


def _mask(booleans: pa.Array) -> Mask:
    return np.asarray(booleans.to_numpy(zero_copy_only=False))
