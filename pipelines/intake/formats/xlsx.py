"""What calamine does not tell of a sheet of an .xlsx: what is hidden, cells without a value, runs of fonts, number formats.

Belongs here: parts in the XML of SpreadsheetML (ECMA-376 part 1, 18), read by expat in any prefix, order and spelling, and only
where a search for bytes says that there may be something. Not here: which part is which sheet, or values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from pipelines.intake.formats import number_format, runs
from pipelines.intake.formats.markup import refuse_declarations
from pipelines.intake.sheets import Fault, Format, Formats, Grid

ON = frozenset(["1", "true", "on"])
# Only these say that a pass is worth its time; what they find is not believed. Each begins with plain letters, for which re
# searches several times faster than for a choice.
_TELLS = tuple(
    re.compile(p)
    for p in (
        rb"""hidden\s*=\s*["'](?:1|t|on)""",
        rb"""ht\s*=\s*["']0(?:\.0*)?["']""",
        rb"""width\s*=\s*["']0(?:\.0*)?["']""",
        rb"""zeroHeight\s*=\s*["'](?:1|t|on)""",
    )
)
_ERRORS = (b't="e"', b"t='e'")
_SPACED_ERROR = re.compile(rb"""t\s*=\s*["']e["']""")
_NO_RESULT = re.compile(
    rb"""(?:f|f\s[^<>]*/|f\s*/)>\s*(?:<(?:\w+:)?v\b[^>]*/>\s*|<(?:\w+:)?v\b[^>]*>\s*</(?:\w+:)?v>\s*)?</(?:\w+:)?c>|DISPIMG"""
)
_RESULT = re.compile(rb"(?:f|f\s[^<>]*/)>\s*<(?:\w+:)?v\b[^>]*>\s*([^<\s]*)")
_ROW_NUMBER = re.compile(rb"""\brow\s[^<>]*?\br\s*=\s*["'](\d+)""")
_DIMENSION = re.compile(rb"<(?:\w+:)?dimension\b[^<>]*?(?:/>|>\s*</(?:\w+:)?dimension\s*>)")
FAR = 100_000  # rows
_NOTHING = frozenset([b"0", b"0.0", b""])
_SURROGATES = re.compile(r"_x(D[89AB][0-9A-F]{2})__x(D[C-F][0-9A-F]{2})_", re.IGNORECASE)
_SURROGATE = re.compile(rb"_x[dD][89abAB]")
_ERROR = re.compile(r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!)")
_PICTURE = "DISPIMG("  # WPS embeds a picture in a cell as this formula


@dataclass(slots=True)
class Details:
    """What the XML of one sheet tells: hidden rows 1-based, columns 0-based, cells by absolute row and column 0-based."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    faults: dict[tuple[int, int], Fault] = field(default_factory=dict)
    formulas: dict[tuple[int, int], tuple[str, str]] = field(
        default_factory=dict
    )  # of numbers: the formula, its result


def may_tell(xml: bytes, shared: bool) -> bool:
    """Whether a sheet may hold what calamine leaves out. `shared`: a shared text may be no value."""
    return (
        shared
        or any(p.search(xml) for p in _TELLS)
        or any(e in xml for e in _ERRORS)
        or has_runs(xml)
        or (_has_formulas(xml) and bool(_NO_RESULT.search(xml)))
        or ((b"t =" in xml or b"= " in xml) and bool(_SPACED_ERROR.search(xml)))
    )


def _has_formulas(xml: bytes) -> bool:
    return b"<f" in xml or b":f" in xml


def results(xml: bytes) -> tuple[bool, bool]:
    """Whether a sheet holds results of formulas, and whether any of them is other than zero."""
    found = False
    if not _has_formulas(xml):
        return False, False
    for m in _RESULT.finditer(xml):
        if m[1] not in _NOTHING:
            return True, True
        found = found or m[1] != b""
    return found, False


def has_runs(shared: bytes) -> bool:
    """Whether a part may hold struck or raised runs."""
    return b"strike" in shared or b"vertAlign" in shared


def has_surrogates(part: bytes) -> bool:
    """Whether a part may hold a character beyond U+FFFF in two escapes."""
    return b"_x" in part and bool(_SURROGATE.search(part))


def whole(text: str) -> str:
    """A text with its characters beyond U+FFFF joined, which Spire.XLS writes as two escapes (ST_Xstring, 22.9.2.19)."""
    return _SURROGATES.sub(lambda m: chr(0x10000 + ((int(m[1], 16) & 0x3FF) << 10) + (int(m[2], 16) & 0x3FF)), text)


def join_surrogates(grids: Sequence[Grid]) -> None:
    """Joins the escaped characters in the texts of all sheets."""
    for grid in grids:
        for row in grid.rows:
            for c, v in enumerate(row):
                if type(v) is str and "_x" in v:
                    row[c] = whole(v)


def _parse(
    xml: bytes, start: Callable[..., None], end: Callable[..., None] | None, text: Callable[..., None] | None
) -> bool:
    """Whether the whole part could be parsed; what was found before an error counts."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler, parser.CharacterDataHandler = end, text
    refuse_declarations(parser, _declares)
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, _DeclaresError):
        return False
    return True


