"""Write publish/site/search/pinyin.txt from pypinyin: `python -m tests.site.readings`.

A character has its first reading, and each other one that it has in at least a tenth of the phrases of pypinyin with it: 重 is zhong
and chong. Tones are left out and ü is v, as people type.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from importlib.metadata import version

from publish.site.search.pinyin import TABLE

SHARE = 0.1
HEAD = """# Readings in pinyin without tones (ü is v) and the characters of GB 2312 that have them, one reading a line, from pypinyin {version}
# (MIT License, https://github.com/mozillazg/python-pinyin). Written by tests/site/readings.py.
"""


def plain(reading: str) -> str:
    """Return a reading without its tone: lǜ is lv."""
    decomposed = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(c for c in decomposed if c.isascii() and c.isalpha())


def characters() -> list[str]:
    """Return the characters of GB 2312, in the order of Unicode."""
    codes = (bytes((high, low)) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    return sorted(c for code in codes if (c := code.decode("gb2312", errors="ignore")))


def table() -> str:
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT  # takes a second to load

    used: dict[str, Counter[str]] = defaultdict(Counter)
    for phrase, readings in PHRASES_DICT.items():
        for character, reading in zip(phrase, readings, strict=False):
            used[character][plain(reading[0])] += 1
    of: dict[str, list[str]] = defaultdict(list)
    for character in characters():
        first = plain(PINYIN_DICT[ord(character)].split(",")[0])
        common = {r for r, n in used[character].items() if n >= SHARE * used[character].total()}
        for reading in sorted({first} | common):
            of[reading].append(character)
    return HEAD.format(version=version("pypinyin")) + "".join(f"{r} {''.join(cs)}\n" for r, cs in sorted(of.items()))


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
