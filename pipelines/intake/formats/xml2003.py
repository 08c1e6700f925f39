"""Reads Excel 2003 workbooks in one XML file (SpreadsheetML), often named .xls.

Belongs here: their cells, formats, merges, formulas, and what of them is hidden. Not here: sniffing. No entity is expanded, no DTD
followed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element

from pipelines.intake.formats import computed, expressions, number_format, runs
from pipelines.intake.formats.computed import CellReference, Formula
from pipelines.intake.formats.markup import LOCAL, MarkupError, elements, in_utf_8, span
from pipelines.intake.sheets import MARK, Book, Fault, Grid, Merge

SPACE = "urn:schemas-microsoft-com:office:spreadsheet"
_IN_SPACE, _IN_EXCEL = f"{{{SPACE}}}", "{urn:schemas-microsoft-com:office:excel}"
_WHOLE = frozenset(["Style", "Column", "Row"])
_NAMED = {"Percent": "0.00%", "Fixed": "0.00", "Standard": "#,##0.00", "General Date": "yyyy-mm-dd hh:mm", "Long Date": "yyyy-mm-dd",
          "Medium Date": "d-mmm-yy", "Short Date": "yyyy-mm-dd", "Long Time": "hh:mm:ss", "Medium Time": "hh:mm", "Short Time": "hh:mm"}  # fmt: skip
_MARKS = {"S": (True, False), "Sup": (False, True), "Sub": (False, True)}  # of the HTML in a text: struck out, raised
_HIDDEN = ("SheetHidden", "SheetVeryHidden")
_MOST_CELLS, _LAST_ROW, _LAST_COLUMN, _TALLEST = 5_000_000, 1_048_575, 16_383, 65_536


class _XmlStyles:
    def __init__(self) -> None:
        self.codes: dict[str, str] = {}  # number format by the id of a style
        self.parents: dict[str, str] = {}

    def add(self, e: Element) -> None:
        at = _named(e)
        style = at.get("ID", "")
        self.parents[style] = at.get("Parent", "Default")
        for child in e:
            if LOCAL[child.tag] == "NumberFormat" and (code := _named(child).get("Format")) is not None:
                self.codes[style] = _NAMED.get(code, code)

    def code(self, style: str) -> str | None:
        for _ in range(10):  # styles may be based on others
            if style in self.codes or style not in self.parents:
                break
            style = self.parents[style]
        return self.codes.get(style)


class _XmlSheet:
    """A worksheet while it is read."""

    def __init__(self, name: str, styles: _XmlStyles, from_1904: bool):
        self.grid = Grid(name, [])
        self.styles, self.from_1904 = styles, from_1904
        self.lines: list[tuple[int, list[Any]]] = []
        self.merges: list[Merge] = []
        self.taken: dict[int, set[int]] = {}  # columns that cells merged downwards cover, by row
        self.codes: dict[tuple[int, int], str] = {}
        self.formulas: list[Formula] = []
        self.of_columns: dict[int, str] = {}
        self.of_table = ""
        self.declared = self.row = self.cells = 0
        self.spelled_zero = False

    def read_column(self, e: Element) -> None:
        at = _named(e)
        first = _index(at, self.declared)
        many = min(1 + (span(at["Span"]) if "Span" in at else 0), _LAST_COLUMN + 1)
        self.declared = first + many
        if at.get("Hidden") == "1" or _is_nothing(at.get("Width")):
            self.grid.hidden_columns.append((first, first + many - 1))
        if "StyleID" in at:
            self.of_columns.update(dict.fromkeys(range(first, first + many), at["StyleID"]))

    def read_row(self, e: Element) -> None:
        at = _named(e)
        self.row = _index(at, self.row)
        if self.row > _LAST_ROW:
            raise MarkupError("row number too large", unsafe=True)
        if at.get("Hidden") == "1" or _is_nothing(at.get("Height")):
            self.grid.hidden_rows.append(self.row + 1)
        taken = self.taken.pop(self.row, set())
        line: list[Any] = []
        column = 0
        for cell in e:
            if LOCAL[cell.tag] != "Cell":
                continue
            given = _named(cell) if cell.attrib else {}
            if "Index" in given:
                column = _index(given, column)
            while column in taken and "Index" not in given:
                column += 1
            across = self.merge(given, column) if "MergeAcross" in given or "MergeDown" in given else 1
            self.cells += 1
            if column > _LAST_COLUMN or self.cells > _MOST_CELLS:
                raise MarkupError("spans too large", unsafe=True)
            value = self.value(cell, given, column)
            line.extend([""] * (column - len(line)))
            line[column : column + 1] = [value]
            if type(value) is float and self.styles.codes:
                line[column] = self.shown(value, given, at, column)
            column += across
        self.lines.append((self.row, line))
        self.row += 1 + (span(at["Span"]) if "Span" in at else 0)  # rows below that are as this one, without cells

    def merge(self, given: Mapping[str, str], column: int) -> int:
        """Store a merged cell; gives its width."""
        across, down = (1 + (span(given[k]) if k in given else 0) for k in ("MergeAcross", "MergeDown"))
        across, down = min(across, _LAST_COLUMN + 1), min(down, _TALLEST)
        self.cells += (down - 1) * across
        if self.cells > _MOST_CELLS:
            raise MarkupError("spans too large", unsafe=True)
        for row in range(self.row + 1, self.row + down):
            self.taken.setdefault(row, set()).update(range(column, column + across))
        if across > 1 or down > 1:
            self.merges.append((self.row, column, self.row + down - 1, column + across - 1))
        return across

    def value(self, cell: Element, given: Mapping[str, str], column: int) -> Any:
        data = next((child for child in cell if LOCAL[child.tag] == "Data"), None)
        value: Any = ""
        if data is not None:
            kind = data.get(f"{_IN_SPACE}Type") or data.get("Type")
            value = _typed(runs.joined(list(_runs(data))) if len(data) else data.text or "", kind or "String")
        if (text := given.get("Formula")) is not None and not (isinstance(value, Fault) and data is not None):
            cached = value if type(value) in (float, bool) or value else None
            self.spelled_zero |= cached == 0 and data is not None and (data.text or "").strip() == "0.0"
            area = _area(given.get("ArrayRange", ""), self.row, column)
            self.formulas.append(Formula(self.row, column, cached, text, text[:200], data is None, area))
            return Fault("formula", text[:200]) if data is None else value
        return value

    def shown(self, value: float, given: Mapping[str, str], row: Mapping[str, str], column: int) -> Any:
        """Convert a number, or the date or time that its format displays; store any other format."""
        ids = given.get("StyleID"), row.get("StyleID"), self.of_columns.get(column), self.of_table, "Default"
        code = self.styles.code(next(i for i in ids if i)) or ""
        if number_format.shows_date(code):
            with contextlib.suppress(OverflowError, ValueError):
                return number_format.moment(value, code, self.from_1904)
        elif number_format.changes_numbers(code):
            self.codes[self.row, column] = code
        return value

    def finish(self) -> None:
        if self.grid.hidden:
            return  # not read
        self.grid.lay(self.lines)
        self.grid.merges = self.merges
        self.grid.formats = partial(number_format.of_cells, self.grid, self.codes)


def open_xml(content: str) -> Book:
    """The worksheets of a workbook. Raises MarkupError where it is broken or brings a document type of its own."""
    styles, sheets, from_1904 = _XmlStyles(), list[_XmlSheet](), False
    for begins, tag, e in elements(in_utf_8(content), _WHOLE):
        if e.tag.startswith(_IN_EXCEL):
            from_1904 |= tag == "Date1904"
            if tag == "Visible" and not begins and sheets:
                sheets[-1].grid.hidden = (e.text or "").strip() in _HIDDEN
        elif not e.tag.startswith(_IN_SPACE):
            continue
        elif tag == "Style":
            styles.add(e)
        elif tag == "Worksheet" and begins:
            sheets.append(_XmlSheet(_named(e).get("Name", ""), styles, from_1904))
        elif not sheets:
            continue
        elif tag == "Table" and begins:
            sheets[-1].of_table = _named(e).get("StyleID", "")
        elif tag == "Column":
            sheets[-1].read_column(e)
        elif tag == "Row":
            sheets[-1].read_row(e)
    for sheet in sheets:
        sheet.finish()
    computed.put_faults(
        [(s.grid, s.formulas) for s in sheets],
        lambda source: expressions.steps(source, "r1c1", (0, 0)),
        any(s.spelled_zero for s in sheets),
    )
    return Book([s.grid for s in sheets], MARK in content, lambda: from_1904)


def _named(e: Element) -> dict[str, str]:
    return {LOCAL[k]: v for k, v in e.attrib.items()}


def _index(at: Mapping[str, str], following: int) -> int:
    """The position that an element states, 0-based, or the next one."""
    given = at.get("Index", "")
    return max(int(given) - 1, 0) if given.isdigit() else following


def _runs(e: Element, struck: bool = False, raised: bool = False) -> Iterator[runs.Run]:
    if e.text:
        yield e.text, struck, raised
    for child in e:
        marks = _MARKS.get(LOCAL[child.tag], (False, False))
        yield from _runs(child, struck or marks[0], raised or marks[1])
        if child.tail:
            yield child.tail, struck, raised


def _area(reference: str, row: int, column: int) -> Merge | None:
    """The cells of a reference such as RC:R[2]C, as seen from a cell."""
    steps = expressions.steps(reference, "r1c1", (0, 0)) if reference else None
    if not steps or len(steps) != 1 or steps[0][0] != "cells":
        return None
    corners: list[CellReference] = steps[0][1][1:]
    rows, columns = computed.resolved(corners, (row, column))
    return rows[0], columns[0], rows[-1], columns[-1]


def _is_nothing(size: str | None) -> bool:
    """Whether a height or a width is 0."""
    try:
        return size is not None and float(size) == 0
    except ValueError:
        return False


def _typed(text: str | Fault, kind: str) -> Any:
    if isinstance(text, Fault):
        return text
    try:
        if kind == "Number":
            return float(text)
        if kind == "DateTime":
            moment = dt.datetime.fromisoformat(text)
            return moment.date() if moment.time() == dt.time() else moment
    except ValueError:
        return text
    if kind == "Error":
        return Fault("error", text)
    return text.strip() == "1" if kind == "Boolean" else text
