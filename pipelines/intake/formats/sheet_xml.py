"""Reads parts of SpreadsheetML: sheets, shared strings and styles, each in one pass (ECMA-376 part 1, 18).

Belongs here: what stands in the parts of an .xlsx, read by expat in any prefix, order and spelling. Not here: which parts a workbook
has, and whether it is worth reading them (xlsx.py).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pipelines.core.letters import column_number
from pipelines.intake.formats import markup, number_format, runs
from pipelines.intake.formats.computed import Formula
from pipelines.intake.sheets import Fault, Formats, Grid, Merge

ON = frozenset(["1", "true", "on"])
_CELL_TAGS = frozenset("cvft")
_SURROGATES = re.compile(r"_x(D[89AB][0-9A-F]{2})__x(D[C-F][0-9A-F]{2})_", re.IGNORECASE)
_ESCAPED = re.compile(r"_x([0-9A-F]{4})_", re.IGNORECASE)
_ERROR = re.compile(r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!)")
_OUTSIDE = re.compile(r"\[[^\[\]]+\][^!\[\]]*!")  # a reference to another workbook
_PICTURE = "DISPIMG("  # WPS embeds a picture in a cell as this formula
_LAST_ROW, _LAST_COLUMN = 1_048_575, 16_383


@dataclass(slots=True)
class Details:
    """Information of one sheet's XML: hidden rows 1-based, columns 0-based, cells by absolute row and column 0-based."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    faults: dict[tuple[int, int], Fault] = field(default_factory=dict)
    formulas: list[Formula] = field(default_factory=list)
    spelled_zero: bool = False  # whether a result is written 0.0, as no spreadsheet program does


@dataclass(slots=True)
class Values:
    """The context of a sheet's values: shared strings, of each style its number and code of format, days from 1904."""

    texts: Sequence[str | Fault]
    styles: Sequence[tuple[int, str]]
    from_1904: bool

    def of(self, kind: str, value: str | None, inline: str | None, style: str) -> Any:
        """The value of a cell of a kind (ST_CellType); '' where it is empty."""
        if kind == "inlineStr":
            return _plain(inline or "")
        if value is None:
            return ""
        text = value.strip()
        if kind == "s":
            found = self.texts[int(text)] if text.isdigit() and int(text) < len(self.texts) else ""
            return _plain(found) if isinstance(found, str) else found
        if kind == "b":
            return text in ON
        if kind == "str":
            return _plain(value)
        try:
            if kind == "d":
                moment = dt.datetime.fromisoformat(text)
                return moment.date() if moment.time() == dt.time() else moment
            return self.number(float(text), int(style)) if text else ""
        except (ValueError, OverflowError):
            return value

    def number(self, value: float, style: int) -> Any:
        number, code = self.styles[style] if style < len(self.styles) else (0, "")
        return number_format.moment(value, code, self.from_1904) if number_format.dates(number, code) else value


def _plain(text: str) -> str:
    """A text without the escapes of characters that XML cannot hold (ST_Xstring, 22.9.2.19)."""
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), whole(text)) if "_x" in text else text


def whole(text: str) -> str:
    """A text with its characters beyond U+FFFF joined, which Spire.XLS writes as two escapes (ST_Xstring, 22.9.2.19)."""
    return _SURROGATES.sub(lambda m: chr(0x10000 + ((int(m[1], 16) & 0x3FF) << 10) + (int(m[2], 16) & 0x3FF)), text)


def join_surrogates(grids: Sequence[Grid]) -> None:
    """Join the escaped characters in the texts of all sheets."""
    for grid in grids:
        for row in grid.rows:
            for c, v in enumerate(row):
                if type(v) is str and "_x" in v:
                    row[c] = whole(v)


class _Runs:
    """The runs of one text while they are read."""

    def __init__(self) -> None:
        self.runs: list[runs.Run] = []
        self.struck = self.raised = self.phonetic = False

    def start(self, tag: str, attrs: Mapping[str, str]) -> None:
        if tag == "r":
            self.struck = self.raised = False
        elif tag == "strike":
            self.struck = attrs.get("val", "1") in ON
        elif tag == "vertAlign":
            self.raised = attrs.get("val") in ("superscript", "subscript")
        elif tag == "rPh":
            self.phonetic = True

    def end(self, tag: str) -> None:
        if tag == "r":
            self.struck = self.raised = False
        elif tag == "rPh":
            self.phonetic = False

    def add(self, text: str) -> None:
        if not self.phonetic:
            self.runs.append((whole(text), self.struck, self.raised))

    def joined(self) -> str | Fault:
        return runs.joined(self.runs) if self.runs else ""


