"""Any file to grids of cells: which format it is (by content, never by its extension), and opening it.

Belongs here: sniffing, the limits on one file, decryption with the password that spreadsheets try by themselves, and the
quirks of each library. Not here: what the cells mean. Nothing is executed, no link followed, no entity expanded.
"""

from __future__ import annotations

import contextlib
import email
import io
import re
import struct
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

from pipelines.intake import zips
from pipelines.intake.formats import by_calamine, markup, package, percents, text
from pipelines.intake.sheets import (
    LARGEST_FILE,
    MARK,
    MARKS,
    Book,
    Format,
    Formats,
    Grid,
    Refusal,
    broken,
    megabytes,
)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF = (
    b"\x09\x08\x10\x00\x00\x06\x05\x00",
    b"\x09\x08\x08\x00\x00\x05",
    b"\x09\x04\x06\x00",
    b"\x09\x02\x06\x00",
    b"\x09\x00\x04\x00",
)
_GARBLED = re.compile(r"[\x00-\x08\x0e-\x1f]")
# An error in a cell of an .xls: a BOOLERR record, or a formula whose value is an error.
_XLS_ERROR = re.compile(
    rb"\x05\x02\x08\x00.{6}[\x00\x07\x0f\x17\x1d\x24\x2a]\x01|\x06\x00.\x00.{6}\x02.[\x00\x07\x0f\x17\x1d\x24\x2a].{3}\xff\xff",
    re.DOTALL,
)
# A row of an .xls that says it is hidden: a ROW record whose flags have bit 5.
_XLS_HIDDEN = re.compile(rb"\x08\x02\x10\x00.{12}[\x20-\x3f\x60-\x7f\xa0-\xbf\xe0-\xff]", re.DOTALL)
# Columns of an .xls that say so: a COLINFO record whose flags have bit 0.
_XLS_NARROW = re.compile(rb"\x7d\x00\x0c\x00.{8}[\x01\x03\x05\x07\x09\x0b\x0d\x0f]", re.DOTALL)
_DEFAULT_PASSWORD = "VelvetSweatshop"  # what Excel itself tries before it asks


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
    elif data[:8] == _OLE:
        return _open_ole(data)
    elif data.startswith(_BIFF):
        return _open_xls(data)
    return _open_text(data)


# ---- OLE2: xls, et, and encrypted packages


def _open_ole(data: bytes) -> Book:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return package.open_package(_decrypted(data))
    return _open_xls(data)


def _open_xls(data: bytes, unlocked: bool = False) -> Book:
    book = Book([], any(m in data for m in MARKS), lambda: b"\x22\x00\x02\x00\x01\x00" in data)
    try:
        book.grids = list(by_calamine.grids(data))
    except Refusal as e:
        # calamine says "cannot detect" of a locked .xls as of a broken one, so ask the other library.
        if not unlocked and (e.code == "encrypted" or _is_encrypted(data)):
            return _open_xls(_decrypted(data), unlocked=True)
        if not data.startswith(_OLE) or "WordDocument".encode("utf-16-le") in data:
            raise
        book.grids = _with_formats(_xlrd(data), data)
        return book
    garbled = any(_GARBLED.search(c) for g in book.grids for r in g.rows for c in r if type(c) is str)
    if garbled or _XLS_ERROR.search(data):
        # calamine 0.9 takes some UTF-16 strings for Latin-1 (a control character in a text gives it away), and gives
        # a cell that holds an error as an empty one.
        with contextlib.suppress(Refusal):
            book.grids = _xlrd(data)
    if _XLS_HIDDEN.search(data) or _XLS_NARROW.search(data):
        for grid, (rows, columns) in zip(book.grids, _xls_hidden(data), strict=False):
            grid.hidden_rows, grid.hidden_columns = rows, columns
    _with_formats(book.grids, data)
    return book


def _with_formats(grids: list[Grid], data: bytes) -> list[Grid]:
    for g in grids:
        g.formats = partial(_xls_formats, data, g.name)
    return grids


def _xls_formats(data: bytes, sheet: str) -> Formats | None:
    places = percents.of_xls(data, sheet)
    return None if places is None else dict.fromkeys(places, Format("%", percent=True))


