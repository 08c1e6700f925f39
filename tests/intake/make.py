"""Small files made for tests: workbooks and texts from rows of cells.

Belongs here: writing bytes. Not here: what is expected of reading them.
"""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Container, Iterable, Sequence
from typing import Any

import xlsxwriter

Rows = Sequence[Sequence[Any]]


def xlsx(
    *sheets: tuple[str, Rows],
    merges: Iterable[str] = (),
    hidden_rows: Iterable[int] = (),
    hidden_sheets: Iterable[str] = (),
    epoch_1904: bool = False,
    keywords: str | None = None,
) -> bytes:
    """A workbook. `merges` like 'A1:C1' and `hidden_rows` (0-based) are of the first sheet; a merge keeps its first cell."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "date_1904": epoch_1904})
    date = book.add_format({"num_format": "yyyy-mm-dd"})
    if keywords:
        book.set_properties({"keywords": keywords})
    for k, (name, rows) in enumerate(sheets):
        sheet = book.add_worksheet(name)
        if name in hidden_sheets:
            sheet.hide()
        for r, row in enumerate(rows):
            for c, v in enumerate(row):
                if v is None or v == "":
                    continue
                if isinstance(v, dt.date):
                    sheet.write_datetime(r, c, dt.datetime(v.year, v.month, v.day), date)
                elif isinstance(v, str) and v.startswith("="):
                    sheet.write_formula(r, c, v, None, "#REF!" if "REF" in v else 0)
                elif isinstance(v, str):
                    sheet.write_string(r, c, v)
                elif isinstance(v, bool):
                    sheet.write_boolean(r, c, v)
                else:
                    sheet.write_number(r, c, v)
        if k == 0:
            for m in merges:
                first = m.split(":")[0]
                row = int("".join(ch for ch in first if ch.isdigit())) - 1
                column = ord(first[0]) - 65
                v = rows[row][column] if column < len(rows[row]) else ""
                sheet.merge_range(m, v)
            for r in hidden_rows:
                sheet.set_row(r, None, None, {"hidden": True})
    book.close()
    return out.getvalue()


def xls(*sheets: tuple[str, Rows], hidden_rows: Iterable[int] = (), epoch_1904: bool = False) -> bytes:
    """An Excel 97-2003 workbook; `hidden_rows` (0-based) are of the first sheet."""
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = epoch_1904
    date = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for name, rows in sheets:
        sheet = book.add_sheet(name)
        for r, row in enumerate(rows):
            for c, v in enumerate(row):
                if v is None or v == "":
                    continue
                if v == "#REF!":
                    sheet.row(r).set_cell_error(c, "#REF!")
                elif isinstance(v, dt.date):
                    sheet.write(r, c, v, date)
                else:
                    sheet.write(r, c, v)
    for r in hidden_rows:
        book.get_sheet(0).row(r).hidden = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(
    *sheets: tuple[str, Rows],
    down: dict[tuple[int, int], int] | None = None,
    hidden_rows: Iterable[int] = (),
    hidden_column: int | None = None,
    percents: Container[tuple[int, int]] = (),
    epoch_1904: bool = False,
) -> bytes:
    """An OpenDocument spreadsheet; `down`: (row, column) -> how many rows that cell is high; `hidden_rows` and
    `hidden_column` 0-based; `percents`: (row, column) of numbers shown as percentages. All are of the first sheet."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import CalculationSettings, CoveredTableCell, NullDate, Table, TableCell, TableColumn, TableRow
    from odf.text import P

    doc = OpenDocumentSpreadsheet()
    if epoch_1904:
        settings = CalculationSettings()
        settings.addElement(NullDate(datevalue="1904-01-01"))
        doc.spreadsheet.addElement(settings)
    for k, (name, rows) in enumerate(sheets):
        table = Table(name=name)
        if k == 0 and hidden_column is not None:
            table.addElement(TableColumn(numbercolumnsrepeated=hidden_column))
            table.addElement(TableColumn(visibility="collapse"))
            table.addElement(TableColumn())
        spans = (down or {}) if k == 0 else {}
        covered = {(r + i, c) for (r, c), n in spans.items() for i in range(1, n)}
        for r, row in enumerate(rows):
            line = TableRow(visibility="collapse") if k == 0 and r in hidden_rows else TableRow()
            for c, v in enumerate(row):
                if (r, c) in covered:
                    line.addElement(CoveredTableCell())
                    continue
                more = {"numberrowsspanned": spans[r, c]} if (r, c) in spans else {}
                if v is None or v == "":
                    cell = TableCell(**more)
                elif isinstance(v, dt.date):
                    cell = TableCell(valuetype="date", datevalue=v.isoformat(), **more)
                elif isinstance(v, (int, float)):
                    kind = "percentage" if k == 0 and (r, c) in percents else "float"
                    cell = TableCell(valuetype=kind, value=v, **more)
                else:
                    cell = TableCell(valuetype="string", **more)
                if v not in (None, ""):
                    cell.addElement(P(text=str(v)))
                line.addElement(cell)
            table.addElement(line)
        doc.spreadsheet.addElement(table)
    out = io.BytesIO()
    doc.write(out)
    return out.getvalue()


