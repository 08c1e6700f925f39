"""The two languages of the site: the language of an address, and phrases in both.

Belongs here: reading the catalogue of Babel (locale/zh/LC_MESSAGES/mingzhang.po), and `/en/` in an address. Not here: the
phrases. Templates and code have them in English; the catalogue holds the Chinese of each. It is read as it is, so there is
no compiled file that could be stale; tests/site/test_language.py finds a phrase without its Chinese.
"""

from __future__ import annotations

import gettext
import io
import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

Language = Literal["zh", "en"]
Pair = tuple[str, str]  # Chinese, English

LANGUAGES: tuple[Language, ...] = ("zh", "en")
CODES: dict[Language, str] = {"zh": "zh-CN", "en": "en"}  # as HTML has them
CATALOGUE = Path(__file__).parent / "locale" / "zh" / "LC_MESSAGES" / "mingzhang.po"
ENGLISH = re.compile(r"(/r/[^/]+)?/en(?=/|$)")
HAN = re.compile(r"[\u3400-\u9fff]")


@lru_cache
def translations(language: Language) -> gettext.NullTranslations:
    """Return the translations of a language, for Jinja and for `pair`."""
    if language == "en":
        return gettext.NullTranslations()
    with CATALOGUE.open("rb") as f:
        catalogue = read_po(f, locale="zh")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def pair(english: str) -> Pair:
    """Return a phrase in both languages: Chinese, English."""
    return translations("zh").gettext(english), english


def of_path(path: str) -> Language:
    """Return the language of a path: English below `/en/` or `/r/<release_id>/en/`, else Chinese."""
    return "en" if ENGLISH.match(path) else "zh"


def in_language(path: str, language: Language) -> str:
    """Return the path of the same page in a language."""
    found = ENGLISH.match(path)
    if language == "zh":
        return f"{found[1] or ''}{path[found.end() :] or '/'}" if found else path
    if found:
        return path
    release = re.match(r"/r/[^/]+(?=/)", path)
    before = release[0] if release else ""
    return f"{before}/en{path[len(before) :]}"
