"""Reads the records of an .xls (BIFF5 and BIFF8, [MS-XLS]) that calamine ignores, in one pass.

Belongs here: fonts, number formats, hidden and merged cells, errors, and formulas as they are stored. Not here: whether a formula
was computed (computed.py), texts and numbers (calamine, xlrd).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelines.intake.formats.computed import Formula
from pipelines.intake.sheets import Merge

ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_MOST_MERGES = 100_000
_HEAD = struct.Struct("<HH").unpack_from
_CELL = struct.Struct("<HHH").unpack_from  # row, column, XF
_DOUBLE = struct.Struct("<d").unpack_from
_BOF, _EOF = 0x809, 0x0A
_SHARED, _ARRAY = 0x4BC, 0x221
_WANTED = frozenset([0x06, 0x7D, 0xE5, 0x205, 0x207, 0x208, _SHARED, _ARRAY])


@dataclass(slots=True)
class BiffSheet:
    """The records of one worksheet. Rows of `hidden_rows` are 1-based, all others 0-based."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    errors: list[tuple[int, int, str]] = field(default_factory=list)
    formulas: list[Formula] = field(default_factory=list)


@dataclass(slots=True)
class BiffWorkbook:
    """The records of the globals, and a function for those of each worksheet.

    `fonts`: whether struck out, whether raised or lowered. `codes`: number formats by their number. `xfs`: font and number format.
    `begins`: where the worksheets begin, in the order of the workbook.
    """

    stream: bytes
    wide: bool  # BIFF8; before it texts are bytes and cells are addressed in another way
    fonts: list[tuple[bool, bool]]
    codes: dict[int, str]
    xfs: list[tuple[int, int]]
    begins: list[int]

    def sheets(self) -> list[BiffSheet]:
        return [_sheet(self.stream, begin) for begin in self.begins]

    def cells(self, begin: int) -> Iterator[tuple[int, int, int]]:
        """Row, column and XF of each cell that may hold a number, of the sheet that begins there."""
        for kind, body in records(self.stream, begin):
            if kind in (0x203, 0x27E, 0x06) and len(body) >= 6:  # NUMBER, RK, FORMULA
                yield _CELL(body)
            elif kind == 0xBD and len(body) >= 6:  # MULRK: row, first column, (XF, number) of each, last column
                row, column = _HEAD(body)
                for k, at in enumerate(range(4, len(body) - 7, 6)):
                    yield row, column + k, int.from_bytes(body[at : at + 2], "little")


def workbook(stream: bytes) -> BiffWorkbook | None:
    """Read the globals of a workbook stream; None where it does not begin with those of BIFF5 or BIFF8."""
    if len(stream) < 8 or _HEAD(stream)[0] != _BOF or int.from_bytes(stream[4:6], "little") not in (0x500, 0x600):
        return None
    book = BiffWorkbook(stream, stream[5] == 6, [], {}, [], [])
    for kind, body in records(stream, 0):
        if kind == 0x31 and len(body) >= 10:
            flags, escapement = int.from_bytes(body[2:4], "little"), int.from_bytes(body[8:10], "little")
            book.fonts.append((bool(flags & 8), escapement != 0))
        elif kind == 0x41E and len(body) >= 4:
            book.codes[int.from_bytes(body[:2], "little")] = _code(body, book.wide)
        elif kind == 0xE0 and len(body) >= 4:
            book.xfs.append(_HEAD(body))
        elif kind == 0x85 and len(body) >= 6 and not body[5]:
            book.begins.append(int.from_bytes(body[:4], "little"))
    return book


def _code(body: bytes, wide: bool) -> str:
    if not wide:
        return body[3 : 3 + body[2]].decode("gb18030", "replace")
    length = int.from_bytes(body[2:4], "little")
    if len(body) > 4 and body[4] & 1:
        return body[5 : 5 + 2 * length].decode("utf-16-le", "replace")
    return body[5 : 5 + length].decode("latin-1")


def records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records of one substream, from its beginning to its end."""
    depth, end = 0, len(stream) - 4
    while at <= end:
        kind, size = _HEAD(stream, at)
        yield kind, stream[at + 4 : at + 4 + size]
        if kind == _BOF:
            depth += 1  # a chart lies inside its sheet
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        at += 4 + size


def _sheet(stream: bytes, at: int) -> BiffSheet:
    sheet = BiffSheet()
    depth, end = 0, len(stream) - 4
    shared: dict[tuple[int, int], tuple[bytes, Merge | None]] = {}
    waiting: Formula | None = None  # its text comes in a STRING record
    while at <= end:
        kind, size = _HEAD(stream, at)
        at += 4
        if kind in _WANTED and depth == 1:
            body = stream[at : at + size]
            if kind == 0x06 and size >= 22:
                waiting = _formula(body, sheet)
            elif kind == 0x207:
                if waiting is not None and size > 2 and body[:2] != b"\0\0":
                    waiting.cached = "…"  # a text; calamine has it
                waiting = None
            elif kind in (_SHARED, _ARRAY) and size > 14 and sheet.formulas:
                # A formula for several cells, behind the first of them: their rows and columns, then it.
                first_row, last_row, left, right = struct.unpack_from("<2H2B", body)
                begin = 10 if kind == _SHARED else 14
                tokens = body[begin : begin + int.from_bytes(body[begin - 2 : begin], "little")]
                area = (first_row, left, last_row, right) if kind == _ARRAY else None
                shared[sheet.formulas[-1].row, sheet.formulas[-1].column] = tokens, area
            elif kind == 0x208 and size >= 14:
                if body[12] & 0x20 or not int.from_bytes(body[6:8], "little") & 0x7FFF:
                    sheet.hidden_rows.append(int.from_bytes(body[:2], "little") + 1)
            elif kind == 0x7D and size >= 10:
                if body[8] & 1:
                    sheet.hidden_columns.append(_HEAD(body))
            elif kind == 0x205 and size >= 8:
                if body[7]:
                    row, column, _ = _CELL(body)
                    sheet.errors.append((row, column, ERRORS.get(body[6], "#N/A")))
            elif kind == 0xE5 and len(sheet.merges) < _MOST_MERGES:
                for k in range(2, len(body) - 7, 8):
                    first_row, last_row, left, right = struct.unpack_from("<4H", body, k)
                    sheet.merges.append((first_row, left, last_row, right))
        elif kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                break
        at += size
    for f in sheet.formulas:
        if f.source[:1] == b"\x01" and len(f.source) >= 5:  # PtgExp: where the shared formula is
            f.source, f.area = shared.get(_HEAD(f.source, 1), (f.source, None))
    return sheet


def _formula(body: bytes, sheet: BiffSheet) -> Formula | None:
    """Add a formula, or the error it holds; returns it where a STRING record is to follow. Its result is '' where the record says
    that the text is empty, or that a text follows and none does."""
    row, column, _ = _CELL(body)
    cached: float | bool | str | None
    follows = False
    if body[12:14] != b"\xff\xff":
        cached = _DOUBLE(body, 6)[0]
    elif body[6] == 1:
        cached = bool(body[8])
    elif body[6] == 2:
        cached = None
        sheet.errors.append((row, column, ERRORS.get(body[8], "#N/A")))
    else:
        cached, follows = "", body[6] == 0
    length = int.from_bytes(body[20:22], "little")
    formula = Formula(row, column, cached, body[22 : 22 + length], on_load=bool(body[14] & 2))
    sheet.formulas.append(formula)
    return formula if follows else None
