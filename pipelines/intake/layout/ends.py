"""The end of the rows under a header: rules applied once to a row, before it is classified for each table.

Belongs here: headers under a header, the same one again and others. Not here: what other rows are (rules.py).
"""

from __future__ import annotations

from typing import Any

from pipelines.intake.layout.header_rows import NUMBERLIKE, is_column_numbers
from pipelines.intake.layout.headers import Mapped
from pipelines.intake.layout.rows import RowKind, Rule, SheetRow, SheetRows
from pipelines.intake.layout.words import Says
from pipelines.intake.values import Bad, column_reader

_UNDER = 6  # rows below an unknown header in which its first numbers stand


def header_again(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """The header repeated on a new page, with a row of column numbers under it."""
    if row.i <= sheet.until:
        return RowKind.HEADER
    if (
        type(row.first) is str
        and len(row.first) <= sheet.headers.headers.longest
        and sheet.is_own_header(row.cells, row.first)
    ):
        below = row.i + 1
        sheet.until = below if below < len(sheet.rows) and is_column_numbers(sheet.rows[below]) else row.i
        return RowKind.HEADER
    return None


def other_header(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """The header of another table, or the same one in another order. It may share its row with a table to the right."""
    if sheet.has_figures(row.cells):
        return None
    other = sheet.known_header(row.i, row.cells)
    if other is None:
        return None
    if sheet.headers.same(other, sheet.block):
        sheet.until = other.last
        return RowKind.HEADER
    sheet.following = other
    return RowKind.END


def header_of_no_table(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """Column names, some of them in columns of numbers and dates: a header without the columns that any dataset requires."""
    resolve, cells = sheet.headers.headers.resolve, row.cells
    odd = (m for m in sheet.measured if type(v := cells[m.place]) is str and v and not v[0].isdigit() and resolve(v))
    if not any(_is_bad(m, cells[m.place]) for m in odd):
        return None
    named = [m for t in sheet.tables for m in t.choice.mapped if type(v := cells[m.place]) is str and v and resolve(v)]
    if len(named) < 2 or not any(t.data for t in sheet.tables):
        return None
    return _another_table(row.i, sheet)


def unknown_header(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """The header of another table, in unknown words: different texts where this table has numbers and dates, none of them
    readable as one, and numbers right below."""
    i, rows = row.i, sheet.rows
    if sheet.has_figures(row.cells) or any(type(row.cells[m.place]) is not str for m in sheet.measured):
        return None
    left, right = sheet.window
    # The first numbers stand under it, or under its second line or its translation.
    below = rows[i + 1 : i + 1 + _UNDER]
    under = next((r for r in below if any(_is_figure(r[m.place]) for m in sheet.measured)), None)
    if under is None:
        return None
    cells = row.cells[left:right]
    filled = [v for v in cells if v != ""]
    if row.says in (Says.NOTE, Says.SIGNATURE) and row.signs(sheet.words):
        return None
    if len(filled) < 2 or any(type(v) is not str for v in filled):
        return None
    if len(set(filled)) < len(filled) or max(map(len, filled)) > sheet.headers.headers.longest:
        return None
    lost = numbers = 0
    for m in sheet.measured:
        v = row.cells[m.place]
        if v == "":
            continue
        if not _is_bad(m, v):
            return None  # a number, a date, or a word for nothing: data
        lost += 1
        numbers += _is_figure(under[m.place])
    above = rows[i - 1][left:right]
    apart = above.count("") >= len(above) - 1
    return _another_table(i, sheet) if numbers and (lost > 1 or apart) else None


def _is_figure(value: Any) -> bool:
    return type(value) in (float, int) or (type(value) is str and bool(NUMBERLIKE.match(value)))


def _is_bad(m: Mapped, value: Any) -> bool:
    return type(column_reader(m.column, None, None, False)(value)) is Bad


def _another_table(i: int, sheet: SheetRows) -> RowKind:
    """End the tables at row `i`, where an unknown table begins. Reading continues at the next known header."""
    rows = sheet.rows
    sheet.following = next((b for k in range(i, len(rows)) if (b := sheet.known_header(k, rows[k], i))), None)
    until = sheet.following.first if sheet.following else len(rows)
    sheet.tables[0].foreign = (i, until) if until > i else None
    return RowKind.END


ENDS: tuple[Rule, ...] = (header_again, other_header, header_of_no_table, unknown_header)
