"""Zip packages to grids of cells: xlsx, xlsm, xlsb and ods.

Belongs here: the limits on a zip, document types, which part is which sheet. Not here: sniffing, decryption, or what the cells mean.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

from pipelines.core import zips
from pipelines.intake.formats import by_calamine, markup, number_format, ods, signatures, xlsx, zeros
from pipelines.intake.sheets import (
    FORM_ID,
    LARGEST_RATIO,
    LARGEST_UNPACKED,
    MARKS,
    SMALL_UNPACKED,
    UNPACKS_TOO_FAR,
    Book,
    Fault,
    Formats,
    Grid,
    Merge,
    Refusal,
)

_DECLARES = ("文件里带有自定的文档类型（DTD）", markup.DECLARES)

_PROPERTIES = frozenset(["docProps/core.xml", "docProps/custom.xml", "meta.xml"])
_FORM_ID = re.compile(FORM_ID.encode() + rb'"[^>]*>(?:<[^>]*>)?([a-z][a-z0-9_]{0,80})<')
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}


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
    if content is not None:
        styles = next((e for e in entries if e.name == "styles.xml"), None)
        book.grids = ods.read(
            zips.read(data, content, LARGEST_UNPACKED) or b"",
            (zips.read(data, styles, LARGEST_UNPACKED) if styles else None) or b"",
        )
        if not book.grids and (told := signatures.of_members(e.name for e in entries)):
            raise told
        return book
    parts = {e.name: zips.read(data, e, LARGEST_UNPACKED) or b"" for e in sheets}
    if far := [name for name, part in parts.items() if name.endswith(".xml") and xlsx.ends_far(part)]:
        texts = next(
            (zips.read(data, e, LARGEST_UNPACKED) or b"" for e in entries if e.name == "xl/sharedStrings.xml"), b""
        )
        parts |= {name: xlsx.without_blank_tail(parts[name], texts) for name in far}
        data = _with_parts(data, entries, parts)
        entries = zips.entries(data) or []
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
        data, entries = plain, zips.entries(plain) or []
        parts = {e.name: zips.read(data, e, LARGEST_UNPACKED) or b"" for e in entries if e.name in parts}
    _sheet_details(data, entries, parts, book.grids)
    return book


def _with_parts(data: bytes, entries: list[zips.Entry], parts: dict[str, bytes]) -> bytes:
    """The package with other parts in the place of those of these names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        for e in entries:
            z.writestr(e.name, parts[e.name] if e.name in parts else zips.read(data, e, LARGEST_UNPACKED) or b"")
    return out.getvalue()


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


def _binary_details(data: bytes, grid: Grid, texts: Callable[[], list[str]]) -> dict[tuple[int, int], int]:
    """Adds what calamine does not tell of a sheet of an .xlsb: BrtRowHdr (0), errors (3, 11), formulas without a result (8),
    BrtColInfo (60), BrtMergeCell (176), and the short cells (12 to 18), which stand right of the one before. Gives the styles of
    numbers by row and column."""
    merges: list[Merge] = []
    styles: dict[tuple[int, int], int] = {}
    row = column = 0
    for kind, body in _records(data):
        if kind == 0 and len(body) >= 12:
            row, column = int.from_bytes(body[:4], "little"), -1
            if body[11] & 0x10:
                grid.hidden_rows.append(row + 1)
        elif 1 <= kind <= 11 and len(body) >= 8:
            column = int.from_bytes(body[:4], "little")
            if kind in (3, 11) and len(body) >= 9:
                grid.put(row, column, Fault("error", _ERRORS.get(body[8], "#N/A")))
            elif kind in (2, 5, 9):
                styles[row, column] = int.from_bytes(body[4:7], "little")
            elif kind == 8 and body[8:12] == b"\0\0\0\0" and _is_arithmetic(body[18:]):
                grid.put(row, column, Fault("formula", "=…"))
        elif 12 <= kind <= 18 and len(body) >= 4:
            column += 1
            styles[row, column] = int.from_bytes(body[:3], "little")
            value = _short(kind, body[4:], texts)
            if value is not None:
                grid.put(row, column, value)
        elif kind == 176 and len(body) >= 16 and len(merges) < 100_000:
            first, last, left, right = struct.unpack_from("<4L", body)
            merges.append((first, left, last, right))
        elif kind == 60 and len(body) >= 18 and body[16] & 1:
            grid.hidden_columns.append(struct.unpack_from("<2L", body))
    grid.merges = grid.merges or merges
    return styles


