"""Applies number formats to a column's numbers: scales, units, leading zeros of codes, percentages.

Belongs here: numbers as who looks at the sheet sees them. Not here: what a format's code says (formats/number_format.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from expectations.contract import Column, unit_key, unit_table
from pipelines.intake import values as cells
from pipelines.intake.columns.cell_issues import CellIssues
from pipelines.intake.formats import number_format
from pipelines.intake.issues import as_shown as text_of
from pipelines.intake.layout.headers import Mapped
from pipelines.intake.sheets import Format, Grid
from pipelines.intake.values import BAD, Bad, DoubtfulValue
from pipelines.intake.values.numbers import COUNTERS, CURRENCIES, MULTIPLES, is_whole

_LETTERS_FOR_MULTIPLES = {
    "k": Decimal(1000),
    "K": Decimal(1000),
    "M": Decimal(1_000_000),
}  # 123.5k, in number formats alone
NO_FORMATS: dict[int, Format] = {}
_HUNDRED = Decimal(100)


class NumberFormats:
    """The number formats of a sheet by absolute column and row. Expensive: read only where a number may depend on them."""

    def __init__(self, grid: Grid):
        self.grid = grid
        self._formats: dict[int, dict[int, Format]] | None = None
        self._asked = False

    def has_formats(self) -> bool:
        """Whether the file states number formats: its cells are then numbers, not only texts."""
        if not self._asked:
            self._asked, formats = True, self.grid.formats()
            if formats is not None:
                self._formats = {}
                for (row, column), shown_by in formats.items():
                    self._formats.setdefault(column, {})[row] = shown_by
        return self._formats is not None

    def of(self, m: Mapped) -> dict[int, Format] | None:
        """Number formats of a column's cells by absolute row; None where the file states none."""
        if not self.has_formats() or self._formats is None:
            return None
        return self._formats.get(self.grid.left + m.place, NO_FORMATS)

    def where_it_counts(self, m: Mapped) -> dict[int, Format] | None:
        """Number formats of a column's cells by absolute row, where the meaning of a number may depend on them."""
        c = m.column
        if not (c.unit and c.kind in ("decimal", "integer")) and c.kind not in ("string", "enum"):
            return None
        return self.of(m)


def as_shown(
    cell_issues: CellIssues,
    m: Mapped,
    data: list[int],
    rows: Sequence[int],
    raw: Sequence[Any],
    values: list[Any],
    formats: dict[int, Format],
    factor: Decimal | None,
) -> None:
    """Convert numbers to the values their formats display: 123456 displayed as 12.3456 under 万元 is 123456 元,
    12.5 displayed as 12.50万元 is 125000 元, and 123 displayed as 000123 is the code 000123."""
    column = m.column
    text = column.kind in ("string", "enum")
    scaled: list[int] = []
    against: list[int] = []
    units: set[str | None] = set()
    odd: list[tuple[int, Bad | DoubtfulValue]] = []
    seen = list(raw)
    for k, v in enumerate(raw):
        if (type(v) is not float and type(v) is not int) or values[k] is None:
            continue
        shown_by = formats.get(rows[k])
        if text:
            values[k] = (number_format.shown(shown_by.code, v) if shown_by else None) or values[k]
            continue
        number, unit, doubt = by_format(
            v, shown_by, column, factor, m.match.factor or cell_issues.plan.above.get(column.name)
        )
        units.add(unit)
        if isinstance(number, Bad):
            values[k], seen[k] = None, f"{text_of(v)} {shown_by.unit}" if shown_by else v
            odd.append((k, number))
        elif shown_by and (shown_by.power or unit):
            if column.kind == "integer" and not is_whole(number):
                values[k] = None
                odd.append((k, BAD))
                continue
            values[k] = int(number) if column.kind == "integer" else number
            scaled += [k] if shown_by.power and not unit else []
            against += [k] if doubt else []
    if odd:
        cell_issues.all_odd(m, data, seen, values, odd)
    if scaled:
        k = scaled[0]
        shown_as = formats[rows[k]].code
        cell_issues.add(
            "doubtful", "warning", m, data[k], None, "scaled", number_format=shown_as, count=str(len(scaled))
        )
    if against:
        k = against[0]
        f = formats[rows[k]]
        cell_issues.add(
            "doubtful",
            "warning",
            m,
            data[k],
            None,
            "unit_in_format",
            shown_unit=f.unit or "",
            count=str(len(against)),
        )
    if len(units) == 1 and (only := units.pop()) and not against:
        cell_issues.record_unit(column.name, only)


