"""What each row under a header is: an ordered list of named rules, of which the first that answers counts.

Belongs here: the rules, and the order in which they are asked. A rule looks at a row and its sheet and says what kind of row it
is, or None; its name is kept as the reason. What no rule answers is data: nothing is dropped without a reason. Not here: what a
text says by itself (words.py), or where headers are (header_rows.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from pipelines.core.text import squeeze
from pipelines.intake.layout.header_rows import HeaderRows, Rows, Seen, is_column_numbers
from pipelines.intake.layout.headers import Mapped
from pipelines.intake.layout.merges import Merges
from pipelines.intake.layout.tables import Block, Table
from pipelines.intake.layout.words import NONE, NOTHING_MARKS, WHOLE_DATE, YEAR_SECTION, Says, Words
from pipelines.intake.values import Bad, column_reader

_FEWEST = 3  # columns of a table in which a lone number of a row was written beforehand
_WIDE = 4  # columns of a table in which a lone name is no row of data: no clerk leaves nine of ten cells empty
_FEW = 3  # cells of a note
_REMARK = 30  # characters of a lone text that is a remark, whatever its column
_MEASURED = ("decimal", "integer", "year", "month", "date")  # kinds of columns in which a text is odd
_UNDER = 6  # rows below an unknown header in which its first numbers stand


class Kind(Enum):
    """What a row is. All but DATA and END are explained; totals are held against the rows they sum up."""

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


class Row:
    """A row of a grid: `cells` all of it, `own` those of the table's columns from `left` on.

    `filled` of its own cells are not empty; `first` is the first of them that is no white space, at `place`, None where there
    is none; `says` what that says.
    """

    __slots__ = ("cells", "filled", "first", "i", "own", "place", "says")

    def __init__(self, i: int, cells: list[Any], left: int, right: int, words: Words):
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
        """The texts among its own cells."""
        return [v for v in self.own if type(v) is str and v and not v.isspace()]


@dataclass(slots=True)
class Sheet:
    """What the rules know beside a row: all rows of the grid, its merges, the tables under the header `block`, and the one of them
    whose columns the row is looked at in. The rules of ENDS leave `until` and `following` here."""

    rows: list[list[Any]]
    merges: Merges
    headers: HeaderRows
    tables: Sequence[Table]
    block: Block
    words: Words
    table: Table
    until: int = -1  # the last row of a header that stands there again
    following: Block | None = None  # the next table's header
    window: tuple[int, int] = (0, 0)  # the first of the tables' own columns, and the one behind the last
    measured: Sequence[Mapped] = ()  # the columns of numbers and dates
    _own_first: set[str] = field(default_factory=set)
    _own_keys: set[tuple[str, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        places = [m.place for t in self.tables for m in t.choice.mapped]
        self.window = min(places), max(places) + 1
        self.measured = [m for t in self.tables for m in t.choice.mapped if m.column.kind in _MEASURED]

    def known_header(self, i: int, cells: list[Any], lowest: int | None = None) -> Block | None:
        """The header that row `i` is, if it is one: looked at as a whole, and in the tables' own columns alone."""
        if found := self._header_in(self.rows, i, cells, lowest, None):
            return found
        left, right = self.window
        if float in map(type, cells[left:right]) or not (any(cells[right:]) or any(cells[:left])):
            return None
        seen = Seen(self.rows, left, right)
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
        """Whether a row is one of the header's, word for word."""
        own = self.rows[self.block.first : self.block.last + 1]
        if not self._own_first:
            self._own_first = {squeeze(next((v for v in r if type(v) is str and v), "")) for r in own}
        if squeeze(first) not in self._own_first:
            return False
        self._own_keys = self._own_keys or {_key(r) for r in own}
        return _key(cells) in self._own_keys


Rule = Callable[[Row, Sheet], Kind | None]


# ---- where the rows of a header end: asked once of a row


