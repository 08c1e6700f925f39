"""An opened workbook: sheets of typed cells, independent of the file format.

Belongs here: what a cell can be, what a sheet tells besides its cells, the limits on one file, and why a file or a sheet is not
read. Not here: how any format is read, or what the cells mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

LARGEST_FILE = 50_000_000  # bytes
LARGEST_TEXT = 400_000_000  # of a separated text that can be read as columns
LARGEST_UNPACKED = 500_000_000
LARGEST_RATIO = 100  # unpacked to packed; counts only above SMALL_UNPACKED, because empty sheets pack that well
SMALL_UNPACKED = 50_000_000
MOST_CELLS = 20_000_000
UNPACKS_TOO_FAR = ("解压后的体积远大于文件本身", "it unpacks to far more than its own size")
MARK = "合成示例数据"
MARKS = tuple(MARK.encode(e) for e in ("utf-8", "utf-16-le", "gb18030"))
EXCERPT = "【明账节选】"  # begins an excerpt that was sent back to a department: no submission
FORM_ID = "mingzhang_dataset"  # the property of a form, which spreadsheet programs keep
FORM_LISTS = "选项"  # the hidden sheet of a form, its id in A1: for programs that drop properties

Merge = tuple[int, int, int, int]  # first row, first column, last row, last column; absolute and 0-based


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell without a reliable value, and the text shown in it (`text`).

    error: #REF! and its like. formula: nobody has computed it. picture: a picture embedded as a formula. struck: part of the text
    is struck out. marked: a superscript or subscript stands at a digit, which may be a footnote.
    """

    kind: Literal["error", "formula", "picture", "struck", "marked"]
    text: str


class Format(NamedTuple):
    """The difference between a cell's number and its display.

    percent: 0.85 is shown as 85%. power: the number is shown divided by ten to this. unit: the format writes this behind the
    number. zeros: a whole number is filled up to so many digits. `code` is the format as it stands in the file.
    """

    code: str
    percent: bool = False
    power: int = 0
    unit: str | None = None
    zeros: int = 0


Formats = Mapping[tuple[int, int], Format]


class Refusal(Exception):
    """A file, or a sheet, that is not read: an issue code, and for some of them why, in both languages."""

    def __init__(self, code: str, why: str = "", why_en: str = "", **fields: str):
        super().__init__(f"{code}: {why_en}")
        self.code = code
        self.fields: dict[str, str] = {"why": why, "why_en": why_en, **fields}


def broken(detail: str) -> Refusal:
    """The refusal of a file that its format's libraries cannot read; `detail` is their message."""
    return Refusal(
        "unreadable", "文件结构已损坏或格式不支持", f"broken or of an unknown format: {' '.join(detail.split())[:120]}"
    )


def megabytes(size: int) -> str:
    """A number of bytes as messages write it."""
    return f"{size / 1e6:.0f} MB"


@dataclass(slots=True)
class Grid:
    """The cells of one sheet. `rows[i][j]` is in spreadsheet row `top + i` (0-based) and column `left + j`.

    A cell is '' where empty, else str, int, float, bool, a date or time, or a Fault. Rows may be shorter than others. `merges`
    are absolute and 0-based; None where the format does not tell. `formats` gives the number formats that tell something, by
    absolute row and column, 0-based; None where the file does not tell; asked only where a number may hang on it. `refusal`: the
    sheet could not be read.
    """

    name: str
    rows: list[list[Any]]
    top: int = 0
    left: int = 0
    merges: list[Merge] | None = None
    hidden: bool = False
    hidden_rows: list[int] = field(default_factory=list)  # 1-based
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)  # first and last, absolute and 0-based
    formats: Callable[[], Formats | None] = field(default=lambda: None, repr=False)
    refusal: Refusal | None = None

    def lay(self, lines: Sequence[tuple[int, list[Any]]]) -> None:
        """Make `rows` of lines of values, each with its row, absolute and ascending; blank texts alone at the edges are none."""
        held = [(r, line, at) for r, line in lines if (at := _first(line)) is not None]
        if not held:
            return
        self.top, self.left = held[0][0], min(at for _, _, at in held)
        height, width = held[-1][0] - self.top + 1, max(len(line) for _, line, _ in held) - self.left
        if height * width > MOST_CELLS:
            self.refusal = Refusal("too_large", size=f"{height}×{width} 格", limit=f"{MOST_CELLS:,} 格")
            return
        rows: list[list[Any]] = []
        for r, line, _ in held:
            rows.extend([] for _ in range(r - self.top - len(rows)))
            rows.append(line[self.left :] if self.left else line)
        self.rows = rows

    def put(self, row: int, column: int, value: Any) -> None:
        """Put a value into a cell, `row` and `column` absolute and 0-based; the grid grows where it ended before it."""
        if not self.rows:
            self.top, self.left = row, column
        if row < self.top:
            self.rows[:0] = [[] for _ in range(self.top - row)]
            self.top = row
        if column < self.left:
            empty = [""] * (self.left - column)
            self.rows = [[*empty, *r] for r in self.rows]
            self.left = column
        r, c = row - self.top, column - self.left
        if r >= MOST_CELLS or c >= 16_384:
            return
        while len(self.rows) <= r:
            self.rows.append([])
        cells = self.rows[r]
        cells.extend([""] * (c + 1 - len(cells)))
        cells[c] = value


def _first(line: Sequence[Any]) -> int | None:
    """The place of the first value that is no blank text."""
    return next((c for c, v in enumerate(line) if v != "" and (type(v) is not str or v.strip())), None)


@dataclass(slots=True)
class Book:
    """A file that was opened. `synthetic`: its properties carry the mark of made-up data."""

    grids: list[Grid]
    synthetic: bool = False
    is_1904: Callable[[], bool] = lambda: False  # whether bare day numbers count from 1904; asked only where one stands
    dataset: str | None = None  # which form of ours it is, by the id that a form carries where nobody sees it


def form_of(book: Book) -> str | None:
    """The dataset whose form a file is, where it still carries the id."""
    lists = next((g for g in book.grids if g.hidden and g.name == FORM_LISTS and g.rows), None)
    return book.dataset or (lists.rows[0][0] if lists else None)
