"""Parses formulas in text to steps: those of .xlsx (A1), Excel 2003 XML (R1C1) and OpenDocument ([.A1]).

Belongs here: operators, references, calls (ECMA-376 part 1, 18.17; OpenFormula 1.3, 5). Not here: what a formula gives (computed.py).
A formula with anything else in it has no steps: nothing is told of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pipelines.core.letters import column_number
from pipelines.intake.formats.computed import CellReference, Step, Steps

Style = Literal["a1", "r1c1", "odf"]
_LONGEST = 8192
_LEVELS = {"=": 1, "<": 1, ">": 1, "<=": 1, ">=": 1, "<>": 1, "&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 5}
_CELL = r"\$?[A-Z]{1,3}\$?\d{1,7}"
_RC = r"R(?:\[-?\d+\]|\d*)C(?:\[-?\d+\]|\d*)"
_NAME = r"(?:'(?:[^']|'')+'|[^\W\d][\w.]*)"
_CELLS: Mapping[Style, str] = {
    "a1": rf"(?:(?P<sheet>{_NAME})!)?(?P<cells>{_CELL}(?::{_CELL})?)(?![\w(!.\[])",
    "r1c1": rf"(?:(?P<sheet>{_NAME})!)?(?P<cells>{_RC}(?::{_RC})?)(?![\w(!.\[])",
    "odf": rf"\[(?:\$?(?P<sheet>{_NAME}))?\.(?P<cells>{_CELL}(?::\.{_CELL})?)\]",
}
_REST = (
    r'(?P<text>"(?:[^"]|"")*")|(?P<number>(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?)|(?P<call>[^\W\d][\w.]*)\('
    r"|(?P<name>[^\W\d][\w.]*)(?![\w!\[.])|(?P<sign><=|>=|<>|[-+*/^&<>=%(),;])"
)
_TOKENS = {style: re.compile(rf"\s*(?:{cells}|{_REST})\s*", re.IGNORECASE) for style, cells in _CELLS.items()}
_PREFIX = re.compile(r"(?P<space>\w+):(?==)")
_A1 = re.compile(r"(\$?)([A-Z]{1,3})(\$?)(\d{1,7})", re.IGNORECASE)
_R1C1 = re.compile(r"R(\[-?\d+\]|\d*)C(\[-?\d+\]|\d*)", re.IGNORECASE)


class _UnknownError(Exception):
    """An element of a formula that is not supported here."""


def steps(text: str, style: Style, home: tuple[int, int]) -> Steps | None:
    """Parse a formula in the cell `home` to steps; None where it holds an unsupported element."""
    if found := _PREFIX.match(text):
        style = style if found["space"] in ("of", "oooc") else "a1"
        text = text[found.end() :]
    if len(text) > _LONGEST:
        return None
    try:
        parser = _Parser(text.removeprefix("="), style, home)
        parser.expression(1)
        return parser.out if parser.place == len(parser.tokens) else None
    except (_UnknownError, RecursionError):
        return None


class _Parser:
    def __init__(self, text: str, style: Style, home: tuple[int, int]):
        self.home, self.style = home, style
        self.separator = ";" if style == "odf" else ","
        self.out: list[Step] = []
        self.place = 0
        self.tokens: list[tuple[str, str, str | None]] = []
        at, text = 0, text.strip()
        while at < len(text):
            m = _TOKENS[style].match(text, at)
            if not m or not m.lastgroup:
                raise _UnknownError
            self.tokens.append((m.lastgroup, m[m.lastgroup], m["sheet"]))
            at = m.end()

    def next_is(self, *signs: str) -> str:
        if self.place < len(self.tokens):
            kind, text, _ = self.tokens[self.place]
            if kind == "sign" and text in signs:
                self.place += 1
                return text
        return ""

    def expression(self, least: int) -> None:
        self.operand()
        while self.place < len(self.tokens):
            kind, sign, _ = self.tokens[self.place]
            level = _LEVELS.get(sign, 0) if kind == "sign" else 0
            if level < least:
                return
            self.place += 1
            self.expression(level + 1)
            self.out.append(("sign", sign))

    def operand(self) -> None:
        if sign := self.next_is("+", "-"):
            self.operand()
            self.out.append(("mark", sign))
            return
        if self.next_is("("):
            self.expression(1)
            if not self.next_is(")"):
                raise _UnknownError
            self.out.append(("mark", "()"))
        elif self.place < len(self.tokens):
            self.place += 1
            self.simple(*self.tokens[self.place - 1])
        else:
            raise _UnknownError
        while self.next_is("%"):
            self.out.append(("mark", "%"))

    def simple(self, kind: str, text: str, sheet: str | None) -> None:
        if kind == "number":
            self.out.append(("value", float(text)))
        elif kind == "text":
            self.out.append(("value", text[1:-1].replace('""', '"')))
        elif kind == "cells":
            if sheet and sheet.startswith("'"):
                sheet = sheet[1:-1].replace("''", "'")
            self.out.append(("cells", (sheet, *(self.cell(t) for t in text.replace(":.", ":").split(":")))))
        elif kind == "call":
            self.call(text.upper().removeprefix("_XLFN.").removeprefix("COM.MICROSOFT."))
        elif kind == "name":
            word = text.upper()
            self.out.append(("value", word == "TRUE") if word in ("TRUE", "FALSE") else ("unknown", text))
        else:
            raise _UnknownError

    def call(self, name: str) -> None:
        many = 0
        while not self.next_is(")"):
            if many and not self.next_is(self.separator):
                raise _UnknownError
            many += 1
            if self.place < len(self.tokens) and self.tokens[self.place][:2] in (
                ("sign", self.separator),
                ("sign", ")"),
            ):
                self.out.append(("value", None))  # an argument left out
            else:
                self.expression(1)
        self.out.append(("call", (name, many)))

    def cell(self, text: str) -> CellReference:
        if self.style == "r1c1":
            (row, row_moves), (column, column_moves) = (_counted(t) for t in _matched(_R1C1, text).groups())
            return CellReference(row, column, row_moves, column_moves)
        column_fixed, letters, row_fixed, digits = _matched(_A1, text).groups()
        r, c = int(digits) - 1, column_number(letters)
        return CellReference(
            r if row_fixed else r - self.home[0],
            c if column_fixed else c - self.home[1],
            not row_fixed,
            not column_fixed,
        )


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if not found:
        raise _UnknownError
    return found


def _counted(text: str) -> tuple[int, bool]:
    """A row or a column of R1C1: from 1, or in brackets from the formula's own."""
    if text.startswith("["):
        return int(text[1:-1]), True
    return (int(text) - 1, False) if text else (0, True)