def header_again(row: Row, sheet: Sheet) -> Kind | None:
    """The header again, on a new page, with a row of column numbers under it."""
    if row.i <= sheet.until:
        return Kind.HEADER
    if (
        type(row.first) is str
        and len(row.first) <= sheet.headers.headers.longest
        and sheet.is_own_header(row.cells, row.first)
    ):
        below = row.i + 1
        sheet.until = below if below < len(sheet.rows) and is_column_numbers(sheet.rows[below]) else row.i
        return Kind.HEADER
    return None


def other_header(row: Row, sheet: Sheet) -> Kind | None:
    """The header of another table; or the same one again, put otherwise. It may share its line with a table to the right."""
    other = sheet.known_header(row.i, row.cells)
    if other is None:
        return None
    if sheet.headers.same(other, sheet.block):
        sheet.until = other.last
        return Kind.HEADER
    sheet.following = other
    return Kind.END


def header_of_no_table(row: Row, sheet: Sheet) -> Kind | None:
    """Names of columns, some of them where numbers and dates stand: a header that lacks what makes a table of any dataset."""
    resolve, cells = sheet.headers.headers.resolve, row.cells
    odd = (m for m in sheet.measured if type(v := cells[m.place]) is str and v and not v[0].isdigit() and resolve(v))
    if not any(_is_bad(m, cells[m.place]) for m in odd):
        return None
    named = [m for t in sheet.tables for m in t.choice.mapped if type(v := cells[m.place]) is str and v and resolve(v)]
    if len(named) < 2 or not any(t.data for t in sheet.tables):
        return None
    return _another_table(row.i, sheet)


def unknown_header(row: Row, sheet: Sheet) -> Kind | None:
    """The header of another table, in words nobody knows: different texts where this table has numbers and dates, none of them
    readable as one, and numbers right below."""
    i, rows = row.i, sheet.rows
    for m in sheet.measured:
        if type(row.cells[m.place]) is not str:
            return None
    left, right = sheet.window
    cells = row.cells[left:right]
    filled = [v for v in cells if v != ""]
    if i + 1 >= len(rows) or len(filled) < 2 or any(type(v) is not str for v in filled):
        return None
    if len(set(filled)) < len(filled) or max(map(len, filled)) > sheet.headers.headers.longest:
        return None
    # The first numbers stand under it, or under its second line or its translation.
    below = (r for r in rows[i + 1 : i + 1 + _UNDER] if any(type(v) is not str for v in r[left:right]))
    under = next(below, [])
    lost = numbers = 0
    for m in sheet.measured:
        v = row.cells[m.place]
        if v == "":
            continue
        if not _is_bad(m, v):
            return None  # a number, a date, or a word for nothing: data
        lost += 1
        numbers += bool(under) and type(under[m.place]) in (float, int)
    above = rows[i - 1][left:right]
    apart = above.count("") >= len(above) - 1
    return _another_table(i, sheet) if numbers and (lost > 1 or apart) else None


def _is_bad(m: Mapped, value: Any) -> bool:
    return type(column_reader(m.column, None, None, False)(value)) is Bad


def _another_table(i: int, sheet: Sheet) -> Kind:
    """Ends the tables at row `i`, where another begins that nobody knows. The next header that somebody knows is looked for."""
    rows = sheet.rows
    sheet.following = next((b for k in range(i, len(rows)) if (b := sheet.known_header(k, rows[k], i))), None)
    until = sheet.following.first if sheet.following else len(rows)
    sheet.tables[0].foreign = (i, until) if until > i else None
    return Kind.END


# ---- what a row is: asked of it for each table whose columns it crosses


def blank(row: Row, sheet: Sheet) -> Kind | None:
    """Nothing but white space."""
    return Kind.BLANK if row.first is None else None


def total_by_name(row: Row, sheet: Sheet) -> Kind | None:
    """全国: what the contract calls rows that sum up others."""
    if sheet.words.names:
        for m in sheet.table.choice.mapped:
            v = row.cells[m.place]
            if type(v) is str and v and m.column.kind in ("string", "enum") and sheet.words.is_name(v):
                return Kind.TOTAL
    return None