def _xls_hidden(data: bytes) -> list[tuple[list[int], list[tuple[int, int]]]]:
    """The hidden rows (1-based) and columns (0-based, first and last) of each worksheet of an .xls, in the order of the
    workbook (MS-XLS 2.4.28, 2.4.53, 2.4.221)."""
    stream = data
    if data.startswith(_OLE):
        import olefile  # type: ignore[import-untyped]

        try:
            with olefile.OleFileIO(io.BytesIO(data)) as ole:
                stream = next((ole.openstream(n).read() for n in ("Workbook", "Book") if ole.exists(n)), b"")
        except (OSError, ValueError, IndexError, struct.error):
            return []  # calamine read it; which rows are hidden stays unknown
    begins = [
        int.from_bytes(body[:4], "little") for kind, body in _xls_records(stream, 0) if kind == 0x85 and not body[5:6].strip(b"\0")
    ]  # fmt: skip
    out = []
    for begin in begins:
        rows: list[int] = []
        columns: list[tuple[int, int]] = []
        for kind, body in _xls_records(stream, begin):
            if kind == 0x208 and len(body) >= 16 and body[12] & 0x20:
                rows.append(int.from_bytes(body[:2], "little") + 1)
            elif kind == 0x7D and len(body) >= 10 and body[8] & 1:
                columns.append(struct.unpack_from("<HH", body))
        out.append((rows, columns))
    return out


def _xls_records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records of one substream of an .xls, from its beginning to its end."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + size]
        depth += (kind == 0x809) - (kind == 0x0A)  # BOF and EOF: a chart lies inside its sheet
        if depth <= 0 and kind == 0x0A:
            return
        at += 4 + size


def _is_encrypted(data: bytes) -> bool:
    import msoffcrypto
    from msoffcrypto.exceptions import FileFormatError

    try:
        return bool(msoffcrypto.OfficeFile(io.BytesIO(data)).is_encrypted())
    except (FileFormatError, OSError, ValueError, AttributeError, KeyError, IndexError):
        return False  # not a file that could be encrypted so: whoever reads it next says what is wrong with it


def _decrypted(data: bytes) -> bytes:
    """The file inside, where Excel's default password opens it. Raises Refusal('encrypted') where it does not."""
    import msoffcrypto
    from msoffcrypto.format import xls97

    # It decrypts an .xls through a temporary file, which a reading process may not write; memory does as well.
    xls97.tempfile = SimpleNamespace(TemporaryFile=io.BytesIO)
    out = io.BytesIO()
    try:
        office = msoffcrypto.OfficeFile(io.BytesIO(data))
        office.load_key(password=_DEFAULT_PASSWORD)
        office.decrypt(out)
    except Exception as e:
        raise Refusal("encrypted") from e
    result = out.getvalue()
    if not result or result == data:
        raise Refusal("encrypted")
    if len(result) > LARGEST_FILE:
        raise Refusal("too_large", size=megabytes(len(result)), limit=megabytes(LARGEST_FILE))
    return result


def _xlrd(data: bytes) -> list[Grid]:
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), ignore_workbook_corruption=True)
    except Exception as e:
        raise broken(str(e)) from e
    grids = []
    for sheet in book.sheets():
        rows = [
            [_xlrd_cell(t, v, book.datemode) for t, v in zip(sheet.row_types(r), sheet.row_values(r), strict=True)]
            for r in range(sheet.nrows)
        ]
        merges = [(a, c, b - 1, d - 1) for a, b, c, d in sheet.merged_cells]
        grids.append(Grid(sheet.name, rows, merges=merges, hidden=sheet.visibility != 0))
    return grids


def _xlrd_cell(kind: int, value: Any, datemode: int) -> Any:
    import xlrd

    if kind == xlrd.XL_CELL_DATE:
        try:
            moment = xlrd.xldate.xldate_as_datetime(value, datemode)
        except (ValueError, OverflowError):
            return value
        return moment.date() if moment.time() == moment.min.time() else moment
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(value, "#N/A")
    return value


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
