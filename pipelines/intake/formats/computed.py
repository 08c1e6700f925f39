"""Whether anybody computed the formulas of an .xls, or a writer put a constant in place of their results.

Belongs here: what a formula can give, by its tokens ([MS-XLS] 2.5.198) and the cells it refers to, as far as that shows that the
result it holds is none. Not here: computing formulas for their values; a result that may be right is believed.

xlwt, Aspose and Spire store an empty text, HSSF and Spreadsheet::WriteExcel 0, JExcelAPI 4, LibreOffice 0 for a text that it has
not computed again. An empty text is also what =IF(D5="","",D5*0.6) gives, and 0 what a sum of nothing gives.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Flag, auto
from math import copysign, floor
from typing import Any

from pipelines.core.letters import letter
from pipelines.intake.formats.biff import Formula
from pipelines.intake.sheets import Grid

_MOST_VISITED = 2_000_000  # cells of ranges looked at, of one workbook


class Kind(Flag):
    """What a value can be, where it is not known."""

    NUMBER = auto()
    TEXT = auto()  # at least one character
    BLANK = auto()  # the empty text
    TRUTH = auto()


ANY = ~Kind(0)
_TEXTS = Kind.TEXT | Kind.BLANK
_CONSTANTS = frozenset(["''", "0.0", "4.0"])
Value = float | bool | str | None | Kind  # None: an empty cell


@dataclass(slots=True)
class _Item:
    """What lies on the stack: the values of a cell or a range, None where they are not known, and how it is written."""

    values: list[Value] | None
    text: str
    is_range: bool = False

    @property
    def value(self) -> Value:
        return self.values[0] if self.values is not None and len(self.values) == 1 else ANY


_OPERATORS = {3: "+", 4: "-", 5: "*", 6: "/", 7: "^", 8: "&", 9: "<", 10: "<=", 11: "=", 12: ">=", 13: ">", 14: "<>"}
# Bytes behind a token, without its class, in BIFF8 and before.
_SIZES = {0x19: (3, 3), 0x1C: (1, 1), 0x20: (7, 7), 0x23: (4, 14), 0x2A: (4, 3), 0x2B: (8, 6), 0x39: (6, 24),
          0x3A: (6, 17), 0x3B: (10, 20), 0x3C: (6, 17), 0x3D: (10, 20), 0x29: (2, 2), 0x26: (6, 6), 0x2E: (2, 2)}  # fmt: skip
_NUMBERS = frozenset(
    [
        "COUNT",
        "SUM",
        "AVERAGE",
        "MIN",
        "MAX",
        "ROW",
        "COLUMN",
        "NPV",
        "STDEV",
        "SIN",
        "COS",
        "TAN",
        "ATAN",
        "PI",
        "SQRT",
        "EXP",
        "LN",
        "LOG10",
        "ABS",
        "INT",
        "SIGN",
        "ROUND",
        "LEN",
        "VALUE",
        "MOD",
        "DATE",
        "TIME",
        "DAY",
        "MONTH",
        "YEAR",
        "WEEKDAY",
        "HOUR",
        "MINUTE",
        "SECOND",
        "NOW",
        "TODAY",
        "ROUNDUP",
        "ROUNDDOWN",
        "RANK",
        "MATCH",
        "COUNTA",
        "PRODUCT",
        "SUMPRODUCT",
        "SUMIF",
        "COUNTIF",
        "COUNTBLANK",
        "SUBTOTAL",
        "MEDIAN",
        "LARGE",
        "SMALL",
        "POWER",
        "DAYS360",
        "CEILING",
        "FLOOR",
        "VAR",
        "STDEVP",
        "ROWS",
        "COLUMNS",
    ]
)
_WORDS = frozenset(
    [
        "MID",
        "REPT",
        "LEFT",
        "RIGHT",
        "TEXT",
        "TRIM",
        "UPPER",
        "LOWER",
        "PROPER",
        "SUBSTITUTE",
        "REPLACE",
        "FIXED",
        "DOLLAR",
        "CHAR",
    ]
)
_TRUTHS = frozenset(
    [
        "AND",
        "OR",
        "NOT",
        "TRUE",
        "FALSE",
        "ISNA",
        "ISERROR",
        "ISERR",
        "ISBLANK",
        "ISNUMBER",
        "ISTEXT",
        "ISNONTEXT",
        "ISLOGICAL",
        "EXACT",
    ]
)


def not_computed(
    sheets: Sequence[tuple[Grid, Sequence[Formula]]], wide: bool, by_library: bool
) -> list[tuple[Grid, Formula, str]]:
    """The formulas of a workbook that hold no result, each with its sheet and its text.

    `wide`: BIFF8. `by_library`: the file bears marks of a library, and none of a program that computes.
    """
    held = {repr(f.cached) for _, formulas in sheets for f in formulas if f.cached is not None}
    one = len(held) == 1
    if not one and not held & _CONSTANTS:
        return []
    visits = [_MOST_VISITED]
    wrong: list[tuple[Grid, Formula, str]] = []
    right: list[tuple[Grid, Formula, str]] = []
    unknown: list[tuple[Grid, Formula, str]] = []
    for grid, formulas in sheets:
        if grid.hidden or grid.refusal:
            continue
        cell = _cells(grid)
        for f in formulas:
            if f.cached is None or not (one or repr(f.cached) in _CONSTANTS):
                continue
            item = _evaluated(f, cell, wide, visits)
            value = item.value if item else ANY
            entry = grid, f, f"={item.text}" if item else "=…"
            contradicted = _contradicts(value, f.cached)
            (wrong if contradicted else unknown if isinstance(value, Kind) else right).append(entry)
    asked = (
        held <= _CONSTANTS and not right and (by_library or all(f.on_load for _, formulas in sheets for f in formulas))
    )
    if one and (wrong or asked):
        return wrong + right + unknown  # a sum of results that nobody computed is none either
    constants = {repr(f.cached) for _, f, _ in wrong}
    return wrong + [e for e in unknown if repr(e[1].cached) in constants]


def _contradicts(value: Value, cached: float | bool | str) -> bool:
    """Whether a formula that gives `value` cannot have given `cached`."""
    kind = _kind(value)
    if cached == "":
        return not kind & Kind.BLANK and value is not None
    if isinstance(cached, str):
        return False
    if not kind & (Kind.NUMBER | Kind.TRUTH) and value is not None:
        return True
    return isinstance(value, float) and abs(value - cached) > 1e-6 * max(1.0, abs(value))


def _kind(value: Value) -> Kind:
    if isinstance(value, Kind):
        return value
    if isinstance(value, bool):
        return Kind.TRUTH
    if isinstance(value, float):
        return Kind.NUMBER
    return Kind.TEXT if value else Kind.BLANK


def _cells(grid: Grid) -> Callable[[int, int], Value]:
    rows, top, left = grid.rows, grid.top, grid.left

    def cell(row: int, column: int) -> Value:
        r, c = row - top, column - left
        v: Any = rows[r][c] if 0 <= r < len(rows) and 0 <= c < len(rows[r]) else ""
        if type(v) is str:
            return v or None
        if type(v) is float or type(v) is bool:
            return v
        if type(v) is int:
            return float(v)
        return Kind.NUMBER if isinstance(v, dt.date | dt.time | dt.timedelta) else ANY

    return cell


def _evaluated(f: Formula, cell: Callable[[int, int], Value], wide: bool, visits: list[int]) -> _Item | None:
    """What a formula gives; None where it holds a token that is not known here."""
    stack: list[_Item] = []
    tokens, at = f.tokens, 0
    try:
        while at < len(tokens):
            token = tokens[at]
            base = token if token < 0x20 else 0x20 | token & 0x1F  # the class of an operand does not matter
            body = tokens[at + 1 :]
            if base in _OPERATORS:
                b, a = stack.pop(), stack.pop()
                stack.append(_Item([_binary(base, a.value, b.value)], f"{a.text}{_OPERATORS[base]}{b.text}"))
                size = 0
            elif base in (0x12, 0x13, 0x14, 0x15):  # +, -, %, ( )
                a = stack.pop()
                value, size = a.value, 0
                if base == 0x13 or base == 0x14:
                    value = _number(value)
                    if isinstance(value, float):
                        value = -value if base == 0x13 else value / 100
                text = {0x12: f"+{a.text}", 0x13: f"-{a.text}", 0x14: f"{a.text}%", 0x15: f"({a.text})"}[base]
                stack.append(_Item([value], text))
            elif base == 0x16:  # an argument left out
                stack.append(_Item([None], ""))
                size = 0
            elif base == 0x17:
                n, double = body[0], wide and body[1] & 1
                start = 2 if wide else 1
                size = start + n * (2 if double else 1)
                word = body[start:size].decode("utf-16-le" if double else "latin-1" if wide else "gb18030", "replace")
                stack.append(_Item([word], f'"{word}"'))
            elif base == 0x19:  # control of the flow, and a sum of one argument
                size = 3 + (2 * int.from_bytes(body[1:3], "little") + 2 if body[0] & 4 else 0)
                if body[0] & 0x10:
                    a = stack.pop()
                    stack.append(_Item([_called("SUM", [a])], f"SUM({a.text})"))
            elif base == 0x1D:
                stack.append(_Item([bool(body[0])], "TRUE" if body[0] else "FALSE"))
                size = 1
            elif base == 0x1E:
                stack.append(
                    _Item([float(int.from_bytes(body[:2], "little"))], str(int.from_bytes(body[:2], "little")))
                )
                size = 2
            elif base == 0x1F:
                number = struct.unpack_from("<d", body)[0]
                stack.append(_Item([number], f"{number:.15g}"))
                size = 8
            elif base in (0x24, 0x25, 0x2C, 0x2D):
                size = {0x24: (4, 3), 0x25: (8, 6), 0x2C: (4, 3), 0x2D: (8, 6)}[base][not wide]
                stack.append(_referred(f, base, body, cell, wide, visits))
            elif base in (0x21, 0x22):
                many, number, size = (
                    (-1, body[0] | body[1] << 8, 2)
                    if base == 0x21
                    else (body[0] & 0x7F, (body[1] | body[2] << 8) & 0x7FFF, 3)
                )
                name, many = _function(number, many)
                arguments = stack[len(stack) - many :] if many else []
                del stack[len(stack) - many :]
                stack.append(_Item([_called(name, arguments)], f"{name}({','.join(a.text for a in arguments)})"))
            elif base in _SIZES:
                size = _SIZES[base][not wide]
                if base not in (0x26, 0x29, 0x2E):  # those only say how to compute what follows
                    stack.append(_Item(None, "…"))
            else:
                return None
            at += 1 + size
        return stack[0] if len(stack) == 1 else None
    except (IndexError, KeyError, struct.error, OverflowError):
        return None


def _function(number: int, many: int) -> tuple[str, int]:
    """The name of a function and how many arguments it takes; KeyError where it is not known."""
    from xlrd.formula import func_defs

    if number == 255:  # its name is the first argument
        return "…", many
    name, least, most, *_ = func_defs[number]
    if many < 0:
        if least != most:
            raise KeyError(number)
        many = least
    return name, many


def _referred(
    f: Formula, base: int, body: bytes, cell: Callable[[int, int], Value], wide: bool, visits: list[int]
) -> _Item:
    """The cells of a reference; 0x2C and 0x2D count from the formula's own cell."""
    area = base & 1
    if wide:
        numbers = struct.unpack_from("<4H" if area else "<2H", body)
        rows = list(numbers[: 1 + area])
        columns = [n & 0xFF for n in numbers[1 + area :]]
        relative = [(n & 0x8000, n & 0x4000) for n in numbers[1 + area :]]
        limit = 0x10000
    else:
        numbers = struct.unpack_from("<2H2B" if area else "<HB", body)
        rows = [n & 0x3FFF for n in numbers[: 1 + area]]
        relative = [(n & 0x8000, n & 0x4000) for n in numbers[: 1 + area]]
        columns = list(numbers[1 + area :])
        limit = 0x4000
    if base >= 0x2C:
        rows = [(r + f.row) % limit if y else r for r, (y, _) in zip(rows, relative, strict=True)]
        columns = [(c + f.column) % 0x100 if x else c for c, (_, x) in zip(columns, relative, strict=True)]
    text = ":".join(f"{letter(c)}{r + 1}" for r, c in zip(rows, columns, strict=True))
    if not area:
        return _Item([cell(rows[0], columns[0])], text, True)
    size = (rows[1] - rows[0] + 1) * (columns[1] - columns[0] + 1)
    visits[0] -= size
    if size < 1 or visits[0] < 0:
        return _Item(None, text, True)
    return _Item(
        [cell(r, c) for r in range(rows[0], rows[1] + 1) for c in range(columns[0], columns[1] + 1)], text, True
    )


