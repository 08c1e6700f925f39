"""Detects files of an inbox that are still being written.

Belongs here: telling a half-copied file from a whole one, by how it looks from one moment to the next and by its end. Not
here: reading a file's meaning (pipelines/intake).
"""

from __future__ import annotations

import csv
import struct
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from pipelines.sources.inbox import InboxFile

PAUSE = 1.0  # seconds for which a file must look the same after its last change
PATIENCE = 600.0  # seconds for which a file that ends in the middle is held to be still on its way
_ZIP, _ZIP_END = b"PK\x03\x04", b"PK\x05\x06"
_NEWEST_ZIP = 63  # the version of the format that a member may need, in tenths (APPNOTE.TXT 4.4.3)
_OLE = b"\xd0\xcf\x11\xe0"
_TAIL = 65_557  # bytes from the end within which a zip has its last record
_DELIMITERS = b",;\t|"


def wait_for(files: Sequence[InboxFile]) -> None:
    """Sleeps until each file has had PAUSE seconds since its last change, so that one that grows shows it. At most PAUSE."""
    ages = [_age(f) for f in files]
    rest = max((PAUSE - a for a in ages if a is not None and a < PAUSE), default=0.0)
    if rest > 0:
        time.sleep(rest)


def is_changing(found: InboxFile) -> bool:
    """Whether a file changed since it was listed, or is gone. To be called after reading it. Raises SourceDown."""
    return found.attributes_now() != found.attributes


def is_cut(found: InboxFile, data: bytes, before: bytes | None) -> bool:
    """Whether a file changed within the last PATIENCE seconds ends in the middle: it is the beginning of what its address
    held before (`before`), a zip without its directory, markup without its last `>`, or a table of text whose last line is
    not ended and has fewer cells than the line above it.

    A file older than that is taken as it is: nothing received may be lost.
    """
    age = _age(found)
    if age is None or age > PATIENCE or not data:
        return False
    if before is not None and len(data) < len(before) and before.startswith(data):
        return True
    if data.startswith(_ZIP):
        return _begins_a_member(data) and _ZIP_END not in data[-_TAIL:]
    if data.startswith(_OLE) or b"\0" in data[:1000]:
        return False
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return not data.rstrip().endswith(b">")
    return not data.endswith((b"\n", b"\r")) and _last_line_is_short(data)


def _begins_a_member(data: bytes) -> bool:
    """Whether a zip's first member has a header that can be: else the file is no cut zip, but none at all."""
    if len(data) < 30:
        return False
    needed, length = struct.unpack_from("<H20xH", data, 4)
    return needed <= _NEWEST_ZIP and 0 < length <= 1_000


def _last_line_is_short(data: bytes) -> bool:
    # Delimiters and quotation marks are the same bytes in each encoding that has none of NUL.
    lines = data[-20_000:].decode("latin-1").splitlines()[-2:]
    if len(lines) < 2:
        return False
    above = lines[0].encode("latin-1")
    delimiter = max(_DELIMITERS, key=above.count)
    if not above.count(delimiter):
        return False
    wide, last = ([len(r) for r in csv.reader([line], delimiter=chr(delimiter))] or [0] for line in lines)
    return last[0] < wide[0]


def _age(found: InboxFile) -> float | None:
    """Seconds since the last change, either way: another machine's clock may be ahead. None where unknown."""
    return None if found.modified is None else abs((datetime.now(UTC) - found.modified).total_seconds())
