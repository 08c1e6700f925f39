"""Parses whole columns: the cell parser of a column, and many cells at once.

Belongs here: the fast paths. Not here: what one cell says (numbers.py, dates.py, texts.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any

from expectations.contract import Column, header_key
from pipelines.core.text import squeeze
from pipelines.intake.values.dates import EARLY, read_date, read_month, read_year
from pipelines.intake.values.numbers import POWERS, read_integer, read_number, scaled
from pipelines.intake.values.results import NOUGHT, PENDING, Bad, DoubtfulValue
from pipelines.intake.values.texts import FALSE, TRUE, read_boolean, read_choice, read_name, read_text

CellParser = Callable[[Any], Any]


def column_reader(
    column: Column, factor: Decimal | None, year: int | None, epoch_1904: bool, name: bool = False
) -> CellParser:
    """The function that reads one cell of this column. `factor`: see `read_number`; `year`: the sheet's, if it states one; `name`:
    its texts are names, as are those of institutions and divisions."""
    kind = column.kind
    read: CellParser
    if kind == "decimal":
        read = lambda v: read_number(v, column.units, factor, column.unit)  # noqa: E731
    elif kind == "integer":
        read = lambda v: read_integer(v, column.units, factor, column.unit)  # noqa: E731
    elif kind == "year":
        read = lambda v: read_year(v, column.time_zone)  # noqa: E731
    elif kind == "month":
        read = lambda v: read_month(v, year, epoch_1904, column.time_zone)  # noqa: E731
    elif kind == "date":
        read = lambda v: read_date(v, epoch_1904, column.time_zone)  # noqa: E731
    elif kind == "boolean":
        yes, no = _yes_no(column)
        read = lambda v: read_boolean(v, yes, no)  # noqa: E731
    elif kind == "enum":
        folded = _choices(column.values)
        read = lambda v: read_choice(v, folded)  # noqa: E731
    else:
        read = read_name if name or column.institution == "name" or column.codelist else read_text
    return _but_for(column.missing, read) if column.missing else read


def _but_for(words: tuple[str, ...], read: CellParser) -> CellParser:
    """A reader to which the column's own words for nothing are nothing; a number cell is compared as it is shown."""
    missing = frozenset(squeeze(w).lower() for w in words)

    def one(value: Any) -> Any:
        text = value if type(value) is str else f"{value:.15g}" if type(value) in (float, int) else None
        return None if text is not None and squeeze(text).lower() in missing else read(value)

    return one


@lru_cache(maxsize=1024)
def _choices(values: tuple[str, ...]) -> dict[str, str]:
    return {header_key(v): v for v in values} | {v: v for v in values}


@lru_cache(maxsize=1024)
def _stem_words(headers: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    stems = {header_key(h).removeprefix("是否") for h in headers}
    stems = {s.removesuffix("单位") for s in stems} | stems
    no = {p + s for s in stems for p in ("未", "不", "非", "没有", "无")}
    yes = {s for s in stems if s} | {p + s for s in stems for p in ("已", "是")}
    return TRUE | (yes - no), FALSE | no


def _yes_no(column: Column) -> tuple[frozenset[str], frozenset[str]]:
    """A column 是否开放 is also answered by 开放, 已开放, 未开放, 不开放."""
    return _stem_words(column.headers)


_FLOATS, _DATES, _TEXTS = {float}, {dt.date}, {str}
_MOST_TEXTS = 500  # texts a column's reader keeps in mind
_NOTHING_YET = (PENDING, NOUGHT)  # nothing where nothing may stand, unreadable where something must


class ColumnReader(dict[str, Any]):
    """Reads whole columns of one kind; as a mapping, what each text met reads as, since most texts come again.

    `factor`, `year`, `epoch_1904` and `name` as for `column_reader`.
    """

    def __init__(
        self,
        column: Column,
        factor: Decimal | None,
        year: int | None = None,
        epoch_1904: bool = False,
        name: bool = False,
    ):
        super().__init__()
        self.column, self.factor = column, None if factor == 1 else factor
        self._scale = float(factor) if factor is not None and factor > 1 and factor in POWERS else None
        self._read = column_reader(column, factor, year, epoch_1904, name)
        self.plain = column.kind == "decimal" and self.factor is None and column.unit != "%" and not column.missing

    def __missing__(self, text: str) -> Any:
        if len(self) >= _MOST_TEXTS:
            self.clear()
        value = self[text] = self._read(text)
        return value

    def read(
        self, cells: Sequence[Any], types: set[type] | None = None
    ) -> tuple[list[Any], Sequence[tuple[int, Bad | DoubtfulValue]]]:
        """A column's cells as values, and for each cell that was bad or doubtful its index and why.

        `types` are the cells' types, where somebody has looked already.
        """
        if types is None:
            types = set(map(type, cells))
        kind = self.column.kind
        values: list[Any]
        if types == _TEXTS:
            values = list(map(self.__getitem__, cells))
        elif kind == "decimal" and float in types and not self.column.missing:
            # Finite as a whole, so finite one by one.
            if types == _FLOATS and isfinite(sum(cells)):
                return (list(cells) if self.factor is None else self._scaled(cells)), ()
            if types == _FLOATS or not isfinite(sum([v for v in cells if type(v) is float])):
                values = list(map(self._cell, cells))
            elif self.factor is None:
                values = [v if type(v) is float else self[v] if type(v) is str else self._read(v) for v in cells]
            else:
                values = self._scaled(cells)
        elif types == _DATES and kind == "date" and min(cells) >= EARLY and not self.column.missing:
            return list(cells), ()
        else:
            values = list(map(self._cell, cells))
        kinds = set(map(type, values))
        return (values, ()) if Bad not in kinds and DoubtfulValue not in kinds else self._odd(values)

    def each(self, texts: Sequence[str]) -> tuple[list[Any], Sequence[tuple[int, Bad | DoubtfulValue]]]:
        """As `read`, of texts that are all different: none is kept in mind."""
        return self._odd(list(map(self._read, texts)))

    def _scaled(self, cells: Sequence[Any]) -> list[Any]:
        """The cells read, all finite floats among them times the factor."""
        factor, scale = self.factor, self._scale
        if scale is None:
            return [scaled(v, factor) if type(v) is float else self._cell(v) for v in cells]
        return [
            # A whole number below 1e14 is the exact product: one of 15 digits is no nearer to another.
            (w if (w := v * scale).is_integer() and -1e14 < w < 1e14 else scaled(v, factor))
            if type(v) is float
            else self._cell(v)
            for v in cells
        ]

    def _cell(self, value: Any) -> Any:
        return self[value] if type(value) is str else self._read(value)

    def _odd(self, values: list[Any]) -> tuple[list[Any], list[tuple[int, Bad | DoubtfulValue]]]:
        odd: list[tuple[int, Bad | DoubtfulValue]] = []
        for k, v in enumerate(values):
            if type(v) is DoubtfulValue:
                values[k] = v.value
                odd.append((k, v))
            elif type(v) is Bad:
                values[k] = None
                if v not in _NOTHING_YET or self.column.required:
                    odd.append((k, v))
        return values, odd


def read_column(
    cells: Sequence[Any], column: Column, factor: Decimal | None, year: int | None = None, epoch_1904: bool = False
) -> tuple[list[Any], Sequence[tuple[int, Bad | DoubtfulValue]]]:
    """A column's cells as values, and what was odd about them: see `ColumnReader.read`."""
    return ColumnReader(column, factor, year, epoch_1904).read(cells)
