"""Recognises unsupported formats by their first bytes, to name the format and ask for .xlsx.

Belongs here: one entry for each format that spreadsheets, databases and offices write and that is not read. Not here: the words
of the message (messages.py), the formats that are read.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

from pipelines.intake.formats import ole
from pipelines.intake.sheets import Refusal

# What a file begins with -> what it is, in Chinese and in English. The first are tables, the second hold none.
_TABLES: tuple[tuple[bytes, str, str], ...] = (
    (b"\0\1\0\0Standard Jet DB", "Access 数据库（.mdb）", "an Access database (.mdb)"),
    (b"\0\1\0\0Standard ACE DB", "Access 数据库（.accdb）", "an Access database (.accdb)"),
    (b"SQLite format 3\0", "SQLite 数据库", "an SQLite database"),
    (b"PAR1\x15", "Parquet 数据文件", "a Parquet file"),
    (b"\0\0\2\0\6\4", "Lotus 1-2-3 表格（.wk1）", "a Lotus 1-2-3 sheet (.wk1)"),
    (b"\0\0\2\0\4\4", "Lotus 1-2-3 表格（.wks）", "a Lotus 1-2-3 sheet (.wks)"),
    (b"\0\0\x1a\0", "Lotus 1-2-3 表格（.wk3、.123）", "a Lotus 1-2-3 sheet (.wk3, .123)"),
    (b"$FL2@(#)", "SPSS 数据文件（.sav）", "an SPSS file (.sav)"),
    (b"<stata_dta>", "Stata 数据文件（.dta）", "a Stata file (.dta)"),
)
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "PDF 文件", "a PDF file"),
    (b"{\\rtf", "RTF 文档（.rtf）", "an RTF document (.rtf)"),
    (b"\x89PNG\r\n", "PNG 图片", "a PNG image"),
    (b"\xff\xd8\xff", "JPEG 图片", "a JPEG image"),
    (b"GIF89a", "GIF 图片", "a GIF image"),
    (b"II*\0", "TIFF 图片", "a TIFF image"),
    (b"MM\0*", "TIFF 图片", "a TIFF image"),
    (b"GIF87a", "GIF 图片", "a GIF image"),
    (b"MZ\x90\0", "Windows 程序（.exe）", "a Windows program (.exe)"),
)
_PACKED: tuple[tuple[bytes, str, str], ...] = (
    (b"Rar!\x1a\x07", "RAR 压缩包", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z 压缩包", "a 7z archive"),
    (b"BZh91AY&SY", "bzip2 压缩文件", "a file packed by bzip2"),
    (b"\xfd7zXZ\0", "xz 压缩文件", "a file packed by xz"),
)
_GNUMERIC = ("Gnumeric 表格（.gnumeric）", "a Gnumeric workbook (.gnumeric)")
# Entries of an OLE2 container.
_IN_OLE: tuple[tuple[str, str, str], ...] = (
    ("WordDocument", "Word 文档（.doc）", "a Word document (.doc)"),
    ("PowerPoint Document", "PowerPoint 演示文稿（.ppt）", "a PowerPoint presentation (.ppt)"),
    ("__properties_version1.0", "Outlook 邮件（.msg）", "an Outlook message (.msg)"),
    ("VisioDocument", "Visio 图（.vsd）", "a Visio drawing (.vsd)"),
)
# What the text of a file begins with, in small letters and without the declaration of XML.
_TEXTS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"id;p[a-z0-9]*(?:;|\r|\n)"), "SYLK 文件（.slk）", "a SYLK file (.slk)"),
    (re.compile(r"table\r?\n0,1\r?\n"), "DIF 文件（.dif）", "a DIF file (.dif)"),
    (
        re.compile(r"<office:document\b"),
        "平面 OpenDocument 文件（Flat ODF，.fods）",
        "a flat OpenDocument file (.fods)",
    ),
    (re.compile(r"<(?:uof|[^\s<>]{1,20}:uof)\b|<uof:"), "标文通 UOF 文件（.uos、.uof）", "a UOF file (.uos, .uof)"),
    (re.compile(r"<(?:gnm|gmr):workbook\b"), *_GNUMERIC),
    (re.compile(r"[\[{]\s*(?:[\[{\"]|[\]}]\s*$)"), "JSON 数据文件", "a JSON file"),
)
_TEXT_OTHERS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"<(?:pkg:package|w:worddocument)\b"), "Word 文档（XML）", "a Word document in XML"),
    (re.compile(r"<svg\b"), "SVG 图片", "an SVG image"),
    (re.compile(r"<(?:rss|feed|kml|gml|gpx)\b"), "XML 数据文件", "a data file in XML"),
)
_PROLOGUE = re.compile(r"(?:\s*<\?.*?\?>|\s*<!--.*?-->|\s*<!doctype[^>\[]*>)*\s*", re.DOTALL)
_DBF = frozenset(b"\x02\x03\x30\x31\x32\x43\x63\x83\x8b\xcb\xf5\xfb")


def _table(what: tuple[str, str]) -> Refusal:
    return Refusal("unreadable", _spaced(what[0]), what[1], kind="format")


def _other(what: tuple[str, str]) -> Refusal:
    return Refusal("unreadable", _spaced(what[0]), what[1], kind="no_sheet")


def _spaced(zh: str) -> str:
    """With a space before what is not Chinese: 这是 PDF 文件, 这是苹果 Numbers 表格."""
    return f" {zh}" if zh[0].isascii() else zh


def of_bytes(data: bytes) -> Refusal | None:
    """The reason to refuse a file that is neither a package nor a workbook, by its first bytes."""
    for begin, *what in _TABLES:
        if data.startswith(begin):
            return _table((what[0], what[1]))
    for begin, *what in _OTHERS:
        if data.startswith(begin):
            return _other((what[0], what[1]))
    for begin, *what in _PACKED:
        if data.startswith(begin):
            return Refusal(
                "unreadable",
                f"{what[0]}，请解压后报送，或改用 zip 压缩",
                f"{what[1]}; send its files, or pack them as a zip",
            )
    if data.startswith(b"\x1f\x8b"):
        if b":Workbook" in _unzipped(data):
            return _table(_GNUMERIC)
        return Refusal(
            "unreadable",
            "gzip 压缩文件，请解压后报送，或改用 zip 压缩",
            "a file packed by gzip; send it unpacked, or pack it as a zip",
        )
    if data[:1] == b"B" and data[:2] == b"BM" and data[6:10] == b"\0\0\0\0":
        return _other(("BMP 图片", "a BMP image"))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _other(("WebP 图片", "a WebP image"))
    if data[4:8] == b"ftyp":
        return _other(("图片或视频（HEIC、MP4）", "an image or a video (HEIC, MP4)"))
    return _table(("DBF 数据库文件（.dbf）", "a DBF file (.dbf)")) if _is_dbf(data) else None


def of_ole(data: bytes) -> Refusal | None:
    """The kind of an OLE2 container without a workbook, by its entries."""
    return next((_other((zh, en)) for name, zh, en in _IN_OLE if ole.holds(data, name)), None)


def of_text(content: str, head: str) -> Refusal | None:
    """The reason to refuse a text as a table; `head`: its beginning in lower case."""
    if not head or head[0] not in "<it{[":
        return None
    at = _PROLOGUE.match(head)
    root = head[at.end() :] if at else head
    for pattern, zh, en in _TEXTS:
        if pattern.match(root) and (root[0] not in "[{" or content.rstrip()[-1:] in "]}"):
            return _table((zh, en))
    return next((_other((zh, en)) for pattern, zh, en in _TEXT_OTHERS if pattern.match(root)), None)


def of_members(names: Iterable[str]) -> Refusal | None:
    """The reason to refuse a zip that is one document and no archive of files, by the names of its members."""
    found = set(names)
    if (
        "Index/Document.iwa" in found
        or "Index.zip" in found
        or any(n.startswith("Index/") and n.endswith(".iwa") for n in found)
    ):
        if any("Index/Tables/" in n or "CalculationEngine" in n for n in found):
            return _table(("苹果 Numbers 表格（.numbers）", "an Apple Numbers file (.numbers)"))
        return _other(
            ("苹果 iWork 文档（Pages、Keynote 或 Numbers）", "an Apple iWork document (Pages, Keynote or Numbers)")
        )
    if "word/document.xml" in found:
        return _other(("Word 文档（.docx）", "a Word document (.docx)"))
    if "ppt/presentation.xml" in found:
        return _other(("PowerPoint 演示文稿（.pptx）", "a PowerPoint presentation (.pptx)"))
    if "OFD.xml" in found:
        return _other(("OFD 版式文件（.ofd）", "an OFD document (.ofd)"))
    return None


def _unzipped(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(data[:100_000], 4096)
    except zlib.error:
        return b""


def _is_dbf(data: bytes) -> bool:
    """A version, a date, and field descriptors of 32 bytes that end with a carriage return."""
    if len(data) < 65 or data[0] not in _DBF or data[2] > 12 or data[3] > 31:
        return False
    length = int.from_bytes(data[8:10], "little")
    return 65 <= length <= len(data) + 1 and b"\r" in (
        data[length - 1 : length],
        data[length - 264 : length - 263],
        data[length - 2 : length - 1],
    )
