"""Rows between a header and its data: English names, and column numbers.

Belongs here: whether such lines stand under a header. Not here: rows of units and years, which say what the columns are
(header_rows.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pipelines.core.text import squeeze
from pipelines.intake.layout.headers import Choice
from pipelines.intake.layout.words import LETTERS
from pipelines.intake.values.words import BLANK_NUMBER

_SHORTEST = 3  # letters of a translation in one line
MOST_LINES = 5  # of a translation
_WORDS = re.compile(r"[#*(]*[A-Za-z][A-Za-z0-9³² ,.:;'’&/()%$#*·-]*|\(\d[\w ,.]*\)")  # also (10000 tons)
_NO_WORDS = BLANK_NUMBER | {"yes", "no", "y", "n", "true", "false"}


def is_column_numbers(row: Sequence[Any]) -> bool:
    """The row 甲 乙 1 2 3 that statistical forms have under their header."""
    numbers: list[int] = []
    letters = False
    for v in row:
        if v == "":
            continue
        text = squeeze(str(v)).removesuffix(".0").strip("()")
        if text in LETTERS:
            letters = True
            continue
        if not text.isdigit() or len(text) > 2:
            return False
        numbers.append(int(text))
    return len(numbers) >= (2 if letters else 3) and all(b == a + 1 for a, b in pairwise(numbers))


def translated(below: Sequence[list[Any]], choice: Choice) -> int:
    """The number of rows under a header that hold its English translation, in one line or several.

    They hold words alone, in most columns, and some where only a number or a date can stand. Rows of data in English have no
    words there, or lack nothing that a row must have.
    """
    if all(m.header.isascii() for m in choice.mapped):
        return 0  # it is English itself
    numbers = {m.place for m in choice.mapped if m.column.kind in ("decimal", "integer", "date", "month", "year")}
    required = {m.place for m in choice.mapped if m.column.required and m.column.stated is None}
    lines: list[set[int]] = []
    for row in below:
        filled = {j for j, v in enumerate(row) if v != ""}
        if not filled or not all(_is_english(row[j]) for j in filled) or (required <= filled and not filled & numbers):
            break
        lines.append(filled)
    if len(lines) == len(below):
        return 0
    if len(lines) > 1 and all(required <= filled for filled in lines):
        lines = lines[:1]  # as data are; a name in several lines has not as many in each column
    filled = set().union(*lines)
    short = len(lines) == 1 and min(len(below[0][j]) for j in filled) < _SHORTEST
    named = filled & numbers and len(filled) > 1 and 2 * len(filled) >= len(choice.mapped)
    return len(lines) if named and not short and len(lines) <= MOST_LINES else 0


def _is_english(value: Any) -> bool:
    return (
        type(value) is str
        and bool(_WORDS.fullmatch(" ".join(value.split())))
        and squeeze(value).lower() not in _NO_WORDS
    )


def numbers_two_columns(row: Sequence[Any], choice: Choice) -> bool:
    """The row 1 2 under a header of two columns, where one of them is of a kind that holds no such number."""
    filled = {j: squeeze(str(v)).removesuffix(".0") for j, v in enumerate(row) if v != ""}
    return [*filled.values()] == ["1", "2"] and any(
        m.place in filled and m.column.kind in ("date", "enum") and filled[m.place] not in m.column.values
        for m in choice.mapped
    )
