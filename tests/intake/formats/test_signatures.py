"""A file of a format that is not read is refused by its name, once, with what to do."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile

import pytest

from expectations.contract import load_contracts
from pipelines.intake.file_reader import FileReader
from pipelines.intake.formats import is_archive, open_book

READER = FileReader(load_contracts(only=["energy_use"]))
FLAT = '<?xml version="1.0" encoding="UTF-8"?>\n<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" office:mimetype="application/vnd.oasis.opendocument.{}"/>'


def dbf() -> bytes:
    field = b"NAME".ljust(11, b"\0") + b"C" + bytes(4) + b"\x0a" + bytes(15)
    return struct.pack("<4BLHH20x", 3, 126, 11, 27, 1, 65, 11) + field + b"\r" + b" one       \x1a"


def packed(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for n in names:
            z.writestr(n, "x")
    return out.getvalue()


TABLES = {
    "SYLK": b'ID;PWXL;N;E\r\nC;Y1;X1;K"a"\r\nE\r\n',
    "DIF": b'TABLE\r\n0,1\r\n"EXCEL"\r\nVECTORS\r\n0,1\r\n""\r\nDATA\r\n0,0\r\n""\r\n-1,0\r\nEOD\r\n',
    "DBF": dbf(),
    "fods": FLAT.format("text").encode(),
    "UOF": b'<?xml version="1.0"?><uof:UOF xmlns:uof="http://schemas.uof.org/cn/2003/uof"/>',
    "Gnumeric": gzip.compress(b'<?xml version="1.0"?><gnm:Workbook xmlns:gnm="http://www.gnumeric.org/v10.dtd"/>'),
    "JSON": json.dumps([{"单位名称": "甲"}], ensure_ascii=False).encode(),
    "Access": b"\0\1\0\0Standard ACE DB\0" + bytes(100),
    "SQLite": b"SQLite format 3\0" + bytes(100),
    "Numbers": packed("Index/Document.iwa", "Index/Tables/DataList.iwa", "Metadata/Properties.plist", "preview.jpg"),
}
OTHERS = {
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "RTF": b"{\\rtf1\\ansi\\ansicpg936 \\trowd\\cell\\row}",
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(20),
    "Word": packed("[Content_Types].xml", "word/document.xml"),
    "OFD": packed("OFD.xml", "Doc_0/Document.xml"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_format_of_tables_is_named_and_asked_for_as_xlsx(name: str) -> None:
    got = READER.read(TABLES[name], "a.xls")
    assert (got.status, got.reason, len(got.issues)) == ("rejected", "unreadable", 1)
    assert name in got.issues[0].message_zh and name.lower() in got.issues[0].message_en.lower()
    assert "另存为 .xlsx" in got.issues[0].message_zh
    assert not is_archive(TABLES[name])


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_table_is_named_and_the_form_asked_for(name: str) -> None:
    got = READER.read(OTHERS[name], "a.xls")
    assert (got.status, got.reason, len(got.issues)) == ("rejected", "unreadable", 1)
    assert name in got.issues[0].message_zh
    assert "表样" in got.issues[0].message_zh and "另存为" not in got.issues[0].message_zh


@pytest.mark.parametrize(
    "text", ["ID;P号\n1;2\n", "TABLE,1\n0,1\n", "[甲]局,1\n乙,2\n", "MZ,甲\n1,2\n", "it,甲\n1,2\n", "BMW,甲\n1,2\n"]
)
def test_a_text_that_only_begins_alike_is_read(text: str) -> None:
    (grid,) = open_book(text.encode()).grids
    assert len(grid.rows) == 2


def test_a_word_document_is_named_though_a_workbook_is_embedded_in_it() -> None:
    entries = "".join(n.ljust(32, "\0") for n in ("WordDocument", "ObjectPool", "Workbook")).encode("utf-16-le")
    got = READER.read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + entries, "a.doc")
    assert "Word 文档" in got.issues[0].message_zh
    assert "电子表格" in got.issues[0].message_zh


def test_a_zip_of_files_is_an_archive() -> None:
    assert is_archive(packed("一月.xlsx", "说明.docx", "word/说明.txt"))
