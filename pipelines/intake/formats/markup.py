"""What the formats in markup share: a table under construction, and how documents that declare anything are refused.

Not here: any one format (pages.py, xml2003.py). No entity is expanded, no DTD or link is followed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn
from xml.parsers import expat

from pipelines.intake.formats import number_format
from pipelines.intake.sheets import Grid, Merge

_MOST_CELLS = 5_000_000
DECLARES = "it brings a document type of its own"


class MarkupError(ValueError):
    """Markup that cannot be read; `unsafe` where it brings a document type of its own or claims an absurd size."""

    def __init__(self, why: str, unsafe: bool = False):
        super().__init__(why)
        self.unsafe = unsafe


class Table:
    """A table under construction: cells go where no span stands already."""

    def __init__(self, name: str = ""):
        self.name = name
        self.rows: list[list[Any]] = []
        self.merges: list[Merge] = []
        self.hidden_rows: list[int] = []
        self.hidden_columns: list[tuple[int, int]] = []  # first and last, 0-based
        self.hidden = False
        self.codes: dict[tuple[int, int], str] = {}  # number formats that tell something, by row and column, 0-based
        self._taken: dict[int, set[int]] = {}
        self._cells = 0

    def row(self, index: int | None = None) -> None:
        """Begins a row: the next, or the one at a 0-based index further down."""
        while index is not None and len(self.rows) < index:
            self.rows.append([])
            if len(self.rows) > 1_048_576:
                raise MarkupError("row number too large", unsafe=True)
        self.rows.append([])

    def cell(
        self, value: Any, across: int = 1, down: int = 1, column: int | None = None, code: str | None = None
    ) -> None:
        """Puts a cell into the current row, `across` columns wide and `down` rows high; `code` is its number format."""
        if not self.rows:
            self.row()
        r, row = len(self.rows) - 1, self.rows[-1]
        taken = self._taken.get(r, set())
        c = len(row) if column is None else column
        while column is None and c in taken:
            c += 1
        across, down = max(1, min(across, 16_384)), max(1, min(down, 65_536))
        self._cells += max(c + across - len(row), 0) + (down - 1) * across
        if self._cells > _MOST_CELLS or c > 16_384:
            raise MarkupError("spans too large", unsafe=True)
        row.extend([""] * (c - len(row)))
        row[c : c + across] = [value, *[""] * (across - 1)]
        if code and number_format.tells(code):
            self.codes[r, c] = code
        for i in range(r + 1, r + down):
            self._taken.setdefault(i, set()).update(range(c, c + across))
        if across > 1 or down > 1:
            self.merges.append((r, c, r + down - 1, c + across - 1))

    def grid(self) -> Grid:
        """The sheet that the table is; one that is hidden is not read."""
        if self.hidden:
            return Grid(self.name, [], hidden=True)
        hidden_rows = [r + 1 for r in self.hidden_rows]
        grid = Grid(
            self.name, self.rows, merges=self.merges, hidden_rows=hidden_rows, hidden_columns=self.hidden_columns
        )
        grid.formats = partial(number_format.of_cells, grid, self.codes)
        return grid


def span(text: str | None) -> int:
    """How many columns or rows an attribute says; 1 where it says nothing."""
    return int(text) if text and text.strip().isdigit() else 1


def refuse_declarations(parser: expat.XMLParserType, refuse: Callable[[], NoReturn]) -> None:
    """Has a parser call `refuse`, which raises, at a document type that declares anything: no spreadsheet program writes one."""

    def begins(_name: str, _system: str | None, _public: str | None, declares: bool) -> None:
        if declares:
            refuse()

    parser.StartDoctypeDeclHandler = begins
    parser.EntityDeclHandler = lambda *_: refuse()
    parser.ExternalEntityRefHandler = lambda *_: refuse()
