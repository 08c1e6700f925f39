"""Reads Excel workbooks in binary parts (.xlsb, [MS-XLSB]), in one pass over the records of each sheet.

Belongs here: cells of all kinds, also the short ones of other programs, which calamine leaves out; merges, what is hidden, number
formats, runs of fonts, errors, formulas as they are stored. Not here: the zip around the parts.
"""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pipelines.intake.formats import computed, number_format, runs, tokens
from pipelines.intake.formats.biff import ERRORS
from pipelines.intake.formats.computed import Formula
from pipelines.intake.formats.package import Package
from pipelines.intake.sheets import FORM_LISTS, Book, Fault, Grid, Merge, broken

WORKBOOK = "xl/workbook.bin"
_SHEETS = "xl/worksheets/"
_MOST_MERGES = 100_000
_LAST_ROW, _LAST_COLUMN = 1_048_575, 16_383
_INTS = struct.Struct("<4L").unpack_from
_DOUBLE = struct.Struct("<d").unpack_from


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The records of a part: their numbers and bodies (2.1.4)."""
    at, end = 0, len(data)
    while at < end:
        kind = data[at]
        at += 1
        if kind & 0x80 and at < end:
            kind = (kind & 0x7F) | (data[at] & 0x7F) << 7
            at += 1
        size = shift = 0
        while at < end and shift < 28:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield kind, data[at : at + size]
        at += size


@dataclass(slots=True)
class _BinaryStyles:
    """`fonts`: whether struck out, whether raised or lowered; of each style its font and its number format's code and kind."""

    fonts: list[tuple[bool, bool]] = field(default_factory=list)
    font: list[int] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    dated: list[bool] = field(default_factory=list)
    number_codes: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, part: bytes) -> _BinaryStyles:
        """BrtFont (43), BrtFmt (44), and BrtXF (47) between BrtBeginCellXFs (617) and its end (618)."""
        styles = cls()
        named = dict(number_format.BUILT_IN)
        inside = False
        for kind, body in records(part):
            if kind == 43 and len(body) >= 8:
                flags, raised = int.from_bytes(body[2:4], "little"), int.from_bytes(body[6:8], "little")
                styles.fonts.append((bool(flags & 8), raised != 0))
            elif kind == 44 and len(body) >= 6:
                named[int.from_bytes(body[:2], "little")] = _wide(body, 2)
            elif kind in (617, 618):
                inside = kind == 617
            elif kind == 47 and inside and len(body) >= 6:
                number = int.from_bytes(body[2:4], "little")
                code = named.get(number, "")
                if number_format.changes_numbers(code):
                    styles.number_codes[len(styles.code)] = code
                styles.code.append(code)
                styles.dated.append(number_format.dates(number, code))
                styles.font.append(int.from_bytes(body[4:6], "little"))
        return styles


_Text = tuple[str, list[tuple[int, int]]]  # and where in it runs of other fonts begin, in UTF-16 units


