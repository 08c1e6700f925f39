"""Names of files as text that any file, terminal or page can hold.

Belongs here: making a name printable. Not here: opening a file, which is done by the path as the system gave it.
"""

from __future__ import annotations

import os
import re
import urllib.parse

_LONE = re.compile("[\ud800-\udfff]")  # how Python carries a byte of a name that is not UTF-8
# Controls, separators of lines and paragraphs, marks that turn the direction of text, halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(name: str) -> str:
    """Return a file's name without characters that cannot be encoded, break a line or reorder text.

    Bytes that are not UTF-8 are decoded as GB18030, the encoding of Chinese Windows; where that fails too, and for controls, the
    escape takes their place (`\\xb6`, `\\u2028`). Two files of a folder may get the same printable name.
    """
    if _LONE.search(name):
        raw = name.encode("utf-8", "surrogatepass") if _pairs(name) else os.fsencode(name)
        try:
            name = raw.decode("gb18030")
        except UnicodeDecodeError:
            name = raw.decode("utf-8", "backslashreplace")
    return _UNPRINTABLE.sub(lambda m: m[0].encode("unicode_escape").decode("ascii"), name)


def printable_url(url: str) -> str:
    """Percent-encode the bytes of an address that are not UTF-8, so that it can be stored and stays unique."""
    return _LONE.sub(
        lambda m: urllib.parse.quote_from_bytes(
            m[0].encode("utf-8", "surrogateescape" if m[0] >= "\udc80" and m[0] <= "\udcff" else "surrogatepass")
        ),
        url,
    )


def _pairs(name: str) -> bool:
    """Whether a surrogate is there that encodes no byte: from a file system with UTF-16 names, such as SMB's."""
    return any(not "\udc80" <= c <= "\udcff" for c in _LONE.findall(name))
