"""Checks whether the cached results of a workbook's formulas were computed, or are constants that a library wrote.

Belongs here: what a formula can give, by the cells it refers to, as far as that shows that the result it holds is none; for every
format alike, which hands its formulas over as steps (tokens.py, expressions.py). Not here: giving a value that the file does not
hold; a result that may be right is believed.

XlsxWriter, HSSF and Spreadsheet::WriteExcel store 0, SXSSF 0.0, JExcelAPI 4, xlwt, Aspose and Spire an empty text, LibreOffice 0 for
a text that it has not computed again. An empty text is also what =IF(D5="","",D5*0.6) gives, and 0 what a sum of nothing gives.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Flag, auto
from math import copysign, floor
from typing import Any, Literal, NamedTuple

from pipelines.core.letters import column_letter
from pipelines.intake.sheets import Fault, Grid, Merge

_MOST_VISITED = 2_000_000  # cells of ranges looked at, of one workbook
_MOST_SPREAD = 100_000  # cells of one array formula
_DEEPEST = 40  # formulas that refer to formulas


class ValueKind(Flag):
    """The possible types of an unknown value."""

    NUMBER = auto()
    TEXT = auto()  # at least one character
    BLANK = auto()  # the empty text
    TRUTH = auto()


ANY = ~ValueKind(0)
_TEXTS = ValueKind.TEXT | ValueKind.BLANK
_CONSTANTS = frozenset(["''", "0.0", "4.0"])
Value = float | bool | str | None | ValueKind  # None: an empty cell


class CellReference(NamedTuple):
    """A row and a column, 0-based; one that `moves` counts from the formula's own cell."""

    row: int
    column: int
    row_moves: bool = False
    column_moves: bool = False


# A step of a formula, operands before what is done with them (as tokens stand): "value" a constant, "cells" the name of a sheet or
# None and one place or two, "sign" an operator of two, "mark" one of one (+ - % and parentheses), "call" a function's name and how
# many operands it takes, "unknown" how something else is written.
Step = tuple[Literal["value", "cells", "sign", "mark", "call", "unknown"], Any]
Steps = Sequence[Step]


@dataclass(slots=True)
class Formula:
    """A formula: its position (absolute, 0-based), its cached result, and its text or steps.

    `cached`: a number, True or False, or a text; None: something else, which is believed. `missing`: the file holds no result.
    `source`: what the format's own function makes steps of. `text`: how it is shown, "" where that is to be written from the
    steps. `area`: the cells that an array formula fills. `home`: the cell that its references count from, where not its own.
    `on_load`: the writer asks that it be computed when the file is opened.
    """

    row: int
    column: int
    cached: float | bool | str | None
    source: Any
    text: str = ""
    missing: bool = False
    area: Merge | None = None
    home: tuple[int, int] | None = None
    on_load: bool = False


Sheets = Sequence[tuple[Grid, Sequence[Formula]]]
ToSteps = Callable[[Any], Steps | None]


@dataclass(slots=True)
class _Item:
    """An item of the stack: the values of a cell or range, None where unknown, and its notation."""

    values: list[Value] | None
    text: str
    is_range: bool = False

    @property
    def value(self) -> Value:
        return self.values[0] if self.values is not None and len(self.values) == 1 else ANY


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
        "COUNTIFS",
        "SUMIFS",
        "AVERAGEIF",
        "AVERAGEIFS",
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
_COMPARISONS = frozenset(["<", "<=", "=", ">=", ">", "<>"])


def put_faults(sheets: Sheets, to_steps: ToSteps, by_library: bool = False, mixed: bool = False) -> None:
    """Put a Fault in place of each result that is missing or that nobody computed; and nothing where the formula plainly gives
    an empty text, as in rows that were prepared and not filled in. `by_library`, `mixed`: see not_computed()."""
    spread = [
        (grid, list(_spread(grid, formulas))) for grid, formulas in sheets if not grid.hidden and not grid.refusal
    ]
    judge = _Judge(spread, to_steps)
    for grid, f in judge.not_computed(by_library, mixed):
        if judge.value(grid, f) != "":
            grid.put(f.row, f.column, Fault("formula", judge.text(f)))
        elif _held(grid, f.row, f.column) != "":
            grid.put(f.row, f.column, "")