def percentages(
    cell_issues: CellIssues,
    formats: dict[int, Format] | None,
    m: Mapped,
    data: list[int],
    rows: Sequence[int],
    raw: Sequence[Any],
    values: list[Any],
) -> None:
    """Convert cells in a percentage format: 85% is stored as 0.85 and means 85. Shares without such a format are marked as doubtful
    where the file states formats, else each of them is; in a column with % written in some cells they are removed."""
    written = any(type(v) is str and ("%" in v or "％" in v) for v in raw)
    plain: list[int] = []
    for k, v in enumerate(raw):
        if values[k] is None:
            continue
        if type(v) is str:
            plain += [k] if v.strip()[-1:].isdigit() else []
            continue
        shown_by = formats.get(rows[k]) if formats else None
        if shown_by and shown_by.percent:
            values[k] = cells.scaled(v, _HUNDRED)
            written = True
        elif not (shown_by and shown_by.unit and unit_key(shown_by.unit) in m.column.units):
            plain.append(k)
    shares = [k for k in plain if 0 < abs(values[k]) <= 1]
    if formats is None:
        if shares:
            cell_issues.add("doubtful", "warning", m, data[shares[0]], None, "percent_unknown")
    elif written:
        for k in shares:
            values[k] = None
            cell_issues.odd(m, data[k], raw[k], Bad("percent"))
    elif any(values[k] < 1 for k in shares) and all(0 <= values[k] <= 1 for k in plain):
        if len(plain) == 1 and m.match.unit:
            return  # whoever writes 0.5 under （%） means it
        cell_issues.add("doubtful", "warning", m, data[shares[0]], None, "percent")


def by_format(
    number: float | int, shown_by: Format | None, column: Column, factor: Decimal | None, stated: object
) -> tuple[float | Bad, str | None, bool]:
    """A stored number in canonical units as its format displays it; the unit in the format that counts; whether that is another
    unit than the one `stated` by the header or the heading, whose factor is `factor`. Bad as a unit in a cell's text is: one of
    other things than the column's, or another than a stated one that is not the canonical."""
    if shown_by is None or not (shown_by.power or shown_by.unit):
        return cells.scaled(number, factor), None, False
    unit = shown_by.unit or ""
    own = column.units.get(unit_key(unit)) or (MULTIPLES.get(unit) if column.units else None)
    own = own or (_LETTERS_FOR_MULTIPLES.get(unit) if column.units else None)
    power = Decimal(10) ** shown_by.power
    if own is None:
        if column.units and unit_key(unit) in _other_units():
            return Bad("unit"), None, False
        # Without any unit stated, what the file keeps is in canonical ones, however it is shown.
        by = (factor or Decimal(1)) / power if stated else None
        return cells.scaled(number, by), None, False
    differs = bool(stated) and own != (factor or 1) and own / power != (factor or 1)
    if differs and factor is not None and factor != 1:
        return Bad("unit"), None, False
    return cells.scaled(number, own / power), unit, differs


@cache
def _other_units() -> frozenset[str]:
    """Spellings of units of measure and of currencies, without units that only count things."""
    measures = [spellings for unit, spellings in unit_table().items() if unit not in COUNTERS]
    return frozenset([u for spellings in measures for u in spellings] + [unit_key(c) for c in CURRENCIES])
