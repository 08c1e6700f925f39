"""Ranks the indicators, statements, datasets and columns of a release by how well they answer a question.

Belongs here: the corpus of a release in memory and its weights. Not here: splitting into words (words.py), the open records, of which
there may be a hundred thousand and which SQLite finds (__init__.py).

The weight of a document is R (0.55 + 0.45 P): R is the share of the question, weighted by inverse document frequency, that the
document has, a title counting more than a text; P is the share of its title that the question has, so that of two titles with
all words the one that says nothing else comes first.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from publish.release.search_index import HAN
from publish.site.search.pinyin import Lexicon, words_in
from publish.site.search.words import MEANINGS, MEANINGS_IN_ENGLISH, MEMBERS, PAGES, STOP, Unit, stem, unify, units

IN_BODY = 0.4  # of the weight of a hit in the title; the texts of a record are names all of them
IN_RECORD = 0.8
SYNONYM = 0.93  # of the weight of the very word, for another word of the same meaning
DECIDING = 2.5  # of the weight of another meaning: idle land *sold* is no idle land found
NEAR = 0.5  # of the weight of a whole word, where only its pairs of characters are found
WEAK = 0.15  # of a unit that is weak
KINDS = {"indicator": 1.0, "claim": 0.92, "dataset": 0.9, "column": 0.75, "record": 0.85}
KNOWN = 50.0  # what a word of words.toml counts in the lexicon, besides its occurrences
OFTEN = 3.0  # and a whole title
ALIKE = 0.84  # of the letters of a word, for a misspelt one


@dataclass
class Document:
    """A hit and what its title and text say."""

    row: dict[str, Any]
    titles: tuple[tuple[Unit, ...], ...]  # Chinese, English
    title: str
    body: str
    meant: frozenset[str]  # in the title
    meant_below: frozenset[str]  # in the text
    words: frozenset[str]  # Latin words and numbers of the title
    words_below: frozenset[str]
    in_body: float

    @classmethod
    def of(cls, row: dict[str, Any]) -> Document:
        """Read a row of the table `documents`."""
        zh, en, body = (unify(row[k] or "") for k in ("title_zh", "title_en", "body"))
        titles = tuple(units(zh)), tuple(units(en))
        said = [u for t in titles for u in t]
        below = units(body)
        return cls(
            row, titles, f"{zh} {en}", body, frozenset(u.meaning for u in said), frozenset(u.meaning for u in below),
            frozenset(u.text for u in said if not u.meaning), frozenset(u.text for u in below if not u.meaning),
            IN_RECORD if row["kind"] == "record" else IN_BODY,
        )  # fmt: skip

    def has(self, unit: Unit) -> float:
        """Return how far the document has a unit: 1 in the title, less in the text, 0 where it has none of it."""
        if unit.meaning:
            if unit.meaning in self.meant:
                return 1.0 if unit.text in self.title else SYNONYM
            return self.in_body if unit.meaning in self.meant_below else 0.0
        if not HAN.match(unit.text):
            below = 1.0 if unit.number else self.in_body
            return 1.0 if unit.text in self.words else below if unit.text in self.words_below else 0.0
        if unit.text in self.title:
            return 1.0
        if unit.text in self.body:
            return self.in_body
        pairs = [unit.text[i : i + 2] for i in range(len(unit.text) - 1)]
        return (
            NEAR
            * sum(1.0 if p in self.title else self.in_body if p in self.body else 0.0 for p in pairs)
            / max(len(pairs), 1)
        )

    def has_whole(self, unit: Unit) -> bool:
        """Return whether the document has a unit, and not only parts of it."""
        if unit.meaning or not HAN.match(unit.text):
            return self.has(unit) > 0
        return unit.text in self.title or unit.text in self.body


@dataclass(eq=False)
class Corpus:
    """The documents of a release but its records, their frequencies, and the words that may be typed for them."""

    documents: list[Document]
    frequency: Counter[str] = field(default_factory=Counter)
    _rarities: dict[Unit, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for d in self.documents:
            self.frequency.update(d.meant | d.words)
        titles = [unify(d.row["title_zh"] or "") for d in self.documents]
        weights = words_in(titles)
        for title in titles:
            if title in weights:
                weights[title] += OFTEN
        for word in (*MEANINGS, *STOP[0], *MEMBERS, *(w for zh, _ in PAGES.values() for w in zh)):
            if HAN.fullmatch(word[0]) and all(HAN.match(c) for c in word):
                weights[word] = weights.get(word, 0.0) + KNOWN * (1 if word in STOP[0] else 2)
        self.lexicon_words = weights
        self.english = {w for d in self.documents for w in re.findall(r"[a-z]{2,}", f"{d.title} {d.body}")}
        self.english |= (
            {w for p in MEANINGS_IN_ENGLISH for w in p}
            | STOP[1]
            | {w for _, en in PAGES.values() for p in en for w in p}
        )
        self.english |= {w for m in MEMBERS for w in m.split() if w.isascii()}

    def lexicon(self, names: Iterable[str]) -> Lexicon:
        """Return the words of the release with further `names`, of districts, by pinyin."""
        return _lexicon(self, tuple(names))

    def spelt(self, word: str) -> str | None:
        """Return the English word that a misspelt one stands for; None where none is near, or where the word is known."""
        if word in self.english or stem(word) in self.english or len(word) < 4:
            return None
        begun = sorted((w for w in self.english if w.startswith(word)), key=lambda w: (-self.frequency[w], len(w), w))
        return begun[0] if begun else next(iter(get_close_matches(word, sorted(self.english), 1, ALIKE)), None)

    def rarity(self, unit: Unit) -> float:
        """Return the weight of a unit by its inverse document frequency."""
        seen = self.frequency[unit.meaning or unit.text]
        return (WEAK if unit.weak else DECIDING if unit.deciding else 1.0) * math.log(
            2 + len(self.documents) / (1 + seen)
        )

    def weigh(self, asked: Sequence[Unit], documents: Iterable[Document]) -> list[tuple[float, bool, dict[str, Any]]]:
        """Return documents that have anything of a question, with their weight, from 0 to 1, and whether they have every unit that counts."""
        rarity = {u: self.rarity(u) for u in asked}
        total = sum(rarity.values())
        meant, words = {u.meaning for u in asked if u.meaning}, " ".join(u.text for u in asked if not u.meaning)
        counting = [u for u in asked if not u.weak] or list(asked)
        chinese = any(HAN.match(u.text) for u in asked)
        out = []
        for d in documents:
            if not (got := sum(r * d.has(u) for u, r in rarity.items())):
                continue
            whole = all(d.has_whole(u) for u in counting)
            shares = [
                float(whole and d.row["kind"] == "record")
            ]  # whoever writes all of a record's name wants the record
            for title in d.titles[:1] if chinese else d.titles:
                masses = [
                    (self._rarity_of_title(u), u.meaning in meant if u.meaning else u.text in words) for u in title
                ]
                shares.append(sum(m for m, had in masses if had) / (sum(m for m, _ in masses) or 1.0))
            weight = KINDS[d.row["kind"]] * got / total * (0.55 + 0.45 * max(shares))
            out.append((weight, whole, d.row))
        return out

    def _rarity_of_title(self, unit: Unit) -> float:
        if unit not in self._rarities:
            self._rarities[unit] = self.rarity(unit)
        return self._rarities[unit]


@lru_cache(maxsize=8)
def _lexicon(corpus: Corpus, names: tuple[str, ...]) -> Lexicon:
    return Lexicon(corpus.lexicon_words | dict.fromkeys(names, 3 * KNOWN))


@lru_cache(maxsize=4)
def corpus(index: Path) -> Corpus:
    """Return the corpus of the search index of a release, which never changes; that of the four asked last is kept."""
    with closing(sqlite3.connect(f"{index.resolve().as_uri()}?immutable=1", uri=True)) as con:
        con.row_factory = sqlite3.Row
        return Corpus(
            [Document.of(dict(r)) for r in con.execute("select * from documents where kind <> 'record' order by id")]
        )