def _spread(grid: Grid, formulas: Sequence[Formula]) -> Iterator[Formula]:
    """The formulas, and one for each further cell of an array formula, of which files hold the result alone."""
    taken = {(f.row, f.column) for f in formulas} if any(f.area for f in formulas) else set()
    for f in formulas:
        yield f
        first, left, last, right = f.area or (-1, -1, -1, -1)
        if (f.row, f.column) != (first, left) or (last - first + 1) * (right - left + 1) > _MOST_SPREAD:
            continue
        for row in range(first, last + 1):
            for column in range(left, right + 1):
                if (row, column) not in taken:
                    taken.add((row, column))
                    value = _held(grid, row, column)
                    cached = (
                        float(value) if type(value) is int else value if type(value) in (float, bool, str) else None
                    )
                    missing = value == "" and f.missing
                    yield replace(f, row=row, column=column, cached=cached, missing=missing, home=(f.row, f.column))


class _Judge:
    """Evaluates the formulas of a workbook, including those that depend on one another."""

    def __init__(self, sheets: Sheets, to_steps: ToSteps):
        self.every = [(grid, f) for grid, formulas in sheets for f in formulas]
        self.to_steps = to_steps
        self.grids = {grid.name: grid for grid, _ in sheets}
        self.steps: dict[Any, Steps | None] = {}
        self.known: dict[tuple[int, int, int], Value] = {}
        self.formulas = {
            (id(grid), f.row, f.column): f for grid, f in self.every if f.missing or repr(f.cached) in _CONSTANTS
        }
        self.visits, self.depth = _MOST_VISITED, 0

    def not_computed(self, by_library: bool, mixed: bool) -> list[tuple[Grid, Formula]]:
        """The formulas that hold no result. `by_library`: the file bears marks of a library, and none of a program that computes.
        `mixed`: constants are doubted also in a workbook where another formula holds something else.

        A formula that would give something else than the constant it holds was not computed. Then those were neither that hold the
        same and of which nothing can be told; nor they where all hold constants and a library wrote them.
        """
        missing = [e for e in self.every if e[1].missing]
        holding = [e for e in self.every if e[1].cached is not None and not e[1].missing]
        held = {repr(f.cached) for _, f in holding}
        if not held & _CONSTANTS if mixed and len(held) != 1 else not mixed and not held <= _CONSTANTS:
            return missing
        wrong, unknown, right = [], [], 0
        for grid, f in holding:
            if len(held) != 1 and repr(f.cached) not in _CONSTANTS:
                continue
            value = self.value(grid, f)
            if _contradicts(value, f.cached):
                wrong.append((grid, f))
            elif isinstance(value, ValueKind):
                unknown.append((grid, f))
            else:
                right += 1
        doubtful = {repr(f.cached) for _, f in wrong}
        if held <= _CONSTANTS and (by_library or (not right and all(f.on_load for _, f in holding))):
            doubtful |= held
        return missing + wrong + [e for e in unknown if repr(e[1].cached) in doubtful]

    def steps_of(self, f: Formula) -> Steps | None:
        if f.source not in self.steps:
            self.steps[f.source] = self.to_steps(f.source)
        return self.steps[f.source]

    def text(self, f: Formula) -> str:
        return f.text or f"={written(self.steps_of(f), f.home or (f.row, f.column))[:200]}"

    def value(self, grid: Grid, f: Formula) -> Value:
        """The value of a formula; ANY where it is unknown."""
        at = id(grid), f.row, f.column
        if at not in self.known:
            self.known[at] = ANY  # for one that refers to itself
            if self.depth < _DEEPEST:
                self.depth += 1
                with contextlib.suppress(IndexError, OverflowError, ValueError):
                    self.known[at] = self.evaluated(grid, f)
                self.depth -= 1
        return self.known[at]

    def evaluated(self, grid: Grid, f: Formula) -> Value:
        stack: list[_Item] = []
        for kind, given in self.steps_of(f) or ():
            if kind == "value":
                stack.append(_Item([given], ""))
            elif kind == "cells":
                stack.append(self.cells(grid, f, *given))
            elif kind == "sign":
                b, a = stack.pop(), stack.pop()
                stack.append(_Item(_each(given, a, b) if f.area else [_binary(given, a.value, b.value)], ""))
            elif kind == "mark":
                stack.append(_Item([_marked(given, stack.pop().value)], ""))
            elif kind == "call":
                name, many = given
                arguments = stack[len(stack) - many :] if many else []
                del stack[len(stack) - many :]
                if name == "SUBTOTAL" and not grid.hidden_rows and arguments[0].value in (9, 109):
                    name, arguments = "SUM", arguments[1:]
                stack.append(_Item([_called(name, arguments)], ""))
            else:
                stack.append(_Item(None, ""))
        if len(stack) != 1 or not stack[0].values:
            return ANY
        values = stack[0].values
        if f.area is None or len(values) == 1:
            return stack[0].value
        first, left, last, right = f.area
        width = right - left + 1
        return values[(f.row - first) * width + f.column - left] if len(values) == (last - first + 1) * width else ANY

    def cells(self, own: Grid, f: Formula, sheet: str | None, *corners: CellReference) -> _Item:
        grid = own if sheet is None else self.grids.get(sheet)
        rows, columns = resolved(corners, f.home or (f.row, f.column))
        if grid is None or min(rows) < 0 or min(columns) < 0:
            return _Item(None, "", True)
        if len(corners) == 1:
            return _Item([self.cell(grid, rows[0], columns[0])], "", True)
        last = min(rows[1], max(grid.top + len(grid.rows) - 1, rows[0]))
        size = (last - rows[0] + 1) * (columns[1] - columns[0] + 1)
        self.visits -= size
        if size < 1 or self.visits < 0:
            return _Item(None, "", True)
        return _Item(
            [self.cell(grid, r, c) for r in range(rows[0], last + 1) for c in range(columns[0], columns[1] + 1)],
            "",
            True,
        )

    def cell(self, grid: Grid, row: int, column: int) -> Value:
        if (formula := self.formulas.get((id(grid), row, column))) is not None:
            return self.value(grid, formula)
        v = _held(grid, row, column)
        if type(v) is str:
            return v or None
        if type(v) is float or type(v) is bool:
            return v
        if type(v) is int:
            return float(v)
        return ValueKind.NUMBER if isinstance(v, dt.date | dt.time | dt.timedelta) else ANY