def shared_texts(xml: bytes) -> tuple[list[str | Fault], bool]:
    """The shared texts, a Fault for one that is no value; and whether the whole part could be read."""
    out: list[str | Fault] = []
    now = _Runs()
    parts: list[str] | None = None

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal now, parts
        tag = name.rpartition(":")[2]
        if tag == "si":
            now = _Runs()
        elif tag == "t":
            parts = []
        else:
            now.start(tag, attrs)

    def end(name: str) -> None:
        nonlocal parts
        tag = name.rpartition(":")[2]
        if tag == "si":
            out.append(now.joined())
        elif tag == "t" and parts is not None:
            now.add("".join(parts))
            parts = None
        else:
            now.end(tag)

    def text(part: str) -> None:
        if parts is not None:
            parts.append(part)

    return out, not xml or markup.parse(xml, start, end, text)


class _Pass:
    """One pass over a sheet; `shared`: shared texts that are no values; `values` where its values are to be read as well."""

    def __init__(self, shared: Mapping[str, Fault], values: Values | None = None):
        self.shared, self.values = shared, values
        self.lines: dict[int, list[Any]] = {}
        self.merges: list[Merge] = []
        self.out = Details()
        self.row = self.column = -1
        self.reference: str | None = None  # of the cell in hand
        self.since = 0  # cells without one behind it
        self.attrs: dict[str, str] | None = None  # of the cell in hand
        self.formula: tuple[str, dict[str, str]] | None = None
        self.value: str | None = None
        self.parts: list[str] | None = None
        self.runs: _Runs | None = None
        self.zero = False  # rows are hidden that do not say of what height they are
        self.masters: dict[str, tuple[str, int, int]] = {}  # formulas that cells share, and where they are written

    def start(self, name: str, attrs: dict[str, str]) -> None:
        tag = name if name in _CELL_TAGS else name.rpartition(":")[2]
        if tag == "c" and self.row >= 0:
            at = attrs.get("r")
            if at:
                self.reference, self.since = at, 0
            else:
                self.since += 1
            self.attrs, self.formula, self.value, self.runs = attrs, None, None, None
        elif tag == "row":
            self.begin_row(attrs)
        elif self.attrs is not None:
            if tag == "f":
                self.formula, self.parts = ("", attrs), []
            elif tag in ("v", "t"):
                self.parts = []
            else:
                self.runs = self.runs or _Runs()
                self.runs.start(tag, attrs)
        elif tag == "col":
            first, last = attrs.get("min", ""), attrs.get("max", "")
            hidden = attrs.get("hidden") in ON or _is_zero(attrs.get("width"))
            if hidden and first.isdigit() and last.isdigit():
                self.out.hidden_columns.append((int(first) - 1, int(last) - 1))
        elif tag == "mergeCell":
            if area := _area(attrs.get("ref", "")):
                self.merges.append(area)
        elif tag == "sheetFormatPr":
            self.zero = attrs.get("zeroHeight") in ON

    def begin_row(self, attrs: Mapping[str, str]) -> None:
        number, high, hidden = attrs.get("r", ""), attrs.get("ht"), attrs.get("hidden")
        self.row = int(number) - 1 if number.isdigit() else self.row + 1
        self.reference, self.since = None, 0
        if hidden in ON or (_is_zero(high) if high else self.zero and hidden is None):
            self.out.hidden_rows.append(self.row + 1)

    def end(self, name: str) -> None:
        if self.attrs is None:
            return
        tag = name if name in _CELL_TAGS else name.rpartition(":")[2]
        if tag == "c":
            self.cell(self.attrs)
            self.attrs = None
        elif self.parts is not None and tag in ("f", "v", "t"):
            text = "".join(self.parts)
            self.parts = None
            if tag == "f" and self.formula:
                self.formula = text, self.formula[1]
            elif tag == "v":
                self.value = text
            else:
                self.runs = self.runs or _Runs()
                self.runs.add(text)
        elif self.runs is not None:
            self.runs.end(tag)

    def characters(self, part: str) -> None:
        if self.parts is not None:
            self.parts.append(part)

    def position(self) -> tuple[int, int]:
        return self.row, (column_number(self.reference) if self.reference else -1) + self.since

    def cell(self, attrs: Mapping[str, str]) -> None:
        kind, value = attrs.get("t", "n"), self.value
        joined = self.runs.joined() if self.runs is not None else ""
        if self.values is not None:
            self.put(self.values.of(kind, value, joined if isinstance(joined, str) else None, attrs.get("s", "0")))
        if value is not None and value.startswith("=DISPIMG("):
            self.out.faults[self.position()] = Fault("picture", value)
        elif kind == "e":
            self.out.faults[self.position()] = Fault("error", (value or "").strip() or "#N/A")
        elif self.formula is not None:
            self.computed(*self.formula, kind, value)
        elif kind == "s" and value is not None and value.strip() in self.shared:
            self.out.faults[self.position()] = self.shared[value.strip()]
        elif isinstance(joined, Fault):
            self.out.faults[self.position()] = joined

    def put(self, value: Any) -> None:
        row, column = self.position()
        if value != "" and row <= _LAST_ROW and column <= _LAST_COLUMN:
            line = self.lines.setdefault(row, [])
            line += [""] * (column + 1 - len(line))
            line[column] = value

    def computed(self, formula: str, attrs: Mapping[str, str], kind: str, value: str | None) -> None:
        """A cell with a formula, which may be written in another cell that shares it."""
        row, column = self.position()
        shown = "=" + formula.lstrip("=")[:200] if formula else ""
        if _PICTURE in formula:
            self.out.faults[row, column] = Fault("picture", shown)
            return
        if kind == "str" and value is not None and _ERROR.fullmatch(value.strip()):
            self.out.faults[row, column] = Fault("error", value.strip())
            return
        source = formula, row, column
        if (number := attrs.get("si")) is not None:
            if formula:
                self.masters[number] = source
            source = self.masters.get(number, source)
        area = _area(attrs.get("ref", "")) if attrs.get("t") == "array" else None
        missing = kind != "inlineStr" and (value is None or (kind != "str" and not value.strip()))
        self.out.spelled_zero |= kind == "n" and value is not None and value.strip() == "0.0"
        # What it holds of another workbook is believed: nothing of that can be told here.
        cached = None if "[" in formula and _OUTSIDE.search(formula) else _result(kind, value)
        self.out.formulas.append(Formula(row, column, cached, source, shown, missing, area))


