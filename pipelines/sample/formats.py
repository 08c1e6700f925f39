"""Writes sheets of cells in the formats departments send. Same cells, same bytes, on every machine.

Belongs here: bytes of formats, each with the mark in a document property where the format has one. Not here: what the
cells say (layout.py).
"""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from pipelines.sample import MARK

Cell = str | int | float | dt.date | None
BROKEN = "#REF!"  # what is left of a formula whose cells are gone: an error where a format has errors, else text
WRITTEN = dt.datetime(2021, 1, 1)


@dataclass(slots=True)
class Sheet:
    """A sheet of cells. `merges` are (first row, first column, last row, last column), 0-based, value in the first cell."""

    name: str
    cells: list[list[Cell]]
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: bool = False


def plain(cell: Cell) -> str:
    """A cell as a text file holds it."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)


def xlsx(sheets: list[Sheet]) -> bytes:
    """An Office Open XML workbook."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"title": MARK, "keywords": MARK, "comments": MARK, "created": WRITTEN})
    day = book.add_format({"num_format": "yyyy/m/d"})
    middle = book.add_format({"align": "center"})
    for s in sheets:
        ws = book.add_worksheet(s.name)
        for m in s.merges:
            ws.merge_range(*m, "", middle)
        for r, row in enumerate(s.cells):
            for c, cell in enumerate(row):
                if cell == BROKEN:
                    ws.write_formula(r, c, f"={BROKEN}", None, BROKEN)
                elif isinstance(cell, str):
                    _ = ws.write_string(r, c, cell) if cell else 0
                elif isinstance(cell, dt.date):
                    ws.write_datetime(r, c, dt.datetime(cell.year, cell.month, cell.day), day)
                elif cell is not None:
                    ws.write_number(r, c, cell)
        if s.hidden:
            ws.hide()
    _first_visible(book.worksheets(), sheets)
    book.close()
    return out.getvalue()


def _first_visible(worksheets: list[Worksheet], sheets: list[Sheet]) -> None:
    first = next(w for w, s in zip(worksheets, sheets, strict=True) if not s.hidden)
    first.set_first_sheet()
    first.activate()


