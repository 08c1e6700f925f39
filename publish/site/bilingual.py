"""Texts of the data in the language of a page: choice, language marks, notes.

Belongs here: texts that a release holds in Chinese, in English or in both. Not here: phrases of the site (language.py) and
names of codes (vocabulary.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from publish.site.language import HAN, Language


def foreign(language: Language, text: Any) -> Any:
    """Mark a text of the data with its language (`lang`) where that differs from the page's."""
    if text is None:
        return ""
    shown = str(text)
    chinese = bool(HAN.search(shown))
    if language == "en" and chinese:
        return Markup('<span lang="zh-CN">{}</span>').format(text)
    if language == "zh" and not chinese and re.search(r"[A-Za-z]{3,}", shown):
        return Markup('<span lang="en">{}</span>').format(text)
    return text


def pick(language: Language, zh: str | None, en: str | None) -> Any:
    """Return the text in the page's language; where it is absent, the other one with its language marked."""
    first, second = (zh, en) if language == "zh" else (en, zh)
    return foreign(language, first or second or "")


def beside(language: Language, zh: str | None, en: str | None) -> Markup:
    """Return a name in the page's language, followed by the other one with its language marked."""
    first, second = (zh, en) if language == "zh" else (en, zh)
    if not first or not second or first == second:
        return Markup("{}").format(foreign(language, first or second or ""))
    other = "en" if language == "zh" else "zh-CN"
    return Markup('{} <span class="beside" lang="{}">{}</span>').format(first, other, second)


def own_half(language: Language, text: str) -> Any:
    """Return the part in the page's language of a text that holds Chinese first and English after it."""
    ends = [m.end() for m in re.finditer(r"[\u3400-\u9fff。；：，）”]", text)]
    zh, en = (text[: ends[-1]], text[ends[-1] :].strip(" /")) if ends else ("", text)
    return pick(language, zh, en) if zh and en else foreign(language, text)


def by_sentence(language: Language, notes: Mapping[Any, str]) -> list[tuple[str, Any]]:
    """Group the notes of years by sentence: (years, sentence); years is "" for a sentence that all of them share."""
    years: dict[str, list[str]] = {}
    for year, note in notes.items():
        half = own_half(language, note)
        whole = isinstance(half, Markup)  # in the other language: kept as one sentence
        for sentence in (
            [half] if whole else re.findall(r"[^。]+。?" if language == "zh" else r".+?\.(?=\s|$)|.+", half)
        ):
            if sentence.strip():
                years.setdefault(sentence.strip(), []).append(str(year))
    comma = "、" if language == "zh" else ", "
    return [("" if len(of) == len(notes) > 1 else comma.join(of), sentence) for sentence, of in years.items()]


def with_factors(text: Any, factors: Iterable[Mapping[str, Any]]) -> Any:
    """Put the value of a factor for its id in a note, linked to its row in the table of factors on the same page."""
    by_id = {str(f["factor_id"]): f for f in factors}
    named = "|".join(re.escape(i) for i in sorted(by_id, key=len, reverse=True))
    if not named:
        return text

    def linked(found: re.Match[str]) -> str:
        f = by_id[found[0]]
        shown = f"{f['value']} {f['metric']}/{f['per_unit']}"
        return str(Markup('<a href="#factor-{}">{}</a>').format(found[0], shown))

    return Markup(re.sub(rf"(?<![\w-])(?:{named})(?![\w-])", linked, str(escape(text))))


def clauses(text: str) -> Markup:
    """Wrap the clauses of a heading, so that lines break between clauses rather than within Chinese words."""
    return Markup("").join(Markup('<span class="clause">{}</span>').format(c) for c in re.findall(r"[^，]+，?", text))


def quoted(language: Language, sentence: str, text: str | None) -> Markup:
    """Return a sentence of the data with the words of a statement marked in it: all of `text` where it stands there, else its number."""
    found = None
    for wanted in (text or "", *re.findall(r"\d[\d.,]*%?", text or "")[:1]):
        if wanted and (found := re.search(rf"(?<![\d.]){re.escape(wanted)}(?!\d)", sentence)):
            break
    if found is None:
        return Markup("{}").format(foreign(language, sentence))
    marked = Markup("{}<mark>{}</mark>{}").format(sentence[: found.start()], found[0], sentence[found.end() :])
    other = bool(HAN.search(sentence)) == (language == "en")
    return (
        Markup('<span lang="{}">{}</span>').format("zh-CN" if language == "en" else "en", marked) if other else marked
    )


def bare_link(link: Markup, text: str) -> Markup:
    """Replace the text of Datasette's link to a row, a key of any length, by a word."""
    return Markup(re.sub(r">[^<]*</a>", lambda _: f">{escape(text)}</a>", str(link)))
