"""The two languages of the site: the language of an address, and phrases in both.

Belongs here: reading the catalogue of Babel (locale/zh/LC_MESSAGES/mingzhang.po), and the prefix of a language in an address. Not here: the
phrases. Templates and code have them in English; the catalogue holds the Chinese of each. It is read as it is, so there is
no compiled file that could be stale; tests/site/test_language.py finds a phrase without its Chinese.
"""

from __future__ import annotations

import gettext
import io
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

Language = Literal["zh", "en"]
Pair = tuple[str, str]  # Chinese, English

CODES: dict[Language, str] = {"zh": "zh-CN", "en": "en"}  # as HTML has them
CATALOGUE = Path(__file__).parent / "locale" / "zh" / "LC_MESSAGES" / "mingzhang.po"
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


@dataclass(frozen=True)
class Order:
    """The languages of a release's pages, as its city names them: addresses of the first have no prefix, those of the second
    have it as their first part, below `/r/<release_id>` too."""

    first: Language
    second: Language

    @property
    def both(self) -> tuple[Language, Language]:
        """Return both languages in this order."""
        return self.first, self.second

    def prefix(self, language: Language) -> str:
        """Return what comes before the path of a page in a language: nothing, or such as `/en`."""
        return "" if language == self.first else f"/{language}"

    def of_path(self, path: str) -> Language:
        """Return the language of a path."""
        return self.second if self._prefixed(path, self.second) else self.first

    def in_language(self, path: str, language: Language) -> str:
        """Return the path of the same page in a language."""
        found = self._prefixed(path, self.second)
        if language == self.first:
            return _without(path, found)
        if found:
            return path
        release = re.match(r"/r/[^/]+(?=/)", path)
        before = release[0] if release else ""
        return f"{before}/{language}{path[len(before) :]}"

    def superfluous(self, path: str) -> str | None:
        """Return the path of the same page where a path has the prefix of the first language, which needs none; else None."""
        found = self._prefixed(path, self.first)
        return _without(path, found) if found else None

    def root(self, base_url: str) -> str:
        """Return the base_url of a release from that of one of its languages."""
        return base_url.removesuffix(f"{self.second}/")

    def _prefixed(self, path: str, language: Language) -> re.Match[str] | None:
        return re.match(rf"(/r/[^/]+)?/{language}(?=/|$)", path)


def _without(path: str, prefix: re.Match[str] | None) -> str:
    return f"{prefix[1] or ''}{path[prefix.end() :] or '/'}" if prefix else path


# The order of a release that names none: of one made before a city could.
CHINESE_FIRST = Order("zh", "en")
ORDERS = {"zh en": CHINESE_FIRST, "en zh": Order("en", "zh")}
