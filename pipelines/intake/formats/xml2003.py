"""Workbooks of Excel 2003 in one XML file (SpreadsheetML), often named .xls.

Belongs here: their cells, formats, merges, and what of them is hidden. Not here: sniffing. No entity is expanded, no DTD followed.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NoReturn
from xml.parsers import expat

from pipelines.intake.formats import runs
from pipelines.intake.formats.markup import DECLARES, MarkupError, Table, refuse_declarations, span
from pipelines.intake.sheets import MARK, Book, Fault

SPACE = "urn:schemas-microsoft-com:office:spreadsheet"
_EXCEL = "urn:schemas-microsoft-com:office:excel"
_NAMED = {"Percent": "0.00%", "Fixed": "0.00", "Standard": "#,##0.00"}
_MARKS = {"S": "struck", "Sup": "raised", "Sub": "raised"}  # of the HTML that a text may hold
_HIDDEN = ("SheetHidden", "SheetVeryHidden")


class _Workbook:
    """Takes the elements as they come and builds the tables."""

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self.from_1904 = False
        self.codes: dict[str, str] = {}  # number format by the id of a style
        self.parents: dict[str, str] = {}
        self.style = ""  # being defined
        self.of_columns: dict[int, str] = {}
        self.of_row = self.of_table = ""
        self.declared = 0  # columns of the sheet in hand
        self.down = 0  # rows that repeat the last row's hiding
        self.cell: dict[str, str] | None = None
        self.kind: str | None = None  # of the data in hand
        self.runs: list[runs.Run] = []
        self.marks: list[str] = []
        self.reading = self.commenting = False
        self.value: Any = ""
        self.filled = False  # whether the cell in hand has data, which may be an empty text

    def start(self, name: str, attrs: dict[str, str]) -> None:
        at = {k.rpartition(" ")[2]: v for k, v in attrs.items()}
        space, _, tag = name.rpartition(" ")
        if space == _EXCEL:
            if tag == "Visible" and self.tables:
                self.runs, self.reading = [], True
            self.from_1904 |= tag == "Date1904"
        elif space != SPACE:
            if self.kind is not None and tag in _MARKS:
                self.marks.append(tag)
        elif tag == "Style":
            self.style = at.get("ID", "")
            self.parents[self.style] = at.get("Parent", "Default")
        elif tag == "NumberFormat":
            if "Format" in at:
                self.codes[self.style] = _NAMED.get(at["Format"], at["Format"])
        elif tag == "Worksheet":
            self.tables.append(Table(at.get("Name", "")))
            self.declared = self.down = 0
            self.of_columns, self.of_table = {}, ""
        elif not self.tables:
            return
        elif tag == "Table":
            self.of_table = at.get("StyleID", "")
        elif tag == "Column":
            self.column(at)
        elif tag == "Row":
            self.row(at)
        elif tag == "Comment":
            self.commenting = True
        elif tag == "Cell":
            self.cell, self.value, self.filled = at, "", False
        elif tag == "Data" and not self.commenting:
            self.kind, self.runs, self.marks, self.reading = at.get("Type", "String"), [], [], True

    def end(self, name: str) -> None:
        space, _, tag = name.rpartition(" ")
        if space == _EXCEL and tag == "Visible" and self.reading:
            self.reading = False
            self.tables[-1].hidden = "".join(t for t, _, _ in self.runs).strip() in _HIDDEN
        elif space != SPACE:
            if self.marks and self.marks[-1] == tag:
                self.marks.pop()
        elif tag == "Comment":
            self.commenting = False
        elif tag == "Data" and not self.commenting and self.kind is not None:
            self.value = _typed(runs.joined(self.runs), self.kind)
            self.reading, self.kind, self.filled = False, None, True
        elif tag == "Cell" and self.cell is not None and self.tables:
            self.finish(self.cell)
            self.cell = None

    def characters(self, data: str) -> None:
        if self.reading:
            marks = [_MARKS[m] for m in self.marks] if self.marks else ()
            self.runs.append((data, "struck" in marks, "raised" in marks))

    def column(self, at: dict[str, str]) -> None:
        first = int(at["Index"]) - 1 if at.get("Index", "").isdigit() else self.declared
        many = min(1 + (span(at["Span"]) if "Span" in at else 0), 16_384)
        self.declared = first + many
        if at.get("Hidden") == "1" or _is_nothing(at.get("Width")):
            self.tables[-1].hidden_columns.append((first, first + many - 1))
        if "StyleID" in at:
            self.of_columns.update(dict.fromkeys(range(first, first + many), at["StyleID"]))

    def row(self, at: dict[str, str]) -> None:
        table = self.tables[-1]
        hidden = at.get("Hidden") == "1" or _is_nothing(at.get("Height"))
        table.row(int(at["Index"]) - 1 if at.get("Index", "").isdigit() else len(table.rows) + self.down)
        self.down = span(at["Span"]) if "Span" in at else 0  # rows below that are as this one, without cells
        self.of_row = at.get("StyleID", "")
        if hidden:
            table.hidden_rows.append(len(table.rows) - 1)

    def finish(self, at: dict[str, str]) -> None:
        table = self.tables[-1]
        column = int(at["Index"]) - 1 if "Index" in at and at["Index"].isdigit() else None
        value = self.value
        if "Formula" in at and not self.filled:
            value = Fault("formula", at["Formula"][:200])
        across = span(at.get("MergeAcross")) + 1 if "MergeAcross" in at else 1
        down = span(at.get("MergeDown")) + 1 if "MergeDown" in at else 1
        code = None
        if type(value) is float and self.codes:
            place = column if column is not None else len(table.rows[-1]) if table.rows else 0
            ids = (at.get("StyleID"), self.of_row, self.of_columns.get(place), self.of_table, "Default")
            code = self.code(next(i for i in ids if i))
        table.cell(value, across, down, column, code)

    def code(self, style: str) -> str | None:
        for _ in range(10):  # styles may be based on others
            if style in self.codes or style not in self.parents:
                break
            style = self.parents[style]
        return self.codes.get(style)


def open_xml(data: bytes, content: str) -> Book:
    """The worksheets of a workbook. Raises MarkupError where it is broken or brings a document type of its own."""
    book = _Workbook()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = (
        book.start,
        book.end,
        book.characters,
    )
    refuse_declarations(parser, _refuse)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as e:
        raise MarkupError(f"XML: {e}") from e
    return Book([t.grid() for t in book.tables], MARK in content, lambda: book.from_1904)


def _refuse() -> NoReturn:
    raise MarkupError(DECLARES, unsafe=True)


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