def text(rows: Rows, encoding: str = "utf-8", separator: str = ",", end: str = "\r\n", after: str = "") -> bytes:
    """Separated text; `after` comes behind each cell."""

    def cell(v: Any) -> str:
        s = "" if v is None else str(v)
        return ('"' + s.replace('"', '""') + '"' if any(x in s for x in (separator, '"', "\n")) else s) + after

    return end.join(separator.join(cell(v) for v in row) for row in rows).encode(encoding)


def html(rows: Rows, encoding: str = "utf-8", spans: dict[tuple[int, int], tuple[int, int]] | None = None) -> bytes:
    """A page with one table; `spans`: (row, place in its row) -> (columns, rows)."""
    lines = []
    for r, row in enumerate(rows):
        cells = []
        for c, v in enumerate(row):
            across, down = (spans or {}).get((r, c), (1, 1))
            cells.append(f'<td colspan="{across}" rowspan="{down}">{"" if v is None else v}</td>')
        lines.append("<tr>" + "".join(cells) + "</tr>")
    page = f'<html><head><meta charset="{encoding}"></head><body><table>{"".join(lines)}</table></body></html>'
    return page.encode(encoding)


def xml2003(name: str, rows: Rows, extra: str = "") -> bytes:
    """An XML-2003 workbook."""
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    lines = []
    for row in rows:
        cells = []
        for v in row:
            kind = "Number" if isinstance(v, (int, float)) else "String"
            cells.append(f'<Cell><Data ss:Type="{kind}">{"" if v is None else v}</Data></Cell>')
        lines.append("<Row>" + "".join(cells) + "</Row>")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{extra}<Workbook xmlns="{space}" xmlns:ss="{space}">'
        f'<Worksheet ss:Name="{name}"><Table>{"".join(lines)}</Table></Worksheet></Workbook>'
    ).encode()


def xlsb(
    name: str,
    rows: Rows,
    hidden_rows: Iterable[int] = (),
    epoch_1904: bool = False,
    merges: Iterable[tuple[int, int, int, int]] = (),
) -> bytes:
    """A binary workbook (MS-XLSB) of numbers, texts and errors; `hidden_rows` 0-based, `merges` first row, left, last row, right."""
    errors = {"#NULL!": 0, "#DIV/0!": 7, "#VALUE!": 15, "#REF!": 23, "#NAME?": 29, "#NUM!": 36, "#N/A": 42}

    def record(kind: int, body: bytes = b"") -> bytes:
        head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
        size, length = len(body), b""
        while size >= 128:
            length += bytes([size & 0x7F | 0x80])
            size >>= 7
        return head + length + bytes([size]) + body

    def wide(text: str) -> bytes:
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    parts = [record(129), record(148, struct.pack("<4I", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)), record(145)]
    for r, row in enumerate(rows):
        flags = 0x10 if r in hidden_rows else 0
        parts.append(record(0, struct.pack("<IIHBBBI2I", r, 0, 300, 0, flags, 0, 1, 0, len(row) - 1)))
        for c, v in enumerate(row):
            at = struct.pack("<II", c, 0)
            if v in errors:
                parts.append(record(3, at + bytes([errors[v]])))
            elif isinstance(v, str) and v:
                parts.append(record(6, at + wide(v)))
            elif isinstance(v, (int, float)):
                parts.append(record(5, at + struct.pack("<d", v)))
    parts.append(record(146))
    merged = list(merges)
    if merged:
        parts.append(record(177, struct.pack("<I", len(merged))))
        parts += [record(176, struct.pack("<4I", a, c, b, d)) for a, b, c, d in merged]
        parts.append(record(178))
    parts.append(record(130))
    book = [
        record(131),
        record(153, struct.pack("<II", 1 if epoch_1904 else 0, 0) + wide("")),
        record(143),
        record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide(name)),
        record(144),
        record(132),
    ]
    space = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rel = (
        '<Relationships xmlns="{0}/relationships"><Relationship Id="rId1" Type="{1}/{2}" Target="{3}"/></Relationships>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", f'<Types xmlns="{space}/content-types"/>')
        z.writestr("_rels/.rels", rel.format(space, office, "officeDocument", "xl/workbook.bin"))
        z.writestr("xl/_rels/workbook.bin.rels", rel.format(space, office, "worksheet", "worksheets/sheet1.bin"))
        z.writestr("xl/workbook.bin", b"".join(book))
        z.writestr("xl/worksheets/sheet1.bin", b"".join(parts))
    return out.getvalue()
