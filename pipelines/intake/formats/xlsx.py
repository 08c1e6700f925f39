"""Excel workbooks in XML (.xlsx, .xlsm): calamine reads the values; here is read what it does not tell.

Belongs here: the parts of SpreadsheetML (ECMA-376 part 1, 18): what is hidden, cells without a value, runs of fonts, number
formats. Parts are read by expat in any prefix, order and spelling, and only where a search for bytes, which is cheap, says that
there may be something. Not here: the zip around them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pipelines.intake.formats import by_calamine, computed, expressions, markup, number_format, runs
from pipelines.intake.formats.computed import Formula
from pipelines.intake.formats.package import DECLARES, Package
from pipelines.intake.sheets import Book, Fault, Formats, Grid, Merge, Refusal

_WORKBOOK = "xl/workbook.xml"
_SHEETS, _MACROS, _TEXTS = "xl/worksheets/", "xl/macrosheets/", "xl/sharedStrings.xml"
_STYLES = "xl/styles.xml"

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
_ERROR_CELL = re.compile(rb"""t\s*=\s*["']e["']""")
_INLINE = b"inlineStr"
_CELL_TAGS = frozenset("cvft")
_NO_RESULT = re.compile(
    rb"""(?:f|f\s[^<>]*/|f\s*/)>\s*(?:<(?:\w+:)?v\b[^>]*/>\s*|<(?:\w+:)?v\b[^>]*>\s*</(?:\w+:)?v>\s*)?</(?:\w+:)?c>|DISPIMG"""
)
_RESULT = re.compile(rb"(?:f|f\s[^<>]*/)>\s*<(?:\w+:)?v\b[^>]*>\s*([^<\s]*)")
_ROW_NUMBER = re.compile(rb"""row\s[^<>]*?\br\s*=\s*["'](\d+)""")
_FAR = 100_000  # rows
_NOTHING = frozenset([b"0", b"0.0", b""])
_SURROGATES = re.compile(r"_x(D[89AB][0-9A-F]{2})__x(D[C-F][0-9A-F]{2})_", re.IGNORECASE)
_SURROGATE = re.compile(rb"_x[dD][89abAB]")
_ERROR = re.compile(r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!)")
_OUTSIDE = re.compile(r"\[[^\[\]]+\][^!\[\]]*!")  # a reference to another workbook
_PICTURE = "DISPIMG("  # WPS embeds a picture in a cell as this formula


@dataclass(slots=True)
class _Details:
    """What the XML of one sheet tells: hidden rows 1-based, columns 0-based, cells by absolute row and column 0-based."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    faults: dict[tuple[int, int], Fault] = field(default_factory=dict)
    formulas: list[Formula] = field(default_factory=list)
    spelled_zero: bool = False  # whether a result is written 0.0, as no spreadsheet program does


def open_xlsx(package: Package) -> Book:
    """Opens the package of a workbook. Raises Refusal."""
    book = package.book()
    book.is_1904 = partial(_is_1904, package)
    package, parts = _without_blank_tails(package, _parts(package))
    try:
        book.grids = list(by_calamine.grids(package.data))
    except Refusal as e:
        if e.code != "unreadable":
            raise
        if package.has_document_type():
            raise Refusal("unsafe", *DECLARES) from e
        plain = _as_calamine_takes_it(package)
        if plain is None:
            raise package.signed() or e from e
        package, parts = plain, _parts(plain)
        book.grids = list(by_calamine.grids(package.data))
    _add_details(package, parts, book.grids)
    return book


def _parts(package: Package) -> dict[str, bytes]:
    """The parts of the sheets, by their names."""
    return {n: package.part(n) for n in package.entries if n.startswith(_SHEETS) and n.endswith(".xml")}


def _is_1904(package: Package) -> bool:
    return any(at.get("date1904") in ON for at in markup.attributes(package.part(_WORKBOOK), "workbookPr"))


def _order(package: Package) -> list[str]:
    """The parts of the sheets in the order of the workbook."""
    parts = package.related(_WORKBOOK)
    sheets = markup.attributes(package.part(_WORKBOOK), "sheet")
    return [parts.get(next((v for k, v in at.items() if k.endswith(":id")), ""), "") for at in sheets]


def _as_calamine_takes_it(package: Package) -> Package | None:
    """The workbook without its sheets of Excel 4.0 macros and with its parts in UTF-8: calamine refuses the whole for a sheet of
    macros or a part in UTF-16. None where neither is the matter."""
    changed: dict[str, bytes | None] = {}
    for name in package.entries:
        if package.part(name, 2) in (b"\xfe\xff", b"\xff\xfe"):
            changed[name] = markup.in_utf_8(package.part(name).decode("utf-16", "replace"))
        elif name.startswith(_MACROS):
            changed[name] = None
    if not changed:
        return None
    macros = [k for k, part in enumerate(_order(package)) if part.startswith(_MACROS)]
    if macros:
        changed[_WORKBOOK] = _without(changed.get(_WORKBOOK) or package.part(_WORKBOOK), "sheet", macros)
    return package.replaced(changed)


def _without(xml: bytes, tag: str, which: Sequence[int]) -> bytes:
    """A part without some elements of a name, which hold no others; `which` are their numbers in order."""
    cuts: list[tuple[int, int]] = []
    begin, seen = -1, 0

    def start(name: str, _: dict[str, str], at: int) -> None:
        nonlocal begin, seen
        if begin >= 0:
            cuts.append((begin, at))
            begin = -1
        if name.rpartition(":")[2] == tag:
            begin, seen = (at if seen in which else -1), seen + 1

    def end(name: str, at: int) -> None:
        nonlocal begin
        if begin >= 0 and name.rpartition(":")[2] != tag:
            cuts.append((begin, at))
            begin = -1

    markup.parse_in_place(xml, start, end)
    for a, b in reversed(cuts):
        xml = xml[:a] + xml[b:]
    return xml


def _without_blank_tails(package: Package, parts: dict[str, bytes]) -> tuple[Package, dict[str, bytes]]:
    far = [name for name, part in parts.items() if _ends_far(part)]
    if not far:
        return package, parts
    blank = _blank_texts(package.part(_TEXTS))
    parts = parts | {name: _without_blank_tail(parts[name], blank) for name in far}
    return package.replaced({name: parts[name] for name in far}), parts


def _add_details(package: Package, parts: Mapping[str, bytes], grids: Sequence[Grid]) -> None:
    """Adds what calamine does not tell: what is hidden, cells without a value (it gives them as empty), runs of fonts, formats."""
    kept: list[list[str]] = []

    def places() -> list[str]:
        if not kept:
            kept.append(_places(package, parts, len(grids)))
        return kept[0]

    for k, grid in enumerate(grids):
        grid.formats = lambda k=k, grid=grid: _formats(package, parts, places()[k], grid)  # type: ignore[misc]
    texts = package.part(_TEXTS)
    faults = _shared_faults(texts) if _has_runs(texts) else {}
    computing = {name for name, xml in parts.items() if _has_formulas(xml)}
    asked = {name for name, xml in parts.items() if faults or _may_tell(xml, name in computing)}
    if any(_holds_constant(parts[name]) for name in computing):
        asked |= computing
    told = [
        (grid, _details(parts[name], faults))
        for grid, name in (zip(grids, places(), strict=True) if asked else ())
        if name in asked and not grid.hidden
    ]
    for grid, found in told:
        grid.hidden_rows, grid.hidden_columns = found.hidden_rows, found.hidden_columns
        for (row, column), fault in found.faults.items():
            grid.put(row, column, fault)
    if any(found.formulas for _, found in told):
        _judge(package, told)
    if _has_surrogates(texts) or any(
        _has_surrogates(xml) for name, xml in parts.items() if name in computing or _INLINE in xml
    ):
        _join_surrogates(grids)


def _judge(package: Package, told: Sequence[tuple[Grid, _Details]]) -> None:
    """Puts faults in place of results that nobody computed."""
    properties = markup.attributes(package.part(_WORKBOOK), "calcPr")
    on_load = any(at.get("fullCalcOnLoad") in ON for at in properties)
    for _, found in told:
        for f in found.formulas:
            f.on_load = on_load
            if f.cached == "" and not on_load:
                f.cached = None  # the file says that the result is an empty text
    computed.put_faults(
        [(grid, found.formulas) for grid, found in told],
        lambda source: expressions.steps(source[0], "a1", source[1:]),
        by_library=any(found.spelled_zero for _, found in told),
        mixed=on_load,
    )


def _formats(package: Package, parts: Mapping[str, bytes], part: str, grid: Grid) -> Formats | None:
    """The number formats of one sheet; None where the file does not tell them."""
    styles = package.part(_STYLES)
    if not part or (not styles and _STYLES in package.entries):
        return None
    told = _codes(styles)  # without styles numbers are shown as they are
    return _sheet_formats(parts[part], told, grid) if told else None if told is None else {}


def _places(package: Package, parts: Mapping[str, bytes], sheets: int) -> list[str]:
    """The part of each sheet; "" where that is not known."""
    if sheets == len(parts) == 1:
        return list(parts)
    # Grids are in the order of the workbook, chart sheets left out; names may hold escapes, so match by place.
    order = [p if p in parts else "" for p in _order(package) if p.startswith(_SHEETS)]
    return [*order, *[""] * sheets][:sheets]


def _may_tell(xml: bytes, formulas: bool) -> bool:
    """Whether a sheet may hold what calamine leaves out; `formulas`: it holds some."""
    return (
        any(p.search(xml) for p in _TELLS)
        or ((b'"e"' in xml or b"'e'" in xml) and bool(_ERROR_CELL.search(xml)))
        or (_INLINE in xml and _has_runs(xml))
        or (formulas and bool(_NO_RESULT.search(xml)))
    )


def _has_formulas(xml: bytes) -> bool:
    return b"<f" in xml or b":f" in xml


def _holds_constant(xml: bytes) -> bool:
    """Whether a sheet of formulas holds a result that may be a writer's constant."""
    return any(m[1] in _NOTHING for m in _RESULT.finditer(xml))


def _has_runs(shared: bytes) -> bool:
    """Whether a part may hold struck or raised runs."""
    return b"strike" in shared or b"vertAlign" in shared


def _has_surrogates(part: bytes) -> bool:
    """Whether a part may hold a character beyond U+FFFF in two escapes."""
    return b"_x" in part and bool(_SURROGATE.search(part))


def _whole(text: str) -> str:
    """A text with its characters beyond U+FFFF joined, which Spire.XLS writes as two escapes (ST_Xstring, 22.9.2.19)."""
    return _SURROGATES.sub(lambda m: chr(0x10000 + ((int(m[1], 16) & 0x3FF) << 10) + (int(m[2], 16) & 0x3FF)), text)


def _join_surrogates(grids: Sequence[Grid]) -> None:
    """Joins the escaped characters in the texts of all sheets."""
    for grid in grids:
        for row in grid.rows:
            for c, v in enumerate(row):
                if type(v) is str and "_x" in v:
                    row[c] = _whole(v)


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
            self.runs.append((_whole(text), self.struck, self.raised))

    def fault(self) -> Fault | None:
        found = runs.joined(self.runs)
        return found if isinstance(found, Fault) else None


def _ends_far(xml: bytes) -> bool:
    """Whether the last row of a sheet stands so far below the others that blank cells may be all that takes it there: calamine
    lays out every cell above it."""
    at = xml.rfind(b"row ", max(0, len(xml) - 20_000))
    last = _ROW_NUMBER.match(xml, at) if at >= 0 else None
    return last is not None and int(last[1]) > _FAR and xml.count(b"row ") * 10 < int(last[1])


def _without_blank_tail(xml: bytes, blank: frozenset[str]) -> bytes:
    """The part of a sheet without the rows at its end that hold nothing but blank texts, and without the dimension it states.
    `blank`: the indices of shared texts that are white space alone."""
    cut = stop = -1  # where the rows without anything begin, and where the sheet's data end, in bytes
    stated = [-1, -1]  # where the dimension begins, and where what follows it does
    kind, said, computed = "", [""], False

    def start(name: str, attrs: dict[str, str], at: int) -> None:
        nonlocal cut, kind, said, computed
        tag = name.rpartition(":")[2]
        if stated[0] >= 0 > stated[1]:
            stated[1] = at
        if tag == "row" and cut < 0:
            cut = at
        elif tag == "c":
            kind, said, computed = attrs.get("t", "n"), [], False
        elif tag == "f":
            computed = True
        elif tag == "dimension":
            stated[0] = at

    def end(name: str, at: int) -> None:
        nonlocal cut, stop
        tag = name.rpartition(":")[2]
        if tag == "sheetData":
            stop = at
        elif tag == "c":
            text = "".join(said).strip()
            if computed or (text and not (kind == "s" and text in blank)):
                cut = -1

    if not markup.parse_in_place(xml, start, end, lambda part: said.append(part)) or cut < 0 or stop < cut:
        return xml  # whoever reads it next says what is wrong with it
    before, behind = stated if 0 <= stated[1] <= cut else (0, 0)
    return xml[:before] + xml[behind:cut] + xml[stop:]


def _blank_texts(xml: bytes) -> frozenset[str]:
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

    markup.parse(xml, start, end, lambda part: said.append(part))
    return frozenset(out)


def _shared_faults(xml: bytes) -> dict[str, Fault]:
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

    markup.parse(xml, start, end, text)
    return out


class _Pass:
    """One pass over a sheet; `shared`: shared texts that are no values."""

    def __init__(self, shared: Mapping[str, Fault]):
        self.shared = shared
        self.out = _Details()
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

    def place(self) -> tuple[int, int]:
        return self.row, (_column(self.reference) if self.reference else -1) + self.since

    def cell(self, attrs: Mapping[str, str]) -> None:
        kind, value = attrs.get("t", "n"), self.value
        if value is not None and value.startswith("=DISPIMG("):
            self.out.faults[self.place()] = Fault("picture", value)
        elif kind == "e":
            self.out.faults[self.place()] = Fault("error", (value or "").strip() or "#N/A")
        elif self.formula is not None:
            self.computed(*self.formula, kind, value)
        elif (kind == "s" and value is not None and (fault := self.shared.get(value.strip()))) or (
            self.runs is not None and (fault := self.runs.fault())
        ):
            self.out.faults[self.place()] = fault

    def computed(self, formula: str, attrs: Mapping[str, str], kind: str, value: str | None) -> None:
        """A cell with a formula, which may be written in another cell that shares it."""
        row, column = self.place()
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
    """What a formula holds; None where that is no number, text or truth value."""
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
    return int(rows[0]) - 1, _column(first), int(rows[1]) - 1, _column(last or first)


def _details(xml: bytes, shared: Mapping[str, Fault]) -> _Details:
    """What one pass over a sheet tells besides its values; `shared`: shared texts that are no values."""
    reading = _Pass(shared)
    markup.parse(xml, reading.start, reading.end, reading.characters)
    return reading.out


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


def _codes(styles: bytes) -> dict[str, str] | None:
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

    if not markup.parse(styles, start, end, None):
        return None
    return {str(k): named[i] for k, i in enumerate(used) if i in named and number_format.tells(named[i])}


def _sheet_formats(xml: bytes, told: Mapping[str, str], grid: Grid) -> Formats:
    """The number formats of a sheet's numbers that tell something; `told` as _codes() gives them."""
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
            column = _column(at) if at else column + 1
            code = told.get(attrs.get("s", "0"))
            if code is not None:
                codes[row, column] = code

    markup.parse(xml, start)
    return number_format.of_cells(grid, codes)
