"""Any file to grids of cells: which format it is (by content, never by its extension), and opening it.

Belongs here: sniffing, the limits on one file, decryption with the password that spreadsheets try by themselves, and the
quirks of each library. Not here: what the cells mean. Nothing is executed, no link followed, no entity expanded.
"""

from __future__ import annotations

import contextlib
import email
import html
import io
import re
import struct
import zipfile
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, NoReturn
from xml.parsers import expat

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    XmlError,
    ZipError,
)

from pipelines.intake import zips
from pipelines.intake.formats import markup, percents, text
from pipelines.intake.sheets import (
    FORM_ID,
    FORM_LISTS,
    LARGEST_FILE,
    LARGEST_RATIO,
    LARGEST_UNPACKED,
    MARK,
    MOST_CELLS,
    SMALL_UNPACKED,
    UNPACKS_TOO_FAR,
    Book,
    Format,
    Formats,
    Grid,
    Merge,
    Refusal,
)

_DECLARES = ("文件里带有自定的文档类型（DTD）", markup.DECLARES)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF = (
    b"\x09\x08\x10\x00\x00\x06\x05\x00",
    b"\x09\x08\x08\x00\x00\x05",
    b"\x09\x04\x06\x00",
    b"\x09\x02\x06\x00",
    b"\x09\x00\x04\x00",
)
_GARBLED = re.compile(r"[\x00-\x08\x0e-\x1f]")
_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*>")
_IS_HIDDEN = re.compile(rb"""\bhidden\s*=\s*["'](?:1|true|on)["']""")
_ROW_NUMBER = re.compile(rb"""\br\s*=\s*["'](\d+)["']""")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b[^>]*>")
_ERROR_CELL = re.compile(rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>(.*?)</(?:\w+:)?c>', re.DOTALL)
# A formula that nobody has computed: an export wrote it and no spreadsheet program has opened it since.
_UNCOMPUTED = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>([^<]*)</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_AT = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_VALUE = re.compile(rb"<(?:\w+:)?v>(#[^<]{1,20})</")
# An error in a cell of an .xls: a BOOLERR record, or a formula whose value is an error.
_XLS_ERROR = re.compile(
    rb"\x05\x02\x08\x00.{6}[\x00\x07\x0f\x17\x1d\x24\x2a]\x01|\x06\x00.\x00.{6}\x02.[\x00\x07\x0f\x17\x1d\x24\x2a].{3}\xff\xff",
    re.DOTALL,
)
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
# Hidden rows, 1-based; errors: row and column, 0-based, and text; merged cells, where calamine does not tell them; hidden
# columns, first and last, 0-based.
_Details = tuple[list[int], list[tuple[int, int, str]], list[Merge] | None, list[tuple[int, int]]]
# A row of an .xls that says it is hidden: a ROW record whose flags have bit 5.
_XLS_HIDDEN = re.compile(rb"\x08\x02\x10\x00.{12}[\x20-\x3f\x60-\x7f\xa0-\xbf\xe0-\xff]", re.DOTALL)
# Columns of an .xls that say so: a COLINFO record whose flags have bit 0.
_XLS_NARROW = re.compile(rb"\x7d\x00\x0c\x00.{8}[\x01\x03\x05\x07\x09\x0b\x0d\x0f]", re.DOTALL)
_MARKS = tuple(MARK.encode(e) for e in ("utf-8", "utf-16-le", "gb18030"))
_PROPERTIES = frozenset(["docProps/core.xml", "docProps/custom.xml", "meta.xml"])
_ODS_MORE = re.compile(
    rb'number-(?:rows|columns)-spanned="(?:[2-9]|1\d)|:value-type="error"|table:visibility="(?:collapse|filter)"'
)
_FORM_ID = re.compile(FORM_ID.encode() + rb'"[^>]*>(?:<[^>]*>)?([a-z][a-z0-9_]{0,80})<')
_DEFAULT_PASSWORD = "VelvetSweatshop"  # what Excel itself tries before it asks


def is_archive(data: bytes) -> bool:
    """Whether the bytes are a zip that is not itself a workbook."""
    return data[:4] == b"PK\x03\x04" and _package(zips.entries(data)) == "zip"


def open_book(data: bytes) -> Book:
    """Opens a workbook or a text file given as bytes. Raises Refusal."""
    if len(data) > LARGEST_FILE:
        raise Refusal("too_large", size=_mb(len(data)), limit=_mb(LARGEST_FILE))
    if not data or not data[:1000].strip(b"\x00 \r\n\t"):
        if not data.strip(b"\x00 \r\n\t"):
            raise Refusal("empty")
    elif data[:2] == b"PK":
        return _open_package(data)
    elif data[:8] == _OLE:
        return _open_ole(data)
    elif data.startswith(_BIFF):
        return _open_xls(data)
    return _open_text(data)


# ---- zip packages: xlsx, xlsm, xlsb, ods


def _package(entries: list[zips.Entry] | None) -> str:
    """'ooxml', 'ods', 'zip' or '' for a zip whose directory cannot be read."""
    if entries is None:
        return ""
    names = {e[0] for e in entries}
    if "[Content_Types].xml" in names or any(n.startswith("xl/") for n in names):
        return "ooxml"
    if "content.xml" in names and ("mimetype" in names or "META-INF/manifest.xml" in names):
        return "ods"
    return "zip"


def _open_package(data: bytes) -> Book:
    entries = zips.entries(data)
    if entries is None:
        raise Refusal("unreadable", "压缩结构已损坏", "its zip structure is broken")
    unpacked = sum([e.size for e in entries])
    if unpacked > LARGEST_UNPACKED or (unpacked > SMALL_UNPACKED and unpacked > LARGEST_RATIO * len(data)):
        raise Refusal("unsafe", *UNPACKS_TOO_FAR)
    kind = _package(entries)
    if kind == "zip":
        raise Refusal("unreadable", "压缩包里没有可读的表格", "a zip that holds no workbook")
    book = Book([])
    sheets: list[zips.Entry] = []
    content: zips.Entry | None = None
    for e in entries:
        name = e.name
        if name.startswith("xl/worksheets/") and name.endswith((".xml", ".bin")):
            sheets.append(e)
        elif name in _PROPERTIES:
            properties = zips.read(data, e, 1_000_000) or b""
            book.synthetic |= _MARKS[0] in properties
            if found := _FORM_ID.search(properties):
                book.dataset = found[1].decode()
        elif name in ("xl/workbook.xml", "xl/workbook.bin"):
            book.is_1904 = partial(_says_1904, data, e)
        elif name == "content.xml" and kind == "ods":
            book.is_1904 = partial(_ods_says_1904, data, e)
            content = e
    try:
        book.grids = list(_calamine(data))
    except Refusal as e:
        if e.code != "unreadable":
            raise
        if _has_document_type(data, entries):
            raise Refusal("unsafe", *_DECLARES) from e
        plain = _as_calamine_takes_it(data, entries)
        if plain is None:
            raise
        book.grids = list(_calamine(plain))
    if kind == "ods":
        _ods_details(data, entries, book.grids)
        if content is not None:
            for g in book.grids:
                g.formats = partial(_ods_percents, data, content, g.name)
    else:
        _sheet_details(data, entries, sheets, book.grids)
        for g in book.grids:
            g.formats = partial(_xlsx_percents, data, entries, book.grids, g.name)
    return book


def _xlsx_percents(data: bytes, entries: list[zips.Entry], grids: list[Grid], sheet: str) -> Formats | None:
    plain = [p for p in _sheet_order(data, entries) if p.startswith("xl/worksheets/")]
    part = next((p for g, p in zip(grids, plain, strict=False) if g.name == sheet), "")
    return _percents(percents.of_xlsx(data, entries, part)) if part.endswith(".xml") else None


def _ods_percents(data: bytes, content: zips.Entry, sheet: str) -> Formats | None:
    return _percents(percents.of_ods(zips.read(data, content, LARGEST_UNPACKED) or b"", sheet))


def _percents(places: percents.Places | None) -> Formats | None:
    return None if places is None else dict.fromkeys(places, Format("%", percent=True))


def _says_1904(data: bytes, workbook: zips.Entry) -> bool:
    if workbook.name.endswith(".bin"):
        found = (body for kind, body in _records(zips.read(data, workbook, 1_000_000) or b"") if kind == 153)
        return bool(next(found, b"\0")[0] & 1)
    return bool(re.search(rb'date1904="(?:1|true)"', zips.read(data, workbook, 1_000_000) or b""))


def _ods_says_1904(data: bytes, content: zips.Entry) -> bool:
    found = re.search(rb"<table:null-date\b[^>]*>", zips.read(data, content, LARGEST_UNPACKED) or b"")
    return bool(found and b'date-value="1904-01-01"' in found[0])


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The records of a part of an .xlsb: their numbers and bodies (MS-XLSB 2.1.4)."""
    at, end = 0, len(data)
    while at < end:
        kind = data[at]
        at += 1
        if kind & 0x80 and at < end:
            kind = (kind & 0x7F) | (data[at] & 0x7F) << 7
            at += 1
        size = shift = 0
        while at < end and shift < 28:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield kind, data[at : at + size]
        at += size


def _binary_details(data: bytes) -> _Details:
    """What calamine does not tell of a sheet of an .xlsb: BrtRowHdr (0), BrtCellError (3), BrtFmlaError (11), BrtColInfo (60),
    BrtMergeCell (176)."""
    hidden: list[int] = []
    errors: list[tuple[int, int, str]] = []
    merges: list[Merge] = []
    narrow: list[tuple[int, int]] = []
    row = 0
    for kind, body in _records(data):
        if kind == 0 and len(body) >= 12:
            row = int.from_bytes(body[:4], "little")
            if body[11] & 0x10:
                hidden.append(row + 1)
        elif kind in (3, 11) and len(body) >= 9:
            errors.append((row, int.from_bytes(body[:4], "little"), _ERRORS.get(body[8], "#N/A")))
        elif kind == 176 and len(body) >= 16 and len(merges) < 100_000:
            first, last, left, right = struct.unpack_from("<4L", body)
            merges.append((first, left, last, right))
        elif kind == 60 and len(body) >= 18 and body[16] & 1:
            narrow.append(struct.unpack_from("<2L", body))
    return hidden, errors, merges, narrow


def _has_document_type(data: bytes, entries: list[zips.Entry]) -> bool:
    # A member in UTF-16 or EBCDIC hides its <!DOCTYPE from a search for ASCII.
    wanted = tuple("<!DOCTYPE".encode(e) for e in ("ascii", "utf-16-le", "utf-16-be", "cp037"))
    for e in entries:
        if e.name.endswith((".xml", ".rels")):
            head = zips.read(data, e, 100_000) or b""
            if any(w in head for w in wanted):
                return True
    return False


def _as_calamine_takes_it(data: bytes, entries: list[zips.Entry]) -> bytes | None:
    """The workbook without its sheets of Excel 4.0 macros and with its parts in UTF-8: calamine refuses the whole for a
    sheet of macros or a part in UTF-16. None where neither is the matter."""
    wide = {e.name for e in entries if (zips.read(data, e, 2) or b"") in (b"\xfe\xff", b"\xff\xfe")}
    if not wide and not any(e.name.startswith("xl/macrosheets/") for e in entries):
        return None
    order = _sheet_order(data, entries)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        for e in entries:
            if e.name.startswith("xl/macrosheets/"):
                continue
            part = zips.read(data, e, LARGEST_UNPACKED) or b""
            if e.name in wide:
                part = re.sub(
                    r'encoding="[^"]*"', 'encoding="UTF-8"', part.decode("utf-16", "replace"), count=1
                ).encode()
            targets = iter(order)
            if e.name == "xl/workbook.xml":
                part = re.sub(
                    rb"<(?:\w+:)?sheet [^>]*?/>",
                    lambda m, t=targets: b"" if next(t, "").startswith("xl/macrosheets/") else m[0],  # type: ignore[misc]
                    part,
                )
            elif e.name == "xl/workbook.bin":
                part = b"".join(
                    _record(kind, body)
                    for kind, body in _records(part)
                    if kind != 156 or not next(targets, "").startswith("xl/macrosheets/")
                )
            z.writestr(e.name, part)
    return out.getvalue()


def _record(kind: int, body: bytes) -> bytes:
    """A record of an .xlsb as it is written: its number and length in sevens of bits."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(body)
    length = bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
    while size > 0x7F:
        size >>= 7
        length += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
    return head + length + body


def _sheet_details(data: bytes, entries: list[zips.Entry], sheets: list[zips.Entry], grids: list[Grid]) -> None:
    """What calamine does not tell of an xlsx or xlsb: hidden rows, and cells that hold an error or a formula that was never
    computed (it gives them as empty)."""
    found: dict[str, _Details] = {}
    for e in sheets:
        part = zips.read(data, e, LARGEST_UNPACKED) or b""
        details = _binary_details(part) if e.name.endswith(".bin") else _xml_details(part)
        if any(details):
            found[e.name] = details
    if not found:
        return
    # Grids are in the order of the workbook, chart sheets left out; names may hold escapes, so match by place.
    plain = [p for p in _sheet_order(data, entries) if p.startswith("xl/worksheets/")]
    for grid, path in zip(grids, plain, strict=False):
        grid.hidden_rows, errors, merges, grid.hidden_columns = found.get(path, ([], [], None, []))
        grid.merges = grid.merges or merges
        for row, column, message in errors:
            _put(grid, row, column, message)


def _xml_details(xml: bytes) -> _Details:
    rows: list[int] = []
    narrow: list[tuple[int, int]] = []
    errors = []
    if _IS_HIDDEN.search(xml):
        number = 0
        for tag in _ROW.findall(xml):
            at = _ROW_NUMBER.search(tag)
            number = int(at[1]) if at else number + 1  # a row without a number is the next one
            if _IS_HIDDEN.search(tag):
                rows.append(number)
        start = xml.find(b"sheetData")
        for tag in _COLUMN.findall(xml[: start if start >= 0 else 100_000]):
            first, last = (re.search(rb"""\b%s\s*=\s*["'](\d+)["']""" % n, tag) for n in (b"min", b"max"))
            if first and last and _IS_HIDDEN.search(tag):
                narrow.append((int(first[1]) - 1, int(last[1]) - 1))
    if b't="e"' in xml:
        for attributes, inner in _ERROR_CELL.findall(xml):
            value = _VALUE.search(inner)
            if value and (place := _place(attributes)):
                errors.append((*place, value[1].decode("utf-8", "replace")))
    if b"f>" in xml or b"f/>" in xml or b"f />" in xml:
        for attributes, formula in _UNCOMPUTED.findall(xml):
            if place := _place(attributes):
                errors.append((*place, "=" + html.unescape(formula.decode("utf-8", "replace"))[:200]))
    return rows, errors, None, narrow


def _place(attributes: bytes) -> tuple[int, int] | None:
    """Where a cell of an .xlsx is, 0-based, by its attributes; None where they do not tell."""
    at = _AT.search(attributes)
    if not at:
        return None
    column = 0
    for c in at[1]:
        column = column * 26 + c - 64
    return int(at[2]) - 1, column - 1


def _sheet_order(data: bytes, entries: list[zips.Entry]) -> list[str]:
    """The parts that hold the sheets, in the order of the workbook."""
    by_name = {e.name: e for e in entries}
    book, binary, rels = (
        (zips.read(data, by_name[n], 10_000_000) or b"") if n in by_name else b""
        for n in ("xl/workbook.xml", "xl/workbook.bin", "xl/_rels/workbook.xml.rels")
    )
    if binary:
        at = by_name.get("xl/_rels/workbook.bin.rels")
        rels = (zips.read(data, at, 10_000_000) if at else None) or b""
        # BrtBundleSh: state, number, then the length and text of the relation's id.
        ids = [
            b[12 : 12 + 2 * b[8]].decode("utf-16-le", "replace")
            for k, b in _records(binary)
            if k == 156 and len(b) > 12
        ]
    else:
        ids = re.findall(r'<(?:\w+:)?sheet [^>]*?\b\w+:id="([^"]*)"', book.decode("utf-8", "replace"))
    targets = {}
    for tag in re.findall(r"<(?:\w+:)?Relationship [^>]*>", rels.decode("utf-8", "replace")):
        rid, target = re.search(r'\bId="([^"]*)"', tag), re.search(r'\bTarget="([^"]*)"', tag)
        if rid and target:
            path = target[1].lstrip("/")
            targets[rid[1]] = path if path.startswith("xl/") else f"xl/{path}"
    return [targets.get(rid, "") for rid in ids]


def _put(grid: Grid, row: int, column: int, value: str) -> None:
    """Puts a text into an empty cell of the grid; `row` and `column` absolute, 0-based."""
    r, c = row - grid.top, column - grid.left
    if 0 <= r < len(grid.rows) and 0 <= c < len(grid.rows[r]) and grid.rows[r][c] == "":
        grid.rows[r][c] = value


def _ods_details(data: bytes, entries: list[zips.Entry], grids: list[Grid]) -> None:
    """What calamine does not tell of an ods: merged cells, hidden rows and columns, and cells that hold an error (it gives them as
    empty)."""
    content = next((e for e in entries if e.name == "content.xml"), None)
    xml = (zips.read(data, content, LARGEST_UNPACKED) if content else None) or b""
    if not _ODS_MORE.search(xml):
        for g in grids:
            g.merges = []
        return
    tables: list[tuple[list[Merge], list[tuple[int, int, str]], list[int], list[tuple[int, int]]]] = []
    at = {"row": 0, "column": 0, "rows": 1, "declared": 0}
    text: list[str] | None = None

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal text
        tag = name.rpartition(":")[2]
        if name == "table:table":
            tables.append(([], [], [], []))
            at["row"] = at["declared"] = 0
        elif not tables:
            return
        elif name == "table:table-column":
            many = _count(attrs.get("table:number-columns-repeated"))
            if attrs.get("table:visibility") in ("collapse", "filter"):
                tables[-1][3].append((at["declared"], at["declared"] + many - 1))
            at["declared"] += many
        elif name == "table:table-row":
            at["column"], at["rows"] = 0, _count(attrs.get("table:number-rows-repeated"))
            if attrs.get("table:visibility") in ("collapse", "filter") and at["rows"] < 10_000:
                tables[-1][2].extend(range(at["row"] + 1, at["row"] + at["rows"] + 1))
        elif tag in ("table-cell", "covered-table-cell"):
            down = _count(attrs.get("table:number-rows-spanned"))
            across = _count(attrs.get("table:number-columns-spanned"))
            r, c = at["row"], at["column"]
            if (down > 1 or across > 1) and len(tables[-1][0]) < 100_000:
                tables[-1][0].append((r, c, r + down - 1, c + across - 1))
            text = [] if attrs.get("calcext:value-type") == "error" else None
            at["column"] += _count(attrs.get("table:number-columns-repeated"))

    def characters(part: str) -> None:
        if text is not None:
            text.append(part)

    def end(name: str) -> None:
        nonlocal text
        if name == "table:table-row":
            at["row"] += at["rows"]
        elif name == "table:table-cell" and text is not None:
            tables[-1][1].append((at["row"], at["column"] - 1, "".join(text).strip() or "#N/A"))
            text = None

    def refuse() -> NoReturn:
        raise Refusal("unsafe", *_DECLARES)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    markup.refuse_declarations(parser, refuse)
    try:
        parser.Parse(xml, True)
    except expat.ExpatError:
        return  # calamine read it; the merges stay unknown
    for grid, (merges, errors, hidden, narrow) in zip(grids, tables, strict=False):
        grid.merges, grid.hidden_rows, grid.hidden_columns = merges, hidden, narrow
        for r, c, value in errors:
            _put(grid, r, c, value)


def _count(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 1


# ---- OLE2: xls, et, and encrypted packages


def _open_ole(data: bytes) -> Book:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return _open_package(_decrypted(data))
    return _open_xls(data)


def _open_xls(data: bytes, unlocked: bool = False) -> Book:
    book = Book([], any(m in data for m in _MARKS), lambda: b"\x22\x00\x02\x00\x01\x00" in data)
    try:
        book.grids = list(_calamine(data))
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
        g.formats = partial(lambda name: _percents(percents.of_xls(data, name)), g.name)
    return grids


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
        raise Refusal("too_large", size=_mb(len(result)), limit=_mb(LARGEST_FILE))
    return result


def _xlrd(data: bytes) -> list[Grid]:
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), ignore_workbook_corruption=True)
    except Exception as e:
        raise _broken(str(e)) from e
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