@dataclass(slots=True)
class _BinaryWorkbook:
    styles: _BinaryStyles
    texts: list[_Text]
    from_1904: bool

    def number(self, value: float, style: int) -> Any:
        """A number, or the day or time that its format shows."""
        if style >= len(self.styles.dated) or not self.styles.dated[style]:
            return value
        try:
            return number_format.moment(value, self.styles.code[style], self.from_1904)
        except (OverflowError, ValueError):
            return value

    def text(self, found: _Text, style: int) -> str | Fault:
        whole, given = found
        if not given:
            return whole
        units, font = whole.encode("utf-16-le"), self.styles.font
        cuts = [(0, font[style] if style < len(font) else 0), *given, (len(units) // 2, 0)]
        fonts = self.styles.fonts
        return runs.joined(
            [
                (units[2 * a : 2 * b].decode("utf-16-le", "replace"), *(fonts[f] if f < len(fonts) else (False, False)))
                for (a, f), (b, _) in itertools.pairwise(cuts)
                if a < b
            ]
        )


def open_xlsb(package: Package) -> Book:
    """Open the package of a workbook. Raises Refusal."""
    book, parts = package.book(), package.related(WORKBOOK)
    from_1904 = False
    sheets: list[tuple[str, str, bool]] = []  # part, name, hidden
    for kind, body in records(package.part(WORKBOOK)):
        if kind == 153 and body:  # BrtWbProp
            from_1904 = bool(body[0] & 1)
        elif kind == 156 and len(body) > 12:  # BrtBundleSh: state, number, the relation's id, the name
            relation = _wide(body, 8)
            name = _wide(body, 12 + 2 * int.from_bytes(body[8:12], "little"))
            sheets.append((parts[relation].target if relation in parts else "", name, body[0] != 0))
    sheets = [s for s in sheets if s[0].startswith(_SHEETS) and s[0] in package.entries]
    if not sheets:
        raise package.signed() or broken("no worksheet in workbook.bin")
    texts = [_rich(body, 0) for kind, body in records(package.part("xl/sharedStrings.bin")) if kind == 19]
    workbook = _BinaryWorkbook(_BinaryStyles.of(package.part("xl/styles.bin")), texts, from_1904)
    book.is_1904 = lambda: from_1904
    formulas: list[tuple[Grid, list[Formula]]] = []
    for part, name, hidden in sheets:
        if hidden and name != FORM_LISTS:
            book.grids.append(Grid(name, [], hidden=True))
        else:
            sheet = _BinarySheet(workbook, Grid(name, [], hidden=hidden))
            book.grids.append(sheet.read(package.part(part)))
            formulas.append((sheet.grid, sheet.formulas))
    computed.put_faults(formulas, lambda source: tokens.steps(source, tokens.BIFF12), mixed=True)
    return book


class _BinarySheet:
    def __init__(self, workbook: _BinaryWorkbook, grid: Grid):
        self.workbook, self.grid = workbook, grid
        self.lines: list[tuple[int, list[Any]]] = []
        self.codes: dict[tuple[int, int], str] = {}
        self.merges: list[Merge] = []
        self.formulas: list[Formula] = []
        self.several: dict[Any, tuple[bytes, Merge | None]] = {}
        self.row = self.column = 0
        self.line: list[Any] = []

    def read(self, part: bytes) -> Grid:
        grid = self.grid
        for kind, body in records(part):
            if kind <= 18 or kind == 62:
                if kind == 0:
                    self.begin_row(body)
                else:
                    self.cell(kind, body)
            elif kind in (426, 427):
                self.shared(kind, body)
            elif kind == 176 and len(body) >= 16 and len(self.merges) < _MOST_MERGES:  # BrtMergeCell
                first, last, left, right = _INTS(body)
                self.merges.append((first, left, last, right))
            elif kind == 60 and len(body) >= 18:  # BrtColInfo: first, last, width, style, flags
                first, last, width, _ = _INTS(body)
                if (body[16] & 1 or not width) and first <= last <= _LAST_COLUMN:
                    grid.hidden_columns.append((first, last))
        grid.merges = self.merges
        for f in self.formulas:
            if type(f.source) is tuple:
                f.source, f.area = self.several.get(f.source, (b"", None))
        if grid.hidden:
            # Not read, but for the id that a form of ours hides there.
            first_line = self.lines[0] if self.lines else (1, [])
            is_id = (
                first_line[0] == 0 and first_line[1] and re.fullmatch(r"[a-z][a-z0-9_]{0,80}", str(first_line[1][0]))
            )
            grid.rows = [[first_line[1][0]]] if is_id else []
            return grid
        grid.lay(self.lines)
        grid.formats = partial(number_format.of_cells, grid, self.codes)
        return grid

    def begin_row(self, body: bytes) -> None:
        """BrtRowHdr: row, style, height, flags."""
        if len(body) < 12:
            return
        self.row, self.column = min(int.from_bytes(body[:4], "little"), _LAST_ROW), -1
        self.line = []
        self.lines.append((self.row, self.line))
        if body[11] & 0x10 or not int.from_bytes(body[8:10], "little"):
            self.grid.hidden_rows.append(self.row + 1)

    def cell(self, kind: int, body: bytes) -> None:
        """Read a cell; a short one (12 to 18) is to the right of the previous one."""
        if 12 <= kind <= 18:
            self.column += 1
            style, at = int.from_bytes(body[:3], "little"), 4
        else:
            self.column, style, at = int.from_bytes(body[:4], "little"), int.from_bytes(body[4:7], "little"), 8
        if self.column > _LAST_COLUMN or len(body) < at:
            return
        value = self.value(kind, body, at, style)
        if 8 <= kind <= 10:
            self.formula(kind, body, value)
        if value is None or value == "":
            return
        self.line += [""] * (self.column + 1 - len(self.line))
        self.line[self.column] = value
        if type(value) is float and style in self.workbook.styles.number_codes:
            self.codes[self.row, self.column] = self.workbook.styles.number_codes[style]

    def formula(self, kind: int, body: bytes, value: Any) -> None:
        """Behind the result: flags, the length of the tokens, and they; then what they need besides, with its length."""
        at = {8: 12 + 2 * int.from_bytes(body[8:12], "little"), 9: 16, 10: 9}[kind]
        cached = _DOUBLE(body, 8)[0] if kind == 9 and len(body) >= 16 else value
        length = int.from_bytes(body[at + 2 : at + 6], "little")
        source: Any
        source, behind = body[at + 6 : at + 6 + length], body[at + 10 + length :]
        if source[:1] == b"\x01":  # PtgExp: the first cell of several that share it, whose column stands behind
            source = int.from_bytes(source[1:5], "little"), int.from_bytes(behind[:4], "little")
        self.formulas.append(
            Formula(self.row, self.column, cached, source, on_load=bool(body[at : at + 1] and body[at] & 2))
        )

    def shared(self, kind: int, body: bytes) -> None:
        """BrtArrFmla (426) and BrtShrFmla (427), behind the first of the cells that share it."""
        at = 17 if kind == 426 else 16
        if len(body) < at + 4 or not self.formulas:
            return
        first, last, left, right = _INTS(body)
        tokens_ = body[at + 4 : at + 4 + int.from_bytes(body[at : at + 4], "little")]
        self.several[self.formulas[-1].row, self.formulas[-1].column] = (
            tokens_,
            (first, left, last, right) if kind == 426 else None,
        )

    def value(self, kind: int, body: bytes, at: int, style: int) -> Any:
        """The value of a cell, in `body` from `at` on; None for a blank one."""
        size = len(body) - at
        if kind in (2, 13) and size >= 4:
            return self.workbook.number(_packed(int.from_bytes(body[at : at + 4], "little")), style)
        if kind in (3, 11, 14) and size:
            return Fault("error", ERRORS.get(body[at], "#N/A"))
        if kind in (4, 10, 15) and size:
            return bool(body[at])
        if kind in (5, 9, 16) and size >= 8:
            return self.workbook.number(_DOUBLE(body, at)[0], style)
        if kind in (6, 8, 17) and size >= 4:
            return _wide(body, at)
        if kind in (7, 18) and size >= 4:
            known, place = self.workbook.texts, int.from_bytes(body[at : at + 4], "little")
            return self.workbook.text(known[place], style) if place < len(known) else None
        if kind == 62 and size >= 5:
            return self.workbook.text(_rich(body, at), style)
        return None


def _packed(raw: int) -> float:
    """A number in 30 bits (RkNumber, 2.5.123)."""
    if raw & 2:
        number = float((raw >> 2) - (1 << 30 if raw & 0x80000000 else 0))
    else:
        number = _DOUBLE(b"\0\0\0\0" + (raw & 0xFFFFFFFC).to_bytes(4, "little"))[0]
    return number / 100 if raw & 1 else number


def _wide(body: bytes, at: int) -> str:
    """A text: its length in units, then those."""
    return body[at + 4 : at + 4 + 2 * int.from_bytes(body[at : at + 4], "little")].decode("utf-16-le", "replace")


def _rich(body: bytes, at: int) -> _Text:
    """A text with runs (RichStr, 2.5.121): flags, the text, the number of runs, and of each its beginning and font."""
    text = _wide(body, at + 1)
    behind = at + 5 + 2 * int.from_bytes(body[at + 1 : at + 5], "little")
    if not body[at : at + 1] or not body[at] & 1 or len(body) < behind + 4:
        return text, []
    many = int.from_bytes(body[behind : behind + 4], "little")
    pairs = struct.iter_unpack("<HH", body[behind + 4 : behind + 4 + 4 * min(many, (len(body) - behind - 4) // 4)])
    return text, list(pairs)
