"""Classifies the texts of a row by the patterns compiled from vocabulary/rows.toml.

Belongs here: one text by itself. Not here: what a row is, which hangs on its other cells too (rules.py), or the words themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any

from expectations.contract import Control
from pipelines.core.text import squeeze
from pipelines.intake.layout.names import FIGURES
from pipelines.intake.vocabulary import vocabulary

Added = Mapping[str, Sequence[str]]  # words that a city or a contract adds, by what they say

_ROWS = vocabulary("rows")
_BEFORE_TOTAL = 14  # characters: 2021年度一季度合计
_REST = 12  # behind 其中
_LONGEST_SECTION = 40


class Says(IntEnum):
    """The kind of row that a text indicates; NOTHING is false."""

    NOTHING = 0
    TOTAL = 1
    NOTE = 2
    SIGNATURE = 3
    AMONG = 4
    SECTION = 5
    CONTINUED = 6
    EXAMPLE = 7
    GROUP = 8
    HEADER = 9  # it is what some column is called


def _fold(words: Iterable[str]) -> list[str]:
    return [squeeze(w).lower() for w in words]


def _any(words: Iterable[str]) -> str:
    """A pattern of one of some words, the longest first."""
    return "(?:" + "|".join(re.escape(w) for w in sorted(_fold(words), key=len, reverse=True)) + ")"


_NUMERALS = _ROWS["section"]["numerals"]
_SECTION = re.compile(
    rf"^(?:[{_NUMERALS}]{{1,3}}[、.．]|[(][{_NUMERALS}]{{1,3}}[)]|第[{_NUMERALS}]{{1,3}}{_any(_ROWS['section']['parts'])})"
    rf".{{0,{_LONGEST_SECTION}}}$"
)
_GROUP = re.compile(rf"^[(]?[{_NUMERALS}]{{1,3}}[)、.．]?$")
_PAGE = re.compile(r"^第\d+页|^共\d+页|^第.{1,3}页")
YEAR_SECTION = re.compile(
    rf"^(?:[(]?[{_NUMERALS}\d]{{1,3}}[)、.．])?((?:19|20)\d\d)年度?{_any(_ROWS['section']['years'])}?[:]?$"
)
WHOLE_DATE = re.compile(r"^(?:19|20)\d\d[-./年]\d{1,2}[-./月]\d{1,2}日?$|^年月日?$")
_MOST_COLUMNS = 1000  # that a program numbers
_NUMBERED = [w.format(n) for w in _ROWS["header"]["numbered"] for n in range(_MOST_COLUMNS)]
_BLANKS = _ROWS["header"]["blank"]
HEADER_BLANKS = frozenset([*_BLANKS, *(w.lower() for w in _BLANKS), *_NUMBERED])  # as they stand in a cell
NO_UNIT = frozenset(_fold(_ROWS["units"]["none"]))
LETTERS = frozenset(_fold(_ROWS["column_numbers"]["letters"]))
NOTHING_MARKS = frozenset(_fold(_ROWS["nothing_reported"]["marks"]))
NONE = _ROWS["nothing_reported"]["word"]


class RowWords:
    """Classifies texts by the words of rows.toml and added ones. `is_header`: whether a text is a column's name.

    `names`: what rows are called that sum up others, folded; `figures_may_be_headers`: whether a text of figures may be a column's
    name; `figures_tell`: whether it may say anything; `examples`: rows of an example, as a contract describes them; `sectioned`: a lone
    text names a section whatever its column; `controls`: the figures that are published beside the rows. Keeps what it learnt, so use one for many sheets.
    """

    def __init__(
        self,
        is_header: Callable[[str], Any],
        added: Iterable[Added] = (),
        names: Iterable[str] = (),
        figures_may_be_headers: bool = True,
        examples: Sequence[Mapping[str, str]] = (),
        *,
        sectioned: bool = False,
        controls: Sequence[Control] = (),
    ):
        self._is_header = is_header
        self.names = frozenset(names)
        self.examples, self.sectioned, self.controls = examples, sectioned, controls
        self._of_examples = frozenset(text for row in examples for text in row.values())
        self.known: dict[str, Says] = {}
        more: dict[str, list[str]] = {}
        for words in added:
            for kind, these in words.items():
                more.setdefault(kind, []).extend(these)
        self._patterns = _patterns(more)
        begins = {w[0] for w in _fold(_first_words(more)) if w} | set(_NUMERALS) | set("第共(（*※#＃＊t")
        # A text without any of these characters says none of it: most do not.
        self._telling = frozenset(begins | {c.upper() for c in begins})
        # One of these is in a total's word that may stand behind other cells; names may be written with blanks in them.
        self._totals = ("计", "otal", *_fold(more.get("total", ())))
        figures = any(map(FIGURES.fullmatch, self.names)) or not self._telling.isdisjoint("0123456789.,+-")
        self.figures_tell = figures_may_be_headers or figures
        self._more = len(self._totals) > 2 or bool(self.names or examples)

    def says(self, text: str) -> Says:
        """Return the kind of row that a text indicates."""
        known = self.known.get(text)
        if known is None:
            if len(self.known) > 50_000:
                self.known.clear()
            known = self.known[text] = self._says(text)
        return known

    def total_parts(self) -> tuple[str, ...] | None:
        """Parts of which a text for which `any_total` is true holds at least one; None where no parts decide it."""
        return None if self._more else self._totals

    def any_total(self, cells: Iterable[Any]) -> bool:
        """Whether one of some cells is a total's word, past the first column: 计 or the like is in it, or it is a name; or is of an
        example's row."""
        for v in cells:
            if (
                type(v) is str
                and (self._more or "计" in v or "otal" in v)
                and v
                and (self.is_total(v) or self._shows(v))
            ):
                return True
        return False

    def is_total(self, text: str) -> bool:
        """Whether a text past the first column is a total's word."""
        for part in self._totals:
            if part in text:
                return self.says(text) is Says.TOTAL
        return bool(self.names) and self.is_name(text)

    def _shows(self, text: str) -> bool:
        """Whether a text is among those by which a contract describes an example row."""
        return bool(self._of_examples) and squeeze(text).lower() in self._of_examples

    def is_name(self, text: str) -> bool:
        """Whether a text is a name of the contract for rows that sum up others."""
        return self.says(text) is Says.TOTAL and squeeze(text).lower() in self.names

    def _says(self, text: str) -> Says:
        if self.names and squeeze(text).lower() in self.names:
            return Says.TOTAL
        if self._shows(text):
            return Says.EXAMPLE
        if not self._telling.isdisjoint(text):
            plain = squeeze(text).lower()
            for says, pattern in self._patterns:
                if pattern.match(plain):
                    return says
        return Says.HEADER if self._is_header(text) else Says.NOTHING