def _short(kind: int, body: bytes, texts: Callable[[], list[str]]) -> float | bool | str | Fault | None:
    """The value of a short cell; None for a blank one."""
    if kind == 13 and len(body) >= 4:
        raw = int.from_bytes(body[:4], "little")
        if raw & 2:
            number = float((raw >> 2) - (1 << 30 if raw & 0x80000000 else 0))
        else:
            number = struct.unpack("<d", b"\0\0\0\0" + (raw & 0xFFFFFFFC).to_bytes(4, "little"))[0]
        return number / 100 if raw & 1 else number
    if kind == 14 and body:
        return Fault("error", _ERRORS.get(body[0], "#N/A"))
    if kind == 15 and body:
        return bool(body[0])
    if kind == 16 and len(body) >= 8:
        return float(struct.unpack_from("<d", body)[0])
    if kind == 17 and len(body) >= 4:
        return _wide(body)
    if kind == 18 and len(body) >= 4:
        known, at = texts(), int.from_bytes(body[:4], "little")
        return known[at] if at < len(known) else None
    return None


def _binary_texts(data: bytes, entry: zips.Entry | None) -> list[str]:
    """The shared texts of an .xlsb: BrtSSTItem (19)."""
    part = (zips.read(data, entry, LARGEST_UNPACKED) if entry else None) or b""
    return [_wide(body[1:]) for kind, body in _records(part) if kind == 19]


def _wide(body: bytes) -> str:
    return body[4 : 4 + 2 * int.from_bytes(body[:4], "little")].decode("utf-16-le", "replace")


def _is_arithmetic(tokens: bytes) -> bool:
    """Whether a formula's tokens are numbers, references and + - * / alone, which cannot give the empty text it holds."""
    sizes = {0x1E: 2, 0x1F: 8, 0x24: 6, 0x44: 6, 0x64: 6, 0x25: 12, 0x45: 12, 0x65: 12, 0x19: 3}
    sizes |= dict.fromkeys([3, 4, 5, 6, 7, 0x12, 0x13, 0x14, 0x15], 0)
    at = 0
    while at < len(tokens):
        if tokens[at] not in sizes:
            return False
        at += 1 + sizes[tokens[at]]
    return at > 0


def _binary_formats(
    data: bytes, entry: zips.Entry | None, styles: dict[tuple[int, int], int], grid: Grid
) -> Formats | None:
    """The number formats of an .xlsb: BrtFmt (44), and BrtXF (47) between BrtBeginCellXFs (617) and its end (618)."""
    part = zips.read(data, entry, LARGEST_UNPACKED) if entry else b""
    if part is None:
        return None
    named = dict(number_format.BUILT_IN)
    used: list[int] = []
    inside = False
    for kind, body in _records(part):
        if kind == 44 and len(body) >= 6:
            named[int.from_bytes(body[:2], "little")] = _wide(body[2:])
        elif kind in (617, 618):
            inside = kind == 617
        elif kind == 47 and inside and len(body) >= 4:
            used.append(int.from_bytes(body[2:4], "little"))
    told = {k: named[i] for k, i in enumerate(used) if i in named and number_format.tells(named[i])}
    found = ((at, xlsx.shown(grid, *at, told[k])) for at, k in styles.items() if k in told)
    return {at: f for at, f in found if f}


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