# ---- calamine


def _calamine(data: bytes) -> Iterator[Grid]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as e:
        raise Refusal("encrypted") from e
    except (CalamineError, XmlError, ZipError, OSError, ValueError) as e:
        raise _broken(str(e)) from e
    for meta in book.sheets_metadata:
        if meta.typ != SheetTypeEnum.WorkSheet:
            continue
        name = meta.name
        if meta.visible != SheetVisibleEnum.Visible:
            # Not read, but for the id that a form of ours hides there.
            first = _first_cell(book, name) if name == FORM_LISTS else None
            yield Grid(name, [] if first is None else [[first]], hidden=True)
            continue
        try:
            yield _sheet(book.get_sheet_by_name(name))
        except (CalamineError, XmlError, ZipError, OSError, ValueError) as e:
            yield Grid(name, [], refusal=_broken(str(e)))
        except Refusal as e:
            yield Grid(name, [], refusal=e)


def _first_cell(book: CalamineWorkbook, name: str) -> str | None:
    try:
        sheet = book.get_sheet_by_name(name)
        if sheet.start != (0, 0) or sheet.height * sheet.width > 100_000:
            return None
        value = sheet.to_python(nrows=1)[0][0]
    except (CalamineError, XmlError, ZipError, OSError, ValueError, IndexError):
        return None
    return value if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,80}", value) else None


def _sheet(sheet: CalamineSheet) -> Grid:
    start = sheet.start
    if start is None:
        return Grid(sheet.name, [])
    if sheet.height * sheet.width > MOST_CELLS:
        raise Refusal("too_large", size=f"{sheet.height}×{sheet.width} 格", limit=f"{MOST_CELLS:,} 格")
    merges = sheet.merged_cell_ranges
    flat = None if merges is None else [(a, b, c, d) for (a, b), (c, d) in merges]
    return Grid(sheet.name, sheet.to_python(skip_empty_area=True), start[0], start[1], flat)


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
            raise _broken(str(e)) from e
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


def _broken(detail: str) -> Refusal:
    return Refusal(
        "unreadable", "文件结构已损坏或格式不支持", f"broken or of an unknown format: {' '.join(detail.split())[:120]}"
    )


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
