"""Any file to grids of cells: which format it is (by content, never by its extension), and opening it.

Belongs here: sniffing, the limits on one file, decryption with the password that spreadsheets try by themselves, and the
quirks of each library. Not here: what the cells mean. Nothing is executed, no link followed, no entity expanded.
"""

from __future__ import annotations

import contextlib
import email
import re

from pipelines.intake import zips
from pipelines.intake.formats import markup, ole, package, text, xls
from pipelines.intake.sheets import (
    LARGEST_FILE,
    MARK,
    Book,
    Grid,
    Refusal,
    broken,
    megabytes,
)


def is_archive(data: bytes) -> bool:
    """Whether the bytes are a zip that is not itself a workbook."""
    return data[:4] == b"PK\x03\x04" and package.kind_of(zips.entries(data)) == "zip"


def open_book(data: bytes) -> Book:
    """Opens a workbook or a text file given as bytes. Raises Refusal."""
    if len(data) > LARGEST_FILE:
        raise Refusal("too_large", size=megabytes(len(data)), limit=megabytes(LARGEST_FILE))
    if not data or not data[:1000].strip(b"\x00 \r\n\t"):
        if not data.strip(b"\x00 \r\n\t"):
            raise Refusal("empty")
    elif data[:2] == b"PK":
        return package.open_package(data)
    elif data.startswith(ole.SIGNATURE):
        if ole.holds(data, "EncryptedPackage"):
            return package.open_package(ole.decrypted(data))
        return xls.open_xls(data)
    elif xls.is_bare(data):
        return xls.open_xls(data)
    return _open_text(data)


# ---- text and markup


def _open_text(data: bytes, inside: bool = False) -> Book:
    """Text or markup; `inside` a page in one file, which may not hold another."""
    decoded = text.decode(data)
    if decoded is None:
        raise Refusal("unreadable", "不是表格文件", "it is neither a workbook nor text")
    content, encoding = decoded
    head = content[:65_536].lstrip("\ufeff \r\n\t").lower()
    if head.startswith("<"):
        try:
            return _open_markup(data, content, encoding, head)
        except markup.MarkupError as e:
            if e.unsafe:
                raise Refusal("unsafe", "文件里带有自定的文档类型（DTD）或异常的表格大小", str(e)) from e
            raise broken(str(e)) from e
    if head.startswith("mime-version:") and "multipart/" in head and not inside:
        return _open_web_archive(data)
    if not content.strip():
        raise Refusal("empty")
    rows = text.rows(content)
    return Book([Grid("", rows)], MARK in content)


def _open_web_archive(data: bytes) -> Book:
    """A page in one file (MHTML, RFC 2557), which spreadsheet programs save too: its tables, whatever parts they are in."""
    book = Book([])
    for part in email.message_from_bytes(data).walk():
        if part.get_content_type() != "text/html":
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and content.strip():
            with contextlib.suppress(Refusal):  # frames and lists of sheets hold no table
                page = _open_text(content, inside=True)
                book.grids += page.grids
                book.synthetic |= page.synthetic
    if not book.grids:
        raise Refusal("unreadable", "网页或标记文件里没有表格", "markup without a table")
    for i, grid in enumerate(book.grids, 1):
        grid.name = str(i) if len(book.grids) > 1 else ""
    return book


def _open_markup(data: bytes, content: str, encoding: str, head: str) -> Book:
    if "urn:schemas-microsoft-com:office:spreadsheet" in head and "<table" not in head.split("workbook", 1)[0]:
        tables = markup.xml2003_tables(data)
        grids = [
            Grid(t.name, [], hidden=True)
            if t.hidden
            else Grid(
                t.name,
                t.rows,
                merges=t.merges,
                hidden_rows=[r + 1 for r in t.hidden_rows],
                hidden_columns=t.hidden_columns,
            )
            for t in tables
        ]
        return Book(grids, MARK in content)
    if re.search(r"<!doctype[^>\[]*\[", head):
        raise markup.MarkupError(markup.DECLARES, unsafe=True)
    named = re.search(r"<meta[^>]*charset=[\"']?([\w-]+)", content[:4096], re.IGNORECASE)
    if named and encoding not in ("utf-8-sig", "utf-16", "utf-32"):
        charset = {"gb2312": "gb18030", "gbk": "gb18030"}.get(named[1].lower(), named[1])
        with contextlib.suppress(LookupError, UnicodeDecodeError):  # it may say what it is not; what was sniffed stands
            content = data.decode(charset)
    tables = markup.html_tables(content)
    if not tables:
        raise Refusal("unreadable", "网页或标记文件里没有表格", "markup without a table")
    many = len(tables) > 1
    return Book(
        [Grid(str(i) if many else "", t.rows, merges=t.merges) for i, t in enumerate(tables, 1)], MARK in content
    )
