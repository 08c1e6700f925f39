"""Detects columns whose cells are plausible one by one and wrong together: days among codes, months of another year, lost zeros.

Belongs here: what is taken out of a column, or doubted, for what stands beside it. Not here: what one cell says (values), number
formats (shown.py) or sums (sums.py).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipelines.intake import values as cells
from pipelines.intake.columns.cell_issues import CellIssues
from pipelines.intake.issues import EACH
from pipelines.intake.layout.headers import Mapped
from pipelines.intake.packed import Packed
from pipelines.intake.values import Bad

DAYS = frozenset([dt.date, dt.datetime])
_FOUR, _AT_FOUR = dt.time(16), " 16:00:00"
# A comma that can only be a decimal point, one that can only part thousands, and what is another number under each of the two.
_COMMA_AS_POINT = re.compile(r"\s*-?(?:\d+,\d{1,2}|0,\d+|\d{4,},\d+|\d+,\d{4,}|\d{1,3}(?:\.\d{3})+,\d+)\s*")
_COMMA_IN_THOUSANDS = re.compile(r"\s*-?\d{1,3}(?:,\d{3})+[.,]\d+\s*")
_EITHER = re.compile(r"\s*-?[1-9]\d{0,2}[,.]\d{3}\s*")
# 2021.1 in a file of texts may have been 2021.10 before a spreadsheet program took it for a number.
_JANUARY = re.compile(r"\s*(\d{4})\.1\s*")
_NO_NUMBERS = re.compile(r"\s*\d{4}\.(?:10|0\d)\s*")  # where these stand nobody did


def in_doubt(text: str) -> bool:
    """Whether a text in a column of dates, months or years may be ambiguous, so that the other cells of the column decide."""
    return text.rstrip().endswith(_AT_FOUR) or bool(_JANUARY.fullmatch(text))


def midnights_in_utc(cell_issues: CellIssues, m: Mapped, data: list[int], raw: Sequence[Any]) -> None:
    """Mark as doubtful a column whose timestamps are all 16:00:00: midnight in China, as JavaScript writes it without naming UTC."""
    filled = [k for k, v in enumerate(raw) if v != ""]
    if len(filled) < 2:
        return
    for k in filled:
        v = raw[k]
        if type(v) is dt.datetime:
            if v.time() != _FOUR:
                return
        elif type(v) is not str or not v.rstrip().endswith(_AT_FOUR):
            return
    cell_issues.add("doubtful", "warning", m, data[filled[0]], None, "midnight_in_utc", count=str(len(filled)))


def days_among_texts(cell_issues: CellIssues, m: Mapped, data: list[int], raw: Sequence[Any]) -> None:
    """Mark as doubtful dates in a column of texts: a spreadsheet program turns the number 3-12 into a date."""
    if not _others(raw):
        return
    days = [k for k, v in enumerate(raw) if type(v) in DAYS]
    variant = "day_among_texts_hidden" if m.column.access in ("L2", "L3") else "day_among_texts"
    for k in days[: 1 if len(days) > EACH else None]:
        cell_issues.add("doubtful", "warning", m, data[k], raw[k], variant, count=str(len(days)))


def days_among_codes(raw: Sequence[Any], values: list[Any]) -> list[tuple[int, Bad]]:
    """Remove dates among the codes of a key: the code cannot be restored. Codes that are all dates remain dates."""
    texts = [v for v in raw if type(v) is str and v]
    if texts and not _others(raw):
        return []
    days = [k for k, v in enumerate(raw) if type(v) in DAYS]
    for k in days:
        values[k] = None
    return [(k, Bad("day_among_codes")) for k in days]


def _others(raw: Sequence[Any]) -> list[Any]:
    """The other values of a column of texts with dates; [] where some of these are dates as well."""
    texts = [v for v in raw if type(v) is not dt.date and type(v) is not dt.datetime and v != ""]
    others = [v for v in texts if type(v) is not str or cells.read_text(v) is not None]
    return [] if any(type(v) is str and type(cells.read_date(v)) is dt.date for v in others) else others


def of_which_year(raw: Sequence[Any], values: list[Any], year: int) -> list[tuple[int, Bad]]:
    """Remove months without a year where others of the column are of another year than the sheet's: 2月 below
    2024年1月 is no month of 2023."""
    own = f"{year}-"
    if all(v is None or v.startswith(own) for v in values):
        return []
    bare = [k for k, v in enumerate(values) if v is not None and type(cells.read_month(raw[k])) is Bad]
    for k in bare:
        values[k] = None
    return [(k, Bad("month_of_which_year")) for k in bare]


def januaries(raw: Sequence[Any], values: list[Any]) -> list[tuple[int, Bad]]:
    """Remove months written 2021.1 that may be 2021.10, unless the row before or after decides."""
    if any(type(v) is str and _NO_NUMBERS.fullmatch(v) for v in raw):
        return []
    out = []
    for k, v in enumerate(raw):
        found = _JANUARY.fullmatch(v) if type(v) is str else None
        if found is None:
            continue
        year = int(found[1])
        before, after = values[k - 1] if k else None, values[k + 1] if k + 1 < len(values) else None
        if before != f"{year - 1}-12" and after != f"{year}-02":
            out.append((k, Bad("january")))
    for k, _ in out:
        values[k] = None
    return out


def commas(cell_issues: CellIssues, columns: Sequence[Sequence[Any]], data: list[int]) -> None:
    """Remove numbers that are ambiguous where a comma is the decimal point in some cell of this sheet: with 12,5
    in it, the text 1,234 may be 1.234."""
    ms = [m for _, m, _, _ in cell_issues.plan.columns if m and m.column.kind in ("decimal", "integer")]
    unread = {i.column for i in cell_issues.sheet.issues if i.code == "bad_type"}
    if not any(m.column.name in unread for m in ms):
        return
    texts = [v for m in ms for v in _texts_once(columns[m.place]) if "," in v]
    if not any(map(_COMMA_AS_POINT.fullmatch, texts)) or any(map(_COMMA_IN_THOUSANDS.fullmatch, texts)):
        return
    for m in ms:
        values = cell_issues.sheet.values[m.column.name]
        for k, v in _either(columns[m.place]):
            if values[k] is not None:
                if not isinstance(values, list):
                    values = cell_issues.sheet.values[m.column.name] = list(values)
                values[k] = None
                cell_issues.odd(m, data[k], v, Bad("comma"))


def _either(column: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """Positions and texts of a column's cells that are another number where a comma is the decimal point."""
    if type(column) is Packed:
        return column.where([v for v in column.distinct() if _EITHER.fullmatch(v)])
    return ((k, v) for k, v in enumerate(column) if type(v) is str and _EITHER.fullmatch(v))


def _texts_once(column: Sequence[Any]) -> Iterator[str]:
    return (v for v in (column.distinct() if type(column) is Packed else column) if type(v) is str)
