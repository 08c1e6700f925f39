"""Reads the cells of a workbook's sheets with calamine, and for some formats their merges.

Belongs here: calling calamine, its errors as refusals, and the limit on cells. Not here: what calamine does not tell.
"""

from __future__ import annotations

import io
import re
from collections.abc import Container, Iterator

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    XmlError,
    ZipError,
)

from pipelines.intake.sheets import FORM_LISTS, MOST_CELLS, Grid, Refusal, broken


def grids(data: bytes, skipped: Container[int] = ()) -> Iterator[Grid]:
    """The worksheets of a workbook, in its order; those of these places without their values. Raises Refusal."""
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as e:
        raise Refusal("encrypted") from e
    except (CalamineError, XmlError, ZipError, OSError, ValueError) as e:
        raise broken(str(e)) from e
    worksheets = [meta for meta in book.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
    for place, meta in enumerate(worksheets):
        name = meta.name
        if meta.visible != SheetVisibleEnum.Visible:
            # Not read, but for the id that a form of ours hides there.
            first = _first_cell(book, name) if name == FORM_LISTS else None
            yield Grid(name, [] if first is None else [[first]], hidden=True)
            continue
        if place in skipped:
            yield Grid(name, [])
            continue
        try:
            yield _sheet(book.get_sheet_by_name(name))
        except (CalamineError, XmlError, ZipError, OSError, ValueError) as e:
            yield Grid(name, [], refusal=broken(str(e)))
        except Refusal as e:
            yield Grid(name, [], refusal=e)


def _first_cell(book: CalamineWorkbook, name: str) -> str | None:
    try:
        sheet = book.get_sheet_by_name(name)
        if sheet.start != (0, 0) or sheet.height * sheet.width > 100_000:
            return None
        value = sheet.to_python(nrows=1)[0][0]
    except (CalamineError, XmlError, ZipError, OSError, ValueError, IndexError):
        return None
    return value if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,80}", value) else None


def _sheet(sheet: CalamineSheet) -> Grid:
    start = sheet.start
    if start is None:
        return Grid(sheet.name, [])
    if sheet.height * sheet.width > MOST_CELLS:
        raise Refusal("too_large", size=f"{sheet.height}×{sheet.width} 格", limit=f"{MOST_CELLS:,} 格")
    merges = sheet.merged_cell_ranges
    flat = None if merges is None else [(a, b, c, d) for (a, b), (c, d) in merges]
    rows = sheet.to_python(skip_empty_area=True)
    while rows and all(type(v) is str and not v.strip() for v in rows[-1]):
        rows.pop()  # blank texts far below are no rows
    return Grid(sheet.name, rows, start[0], start[1], flat)
