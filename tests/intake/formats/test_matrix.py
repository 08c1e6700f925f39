"""docs/formats.md says of each format what is read of it, and says the truth: the table is made by writing and reading each.

To take over a change after looking at it: `MINGZHANG_FORMATS=write python -m pytest tests/intake/formats/test_matrix.py`.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.intake.formats import open_book
from pipelines.intake.sheets import Book, Fault, Format
from tests.intake.formats.written import FORMATS, Error, Formula, Rich, Sheet, Shown

PAGE = Path(__file__).parents[3] / "docs/formats.md"
BEGIN, END = "<!-- made by tests/intake/formats/test_matrix.py -->", "<!-- end -->"
HEAD = ["名称", "用电量", "电费"]
READ, TOLD, UNKNOWN, NONE = "read", "told", "not known", "–"
Seen = Callable[[Book], bool]


def cell(book: Book) -> Any:
    """The third cell of the second row."""
    g = book.grids[0]
    row, column = 1 - g.top, 2 - g.left
    return g.rows[row][column] if row < len(g.rows) and column < len(g.rows[row]) else ""


def faulty(kind: str) -> Seen:
    return lambda book: isinstance(v := cell(book), Fault) and v.kind == kind


def formatted(**wanted: Any) -> Seen:
    def seen(book: Book) -> bool:
        given = (book.grids[0].formats() or {}).get((1, 2))
        return isinstance(given, Format) and all(getattr(given, k) == v for k, v in wanted.items())

    return seen


def one(value: Any) -> Sheet:
    return Sheet([HEAD, ["甲局", 1000, value]])


# What it is, the sheet, whether reading tells it, and what that is called.
FEATURES: dict[str, tuple[Sheet, Seen, str]] = {
    "texts and numbers": (one(600.5), lambda b: str(b.grids[0].rows[0][0]) == "名称" and float(cell(b)) == 600.5, READ),
    "merged cells": (Sheet([HEAD, ["甲局", 1, 2], [None, 3, 4]], merge=(1, 0, 2, 0)), lambda b: b.grids[0].merges == [(1, 0, 2, 0)], READ),
    "hidden rows": (Sheet([HEAD, ["甲局", 1, 2], ["乙局", 3, 4]], hidden_row=1), lambda b: b.grids[0].hidden_rows == [2], TOLD),
    "rows of no height": (Sheet([HEAD, ["甲局", 1, 2], ["乙局", 3, 4]], flat_row=1), lambda b: b.grids[0].hidden_rows == [2], TOLD),
    "hidden columns": (Sheet([HEAD, ["甲局", 1, 2]], hidden_column=1), lambda b: b.grids[0].hidden_columns == [(1, 1)], TOLD),
    "hidden sheets": (Sheet([HEAD, ["甲局", 1, 2]], hidden_second=True), lambda b: "藏" not in repr([g.rows for g in b.grids]) and [g.hidden for g in b.grids] == [False, True], TOLD),
    "format: per cent": (one(Shown(0.85, "0.00%")), formatted(percent=True), READ),
    "format: shown smaller": (one(Shown(741234.0, "0.00,")), formatted(power=3), READ),
    "format: unit": (one(Shown(12.5, '0.00"万元"')), formatted(unit="万元"), READ),
    "format: zeros": (one(Shown(123.0, "000000")), formatted(zeros=6), READ),
    "format: date": (one(Shown(44256.0, "yyyy-mm-dd")), lambda b: str(cell(b))[:10] == "2021-03-01" and isinstance(cell(b), dt.date), READ),
    "days from 1904": (Sheet([HEAD, ["甲局", 1, 2]], epoch_1904=True), lambda b: b.is_1904(), READ),
    "formula without a result": (one(Formula("B2*0.6", None)), faulty("formula"), TOLD),
    "a writer's 0 for a result": (one(Formula("B2*0.6", 0.0)), faulty("formula"), TOLD),
    "empty text as a result": (one(Formula('IF(B2>0,"",1)', "")), lambda b: cell(b) == "", READ),
    "errors": (one(Error("#REF!")), lambda b: faulty("error")(b) or cell(b) == "#REF!", TOLD),
    "part struck out": (one(Rich((("1200", "struck"), ("1500", "")))), faulty("struck"), TOLD),
    "raised beside a digit": (one(Rich((("12500", ""), ("1", "raised")))), faulty("marked"), TOLD),
}  # fmt: skip
# What a format cannot hold, or its programs do not write.
ABSENT = {
    *((f, n) for f in ("html", "mht") for n in ("formula without a result", "a writer's 0 for a result")),
    *((f, "format: date") for f in ("ods", "xml")),  # they hold dates as such
    ("html", "hidden sheets"),  # a page is one sheet
}


def outcome(format_: str, feature: str) -> str:
    sheet, seen, word = FEATURES[feature]
    data = None if (format_, feature) in ABSENT else FORMATS[format_](sheet)
    if data is None:
        return NONE
    return word if seen(open_book(data)) else UNKNOWN


def table() -> str:
    lines = ["| | " + " | ".join(f"`.{f}`" for f in FORMATS) + " |", "|---" * (len(FORMATS) + 1) + "|"]
    lines += ["| " + " | ".join([n, *(outcome(f, n) for f in FORMATS)]) + " |" for n in FEATURES]
    return "\n".join(lines)


def test_the_page_of_formats_says_what_is_read() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    made = f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.split(END)[1]}"
    if os.environ.get("MINGZHANG_FORMATS") == "write":
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made


@pytest.mark.parametrize("format_", FORMATS)
def test_texts_and_numbers_are_read_in_every_format(format_: str) -> None:
    assert outcome(format_, "texts and numbers") == READ


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_of_any_format_is_lost(format_: str, feature: str) -> None:
    assert outcome(format_, feature) != UNKNOWN