class _DeclaresError(ValueError):
    pass


def _declares() -> NoReturn:
    raise _DeclaresError


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

    def fault(self) -> Fault | None:
        found = runs.joined(self.runs)
        return found if isinstance(found, Fault) else None


def ends_far(xml: bytes) -> bool:
    """Whether the last row of a sheet stands so far below the others that blank cells may be all that takes it there: calamine
    lays out every cell above it."""
    last = _ROW_NUMBER.findall(xml[-20_000:])
    return bool(last) and int(last[-1]) > FAR and xml.count(b"row ") * 10 < int(last[-1])


def without_blank_tail(xml: bytes, shared: bytes) -> bytes:
    """The part of a sheet without the rows at its end that hold nothing but blank texts. `shared`: the part of shared texts."""
    blank = _blank_shared(shared) if shared else frozenset()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    cut = stop = -1  # where the rows without anything begin, and where the sheet's data end, in bytes
    kind, said, computed = "", [""], False

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal cut, kind, said, computed
        tag = name.rpartition(":")[2]
        if tag == "row" and cut < 0:
            cut = parser.CurrentByteIndex
        elif tag == "c":
            kind, said, computed = attrs.get("t", "n"), [], False
        elif tag == "f":
            computed = True

    def end(name: str) -> None:
        nonlocal cut, stop
        tag = name.rpartition(":")[2]
        if tag == "sheetData":
            stop = parser.CurrentByteIndex
        elif tag == "c":
            text = "".join(said).strip()
            if computed or (text and not (kind == "s" and text in blank)):
                cut = -1

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = (
        start,
        end,
        lambda part: said.append(part),
    )
    refuse_declarations(parser, _declares)
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, _DeclaresError):
        return xml  # whoever reads it next says what is wrong with it
    if cut < 0 or stop < cut:
        return xml
    return _DIMENSION.sub(b"", xml[:cut], count=1) + xml[stop:]


def _blank_shared(xml: bytes) -> frozenset[str]:
    """The indices of shared texts that are white space alone, as a cell writes them."""
    out: list[str] = []
    count, said = 0, [""]

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal said
        if name.rpartition(":")[2] == "si":
            said = []

    def end(name: str) -> None:
        nonlocal count
        if name.rpartition(":")[2] == "si":
            if not "".join(said).strip():
                out.append(str(count))
            count += 1

    _parse(xml, start, end, lambda part: said.append(part))
    return frozenset(out)


def shared_faults(xml: bytes) -> dict[str, Fault]:
    """The shared texts that are no values, by their index as a cell writes it."""
    out: dict[str, Fault] = {}
    count = 0
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
        nonlocal count, parts
        tag = name.rpartition(":")[2]
        if tag == "si":
            if fault := now.fault():
                out[str(count)] = fault
            count += 1
        elif tag == "t" and parts is not None:
            now.add("".join(parts))
            parts = None
        else:
            now.end(tag)

    def text(part: str) -> None:
        if parts is not None:
            parts.append(part)

    _parse(xml, start, end, text)
    return out


