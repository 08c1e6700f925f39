"""Decodes formula tokens of Excel's binary formats ([MS-XLS] 2.5.198, [MS-XLSB] 2.5.97) to steps.

Belongs here: BIFF5, BIFF8 and BIFF12. Not here: which records hold formulas (biff.py, xlsb.py), or what a formula gives (computed.py).
"""

from __future__ import annotations

import struct

from pipelines.intake.formats.computed import CellReference, Step, Steps

_SIGNS = {3: "+", 4: "-", 5: "*", 6: "/", 7: "^", 8: "&", 9: "<", 10: "<=", 11: "=", 12: ">=", 13: ">", 14: "<>"}
_MARKS = {0x12: "+", 0x13: "-", 0x14: "%", 0x15: "()"}
# Bytes behind a token, without its class, in BIFF5, BIFF8 and BIFF12. The last three only say how to compute what follows.
_SIZES = {0x1C: (1, 1, 1), 0x20: (7, 7, 14), 0x23: (14, 4, 4), 0x2A: (3, 4, 6), 0x2B: (6, 8, 12), 0x39: (24, 6, 6),
          0x3A: (17, 6, 8), 0x3B: (20, 10, 14), 0x3C: (17, 6, 8), 0x3D: (20, 10, 14), 0x18: (0, 0, 13),
          0x29: (2, 2, 2), 0x26: (6, 6, 6), 0x2E: (2, 2, 2)}  # fmt: skip
_HINTS = (0x26, 0x29, 0x2E)
# Functions since Excel 2007, of which xlrd does not know.
_LATER = {
    480: ("IFERROR", 2),
    481: ("COUNTIFS", -1),
    482: ("SUMIFS", -1),
    483: ("AVERAGEIF", -1),
    484: ("AVERAGEIFS", -1),
}
BIFF5, BIFF8, BIFF12 = 0, 1, 2


def steps(tokens: bytes, version: int) -> Steps | None:
    """The steps of a formula; None where it holds a token that is not known here."""
    out: list[Step] = []
    at = 0
    try:
        while at < len(tokens):
            token = tokens[at]
            base = token if token < 0x20 else 0x20 | token & 0x1F  # the class of an operand does not matter
            size = _step(base, tokens[at + 1 :], version, out)
            if size is None:
                return None
            at += 1 + size
    except (IndexError, KeyError, struct.error, OverflowError):
        return None
    return out


def _step(base: int, body: bytes, version: int, out: list[Step]) -> int | None:
    """Add what one token does; gives the bytes behind it."""
    if base in _SIGNS:
        out.append(("sign", _SIGNS[base]))
        return 0
    if base in _MARKS:
        out.append(("mark", _MARKS[base]))
        return 0
    if base == 0x16:  # an argument left out
        out.append(("value", None))
        return 0
    if base == 0x17:
        return _text(body, version, out)
    if base == 0x19:  # control of the flow, and a sum of one argument
        if body[0] & 0x10:
            out.append(("call", ("SUM", 1)))
        return 3 + (2 * int.from_bytes(body[1:3], "little") + 2 if body[0] & 4 else 0)
    if base == 0x1D:
        out.append(("value", bool(body[0])))
        return 1
    if base == 0x1E:
        out.append(("value", float(int.from_bytes(body[:2], "little"))))
        return 2
    if base == 0x1F:
        out.append(("value", struct.unpack_from("<d", body)[0]))
        return 8
    if base in (0x24, 0x25, 0x2C, 0x2D):
        return _cells(base, body, version, out)
    if base == 0x21:
        out.append(("call", _function(int.from_bytes(body[:2], "little"), -1)))
        return 2
    if base == 0x22:
        out.append(("call", _function(int.from_bytes(body[1:3], "little") & 0x7FFF, body[0] & 0x7F)))
        return 3
    if base not in _SIZES:
        return None
    if base not in _HINTS:
        out.append(("unknown", "…"))
    return _SIZES[base][version]


def _text(body: bytes, version: int, out: list[Step]) -> int:
    if version == BIFF12:
        size = 2 + 2 * int.from_bytes(body[:2], "little")
        out.append(("value", body[2:size].decode("utf-16-le", "replace")))
        return size
    double = version == BIFF8 and body[1] & 1
    start = 2 if version == BIFF8 else 1
    size = start + body[0] * (2 if double else 1)
    encoding = "utf-16-le" if double else "latin-1" if version == BIFF8 else "gb18030"
    out.append(("value", body[start:size].decode(encoding, "replace")))
    return size


def _cells(base: int, body: bytes, version: int, out: list[Step]) -> int:
    """A reference to a cell or an area; 0x2C and 0x2D count from the formula's own cell."""
    area = base & 1
    many = 1 + area
    shape = {BIFF5: ("<HB", "<2H2B"), BIFF8: ("<2H", "<4H"), BIFF12: ("<LH", "<2L2H")}[version][area]
    numbers = list(struct.unpack_from(shape, body))
    rows, columns = numbers[:many], numbers[many:]
    flags = rows if version == BIFF5 else columns
    if version == BIFF5:
        rows = [r & 0x3FFF for r in rows]
    else:
        columns = [c & (0xFF if version == BIFF8 else 0x3FFF) for c in columns]
    places = []
    for row, column, flag in zip(rows, columns, flags, strict=True):
        row_moves, column_moves = base >= 0x2C and bool(flag & 0x8000), base >= 0x2C and bool(flag & 0x4000)
        places.append(
            CellReference(
                _signed(row, (14, 16, 20)[version]) if row_moves else row,
                _signed(column, (8, 8, 14)[version]) if column_moves else column,
                row_moves,
                column_moves,
            )
        )
    out.append(("cells", (None, *places)))
    return struct.calcsize(shape)


def _signed(number: int, bits: int) -> int:
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def _function(number: int, many: int) -> tuple[str, int]:
    """The name of a function and how many operands it takes; KeyError where that is not known."""
    from xlrd.formula import func_defs

    if number == 255:  # its name is the first operand
        return "…", many
    if number in _LATER:
        name, least = _LATER[number]
        most = least
    elif number in func_defs or many < 0:
        name, least, most, *_ = func_defs[number]
    else:
        return "…", many
    if many < 0:
        if least != most:
            raise KeyError(number)
        many = least
    return name, many