def _sheet_details(data: bytes, entries: list[zips.Entry], parts: dict[str, bytes], grids: list[Grid]) -> None:
    """Adds what calamine does not tell of an xlsx or xlsb: what is hidden, cells without a value (it gives them as empty), runs
    of fonts, number formats. `parts` are those of the sheets, by name."""
    by_name = {e.name: e for e in entries}
    if len(parts) == len(grids) == 1:
        pairs = [(grids[0], next(iter(parts)))]
    else:
        # Grids are in the order of the workbook, chart sheets left out; names may hold escapes, so match by place.
        order = [p for p in _sheet_order(data, entries) if p.startswith("xl/worksheets/")]
        pairs = [(g, p) for g, p in zip(grids, order, strict=False) if p in parts]
    in_xml = [(g, parts[p]) for g, p in pairs if not g.hidden and p.endswith(".xml")]
    for grid, path in pairs:
        if path.endswith(".bin") and not grid.hidden:
            styles = _binary_details(
                parts[path], grid, partial(_binary_texts, data, by_name.get("xl/sharedStrings.bin"))
            )
            grid.formats = partial(_binary_formats, data, by_name.get("xl/styles.bin"), styles, grid)
    if in_xml:
        texts = by_name.get("xl/sharedStrings.xml")
        shared = (zips.read(data, texts, LARGEST_UNPACKED) if texts else None) or b""
        _xml_details(in_xml, shared)
        for grid, xml in in_xml:
            grid.formats = partial(_xlsx_formats, data, by_name.get("xl/styles.xml"), xml, grid)


def _xml_details(sheets: list[tuple[Grid, bytes]], shared: bytes) -> None:
    faults = xlsx.shared_faults(shared) if xlsx.has_runs(shared) else {}
    results = [xlsx.results(xml) for _, xml in sheets]
    constant = any(found for found, _ in results) and not any(other for _, other in results)
    formulas = []
    for (grid, xml), (found, _) in zip(sheets, results, strict=True):
        if not (constant and found) and not xlsx.may_tell(xml, bool(faults)):
            continue
        told = xlsx.details(xml, faults)
        grid.hidden_rows, grid.hidden_columns = told.hidden_rows, told.hidden_columns
        for (row, column), fault in told.faults.items():
            grid.put(row, column, fault)
        formulas.append((grid, told.formulas))
    if constant:
        zeros.doubt(formulas)
    if xlsx.has_surrogates(shared) or any(xlsx.has_surrogates(xml) for _, xml in sheets):
        xlsx.join_surrogates([g for g, _ in sheets])


def _xlsx_formats(data: bytes, styles: zips.Entry | None, xml: bytes, grid: Grid) -> Formats | None:
    part = zips.read(data, styles, LARGEST_UNPACKED) if styles else b""  # no styles: numbers are shown as they are
    told = None if part is None else xlsx.codes(part)
    return xlsx.formats(xml, told, grid) if told else None if told is None else {}


def _sheet_order(data: bytes, entries: list[zips.Entry]) -> list[str]:
    """The parts that hold the sheets, in the order of the workbook."""
    by_name = {e.name: e for e in entries}
    book, binary, rels = (
        (zips.read(data, by_name[n], 10_000_000) or b"") if n in by_name else b""
        for n in ("xl/workbook.xml", "xl/workbook.bin", "xl/_rels/workbook.xml.rels")
    )
    if binary:
        entry = by_name.get("xl/_rels/workbook.bin.rels")
        rels = (zips.read(data, entry, 10_000_000) if entry else None) or b""
        # BrtBundleSh: state, number, then the length and text of the relation's id.
        ids = [
            b[12 : 12 + 2 * b[8]].decode("utf-16-le", "replace")
            for k, b in _records(binary)
            if k == 156 and len(b) > 12
        ]
    else:
        ids = [next((v for k, v in at.items() if k.endswith(":id")), "") for at in xlsx.attributes(book, "sheet")]
    targets = {}
    for at in xlsx.attributes(rels, "Relationship"):
        path = at.get("Target", "").removeprefix("./").lstrip("/")
        targets[at.get("Id", "")] = path if path.startswith("xl/") else f"xl/{path}"
    return [targets.get(rid, "") for rid in ids]
