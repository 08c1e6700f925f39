"""The words of a question or a title: characters unified, stop words removed, synonyms joined to one meaning.

Belongs here: reading words.toml and splitting a text by it. Not here: pinyin (pinyin.py), which text is the better answer (ranking.py).

Traditional characters are converted to simplified ones (table from OpenCC, see traditional.txt). Chinese is split by the longest word
that is known; what no word covers stays as it is typed.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from pipelines.core.text import fold
from publish.release.search_index import HAN

_FILE = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
TRADITIONAL = Path(__file__).with_name("traditional.txt")
TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[a-z]+(?:[-'][a-z]+)*[0-9₂²³]*|\d+(?:\.\d+)?")
NUMERALS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}
UNKNOWN = 2.0  # what a character of no known word costs, where a word costs 1
SINGLE = 0.5  # what a word of one character costs besides
WEAK = frozenset(_FILE["weak"])
DECIDING = frozenset(_FILE["deciding"])


def _chinese(entry: dict[str, str]) -> list[str]:
    return entry.get("zh", "").split()


def _english(entry: dict[str, str]) -> list[str]:
    return [w.strip() for w in entry.get("en", "").split(",") if w.strip()]


STOP = frozenset(_FILE["stop"]["zh"].split()), frozenset(_FILE["stop"]["en"].split())
MEANINGS: dict[str, frozenset[str]] = {}  # of a Chinese word
MEANINGS_IN_ENGLISH: dict[tuple[str, ...], frozenset[str]] = {}  # of one to four English words
for _names, _entry in _FILE["meanings"].items():
    for _word in _chinese(_entry):
        MEANINGS[_word] = MEANINGS.get(_word, frozenset()) | set(_names.split())
    for _word in _english(_entry):
        _key = tuple(re.split(r"[ -]", _word))
        MEANINGS_IN_ENGLISH[_key] = MEANINGS_IN_ENGLISH.get(_key, frozenset()) | set(_names.split())
MEMBERS: dict[str, tuple[str, str]] = {
    word: (name.partition("/")[0], name.partition("/")[2])
    for name, entry in _FILE["members"].items()
    for word in (*_chinese(entry), *_english(entry))
}
PAGES: dict[str, tuple[list[str], list[tuple[str, ...]]]] = {
    place: (_chinese(entry), [tuple(w.split()) for w in _english(entry)]) for place, entry in _FILE["pages"].items()
}
LONGEST_WORD = max(map(len, (*MEANINGS, *STOP[0])))
LONGEST_PHRASE = max(map(len, MEANINGS_IN_ENGLISH))


@lru_cache
def _simplified() -> dict[int, str]:
    table: dict[int, str] = {}
    for line in TRADITIONAL.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            table |= {ord(pair[0]): pair[1] for pair in line.split()}
    return table


def simplify(text: str) -> str:
    """Return a text with traditional characters converted to simplified ones."""
    return text.translate(_simplified())


def figures(text: str) -> str:
    """Convert numbers in characters up to 99 to digits: 十八万 is 18万; a single character stays."""

    def digits(found: re.Match[str]) -> str:
        tens, _, ones = found[0].partition("十")
        return str(NUMERALS.get(tens, 1) * 10 + NUMERALS.get(ones, 0))

    return re.sub(r"[一二三四五六七八九]?十[一二三四五六七八九]?", digits, text)


def unify(text: str) -> str:
    """Return a text in half width, lower case and simplified characters, with numbers in digits: the form that words are sought in."""
    return figures(simplify(fold(text)))


@dataclass(frozen=True)
class Unit:
    """What a text says in one place: meanings, or else the word as written, which nothing is known of."""

    text: str
    meaning: str = ""  # "" for a word that is not known

    @property
    def weak(self) -> bool:
        """Whether few questions turn on it: a meaning of WEAK, a single character, a year."""
        return self.meaning in WEAK or (
            not self.meaning and (len(self.text) == 1 or bool(re.fullmatch(r"(19|20)\d\d", self.text)))
        )

    @property
    def deciding(self) -> bool:
        """Whether a question turns on it: a meaning of DECIDING, or a number of three characters and more."""
        return self.meaning in DECIDING or (self.number and not self.weak and len(self.text) > 2)

    @property
    def number(self) -> bool:
        """Whether it is a number."""
        return not self.meaning and self.text[:1].isdigit()


def units(text: str) -> list[Unit]:
    """Return what a unified text says, in order, without stop words and without repetition."""
    out: list[Unit] = []
    latin: list[str] = []
    for token in TOKEN.findall(text):
        if HAN.match(token) or token[0].isdigit():
            out += _of_latin(latin)
            latin = []
            out += _of_han(token) if HAN.match(token) else [Unit(token)]
        else:
            latin += re.split(r"[-']", token)
    return list(dict.fromkeys([*out, *_of_latin(latin)]))


def split(run: str) -> list[str]:
    """Split a run of characters into known words so that the fewest characters stay unknown, and then into the fewest words.

    Each character that stays unknown is a piece of its own.
    """
    best: list[tuple[float, int]] = [(0.0, 0)]  # cost of the first n characters, start of the last word
    for end in range(1, len(run) + 1):
        options = [(best[end - 1][0] + UNKNOWN, end - 1)]
        for start in range(max(0, end - LONGEST_WORD), end):
            if run[start:end] in MEANINGS or run[start:end] in STOP[0]:
                options.append((best[start][0] + 1 + SINGLE * (end - start == 1), start))
        best.append(min(options))
    words: list[str] = []
    end = len(run)
    while end:
        words.append(run[best[end][1] : end])
        end = best[end][1]
    return words[::-1]


def _of_han(run: str) -> list[Unit]:
    """Return the units of a run of characters; unknown ones side by side are one."""
    out: list[Unit] = []
    for known, group in groupby(split(run), lambda w: w in MEANINGS or w in STOP[0]):
        if known:
            out += [Unit(w, m) for w in group for m in sorted(MEANINGS.get(w, ()))]
        else:
            out.append(Unit("".join(group)))
    return out


def _of_latin(words: list[str]) -> list[Unit]:
    """Split Latin words by the longest known phrase at each place; a plural is its singular."""
    out: list[Unit] = []
    at = 0
    while at < len(words):
        phrase = next(
            (p for n in range(min(LONGEST_PHRASE, len(words) - at), 0, -1) if (p := tuple(words[at : at + n])) in MEANINGS_IN_ENGLISH),
            None,
        )  # fmt: skip
        if phrase:
            out += [Unit(" ".join(phrase), m) for m in sorted(MEANINGS_IN_ENGLISH[phrase])]
        elif words[at] not in STOP[1]:
            out.append(Unit(stem(words[at])))
        at += len(phrase or (1,))
    return out


def stem(word: str) -> str:
    """Return an English word without the s of its plural."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def pages_of(text: str) -> list[str]:
    """Return the site's own pages that a unified text asks for, the one with the longest word first."""
    latin = set(re.findall(r"[a-z0-9]+", text)) | {stem(w) for w in re.findall(r"[a-z0-9]+", text)}
    found: dict[str, int] = {}
    for place, (chinese, english) in PAGES.items():
        sizes = [len(w) * 2 for w in chinese if w in text]
        sizes += [len("".join(p)) for p in english if set(p) <= latin]
        if sizes:
            found[place] = max(sizes)
    return sorted(found, key=lambda p: -found[p])
