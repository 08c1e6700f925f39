"""Units, and figures with their unit, in both languages.

Belongs here: names of units, dates that the data holds as numbers, values of indicators with their unit or status. Not
here: number format (numbers.py).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from typing import Any

from publish.site.language import HAN, Language, pair
from publish.site.numbers import number, places, scale
from publish.site.vocabulary import SYMBOLS, UNITS

MYRIADS = {"万": 1e4, "亿": 1e8}
SIZES = {"万": "10,000 ", "亿": "100 million "}


def unit(language: Language, text: str | None) -> str:
    """Return the name of a unit; a symbol without a name is returned unchanged."""
    if not text:
        return ""
    if language == "zh" and text == "月":
        return "个月"  # a count of months; in 次/月 it is one month
    known = SYMBOLS if language == "zh" else UNITS
    if text in known:
        return known[text]
    parts = []
    for part in text.split("/"):
        size = part[:1] if part[:1] in SIZES and len(part) > 1 else ""
        rest = part[len(size) :]
        parts.append((size if language == "zh" else SIZES.get(size, "")) + known.get(rest, rest))
    return ("/" if language == "zh" else " per ").join(parts)


def amount(language: Language, figure: str, of: str | None) -> str:
    """Join a figure and its unit. Chinese units follow without a space; a plain count has no unit in English, a year none at all."""
    if date := named_time(language, figure, of):
        return date
    if language == "en" and of and len(of) > 1 and of[0] in MYRIADS and (number_of := _parsed(figure)) is not None:
        figure, of = _in_millions(number_of * MYRIADS[of[0]]), of[1:]
    name = unit(language, of)
    if not name or (language == "en" and of == "个"):
        return figure
    return f"{figure}{name}" if HAN.match(name) or name == "%" else f"{figure}\u00a0{name}"


def _parsed(figure: str) -> float | None:
    """Return the number that a formatted figure is; None for a figure in words."""
    digits = figure.replace(",", "").replace("−", "-")
    return float(digits) if re.fullmatch(r"-?\d+(\.\d+)?", digits) else None


def _in_millions(value: float) -> str:
    """Format a number with all its digits, in English: 164 million, 6.4468 million, 10.7 billion."""
    size, name = next(((s, n) for s, n in ((1e9, "billion"), (1e6, "million")) if abs(value) >= s), (1.0, ""))
    text = f"{round(value / size, 10):,.10g}" if size > 1 else f"{round(value, 6):,.12g}"
    return (f"{text}\u00a0{name}" if name else text).replace("-", "−")


def named_time(language: Language, figure: Any, of: str | None) -> str | None:
    """Format a year or month held as a number: 2023年, 2025年2月, February 2025.

    None where the unit (`of`) is of another kind or the number is a duration in years.
    """
    digits = str(figure).removesuffix(".0").replace(",", "")
    if of == "年" and re.fullmatch(r"[12]\d{3}", digits):
        return digits + ("年" if language == "zh" else "")
    if of == "年月" and re.fullmatch(r"[12]\d{3}(0[1-9]|1[0-2])", digits):
        year, month_of = int(digits[:4]), int(digits[4:])
        return f"{year}年{month_of}月" if language == "zh" else f"{calendar.month_name[month_of]} {year}"
    return None


def scaled_unit(language: Language, name: str, of: str | None) -> str:
    """Return the unit of figures divided by a scale: 万元, million yuan."""
    base = unit(language, of)
    return f"{name}{base}" if language == "zh" else " ".join(p for p in (name, base) if p)


def figure(language: Language, value: Any, status: Any, decimals: int | None = None, of: str | None = None) -> str:
    """Format a value of an indicator, as a date where its unit (`of`) is one; without a value, the reason from `status`."""
    if value is not None:
        return named_time(language, value, of) or number(value, decimals)
    reason = {"Q": pair("suppressed"), "O": pair("missing")}.get(str(status), ("—", "—"))
    return reason[0 if language == "zh" else 1]


def figures(
    language: Language,
    row: Mapping[Any, Mapping[str, Any]],
    columns: Iterable[Any],
    decimals: int | None = None,
    of: str | None = None,
) -> list[tuple[Any, str, bool]]:
    """Format a row of a breakdown: per column (column, figure, suppressed); the figure is "" where the row has no value."""
    cells = ((c, row.get(c)) for c in columns)
    return [
        (c, figure(language, v["value"], v["status"], decimals, of), v["status"] == "Q") if v else (c, "", False)
        for c, v in cells
    ]


def amounts(language: Language, values: list[float], of: str | None, decimals: int | None = None) -> list[str]:
    """Format several figures of one unit with a common scale and number of decimals: 9,638万元 and 5,249万元; 41.0 million yuan."""
    dates = [named_time(language, v, of) for v in values]
    if values and all(dates):
        return [d for d in dates if d]
    size, name = scale(language, values)
    shown = places([v / size for v in values], 2 if size > 1 else decimals, of)
    texts = [number(v / size, shown) for v in values]
    if not name:
        return [amount(language, s, of) for s in texts]
    if language == "zh":
        return [f"{s}{name}{unit(language, of)}" for s in texts]
    return [f"{s}\u00a0{name} {unit(language, of)}" if of != "个" else f"{s}\u00a0{name}" for s in texts]


def unfinished(as_of: str, year: int | str) -> bool:
    """Return whether a year was incomplete at the as-of date (YYYY-MM-DD) of a release."""
    return as_of < f"{year}-12-31"
