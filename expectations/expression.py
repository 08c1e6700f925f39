"""The expression language of rules: its grammar, the columns an expression uses, and its value over many rows.

Belongs here: parsing and computing one expression. Not here: joining the columns of other rows
(pipelines/records/beside.py), or the consequence of a failing row. pandas is used but never imported, so that contracts load
quickly.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

LIVE = "_live"  # whether a row is in force: share() counts only those
SCOPE = (
    "_scope"  # the submission within which a row's key is unique, '' where it is unique everywhere: part of every key
)
HALF = ".half"  # behind a column's name: half a unit of the last digit that its cell was written with, in the column's unit
FUNCTIONS = {
    "abs": (1, 1),
    "given": (1, 1),
    "years": (2, 2),
    "share": (2, 9),
    "same": (2, 3),
    "follows": (2, 3),
}  # name -> fewest and most arguments
PARTS = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.BinOp, ast.Add, ast.Sub, ast.Mult,
    ast.Div, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.List, ast.Tuple,
    ast.Constant, ast.Call, ast.Load, ast.Name, ast.Attribute,
)  # fmt: skip
SUMS = (
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.UnaryOp, ast.USub, ast.Constant, ast.Load, ast.Name, ast.Attribute,
)  # fmt: skip
OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.And: operator.and_, ast.Or: operator.or_,
}  # fmt: skip


@dataclass(frozen=True)
class Parsed:
    """An expression and its columns in order of appearance: `own` of the row, `beside` joined, with a dot
    (`previous.odometer_km`). A row where one of `must` is null passes; columns used only in given() are not in it."""

    tree: ast.expr
    own: tuple[str, ...]
    referenced: tuple[str, ...]
    must: tuple[str, ...]
    counts: bool  # uses share(), and so the column LIVE
    exact: tuple[str, ...] = ()  # own columns that same() or follows() compares, and so their HALF

    @property
    def needs(self) -> tuple[str, ...]:
        """Every column that the frame must have."""
        return (*self.own, *self.referenced, *((LIVE,) if self.counts else ()), *(n + HALF for n in self.exact))


@lru_cache(maxsize=1024)
def parse(expression: str) -> Parsed:
    """Parse an expression. Raises SyntaxError for anything but comparisons, arithmetic, and, or, not, in, and the functions known."""
    tree = ast.parse(expression, mode="eval")
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    asked: set[int] = set()
    counts = False
    exact: list[str] = []
    for n in ast.walk(tree):
        if not isinstance(n, PARTS):
            raise SyntaxError(f"{type(n).__name__} may not stand in a rule")
        if isinstance(n, ast.Call):
            name = n.func.id if isinstance(n.func, ast.Name) else ast.unparse(n.func)
            if name not in FUNCTIONS:
                raise SyntaxError(f"the function {name}() is not known")
            low, high = FUNCTIONS[name]
            if not low <= len(n.args) <= high or n.keywords:
                raise SyntaxError(f"{name}() takes {low if low == high else f'{low} or more'} columns")
            plain = n.args if name == "given" else n.args[1:] if name == "share" else []
            if not all(isinstance(a, ast.Name) for a in plain):
                raise SyntaxError(f"{name}() takes the names of columns")
            counts |= name == "share"
            if name == "same":
                inside = [m for a in n.args[:2] for m in ast.walk(a)]
                numbers = all(isinstance(m.value, int | float) for m in inside if isinstance(m, ast.Constant))
                if not numbers or not all(isinstance(m, SUMS) for m in inside):
                    raise SyntaxError("same() takes sums, products and quotients of columns")
                outer = {id(m.value) for m in inside if isinstance(m, ast.Attribute)}
                exact += [m.id for m in inside if isinstance(m, ast.Name) and id(m) not in outer]
            if name == "follows":
                if not isinstance(n.args[0], ast.Name):
                    raise SyntaxError("follows() takes first the column that is calculated")
                exact.append(n.args[0].id)
            if name == "given":
                asked.add(id(n.args[0]))
        if isinstance(n, ast.Attribute) and not isinstance(n.value, ast.Name):
            raise SyntaxError("Attribute of an attribute may not stand in a rule")
    found: list[tuple[int, int, str, bool]] = []
    inner = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for n in ast.walk(tree):
        if isinstance(n, ast.Attribute):
            found.append((n.lineno, n.col_offset, _dotted(n), True))
        elif isinstance(n, ast.Name) and id(n) not in called | inner:
            found.append((n.lineno, n.col_offset, n.id, id(n) not in asked))
    found.sort()
    names = list(dict.fromkeys(f[2] for f in found))
    return Parsed(
        tree.body,
        tuple(n for n in names if "." not in n),
        tuple(n for n in names if "." in n),
        tuple(dict.fromkeys(f[2] for f in found if f[3])),
        counts,
        tuple(dict.fromkeys(exact)),
    )


def evaluate(expression: str, frame: pd.DataFrame) -> pd.Series:
    """Evaluate the expression over each row, as booleans on the frame's index; a row where a column it needs is null passes.

    `frame` has the columns of `Parsed.needs`. Raises TypeError or ValueError where the types of its columns do not fit.
    """
    parsed = parse(expression)
    whole = frame[list(parsed.must)].notna().all(axis=1)
    out = whole | True
    if whole.any():
        out[whole] = _value(parsed.tree, frame[whole]).astype(bool)
    return out


def compute(expression: str, frame: pd.DataFrame) -> pd.Series:
    """Compute an expression that gives a number for each row, over the columns of `Parsed.own`; null where one of them is."""
    return _value(parse(expression).tree, frame)


def _dotted(n: ast.Attribute) -> str:
    assert isinstance(n.value, ast.Name)
    return f"{n.value.id}.{n.attr}"


def _value(n: ast.expr, frame: pd.DataFrame) -> Any:
    match n:
        case ast.Constant():
            return n.value
        case ast.Name():
            return frame[n.id]
        case ast.Attribute():
            return frame[_dotted(n)]
        case ast.List() | ast.Tuple():
            return [_value(e, frame) for e in n.elts]
        case ast.UnaryOp(op=ast.Not()):
            return ~_value(n.operand, frame)
        case ast.UnaryOp():
            return -_value(n.operand, frame)
        case ast.BinOp():
            return OPERATORS[type(n.op)](_value(n.left, frame), _value(n.right, frame))
        case ast.BoolOp():
            return reduce(OPERATORS[type(n.op)], (_value(v, frame) for v in n.values))
        case ast.Compare():
            sides = [_value(v, frame) for v in (n.left, *n.comparators)]
            return reduce(operator.and_, map(_compare, n.ops, sides, sides[1:]))
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, n.args, frame)
    raise SyntaxError(f"{type(n).__name__} may not stand in a rule")


def _compare(op: ast.cmpop, left: Any, right: Any) -> Any:
    if isinstance(op, ast.In | ast.NotIn):
        inside = left.isin(right)
        return inside if isinstance(op, ast.In) else ~inside
    return OPERATORS[type(op)](left, right)


def half_unit(digits: str) -> float:
    """Half a unit of the last digit of a written number: 0.05 of 610.8, 0.005 of 610.80, 50 of 6.1e3."""
    mantissa, _, exponent = digits.lower().partition("e")
    return 0.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def _with_error(n: ast.expr, frame: pd.DataFrame) -> tuple[Any, Any, Any]:
    """Interval arithmetic: a sum's value, its rounding error from the precision its numbers are written with, and the magnitude of its
    operands. The precision is in `<column>.half`; where that is null, the shortest form of the value is assumed."""
    match n:
        case ast.Constant(value=int() | float() as number):
            return number, 0.0, abs(number)
        case ast.UnaryOp():
            value, off, size = _with_error(n.operand, frame)
            return -value, off, size
        case ast.BinOp():
            (a, off_a, size_a), (b, off_b, size_b) = _with_error(n.left, frame), _with_error(n.right, frame)
            value = OPERATORS[type(n.op)](a, b)
            if isinstance(n.op, ast.Mult):
                return value, abs(a) * off_b + abs(b) * off_a + off_a * off_b, size_a * size_b
            if isinstance(n.op, ast.Div):
                return value, (off_a + abs(value) * off_b) / (abs(b) - off_b), abs(value)
            return value, off_a + off_b, size_a + size_b
    value = _value(n, frame)
    name = n.id + HALF if isinstance(n, ast.Name) else ""
    shortest = value.map(lambda v: half_unit(f"{v:.15g}"))
    return value, frame[name].fillna(shortest) if name in frame.columns else shortest, abs(value)


def _same(arguments: list[ast.expr], frame: pd.DataFrame) -> Any:
    """Whether two sums are equal within the precision of their numbers, plus the third argument."""
    (a, off_a, size_a), (b, off_b, size_b) = (_with_error(x, frame) for x in arguments[:2])
    allowed = off_a + off_b + (_value(arguments[2], frame) if len(arguments) > 2 else 0)
    return abs(a - b) <= allowed + 1e-13 * (size_a + size_b)  # and floating-point error


def _follows(arguments: list[ast.expr], frame: pd.DataFrame) -> Any:
    """Whether a column states what is calculated, to the precision it is written with, plus the third argument. What it is calculated
    from counts as written, without rounding: so did the form's own formula take it."""
    stated, off, _ = _with_error(arguments[0], frame)
    given = _value(arguments[1], frame)
    allowed = off + (_value(arguments[2], frame) if len(arguments) > 2 else 0)
    return abs(stated - given) <= allowed + 2e-13 * abs(stated)


def _call(name: str, arguments: list[ast.expr], frame: pd.DataFrame) -> Any:
    if name == "same":
        return _same(arguments, frame)
    if name == "follows":
        return _follows(arguments, frame)
    values = [_value(a, frame) for a in arguments]
    if name == "abs":
        return abs(values[0])
    if name == "given":
        return values[0].notna()
    if name == "years":
        late, early = values[0].dt, values[1].dt
        short = (late.month < early.month) | ((late.month == early.month) & (late.day < early.day))
        return late.year - early.year - short
    live = frame[LIVE].astype(bool)
    groups = [v[live] for v in values[1:]]
    of_live = values[0][live].astype(float).groupby(groups).mean().rename("share")
    at = frame[[a.id for a in arguments[1:] if isinstance(a, ast.Name)]]
    return at.join(of_live, on=list(at.columns))["share"].fillna(0.0)
