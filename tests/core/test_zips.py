"""The directory of a zip: sizes are right in each way of writing them."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from expectations.contract import load_contracts
from pipelines.core import zips
from pipelines.intake.file_reader import FileReader
from tests.intake.cases import HEAD, TWO
from tests.intake.make import xlsx

FULL = 0xFFFFFFFF


def with_zip64_fields(data: bytes, full: tuple[bool, bool, bool]) -> bytes:
    """The same zip, its directory naming size, packed size and offset (each where `full`) in zip64 fields, as writers do
    that cannot know beforehand how large a member gets."""
    end = data.rindex(b"PK\x05\x06")
    count, _, start = struct.unpack_from("<HLL", data, end + 10)
    out, at = b"", start
    for _ in range(count):
        head = list(struct.unpack_from("<4s6H3L5H2L", data, at))
        names, extra, comment = head[10], head[11], head[12]
        name = data[at + 46 : at + 46 + names]
        at += 46 + names + extra + comment
        numbers = [head[9], head[8], head[16]]  # size, packed size, offset
        kept = [n for n, f in zip(numbers, full, strict=True) if f]
        field = struct.pack(f"<HH{len(kept)}Q", 1, 8 * len(kept), *kept)
        other = struct.pack("<HH2s", 0x7777, 2, b"zz")  # a field of somebody else's before it
        head[9], head[8], head[16] = (FULL if f else n for n, f in zip(numbers, full, strict=True))
        head[11], head[12] = len(other) + len(field), 0
        out += struct.pack("<4s6H3L5H2L", *head) + name + other + field
    tail = bytearray(data[end : end + 22])
    struct.pack_into("<L", tail, 12, len(out))
    return data[:start] + out + bytes(tail)


@pytest.mark.parametrize("full", [(True, True, True), (True, True, False), (True, False, False), (False, False, True)])
def test_sizes_in_zip64_fields_are_read(full: tuple[bool, bool, bool]) -> None:
    plain = xlsx(("表", [HEAD, *TWO]))
    made = with_zip64_fields(plain, full)
    assert zips.entries(made) == zips.entries(plain)
    with zipfile.ZipFile(io.BytesIO(made)) as z:  # somebody else's word that the zip is right
        assert z.testzip() is None
    reader = FileReader(load_contracts(only=["energy_use"]))
    found, right = reader.read(made, "表.xlsx"), reader.read(plain, "表.xlsx")
    assert found.status == right.status == "accepted"
    assert [s.values for s in found.sheets] == [s.values for s in right.sheets]


def test_a_field_that_is_not_there_or_cut_changes_nothing() -> None:
    made = with_zip64_fields(xlsx(("表", [HEAD, *TWO])), (True, True, True)).replace(
        struct.pack("<HH", 1, 24), struct.pack("<HH", 9, 24)
    )
    assert {e.size for e in zips.entries(made) or ()} == {FULL}
