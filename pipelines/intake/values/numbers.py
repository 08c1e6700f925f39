"""Parses cells as numbers in canonical units.

Belongs here: how people write numbers, units in cells, and approximate figures; how exactly a number is written. Not here: what
a number format changes (columns/shown.py), or any range.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

from expectations.contract import unit_key
from expectations.expression import half_unit
from pipelines.intake.values.results import BAD, Bad, DoubtfulValue
from pipelines.intake.values.words import APOSTROPHES, BLANK_NUMBER, fold, instead, no_text
from pipelines.intake.vocabulary import vocabulary

_AMOUNTS = vocabulary("amounts")
COUNTERS = frozenset(_AMOUNTS["counters"])
CURRENCIES = frozenset(_AMOUNTS["currencies"])
MULTIPLES = {word: Decimal(n) for word, n in _AMOUNTS["multiples"].items()}


def _one_of(words: list[str]) -> str:
    return "(?:" + "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True)) + ")"


_APPROXIMATE = {place: _one_of(words) for place, words in _AMOUNTS["approximate"].items()}
_BEFORE = re.compile(rf"^{_APPROXIMATE['before']}")
_BEHIND = re.compile(rf"{_APPROXIMATE['behind']}$")
_INSIDE = re.compile(rf"(?<=[\d万亿千百]){_APPROXIMATE['inside']}(?=[^\d])")

_BOUND = re.compile(rf"{_one_of(_AMOUNTS['bounds'])}$")
# No group of thousands begins with a zero: 0,500 is a half where a comma is the decimal point.
_PLAIN = re.compile(r"[+-]?(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|[+-]?\.\d+")
_WRITTEN = re.compile(r"\d[\d,]*(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|\.\d+")  # the number in a cell that was read as one
_NUMBER = re.compile(rf"(?P<number>{_PLAIN.pattern})(?P<unit>[^\d.,\s]*[23]?)")
# 1 200 and 1 234 567 are grouped by blanks; 100 200 may be two numbers that stand side by side. A thin or narrow blank is only
# ever written by programs that group.
_GROUPED = re.compile(r"(?<![\d.,])\d{1,2}(?: \d{3})+(?![\d,])(?! [\d.,])")
_THIN = re.compile(r"(?<=\d)[\u2007\u2008\u2009\u202f](?=\d{3}(?!\d))")
# 100，200 is two numbers as Chinese lists them, 1，200 a thousand with the comma of a Chinese keyboard.
_LISTED = re.compile(r"[0-9]{3}，")
_MINUS = str.maketrans({"−": "-", "–": "-", "﹣": "-", "－": "-", "，": ",", "٫": ".", "。": "."})
_SIGN = re.compile(r"([+-]?)(US\$|[¥￥$€£₩])([+-]?)")
_LARGEST = 10**18


def read_number(value: Any, units: Mapping[str, Decimal], factor: Decimal | None, unit: str | None = None) -> Any:
    """A number in canonical units: float, None, Bad or Doubt.

    `units` are the spellings the column knows, `factor` what one of the sheet's units is in canonical ones (None: the
    sheet states none, so canonical), `unit` the canonical one. A unit in the cell counts only where it cannot be meant
    twice: 3.03万㎡ under a header in 万㎡ is Bad('unit').
    """
    kind = type(value)
    if kind is float or kind is int:
        if not isfinite(value):
            return BAD
        return scaled(value, factor)
    if kind is not str:
        return no_text(value)  # a date or a yes in a column of numbers is Bad as well
    if len(value) <= 18 and _PLAIN.fullmatch(value):
        number = float(value.replace(",", ""))
        if not -_LARGEST <= number <= _LARGEST:
            return BAD
        return number if factor is None or factor == 1 else float(Decimal(value.replace(",", "")) * factor)
    found = instead(value, BLANK_NUMBER)
    if found != "":
        return found
    text = _folded(value)
    return BAD if text is None or _LISTED.match(value.lstrip()) else _read(text, units, factor, unit)


def _folded(value: str) -> str | None:
    """A text of a number without white space; None where white space separates two numbers."""
    text = fold(value if value.isascii() else _THIN.sub("", value)).translate(_MINUS).lstrip(APOSTROPHES)
    if " " in text:
        text = _GROUPED.sub(lambda n: n[0].replace(" ", ""), text, count=1)
    return None if " " in text or "\n" in text or not text else text


def _read(text: str, units: Mapping[str, Decimal], factor: Decimal | None, unit: str | None) -> Any:
    doubtful = False
    if not _PLAIN.fullmatch(text):
        if _BOUND.search(text):
            return Bad("bound")
        cut = _BEFORE.sub("", text)
        cut = _BEHIND.sub("", cut)
        cut = _INSIDE.sub("", cut)
        doubtful, text = cut != text, cut
    sign = ""
    if text[:1] == "(" and text[-1:] == ")":  # accountants' negative
        sign, text = "-", text[1:-1]
        if text[:1] in ("-", "+"):
            return BAD
    currency = _SIGN.match(text)
    if currency:
        if units.get(unit_key(currency[2])) != 1 or (sign + currency[1] and currency[3]) or len(sign + currency[1]) > 1:
            return BAD  # $5 in a column of 元 is another sum
        text = currency[1] + currency[3] + text[currency.end() :]
    found = _NUMBER.fullmatch(text)
    if not found:
        return BAD
    number = Decimal(sign + found["number"].replace(",", ""))
    if abs(number) > _LARGEST:
        return BAD
    tail = found["unit"]
    scale: Decimal | None = factor
    if tail:
        if _BEHIND.search(tail):
            tail, doubtful = _BEHIND.sub("", tail), True
        scale = _scale_in_cell(tail, units, factor, unit)
        if scale is None:
            return Bad("unit") if unit_key(tail) in units or tail in MULTIPLES else BAD
    result = float(number if scale is None or scale == 1 else number * scale)
    return DoubtfulValue(result) if doubtful else result


def _scale_in_cell(tail: str, units: Mapping[str, Decimal], factor: Decimal | None, unit: str | None) -> Decimal | None:
    """Convert a number by the unit written in its cell; None where that is ambiguous."""
    stated = Decimal(1) if factor is None else factor
    if tail == "%" and unit != "%":
        return None
    big = MULTIPLES.get(tail)
    if big is not None:
        return big if stated == 1 else None
    if unit is None:
        return Decimal(1) if tail in COUNTERS else None
    own = units.get(unit_key(tail))
    if own is None:
        return None
    if own == stated and tail[:1] not in "万亿百千":
        return stated
    # 5万元 where the sheet says nothing, or says 元: clear. 5元 or 5万元 where it says 万元: which one is meant?
    return own if stated == 1 else None


def scaled(value: float | int, factor: Decimal | None) -> float:
    """A number times a unit's factor, in decimal arithmetic on the 15 digits a spreadsheet keeps."""
    if factor is None or factor == 1:
        return float(value)
    digits = f"{value:.15g}"
    power = POWERS.get(factor)
    if power is not None and "e" not in digits:
        return float(digits + power)  # the same as the product below, without making decimals
    return float(Decimal(digits) * factor)