def _held(grid: Grid, row: int, column: int) -> Any:
    r, c = row - grid.top, column - grid.left
    return grid.rows[r][c] if 0 <= r < len(grid.rows) and 0 <= c < len(grid.rows[r]) else ""


def resolved(corners: Sequence[CellReference], home: tuple[int, int]) -> tuple[list[int], list[int]]:
    """The rows and the columns of places as seen from a cell."""
    return (
        [p.row + home[0] if p.row_moves else p.row for p in corners],
        [p.column + home[1] if p.column_moves else p.column for p in corners],
    )


def written(steps: Steps | None, home: tuple[int, int]) -> str:
    """A formula as typed into a cell, without the equals sign; … for unknown parts."""
    stack: list[str] = []
    try:
        for kind, given in steps or ():
            if kind == "value":
                word = "TRUE" if given is True else "FALSE" if given is False else "" if given is None else None
                stack.append(word if word is not None else f'"{given}"' if isinstance(given, str) else f"{given:.15g}")
            elif kind == "cells":
                rows, columns = resolved(given[1:], home)
                before = "" if given[0] is None else f"{given[0]}!"
                stack.append(
                    before + ":".join(f"{column_letter(c)}{r + 1}" for r, c in zip(rows, columns, strict=True))
                )
            elif kind == "sign":
                b, a = stack.pop(), stack.pop()
                stack.append(f"{a}{given}{b}")
            elif kind == "mark":
                a = stack.pop()
                stack.append(f"({a})" if given == "()" else f"{a}%" if given == "%" else f"{given}{a}")
            elif kind == "call":
                name, many = given
                arguments = stack[len(stack) - many :] if many else []
                del stack[len(stack) - many :]
                stack.append(f"{name}({','.join(arguments)})")
            else:
                stack.append(given)
    except IndexError:
        return "…"
    return stack[0] if len(stack) == 1 else "…"


def _contradicts(value: Value, cached: float | bool | str | None) -> bool:
    """Whether a formula with the value `value` cannot have had the result `cached`."""
    kind = _kind(value)
    if cached == "":
        return not kind & ValueKind.BLANK and value is not None
    if cached is None or isinstance(cached, str):
        return False
    if not kind & (ValueKind.NUMBER | ValueKind.TRUTH) and value is not None:
        return True
    return isinstance(value, float) and abs(value - cached) > 1e-6 * max(1.0, abs(value))


def _kind(value: Value) -> ValueKind:
    if isinstance(value, ValueKind):
        return value
    if isinstance(value, bool):
        return ValueKind.TRUTH
    if isinstance(value, float):
        return ValueKind.NUMBER
    return ValueKind.TEXT if value else ValueKind.BLANK


def _number(value: Value) -> float | ValueKind:
    """An operand of an operation with numbers, or what its result can be."""
    if isinstance(value, float | bool):
        return float(value)
    return 0.0 if value is None else ValueKind.NUMBER  # a text may hold a number


