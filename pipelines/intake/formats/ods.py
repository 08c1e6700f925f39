"""The content of an OpenDocument spreadsheet to grids of cells, in one pass of expat.

Belongs here: cells, merges, what is hidden, formulas without a result, errors, number styles (OpenDocument 1.3 part 3, 9 and 16.29;
also the same of OpenOffice 1). calamine 0.9 refuses a document with white space between its cells, and drops TABs and repeated
spaces. Not here: the package around it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn
from xml.parsers import expat

from pipelines.intake.formats import number_format
from pipelines.intake.formats.markup import refuse_declarations
from pipelines.intake.sheets import FORM_LISTS, MOST_CELLS, Fault, Format, Formats, Grid, Refusal, broken

_ERROR = re.compile(r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!)|Err:\d{3}")
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")
_CONDITION = re.compile(r"value\(\)\s*(<=|>=|!=|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_NUMBERS = frozenset(["float", "percentage", "currency"])
_SPACES = re.compile(r"[ \t\r\n]+")
_PREFIX = re.compile(r"^\w+:(?==)")
_DATA_STYLES = frozenset(
    ["number-style", "percentage-style", "currency-style", "date-style", "time-style", "text-style"]
)
_DECLARES = ("文件里带有自定的文档类型（DTD）", "it brings a document type of its own")


class _Names(dict[str, str]):
    """The names of elements and attributes without their namespaces; the value type of the extension of Calc apart."""

    def __missing__(self, name: str) -> str:
        short = "calc-type" if "calc" in name and name.endswith(" value-type") else name.rpartition(" ")[2]
        if len(self) < 10_000:
            self[name] = short
        return short


_NAMES = _Names()


@dataclass(slots=True)
class _Style:
    """A data style as the code that Excel would write for it."""

    code: list[str] = field(default_factory=list)
    maps: list[tuple[str, str]] = field(default_factory=list)  # a condition of a code, and the style that applies then
    dated: bool = False


class _Reader:
    def __init__(self) -> None:
        self.grids: list[Grid] = []
        self.styles: dict[str, _Style] = {}
        self.data_of: dict[str, str] = {}  # cell style -> data style
        self.undisplayed: set[str] = set()
        self.style: _Style | None = None
        self.family = ""
        self.embedded: tuple[list[str], int, int] | None = None
        self.literal: list[str] | None = None
        self.row = self.column = self.declared = 0
        self.rows = self.across = 1
        self.cells: list[tuple[int, int, Any]] = []
        self.used: dict[tuple[int, int], tuple[str, bool]] = {}
        self.column_styles: list[tuple[int, str]] = []
        self.row_style = ""
        self.attrs: dict[str, str] | None = None
        self.paragraphs: list[str] = []
        self.text: list[str] | None = None
        self.skipping = self.nested = 0
        self.merges: list[tuple[int, int, int, int]] = []
        self.count = self.position = 0

    # ---- elements, by their names without prefixes

    def start(self, name: str, given: dict[str, str]) -> None:
        tag = _NAMES[name]
        attrs = {_NAMES[k]: v for k, v in given.items()}
        if self.attrs is not None:
            self.inside(tag, attrs)
        elif tag in ("table-cell", "covered-table-cell"):
            self.attrs, self.paragraphs, self.text = attrs, [], None
            self.across = _count(attrs.get("number-columns-repeated"))
        elif tag == "table-row":
            self.column, self.rows = 0, _count(attrs.get("number-rows-repeated"))
            self.row_style = attrs.get("default-cell-style-name", "")
            if attrs.get("visibility") in ("collapse", "filter") and self.rows < 10_000 and self.grids:
                self.grids[-1].hidden_rows.extend(range(self.row + 1, self.row + self.rows + 1))
        elif tag == "table-column" and self.grids:
            many = _count(attrs.get("number-columns-repeated"))
            if attrs.get("visibility") in ("collapse", "filter"):
                self.grids[-1].hidden_columns.append((self.declared, self.declared + many - 1))
            self.declared += many
            self.column_styles.append((self.declared, attrs.get("default-cell-style-name", "")))
        elif tag == "table":
            hidden = attrs.get("style-name", "") in self.undisplayed
            self.grids.append(Grid(attrs.get("name", ""), [], hidden=hidden))
            self.row = self.declared = 0
            self.cells, self.used, self.column_styles, self.merges = [], {}, [], []
        else:
            self.styled(tag, attrs)

    def inside(self, tag: str, attrs: dict[str, str]) -> None:
        """An element within a cell."""
        if tag in ("annotation", "shapes", "table", "ruby-text", "note", "frame"):
            self.skipping += 1
        elif self.skipping:
            return
        elif tag in ("p", "h"):
            self.text = []
        elif self.text is None:
            return
        elif tag == "s":
            self.text.append(" " * min(_count(attrs.get("c")), 1000))
        elif tag in ("tab", "tab-stop"):
            self.text.append("\t")
        elif tag == "line-break":
            self.text.append("\n")

    def styled(self, tag: str, attrs: dict[str, str]) -> None:
        """An element of a style."""
        if tag in _DATA_STYLES:
            self.style = self.styles[attrs.get("name", "")] = _Style(dated=tag in ("date-style", "time-style"))
        elif tag == "style":
            self.family = attrs.get("name", "")
            if attrs.get("data-style-name"):
                self.data_of[self.family] = attrs["data-style-name"]
        elif tag in ("table-properties", "properties") and attrs.get("display") == "false":
            self.undisplayed.add(self.family)
        elif self.style is None:
            return
        elif tag == "map":
            if found := _CONDITION.fullmatch(attrs.get("condition", "").strip()):
                sign = "<>" if found[1] == "!=" else found[1]
                self.style.maps.append((f"[{sign}{found[2]}]", attrs.get("apply-style-name", "")))
        elif tag in ("number", "scientific-number", "fraction"):
            whole = max(1, _count(attrs.get("min-integer-digits", "1")))
            places = int(attrs["decimal-places"]) if attrs.get("decimal-places", "").isdigit() else 0
            self.embedded = (["0"] * whole, places, _thousands(attrs.get("display-factor")))
        elif tag == "text":
            self.literal = []
        elif tag == "embedded-text" and self.embedded:
            position = _count(attrs.get("position", "0"))
            digits = self.embedded[0]
            digits[:0] = ["0"] * (position + 1 - len(digits))
            self.literal = []
            self.position = position

    def end(self, name: str) -> None:
        tag = _NAMES[name]
        if self.attrs is not None:
            if tag in ("annotation", "shapes", "table", "ruby-text", "note", "frame"):
                self.skipping = max(0, self.skipping - 1)
            elif tag in ("p", "h") and self.text is not None and not self.skipping:
                self.paragraphs.append("".join(self.text))
                self.text = None
            elif tag in ("table-cell", "covered-table-cell") and not self.skipping:
                self.cell(self.attrs)
                self.attrs = None
                self.column += self.across
        elif tag == "table-row":
            self.row += self.rows
        elif tag == "table" and self.grids:
            self.finish(self.grids[-1])
        elif tag in _DATA_STYLES:
            self.style = None
        elif tag == "embedded-text" and self.embedded and self.literal is not None:
            digits = self.embedded[0]
            at = len(digits) - self.position
            if 0 < at <= len(digits):
                digits[at - 1] += _quoted("".join(self.literal))
            self.literal = None
        elif tag == "number" and self.style and self.embedded:
            whole, places, thousands = self.embedded
            self.style.code.append("".join(whole) + ("." + "0" * places if places else "") + "," * thousands)
            self.embedded = None
        elif tag == "text" and self.style and self.literal is not None:
            literal = "".join(self.literal)
            # A percentage style writes its sign as a text.
            self.style.code.append("".join("%" if p == "%" else _quoted(p) for p in re.split("(%)", literal) if p))
            self.literal = None

    def characters(self, data: str) -> None:
        if self.literal is not None:
            self.literal.append(data)
        elif self.text is not None and not self.skipping:
            self.text.append(data if data.isalnum() else _SPACES.sub(" ", data))

    # ---- cells

    def cell(self, attrs: Mapping[str, str]) -> None:
        down, wide = 1, 1
        if "number-rows-spanned" in attrs or "number-columns-spanned" in attrs:
            down, wide = _count(attrs.get("number-rows-spanned")), _count(attrs.get("number-columns-spanned"))
        if (down > 1 or wide > 1) and len(self.merges) < 100_000:
            self.merges.append((self.row, self.column, self.row + down - 1, self.column + wide - 1))
        if not attrs and not self.paragraphs:
            return
        value = _value(attrs, "\n".join(self.paragraphs), bool(self.paragraphs))
        if value is None or value == "":
            return
        self.count += self.rows * self.across
        if self.count > MOST_CELLS:
            raise Refusal("too_large", size=f"> {MOST_CELLS:,} 格", limit=f"{MOST_CELLS:,} 格")
        kind = attrs.get("value-type")
        style = attrs.get("style-name") or self.row_style or self.column_style()
        for r in range(self.row, self.row + self.rows):
            for c in range(self.column, self.column + self.across):
                self.cells.append((r, c, value))
                if kind in _NUMBERS and (style or kind == "percentage"):
                    self.used[r, c] = style, kind == "percentage"

    def column_style(self) -> str:
        return next((s for end, s in self.column_styles if self.column < end), "")

    def finish(self, grid: Grid) -> None:
        grid.merges = self.merges
        if grid.hidden:
            # Not read, but for the id that a form of ours hides there.
            first = next((v for r, c, v in self.cells if (r, c) == (0, 0)), None)
            is_id = grid.name == FORM_LISTS and isinstance(first, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,80}", first)
            grid.rows = [[first]] if is_id else []
            return
        held = [(r, c, v) for r, c, v in self.cells if type(v) is not str or v.strip()]
        if not held:
            return
        grid.top, grid.left = min(r for r, _, _ in held), min(c for _, c, _ in held)
        last, right = max(r for r, _, _ in held), max(c for _, c, _ in held)
        height, width = last - grid.top + 1, right - grid.left + 1
        if height * width > MOST_CELLS:
            grid.refusal = Refusal("too_large", size=f"{height}×{width} 格", limit=f"{MOST_CELLS:,} 格")
            return
        grid.rows = [[""] * width for _ in range(height)]
        for r, c, v in self.cells:
            if grid.top <= r <= last and grid.left <= c <= right:
                grid.rows[r - grid.top][c - grid.left] = v
        grid.formats = partial(self.formats, grid, self.used)

    # ---- number styles

    def formats(self, grid: Grid, used: Mapping[tuple[int, int], tuple[str, bool]]) -> Formats:
        codes: dict[str, str] = {}
        out: dict[tuple[int, int], Format] = {}
        for (row, column), (style, percent) in used.items():
            if style not in codes:
                codes[style] = self.code(self.data_of.get(style, ""))
            value = grid.rows[row - grid.top][column - grid.left]
            if type(value) is not float:
                continue
            code = codes[style] or ("0%" if percent else "")
            if code and (found := number_format.of(code, value)):
                out[row, column] = found
        return out

    def code(self, name: str) -> str:
        style = self.styles.get(name)
        if style is None or style.dated:
            return ""
        own = "".join(style.code)
        mapped = [f"{c}{''.join(self.styles[n].code)}" for c, n in style.maps[:2] if n in self.styles]
        return ";".join([*mapped, own])


def read(content: bytes, styles: bytes = b"") -> list[Grid]:
    """The sheets of a content.xml; `styles` is the styles.xml beside it. Raises Refusal."""
    reader = _Reader()
    for part in (styles, content):
        if not part.strip():
            continue
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
        parser.CharacterDataHandler = reader.characters
        refuse_declarations(parser, _refuse)
        try:
            parser.Parse(part, True)
        except expat.ExpatError as e:
            raise broken(str(e)) from e
    return reader.grids


def _refuse() -> NoReturn:
    raise Refusal("unsafe", *_DECLARES)


def _value(attrs: Mapping[str, str], text: str, has_text: bool) -> Any:
    """What a cell holds; None where it is empty."""
    kind = attrs.get("value-type", "")
    formula = attrs.get("formula")
    if attrs.get("calc-type") == "error" or (formula is not None and _ERROR.fullmatch(text.strip())):
        return Fault("error", text.strip() or "#N/A")
    if formula is not None:
        shown = _PREFIX.sub("", formula).replace("[.", "").replace(":.", ":").replace("]", "")[:200]
        shown = shown if shown.startswith("=") else f"={shown}"
        if "DISPIMG(" in shown:
            return Fault("picture", shown)
        missing = kind in _NUMBERS and not attrs.get("value")
        if missing or (not kind and not text) or (kind == "string" and not has_text and "string-value" not in attrs):
            return Fault("formula", shown)
    try:
        if kind in _NUMBERS:
            return float(attrs["value"])
        if kind == "date":
            return _moment(attrs["date-value"])
        if kind == "time":
            return _duration(attrs["time-value"])
        if kind == "boolean":
            return attrs["boolean-value"] == "true"
    except (KeyError, ValueError, OverflowError):
        return text
    return text or attrs.get("string-value", "")


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
    """How many commas of Excel's a display factor is."""
    try:
        return {1000.0: 1, 1e6: 2, 1e9: 3}.get(float(factor or 1), 0)
    except ValueError:
        return 0


def _count(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 1