def details(xml: bytes, shared: Mapping[str, Fault]) -> Details:
    """What one pass over a sheet tells besides its values; `shared`: shared texts that are no values."""
    out = Details()
    row = column = -1
    kind = ""
    formula: str | None = None
    value: str | None = None
    parts: list[str] | None = None
    inside = zero = False
    now = _Runs()

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal row, column, kind, formula, value, parts, inside, now, zero
        tag = name.rpartition(":")[2]
        if tag == "c" and row >= 0:
            at = attrs.get("r")
            column = _column(at) if at else column + 1
            kind, formula, value, inside = attrs.get("t", "n"), None, None, True
            now = _Runs()
        elif tag == "row":
            number = attrs.get("r", "")
            row = int(number) - 1 if number.isdigit() else row + 1
            column = -1
            high = attrs.get("ht")
            if attrs.get("hidden") in ON or (_is_zero(high) if high else zero and attrs.get("hidden") is None):
                out.hidden_rows.append(row + 1)
        elif inside:
            if tag == "f":
                formula, parts = "", []
            elif tag in ("v", "t"):
                parts = []
            else:
                now.start(tag, attrs)
        elif tag == "col":
            first, last = attrs.get("min", ""), attrs.get("max", "")
            hidden = attrs.get("hidden") in ON or _is_zero(attrs.get("width"))
            if hidden and first.isdigit() and last.isdigit():
                out.hidden_columns.append((int(first) - 1, int(last) - 1))
        elif tag == "sheetFormatPr":
            zero = attrs.get("zeroHeight") in ON

    def end(name: str) -> None:
        nonlocal formula, value, parts, inside
        if not inside:
            return
        tag = name.rpartition(":")[2]
        if tag == "c":
            inside = False
            cell()
        elif parts is not None and tag in ("f", "v", "t"):
            text = "".join(parts)
            parts = None
            if tag == "f":
                formula = text
            elif tag == "v":
                value = text
            else:
                now.add(text)
        else:
            now.end(tag)

    def cell() -> None:
        at = row, column
        shown = "=" + (formula or "…").lstrip("=")[:200]
        if (formula is not None and _PICTURE in formula) or (value or "").startswith("=DISPIMG("):
            out.faults[at] = Fault("picture", value or shown)
        elif kind == "e":
            out.faults[at] = Fault("error", (value or "").strip() or "#N/A")
        elif formula is not None:
            if value is None or (kind != "str" and not value.strip()):
                if kind != "inlineStr":
                    out.faults[at] = Fault("formula", shown)
            elif kind == "str" and _ERROR.fullmatch(value.strip()):
                out.faults[at] = Fault("error", value.strip())
            elif kind == "n":
                out.formulas[at] = shown, value.strip()
        elif (kind == "s" and value is not None and (fault := shared.get(value.strip()))) or (
            now.runs and (fault := now.fault())
        ):
            out.faults[at] = fault

    def characters(part: str) -> None:
        if parts is not None:
            parts.append(part)

    _parse(xml, start, end, characters)
    return out


def _is_zero(text: str | None) -> bool:
    try:
        return text is not None and float(text) == 0
    except ValueError:
        return False


def _column(reference: str) -> int:
    """The column of a reference such as AB12, 0-based."""
    column = 0
    for ch in reference:
        if not ch.isalpha():
            break
        column = column * 26 + ord(ch.upper()) - 64
    return column - 1


def codes(styles: bytes) -> dict[str, str] | None:
    """The number formats that tell something, by the index of a cell's style as a cell writes it; None where the part is broken."""
    if b"formatCode" not in styles and not re.search(rb"""numFmtId\s*=\s*["'](?:9|10)["']""", styles):
        return {}
    named: dict[str, str] = {str(k): v for k, v in number_format.BUILT_IN.items()}
    used: list[str] = []
    inside = False

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal inside
        tag = name.rpartition(":")[2]
        if tag == "numFmt" and not inside:
            named[attrs.get("numFmtId", "")] = attrs.get("formatCode", "")
        elif tag == "cellXfs":
            inside = True
        elif tag == "xf" and inside:
            used.append(attrs.get("numFmtId", "0"))

    def end(name: str) -> None:
        nonlocal inside
        if name.rpartition(":")[2] == "cellXfs":
            inside = False

    if not _parse(styles, start, end, None):
        return None
    return {str(k): named[i] for k, i in enumerate(used) if i in named and number_format.tells(named[i])}


def formats(xml: bytes, told: Mapping[str, str], grid: Grid) -> Formats:
    """The number formats of a sheet's numbers that tell something; `told` as codes() gives them."""
    out: dict[tuple[int, int], Format] = {}
    row = column = -1

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal row, column
        tag = name.rpartition(":")[2]
        if tag == "row":
            number = attrs.get("r", "")
            row, column = int(number) - 1 if number.isdigit() else row + 1, -1
        elif tag == "c":
            at = attrs.get("r")
            column = _column(at) if at else column + 1
            code = told.get(attrs.get("s", "0"))
            if code is not None and (found := shown(grid, row, column, code)):
                out[row, column] = found

    _parse(xml, start, None, None)
    return out


def shown(grid: Grid, row: int, column: int, code: str) -> Format | None:
    """What the format `code` changes of the number in a cell, absolute and 0-based; None where no number stands there."""
    r, c = row - grid.top, column - grid.left
    if not (0 <= r < len(grid.rows) and 0 <= c < len(grid.rows[r])):
        return None
    value = grid.rows[r][c]
    return number_format.of(code, value) if type(value) is float or type(value) is int else None


def attributes(xml: bytes, tag: str) -> list[dict[str, str]]:
    """The attributes of each element of a name, without prefixes, in order."""
    out: list[dict[str, str]] = []

    def start(name: str, attrs: dict[str, str]) -> None:
        if name.rpartition(":")[2] == tag:
            out.append(attrs)

    _parse(xml, start, None, None)
    return out