def total(row: Row, sheet: Sheet) -> Kind | None:
    """合计 in its first cell."""
    return Kind.TOTAL if row.says is Says.TOTAL else None


def among(row: Row, sheet: Sheet) -> Kind | None:
    """其中：车辆, a part of the row above."""
    return Kind.AMONG if row.says is Says.AMONG else None


def continued(row: Row, sheet: Sheet) -> Kind | None:
    """续表, over the rest of a table on a new page."""
    return Kind.CONTINUED if row.says is Says.CONTINUED else None


def example(row: Row, sheet: Sheet) -> Kind | None:
    """填写示例 beside the columns of a form, with the row it shows; 示例 under a header may be a value."""
    return Kind.EXAMPLE if row.says is Says.EXAMPLE and row.place not in sheet.table.named else None


def among_in_name(row: Row, sheet: Sheet) -> Kind | None:
    """1.1 | 其中：灯具: in a column of texts that every row has."""
    if row.filled > 1:
        for p in sheet.table.words:
            v = row.cells[p]
            if type(v) is str and v and sheet.words.says(v) is Says.AMONG:
                return Kind.AMONG
    return None


def total_further_right(row: Row, sheet: Sheet) -> Kind | None:
    """合计 behind numbers or a blank cell, where it is not the value of a full row of data."""
    if row.filled > 1:
        for v in row.own[row.place - sheet.table.left + 1 :]:
            if type(v) is str and v and sheet.words.is_total(v) and _can_total(sheet.table, row.cells, v):
                return Kind.TOTAL
    return None


def merged_down(row: Row, sheet: Sheet) -> Kind | None:
    """A row that merged cells of the one above reach down into: what they say of it stands there."""
    if row.i not in sheet.table.covered:
        return None
    return Kind.DATA if any(row.cells[m.place] != "" for m in sheet.table.choice.mapped) else Kind.BLANK


def numbered_beforehand(row: Row, sheet: Sheet) -> Kind | None:
    """A line of a form that has its number and was never filled in."""
    t = sheet.table
    if row.filled > 1 or row.place not in t.counters or len(t.choice.mapped) < _FEWEST:
        return None
    if row.says in (Says.NOTE, Says.SIGNATURE, Says.SECTION) or (_is_few_texts(row) and _is_in_heading(row, t)):
        return None
    return Kind.BLANK


def numbered_group(row: Row, sheet: Sheet) -> Kind | None:
    """一 | 市直单位 in a column that counts the rows 1, 2, 3: a group of them, with its sums or without."""
    if row.says is not Says.GROUP or row.place not in sheet.table.counters:
        return None
    if not _counts_in_digits(sheet.rows[sheet.block.last + 1 :], row.place):
        return None
    return Kind.TOTAL if float in map(type, row.own) else Kind.SECTION


def nothing_reported(row: Row, sheet: Sheet) -> Kind | None:
    """无 or a dash in each filled cell, or beside the name of an institution that had nothing to report."""
    texts = row.texts
    if type(row.first) is not str or len(texts) < row.filled:
        return None
    if all(squeeze(v).lower() in NOTHING_MARKS for v in texts):
        return Kind.NOTHING
    if NONE not in texts:
        return None
    mapped = sheet.table.choice.mapped
    said = [m.column for m in mapped if row.cells[m.place] != "" and _says_something(row.cells[m.place])]
    marks = sum(not _says_something(v) for v in texts)
    return Kind.NOTHING if len(said) == 1 and said[0].institution is not None and 2 * marks >= len(mapped) else None


def note(row: Row, sheet: Sheet) -> Kind | None:
    """注：…, in few cells, all of them texts; it may go on for some rows."""
    if not _is_few_texts(row) or not (
        row.says is Says.NOTE or (row.filled == 1 and sheet.table.noted == row.i - 1 and row.says is not Says.SIGNATURE)
    ):
        return None
    sheet.table.noted = row.i
    return Kind.NOTE


def signature(row: Row, sheet: Sheet) -> Kind | None:
    """填表人：… 审核人：…, in few cells, all of them texts."""
    if not _is_few_texts(row) or row.says is not Says.SIGNATURE:
        return None
    sheet.table.noted = row.i
    return Kind.SIGNATURE


