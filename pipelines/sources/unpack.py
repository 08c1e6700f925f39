"""Zip archives and mails: the files in them, each a file of its own, within limits.

Belongs here: walking an archive without writing anything to disk. Not here: reading or keeping what is in it.
"""

from __future__ import annotations

import io
import lzma
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from pipelines.core.filenames import printable
from pipelines.intake.formats import is_archive
from pipelines.intake.sheets import LARGEST_FILE, UNPACKS_TOO_FAR, Refusal
from pipelines.sources.mail import attachments

DEEPEST = 2  # an archive in an archive is opened, one in that is not
MOST_FILES = 1_000
MOST_BYTES = 500_000_000
MOST_RATIO = 100  # unpacked to packed, once more than SMALL came out
SMALL = 1_000_000
_CLUTTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def holds_files(path: Path, name: str) -> bool:
    """Whether the file at `path`, which came as `name`, is a zip of files (and not a workbook, which is a zip too) or a mail."""
    if _is_mail(name):
        return path.stat().st_size <= MOST_BYTES
    with path.open("rb") as f:
        if f.read(4) != b"PK\x03\x04":
            return False
    return path.stat().st_size <= MOST_BYTES and is_archive(path.read_bytes())


def members(path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    """Each file in the archive at `path`, as ('a.zip/b.xlsx', its bytes); archives inside are walked too.

    Raises Refusal (unsafe, too_large, encrypted, unreadable, empty) where the whole archive must not be read; members
    that came before then stand on their own. The attachments of a mail ('x.eml') are its members; it may have none.
    """
    count = 0
    budget = _Budget(path.stat().st_size)
    if _is_mail(name):
        yield from _attached(path.read_bytes(), name, budget)
        return
    for member in _walk(path.read_bytes(), name, 1, budget):
        count += 1
        yield member
    if not count:
        raise Refusal("empty")


class _Budget:
    """What one archive may still unpack to, over all its depths."""

    def __init__(self, packed: int):
        self.packed, self.files, self.unpacked = packed, 0, 0

    def spend(self, size: int, files: int = 0) -> None:
        self.files += files
        self.unpacked += size
        if self.files > MOST_FILES:
            raise Refusal("unsafe", f"压缩包里的文件超过 {MOST_FILES} 个", f"it holds more than {MOST_FILES} files")
        if self.unpacked > MOST_BYTES or (self.unpacked > SMALL and self.unpacked > MOST_RATIO * self.packed):
            raise Refusal("unsafe", *UNPACKS_TOO_FAR)


def _is_mail(name: str) -> bool:
    return name.lower().endswith(".eml")


def _attached(mail: bytes, name: str, budget: _Budget) -> Iterator[tuple[str, bytes]]:
    """Each file attached to a mail; those in a zip that is attached instead of it."""
    for attached, content in attachments(mail):
        budget.spend(len(content), 1)
        inner = f"{name}/{_safe(attached)}"
        if is_archive(content):
            yield from _walk(content, inner, 1, budget)
        else:
            yield inner, content


def _walk(data: bytes, name: str, depth: int, budget: _Budget) -> Iterator[tuple[str, bytes]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except NotImplementedError as e:
        raise _unknown(e) from e
    except (zipfile.BadZipFile, ValueError, OSError) as e:
        raise Refusal("unreadable", "压缩结构已损坏", f"its zip structure is broken: {e}") from e
    infos = [i for i in archive.infolist() if not i.is_dir() and not _is_clutter(i.filename)]
    budget.spend(0, len(infos))
    if sum(i.file_size for i in infos) > MOST_BYTES:
        budget.spend(MOST_BYTES + 1)
    for info in infos:
        if info.flag_bits & 1:
            raise Refusal("encrypted")
        inner = f"{name}/{_safe_name(info)}"
        content = _unpacked(archive, info, budget)
        if is_archive(content):
            if depth >= DEEPEST:
                raise Refusal("unsafe", f"压缩包套了 {DEEPEST} 层以上", f"archives are nested deeper than {DEEPEST}")
            yield from _walk(content, inner, depth + 1, budget)
        else:
            yield inner, content


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget) -> bytes:
    """Unpack a member and count its bytes meanwhile: the size in the directory is not trusted."""
    parts: list[bytes] = []
    size = 0
    try:
        with archive.open(info) as f:
            while part := f.read(1 << 20):
                size += len(part)
                budget.spend(len(part))
                if size > LARGEST_FILE:
                    raise Refusal(
                        "too_large", size=f"> {LARGEST_FILE // 1_000_000} MB", limit=f"{LARGEST_FILE // 1_000_000} MB"
                    )
                parts.append(part)
    except NotImplementedError as e:
        raise _unknown(e) from e
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError) as e:
        raise Refusal("unreadable", "压缩包里有文件已损坏", f"a member cannot be unpacked: {e}") from e
    return b"".join(parts)


def _unknown(e: NotImplementedError) -> Refusal:
    """The archive is whole, but made in a way of which Python's zipfile knows only the name (Deflate64, PPMd, patches)."""
    why = "压缩方式不通用，请用系统自带的“压缩为 zip”重新压缩"
    return Refusal("unreadable", why, f"it is packed in a way few programs know, so pack it again as a plain zip: {e}")


def _safe_name(info: zipfile.ZipInfo) -> str:
    """A member's name as a plain relative path: no root, no drive, no '..'. It only names, nothing is written by it."""
    raw = info.filename
    if not info.flag_bits & 0x800 and not raw.isascii():
        raw = _as_chinese(raw)
    return _safe(raw)


def _safe(raw: str) -> str:
    parts = posixpath.normpath(raw.replace("\\", "/")).split("/")
    kept = [p for p in parts if p not in ("", ".", "..") and not (len(p) == 2 and p[1] == ":")]
    return printable("/".join(kept)) or "unnamed"


def _as_chinese(name: str) -> str:
    """Names without the UTF-8 flag are, from Chinese Windows, GBK; zipfile took them for code page 437."""
    raw = name.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in _CLUTTER
