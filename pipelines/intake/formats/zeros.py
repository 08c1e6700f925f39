"""Whether anybody computed a workbook whose formulas all hold zero, as writers put it in place of a result.

XlsxWriter and its kin write <v>0</v>, POI's SXSSF <v>0.0</v>. A sum of nothing is 0 as well, so a formula is computed from the
cells that it refers to: one that gives another number shows that the zeros are nobody's results.

Belongs here: the texts of formulas (ECMA-376 part 1, 18.17) with operators and a few functions. Not here: giving a value that the
file does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipelines.intake.sheets import Fault, Grid

_MOST = 200_000  # cells looked at, of one workbook
_DEEPEST = 40
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:E[+-]?\d+)?|\.\d+)|(?P<cell>\$?[A-Z]{1,3}\$?\d{1,7}(?::\$?[A-Z]{1,3}\$?\d{1,7})?)(?![\w(!.])"
    r"|(?P<name>[A-Z][A-Z0-9.]*)\(|(?P<sign>[-+*/(),^%]))",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})", re.IGNORECASE)
Formulas = Mapping[tuple[int, int], tuple[str, str]]


class _UnknownError(Exception):
    """What a formula gives cannot be told here."""


def doubt(sheets: Sequence[tuple[Grid, Formulas]]) -> None:
    """Puts a Fault in place of each zero that is nobody's result, where the formulas of all sheets hold zeros alone.

    Where one formula would give another number nobody computed any of them. Where none can be told, 0.0, which no spreadsheet
    program writes, is doubted.
    """
    budget = [_MOST]
    wrong, unknown = False, []
    given: list[tuple[Grid, tuple[int, int], str, float | None]] = []
    for grid, formulas in sheets:
        known: dict[tuple[int, int], float] = {}
        for at, (text, cached) in formulas.items():
            value: float | None
            try:
                value = _Formula(grid, formulas, known, budget).at(at, 0)
            except (_UnknownError, OverflowError, RecursionError):
                value = None
            given.append((grid, at, text, value))
            wrong = wrong or (value is not None and abs(value) > 1e-9)
            if value is None and cached == "0.0":
                unknown.append((grid, at, text))
    faults = [(g, at, text) for g, at, text, value in given if value != 0] if wrong else unknown
    for grid, (row, column), text in faults:
        grid.put(row, column, Fault("formula", text))


class _Formula:
    """Computes formulas of one sheet; raises _UnknownError for what it does not know."""

    def __init__(self, grid: Grid, formulas: Formulas, known: dict[tuple[int, int], float], budget: list[int]):
        self.grid, self.formulas, self.known, self.budget = grid, formulas, known, budget
        self.tokens: list[tuple[str, str]] = []
        self.place = self.depth = 0

    def at(self, at: tuple[int, int], depth: int) -> float:
        if at not in self.known:
            if depth > _DEEPEST:
                raise _UnknownError
            inner = _Formula(self.grid, self.formulas, self.known, self.budget)
            inner.depth = depth
            inner.tokens = inner.split(self.formulas[at][0].lstrip("="))
            value = inner.sum()
            if inner.place != len(inner.tokens):
                raise _UnknownError
            self.known[at] = value
        return self.known[at]

    def split(self, text: str) -> list[tuple[str, str]]:
        out, at = [], 0
        text = text.strip()
        while at < len(text):
            m = _TOKEN.match(text, at)
            if not m or m.lastgroup is None:
                raise _UnknownError
            out.append((m.lastgroup, m[m.lastgroup]))
            at = m.end()
        return out

    def next_is(self, *signs: str) -> str:
        if self.place < len(self.tokens):
            kind, text = self.tokens[self.place]
            if kind == "sign" and text in signs:
                self.place += 1
                return text
        return ""

    def sum(self) -> float:
        value = self.product()
        while sign := self.next_is("+", "-"):
            right = self.product()
            value = value + right if sign == "+" else value - right
        return value

    def product(self) -> float:
        value = self.factor()
        while sign := self.next_is("*", "/"):
            right = self.factor()
            if sign == "/" and right == 0:
                raise _UnknownError
            value = value * right if sign == "*" else value / right
        return value

    def factor(self) -> float:
        if sign := self.next_is("+", "-"):
            return self.factor() if sign == "+" else -self.factor()
        if self.next_is("("):
            value = self.sum()
            if not self.next_is(")"):
                raise _UnknownError
        elif self.place < len(self.tokens):
            kind, text = self.tokens[self.place]
            self.place += 1
            if kind == "number":
                value = float(text)
            elif kind == "cell" and ":" not in text:
                value = self.cell(*_place(text))
            elif kind == "name":
                value = self.called(text.upper())
            else:
                raise _UnknownError
        else:
            raise _UnknownError
        while self.next_is("%"):
            value /= 100
        return value

    def called(self, name: str) -> float:
        values: list[float] = []
        groups = 0
        while not self.next_is(")"):
            if groups and not self.next_is(","):
                raise _UnknownError
            groups += 1
            kind, text = self.tokens[self.place] if self.place < len(self.tokens) else ("", "")
            if kind == "cell" and ":" in text:
                self.place += 1
                values += self.range(text)
            else:
                values.append(self.sum())
        if name == "SUM":
            return sum(values)
        if name == "SUBTOTAL" and values and values[0] in (9, 109):
            return sum(values[1:])
        if name in ("MAX", "MIN") and values:
            return (max if name == "MAX" else min)(values)
        if name == "AVERAGE" and values:
            return sum(values) / len(values)
        if name == "ROUND" and groups == len(values) == 2:
            return float(round(values[0], int(values[1])))
        if name == "ABS" and len(values) == 1:
            return abs(values[0])
        raise _UnknownError

    def range(self, text: str) -> list[float]:
        (a, b), (c, d) = (_place(t) for t in text.split(":"))
        if a > c or b > d:
            raise _UnknownError
        last = min(c, self.grid.top + len(self.grid.rows) - 1)
        out = []
        for r in range(a, last + 1):
            for k in range(b, min(d, 16_383) + 1):
                value = self.raw(r, k)
                if isinstance(value, float):
                    out.append(value)
        return out

    def cell(self, row: int, column: int) -> float:
        value = self.raw(row, column)
        if value == "":
            return 0.0
        if not isinstance(value, float):
            raise _UnknownError
        return value

    def raw(self, row: int, column: int) -> float | str:
        """A number as a float, '' for an empty cell, any other text as it is."""
        self.budget[0] -= 1
        if self.budget[0] < 0:
            raise _UnknownError
        if (row, column) in self.formulas:
            return self.at((row, column), self.depth + 1)
        r, c = row - self.grid.top, column - self.grid.left
        value = self.grid.rows[r][c] if 0 <= r < len(self.grid.rows) and 0 <= c < len(self.grid.rows[r]) else ""
        if type(value) is float or type(value) is int:
            return float(value)
        if type(value) is str:
            return value
        raise _UnknownError


def _place(reference: str) -> tuple[int, int]:
    m = _REFERENCE.fullmatch(reference)
    if not m:
        raise _UnknownError
    column = 0
    for ch in m[1].upper():
        column = column * 26 + ord(ch) - 64
    return int(m[2]) - 1, column - 1
