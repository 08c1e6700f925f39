"""Number format: decimals, thousands marks, scales and relative changes, in both languages.

Belongs here: numbers without a unit. Not here: units and dates (units.py).
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Iterable
from typing import Any

from publish.site.language import Language


def number(value: Any, decimals: int | None = None) -> str:
    """Format a number with thousands marks: with `decimals` if given, else with at most four significant digits."""
    if value is None or value == "":
        return ""
    v = float(value)
    if not math.isfinite(v):
        return str(value)
    if decimals is not None:
        text = f"{v:,.{decimals}f}"
    else:
        places = 0 if v == int(v) or abs(v) >= 1000 else max(0, 3 - math.floor(math.log10(abs(v))))
        text = f"{v:,.{places}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


def exact(value: Any) -> str:
    """Format a number with thousands marks and every digit that it has: 182,340,980 and 9,600.25."""
    v = float(value)
    if not math.isfinite(v):
        return str(value)
    text = f"{int(value):,}" if v == int(v) and abs(v) < 2**63 else f"{v:,}" if "e" not in repr(v) else repr(v)
    return text.replace("-", "−")


LARGE: dict[Language, tuple[tuple[float, str, float], ...]] = {
    "zh": ((1e8, "亿", 1e8), (1e4, "万", 1e5)),
    "en": ((1e9, "\u00a0billion", 1e9), (1e6, "\u00a0million", 1e6)),
}


def compact(language: Language, value: float) -> str:
    """Format a number in few digits; large ones in 万 and 亿, or in millions and billions."""
    for size, name, least in LARGE[language]:
        if abs(value) >= least:
            return number(value / size) + name
    return number(value)


SCALES: dict[Language, tuple[tuple[float, str, float], ...]] = {
    "zh": ((1e8, "亿", 1e9), (1e4, "万", 1e5)),
    "en": ((1e9, "billion", 1e9), (1e6, "million", 1e6)),
}


def scale(language: Language, values: Iterable[float | None]) -> tuple[float, str]:
    """Return the common scale of several numbers: (10000, 万) or (1000000, million); (1, "") for small ones."""
    most = max((abs(v) for v in values if v is not None), default=0)
    return next(((size, name) for size, name, least in SCALES[language] if most >= least), (1.0, ""))


def places(values: Iterable[float | None], decimals: int | None = None, of: str | None = None) -> int:
    """Return the common number of decimals for several figures.

    Four significant digits of the largest and two of the smallest; never more than published (`decimals`), and at most
    two for a percentage (`of`, the unit).
    """
    sizes = [abs(v) for v in values if v]
    if not sizes or all(v == int(v) for v in sizes):
        return 0
    wanted = max(3 - math.floor(math.log10(max(sizes))), 1 - math.floor(math.log10(min(sizes))), 0)
    return min(wanted, 4 if decimals is None else decimals, 2 if of == "%" else 4)


def change(first: Any, last: Any) -> str:
    """Format the relative change between two figures in per cent, signed; "" where it is undefined."""
    if first in (None, 0) or last is None:
        return ""
    percent = (float(last) - float(first)) / abs(float(first)) * 100
    return f"{percent:+.1f}%".replace("-", "−") if abs(percent) >= 0.05 else "0.0%"


def percent(first: Any, last: Any) -> str:
    """Format the relative change between two figures in per cent, without its sign; "" where it is undefined."""
    return change(first, last).lstrip("+−")


def numeral(language: Language, n: int) -> str:
    """Spell out a count up to ten (三, three), for headings; larger ones in digits."""
    words = ("零", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十") if language == "zh" else (
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    )  # fmt: skip
    return words[n] if n < len(words) else str(n)


def month(language: Language, n: int) -> str:
    """Return the short name of a month."""
    return f"{n}月" if language == "zh" else calendar.month_abbr[n]