def _number(value: Value) -> float | Kind:
    """An operand of an operation with numbers, or what its result can be."""
    if isinstance(value, float | bool):
        return float(value)
    return 0.0 if value is None else Kind.NUMBER  # a text may hold a number


def _binary(token: int, a: Value, b: Value) -> Value:
    if token == 8:
        known = all(v is None or isinstance(v, str) for v in (a, b))
        if known:
            return f"{a or ''}{b or ''}"
        kinds = [_kind(v) for v in (a, b)]
        return _TEXTS if all(k & Kind.BLANK for k in kinds) else Kind.TEXT
    if token >= 9:
        if isinstance(a, Kind) or isinstance(b, Kind):
            return Kind.TRUTH
        if token in (11, 14):
            empty = (None, "", 0.0)  # False equals 0.0
            if isinstance(a, str) and isinstance(b, str):
                a, b = a.casefold(), b.casefold()
            same = (a in empty and b in empty and (a is None or b is None)) or (type(a) is type(b) and a == b)
            return same == (token == 11)
        x, y = _number(a), _number(b)
        if isinstance(x, Kind) or isinstance(y, Kind):
            return Kind.TRUTH
        return {9: x < y, 10: x <= y, 12: x >= y, 13: x > y}[token]
    x, y = _number(a), _number(b)
    if isinstance(x, Kind) or isinstance(y, Kind) or token == 7 or (token == 6 and y == 0):
        return Kind.NUMBER
    return {3: x + y, 4: x - y, 5: x * y}[token] if token != 6 else x / y