def _marked(mark: str, value: Value) -> Value:
    if mark not in "-%":
        return value
    number = _number(value)
    if isinstance(number, ValueKind):
        return number
    return -number if mark == "-" else number / 100


def _each(sign: str, a: _Item, b: _Item) -> list[Value] | None:
    """An operation of an array formula, with each of the cells of a range."""
    if a.values is None or b.values is None:
        return None
    if 1 not in (len(a.values), len(b.values)) and len(a.values) != len(b.values):
        return None
    many = max(len(a.values), len(b.values))
    one, other = (i.values * many if len(i.values) == 1 else i.values for i in (a, b) if i.values)
    return [_binary(sign, x, y) for x, y in zip(one, other, strict=True)]


def _binary(sign: str, a: Value, b: Value) -> Value:
    if sign == "&":
        known = all(v is None or isinstance(v, str) for v in (a, b))
        if known:
            return f"{a or ''}{b or ''}"
        kinds = [_kind(v) for v in (a, b)]
        return _TEXTS if all(k & ValueKind.BLANK for k in kinds) else ValueKind.TEXT
    if sign in _COMPARISONS:
        if isinstance(a, ValueKind) or isinstance(b, ValueKind):
            return ValueKind.TRUTH
        if sign in ("=", "<>"):
            empty = (None, "", 0.0)  # False equals 0.0
            if isinstance(a, str) and isinstance(b, str):
                a, b = a.casefold(), b.casefold()
            same = (a in empty and b in empty and (a is None or b is None)) or (type(a) is type(b) and a == b)
            return same == (sign == "=")
        x, y = _number(a), _number(b)
        if isinstance(x, ValueKind) or isinstance(y, ValueKind):
            return ValueKind.TRUTH
        return {"<": x < y, "<=": x <= y, ">=": x >= y, ">": x > y}[sign]
    x, y = _number(a), _number(b)
    if isinstance(x, ValueKind) or isinstance(y, ValueKind) or sign == "^" or (sign == "/" and y == 0):
        return ValueKind.NUMBER
    return x / y if sign == "/" else {"+": x + y, "-": x - y, "*": x * y}[sign]


def _called(name: str, arguments: Sequence[_Item]) -> Value:
    """The result of a function: a value where it is certain, else a kind of value."""
    if name == "IF":
        condition = arguments[0].value
        # A reference to an empty cell gives 0, and so does a branch left out.
        branches = [0.0 if a.value is None else a.value for a in arguments[1:]] + [False] * (3 - len(arguments))
        if isinstance(condition, ValueKind | str):
            return _kind(branches[0]) | _kind(branches[1])
        return branches[0 if condition else 1]
    if name == "IFERROR" and len(arguments) == 2:
        value = arguments[0].value
        return _kind(value) | _kind(arguments[1].value) if isinstance(value, ValueKind) else value
    if name in ("SUM", "AVERAGE", "MIN", "MAX", "PRODUCT"):
        numbers: list[float] = []
        for a in arguments:
            if a.values is None:
                return ValueKind.NUMBER
            for v in a.values:
                if isinstance(v, ValueKind) or (isinstance(v, str) and not a.is_range):
                    return ValueKind.NUMBER
                if isinstance(v, float) or (not a.is_range and v is not None):
                    numbers.append(float(v))
        if name == "SUM":
            return float(sum(numbers))
        if name in ("MIN", "MAX"):
            return (min if name == "MIN" else max)(numbers, default=0.0)
        return sum(numbers) / len(numbers) if name == "AVERAGE" and numbers else ValueKind.NUMBER
    if name in ("ROUND", "ABS", "INT"):
        value = _number(arguments[0].value)
        digits = _number(arguments[1].value) if name == "ROUND" else 0.0
        if isinstance(value, ValueKind) or isinstance(digits, ValueKind):
            return ValueKind.NUMBER
        if name != "ROUND":
            return abs(value) if name == "ABS" else float(floor(value))
        scale = 10.0 ** int(digits)
        return copysign(floor(abs(value) * scale + 0.5 + 1e-9) / scale, value)
    if name == "CONCATENATE":
        joined: Value = ""
        for a in arguments:
            joined = _binary("&", joined, a.value)
        return joined
    if name in _NUMBERS:
        return ValueKind.NUMBER
    if name in _WORDS:
        return _TEXTS
    return ValueKind.TRUTH if name in _TRUTHS else ANY
