"""A row under a header, and the context of a rule.

Belongs here: the shapes that rules look at, and the kinds that they answer with. Not here: the rules (ends.py, rules.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from pipelines.core.text import key, squeeze
from pipelines.intake.issues import as_shown
from pipelines.intake.layout.header_rows import NUMBERLIKE, HeaderCells, HeaderRows, Rows
from pipelines.intake.layout.headers import Mapped
from pipelines.intake.layout.merges import Merges
from pipelines.intake.layout.tables import Block, SheetTable
from pipelines.intake.layout.words import RowWords, Says

_MEASURED = ("decimal", "integer", "year", "month", "date")  # kinds of columns in which a text is odd


class RowKind(Enum):
    """The kind of a row. All but DATA and END are explained; totals are checked against the rows they sum up."""

    DATA = "data"
    TOTAL = "total"
    SECTION = "section"
    NOTE = "note"
    SIGNATURE = "signature"
    AMONG = "of which"
    EXAMPLE = "example"
    CONTINUED = "continued"
    HEADER = "header again"
    HEADING = "heading"
    NOTHING = "nothing reported"
    BLANK = "blank"
    SCRATCH = "below the signatures"
    END = "another table"


class SheetRow:
    """A row of a grid: `cells` is the whole row, `own` the cells of the table's columns from `left` on.

    `filled` of its own cells are not empty; `first` is the first of them that is no white space, at `place`, None where there
    is none; `says` what that says.
    """

    __slots__ = ("cells", "filled", "first", "i", "own", "place", "says")

    def __init__(self, i: int, cells: list[Any], left: int, right: int, words: RowWords):
        self.i, self.cells = i, cells
        self.own = cells[left:right] if left or right < len(cells) else cells
        self.filled = len(self.own) - self.own.count("")
        self.first: Any = None
        self.place, self.says = left, Says.NOTHING
        if self.filled:
            for at, v in enumerate(self.own, left):
                if v != "" and (type(v) is not str or not v.isspace()):
                    self.first, self.place = v, at
                    self.says = words.says(v) if type(v) is str else Says.NOTHING
                    break

    @property
    def texts(self) -> list[str]:
        """The texts in `own`."""
        return [v for v in self.own if type(v) is str and v and not v.isspace()]

    def signs(self, words: RowWords) -> bool:
        """Whether the row holds only labels of signatures or notes, each with at most one value after it."""
        labels = sum(1 for v in self.texts if words.says(v) in (Says.NOTE, Says.SIGNATURE))
        return self.filled <= 2 * labels


@dataclass(slots=True)
class SheetRows:
    """The context of a rule: all rows of the grid, its merges, the tables under the header `block`, and the one of them
    whose columns the row is looked at in. The rules of ENDS leave `until` and `following` here."""

    rows: list[list[Any]]
    merges: Merges
    headers: HeaderRows
    tables: Sequence[SheetTable]
    block: Block
    words: RowWords
    table: SheetTable
    until: int = -1  # the last row of a header that stands there again
    following: Block | None = None  # the next table's header
    window: tuple[int, int] = (0, 0)  # the first of the tables' own columns, and the one behind the last
    measured: Sequence[Mapped] = ()  # the columns of numbers and dates
    goes_on: dict[int, bool] = field(default_factory=dict)  # row of signatures -> whether the table goes on below it
    _own_first: set[str] = field(default_factory=set)
    _own_keys: set[tuple[str, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        places = [m.place for t in self.tables for m in t.choice.mapped]
        self.window = min(places), max(places) + 1
        self.measured = [m for t in self.tables for m in t.choice.mapped if m.column.kind in _MEASURED]

    def has_figures(self, cells: list[Any]) -> bool:
        """Whether the columns of numbers and dates hold only these: such a row, as most are, is no header."""
        found = False
        for m in self.measured:
            v = cells[m.place]
            if v != "":
                if type(v) is str and not NUMBERLIKE.match(v):
                    return False
                found = True
        return found

    def known_header(self, i: int, cells: list[Any], lowest: int | None = None) -> Block | None:
        """The header in row `i`, or None: searched for in the whole row, and in the tables' own columns."""
        if found := self._header_in(self.rows, i, cells, lowest, None):
            return found
        left, right = self.window
        if float in map(type, cells[left:right]) or not (any(cells[right:]) or any(cells[:left])):
            return None
        seen = HeaderCells(self.rows, left, right)
        found = self._header_in(seen, i, seen[i], lowest, right - left)
        return replace(found, window=(left, right)) if found else None

    def _header_in(self, rows: Rows, i: int, cells: list[Any], lowest: int | None, width: int | None) -> Block | None:
        headers = self.headers
        first = next((v for v in cells if v != "" and (type(v) is not str or not v.isspace())), None)
        if type(first) is not str or len(first) > headers.headers.longest:
            return None
        begins = squeeze(first)[:1].lower() in headers.headers.first_chars
        if not (begins and headers.may_be(cells)) and not headers.may_be_cut(rows, i, width):
            return None
        top = headers.top(rows, i, self.block) if lowest is None else lowest
        return headers.at(rows, i, top, self.merges, None)

    def is_own_header(self, cells: list[Any], first: str) -> bool:
        """Whether a row repeats a row of the header, word for word."""
        own = self.rows[self.block.first : self.block.last + 1]
        if not self._own_first:
            self._own_first = {squeeze(next((v for v in r if type(v) is str and v), "")) for r in own}
        if squeeze(first) not in self._own_first:
            return False
        self._own_keys = self._own_keys or {_key(r) for r in own}
        return _key(cells) in self._own_keys


def row_text(cells: Sequence[Any]) -> str:
    """A row's cells as `Control.pattern` is matched against them: folded, without colons, with `|` between them."""
    return "|".join(key(as_shown(v)).replace(":", "") for v in cells if v != "")


Rule = Callable[[SheetRow, SheetRows], RowKind | None]


def _key(row: list[Any]) -> tuple[str, ...]:
    return tuple([squeeze(v) if type(v) is str else "" for v in row])