def heading_again(row: Row, sheet: Sheet) -> Kind | None:
    """A line of the heading again, on a new page."""
    return Kind.HEADING if _is_few_texts(row) and _is_in_heading(row, sheet.table) else None


def section(row: Row, sheet: Sheet) -> Kind | None:
    """一、市直单位, or 2021年: a lone text that names a part of the table, or is a remark, rather than half a row of data."""
    return Kind.SECTION if row.filled == 1 and _is_few_texts(row) and _is_section(row, sheet) else None


def note_filled_in(row: Row, sheet: Sheet) -> Kind | None:
    """备注：, 填表人：, 电话： each with what was filled in behind it: a name, a date, a number to call."""
    if row.says is not Says.NOTE and row.says is not Says.SIGNATURE:
        return None
    kind = Kind.NOTE if row.says is Says.NOTE else Kind.SIGNATURE
    if row.filled <= 2 * sum(1 for v in row.texts if sheet.words.says(v) in (Says.NOTE, Says.SIGNATURE)):
        return kind
    required = [m for m in sheet.table.choice.mapped if m.column.required]
    return kind if sum(1 for m in required if row.cells[m.place] != "") * 2 < len(required) else None


def beside_the_columns(row: Row, sheet: Sheet) -> Kind | None:
    """Nothing under any of the table's headers; of tables that share columns, one a year, nothing of this year's."""
    t, cells = sheet.table, row.cells
    if all(cells[m.place] == "" for m in t.choice.mapped) or (t.own and all(cells[p] == "" for p in t.own)):
        return Kind.BLANK
    return None


# ---- the last rows of a table: asked of its last row of data, again and again while a rule answers


def signing_date(row: Row, sheet: Sheet) -> Kind | None:
    """A lone date under the last row, with which a sheet is signed.

    A narrow table may have a row of which nothing but a date was filled in: there it is a signature only where a blank
    row or a note stands between, where it stands in a column of texts, or where it is written as no other date is.
    """
    t, rows = sheet.table, sheet.rows
    if row.filled != 1 or len(t.data) < 2 or row.i in t.covered:
        return None
    v = row.first
    text = squeeze(v) if type(v) is str else ""
    under = next((m.column for m in t.choice.mapped if m.place == row.place), None)
    if under is None or not (isinstance(v, dt.date) or WHOLE_DATE.match(text)):
        return None
    others = [rows[k][row.place] for k in t.data[:-1]]
    alike = any(("年" in squeeze(o) if type(o) is str else False) == ("年" in text) for o in others if o != "")
    apart = t.data[-2] < row.i - 1
    wide = len(t.choice.mapped) >= _WIDE
    return Kind.SIGNATURE if wide or apart or under.kind not in ("date", "month") or not alike else None


def signing_office(row: Row, sheet: Sheet) -> Kind | None:
    """The name of an office right above the date with which a sheet is signed, and apart from the rows above."""
    t = sheet.table
    signed = t.reasons.get(row.i + 1) == signing_date.__name__
    alone = row.cells.count("") == len(row.cells) - 1 and type(row.first) is str
    return Kind.SIGNATURE if signed and alone and len(t.data) > 1 and t.data[-2] < row.i - 1 else None


def below_signatures(row: Row, sheet: Sheet) -> Kind | None:
    """Sums and remarks beside the form, below its line of signatures, that lack what rows of the table have: a form that is signed
    at the end of each page goes on with rows that have it, or with its header."""
    t = sheet.table
    signed = max((s for s in t.signed if s < row.i), default=-1)
    if signed < 0 or row.i in t.covered:
        return None
    goes_on = (header_again.__name__, continued.__name__)
    if any(t.reasons.get(r) in goes_on for r in range(signed + 1, row.i)):
        return None
    above = [i for i in t.data if i < t.signed[0]]
    return Kind.SCRATCH if above and not _is_like(row, [sheet.rows[i] for i in above], t) else None


