"""Reads separated text: detects encoding and separator, and splits rows into cells.

Belongs here: bytes of a csv, tsv or semicolon file to rows of strings. Not here: markup, or what the rows mean.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from typing import cast

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16 LE, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH_RUNS = re.compile(rb"[\x80-\xff]+")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_HANZI = re.compile(r"[\u3400-\u9fff]")
_MOST_LOST = 0.05  # of the Chinese characters of a file in UTF-8
LARGE = 500_000  # characters; below it, loading Arrow takes longer than it saves
HEAD = 200_000  # bytes that say what a large text is
_PIECE = 1 << 24  # bytes that are decoded at a time
_CELLS = 3  # separators of a line, at least, of a large table
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
# The commonest characters of Chinese writing and of forms, simplified and traditional: a wrong decoding has few of them.
_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定"
    "行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开合还因由其些"
    "然前外天政四日那社义事平形相全表间样与关各重新线内数正心反明看原利比或但质气第向道变条只没结解问意建月公无系情者"
    "最立代想已通并提直题党程展五果料员位入常文总次品式活设及管特件长求基资边流路级少图山统接知较将组见计别手期根论运"
    "农指几九区强放决西被干做必先回则任取据处市县省单名称填报额万元积房车编号日期类型状态合计费油煤热源能机构办局中心"
    "院校馆备注序项目"
    "這個為時來們於對會發動過說產種後學經進著裡實應開還與關線內數變條沒結問無題黨員統組見計別運農區強決處縣單稱報額"
    "萬積車編號類狀態費熱構辦館備項"
)


def decode(data: bytes) -> tuple[str, str] | None:
    """(text, encoding) of bytes that are text, or None where they are not."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding
            except UnicodeDecodeError:
                return data.decode(encoding, "replace"), encoding
    wide = _wide(data)
    if wide:
        try:
            return data.decode(wide), wide
        except UnicodeDecodeError:
            return None
    if data.isascii():
        return _checked(data.decode("ascii"), "ascii")
    try:
        return _checked(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
        if _HANZI.search(text) and text.count("\ufffd") <= 1 + _MOST_LOST * len(_HANZI.findall(text)):
            return _checked(text, "utf-8")  # a few bytes were lost: another encoding has no such runs
    runs = [len(m) for m in _HIGH_RUNS.findall(data[:200_000])]
    chinese = sum(n for n in runs if n > 1) >= 0.6 * sum(runs)
    if chinese:
        best = max((_quality(data, e), e) for e in ("big5", "gb18030"))
        if best[0] > 0.2:
            return _checked(data.decode(best[1], "replace"), best[1])
    return _checked(data.decode("cp1252", "replace"), "cp1252")


def _wide(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: the high bytes of ASCII are zero."""
    head = data[:4000]
    if len(head) < 4 or b"\x00" not in head:
        # Chinese without any ASCII but line ends and separators still has those.
        return None
    zeros = [head[i::4].count(0) / max(1, len(head[i::4])) for i in range(4)]
    if zeros[2] > 0.9 and zeros[3] > 0.9 and len(data) % 4 == 0:
        return "utf-32-le"
    if zeros[0] > 0.9 and zeros[1] > 0.9 and len(data) % 4 == 0:
        return "utf-32-be"
    if len(data) % 2:
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = head[: len(head) // 2 * 2 - 2].decode(encoding)
        except UnicodeDecodeError:
            continue
        good = sum((c.isascii() and (c.isprintable() or c in "\r\n\t")) or c in _COMMON for c in text)
        if good > 0.5 * len(text) and not _CONTROL.search(text):
            return encoding
    return None


def _quality(data: bytes, encoding: str) -> float:
    """The share of common characters among the Chinese of a decoding, 0..1, less damaged ones."""
    text = data[:200_000].decode(encoding, "replace")
    hanzi = _HANZI.findall(text)
    bad = text.count("\ufffd") + len(_PRIVATE.findall(text))
    if not hanzi:
        return 0.0
    return sum(c in _COMMON for c in hanzi) / (len(hanzi) + 20 * bad)


def _checked(text: str, encoding: str) -> tuple[str, str] | None:
    """The text, unless so much of it is control characters that it cannot be text."""
    bad = len(_CONTROL.findall(text[:20_000]))
    return None if bad > 0.02 * min(len(text), 20_000) + 1 else (text, encoding)


def rows(text: str) -> list[list[str]]:
    """The rows of separated text, each cell without the white space around it; blank lines are rows without cells.

    Those of a large text are `LargeRows`, whose rows all have as many cells.
    """
    text, separator = _prepared(text)
    if len(text) >= LARGE:
        from pipelines.intake.formats.separated import large_rows  # brings Arrow along, and hardly a file is so large

        large = large_rows(text, separator)
        if large is not None and not _is_quoted_singly(large):
            return cast("list[list[str]]", large)  # nobody changes the rows of a text
    return _one_by_one(text, separator)


def may_be_columns(head: bytes) -> bool:
    """Whether what begins with these bytes may be read as columns: text that is no markup, in lines of several cells."""
    known = _of_head(head)
    return known is not None and known[0].count(known[2]) >= _CELLS * known[0].count("\n") > 0


def as_columns(data: bytes) -> list[list[str]] | None:
    """The rows of a text that is too large to be held as Python's; None where it cannot be read as columns."""
    known = _of_head(data[:HEAD])
    if known is None or known[0].lower().startswith(("sep=", '"sep=')):
        return None
    _, encoding, separator = known
    whole = _in_utf_8(data, encoding)
    if whole is None or b"\x00" in data:
        return None
    if b"\r" in data:
        whole = bytes(whole).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    from pipelines.intake.formats.separated import rows_of  # brings Arrow along

    large = rows_of(whole, separator)
    return None if large is None or _is_quoted_singly(large) else cast("list[list[str]]", large)


def _of_head(head: bytes) -> tuple[str, str, str] | None:
    """The first whole lines of a text, its encoding and its separator; None for what is no text, or markup, or of wide characters."""
    lines = head[: head.rfind(b"\n") + 1]
    if not lines or lines[:2] == b"PK" or lines[:1] in b"\xd0\x00%":
        return None
    decoded = decode(lines)
    if decoded is None or decoded[1] not in ("utf-8", "utf-8-sig", "ascii", "gb18030"):
        return None
    content, separator = _prepared(decoded[0])
    return None if content.lstrip("\ufeff \n\t").startswith("<") else (content, decoded[1], separator)


def _in_utf_8(data: bytes, encoding: str) -> bytes | memoryview | None:
    """A text in UTF-8 without a mark, made piece by piece; None where some byte of it is wrong."""
    decoder = codecs.getincrementaldecoder("gb18030" if encoding == "gb18030" else "utf-8")("strict")
    made: list[bytes] = []
    try:
        for at in range(0, len(data), _PIECE):
            piece = decoder.decode(data[at : at + _PIECE], at + _PIECE >= len(data))
            if encoding == "gb18030":
                made.append(piece.encode())
    except UnicodeError:
        return None
    if made:
        return b"".join(made)
    return memoryview(data)[len(codecs.BOM_UTF8) :] if data.startswith(codecs.BOM_UTF8) else data


def _prepared(text: str) -> tuple[str, str]:
    """A text with one kind of line ends, and its separator."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\x00", "")
    first, _, rest = text.partition("\n")
    hint = first.strip().strip('"')
    if len(hint) == 5 and hint.lower().startswith("sep="):
        return rest, hint[4]  # a hint to Excel, which does not show it as a row
    return text, _separator(text)


def _one_by_one(text: str, separator: str) -> list[list[str]]:
    """Split a text into rows with the csv module, with corrections for quotation marks."""
    csv.field_size_limit(50_000_000)
    found = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True))
    if '"' in text and (
        any("\n" in c and len(c) > 2000 and c.count("\n") > 20 for r in found for c in r) or _unclosed(text, separator)
    ):
        # A quotation mark that nobody closed swallowed the lines after it.
        found = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=csv.QUOTE_NONE))
    if _is_quoted_singly(found):
        found = list(
            csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, quotechar="'")
        )
    if '="' in text or '"=""' in text:
        found = [[_constant(c) for c in r] for r in found]
    return [[c.strip() for c in r] for r in found]


def _is_quoted_singly(found: Iterable[list[str]]) -> bool:
    """Whether each cell of the first row that has any is between apostrophes, as databases quote texts."""
    first = next((r for r in found if any(r)), [])
    return len(first) > 1 and all(len(c) > 1 and c[0] == c[-1] == "'" for c in map(str.strip, first))


def _unclosed(text: str, separator: str) -> bool:
    """Whether an unclosed quotation mark makes one cell of the rest of the text."""
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True):
            pass
    except csv.Error as e:
        return "unexpected end of data" in str(e)
    return False


def _constant(cell: str) -> str:
    """The text in ="0731", by which exports keep Excel from reading a number; any other formula unchanged."""
    inner = cell.strip()
    return inner[2:-1] if len(inner) > 2 and inner[:2] == '="' and inner[-1] == '"' and '"' not in inner[2:-1] else cell


def _separator(text: str) -> str:
    """The separator under which most lines fall into the same number of cells."""
    sample = text[:100_000]
    lines = sample.split("\n")[:200]
    if len(sample) < len(text) and len(lines) > 1:
        lines.pop()
    best, chosen = 0.0, ","
    for separator, weight in ((";", 1.5), ("\t", 1.0), (",", 1.0), ("|", 1.0), ("，", 0.3)):
        if separator not in sample:
            continue
        if separator == "\t" and sample.count("\t,") + sample.count("\t\n") > 0.6 * sample.count("\t"):
            continue  # a TAB that ends each cell, as the statistics bureau's site writes them
        try:
            widths = Counter(len(r) for r in csv.reader(lines, delimiter=separator) if len(r) > 1)
        except csv.Error:
            continue
        if widths:
            # Semicolons beat commas at a tie or near it: a comma may stand in a number, a semicolon hardly does.
            score = max(count * (width - 1) * weight for width, count in widths.items())
            if score > best:
                best, chosen = score, separator
    return chosen