def delimited(sheets: list[Sheet], encoding: str) -> bytes:
    """Comma-separated text of the first sheet. `encoding` as Python names it; utf-16 gets a byte order mark."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([plain(c) for c in row] for row in sheets[0].cells)
    text = out.getvalue()
    return b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16" else text.encode(encoding)


def web_page(sheets: list[Sheet]) -> bytes:
    """An HTML page with one table, as web systems hand out under the name .xls."""
    sheet = sheets[0]
    spans, covered = _merged(sheet)
    rows = []
    for r, row in enumerate(sheet.cells):
        cells = []
        for c, cell in enumerate(row):
            if (r, c) in covered:
                continue
            down, across = spans.get((r, c), (1, 1))
            at = (f' rowspan="{down}"' if down > 1 else "") + (f' colspan="{across}"' if across > 1 else "")
            cells.append(f"<td{at}>{html.escape(plain(cell)).replace(chr(10), '<br>')}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = f'<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><meta name="keywords" content="{MARK}">'
    body = "\n".join(rows)
    return f"<html><head>{head}</head><body><table border=1>\n{body}\n</table></body></html>\n".encode()


def xml_2003(sheets: list[Sheet]) -> bytes:
    """An XML Spreadsheet 2003 workbook, mostly named .xls."""
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">\n'
        '<DocumentProperties xmlns="urn:schemas-microsoft-com:office:office">'
        f"<Title>{MARK}</Title><Keywords>{MARK}</Keywords></DocumentProperties>\n"
    ]
    for s in sheets:
        spans, covered = _merged(s)
        parts.append(f'<Worksheet ss:Name="{html.escape(s.name)}"><Table>\n')
        for r, row in enumerate(s.cells):
            parts.append("<Row>")
            skipped = False
            for c, cell in enumerate(row):
                if (r, c) in covered or cell is None or cell == "":
                    skipped = True
                    continue
                down, across = spans.get((r, c), (1, 1))
                at = f' ss:Index="{c + 1}"' if skipped else ""
                at += (f' ss:MergeDown="{down - 1}"' if down > 1 else "") + (
                    f' ss:MergeAcross="{across - 1}"' if across > 1 else ""
                )
                parts.append(f"<Cell{at}>{_xml_data(cell)}</Cell>")
                skipped = across > 1
            parts.append("</Row>\n")
        shown = "<Visible>SheetHidden</Visible>" if s.hidden else ""
        parts.append(
            f'</Table><WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel">{shown}</WorksheetOptions></Worksheet>\n'
        )
    parts.append("</Workbook>\n")
    return "".join(parts).encode()


def _xml_data(cell: Cell) -> str:
    if isinstance(cell, dt.date):
        return f'<Data ss:Type="DateTime">{cell.isoformat()}T00:00:00.000</Data>'
    kind = "Error" if cell == BROKEN else "String" if isinstance(cell, str) else "Number"
    return f'<Data ss:Type="{kind}">{html.escape(plain(cell)).replace(chr(10), "&#10;")}</Data>'


def ods(sheets: list[Sheet]) -> bytes:
    """An OpenDocument spreadsheet: the three parts it needs, nothing else."""
    ns = "urn:oasis:names:tc:opendocument:xmlns:"
    names = " ".join(f'xmlns:{p}="{ns}{p}:1.0"' for p in ("office", "table", "text", "meta", "style"))
    body = []
    for s in sheets:
        hidden = ' table:style-name="hidden"' if s.hidden else ""
        body.append(f'<table:table table:name="{html.escape(s.name)}"{hidden}>')
        spans, covered = _merged(s)
        for r, row in enumerate(s.cells):
            cells = "".join(
                "<table:covered-table-cell/>" if (r, c) in covered else _ods_cell(cell, *spans.get((r, c), (1, 1)))
                for c, cell in enumerate(row)
            )
            body.append(f"<table:table-row>{cells}</table:table-row>")
        body.append("</table:table>")
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names} office:version="1.2">'
        '<office:automatic-styles><style:style style:name="hidden" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
        f"<office:body><office:spreadsheet>{''.join(body)}</office:spreadsheet></office:body></office:document-content>"
    )
    meta = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-meta {names} office:version="1.2">'
        f"<office:meta><meta:keyword>{MARK}</meta:keyword></office:meta></office:document-meta>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    listed = "".join(
        f'<manifest:file-entry manifest:full-path="{p}" manifest:media-type="{m}"/>'
        for p, m in (("/", kind), ("content.xml", "text/xml"), ("meta.xml", "text/xml"))
    )
    manifest = f'<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="{ns}manifest:1.0">{listed}</manifest:manifest>'
    return zipped({"mimetype": kind, "content.xml": content, "meta.xml": meta, "META-INF/manifest.xml": manifest})


def _ods_cell(cell: Cell, down: int, across: int) -> str:
    at = (f' table:number-rows-spanned="{down}"' if down > 1 else "") + (
        f' table:number-columns-spanned="{across}"' if across > 1 else ""
    )
    if cell is None or cell == "":
        return f"<table:table-cell{at}/>"
    if isinstance(cell, dt.date):
        at += f' office:value-type="date" office:date-value="{cell.isoformat()}"'
    elif isinstance(cell, str):
        at += ' office:value-type="string"'
    else:
        at += f' office:value-type="float" office:value="{plain(cell)}"'
    # Spaces at the ends and in rows would be folded by readers of this format; the element says how many there are.
    text = html.escape(plain(cell)).replace(" ", "<text:s/>")
    return f"<table:table-cell{at}>{''.join(f'<text:p>{line}</text:p>' for line in text.split(chr(10)))}</table:table-cell>"


def _merged(sheet: Sheet) -> tuple[dict[tuple[int, int], tuple[int, int]], set[tuple[int, int]]]:
    """Where merged areas begin with how far they reach (rows, columns), and the cells they cover."""
    spans = {(r0, c0): (r1 - r0 + 1, c1 - c0 + 1) for r0, c0, r1, c1 in sheet.merges}
    covered = {
        (r, c)
        for r0, c0, r1, c1 in sheet.merges
        for r in range(r0, r1 + 1)
        for c in range(c0, c1 + 1)
        if (r, c) != (r0, c0)
    }
    return spans, covered


def zipped(members: dict[str, str | bytes]) -> bytes:
    """A zip archive whose entries all carry the same date. The first member is stored, as OpenDocument wants it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for n, (name, data) in enumerate(members.items()):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED if n else zipfile.ZIP_STORED
            z.writestr(info, data)
    return out.getvalue()


FORMATS: dict[str, tuple[str, Callable[[list[Sheet]], bytes]]] = {  # name in truth.json -> extension, writer
    "xlsx": ("xlsx", xlsx),
    "csv-utf8": ("csv", lambda s: delimited(s, "utf-8-sig")),
    "csv-gbk": ("csv", lambda s: delimited(s, "gb18030")),
    "csv-utf16": ("csv", lambda s: delimited(s, "utf-16")),
    "xls-html": ("xls", web_page),
    "xls-xml": ("xls", xml_2003),
    "ods": ("ods", ods),
}
ONE_SHEET = {"csv-utf8", "csv-gbk", "csv-utf16", "xls-html"}  # formats that hold one table and no name for it