def _first_words(more: Mapping[str, list[str]]) -> list[str]:
    """The words of which a text that indicates a kind of row holds at least one, without those of numerals and pages."""
    v = _ROWS
    lists = [
        v["total"]["words"], v["note"]["words"], v["note"]["labels"], v["note"]["begins"], v["signature"]["doers"],
        v["signature"]["labels"], v["signature"]["by"], v["signature"]["alone"], v["signature"]["seals"], v["among"]["words"],
        v["example"]["words"], v["continued"]["words"], *more.values(),
    ]  # fmt: skip
    return [w for words in lists for w in words] + [w.lstrip("-") for w in v["total"]["alone"]]


def _patterns(more: Mapping[str, list[str]]) -> list[tuple[Says, re.Pattern[str]]]:
    """Kinds and patterns in order; the first match counts. They are matched against folded texts."""

    def also(kind: str) -> list[str]:
        return more.get(kind, [])

    total, note, sign = _ROWS["total"], _ROWS["note"], _ROWS["signature"]
    example = _ROWS["example"]
    aside = r"(?:[(].{0,8}[)])?"  # （签字）
    totals = rf"^.{{0,{_BEFORE_TOTAL}}}?{_any([*total['words'], *also('total')])}{_any(total['behind'])}?(?:[(].{{0,14}}[)])?[:]?$"
    counted = rf"^共计?\d+{_any(total['counted'])}$|^{_any(total['alone'])}[:]?$"
    notes = rf"^(?:\*|※)?{_any([*note['words'], *also('note')])}(?:[:;.、]|\d|[(]\d|$)"
    labels = rf"^{_any(note['labels'])}[:]|^{_any(note['begins'])}"
    doer, roles = rf"{_any(sign['doers'])}{_any(sign['roles'])}*", rf"{_any(sign['by'])}{_any(sign['by_roles'])}"
    signed = rf"(?:{_any(sign['signed'])})?$"
    signatures = (
        rf"^{doer}{aside}[:]|^{_any([*sign['labels'], *also('signature')])}{aside}[:]|"
        rf"^{roles}{signed}|^{_any([*sign['alone'], *also('signature')])}{signed}|^[(]?{_any(sign['seals'])}[)]?$"
    )
    bodies = rf"^(?=[^:(]*{_any(sign['bodies'])}{aside}[:]){doer}{aside}[:]"
    among = rf"^(?:#|\*)?{_any([*_ROWS['among']['words'], *also('among')])}(?:[:、,]|.{{0,{_REST}}}$)"
    goes_on = _any([*_ROWS["continued"]["words"], *also("continued")])
    continued = rf"^[(]?(?:表?\d[\d.-]{{0,6}})?{goes_on}[)]?.{{0,6}}(?:continued)?[)]?$"
    examples = rf"^[(]?{_any(example['before'])}?{_any([*example['words'], *also('example')])}{_any(example['behind'])}?[)]?[:]?$"
    sections = [(Says.SECTION, rf"^{_any(also('section'))}$")] if also("section") else []
    found = [
        (Says.TOTAL, f"{totals}|{counted}"),
        (Says.NOTE, f"{notes}|{labels}|{_PAGE.pattern}|{bodies}"),
        (Says.SIGNATURE, signatures),
        (Says.AMONG, among),
        (Says.CONTINUED, continued),
        (Says.EXAMPLE, examples),
        *sections,
        (Says.GROUP, _GROUP.pattern),
        (Says.SECTION, _SECTION.pattern),
    ]
    return [(says, re.compile(pattern)) for says, pattern in found]
