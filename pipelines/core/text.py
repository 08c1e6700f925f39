"""Text folding for comparison: full width to half width, with or without white space and case.

Belongs here: the folding that every stage shares. Not here: words and what they mean (pipelines/intake/values), or the index of
the search (publish/release/search_index.py). Full width to half is Unicode's NFKC (UAX #15).
"""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"[\s\u200b\u2060\ufeff]+")


def half_width(text: str) -> str:
    """Full width to half."""
    return unicodedata.normalize("NFKC", text)


def fold(text: str) -> str:
    """Full width to half, lower case; white space stays."""
    return half_width(text).lower()


def squeeze(text: str) -> str:
    """Full width to half, no white space at all: for words and names, never for a cell with several numbers."""
    if text.isascii():
        return _SPACES.sub("", text) if " " in text or not text.isprintable() else text
    return _SPACES.sub("", half_width(text))


def key(text: str) -> str:
    """Full width to half, no white space, lower case: the lookup key of headers, units and names."""
    return squeeze(text).lower()
