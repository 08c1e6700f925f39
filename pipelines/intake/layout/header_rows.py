"""Finds header rows in a grid: the main row, groups above it, and units, translations and column numbers below it.

Belongs here: whether rows are a header, and how their texts are put together down each column. Not here: what a text is the
name of (headers.py), or what the rows under a header are (rules.py).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, overload

from pipelines.core.text import squeeze
from pipelines.intake.layout.headers import Choice, Headers
from pipelines.intake.layout.merges import Merges
from pipelines.intake.layout.periods import Month, month_of_header, year_of_group
from pipelines.intake.layout.tables import Block, FoundTables
from pipelines.intake.layout.under_header import MOST_LINES, is_column_numbers, numbers_two_columns, translated
from pipelines.intake.layout.words import HEADER_BLANKS, NO_UNIT

_DEEPEST = 4  # rows of a header
_LOOKED_AT = 20  # rows of data that say whether there are numbers
NUMBERLIKE = re.compile(r"^[+-]?[\d,]*\.?\d+%?$|^\d{4}[-./年]\d{1,2}")

Rows = Sequence[list[Any]]


def without_marks(row: list[Any]) -> list[Any]:
    """A row of a heading or header with blanks for the words that programs write into empty cells, such as NA."""
    return row if HEADER_BLANKS.isdisjoint(row) else ["" if v in HEADER_BLANKS else v for v in row]


class HeaderCells(Sequence[list[Any]]):
    """Rows prepared for header detection: without such words, and blank outside the columns from `left` to `right`.

    Each is made when it is asked for: few are.
    """

    def __init__(self, rows: Rows, left: int = 0, right: int | None = None):
        self._rows, self._left, self._right = rows, left, right

    def _within(self, row: list[Any]) -> list[Any]:
        row = without_marks(row)
        if self._right is None:
            return row
        return [*([""] * self._left), *row[self._left : self._right], *([""] * (len(row) - self._right))]

    def cut(self) -> list[list[Any]]:
        """The same rows as a list with those words, blank outside the columns: for the rows under a header."""
        right = len(self._rows[0]) if self._right is None else self._right
        return [[*([""] * self._left), *r[self._left : right], *([""] * (len(r) - right))] for r in self._rows]

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> list[Any]: ...

    @overload
    def __getitem__(self, at: slice) -> list[list[Any]]: ...

    def __getitem__(self, at: int | slice) -> Any:
        return [self._within(r) for r in self._rows[at]] if isinstance(at, slice) else self._within(self._rows[at])


Joined = tuple[list[str], list[str | None]]


class HeaderRows:
    """Finds headers in the rows of grids."""

    def __init__(self, headers: Headers):
        self.headers = headers
        self._joins: dict[tuple[Any, ...], Joined] = {}

    def at(self, rows: Rows, i: int, lowest: int, merges: Merges, found: FoundTables | None) -> Block | None:
        """The header whose main row is `i`, if one is there. `lowest`: rows above it are taken."""
        row = rows[i]
        cells = len(row) - row.count("")
        if cells == 0:
            return None
        texts = self.headers.texts(row)
        filled, hits = self.headers.counts(texts)
        numbers = cells - filled
        if not filled or numbers * 2 > filled:
            return None
        if hits == 0 and (filled < 2 or numbers or i + 1 >= len(rows)):
            return None
        if any(
            not HEADER_BLANKS.isdisjoint(rows[k]) for k in range(max(lowest, i - 2), min(i + _DEEPEST + 2, len(rows)))
        ):
            rows = HeaderCells(rows)
            texts = self.headers.texts(rows[i])
            filled, hits = self.headers.counts(texts)
            if not filled:
                return None
        if hits * 2 <= filled and i + 1 < len(rows):
            under = self.headers.choices(self.headers.texts(rows[i + 1]))
            if under and under[0].fits and not self._is_separate(rows, i, under[0].dataset):
                return None  # a line of the heading, right above the header
            if hits == 0 and not self._headerlike(rows[i + 1]):
                return None
        choices = self.headers.choices(texts) if hits else ()
        if choices and hits == filled and choices[0].fits and not self._more_below(rows, i):
            return self._block(rows, i, i, choices, merges)
        best, at = choices, (i, i)
        best_units: Sequence[str | None] | None = None
        if hits != filled or not (choices and choices[0].fits) or self._more_below(rows, i):
            for a in range(i, max(lowest, i - 2) - 1, -1):
                for b in range(i, min(a + _DEEPEST, len(rows))):
                    if a == b:
                        continue
                    if b > i and not self._headerlike(rows[b]):
                        break
                    joined, units = self._joined(rows, a, b, merges)
                    other = self.headers.choices(joined, units)
                    if other and _better(other, best):
                        best, at, best_units = other, (a, b), units
        if not best:
            return None
        if at[1] > i:
            # Rows that add nothing are not header: where the rows below do as well alone, they are the header.
            below, units = self._joined(rows, at[0] + 1, at[1], merges)
            alone = self.headers.choices(below, units)
            if alone and not _better(best, alone):
                return None
        best = self._as_list(rows, at[1], best)
        if best[0].fits:
            return self._block(rows, at[0], at[1], best, merges, best_units)
        if found is not None and (found.nearest is None or _better(best, found.nearest.choices)):
            found.nearest = Block(at[0], at[1], best)
        return None

    def _as_list(self, rows: Rows, last: int, choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
        """A header without any of its figures is that of a list, where no number stands under other headers either: of meetings
        that were held. Else the numbers are those of another table."""
        best = choices[0]
        if best.missing or not best.figures:
            return choices
        others = [p for p, header in best.unmapped if not self.headers.is_serial(header)]
        if any(_is_number(r[p]) for r in rows[last + 1 : last + 1 + _LOOKED_AT] for p in others):
            return choices
        return tuple(replace(c, figures=()) for c in choices)

    def _is_separate(self, rows: Rows, i: int, dataset: str) -> bool:
        """Whether row `i` has a label where the header under it has none, as with a vertically merged cell."""
        return any(
            type(v) is str and v and under == "" and any(m.dataset == dataset for m in self.headers.resolve(v))
            for v, under in zip(rows[i], rows[i + 1], strict=True)
        )

    def _headerlike(self, row: list[Any]) -> bool:
        """Whether a row may belong to a header: texts only, none of them a number or a date."""
        filled = [v for v in row if v != "" and v is not None]
        return bool(filled) and all(
            type(v) is str
            and len(v) <= self.headers.longest
            and (v in ("²", "³", "2", "3") or not NUMBERLIKE.match(squeeze(v)))
            for v in filled
        )

    def _more_below(self, rows: Rows, i: int) -> bool:
        """Whether the row under `i` looks like a further row of the same header."""
        if i + 1 >= len(rows):
            return False
        row = rows[i + 1]
        for v in row:  # most rows of data hold a number: the cheap way out
            if type(v) is float or type(v) is int or isinstance(v, dt.date):
                return False
        filled = [v for v in row if v != ""]
        if not filled or not self._headerlike(row):
            return False
        units = sum(1 for v in filled if self.headers.unit_alone(v))
        known = sum(1 for v in filled if self.headers.resolve(v))
        return known + units >= 0.5 * len(filled)

    def _is_units(self, row: list[Any]) -> bool:
        """Whether a row under a header holds its units, and a dash or the word 计量单位 where there is none."""
        units = 0
        for v in row:
            if v == "":
                continue
            if type(v) is not str:
                return False
            if squeeze(v) not in NO_UNIT:
                if not self.headers.unit_alone(v):
                    return False
                units += 1
        return units > 0

    def _joined(self, rows: Rows, a: int, b: int, merges: Merges) -> Joined:
        """The header texts of rows `a..b` joined down each column, and the units under them. Cached, because most sheets
        repeat one another's headers."""
        lines = [self.headers.texts(r) for r in rows[a : b + 1]]
        key = (*lines, merges.over_rows(a, b), *map(type, rows[b]))
        known = self._joins.get(key)
        if known is None:
            if len(self._joins) > 20_000:
                self._joins.clear()
            known = self._joins[key] = self._join(lines, rows, a, b, merges)
        return known

    def _join(self, lines: list[tuple[str, ...]], rows: Rows, a: int, b: int, merges: Merges) -> Joined:
        resolve = self.headers.resolve
        texts: list[str] = []
        units: list[str | None] = []
        last = [""] * (b - a + 1)
        for j in range(len(rows[a])):
            own: list[str] = []
            spread: list[str] = []
            year = ""
            for k, r in enumerate(range(a, b + 1)):
                t = lines[k][j]
                if t:
                    last[k] = t
                else:
                    t = merges.over(r, j)
                if t:
                    if year_of_group(t, alone=True) is None or self.headers.is_name(t):
                        own.append(t)
                        spread.append(t)
                    else:  # whose year it is stands apart from what it is: years
                        year = t
                elif r < b and last[k] and type(rows[b][j]) is str and rows[b][j]:
                    spread.append(last[k])  # without merges to go by: a group's name stands over its first column
            if year and not own and self.headers.is_period(year):
                own, spread = [year], [year]
            unit = None
            if len(own) > 1 and not resolve("".join(own)):  # 得 over 分 is no unit, and 单 over 位 none either
                unit = self.headers.unit_alone(own[-1])
                if squeeze(own[-1]) in NO_UNIT and self._is_units(rows[b]):
                    own, spread, unit = own[:-1], spread[:-1], None
                elif unit and resolve(self._best_text(own[:-1], spread[:-1], resolve)):
                    own, spread = own[:-1], spread[:-1]
                else:  # 学时 under a group's name is a header that looks like a unit
                    unit = None
            alike = bool(own) and sum(line.count(own[-1]) for line in lines) > 1
            texts.append((alike and self._of_its_group(own, spread)) or self._best_text(own, spread, resolve))
            units.append(unit)
        return texts, units

    def _of_its_group(self, own: list[str], spread: list[str]) -> str:
        """The name of a column by its path, where the same word is under each group: Steam Unit; '' where there is none."""
        if len(spread) == len(own):
            return ""
        paths = ("".join(spread[k:]) for k in range(len(spread) - 1))
        return next((p for p in paths if self.headers.is_name(p)), "")

    @staticmethod
    def _best_text(own: list[str], spread: list[str], resolve: Any) -> str:
        if not own:
            alone = "".join(spread)  # over a year, and in no column of its own
            return alone if alone and resolve(alone) else ""
        options = ["".join(own), *("".join(own[k:]) for k in range(1, len(own)))]
        if len(own) > 2:
            options.append(own[0] + own[-1])
        if len(spread) > len(own):
            options += ["".join(spread), spread[0] + own[-1]]
        for o in options:
            if resolve(o):
                return o
        return own[-1]

    def _block(
        self,
        rows: Rows,
        first: int,
        last: int,
        choices: Sequence[Choice],
        merges: Merges,
        units: Sequence[str | None] | None = None,
    ) -> Block:
        """A header of rows `first..last`, with a row of units and one of column numbers under it if there are any."""
        if last + 1 < len(rows):
            below = rows[last + 1]
            filled = [v for v in below if v != ""] if float not in map(type, below) else []
            if len(filled) > 1 and all(year_of_group(v, alone=True) and not self.headers.is_name(v) for v in filled):
                last += 1  # each column's year: what is above it stands over more than one
                joined, units = self._joined(rows, first, last, merges)
                choices = self.headers.choices(joined, units) or choices
            elif self._is_units(below):
                units = tuple(self.headers.unit_alone(v) if v else None for v in below)
                choices = self.headers.choices(header_texts(choices, len(below)), units)
                last += 1
        last = self._merged_down(first, last, choices[0], len(rows), merges)
        last += translated(rows[last + 1 : last + 2 + MOST_LINES], choices[0])
        if last + 1 < len(rows) and (
            is_column_numbers(rows[last + 1]) or numbers_two_columns(rows[last + 1], choices[0])
        ):
            last += 1
        return Block(first, last, choices, units)

    @staticmethod
    def _merged_down(first: int, last: int, choice: Choice, most: int, merges: Merges) -> int:
        """Return the last row of a multi-row header in which some labels are merged vertically and others span unknown sub-labels (年 月 日)."""
        if not merges.any_tall:
            return last
        ends = [max((merges.end(r, m.place) for r in range(first, last + 1)), default=last) for m in choice.mapped]
        below = [e for e in ends if e > last]
        return min(max(below), first + _DEEPEST - 1, most - 1) if 2 * len(below) >= len(ends) and below else last

    def years(self, rows: Rows, begin: int, block: Block, merges: Merges) -> list[int | None]:
        """The year stated for each column, in its own header text or that of its group."""
        out: list[int | None] = [None] * len(rows[block.first])
        for r in range(max(begin, block.first - 1), block.last + 1):
            last: int | None = None
            for j, v in enumerate(rows[r]):
                text = v if v != "" else merges.over(r, j)
                if text != "":
                    last = self._month(text) or year_of_group(text, alone=r < block.first)
                    if last is not None and self.headers.is_name(text):
                        last = None  # a column of that name, not a group's year
                if last is not None:
                    above = out[j]
                    if isinstance(last, Month) and last < 100 and above is not None and not isinstance(above, Month):
                        out[j] = Month(above * 100 + last)  # 3月 under 2021年
                    else:
                        out[j] = last
        return out

    def _month(self, text: Any) -> int | None:
        return month_of_header(text) if self.headers.is_period(text) else None

    def by_year(self, block: Block, years: list[int | None]) -> list[tuple[int, Choice]]:
        """The tables of a header whose columns repeat, one a year, beside columns that all years share; [] if none."""
        if len({y for y in years if y is not None}) < 2:
            return []
        best = block.choices[0]
        texts = header_texts(block.choices, len(years))
        out = []
        for year in dict.fromkeys(y for y in years if y is not None):
            these = [t if y in (None, year) else "" for t, y in zip(texts, years, strict=True)]
            own = [c for c in self.headers.choices(these, block.units) if c.dataset == best.dataset and c.fits]
            if len(own) != 1 or all(years[m.place] is None for m in own[0].mapped):
                return []
            out.append((year, own[0]))
        return out if len(out) > 1 else []

    # ---- rows

    def may_be(self, row: list[Any]) -> bool:
        """Whether some of the first texts of a row are headers, and most of the row is text."""
        hits = seen = 0
        for v in row:
            if v == "":
                continue
            if type(v) is not str:
                return False
            seen += 1
            hits += bool(self.headers.resolve(v))
            if seen == 4 and hits < 2:
                return False
        return hits >= 2 and 2 * hits >= seen

    def may_be_cut(self, rows: Rows, i: int, width: int | None = None) -> bool:
        """Whether rows `i` and the next may be a header cut in two: both full, all texts, no number or date in either.

        `width`: how many of the columns count, where not all do.
        """
        if i + 1 >= len(rows):
            return False
        row = rows[i]
        filled = len(row) - row.count("")
        return (
            filled >= 3
            and 3 * filled >= 2 * (len(row) if width is None else width)
            and self._headerlike(row)
            and self._headerlike(rows[i + 1])
        )

    def top(self, rows: Rows, i: int, block: Block) -> int:
        """The highest row that may be of the header whose main row is `i`: names merged down, groups above."""
        top = i
        while top > max(block.last + 1, i - 2) and self._headerlike(rows[top - 1]):
            top -= 1
        return top

    @staticmethod
    def same(other: Block, block: Block) -> bool:
        """Whether two headers name the same columns at the same positions."""
        a, b = other.choices[0], block.choices[0]
        return a.dataset == b.dataset and [(m.place, m.column.name) for m in a.mapped] == [
            (m.place, m.column.name) for m in b.mapped
        ]


def header_texts(choices: Sequence[Choice], width: int) -> list[str]:
    """The header texts of the choices, by position."""
    texts = [""] * width
    for c in choices:
        for m in c.mapped:
            texts[m.place] = m.header
        for place, header in c.unmapped:
            texts[place] = header
    return texts


def _better(a: Sequence[Choice], b: Sequence[Choice]) -> bool:
    """Whether the best of `a` fits better than the best of `b`."""
    if not b:
        return True

    def fit(c: Choice) -> tuple[bool, int, int, int]:
        return not c.lacking, len(c.mapped), -len(c.missing), sum(m.match.unit is not None for m in c.mapped)

    return fit(a[0]) > fit(b[0])


def _is_number(value: Any) -> bool:
    return type(value) in (float, int) or (type(value) is str and bool(NUMBERLIKE.match(squeeze(value))))
