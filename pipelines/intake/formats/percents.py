"""Which cells of a workbook are shown as percentages: there 85% is kept as 0.85.

Belongs here: number formats, and of them only this. Not here: what a column's unit is. Asked only where a column in % holds
numbers, so that other files pay nothing. Where a file does not tell (an .xlsb, damaged styles) the answer is None, and every
figure that may be a share is doubted: a factor of 100 hangs on it.
"""

from __future__ import annotations

import re
from typing import NoReturn
from xml.parsers import expat

from pipelines.intake import zips
from pipelines.intake.formats.markup import DECLARES, refuse_declarations

Places = frozenset[tuple[int, int]]  # rows and columns, absolute and 0-based
NONE: Places = frozenset()
_BUILT_IN = {9, 10}  # 0% and 0.00%, ECMA-376 part 1, 18.8.30
_XFS = re.compile(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
_XF = re.compile(rb"<(?:\w+:)?xf\b[^>]*>")
_FORMAT = re.compile(rb"<(?:\w+:)?numFmt\b[^>]*>")
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*)>")
_STYLES = "xl/styles.xml"
_PART = 100_000_000  # bytes of one part looked through


def of_xlsx(data: bytes, entries: list[zips.Entry], part: str) -> Places | None:
    """Of the sheet in the part `part` of an .xlsx; None where the part or the styles cannot be read."""
    by_name = {e.name: e for e in entries}
    if part not in by_name:
        return None
    sheet = zips.read(data, by_name[part], _PART)
    styles = zips.read(data, by_name[_STYLES], _PART) if _STYLES in by_name else b""  # no styles: nothing shown as 85%
    if sheet is None or styles is None:
        return None
    codes = set(_BUILT_IN)
    for tag in _FORMAT.findall(styles):
        number, code = re.search(rb'\bnumFmtId="(\d+)"', tag), re.search(rb'\bformatCode="([^"]*)"', tag)
        if number and code and is_percent(code[1].decode("utf-8", "replace")):
            codes.add(int(number[1]))
    table = _XFS.search(styles)
    shown = {
        str(k).encode()
        for k, tag in enumerate(_XF.findall(table[0] if table else b""))
        if (number := re.search(rb'\bnumFmtId="(\d+)"', tag)) and int(number[1]) in codes
    }
    if not shown:
        return NONE
    out = set()
    for attributes in _CELL.findall(sheet):
        style, at = re.search(rb'\bs="(\d+)"', attributes), re.search(rb'\br="([A-Z]{1,3})(\d{1,7})"', attributes)
        if style and at and style[1] in shown:
            column = 0
            for c in at[1]:
                column = column * 26 + c - 64
            out.add((int(at[2]) - 1, column - 1))
    return frozenset(out)


def is_percent(code: str) -> bool:
    """Whether a format's code shows a percentage: a % that is neither quoted nor escaped."""
    return "%" in re.sub(r'"[^"]*"|&quot;.*?&quot;|\\.', "", code)


def of_ods(content: bytes, sheet: str) -> Places | None:
    """Of one sheet of an .ods, from its content.xml; None where that is no XML we read."""
    out: set[tuple[int, int]] = set()
    at = {"row": 0, "column": 0, "rows": 1}
    inside = False

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal inside
        if name == "table:table":
            inside = attrs.get("table:name") == sheet
            at["row"] = 0
        elif not inside:
            return
        elif name == "table:table-row":
            at["column"], at["rows"] = 0, _count(attrs.get("table:number-rows-repeated"))
        elif name in ("table:table-cell", "table:covered-table-cell"):
            across = _count(attrs.get("table:number-columns-repeated"))
            if attrs.get("office:value-type") == "percentage" and at["rows"] * across < 100_000:
                out.update(
                    (r, c)
                    for r in range(at["row"], at["row"] + at["rows"])
                    for c in range(at["column"], at["column"] + across)
                )
            at["column"] += across

    def end(name: str) -> None:
        if inside and name == "table:table-row":
            at["row"] += at["rows"]

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    refuse_declarations(parser, _refuse)
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError):
        return None
    return frozenset(out)


def _refuse() -> NoReturn:
    raise ValueError(DECLARES)


def _count(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 1