ENDS: tuple[Rule, ...] = (header_again, other_header, header_of_no_table, unknown_header)
RULES: tuple[Rule, ...] = (
    blank,
    total_by_name,
    total,
    among,
    continued,
    example,
    among_in_name,
    total_further_right,
    merged_down,
    numbered_beforehand,
    numbered_group,
    nothing_reported,
    note,
    signature,
    heading_again,
    section,
    note_filled_in,
    beside_the_columns,
)
LAST: tuple[Rule, ...] = (signing_date, signing_office, below_signatures)


def judge(row: Row, sheet: Sheet, rules: Sequence[Rule]) -> tuple[Kind, str] | None:
    """The kind of a row by the first rule that answers, and that rule's name; None where none does."""
    for rule in rules:
        kind = rule(row, sheet)
        if kind is not None:
            return kind, rule.__name__
    return None


# ---- what several rules ask


def _key(row: list[Any]) -> tuple[str, ...]:
    return tuple([squeeze(v) if type(v) is str else "" for v in row])


def _is_few_texts(row: Row) -> bool:
    return row.filled <= _FEW and type(row.first) is str and len(row.texts) == row.filled


def _is_in_heading(row: Row, t: Table) -> bool:
    return squeeze(row.first) in t.facts.texts


def _is_like(row: Row, above: Sequence[list[Any]], t: Table) -> bool:
    """Whether a row has what most rows above have in the columns that each must have; where there are none, in most columns."""

    def usual(mapped: Sequence[Mapped]) -> list[Mapped]:
        return [m for m in mapped if 2 * sum(r[m.place] != "" for r in above) >= len(above)]

    def reads(m: Mapped) -> bool:
        v = row.cells[m.place]
        return v != "" and type(column_reader(m.column, None, t.facts.year, False)(v)) is not Bad

    needed = usual([m for m in t.choice.mapped if m.column.required])
    if any(m.column.kind in ("string", "enum", "date", "month", "year") for m in needed):
        return all(map(reads, needed))
    every = usual(t.choice.mapped)
    return 2 * sum(map(reads, every)) > len(every)


def _says_something(value: Any) -> bool:
    return type(value) is not str or squeeze(value).lower() not in NOTHING_MARKS


def _counts_in_digits(rows: list[list[Any]], place: int) -> bool:
    """Whether a column counts the rows in digits, so that 一 or (二) in it names a group of them."""
    return any(
        type(v) is float or type(v) is int or (type(v) is str and v.strip().isdecimal())
        for v in (r[place] for r in rows)
    )


def _can_total(t: Table, cells: list[Any], text: str) -> bool:
    """Whether a total's word past the first cell may be one: not where it may be the value of a full row of data."""
    blanks = False
    for m in t.choice.mapped:
        v = cells[m.place]
        if v is text and (m.column.kind in ("month", "date", "year", "enum") or m.column.institution):
            return True
        blanks |= v == "" and m.column.required
    return blanks


def _is_section(row: Row, sheet: Sheet) -> bool:
    """Whether the only text of a row names a part of the table, or is a remark, rather than half a row of data."""
    t, text = sheet.table, row.first
    if row.says in (Says.SECTION, Says.NOTE, Says.SIGNATURE) or len(text) > _REMARK:
        return True
    if sheet.merges.is_wide(row.i, row.place):
        return True
    under = next((m.column for m in t.choice.mapped if m.place == row.place), None)
    if under is None:
        return True
    plain = squeeze(text)
    wide = len(t.choice.mapped) >= _WIDE
    if under.kind == "year" and YEAR_SECTION.match(plain):
        return wide
    if under.kind == "string" or (under.kind in ("date", "month") and WHOLE_DATE.match(plain)):
        return wide  # a name alone over the full width
    # Prose where a number or a date belongs, and nothing beside it.
    value = column_reader(under, None, t.facts.year, False)(text)
    return len(t.choice.mapped) >= _FEWEST and (
        type(value) is Bad or (under.kind == "enum" and value not in under.values)
    )
