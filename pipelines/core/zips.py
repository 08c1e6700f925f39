"""The central directory of a zip file, read cheaply and without trusting it.

Belongs here: the members that a zip claims to have, before any is unpacked. Not here: recognising or reading a workbook.
Python's zipfile makes an object for each entry and costs more than calamine needs for a small workbook.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

_END = b"PK\x05\x06"
_ENTRY = struct.Struct(
    "<4s4xHH8xLLHHH8xL"
)  # signature, flags, method, packed, size, lengths of name/extra/comment, offset
_LOCAL = struct.Struct("<4s22xHH")
_BIG = 0xFFFFFFFF  # in the directory: the number is in the zip64 field


class Entry(NamedTuple):
    """One member as the directory describes it; `packed` and `size` in bytes are claims, not facts."""

    name: str
    method: int
    packed: int
    size: int
    offset: int
    locked: bool


def entries(data: bytes) -> list[Entry] | None:
    """The members of a zip, or None where it has no directory that can be followed (also one of over 65,534 members or
    beyond 4 GB). Sizes are taken from a member's zip64 field where it has one: some writers always write it."""
    end = data.rfind(_END, max(0, len(data) - 65_557))
    if end < 0 or end + 22 > len(data):
        return None
    count, length, start = struct.unpack_from("<HLL", data, end + 10)
    if count == 0xFFFF or start == 0xFFFFFFFF:
        return None
    at = end - length  # where it truly is, even behind bytes put before the zip
    shift = at - start
    out: list[Entry] = []
    unpack, add, make = _ENTRY.unpack_from, out.append, tuple.__new__  # a third faster than Entry(...)
    try:
        for _ in range(count):
            sign, flags, method, packed, size, names, extra, comment, offset = unpack(data, at)
            if sign != b"PK\x01\x02":
                return None
            raw = data[at + 46 : at + 46 + names]
            name = raw.decode("ascii") if raw.isascii() else _name(raw, flags)
            if _BIG in (packed, size, offset):
                size, packed, offset = _zip64(data[at + 46 + names : at + 46 + names + extra], size, packed, offset)
            add(make(Entry, (name, method, packed, size, offset + shift, flags & 1 == 1)))
            at += 46 + names + extra + comment
    except struct.error:
        return None
    return out


def _zip64(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Size, packed size and offset, those of 0xFFFFFFFF from the zip64 field (APPNOTE.TXT 4.5.3: in this order, each only
    where the directory's own is full). Where the field lacks one it stays as it is."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            numbers = struct.iter_unpack("<Q", extra[at + 4 : at + 4 + length // 8 * 8])
            found = [next(numbers, (n,))[0] if n == _BIG else n for n in (size, packed, offset)]
            return found[0], found[1], found[2]
        at += 4 + length
    return size, packed, offset


def read(data: bytes, entry: Entry, limit: int) -> bytes | None:
    """Unpack at most `limit` bytes of a member; None where it cannot be unpacked."""
    if entry.offset < 0 or entry.offset + _LOCAL.size > len(data):
        return None
    sign, names, extra = _LOCAL.unpack_from(data, entry.offset)
    at = entry.offset + 30 + names + extra
    if sign != b"PK\x03\x04" or entry.locked:
        return None
    packed = data[at : at + entry.packed]
    if entry.method == 0:
        return packed[:limit]
    if entry.method != 8:
        return None
    try:
        return zlib.decompressobj(-15).decompress(packed, limit)
    except zlib.error:
        return None


def _name(raw: bytes, flags: int) -> str:
    """Decode a member's name that is not ASCII: as UTF-8 where it is declared or valid, else as GB18030 (Chinese Windows)."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            if flags & 0x800:
                break
    return raw.decode("cp437")
