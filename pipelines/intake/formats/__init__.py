"""Opens any file as grids of cells, by the format of its content, never by its extension.

Belongs here: sniffing and the limit on one file. Not here: how a format is read (a module each), or what the cells mean. Nothing is executed, no link followed, no entity expanded.
"""

from __future__ import annotations

import contextlib
import re

from pipelines.core import zips
from pipelines.intake.formats import flat, markup, ods, ole, package, pages, signatures, text, xls, xlsb, xlsx, xml2003
from pipelines.intake.sheets import (
    LARGEST_FILE,
    LARGEST_TEXT,
    MARK,
    MARKS,
    Book,
    Grid,
    Refusal,
    broken,
    megabytes,
)

# A workbook behind white space or a mark of byte order, which a script has printed before it.
_BEHIND = re.compile(rb"(?:\xef\xbb\xbf|\s){1,64}(?:PK\x03\x04|" + re.escape(ole.SIGNATURE) + rb")")


def is_archive(data: bytes) -> bool:
    """Whether the bytes are a zip of files, and not one that is a workbook or another document."""
    if data[:4] != b"PK\x03\x04":
        return False
    entries = zips.entries(data)
    return package.kind_of(entries) == "zip" and not signatures.of_members(e.name for e in entries or ())


def open_book(data: bytes) -> Book:
    """Open a workbook or a text file given as bytes. Raises Refusal."""
    if len(data) > LARGEST_FILE:
        rows = text.as_columns(data) if len(data) <= LARGEST_TEXT else None
        if rows is None:
            raise Refusal("too_large", size=megabytes(len(data)), limit=megabytes(LARGEST_FILE))
        return Book([Grid("", rows)], any(mark in data for mark in MARKS))
    if not data or not data[:1000].strip(b"\x00 \r\n\t"):
        if not data.strip(b"\x00 \r\n\t"):
            raise Refusal("empty")
    elif data[:1] in b"\xef \r\n\t" and _BEHIND.match(data):
        return open_book(data.lstrip(b"\xef\xbb\xbf \r\n\t"))
    elif data[:2] == b"PK":
        return _open_package(data)
    elif data.startswith(ole.SIGNATURE):
        if ole.holds(data, "EncryptedPackage"):
            return _open_package(ole.decrypted(data))
        try:
            return xls.open_xls(data)
        except Refusal as e:
            if e.code == "unreadable" and (refusal := signatures.of_ole(data)):
                raise refusal from e
            raise
    elif xls.is_bare(data):
        return xls.open_xls(data)
    elif refusal := signatures.of_bytes(data):
        raise refusal
    return _open_text(data)


def _open_package(data: bytes) -> Book:
    """Open a zip package as a workbook."""
    opened = package.opened(data)
    if opened.kind == "ods":
        return ods.open_ods(opened)
    if opened.kind == "ooxml":
        return (xlsb.open_xlsb if xlsb.WORKBOOK in opened.entries else xlsx.open_xlsx)(opened)
    raise opened.signed() or Refusal("unreadable", "压缩包里没有可读的表格", "a zip that holds no workbook")


def _open_text(data: bytes) -> Book:
    """Open text or markup."""
    decoded = text.decode(data)
    if decoded is None:
        raise Refusal("unreadable", "不是表格文件", "it is neither a workbook nor text")
    content, encoding = decoded
    head = content[:65_536].lstrip("\ufeff \r\n\t").lower()
    if refusal := signatures.of_text(content, head):
        if flat.is_spreadsheet(head):
            with contextlib.suppress(Refusal):  # one that is broken is told what it is
                return flat.open_flat(content)
        raise refusal
    if head.startswith("<"):
        try:
            if xml2003.SPACE in head and "<table" not in head.split("workbook", 1)[0]:
                return xml2003.open_xml(content)
            return pages.open_page(data, content, encoding)
        except markup.MarkupError as e:
            if e.unsafe:
                raise Refusal("unsafe", "文件里带有自定的文档类型（DTD）或异常的表格大小", str(e)) from e
            raise broken(str(e)) from e
    if head.startswith("mime-version:") and "multipart/" in head:
        return pages.open_archive(data)
    if not content.strip():
        raise Refusal("empty")
    return Book([Grid("", text.rows(content))], MARK in content)
