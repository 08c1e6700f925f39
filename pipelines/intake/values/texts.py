"""Parses cells as text, as a value of a closed list, and as a boolean.

Belongs here: what a text keeps and what it loses. Not here: whether it may stand in its column.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from expectations.contract import header_key
from pipelines.core.text import squeeze
from pipelines.intake.sheets import Fault
from pipelines.intake.values.results import BAD, Bad
from pipelines.intake.values.words import APOSTROPHES, absent, clean, constant, fault_in, no_text
from pipelines.intake.vocabulary import vocabulary

_ANSWERS = vocabulary("answers")
TRUE, FALSE = frozenset(_ANSWERS["yes"]), frozenset(_ANSWERS["no"])
_AROUND = " \t\r\n\f\v\u3000\u00a0\u200b\u2060\ufeff\u2002\u2003\u2009\u200e\u200f\u202a\u202c"
# A number of many digits, or a code, that a spreadsheet program shortened when it wrote a text file.
# Java writes no plus, and this only from ten millions on.
_SHORTENED = re.compile(r"[1-9](?:\.\d+)?[eE]\+\d{2,3}|[1-9]\.\d+[eE](?:[7-9]|[1-9]\d)")
# What is left of characters that a program could not decode, or wrote as UTF-8 and read as GBK afterwards.
_GARBLED = re.compile("\ufffd|锟斤")
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_INSIDE = re.compile(rf"(?<=[{_HAN}])\s+(?=[{_HAN}])")


def read_text(value: Any) -> Any:
    """Parse a text: without the white space around it; a code that became a number gets its digits back."""
    kind = type(value)
    if kind is str:
        return _text(clean(value).strip(_AROUND))
    if kind is float:
        if not abs(value) < 1e15:  # a spreadsheet keeps 15 digits
            return Bad("digits_lost") if isfinite(value) else BAD
        return str(int(value)) if value.is_integer() else f"{value:.15g}"
    if kind is int:
        return str(value) if abs(value) < 10**15 else Bad("digits_lost")
    if kind is bool:
        return "TRUE" if value else "FALSE"  # as every spreadsheet program shows it
    if kind is dt.datetime:
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if kind is dt.date:
        return value.isoformat()
    if kind is dt.time or kind is dt.timedelta:
        return _clock(value)
    return no_text(value) if value is None or kind is Fault else str(value)


def _text(text: str) -> Any:
    if not text:
        return None
    if (len(text) <= 5 or text[0] in "nN") and absent(text) != "":
        return None
    first = text[0]
    if first in APOSTROPHES and text[1:].isascii() and text[1:].isalnum():
        return text[1:]  # a code
    if first in "=#＃E错{" and (fault := fault_in(text)) is not None:
        inner = constant(text)
        return fault if inner == text else _text(inner)
    if "1" <= first <= "9" and _SHORTENED.fullmatch(text):
        return Bad("digits_lost")
    return Bad("garbled") if not text.isascii() and _GARBLED.search(text) else text


def _clock(value: dt.time | dt.timedelta) -> str:
    """A time of day or a span of hours as a spreadsheet program shows what was typed: 8:30, and 30:00 for more than a day."""
    if type(value) is dt.timedelta:
        seconds = round(value.total_seconds())
    else:
        assert isinstance(value, dt.time)
        seconds = value.hour * 3600 + value.minute * 60 + value.second
    minutes, second = divmod(abs(seconds), 60)
    shown = f"{'-' if seconds < 0 else ''}{minutes // 60}:{minutes % 60:02}"
    return f"{shown}:{second:02}" if second else shown


def read_name(value: Any) -> Any:
    """As `read_text`, without the white space that fills a short name up to the width of its column: 北    京."""
    text = read_text(value)
    return _INSIDE.sub("", text) if type(text) is str and len(text.split(None, 1)) > 1 else text


def read_choice(value: Any, folded: Mapping[str, str]) -> Any:
    """One of a closed list, as the list spells it; text not in the list is kept for the suite to judge."""
    text = value
    if type(value) is bool:
        text = folded.get("是" if value else "否") or read_text(value)
    elif type(value) is not str:
        text = read_text(value)
        if type(text) is not str:
            return text
    known = folded.get(text)
    if known is not None:
        return known
    return folded.get(header_key(text)) or read_name(text)


def read_boolean(value: Any, yes: frozenset[str] = TRUE, no: frozenset[str] = FALSE) -> Any:
    """是/否/√/×/有/无/Y/N/true/false/1/0. `yes` and `no` are the words known, folded."""
    kind = type(value)
    if kind is bool:
        return value
    if kind is float or kind is int:
        return bool(value) if value in (0, 1) else BAD
    if kind is not str:
        return no_text(value)
    text = squeeze(value).lower()
    if text in yes:
        return True
    if text in no:
        return False
    found = absent(value)
    return fault_in(value.strip()) or BAD if found == "" else found
