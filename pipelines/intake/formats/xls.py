"""Reads Excel workbooks before 2007: BIFF, in an OLE2 container or bare.

Belongs here: which library reads what of them. calamine reads the cells; the records (biff.py) tell what it does not; xlrd reads
what calamine cannot, or reads wrong. Not here: what the cells mean.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
from functools import partial
from typing import Any

from pipelines.intake.formats import biff, by_calamine, computed, number_format, ole, runs, text, tokens
from pipelines.intake.sheets import FORM_LISTS, MARKS, Book, Fault, Formats, Grid, Refusal, broken

_GARBLED = re.compile(r"[\x00-\x08\x0e-\x1f]")
# Byte searches that cost little and find every file of which the records tell more; what they find by chance costs a pass.
_DETAILS = (
    # FORMULA: size, row, column, XF, a result that is 0, 4, no number or an error, flags, 4 bytes, size of the tokens
    re.compile(
        rb"\x06\x00[\x17-\xff][\x00-\x03]...\x00.[\x00-\x0f](?:\0{8}|\0{6}\x10\x40|[\x00\x02\x03].{5}\xff\xff).\x00.{4}.[\x00-\x03]",
        re.DOTALL,
    ),
    re.compile(rb"\x05\x02\x08\x00.{7}\x01", re.DOTALL),  # BOOLERR with an error
    re.compile(rb"\x08\x02\x10\x00.{12}[\x20-\x3f\x60-\x7f\xa0-\xbf\xe0-\xff]", re.DOTALL),  # ROW, hidden
    re.compile(rb"\x08\x02\x10\x00.{6}\x00[\x00\x80]", re.DOTALL),  # ROW, of no height
    re.compile(rb"\x7d\x00\x0c\x00.{8}[\x01\x03\x05\x07\x09\x0b\x0d\x0f]", re.DOTALL),  # COLINFO, hidden
)
_MERGED = re.compile(
    rb"\xe5\x00[\x0a\x12\x1a\x22\x2a\x32\x3a\x42\x4a\x52\x5a\x62\x6a\x72\x7a\x82\x8a\x92\x9a\xa2]\x00.\x00"
)
# FONT: height, flags with a line through the text, or color, weight, and a superscript or subscript
_STRUCK = re.compile(
    rb"\x31\x00[\x0f-\x60]\x00..(?:[\x08-\x0f\x18-\x1f\x28-\x2f]\x00...[\x00-\x03]|.\x00...[\x00-\x03][\x01\x02]\x00)",
    re.DOTALL,
)
# A FORMAT record with a number that calamine takes for a date of East Asia, whatever the record says.
_EAST = re.compile(rb"\x1e\x04.\x00[\x1b-\x24\x32-\x3a]\x00", re.DOTALL)
_LAST_COLUMN = 255  # beyond it only a damaged record says that a cell is
_EXCEL_97 = b"\xbb\x0d\xcc\x07"  # build and year
_EAST_ASIAN = (*range(27, 37), *range(50, 59))


def is_bare(data: bytes) -> bool:
    """Whether bytes begin with a BOF record of BIFF2, 3, 4, 5 or 8, as exports write them without a container."""
    return (
        data[:1] == b"\x09"
        and data[1:2] in (b"\0", b"\2", b"\4", b"\x08")
        and data[2:4] in (b"\4\0", b"\6\0", b"\x08\0", b"\x10\0")
    )


def open_xls(data: bytes, unlocked: bool = False) -> Book:
    """Open an .xls, whatever its container. Raises Refusal."""
    book = Book([], any(m in data for m in MARKS), lambda: b"\x22\x00\x02\x00\x01\x00" in data)
    try:
        book.grids = list(by_calamine.grids(data))
    except Refusal as e:
        # calamine says "cannot detect" of a locked .xls as of a broken one, so ask the other library.
        if not unlocked and (e.code == "encrypted" or ole.is_encrypted(data)):
            return open_xls(ole.decrypted(data), unlocked=True)
        book.grids = _xlrd(data)
        found = None
    else:
        found = _add_details(data, book.grids)
    for k, g in enumerate(book.grids):
        g.formats = partial(_formats, data, found, book.grids, k)
    return book


def _add_details(data: bytes, grids: list[Grid]) -> biff.BiffWorkbook | None:
    """Add to the grids what calamine does not read; return the globals where they were read for it."""
    if any(_GARBLED.search(c) for g in grids for r in g.rows for c in r if type(c) is str):
        # calamine 0.9 takes some UTF-16 strings for Latin-1; a control character in a text gives it away.
        with contextlib.suppress(Refusal):
            grids[:] = _xlrd(data)
    struck, east = _STRUCK.search(data), _EAST.search(data)
    merged = len(_MERGED.findall(data)) > sum(bool(g.merges) for g in grids)  # calamine misses those among the cells
    if not struck and not east and not merged and not any(t.search(data) for t in _DETAILS):
        return None
    book = biff.workbook(ole.workbook_stream(data))
    if book is None:
        return None  # calamine read it; what else it tells stays unknown
    if any(n in book.codes and not number_format.shows_date(book.codes[n]) for n in _EAST_ASIAN):
        with contextlib.suppress(Refusal):
            grids[:] = _xlrd(data)
    sheets = book.sheets()
    if len(sheets) != len(grids):
        return book
    for g, s in zip(grids, sheets, strict=True):
        g.hidden_rows, g.hidden_columns = s.hidden_rows, s.hidden_columns
        g.merges = s.merges
    faults = [(g, r, c, Fault("error", t)) for g, s in zip(grids, sheets, strict=True) for r, c, t in s.errors]
    if any(struck or raised for struck, raised in book.fonts):
        faults += _marked(data, grids)
    for g, row, column, fault in faults:
        if not g.hidden and not g.refusal and column <= _LAST_COLUMN:
            g.put(row, column, fault)
    formulas = [
        (g, [f for f in s.formulas if f.column <= _LAST_COLUMN])
        for g, s in zip(grids, sheets, strict=True)
        if s.formulas
    ]
    version = tokens.BIFF8 if book.wide else tokens.BIFF5
    computed.put_faults(formulas, lambda source: tokens.steps(source, version), _by_library(data, book), mixed=True)
    return book


def _by_library(data: bytes, book: biff.BiffWorkbook) -> bool:
    """Whether a library wrote a file: it names itself, or has its BOF record from Excel 97 and no properties, as xlwt and
    Spreadsheet::WriteExcel do. Programs of spreadsheets write properties."""
    copied = book.stream[8:12] == _EXCEL_97 and not ole.holds(data, "\x05SummaryInformation")
    return copied or b"Java Excel API" in book.stream[:300]


def _formats(data: bytes, known: biff.BiffWorkbook | None, grids: list[Grid], k: int) -> Formats | None:
    """The number formats of one sheet that tell something of its numbers; None where neither its records nor xlrd tell them."""
    book = known or biff.workbook(ole.workbook_stream(data))
    if book is None or len(book.begins) != len(grids):
        return _formats_by_xlrd(data, grids[k])
    codes = number_format.BUILT_IN | book.codes
    codes_by_style = {
        x: codes[n] for x, (_, n) in enumerate(book.xfs) if n in codes and number_format.changes_numbers(codes[n])
    }
    if not codes_by_style:
        return {}
    return number_format.of_cells(
        grids[k], {(r, c): codes_by_style[x] for r, c, x in book.cells(book.begins[k]) if x in codes_by_style}
    )


def _formats_by_xlrd(data: bytes, grid: Grid) -> Formats | None:
    import xlrd

    try:
        book = xlrd.open_workbook(
            file_contents=data, logfile=io.StringIO(), formatting_info=True, ignore_workbook_corruption=True
        )
        sheet = book.sheet_by_name(grid.name)
        codes = [book.format_map[xf.format_key].format_str for xf in book.xf_list]
        cells = ((r, c, codes[sheet.cell_xf_index(r, c)]) for r in range(sheet.nrows) for c in range(sheet.row_len(r)))
        return number_format.of_cells(
            grid, {(r, c): code for r, c, code in cells if number_format.changes_numbers(code)}
        )
    except Exception:  # noqa: BLE001 - of a damaged file xlrd raises whatever comes; None makes the reader say so
        return None


# ---- xlrd


def _xlrd(data: bytes) -> list[Grid]:
    import xlrd

    options: dict[str, Any] = {"file_contents": data, "logfile": io.StringIO(), "ignore_workbook_corruption": True}
    try:
        book = xlrd.open_workbook(**options)
        if book.biff_version < 80 and book.codepage is None:
            # Bytes of texts in an encoding that the file does not name: each came as the character of its number.
            raw = "\n".join(v for s in book.sheets() for r in range(s.nrows) for v in s.row_values(r) if type(v) is str)
            known = text.decode(raw.encode("latin-1", "replace"))
            if known and known[1] not in ("ascii", "cp1252"):
                book = xlrd.open_workbook(**options, encoding_override=known[1])
    except Exception as e:
        raise broken(str(e)) from e
    grids = []
    for sheet in book.sheets():
        if sheet.visibility:
            first = sheet.cell_value(0, 0) if sheet.name == FORM_LISTS and sheet.nrows and sheet.row_len(0) else None
            grids.append(Grid(sheet.name, [[first]] if isinstance(first, str) else [], hidden=True))
            continue
        rows = [
            [_cell(t, v, book.datemode) for t, v in zip(sheet.row_types(r), sheet.row_values(r), strict=True)]
            for r in range(sheet.nrows)
        ]
        merges = [(a, c, b - 1, d - 1) for a, b, c, d in sheet.merged_cells]
        grids.append(Grid(sheet.name, rows, merges=merges))
    return grids


def _cell(kind: int, value: Any, datemode: int) -> Any:
    import xlrd

    if kind == xlrd.XL_CELL_DATE:
        try:
            moment = xlrd.xldate.xldate_as_datetime(value, datemode)
        except (ValueError, OverflowError):
            return value
        if 0 < value < 1:
            return moment.time()
        return moment.date() if moment.time() == moment.min.time() else moment
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_ERROR:
        return Fault("error", xlrd.error_text_from_code.get(value, "#N/A"))
    return value


def _marked(data: bytes, grids: list[Grid]) -> list[tuple[Grid, int, int, Fault]]:
    """Positions of cells with a part struck out, or raised next to a digit; xlrd reads the file again for these."""
    import xlrd

    try:
        book = xlrd.open_workbook(
            file_contents=data, logfile=io.StringIO(), formatting_info=True, ignore_workbook_corruption=True
        )
    except Exception:  # noqa: BLE001 - of a damaged file xlrd raises whatever comes; calamine read its cells
        return []
    by_name = {g.name: g for g in grids}
    out = []
    for sheet in book.sheets():
        grid = by_name.get(sheet.name)
        if grid is None:
            continue
        for (row, column), given in sheet.rich_text_runlist_map.items():
            whole = sheet.cell_value(row, column)
            first = book.xf_list[sheet.cell_xf_index(row, column)].font_index
            units = whole.encode("utf-16-le")  # runs count those
            cuts = [(0, first), *given, (len(units), first)]
            parts = [(units[2 * a : 2 * b], book.font_list[f]) for (a, f), (b, _) in itertools.pairwise(cuts)]
            joined = runs.joined(
                [(t.decode("utf-16-le", "replace"), bool(f.struck_out), f.escapement != 0) for t, f in parts]
            )
            if isinstance(joined, Fault):
                out.append((grid, row, column, joined))
    return out
