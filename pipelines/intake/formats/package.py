"""Zip packages to grids of cells: xlsx, xlsm, xlsb and ods.

Belongs here: the limits on a zip, document types, which part is which sheet. Not here: sniffing, decryption, or what the cells mean.
"""

from __future__ import annotations

import html
import io
import re
import struct
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import NoReturn
from xml.parsers import expat

from pipelines.intake import zips
from pipelines.intake.formats import by_calamine, markup, percents, signatures
from pipelines.intake.sheets import (
    FORM_ID,
    LARGEST_RATIO,
    LARGEST_UNPACKED,
    MARKS,
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

_IS_HIDDEN = re.compile(rb"""\bhidden\s*=\s*["'](?:1|true|on)["']""")
_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*>")
_ROW_NUMBER = re.compile(rb"""\br\s*=\s*["'](\d+)["']""")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b[^>]*>")
_ERROR_CELL = re.compile(rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>(.*?)</(?:\w+:)?c>', re.DOTALL)
# A formula that nobody has computed: an export wrote it and no spreadsheet program has opened it since.
_UNCOMPUTED = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>([^<]*)</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_AT = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_VALUE = re.compile(rb"<(?:\w+:)?v>(#[^<]{1,20})</")
_PROPERTIES = frozenset(["docProps/core.xml", "docProps/custom.xml", "meta.xml"])
_ODS_MORE = re.compile(
    rb'number-(?:rows|columns)-spanned="(?:[2-9]|1\d)|:value-type="error"|table:visibility="(?:collapse|filter)"'
)
_FORM_ID = re.compile(FORM_ID.encode() + rb'"[^>]*>(?:<[^>]*>)?([a-z][a-z0-9_]{0,80})<')
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
# Hidden rows, 1-based; errors: row and column, 0-based, and text; merged cells, where calamine does not tell them; hidden
# columns, first and last, 0-based.
_Details = tuple[list[int], list[tuple[int, int, str]], list[Merge] | None, list[tuple[int, int]]]


def kind_of(entries: list[zips.Entry] | None) -> str:
    """'ooxml', 'ods', 'zip' or '' for a zip whose directory cannot be read."""
    if entries is None:
        return ""
    names = {e[0] for e in entries}
    if "[Content_Types].xml" in names or any(n.startswith("xl/") for n in names):
        return "ooxml"
    if "content.xml" in names and ("mimetype" in names or "META-INF/manifest.xml" in names):
        return "ods"
    return "zip"


def open_package(data: bytes) -> Book:
    """Opens a zip that is a workbook. Raises Refusal."""
    entries = zips.entries(data)
    if entries is None:
        raise Refusal("unreadable", "压缩结构已损坏", "its zip structure is broken")
    unpacked = sum([e.size for e in entries])
    if unpacked > LARGEST_UNPACKED or (unpacked > SMALL_UNPACKED and unpacked > LARGEST_RATIO * len(data)):
        raise Refusal("unsafe", *UNPACKS_TOO_FAR)
    kind = kind_of(entries)
    if kind == "zip":
        told = signatures.of_members(e.name for e in entries)
        raise told or Refusal("unreadable", "压缩包里没有可读的表格", "a zip that holds no workbook")
    book = Book([])
    sheets: list[zips.Entry] = []
    content: zips.Entry | None = None
    for e in entries:
        name = e.name
        if name.startswith("xl/worksheets/") and name.endswith((".xml", ".bin")):
            sheets.append(e)
        elif name in _PROPERTIES:
            properties = zips.read(data, e, 1_000_000) or b""
            book.synthetic |= MARKS[0] in properties
            if found := _FORM_ID.search(properties):
                book.dataset = found[1].decode()
        elif name in ("xl/workbook.xml", "xl/workbook.bin"):
            book.is_1904 = partial(_says_1904, data, e)
        elif name == "content.xml" and kind == "ods":
            book.is_1904 = partial(_ods_says_1904, data, e)
            content = e
    try:
        book.grids = list(by_calamine.grids(data))
    except Refusal as e:
        if e.code != "unreadable":
            raise
        if _has_document_type(data, entries):
            raise Refusal("unsafe", *_DECLARES) from e
        if told := signatures.of_members(e.name for e in entries):
            raise told from e
        plain = _as_calamine_takes_it(data, entries)
        if plain is None:
            raise
        book.grids = list(by_calamine.grids(plain))
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
