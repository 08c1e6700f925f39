"""The directory of a zip, read cheaply and without trust.

Belongs here: what a zip says it holds, before anything is unpacked. Not here: which of it is a workbook, or reading one.
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


class Entry(NamedTuple):
    """One member as the directory describes it; `packed` and `size` in bytes are claims, not facts."""

    name: str
    method: int
    packed: int
    size: int
    offset: int
    locked: bool


def entries(data: bytes) -> list[Entry] | None:
    """The members of a zip, or None where it has no directory that can be followed (also zip64)."""
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
            add(make(Entry, (name, method, packed, size, offset + shift, flags & 1 == 1)))
            at += 46 + names + extra + comment
    except struct.error:
        return None
    return out


def read(data: bytes, entry: Entry, limit: int) -> bytes | None:
    """A member's bytes, at most `limit` of them; None where it cannot be unpacked."""
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
    """A member's name that is not ASCII: UTF-8 where it says so or is so; else what Chinese Windows wrote."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            if flags & 0x800:
                break
    return raw.decode("cp437")