def _called(name: str, arguments: Sequence[_Item]) -> Value:
    """What a function gives: a value where that is plain, else of what kind."""
    if name == "IF":
        condition = arguments[0].value
        # A reference to an empty cell gives 0, and so does a branch left out.
        branches = [0.0 if a.value is None else a.value for a in arguments[1:]] + [False] * (3 - len(arguments))
        if isinstance(condition, Kind | str):
            return _kind(branches[0]) | _kind(branches[1])
        return branches[0 if condition else 1]
    if name in ("SUM", "AVERAGE", "MIN", "MAX", "PRODUCT"):
        numbers: list[float] = []
        for a in arguments:
            if a.values is None:
                return Kind.NUMBER
            for v in a.values:
                if isinstance(v, Kind) or (isinstance(v, str) and not a.is_range):
                    return Kind.NUMBER
                if isinstance(v, float) or (not a.is_range and v is not None):
                    numbers.append(float(v))
        if name == "SUM":
            return float(sum(numbers))
        if name in ("MIN", "MAX"):
            return (min if name == "MIN" else max)(numbers, default=0.0)
        return sum(numbers) / len(numbers) if name == "AVERAGE" and numbers else Kind.NUMBER
    if name in ("ROUND", "ABS", "INT"):
        value = _number(arguments[0].value)
        digits = _number(arguments[1].value) if name == "ROUND" else 0.0
        if isinstance(value, Kind) or isinstance(digits, Kind):
            return Kind.NUMBER
        if name != "ROUND":
            return abs(value) if name == "ABS" else float(floor(value))
        scale = 10.0 ** int(digits)
        return copysign(floor(abs(value) * scale + 0.5 + 1e-9) / scale, value)
    if name == "CONCATENATE":
        joined: Value = ""
        for a in arguments:
            joined = _binary(8, joined, a.value)
        return joined
    if name in _NUMBERS:
        return Kind.NUMBER
    if name in _WORDS:
        return _TEXTS
    return Kind.TRUTH if name in _TRUTHS else ANY
