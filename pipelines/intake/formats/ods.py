"""Reads the content of an OpenDocument spreadsheet to grids of cells, in one pass.

Belongs here: cells, merges, what is hidden, formulas without a result, errors, number styles, runs of fonts (OpenDocument 1.3
part 3, 9 and 16; also the same of OpenOffice 1). calamine 0.9 refuses a document with white space between its cells, and drops
TABs and repeated spaces. Not here: the package around it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element

from pipelines.intake.formats import computed, expressions, markup, number_format, runs
from pipelines.intake.formats.computed import Formula
from pipelines.intake.formats.markup import LOCAL, MarkupError, elements
from pipelines.intake.formats.package import DECLARES, Package
from pipelines.intake.sheets import FORM_LISTS, MOST_CELLS, Book, Fault, Grid, Refusal, broken

_ERROR = re.compile(r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!)|Err:\d{3}")
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")
_CONDITION = re.compile(r"value\(\)\s*(<=|>=|!=|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_NUMBERS = frozenset(["float", "percentage", "currency"])
_SPACES = re.compile(r"[ \t\r\n]+")
_PREFIX = re.compile(r"^\w+:(?==)")
_ZERO = re.compile(r"0*\.?0*(?:cm|mm|in|pt|pc|px)?")
_DATA_STYLES = frozenset(
    ["number-style", "percentage-style", "currency-style", "date-style", "time-style", "text-style"]
)
_WHOLE = _DATA_STYLES | {"style", "table-row", "table-column"}
_NO_TEXT = frozenset(["annotation", "shapes", "table", "ruby-text", "note", "frame"])  # in a cell, and none of its text
_HIDING = ("collapse", "filter")
_LARGEST_HIDDEN = 10_000  # rows in one: more are those below the data
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"
_TABLE, _OFFICE = (f"{{urn:oasis:names:tc:opendocument:xmlns:{n}:1.0}}" for n in ("table", "office"))


class _Keys:
    """The names that a cell needs, in the namespaces of OpenDocument or of OpenOffice 1, which has values' beside tables'."""

    def __init__(self, table: str):
        value = _OFFICE if table == _TABLE else table
        self.rows, self.columns = f"{table}number-rows-repeated", f"{table}number-columns-repeated"
        self.down, self.across = f"{table}number-rows-spanned", f"{table}number-columns-spanned"
        self.style, self.of_cells = f"{table}style-name", f"{table}default-cell-style-name"
        self.matrix_rows = f"{table}number-matrix-rows-spanned"
        self.matrix_columns = f"{table}number-matrix-columns-spanned"
        self.visibility, self.formula = f"{table}visibility", f"{table}formula"
        self.kind, self.value, self.text = f"{value}value-type", f"{value}value", f"{value}string-value"
        self.date, self.time, self.truth = f"{value}date-value", f"{value}time-value", f"{value}boolean-value"


@dataclass(slots=True)
class _Style:
    """A data style as the code that Excel would write for it."""

    code: str = ""
    maps: list[tuple[str, str]] = field(default_factory=list)  # a condition of a code, and the style that applies then


class _OdsStyles:
    """The styles of both parts."""

    def __init__(self) -> None:
        self.data: dict[str, _Style] = {}
        self.data_of: dict[str, str] = {}  # cell style -> data style
        self.undisplayed: set[str] = set()  # of tables
        self.flat: set[str] = set()  # of rows without height and columns without width
        self.marks: dict[str, tuple[bool, bool]] = {}  # of texts: struck out, raised or lowered
        self._codes: dict[tuple[str, bool], str | None] = {}

    def add(self, tag: str, e: Element) -> None:
        name = _named(e).get("name", "")
        if tag != "style":
            self.data[name] = _data_style(e) if tag not in ("date-style", "time-style") else _Style()
            return
        if data := _named(e).get("data-style-name"):
            self.data_of[name] = data
        for properties in e:
            given = _named(properties)
            if given.get("display") == "false":
                self.undisplayed.add(name)
            size = given.get("row-height") or given.get("column-width")
            if size and _ZERO.fullmatch(size):
                self.flat.add(name)
            struck = given.get(
                "text-line-through-style", given.get("text-line-through-type", given.get("text-crossing-out"))
            )
            raised = given.get("text-position", "")
            if struck or raised:
                lifted = raised.startswith(("super", "sub")) or (raised[:1] in "-123456789" and raised != "")
                self.marks[name] = struck not in (None, "none"), lifted

    def number_code(self, style: str, percent: bool) -> str | None:
        """The format code of a cell style where it changes the display of a number."""
        if (style, percent) not in self._codes:
            code = self.code(self.data_of.get(style, "")) or ("0%" if percent else "")
            self._codes[style, percent] = code if code and number_format.changes_numbers(code) else None
        return self._codes[style, percent]

    def code(self, name: str) -> str:
        style = self.data.get(name)
        if style is None:
            return ""
        mapped = [f"{c}{self.data[n].code}" for c, n in style.maps[:2] if n in self.data]
        return ";".join([*mapped, style.code])


class _OdsParser:
    def __init__(self) -> None:
        self.grids: list[Grid] = []
        self.styles = _OdsStyles()
        self.from_1904 = False
        self.spelled_zero = False  # whether a result is written 0.0, as no spreadsheet program does
        self.formulas: list[tuple[Grid, list[Formula]]] = []
        self.count = 0
        self.key = _Keys(_TABLE)
        self.start_table({})

    def start_table(self, attrs: Mapping[str, str]) -> None:
        self.row = self.declared = self.deep = 0
        self.lines: list[tuple[int, list[Any]]] = []
        self.codes: dict[tuple[int, int], str] = {}
        self.column_styles: list[tuple[int, str]] = []
        self.merges: list[tuple[int, int, int, int]] = []

    def read(self, part: bytes) -> None:
        for begins, tag, e in elements(part, _WHOLE):
            if tag == "table-row":
                self.read_row(e)
            elif tag == "table-column":
                self.read_column(e.attrib)
            elif tag == "table":
                if begins:
                    self.key = _Keys(e.tag[: -len("table")])
                    given = _named(e)
                    self.start_table(given)
                    hidden = given.get("style-name", "") in self.styles.undisplayed
                    self.grids.append(Grid(given.get("name", ""), [], hidden=hidden))
                    self.formulas.append((self.grids[-1], []))
                else:
                    self.finish(self.grids[-1])
            elif tag in _WHOLE:
                self.styles.add(tag, e)
            elif tag == "null-date" and begins:
                self.from_1904 = _named(e).get("date-value", "").startswith("1904")

    def read_column(self, attrs: Mapping[str, str]) -> None:
        many = _count(attrs.get(self.key.columns))
        if attrs.get(self.key.visibility) in _HIDING or attrs.get(self.key.style) in self.styles.flat:
            self.grids[-1].hidden_columns.append((self.declared, self.declared + many - 1))
        self.declared += many
        if style := attrs.get(self.key.of_cells):
            self.column_styles.append((self.declared, style))

    def read_row(self, e: Element) -> None:
        attrs, key = e.attrib, self.key
        many = _count(attrs.get(key.rows)) if attrs else 1
        hidden = attrs and (attrs.get(key.visibility) in _HIDING or attrs.get(key.style) in self.styles.flat)
        if hidden and many < _LARGEST_HIDDEN and self.grids:
            self.grids[-1].hidden_rows.extend(range(self.row + 1, self.row + many + 1))
        line = self.cells(e, attrs.get(key.of_cells, "") if attrs else "")
        if line and (many == 1 or any(type(v) is not str or v.strip() for v in line)):
            self.count += many * len(line)
            if self.count > MOST_CELLS:
                raise Refusal("too_large", size=f"> {MOST_CELLS:,} 格", limit=f"{MOST_CELLS:,} 格")
            self.lines += [(self.row + k, line if k == 0 else line[:]) for k in range(many)]
            if many > 1:
                for at, code in [c for c in self.codes.items() if c[0][0] == self.row]:
                    self.codes.update({(self.row + k, at[1]): code for k in range(1, many)})
        self.row += many

    def cells(self, row: Element, row_style: str) -> list[Any]:
        """The values of a row up to its last that is none."""
        key, column = self.key, 0
        line: list[Any] = []
        for cell in row:
            at = cell.attrib
            if not at:  # an empty cell: one with a value says of what kind
                column += 1
                if not len(cell):
                    continue
                column -= 1
            kind = at.get(key.kind)
            across = _count(at[key.columns]) if key.columns in at else 1
            if key.across in at or key.down in at:
                self.merge(at, column)
            if kind or len(cell) or key.formula in at:
                value = self.value(cell, at, kind)
                if key.formula in at:
                    self.formula(at, column, value)
                if value is not None and value != "":
                    if column + across > 16_384:
                        across = max(1, 16_384 - column)
                    if column > len(line):
                        line += [""] * (column - len(line))
                    line.append(value) if across == 1 else line.extend([value] * across)
                    if type(value) is float and kind in _NUMBERS:
                        style = (
                            at.get(key.style) or row_style or (self.column_style(column) if self.column_styles else "")
                        )
                        if (style or kind == "percentage") and (
                            code := self.styles.number_code(style, kind == "percentage")
                        ):
                            self.codes.update({(self.row, c): code for c in range(column, column + across)})
            column += across
        return line

    def formula(self, at: Mapping[str, str], column: int, value: Any) -> None:
        """Store a formula, which is checked once all sheets are read."""
        if isinstance(value, Fault) and value.kind != "formula":
            return
        key, text = self.key, at[self.key.formula]
        self.spelled_zero |= at.get(key.value) == "0.0"
        down, wide = _count(at.get(key.matrix_rows)), _count(at.get(key.matrix_columns))
        area = (self.row, column, self.row + down - 1, column + wide - 1) if down > 1 or wide > 1 else None
        cached = value if type(value) in (float, bool) or (type(value) is str and value) else None
        missing = isinstance(value, Fault)
        self.formulas[-1][1].append(
            Formula(self.row, column, cached, (text, self.row, column), _shown(text), missing, area)
        )

    def merge(self, at: Mapping[str, str], column: int) -> None:
        down, wide = _count(at.get(self.key.down)), _count(at.get(self.key.across))
        if (down > 1 or wide > 1) and len(self.merges) < 100_000:
            self.merges.append((self.row, column, self.row + down - 1, column + wide - 1))

    def column_style(self, column: int) -> str:
        return next((s for end, s in self.column_styles if column < end), "")

    def value(self, cell: Element, at: Mapping[str, str], kind: str | None) -> Any:
        """The value of a cell; None or '' where it is empty."""
        key = self.key
        if kind == "float" and key.formula not in at:
            try:
                return float(at[key.value])
            except (KeyError, ValueError):
                return self.text(cell, at)
        if kind == "string" and key.formula not in at and at.get(_CALC) != "error":
            return self.text(cell, at) or at.get(key.text, "")
        return _value(key, at, self.text(cell, at), bool(len(cell)))

    def text(self, cell: Element, at: Mapping[str, str]) -> str | Fault:
        """The paragraphs of a cell."""
        if len(cell) == 1 and not len(p := cell[0]) and LOCAL[p.tag] == "p":
            return _squeezed(p.text or "")
        found = list(_paragraphs(cell))
        pieces: list[runs.Run] = []
        struck, _ = self.styles.marks.get(at.get(self.key.style, ""), (False, False))
        for k, p in enumerate(found):
            if k:
                pieces.append(("\n", struck, False))
            pieces += self.runs(p, struck, False)
        return runs.joined(pieces) if pieces else ""

    def runs(self, e: Element, struck: bool, raised: bool) -> Iterator[runs.Run]:
        if e.text:
            yield _squeezed(e.text), struck, raised
        for child in e:
            tag = LOCAL[child.tag]
            if tag == "s":
                yield " " * min(_count(_named(child).get("c")), 1000), struck, raised
            elif tag in ("tab", "tab-stop"):
                yield "\t", struck, raised
            elif tag == "line-break":
                yield "\n", struck, raised
            elif tag not in _NO_TEXT:
                marks = self.styles.marks.get(_named(child).get("style-name", "")) if tag == "span" else None
                yield from self.runs(child, *(marks or (struck, raised)))
            if child.tail:
                yield _squeezed(child.tail), struck, raised

    def finish(self, grid: Grid) -> None:
        grid.merges = self.merges
        if grid.hidden:
            # Not read, but for the id that a form of ours hides there.
            first = self.lines[0][1][0] if self.lines and self.lines[0][0] == 0 else None
            is_id = grid.name == FORM_LISTS and isinstance(first, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,80}", first)
            grid.rows = [[first]] if is_id else []
            return
        grid.lay(self.lines)
        grid.formats = partial(number_format.of_cells, grid, self.codes)


def open_ods(package: Package) -> Book:
    """Open the package of an OpenDocument spreadsheet. Raises Refusal."""
    book = package.book()
    try:
        reader = read(package.xml("content.xml"), package.xml("styles.xml"))
    except Refusal as e:
        if e.code == "unreadable" and markup.attributes(package.xml("META-INF/manifest.xml"), "encryption-data"):
            raise Refusal("encrypted") from e
        raise
    book.grids, book.is_1904 = reader.grids, lambda: reader.from_1904
    if not book.grids and (refusal := package.signed()):
        raise refusal
    return book


def read(content: bytes, styles: bytes = b"") -> _OdsParser:
    """The sheets of a content.xml; `styles` is the styles.xml beside it. Raises Refusal."""
    reader = _OdsParser()
    for part in (styles, content):
        if part.strip():
            try:
                reader.read(part)
            except MarkupError as e:
                raise Refusal("unsafe", *DECLARES) if e.unsafe else broken(str(e)) from e
    computed.put_faults(
        reader.formulas, lambda source: expressions.steps(source[0], "odf", source[1:]), reader.spelled_zero
    )
    return reader


def _value(key: _Keys, at: Mapping[str, str], text: str | Fault, has_text: bool) -> Any:
    if isinstance(text, Fault):
        return text
    kind, formula = at.get(key.kind, ""), at.get(key.formula)
    if at.get(_CALC) == "error" or (formula is not None and _ERROR.fullmatch(text.strip())):
        return Fault("error", text.strip() or "#N/A")
    if formula is not None:
        shown = _shown(formula)
        if "DISPIMG(" in shown:
            return Fault("picture", shown)
        missing = kind in _NUMBERS and not at.get(key.value)
        if missing or (not kind and not text) or (kind == "string" and not has_text and key.text not in at):
            return Fault("formula", shown)
    try:
        if kind in _NUMBERS:
            return float(at[key.value])
        if kind == "date":
            return _moment(at[key.date])
        if kind == "time":
            return _duration(at[key.time])
        if kind == "boolean":
            return at[key.truth] == "true"
    except (KeyError, ValueError, OverflowError):
        return text
    return text or at.get(key.text, "")


def _shown(formula: str) -> str:
    """A formula as typed into a cell."""
    text = _PREFIX.sub("", formula).replace("[.", "").replace(":.", ":").replace("]", "")[:200]
    return text if text.startswith("=") else f"={text}"


def _paragraphs(e: Element) -> Iterator[Element]:
    for child in e:
        tag = LOCAL[child.tag]
        if tag in ("p", "h"):
            yield child
        elif tag not in _NO_TEXT:
            yield from _paragraphs(child)


def _squeezed(text: str) -> str:
    """White space in the XML as one space (6.1.2); spaces that count are elements."""
    return _SPACES.sub(" ", text) if "  " in text or "\n" in text or "\t" in text or "\r" in text else text


def _named(e: Element) -> dict[str, str]:
    return {LOCAL[k]: v for k, v in e.attrib.items()}


def _data_style(e: Element) -> _Style:
    style, code = _Style(), []
    for part in e:
        tag, given = LOCAL[part.tag], _named(part)
        if tag == "map":
            if found := _CONDITION.fullmatch(given.get("condition", "").strip()):
                sign = "<>" if found[1] == "!=" else found[1]
                style.maps.append((f"[{sign}{found[2]}]", given.get("apply-style-name", "")))
        elif tag == "number":
            code.append(_digits(part, given))
        elif tag == "text":
            # A percentage style writes its sign as a text.
            code += ["%" if p == "%" else _quoted(p) for p in re.split("(%)", part.text or "") if p]
    style.code = "".join(code)
    return style


def _digits(number: Element, given: Mapping[str, str]) -> str:
    digits = ["0"] * max(1, _count(given.get("min-integer-digits", "1")))
    for part in number:
        if LOCAL[part.tag] == "embedded-text":
            position = _count(_named(part).get("position", "0"))
            digits[:0] = ["0"] * (position + 1 - len(digits))
            at = len(digits) - position
            if 0 < at <= len(digits):
                digits[at - 1] += _quoted(part.text or "")
    places = given.get("decimal-places", "")
    fraction = "." + "0" * int(places) if places.isdigit() and int(places) else ""
    return "".join(digits) + fraction + "," * _thousands(given.get("display-factor"))


def _moment(text: str) -> dt.date | dt.datetime:
    moment = dt.datetime.fromisoformat(text.strip()[:26])
    return moment.date() if moment.time() == dt.time() else moment


def _duration(text: str) -> dt.time | dt.timedelta:
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    sign, days, hours, minutes, seconds = found.groups()
    span = dt.timedelta(int(days or 0), float(seconds or 0), 0, 0, int(minutes or 0), int(hours or 0))
    if not sign and span < dt.timedelta(1):
        return (dt.datetime.min + span).time()
    return -span if sign else span


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "") + '"' if text.strip() else ""


def _thousands(factor: str | None) -> int:
    """The number of commas in an Excel format code for a display factor."""
    try:
        return {1000.0: 1, 1e6: 2, 1e9: 3}.get(float(factor or 1), 0)
    except ValueError:
        return 0


def _count(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 1
