"""Keeping files, and unpacking archives within limits."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import struct
import zipfile
from pathlib import Path

import pytest

from pipelines.core.home import Home
from pipelines.intake.sheets import Refusal
from pipelines.sources import unpack
from pipelines.sources.archive import ArchiveError, store, where
from pipelines.sources.unpack import holds_files, members
from tests.intake.cases import plain


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in files.items():
            z.writestr(name, data)
    return out.getvalue()


def test_a_file_is_kept_once_by_its_hash_and_for_the_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    file_id = store(home, b"abc")
    path = where(home, file_id)
    assert file_id == hashlib.sha256(b"abc").hexdigest()
    assert path.read_bytes() == b"abc"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    before = path.stat().st_mtime_ns
    source = tmp_path / "again"
    source.write_bytes(b"abc")
    assert store(home, source) == file_id
    assert path.stat().st_mtime_ns == before
    assert [p.name for p in path.parent.iterdir()] == [file_id]


def test_a_full_disk_ends_in_one_sentence_and_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path).create()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)  # the last step that a full disk can stop: by then a part is written
    with pytest.raises(ArchiveError, match="is full; free some space"):
        store(home, b"abc")
    assert not [p for p in home.archive.rglob("*") if p.is_file()]


def test_members_are_files_of_their_own_also_two_deep(tmp_path: Path) -> None:
    book = plain()
    inner = zipped({"c.csv": b"1,2"})
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"b/x.xlsx": book, "d.zip": inner, "__MACOSX/._x": b"", "b/Thumbs.db": b"", "e/": b""}))
    assert holds_files(path, path.name)
    assert dict(members(path, "a.zip")) == {"a.zip/b/x.xlsx": book, "a.zip/d.zip/c.csv": b"1,2"}


def test_a_workbook_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(plain())
    assert not holds_files(path, path.name)


def test_names_never_lead_out_and_chinese_names_are_read(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("../../etc/passwd", b"1")
        z.writestr("/abs/x.csv", b"2")
        z.writestr("C:\\y\\..\\..\\z.csv", b"3")
        z.writestr("报表.csv", b"4")
        info = zipfile.ZipInfo("placeholder.csv")
        z.writestr(info, b"5")
    data = out.getvalue().replace(b"placeholder.csv", "示范局报表1".encode("gbk") + b".csv")
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    names = [n for n, _ in members(path, "a.zip")]
    assert names == ["a.zip/etc/passwd", "a.zip/abs/x.csv", "a.zip/z.csv", "a.zip/报表.csv", "a.zip/示范局报表1.csv"]


def refusal(path: Path) -> str:
    with pytest.raises(Refusal) as e:
        list(members(path, "a.zip"))
    return e.value.code


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.zip"
    monkeypatch.setattr(unpack, "SMALL", 1_000)
    monkeypatch.setattr(unpack, "MOST_RATIO", 10)
    path.write_bytes(zipped({"even.csv": b"0" * 5_000}))
    assert refusal(path) == "unsafe"
    monkeypatch.setattr(unpack, "MOST_FILES", 3)
    path.write_bytes(zipped({f"{i}.csv": b"" for i in range(4)}))
    assert refusal(path) == "unsafe"
    path.write_bytes(zipped({"1.zip": zipped({"2.zip": zipped({"x.csv": b"1"})})}))
    assert refusal(path) == "unsafe"
    path.write_bytes(zipped({"__MACOSX/x": b"1"}))
    assert refusal(path) == "empty"
    path.write_bytes(zipped({"x.csv": os.urandom(3000)}, zipfile.ZIP_STORED)[:-30])
    assert refusal(path) == "unreadable"
    broken = bytearray(zipped({"x.csv": os.urandom(3000)}, zipfile.ZIP_STORED))
    broken[100] ^= 0xFF
    path.write_bytes(broken)
    assert refusal(path) == "unreadable"
    monkeypatch.setattr(unpack, "LARGEST_FILE", 1000)
    path.write_bytes(zipped({"x.csv": os.urandom(3000)}))
    assert refusal(path) == "too_large"
    monkeypatch.setattr(unpack, "MOST_BYTES", 5_000)
    path.write_bytes(zipped({"x.csv": os.urandom(900), **{f"{i}.csv": os.urandom(900) for i in range(6)}}))
    assert refusal(path) == "unsafe"


def test_what_the_directory_claims_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "SMALL", 1_000)
    monkeypatch.setattr(unpack, "MOST_RATIO", 10)
    data = bytearray(zipped({"even.csv": b"0" * 5_000}))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")  # "only 100 bytes"
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with pytest.raises(Refusal):
        list(members(path, "a.zip"))


def test_a_locked_member_is_said_to_be_locked(tmp_path: Path) -> None:
    data = bytearray(zipped({"x.csv": b"123"}))
    for sign, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.rfind(sign) + offset] |= 1
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    assert refusal(path) == "encrypted"


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
def test_a_damaged_member_is_unreadable_whatever_packed_it(tmp_path: Path, method: int) -> None:
    data = zipped({"a.csv": b"1,2,3\n" * 200}, method)
    at = 30 + len("a.csv")  # behind the member's own header
    refused = 0
    for where_ in range(at, data.index(b"PK\x01\x02"), 1 if method else 97):
        path = tmp_path / "damaged.zip"
        path.write_bytes(data[:where_] + bytes([data[where_] ^ 0xFF]) + data[where_ + 1 :])
        try:
            assert [c for _, c in members(path, "a.zip")] == [b"1,2,3\n" * 200]
        except Refusal as e:
            assert e.code == "unreadable", e
            refused += 1
    assert refused > 3


# version needed, method, flags: where each stands in a member's own header and in the directory
@pytest.mark.parametrize(("field", "value"), [((4, 6), 99), ((8, 10), 9), ((6, 8), 0x20)])
def test_an_archive_made_in_an_uncommon_way_says_to_pack_it_again(
    tmp_path: Path, field: tuple[int, int], value: int
) -> None:
    data = bytearray(zipped({"a.csv": b"1,2"}))
    local, central = field
    struct.pack_into("<H", data, local, value)
    struct.pack_into("<H", data, data.index(b"PK\x01\x02") + central, value)
    path = tmp_path / "uncommon.zip"
    path.write_bytes(data)
    with pytest.raises(Refusal) as e:
        list(members(path, "a.zip"))
    assert (
        e.value.code == "unreadable" and "重新压缩" in e.value.fields["why"] and "plain zip" in e.value.fields["why_en"]
    )
