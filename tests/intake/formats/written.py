"""One small sheet, described once and written in each format as the programs write it that use the format.

Belongs here: writing bytes, by public libraries or by hand where those cannot write a thing. Not here: what reading it gives.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

ERRORS = {"#DIV/0!": 7, "#REF!": 23, "#N/A": 42}


@dataclass(frozen=True)
class Shown:
    """A number with its number format."""

    value: float
    code: str


@dataclass(frozen=True)
class Formula:
    """`result` None: the writer leaves it out."""

    text: str
    result: float | str | None


@dataclass(frozen=True)
class Error:
    text: str


@dataclass(frozen=True)
class Rich:
    """Runs of text: plain, 'struck' or 'raised'."""

    runs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sheet:
    """All places are 0-based; `merge` is first row, first column, last row, last column."""

    rows: Sequence[Sequence[Any]]
    merge: tuple[int, int, int, int] | None = None
    hidden_row: int | None = None
    flat_row: int | None = None  # of height 0, without being called hidden
    hidden_column: int | None = None
    hidden_second: bool = False  # a second sheet that is hidden, with the word 藏
    epoch_1904: bool = False
    codes: list[str] = field(default_factory=list)

    def code(self, code: str) -> int:
        """The place of a number format among those of the sheet, from 1 on; 0 is the general one."""
        if code not in self.codes:
            self.codes.append(code)
        return self.codes.index(code) + 1


def _name(row: int, column: int) -> str:
    return f"{'ABCDEFGH'[column]}{row + 1}"


def _held(result: Any) -> Any:
    """A result as spreadsheet programs write it: 0, not 0.0."""
    return int(result) if isinstance(result, float) and result.is_integer() else result


def _zip(parts: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, part in parts.items():
            z.writestr(name, part)
    return out.getvalue()


_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def _relations(*targets: tuple[str, str]) -> str:
    tags = "".join(
        f'<Relationship Id="rId{k}" Type="{_OFFICE}/{t}" Target="{p}"/>' for k, (t, p) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{tags}</Relationships>'


def xlsx(s: Sheet) -> bytes:
    """As Excel writes it, with texts in the cells."""
    marks = {"struck": "<rPr><strike/></rPr>", "raised": '<rPr><vertAlign val="superscript"/></rPr>', "": ""}
    lines = []
    for r, row in enumerate(s.rows):
        cells = []
        for c, v in enumerate(row):
            at = f'r="{_name(r, c)}"'
            if v is None:
                continue
            if isinstance(v, Shown):
                cells.append(f'<c {at} s="{s.code(v.code)}"><v>{v.value}</v></c>')
            elif isinstance(v, Formula):
                held = "" if v.result is None else f"<v>{_held(v.result)}</v>"
                kind = ' t="str"' if isinstance(v.result, str) else ""
                cells.append(f"<c {at}{kind}><f>{escape(v.text)}</f>{held}</c>")
            elif isinstance(v, Error):
                cells.append(f'<c {at} t="e"><v>{v.text}</v></c>')
            elif isinstance(v, Rich):
                runs = "".join(f"<r>{marks[m]}<t>{escape(t)}</t></r>" for t, m in v.runs)
                cells.append(f'<c {at} t="inlineStr"><is>{runs}</is></c>')
            elif isinstance(v, str):
                cells.append(f'<c {at} t="inlineStr"><is><t>{escape(v)}</t></is></c>')
            else:
                cells.append(f"<c {at}><v>{v}</v></c>")
        more = ' hidden="1"' if r == s.hidden_row else ' ht="0" customHeight="1"' if r == s.flat_row else ""
        lines.append(f'<row r="{r + 1}"{more}>{"".join(cells)}</row>')
    n = (s.hidden_column or 0) + 1
    columns = "" if s.hidden_column is None else f'<cols><col min="{n}" max="{n}" width="0" hidden="1"/></cols>'
    merge = (
        f'<mergeCells count="1"><mergeCell ref="{_name(*s.merge[:2])}:{_name(*s.merge[2:])}"/></mergeCells>'
        if s.merge
        else ""
    )
    sheet = f'<worksheet xmlns="{_MAIN}">{columns}<sheetData>{"".join(lines)}</sheetData>{merge}</worksheet>'
    second = f'<worksheet xmlns="{_MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>藏</t></is></c></row></sheetData></worksheet>'
    formats = "".join(f'<numFmt numFmtId="{164 + k}" formatCode="{escape(c)}"/>' for k, c in enumerate(s.codes))
    xfs = "".join(f'<xf numFmtId="{164 + k}"/>' for k in range(len(s.codes)))
    book = (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><workbookPr{" date1904=" + chr(34) + "1" + chr(34) if s.epoch_1904 else ""}/>'
        f'<sheets><sheet name="表" sheetId="1" r:id="rId1"/>{"<sheet name=" + chr(34) + "二" + chr(34) + " sheetId=" + chr(34) + "2" + chr(34) + " state=" + chr(34) + "hidden" + chr(34) + " r:id=" + chr(34) + "rId2" + chr(34) + "/>" if s.hidden_second else ""}</sheets></workbook>'
    )
    return _zip({
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
        "xl/_rels/workbook.xml.rels": _relations(
            ("worksheet", "worksheets/sheet1.xml"), ("worksheet", "worksheets/sheet2.xml"), ("styles", "styles.xml")
        ),
        "xl/workbook.xml": book,
        "xl/worksheets/sheet1.xml": sheet,
        "xl/worksheets/sheet2.xml": second,
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts>{formats}</numFmts><cellXfs><xf numFmtId="0"/>{xfs}</cellXfs></styleSheet>',
    })  # fmt: skip


def _record(kind: int, body: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = len(body), b""
    while size >= 128:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return head + length + bytes([size]) + body


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb(s: Sheet) -> bytes | None:
    """As Excel writes it ([MS-XLSB]); texts with runs stand in its table of strings and are left out here."""
    if any(isinstance(v, Rich) for row in s.rows for v in row):
        return None
    parts = [_record(129), _record(148, struct.pack("<4I", 0, len(s.rows) - 1, 0, max(map(len, s.rows)) - 1))]
    if s.hidden_column is not None:
        info = struct.pack("<4LH", s.hidden_column, s.hidden_column, 2560, 0, 1)
        parts += [_record(390), _record(60, info), _record(391)]
    parts.append(_record(145))
    for r, row in enumerate(s.rows):
        height = 0 if r == s.flat_row else 300
        parts.append(
            _record(
                0,
                struct.pack(
                    "<IIHBBBI2I",
                    r,
                    0,
                    height,
                    0,
                    0x10 if r == s.hidden_row else 0x20 if r == s.flat_row else 0,
                    0,
                    1,
                    0,
                    len(row) - 1,
                ),
            )
        )
        for c, v in enumerate(row):
            at = struct.pack("<II", c, s.code(v.code) if isinstance(v, Shown) else 0)
            product = b"\x44\x01\0\0\0\x01\xc0\x1f\x33\x33\x33\x33\x33\x33\xe3\x3f\x05"  # B2*0.6
            tokens = struct.pack("<I", len(product)) + product + struct.pack("<I", 0)
            if isinstance(v, Error):
                parts.append(_record(3, at + bytes([ERRORS[v.text]])))
            elif isinstance(v, Formula):
                if v.text.startswith("IF"):
                    blank = b"\x17\0\0"  # ""
                    tokens = struct.pack("<I", len(blank)) + blank + struct.pack("<I", 0)
                if isinstance(v.result, float | int):
                    parts.append(_record(9, at + struct.pack("<dH", v.result, 0) + tokens))
                else:
                    parts.append(_record(8, at + _wide(v.result or "") + b"\0\0" + tokens))
            elif isinstance(v, str):
                parts.append(_record(6, at + _wide(v)))
            elif v is not None:
                parts.append(_record(5, at + struct.pack("<d", v.value if isinstance(v, Shown) else v)))
    parts.append(_record(146))
    if s.merge:
        a, left, b, right = s.merge
        parts += [_record(177, struct.pack("<I", 1)), _record(176, struct.pack("<4I", a, b, left, right)), _record(178)]
    parts.append(_record(130))
    sheets = [_record(156, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("表"))]
    if s.hidden_second:
        sheets.append(_record(156, struct.pack("<II", 1, 2) + _wide("rId2") + _wide("二")))
    book = [
        _record(131),
        _record(153, struct.pack("<II", int(s.epoch_1904), 0) + _wide("")),
        _record(143),
        *sheets,
        _record(144),
        _record(132),
    ]
    formats = [_record(44, struct.pack("<H", 164 + k) + _wide(c)) for k, c in enumerate(s.codes)]
    xfs = [
        _record(47, struct.pack("<HHHHHBBHBB", 0, n, 0, 0, 0, 0, 0, 0, 0, 0))
        for n in (0, *range(164, 164 + len(s.codes)))
    ]
    styles = [
        _record(278),
        _record(615, struct.pack("<I", len(formats))),
        *formats,
        _record(616),
        _record(617, struct.pack("<I", len(xfs))),
        *xfs,
        _record(618),
        _record(279),
    ]
    second = [
        _record(129),
        _record(148, bytes(16)),
        _record(145),
        _record(0, struct.pack("<IIHBBBI2I", 0, 0, 300, 0, 0, 0, 1, 0, 0)),
        _record(6, bytes(8) + _wide("藏")),
        _record(146),
        _record(130),
    ]
    return _zip({
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.bin")),
        "xl/_rels/workbook.bin.rels": _relations(
            ("worksheet", "worksheets/sheet1.bin"), ("worksheet", "worksheets/sheet2.bin"), ("styles", "styles.bin")
        ),
        "xl/workbook.bin": b"".join(book),
        "xl/worksheets/sheet1.bin": b"".join(parts),
        "xl/worksheets/sheet2.bin": b"".join(second),
        "xl/styles.bin": b"".join(styles),
    })  # fmt: skip


def xls(s: Sheet) -> bytes:
    """By xlwt, which leaves each formula with an empty text; results are put in its place."""
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = s.epoch_1904
    sheet = book.add_sheet("表")
    fonts = {
        "struck": xlwt.easyfont("struck_out true"),
        "raised": xlwt.easyfont("escapement superscript"),
        "": xlwt.easyfont(""),
    }
    results = []
    for r, row in enumerate(s.rows):
        for c, v in enumerate(row):
            if isinstance(v, Shown):
                sheet.write(r, c, v.value, xlwt.easyxf(num_format_str=v.code))
            elif isinstance(v, Formula):
                sheet.write(r, c, xlwt.Formula(v.text))
                results.append(v.result)
            elif isinstance(v, Error):
                sheet.row(r).set_cell_error(c, v.text)
            elif isinstance(v, Rich):
                sheet.write_rich_text(r, c, [(t, fonts[m]) for t, m in v.runs])
            elif v is not None:
                sheet.write(r, c, v)
    if s.merge:
        a, left, b, right = s.merge
        sheet.merge(a, b, left, right)
    if s.hidden_row is not None:
        sheet.row(s.hidden_row).hidden = True
    if s.flat_row is not None:
        sheet.row(s.flat_row).height_mismatch, sheet.row(s.flat_row).height = True, 0
    if s.hidden_column is not None:
        sheet.col(s.hidden_column).hidden = True
    if s.hidden_second:
        second = book.add_sheet("二")
        second.write(0, 0, "藏")
        second.visibility = 1
    out = io.BytesIO()
    book.save(out)
    data, empty = out.getvalue(), b"\x03\0\0\0\0\0\xff\xff"
    for result in results:
        at = data.index(empty)
        data = (
            data[:at]
            + (struct.pack("<d", result) if isinstance(result, float) else b"\x03\0\0\0\0\1\xff\xff")
            + data[at + 8 :]
        )
    return data.replace(b"\x03\0\0\0\0\1\xff\xff", empty)


def ods(s: Sheet) -> bytes:
    """As LibreOffice writes it."""
    marks = {"struck": "T1", "raised": "T2"}
    kinds = {"0.00%": "percentage"}
    styles = {
        "0.00%": '<number:percentage-style style:name="{n}"><number:number number:decimal-places="2" number:min-integer-digits="1"/><number:text>%</number:text></number:percentage-style>',
        "0.00,": '<number:number-style style:name="{n}"><number:number number:decimal-places="2" number:min-integer-digits="1" number:display-factor="1000"/></number:number-style>',
        '0.00"万元"': '<number:number-style style:name="{n}"><number:number number:decimal-places="2" number:min-integer-digits="1"/><number:text>万元</number:text></number:number-style>',
        "000000": '<number:number-style style:name="{n}"><number:number number:decimal-places="0" number:min-integer-digits="6"/></number:number-style>',
        "yyyy-mm-dd": '<number:date-style style:name="{n}"><number:year number:style="long"/><number:text>-</number:text><number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/></number:date-style>',
    }  # fmt: skip
    lines = []
    for r, row in enumerate(s.rows):
        cells = []
        for c, v in enumerate(row):
            spans = ""
            if s.merge and s.merge[:2] == (r, c):
                spans = f' table:number-rows-spanned="{s.merge[2] - r + 1}" table:number-columns-spanned="{s.merge[3] - c + 1}"'
            elif s.merge and s.merge[0] <= r <= s.merge[2] and s.merge[1] <= c <= s.merge[3]:
                cells.append("<table:covered-table-cell/>")
                continue
            if v is None:
                cells.append(f"<table:table-cell{spans}/>")
            elif isinstance(v, Shown):
                kind = kinds.get(v.code, "float")
                cells.append(
                    f'<table:table-cell table:style-name="c{s.code(v.code)}" office:value-type="{kind}" office:value="{v.value}"><text:p>{v.value}</text:p></table:table-cell>'
                )
            elif isinstance(v, Formula):
                held = (
                    ""
                    if v.result is None
                    else ' office:value-type="string" office:string-value=""'
                    if v.result == ""
                    else f' office:value-type="float" office:value="{_held(v.result)}"'
                )
                cells.append(f'<table:table-cell table:formula="of:={escape(v.text.replace("B2", "[.B2]"))}"{held}/>')
            elif isinstance(v, Error):
                cells.append(
                    f'<table:table-cell table:formula="of:=[.Z99]/0" office:value-type="string" office:string-value="" calcext:value-type="error"><text:p>{v.text}</text:p></table:table-cell>'
                )
            elif isinstance(v, Rich):
                runs = "".join(
                    f'<text:span text:style-name="{marks[m]}">{t}</text:span>' if m else t for t, m in v.runs
                )
                cells.append(f'<table:table-cell office:value-type="string"><text:p>{runs}</text:p></table:table-cell>')
            elif isinstance(v, str):
                cells.append(
                    f'<table:table-cell{spans} office:value-type="string"><text:p>{escape(v)}</text:p></table:table-cell>'
                )
            else:
                cells.append(
                    f'<table:table-cell{spans} office:value-type="float" office:value="{v}"><text:p>{v}</text:p></table:table-cell>'
                )
        more = (
            ' table:visibility="collapse"'
            if r == s.hidden_row
            else ' table:style-name="flat"'
            if r == s.flat_row
            else ""
        )
        lines.append(f"<table:table-row{more}>{''.join(cells)}</table:table-row>")
    columns = "".join(
        f"<table:table-column{' table:visibility=' + chr(34) + 'collapse' + chr(34) if c == s.hidden_column else ''}/>"
        for c in range(max(map(len, s.rows)))
    )
    second = '<table:table table:name="二" table:style-name="hid"><table:table-row><table:table-cell office:value-type="string"><text:p>藏</text:p></table:table-cell></table:table-row></table:table>'
    spaces = " ".join(
        f'xmlns:{p}="urn:oasis:names:tc:opendocument:xmlns:{u}:1.0"'
        for p, u in (
            ("office", "office"),
            ("table", "table"),
            ("text", "text"),
            ("style", "style"),
            ("number", "datastyle"),
            ("fo", "xsl-fo-compatible"),
        )
    )
    formats = "".join(styles[code].format(n=f"N{k}") for k, code in enumerate(s.codes, 1))
    cells_ = "".join(
        f'<style:style style:name="c{k}" style:family="table-cell" style:data-style-name="N{k}"/>'
        for k in range(1, len(s.codes) + 1)
    )
    epoch = (
        '<table:calculation-settings><table:null-date table:date-value="1904-01-01"/></table:calculation-settings>'
        if s.epoch_1904
        else ""
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" office:version="1.2">'
        f'<office:automatic-styles>{formats}{cells_}<style:style style:name="flat" style:family="table-row"><style:table-row-properties style:row-height="0cm"/></style:style>'
        '<style:style style:name="hid" style:family="table"><style:table-properties table:display="false"/></style:style>'
        '<style:style style:name="T1" style:family="text"><style:text-properties style:text-line-through-style="solid"/></style:style>'
        '<style:style style:name="T2" style:family="text"><style:text-properties style:text-position="super 58%"/></style:style></office:automatic-styles>'
        f'<office:body><office:spreadsheet>{epoch}<table:table table:name="表">{columns}{"".join(lines)}</table:table>{second if s.hidden_second else ""}</office:spreadsheet></office:body></office:document-content>'
    )
    return _zip({
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": content,
        "META-INF/manifest.xml": '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
    })  # fmt: skip


def xml2003(s: Sheet) -> bytes:
    """As Excel saves it."""
    space, tags = "urn:schemas-microsoft-com:office:spreadsheet", {"struck": "S", "raised": "Sup"}
    lines = []
    for r, row in enumerate(s.rows):
        cells = []
        for c, v in enumerate(row):
            more = ""
            if s.merge and s.merge[:2] == (r, c):
                more = f' ss:MergeDown="{s.merge[2] - r}" ss:MergeAcross="{s.merge[3] - c}"'
            elif v is None:
                continue
            more = f' ss:Index="{c + 1}"' + more
            if isinstance(v, Shown):
                more += f' ss:StyleID="s{s.code(v.code)}"'
            elif isinstance(v, Formula):
                more += f' ss:Formula="={escape(v.text.replace("B2", "RC[-1]"))}"'
            v = v.value if isinstance(v, Shown) else _held(v.result) if isinstance(v, Formula) else v
            kind = "Error" if isinstance(v, Error) else "String" if isinstance(v, str | Rich) else "Number"
            if isinstance(v, Rich):
                data = "".join(f"<{tags[m]}>{t}</{tags[m]}>" if m else t for t, m in v.runs)
                data = f'<ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40">{data}</ss:Data>'
            else:
                data = "" if v is None else f'<Data ss:Type="{kind}">{v.text if isinstance(v, Error) else v}</Data>'
            cells.append(f"<Cell{more}>{data}</Cell>")
        more = ' ss:Hidden="1"' if r == s.hidden_row else ' ss:Height="0"' if r == s.flat_row else ""
        lines.append(f"<Row{more}>{''.join(cells)}</Row>")
    column = "" if s.hidden_column is None else f'<Column ss:Index="{s.hidden_column + 1}" ss:Hidden="1"/>'
    styles = "".join(
        f'<Style ss:ID="s{k}"><NumberFormat ss:Format="{escape(c)}"/></Style>' for k, c in enumerate(s.codes, 1)
    )
    excel = 'xmlns="urn:schemas-microsoft-com:office:excel"'
    second = f'<Worksheet ss:Name="二"><Table><Row><Cell><Data ss:Type="String">藏</Data></Cell></Row></Table><WorksheetOptions {excel}><Visible>SheetHidden</Visible></WorksheetOptions></Worksheet>'
    return (
        f'<?xml version="1.0"?><Workbook xmlns="{space}" xmlns:ss="{space}">{f"<ExcelWorkbook {excel}><Date1904/></ExcelWorkbook>" if s.epoch_1904 else ""}'
        f'<Styles>{styles}</Styles><Worksheet ss:Name="表"><Table>{column}{"".join(lines)}</Table></Worksheet>{second if s.hidden_second else ""}</Workbook>'
    ).encode()


def page(s: Sheet) -> bytes:
    """As Excel saves a page; of a formula it says the result alone."""
    tags = {"struck": "s", "raised": "sup"}
    lines = []
    for r, row in enumerate(s.rows):
        cells = []
        for c, v in enumerate(row):
            more = ""
            if s.merge and s.merge[:2] == (r, c):
                more = f" rowspan={s.merge[2] - r + 1} colspan={s.merge[3] - c + 1}"
            elif s.merge and s.merge[0] <= r <= s.merge[2] and s.merge[1] <= c <= s.merge[3]:
                continue
            v = v.result if isinstance(v, Formula) else v
            if isinstance(v, Rich):
                text = "".join(f"<{tags[m]}>{t}</{tags[m]}>" if m else t for t, m in v.runs)
            elif isinstance(v, Shown):
                more += f' class=xl{s.code(v.code)} x:num="{v.value}"'
                text = "###"
            elif isinstance(v, Error):
                more += f' x:err="{v.text}"'
                text = v.text
            else:
                text = "" if v is None else str(v)
            cells.append(f"<td{more}>{text}</td>")
        more = " style='display:none'" if r == s.hidden_row else " height=0 style='height:0'" if r == s.flat_row else ""
        lines.append(f"<tr{more}>{''.join(cells)}</tr>")
    columns = "" if s.hidden_column is None else f"<col span={s.hidden_column}><col style='display:none'>"
    quoted = [c.replace('"', "\\0022").replace("%", "\\%") for c in s.codes]
    style = "".join(f'.xl{k} {{mso-number-format:"{c}";}}\n' for k, c in enumerate(quoted, 1))
    island = (
        "<!--[if gte mso 9]><xml><x:ExcelWorkbook><x:Date1904/></x:ExcelWorkbook></xml><![endif]-->"
        if s.epoch_1904
        else ""
    )
    return f"<html><head><meta charset=utf-8><style>{style}</style>{island}</head><table>{columns}{''.join(lines)}</table></html>".encode()


def archive(s: Sheet) -> bytes:
    """As Excel saves a page in one file."""
    hidden = "<xml><x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions></xml><table><tr><td>藏</td></tr></table>"
    parts = [page(s).decode(), hidden] if s.hidden_second else [page(s).decode()]
    head = 'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n'
    return (
        head
        + "".join(
            f"\r\n--b\r\nContent-Location: s{k}.htm\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{p}"
            for k, p in enumerate(parts, 1)
        )
        + "\r\n--b--\r\n"
    ).encode()


def text(s: Sheet) -> bytes | None:
    """Separated text holds what is shown and nothing else."""
    more = (s.merge, s.hidden_row, s.flat_row, s.hidden_column)
    if any(m is not None for m in more) or s.hidden_second or s.epoch_1904:
        return None
    lines = []
    for row in s.rows:
        if any(isinstance(v, Shown | Rich | Formula) for v in row):
            return None
        lines.append(",".join("" if v is None else v.text if isinstance(v, Error) else str(v) for v in row))
    return "\r\n".join(lines).encode()


FORMATS: dict[str, Callable[[Sheet], bytes | None]] = {
    "xlsx": xlsx, "xlsb": xlsb, "xls": xls, "ods": ods, "xml": xml2003, "html": page, "mht": archive, "csv": text,
}  # fmt: skip
