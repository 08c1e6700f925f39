"""Interprets number format codes: how the number shown differs from the number stored.

Belongs here: the code as Excel writes it (ECMA-376 part 1, 18.8.31), for every file format that holds such codes. Not here: where
the code stands in a file, or what is made of the number.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from pipelines.intake.sheets import Format, Grid
from pipelines.intake.vocabulary import vocabulary

BUILT_IN = {9: "0%", 10: "0.00%"}  # of the codes that a file need not hold (18.8.30) those that tell something
_DATES = frozenset([*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)])  # and those that show days and times
_ELAPSED = re.compile(r"\[[hms]+\]", re.IGNORECASE)

# One piece of a section: a quoted text, an escaped character (Chinese Excel writes ! for \), a width or a filling, a bracket,
# the name of the general format, an exponent, a run of placeholders, or any other character.
_PIECE = re.compile(
    r'"(?P<quoted>[^"]*)"?|[\\!](?P<escaped>.)|(?P<space>[_*].)|\[(?P<bracket>[^\]]*)\]|(?P<general>General|G/通用格式)'
    r"|(?P<exponent>E[+-][0#?]+)|(?P<digits>[0#?]+)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)$")
_LETTERS_OF_DATES = re.compile(r"[ymdhsegb]", re.IGNORECASE)
_NO_LETTERS = re.compile(r'"[^"]*"?|[\\!_*].|\[[^\]]*\]|General|G/通用格式|E[+-]', re.IGNORECASE | re.DOTALL)
_FOREIGN = frozenset(w.lower() for w in vocabulary("amounts")["currencies"])
_AROUND = " \t\n\u3000\xa0()（）[]【】:：,，;；-/"


class _Section(NamedTuple):
    condition: tuple[str, float] | None
    format: Format | None
    pieces: tuple[re.Match[str], ...] = ()


def of(code: str, value: float) -> Format | None:
    """The difference between the number `value` and its display by the format `code`; None where it is shown unchanged, or as a date.

    Of several sections that one counts which shows this number: `[<1]0.00%;0.00` is a percentage for 0.85 and none for 85.
    """
    return _which(code, value).format


def _which(code: str, value: float) -> _Section:
    sections = _sections(code)
    if len(sections) == 1:
        return sections[0]
    first, second = sections[0], sections[1]
    if first.condition or second.condition:
        if _holds(first.condition, value):
            return first
        if _holds(second.condition, value):
            return second
        return sections[2 if first.condition and second.condition and len(sections) > 2 else 1]
    if len(sections) > 2 and value == 0:
        return sections[2]
    return second if value < 0 else first


def shown(code: str, value: float) -> str | None:
    """The number as the format `code` shows it, HT-012 for 12 under "HT-"000; None where it shows a date, a fraction or no number.

    Digits fill their places from the right, and what is left over stands before the first.
    """
    section = _which(code, value)
    pieces = section.pieces
    if section.format is None or any((p["other"] or "") == "/" or p["exponent"] for p in pieces):
        return None
    point = next((k for k, p in enumerate(pieces) if p["other"] == "."), len(pieces))
    places = [len(p["digits"] or "") for p in pieces]
    decimals = sum(places[point:])
    power = section.format.power - sum(places[k] for k in _decimals_after_text_point(pieces, point))
    number = abs(Decimal(f"{value:.15g}")).scaleb((2 if section.format.percent else 0) - power)
    if any(p["general"] for p in pieces):
        whole, part = f"{number.normalize():f}", ""
    else:
        whole, _, part = f"{number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}".partition(".")
        first = "".join(p["digits"] or "" for p in pieces[:point])
        whole = whole.zfill(len(first) - first.index("0") if "0" in first else 0)
    out: list[str] = []
    for k in range(len(pieces) - 1, -1, -1):
        p = pieces[k]
        if p["general"] or (places[k] and k < point):
            at = 0 if p["general"] or not any(places[:k]) else max(len(whole) - places[k], 0)
            whole, text = whole[:at], whole[at:]
        elif places[k]:
            part, text = part[: len(part) - places[k]], part[len(part) - places[k] :]
        else:
            literal, other = _literal(p), p["other"] or ""
            text = literal if literal is not None else "" if other == "," else other
        out.append(text)
    minus = "-" if value < 0 and len(_sections(code)) == 1 else ""
    return minus + "".join(reversed(out)).strip()


def _decimals_after_text_point(pieces: Sequence[re.Match[str]], point: int) -> list[int]:
    """The places behind a point that is mere text, which show a number as if divided: 0!.0000."""
    dot = next((k for k, p in enumerate(pieces[:point]) if _literal(p) == "."), point)
    return list(range(dot, point)) if any(p["digits"] for p in pieces[:dot]) else []


def _literal(piece: re.Match[str]) -> str | None:
    """The literal text of a part of a format code; None for any other part."""
    if piece["bracket"] is not None and piece["bracket"].startswith("$"):
        return piece["bracket"][1:].split("-")[0]
    return piece["quoted"] if piece["quoted"] is not None else piece["escaped"]


def changes_numbers(code: str) -> bool:
    """Whether the format `code` changes any number."""
    return any(s.format for s in _sections(code))


def shows_date(code: str) -> bool:
    """Whether the format `code` shows a number as a date or a time of day."""
    return bool(_LETTERS_OF_DATES.search(_NO_LETTERS.sub("", code)))


def dates(number: int, code: str) -> bool:
    """Whether a format shows days or times: by its code, or by its number where a file need not hold the code."""
    return shows_date(code) if code else number in _DATES


def moment(value: float, code: str, from_1904: bool) -> dt.date | dt.time | dt.timedelta:
    """The day or time of a day number; the 1900 system counts a 29 February 1900 that never was."""
    span = dt.timedelta(milliseconds=round(value * 86_400_000))
    if _ELAPSED.search(code):
        return span
    if span < dt.timedelta(1):
        return (dt.datetime.min + span).time()
    epoch = dt.datetime(1904, 1, 1) if from_1904 else dt.datetime(1899, 12, 30 if value >= 61 else 31)
    moment = epoch + span
    return moment.date() if moment.time() == dt.time() else moment


def of_cells(grid: Grid, codes: Mapping[tuple[int, int], str]) -> dict[tuple[int, int], Format]:
    """The Formats of the numbers in cells with these codes; positions are absolute and 0-based."""
    out = {}
    for (row, column), code in codes.items():
        r, c = row - grid.top, column - grid.left
        value = grid.rows[r][c] if 0 <= r < len(grid.rows) and 0 <= c < len(grid.rows[r]) else ""
        if (type(value) is float or type(value) is int) and (found := of(code, value)):
            out[row, column] = found
    return out


def _holds(condition: tuple[str, float] | None, value: float) -> bool:
    if condition is None:
        return False
    sign, limit = condition
    if sign == "<>":
        return value != limit
    return ("=" in sign and value == limit) or ("<" in sign and value < limit) or (">" in sign and value > limit)


@lru_cache(maxsize=4096)
def _sections(code: str) -> tuple[_Section, ...]:
    parts: list[list[re.Match[str]]] = [[]]
    for piece in _PIECE.finditer(code):
        if piece["other"] == ";":
            parts.append([])
        else:
            parts[-1].append(piece)
    return tuple(_section(code, p) for p in parts[:3])  # the fourth is for texts


def _section(code: str, pieces: list[re.Match[str]]) -> _Section:
    condition: tuple[str, float] | None = None
    percent = point = False
    scale = commas = 0  # commas that scale; commas since the last digit
    before = behind = zeros = (
        0  # runs of digits; digits behind a point that is mere text; least digits of a whole number
    )
    plain = True  # nothing but digits so far
    dotted = words = False
    sign = ""  # what stands before the first digit
    texts: list[str] = []  # what follows the last digit
    for p in pieces:
        literal = _literal(p)
        other = p["other"] or ""
        if p["bracket"] is not None:
            if found := _CONDITION.match(p["bracket"]):
                condition = found[1], float(found[2])
            elif re.fullmatch(r"h+|m+|s+", p["bracket"], re.IGNORECASE):
                return _Section(condition, None)
        if literal is not None:
            if literal == "." and before and not point:
                dotted = True
            texts.append(literal)
            plain &= bool(before)
        elif p["digits"] or p["general"]:
            digits = p["digits"] or ""
            if dotted and not point:
                behind += len(digits)
            if not point:
                start = digits.find("0")
                zeros += len(digits) - start if start >= 0 and not zeros else len(digits) if zeros else 0
            plain &= not (before and (texts or commas))
            sign = sign or ("" if before else "".join(texts).strip(_AROUND))
            words |= any(t not in "/ " if before else t.isalnum() for t in "".join(texts))
            before += 1
            commas, texts = 0, []
        elif other == ".":
            scale, commas = scale + commas, 0
            point, plain = True, False
        elif other == "," and before:
            commas += 1
        elif other == "%":
            percent = True
        elif other.isascii() and other.isalpha() and other != "E":
            return _Section(condition, None)  # a date or a time
        elif other == "@":
            return _Section(condition, None)
        elif other and not other.isspace():
            texts.append(other)
            plain &= bool(before)
    if not before:
        return _Section(condition, None)
    power = 3 * (scale + commas) + behind
    unit = "".join(texts).strip(_AROUND) or None
    filled = zeros if plain and zeros > 1 and not power and not percent else 0
    unit = unit or (sign if sign.lower() in _FOREIGN else None)
    effect = percent or power or unit or filled or words
    return _Section(condition, Format(code, percent, power, unit, filled) if effect else None, tuple(pieces))