def _result(kind: str, value: str | None) -> float | bool | str | None:
    """The cached result of a formula; None where it is no number, text or boolean."""
    if kind == "n":
        try:
            return float(value or "")
        except ValueError:
            return None
    if kind == "b":
        return (value or "").strip() == "1"
    return (value or "") if kind == "str" else None


def _area(reference: str) -> Merge | None:
    """The cells of a reference such as B2:C9."""
    first, _, last = reference.replace("$", "").partition(":")
    rows = [t.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for t in (first, last or first)]
    if not all(r.isdigit() for r in rows):
        return None
    return int(rows[0]) - 1, column_number(first), int(rows[1]) - 1, column_number(last or first)


def details(xml: bytes, shared: Mapping[str, Fault]) -> Details:
    """Read the details of a sheet in one pass, without its values; `shared`: shared texts that are no values."""
    reading = _Pass(shared)
    markup.parse(xml, reading.start, reading.end, reading.characters)
    return reading.out


def _is_zero(text: str | None) -> bool:
    try:
        return text is not None and float(text) == 0
    except ValueError:
        return False


def read(xml: bytes, values: Values, grid: Grid) -> bool:
    """Read the values of a sheet into a grid; whether the whole part could be read."""
    reading = _Pass({}, values)
    whole_part = markup.parse(xml, reading.start, reading.end, reading.characters)
    grid.lay(sorted(reading.lines.items()))
    grid.merges = reading.merges
    return whole_part


@lru_cache(maxsize=16)  # files of one writer have the same part
def styles(xml: bytes) -> tuple[tuple[int, str], ...] | None:
    """The number and code of the format of each style, in the order by which cells refer to them; None where the part is broken."""
    named = dict(number_format.BUILT_IN)
    used: list[int] = []
    inside = False

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal inside
        tag = name.rpartition(":")[2]
        number = attrs.get("numFmtId", "")
        if tag == "numFmt" and not inside and number.isdigit():
            named[int(number)] = attrs.get("formatCode", "")
        elif tag == "cellXfs":
            inside = True
        elif tag == "xf" and inside:
            used.append(int(number) if number.isdigit() else 0)

    def end(name: str) -> None:
        nonlocal inside
        if name.rpartition(":")[2] == "cellXfs":
            inside = False

    return tuple((n, named.get(n, "")) for n in used) if not xml or markup.parse(xml, start, end) else None


def formats(xml: bytes, by_style: Mapping[str, str], grid: Grid) -> Formats:
    """The number formats of a sheet that change the display of a number; `by_style`: the format codes by style number."""
    codes: dict[tuple[int, int], str] = {}
    row = column = -1

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal row, column
        tag = name.rpartition(":")[2]
        if tag == "row":
            number = attrs.get("r", "")
            row, column = int(number) - 1 if number.isdigit() else row + 1, -1
        elif tag == "c":
            at = attrs.get("r")
            column = column_number(at) if at else column + 1
            code = by_style.get(attrs.get("s", "0"))
            if code is not None:
                codes[row, column] = code

    markup.parse(xml, start)
    return number_format.of_cells(grid, codes)
