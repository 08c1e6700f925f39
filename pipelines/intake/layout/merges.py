"""The merged cells of one grid; every question about them is answered here.

Belongs here: what a merge covers and what its text stands over. Not here: how a format tells of merges (formats), or what a
covered cell is worth (columns). Rows and columns are 0-based in `grid.rows`; the merges of a Grid are absolute.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from pipelines.intake.sheets import Grid

_LAST_OF_HEADERS = 3000  # below it no header is looked for
_WIDEST = 100  # columns: a merge of more is a title or a ruled-off part of the page
_HIGHEST = 10_000  # rows


class Merges:
    """The merged cells of `grid`. False where there are none; each map is made when it is first asked for.

    `left` and `right`: only the columns from one up to the other count, where given.
    """

    def __init__(self, grid: Grid, left: int = 0, right: int | None = None):
        self._all = [(a - grid.top, b - grid.left, c - grid.top, d - grid.left) for a, b, c, d in grid.merges or ()]
        if right is not None:
            self._all = [(a, b, c, min(d, right - 1)) for a, b, c, d in self._all if left <= b < right]
        self._rows = grid.rows

    def __bool__(self) -> bool:
        return bool(self._all)

    @cached_property
    def _over(self) -> dict[tuple[int, int], str]:
        """The text of each wide merge, at the positions it covers in its first row except the first."""
        out: dict[tuple[int, int], str] = {}
        for a, b, _, d in self._all:
            if d == b or a > _LAST_OF_HEADERS or not (0 <= a < len(self._rows)) or not (0 <= b < len(self._rows[a])):
                continue
            text = self._rows[a][b]
            if type(text) is str and text:
                for k in range(b + 1, min(d + 1, len(self._rows[a]))):
                    out[a, k] = text
        return out

    @cached_property
    def _tall(self) -> dict[int, list[tuple[int, int]]]:
        """Column -> the first and last row of each merge that is more than one row high."""
        out: dict[int, list[tuple[int, int]]] = {}
        for a, b, c, d in self._all:
            if c > a and d - b < _WIDEST:
                for k in range(b, d + 1):
                    out.setdefault(k, []).append((a, c))
        return out

    @cached_property
    def _ends(self) -> dict[tuple[int, int], int]:
        return {(a, j): c for j, spans in self._tall.items() for a, c in spans}

    def over(self, row: int, column: int) -> str:
        """The text of the wide merge that covers a position without beginning there; '' where none does."""
        return self._over.get((row, column), "") if self._all else ""

    def over_rows(self, first: int, last: int) -> tuple[tuple[int, int, str], ...]:
        """The non-empty results of `over` for the rows from `first` to `last`: row relative to `first`, column and text."""
        if not self._all:
            return ()
        return tuple([(r - first, j, text) for (r, j), text in self._over.items() if first <= r <= last])

    def wide_rows(self, first: int, last: int) -> list[int]:
        """The rows from `first` to `last` in which a wide merge with a text begins, the lowest one first."""
        return sorted({r for r, _ in self._over if first <= r <= last}, reverse=True) if self._all else []

    def end(self, row: int, column: int) -> int:
        """The last row of the merge that begins at a row in a column, which is the row itself where none does."""
        return self._ends.get((row, column), row) if self._all else row

    def tall(self, column: int) -> list[tuple[int, int]]:
        """The first and last row of each merge more than one row high in a column."""
        return self._tall.get(column, []) if self._all else []

    @cached_property
    def any_tall(self) -> bool:
        """Whether some merge is more than one row high."""
        return bool(self._all) and bool(self._tall)

    def covered(self, columns: Collection[int]) -> set[int]:
        """The rows that merges within one of these columns cover, except the first row of each."""
        out: set[int] = set()
        for a, b, c, d in self._all:
            if c > a and b == d and b in columns and c - a < _HIGHEST:
                out.update(range(a + 1, c + 1))
        return out

    def is_wide(self, row: int, column: int) -> bool:
        """Whether a merge that begins in a column covers further ones in a row."""
        return any(a <= row <= c and b == column and d > b for a, b, c, d in self._all)

    def under(self, first: int, last: int) -> set[int]:
        """The columns that merges touch in the rows from `first` to `last`."""
        return {j for a, b, c, d in self._all if a <= last and c >= first for j in range(b, d + 1)}
