"""Search of a release: indicators, statements, datasets, their columns, open records; districts and kinds of institutions by name.

Belongs here: from a question to hits in order. words.py splits a text into what it says, pinyin.py reads Latin letters as Chinese,
ranking.py weighs. Not here: the index (publish/release/search_index.py), the page (pages/ask.py).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from publish.release.search_index import HAN
from publish.site.search.pinyin import Lexicon
from publish.site.search.ranking import Corpus, Document, corpus
from publish.site.search.words import MEANINGS, MEMBERS, STOP, TOKEN, Unit, pages_of, split, stem, unify, units

LONGEST = 80  # characters of a question; the rest is ignored
MOST = 60
MOST_RECORDS = 20
LEAST = 0.12  # weight below which a document has nothing to do with the question
CHECKED = "/claims"  # who asks whether it is true asks for a statement
PREFERRED = 1.3
STEPS = 2_000_000  # of SQLite, for one question: some 100 ms
YEAR = re.compile(r"(?<![\d.])((?:19|20)\d\d)(?![\d.%])\s*年?|(?<!\d)(\d\d)年(?!内|来)")


@dataclass(frozen=True)
class Asked:
    """A question as it is understood."""

    text: str  # unified, with letters read as Chinese and misspelt words put right
    units: tuple[Unit, ...]  # without member and year
    year: int | None
    member: tuple[str, str] | None  # dimension and member of a breakdown
    pages: tuple[str, ...]  # the site's own
    corrected: bool  # whether anything was read otherwise than it is written


def understand(index: Path, question: str, names: Mapping[str, tuple[str, str] | None] | None = None) -> Asked:
    """Return what a question asks of a release; `names` are those of districts, each with dimension and member, and of
    the city, with None.

    `question` comes from a visitor: LONGEST characters of it are used.
    """
    known = corpus(index)
    places = {unify(n): m for n, m in (names or {}).items()}
    lexicon = known.lexicon(sorted(n for n in places if HAN.match(n)))
    known_names = places | MEMBERS
    typed = unify(question[:LONGEST])
    member, rest = _named(typed, known_names)
    read = _read(rest, known, lexicon)
    if alike := _alike(read, known, lexicon):
        read = alike
    corrected = read.split() != rest.split()
    found, rest = _named(read, known_names)
    member = member or found
    pages = tuple(pages_of(rest))
    year = None
    if match := YEAR.search(rest):
        year = int(match[1] or 2000 + int(match[2]))
        rest = f"{rest[: match.start()]} {rest[match.end() :]}"
    said = tuple(u for u in units(rest) if u.text not in places) or tuple(units(str(year or "")))
    if corrected:
        read = _read(typed, known, lexicon, set(" ".join(n for n in known_names if n.isascii()).split()))
        read = _alike(read, known, lexicon) or read
    return Asked(read, said, year, member, pages, corrected)


def _named(text: str, names: Mapping[str, tuple[str, str] | None]) -> tuple[tuple[str, str] | None, str]:
    """Return the member of a breakdown that a text names, the longest name first, and the text without all names."""
    member = None
    for name in sorted(names, key=lambda n: (-len(n), n)):
        if name in text if HAN.match(name) else re.search(rf"\b{re.escape(name)}\b", text):
            member = member or names[name]
            text = text.replace(name, " ") if HAN.match(name) else re.sub(rf"\b{re.escape(name)}\b", " ", text)
    return member, text


def _read(text: str, known: Corpus, lexicon: Lexicon, names: AbstractSet[str] = frozenset()) -> str:
    """Return a text with pinyin read as Chinese and misspelt English put right; Latin words of `names` stay."""
    return re.sub(r"[a-z]+(?:\s+[a-z]+)*", lambda m: _read_latin(m[0].split(), known, lexicon, names), text)


def _alike(text: str, known: Corpus, lexicon: Lexicon) -> str | None:
    """Return a text with characters that are no word replaced by a known word of the same sound: 能号 was typed for 能耗.

    None where nothing is so replaced. What a document of the release says is never replaced, and only words of words.toml replace.
    """
    for run in filter(lambda t: HAN.match(t), TOKEN.findall(text)):
        for single, group in groupby(split(run), lambda w: len(w) == 1):
            pieces = "".join(group) if single else ""
            windows = [pieces[i : i + n] for n in range(min(4, len(pieces)), 1, -1) for i in range(len(pieces) - n + 1)]
            for window in windows:
                meant = lexicon.sounds_like(window)
                if all(c in MEANINGS or c in STOP[0] for c in window):
                    continue  # each character is a word
                if meant in MEANINGS and not any(window in d.title or window in d.body for d in known.documents):
                    return text.replace(window, str(meant))
    return None


def _read_latin(words: list[str], known: Corpus, lexicon: Lexicon, names: AbstractSet[str]) -> str:
    """Return Latin words with what is no English of the release read as pinyin, several words at once or one by one, else respelt."""
    out: list[str] = []
    for english, run in groupby(words, lambda w: w in known.english or stem(w) in known.english or w in names):
        group = list(run)
        if english:
            out += group
        elif len(group) > 1 and (together := lexicon.read("".join(group))) and all(len(w) > 1 for w in together):
            out += together
        else:
            for word in group:
                out += lexicon.read(word) or [known.spelt(word) or word]
    return " ".join(out)


def find(index: Path, question: str) -> list[dict[str, Any]]:
    """Return the hits of a question as `answer` does, without names of districts."""
    return answer(index, understand(index, question))


def answer(index: Path, asked: Asked) -> list[dict[str, Any]]:
    """Return the hits of a question, the best first: kind, name, title_zh, title_en, body, address, whole (it has every word that
    counts); MOST at most, of records MOST_RECORDS."""
    known = corpus(index)
    if not asked.units:
        return []
    documents = [*known.documents, *(Document.of(r) for r in _records(index, asked))]
    preferred = "claim" if CHECKED in asked.pages else ""
    weighed = [
        (weight * (PREFERRED if row["kind"] == preferred else 1.0), whole, row)
        for weight, whole, row in known.weigh(asked.units, documents)
        if weight >= LEAST
    ]
    best = sorted(weighed, key=lambda w: (-w[0], w[2]["id"]))
    return [row | {"whole": whole} for _, whole, row in best[:MOST]]


def _records(index: Path, asked: Asked) -> list[dict[str, Any]]:
    """Return the open records that have every word asked for, else those that have the most of its pairs of characters."""
    tokens = TOKEN.findall(asked.text)
    pairs = [t[i : i + 2] for t in tokens if HAN.match(t) for i in range(len(t) - 1)]
    queries = [" AND ".join(map(_phrase, tokens)), " OR ".join(map(_phrase, dict.fromkeys(pairs)))]
    with closing(sqlite3.connect(f"{index.resolve().as_uri()}?immutable=1", uri=True)) as con:
        con.row_factory = sqlite3.Row
        spent = 0

        def tick() -> int:
            nonlocal spent
            spent += 10_000
            return int(spent > STEPS)

        con.set_progress_handler(tick, 10_000)
        try:
            for query in filter(None, queries):
                if found := [dict(r) for r in con.execute(RECORDS, {"query": query, "most": MOST_RECORDS})]:
                    return found
        except sqlite3.OperationalError as e:
            if "interrupted" not in str(e):
                raise
    return []


RECORDS = """
    select d.* from words join documents d on d.id = words.rowid
    where words match :query and kind = 'record' order by bm25(words, 10.0, 1.0), d.id limit :most
"""


def _phrase(word: str) -> str:
    """Return a word as a phrase of FTS5: consecutive characters; a Latin word as a prefix."""
    if HAN.match(word):
        return '"' + " ".join(word) + '"'
    return f'"{word}"*' if len(word) > 2 else f'"{word}"'
