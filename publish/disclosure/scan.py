"""Finds what must never be published in a piece of text: by pattern with check digits, and by the secrets of this run.

Belongs here: deciding about one text or number. Not here: which files to look at (gate.py). Nothing here keeps, prints or
returns a secret: a finding is the name of the rule.

Check digits: GB 11643 (identity numbers, ISO 7064 mod 11-2), GB 16735 (vehicle identification numbers), ISO/IEC 7812 (bank
cards, Luhn). Plates: GA 36 (five characters after the letter, six for new energy).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from pipelines.core.text import half_width
from pipelines.core.text import key as fold

SHORTEST = 4  # a shorter value of an L2 column would be found by chance
SHORTEST_NUMBER = 6

_HASH = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{40,64}(?![0-9A-Za-z])")
_IDENTITY = re.compile(
    r"(?<![0-9A-Z])([1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX])(?![0-9A-Z])"
)
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][·•. ]?[A-HJ-NP-Z][·•. -]?"
    r"(?=[0-9A-Z]*\d)[0-9A-HJ-NP-Z]{4}(?:[0-9A-HJ-NP-Z]{1,2}|[挂学警港澳])(?![0-9A-Z])"
)
_VIN = re.compile(r"(?<![0-9A-Z])([A-HJ-NPR-Z0-9]{17})(?![0-9A-Z])")
_CARD = re.compile(r"(?<!\d)(62\d{14,17})(?!\d)")
_CONTACT = re.compile(r"联系人[:：]\s*[\u4e00-\u9fff·]{2,}")
_VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10), *range(10)], strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def is_identity_number(text: str) -> bool:
    """Whether 18 characters carry the right check character (ISO 7064 mod 11-2)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(c) * w for c, w in zip(text, weights, strict=False)) % 11] == text[17]


def is_vin(text: str) -> bool:
    """Whether 17 characters are a vehicle identification number with the right check character at its ninth place."""
    if text.isdigit() or text.isalpha():
        return False
    rest = sum(_VIN_VALUES[c] * w for c, w in zip(text, _VIN_WEIGHTS, strict=True)) % 11
    return "0123456789X"[rest] == text[8]


def is_bank_card(text: str) -> bool:
    """Whether digits pass Luhn's check."""
    doubled = [int(c) * 2 if n % 2 else int(c) for n, c in enumerate(reversed(text))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


# rule, pattern, what must hold of group 1 besides
PATTERNS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool] | None], ...] = (
    ("identity number", _IDENTITY, is_identity_number),
    ("mobile number", _MOBILE, None),
    ("number plate", _PLATE, None),
    ("vehicle identification number", _VIN, is_vin),
    ("bank card number", _CARD, is_bank_card),
    ("name of a contact", _CONTACT, None),
)


class Scanner:
    """Knows the secrets of one run. `secrets`: `dataset.column` -> values; `public`: texts that are public anyway (names of
    institutions in an open table); `words`: the contracts' own text, a value that is in it is a word and no secret;
    `opened`: `dataset.column` of an open table -> values that are there by contract and are secrets elsewhere."""

    def __init__(
        self,
        secrets: Mapping[str, Iterable[str]],
        public: Iterable[str] = (),
        words: str = "",
        opened: Mapping[str, Iterable[str]] | None = None,
    ):
        self._opened = {column: {fold(v) for v in values} for column, values in (opened or {}).items()}
        self._as_written = {column: sorted(values, key=len, reverse=True) for column, values in (opened or {}).items()}
        known, vocabulary = {fold(p) for p in public}, fold(words)
        self._by_start: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._numbers: dict[int, str] = {}
        for column, values in sorted(secrets.items()):
            for v in values:
                s = fold(v)
                if len(s) < SHORTEST or s in known or s in vocabulary or _small_number(s):
                    continue
                self._by_start[s[:SHORTEST]].append((s, column))
                if s.isdecimal():
                    self._numbers[int(s)] = column

    @property
    def secrets(self) -> int:
        """How many values are looked for."""
        return sum(map(len, self._by_start.values()))

    def opens(self, column: str, text: str) -> bool:
        """Whether the whole of `text` is a value that `column` (`dataset.column`) publishes by contract."""
        return column in self._opened and fold(text) in self._opened[column]

    def without_opened(self, table: str, text: str) -> str:
        """`text` without the values that columns of `table` publish by contract: for texts put together of its rows."""
        for column, values in self._as_written.items():
            if column.startswith(f"{table}."):
                for v in values:
                    text = text.replace(v, " ")
        return text

    def text(self, text: str, by_value: bool = True) -> str | None:
        """The rule that `text` breaks, or None; `by_value` False looks for patterns alone."""
        plain = half_width(_HASH.sub(" ", text)).upper()
        for rule, pattern, holds in PATTERNS:
            for m in pattern.finditer(plain):
                if holds is None or holds(m.group(1)):
                    return f"looks like a {rule}"
        if not by_value:
            return None
        lower = plain.lower()
        return self._known(lower) or (self._known(fold(lower)) if re.search(r"\s", lower) else None)

    def number(self, x: float) -> str | None:
        """The rule that a number breaks, or None: only a secret made of digits can be in a numeric cell."""
        if self._numbers and x >= 10 ** (SHORTEST_NUMBER - 1) and x == int(x) and (c := self._numbers.get(int(x))):
            return f"is a value of {c}, which is kept inside"
        return None

    def _known(self, text: str) -> str | None:
        starts = self._by_start
        if not starts:
            return None
        for i in range(len(text) - SHORTEST + 1):
            for s, column in starts.get(text[i : i + SHORTEST], ()):
                if text.startswith(s, i) and _is_separate(text, i, i + len(s)):
                    return f"holds a value of {column}, which is kept inside"
        return None


def _small_number(s: str) -> bool:
    return re.fullmatch(r"[\d.,%+-]+", s) is not None and sum(c.isdigit() for c in s) < SHORTEST_NUMBER


def _is_separate(text: str, first: int, last: int) -> bool:
    """Whether text[first:last] is no mere part of a longer number or Latin word (a run of digits inside a longer one)."""

    def joined(a: str, b: str) -> bool:
        return a.isascii() and b.isascii() and a.isalnum() and b.isalnum()

    before = first > 0 and joined(text[first - 1], text[first])
    after = last < len(text) and joined(text[last - 1], text[last])
    return not (before or after)
