"""Folds texts for comparison, and recognises words written in place of a value.

Belongs here: what is nothing, what is an error, what is a formula, what is the mark of a footnote. Not here: values.
"""

from __future__ import annotations

import html
import re
from typing import Any

from pipelines.core.text import half_width, squeeze
from pipelines.intake.sheets import Fault
from pipelines.intake.values.results import BAD, PENDING, Bad
from pipelines.intake.vocabulary import vocabulary

APOSTROPHES = "'’‘`"  # before what is to be kept as text; some exports write it as a character
_SPACES = re.compile(r"[\s\u200b\u2060\ufeff]+")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+")
_BETWEEN = re.compile(r"(?<=[\d.,])\s+(?=[\d.,])")
_ELSEWHERE = re.compile(r"(?<![\d.,])\s+|\s+(?![\d.,])")
_LINE_ENDS = re.compile(r"[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]")
# What a program left of its own writing: a carriage return as Open XML escapes it, a character as HTML does.
_ESCAPED = re.compile(r"_x000[dD]_|&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_ENDS = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
# Control characters, and those that have no width; those that join letters or emoji (U+200C, U+200D) are part of what is seen.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1b\x1f\x7f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_NARROW = re.compile(r"[\u00a0\u2007\u202f]")  # blanks at which no line may end


def clean(text: str) -> str:
    """A text as it is seen: without characters that show nothing, each line break as one, a character for its escape."""
    if text.isprintable() and "&" not in text and "_x000" not in text:
        return text
    if "&" in text or "_x000" in text:
        text = _ESCAPED.sub(lambda e: "\r" if e[0][0] == "_" else html.unescape(e[0]), text)
    return _NARROW.sub(" ", _UNSEEN.sub("", _ENDS.sub("\n", text)))


def fold(text: str) -> str:
    """Full width to half, and no white space but between digits: there a blank, or a line break where the gap held one.

    2021/3/1 00:00 is another day than 2021/3/100:00, and 100 above 200 in one cell are two numbers.
    """
    if "&" in text or "_x000" in text:
        text = clean(text)
    if text.isascii():
        if " " not in text and text.isprintable():
            return text
    else:
        text = half_width(_INVISIBLE.sub("", text))
    text = _BETWEEN.sub(lambda gap: "\n" if _LINE_ENDS.search(gap[0]) else " ", text.strip())
    return _ELSEWHERE.sub("", text)


_NOTHING = vocabulary("nothing")
_EXACTLY = frozenset(_NOTHING["exactly"])
_BEGINS = re.compile(rf"(?:{'|'.join(re.escape(squeeze(w).lower()) for w in _NOTHING['begins'])})[:;,(/-]")
BLANK_TEXT = frozenset(squeeze(w).lower() for w in _NOTHING["any"]) | {""}
BLANK_NUMBER = BLANK_TEXT | {squeeze(w).lower() for w in _NOTHING["number"]}
BLANK_DATE = BLANK_NUMBER | set(_NOTHING["date"])
DITTO = frozenset(_NOTHING["ditto"])
_PENDING = frozenset(_NOTHING["pending"])
_LONGEST = 16  # letters that a word of these has at most

_ERRORS = vocabulary("errors")
FIRST_OF_ERRORS = "#＃E错"
_ERROR_VALUES = frozenset(_ERRORS["values"])
# Of LibreOffice; and a column too narrow for its numbers, saved as shown.
_ERROR_NUMBER = re.compile(r"(?:Err|错误) ?[:：] ?\d{3}|#{2,}")
# In the language of the program: #WERT!, #¿NOMBRE?, #ССЫЛКА!, #DIV/0 !; compared where all its letters are capitals.
_ERROR_ABROAD = re.compile(r"#[¡¿]?[^\W\d_]+(?:[/_][^\W_]+)* ?[!?]")
_PICTURE = re.compile(rf"=@?(?:_xlfn\.)*(?:{'|'.join(_ERRORS['pictures'])})\(", re.IGNORECASE)
# A text that is a formula throughout, with an operand: "=C2&"二期"", but neither "=同上" nor "=> 见附件".
_STRING, _NAME = r'"(?:[^"]|"")*"', r"(?:'[^']+'!|(?:\[\d+\])?[\w.]+!)"
_REFERENCE = rf"{_NAME}?\$?[A-Za-z]{{1,3}}\$?\d{{1,7}}(?![\w])|{_NAME}?\$?[A-Z]{{1,3}}:\$?[A-Z]{{1,3}}"
_RELATIVE = r"R(?:\d+|\[-?\d+\])?C(?:\d+|\[-?\d+\])?(?!\w)"
_OF_TABLE = r"\w*\[(?:[^\[\]]|\[[^\[\]]*\])*\]"
_OPERAND = (
    rf"{_STRING}|[A-Za-z_][\w.]*\(|{_REFERENCE}|{_RELATIVE}|{_OF_TABLE}|\d+(?:\.\d+)?(?![\w])|TRUE|FALSE|#[A-Z/0]+[!?]"
)
_WORD = r"[^\W\d][\w.]*"  # a name that somebody gave to cells; only beside what no sentence has: =单价*数量
_FORMULA = re.compile(
    rf"=[-+(@{{\s]*(?:(?:{_OPERAND})(?:{_OPERAND}|[-+*/^&=<>(),;:%!{{}}@\s])*|{_WORD}(?:[*/^&](?:{_WORD}|{_OPERAND}))+)|{{=.+}}"
)
_CONSTANT = re.compile(r'="([^"]*)"')  # how exports keep a spreadsheet program from making a number of a code
# The mark of a footnote, which full width to half would make a digit of. ² and ³ without a digit before them are a unit's.
_MARKED = re.compile(
    r"[\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u249b\u24ea-\u24ff\u2776-\u2793]|(?:^|\d)\s*[\u00b2\u00b3]"
)


def absent(text: str, words: frozenset[str] = BLANK_TEXT) -> Any:
    """None for a text that means no value, PENDING for one that means not known yet, else ''.

    `words` are folded as BLANK_TEXT is.
    """
    if len(text) > _LONGEST:
        text = text.strip()
    plain = squeeze(text)
    folded = plain.lower()
    if folded in words or text in _EXACTLY or (folded[0] == "n" and _BEGINS.match(folded)):
        return None
    return PENDING if plain in _PENDING else ""


def fault_in(text: str) -> Bad | None:
    """The Fault of an error or formula written as text, in a CSV file or a page; None for any other text."""
    first = text[:1]
    if first in FIRST_OF_ERRORS:
        text = half_width(text)
        if text.upper() in _ERROR_VALUES or _ERROR_NUMBER.fullmatch(text):
            return Bad("error")
        if text.isupper() and _ERROR_ABROAD.fullmatch(text):
            return Bad("error")
    elif first == "=" or text[:2] == "{=":
        if _PICTURE.match(text):
            return Bad("picture")
        if _FORMULA.fullmatch(text):
            return Bad("formula")
    return None


def constant(text: str) -> str:
    """The text in ="0731"; any other text, formulas included, unchanged."""
    found = _CONSTANT.fullmatch(text)
    return found[1] if found else text


def instead(value: str, words: frozenset[str]) -> Any:
    """The result of a text in a column of numbers or dates: None for no value, Bad for one that is neither; '' where it may be one."""
    if not value[:1].isdigit():  # no word does
        found = absent(value, words)
        if found != "":
            return found
        text = value.strip().lstrip(APOSTROPHES)
        if not text:
            return None
        if text[0] in "=＝#＃E错{":
            return fault_in(text) or (Bad("formula") if text[0] in "=＝" else "")
    return Bad("marked") if not value.isascii() and _MARKED.search(value) else ""


def no_text(value: Any) -> Bad | None:
    """The result of a cell that holds neither a text nor a value of its column's kind."""
    if type(value) is Fault:
        return Bad(value.kind)
    return None if value is None else BAD