POWERS = {Decimal(10) ** n: f"e{n}" for n in (*range(-6, 0), *range(1, 9))}


def written_to(raw: Any, value: float | None, factor: Decimal | None) -> float | None:
    """Half a unit of the last digit that a cell's number is written with, in canonical units: 610.808 under 万元 is known to 5 元.

    `value` is what `raw` was read as, `factor` the header's: 0.00 has no ratio to tell a unit in the cell by. A number cell has
    the digits that the file keeps of it, at most 15. None where the cell holds no number.
    """
    digits = f"{raw:.15g}" if type(raw) in (float, int) else ""
    if type(raw) is str and (text := _folded(raw)) and (found := _WRITTEN.search(text)):
        digits = found[0].replace(",", "")
    if value is None or not digits:
        return None
    number = float(digits)
    return half_unit(digits) * (abs(value / number) if number else float(factor or 1))


def read_integer(value: Any, units: Mapping[str, Decimal], factor: Decimal | None, unit: str | None = None) -> Any:
    """As `read_number`, but a whole number, as int; Bad beyond 10^18 in canonical units, for no column has room for more."""
    result = read_number(value, units, factor, unit)
    if type(value) is str and value.lstrip()[:1] in ("(", "（") and type(result) is not Bad:
        return BAD  # (3) is a number in a list; only sums are written so when they are negative
    if type(result) is float:
        return int(result) if is_whole(result) else BAD
    if type(result) is DoubtfulValue:
        return DoubtfulValue(int(result.value), result.variant) if is_whole(result.value) else BAD
    return result


def is_whole(number: float) -> bool:
    """Whether a column of whole numbers has room for a number."""
    return number.is_integer() and -_LARGEST <= number <= _LARGEST
