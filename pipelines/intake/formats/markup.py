"""Workbooks that are really markup: HTML tables and XML-2003 (SpreadsheetML), both often named .xls.

Belongs here: their cells and merges. Not here: sniffing. No entity is expanded, no DTD or link is followed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any, NoReturn
from xml.parsers import expat

Merge = tuple[int, int, int, int]  # first row, first column, last row, last column; 0-based, inclusive
_MOST_CELLS = 5_000_000
DECLARES = "it brings a document type of its own"


class MarkupError(ValueError):
    """Markup that cannot be read; `unsafe` where it brings a document type of its own or claims an absurd size."""

    def __init__(self, why: str, unsafe: bool = False):
        super().__init__(why)
        self.unsafe = unsafe


class Table:
    """A table under construction: cells go where no span stands already."""

    def __init__(self, name: str = ""):
        self.name = name
        self.rows: list[list[Any]] = []
        self.merges: list[Merge] = []
        self.hidden_rows: list[int] = []
        self.hidden_columns: list[tuple[int, int]] = []  # first and last, 0-based
        self.hidden = False
        self._taken: dict[int, set[int]] = {}
        self._cells = 0

    def row(self, index: int | None = None) -> None:
        """Begins a row: the next, or the one at a 0-based index further down."""
        while index is not None and len(self.rows) < index:
            self.rows.append([])
            if len(self.rows) > 1_048_576:
                raise MarkupError("row number too large", unsafe=True)
        self.rows.append([])

    def cell(self, value: Any, across: int = 1, down: int = 1, column: int | None = None) -> None:
        """Puts a cell into the current row, `across` columns wide and `down` rows high."""
        if not self.rows:
            self.row()
        r, row = len(self.rows) - 1, self.rows[-1]
        taken = self._taken.get(r, set())
        c = len(row) if column is None else column
        while column is None and c in taken:
            c += 1
        across, down = max(1, min(across, 16_384)), max(1, min(down, 65_536))
        self._cells += max(c + across - len(row), 0) + (down - 1) * across
        if self._cells > _MOST_CELLS or c > 16_384:
            raise MarkupError("spans too large", unsafe=True)
        row.extend([""] * (c - len(row)))
        row[c : c + across] = [value, *[""] * (across - 1)]
        for i in range(r + 1, r + down):
            self._taken.setdefault(i, set()).update(range(c, c + across))
        if across > 1 or down > 1:
            self.merges.append((r, c, r + down - 1, c + across - 1))


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Table] = []
        self.open: list[Table] = []
        self.cell: list[tuple[list[str], int, int]] = []  # of each open table: text so far, across, down
        self.skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self.skipping += 1
        elif tag == "table":
            self.tables.append(Table())
            self.open.append(self.tables[-1])
            self.cell.append(([], 0, 0))
        elif not self.open:
            return
        elif tag == "tr":
            self.finish()
            self.open[-1].row()
        elif tag in ("td", "th"):
            self.finish()
            given = dict(attrs)
            self.cell[-1] = ([], _span(given.get("colspan")), _span(given.get("rowspan")))
        elif tag in ("br", "p", "div") and self.cell[-1][1]:
            self.cell[-1][0].append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.skipping = max(0, self.skipping - 1)
        elif tag in ("td", "th", "tr") and self.open:
            self.finish()
        elif tag == "table" and self.open:
            self.finish()
            self.open.pop()
            self.cell.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.cell[-1][1] and not self.skipping:
            self.cell[-1][0].append(data)

    def finish(self) -> None:
        text, across, down = self.cell[-1]
        if across:
            self.open[-1].cell("".join(text).replace("\xa0", " ").strip(), across, down)
            self.cell[-1] = ([], 0, 0)


def _span(text: str | None) -> int:
    return int(text) if text and text.strip().isdigit() else 1


def html_tables(text: str) -> list[Table]:
    """Every table with a cell in it, in the order they begin; a table in a table is one of its own."""
    parser = _Html()
    parser.feed(text)
    parser.close()
    while parser.open:
        parser.handle_endtag("table")
    return [t for t in parser.tables if any(c for r in t.rows for c in r)]


_SS = "urn:schemas-microsoft-com:office:spreadsheet"
_EXCEL = "urn:schemas-microsoft-com:office:excel"


def xml2003_tables(data: bytes) -> list[Table]:
    """The worksheets of an XML-2003 workbook. Raises MarkupError where it is broken or brings a document type of its own."""
    tables: list[Table] = []
    text: list[str] = []
    cell: dict[str, Any] = {}
    reading = commenting = False
    columns = 0  # of the sheet in hand, as declared so far

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal reading, commenting, columns
        at = {k.rpartition(" ")[2]: v for k, v in attrs.items()}
        space, _, tag = name.rpartition(" ")
        if space == _EXCEL and tag == "Visible" and tables:
            text.clear()
            reading = True
        if space != _SS:
            return
        if tag == "Worksheet":
            tables.append(Table(at.get("Name", "")))
            columns = 0
        elif tag == "Column" and tables:
            first = int(at["Index"]) - 1 if at.get("Index", "").isdigit() else columns
            columns = first + 1 + (_span(at["Span"]) if "Span" in at else 0)
            if at.get("Hidden") == "1":
                tables[-1].hidden_columns.append((first, columns - 1))
        elif tag == "Comment":
            commenting = True
        elif tag == "Row" and tables:
            t = tables[-1]
            index = int(at["Index"]) - 1 if at.get("Index", "").isdigit() else None
            t.row(index)
            if at.get("Hidden") == "1":
                t.hidden_rows.append(len(t.rows) - 1)
        elif tag == "Cell" and tables:
            cell.clear()
            cell["column"] = int(at["Index"]) - 1 if at.get("Index", "").isdigit() else None
            cell["across"] = _span(at.get("MergeAcross")) + 1 if "MergeAcross" in at else 1
            cell["down"] = _span(at.get("MergeDown")) + 1 if "MergeDown" in at else 1
            cell["value"] = ""
        elif tag == "Data" and tables and not commenting:
            cell["type"] = at.get("Type", "String")
            text.clear()
            reading = True

    def end(name: str) -> None:
        nonlocal reading, commenting
        space, _, tag = name.rpartition(" ")
        if space == _EXCEL and tag == "Visible" and reading:
            reading = False
            tables[-1].hidden = "".join(text).strip() in ("SheetHidden", "SheetVeryHidden")
        if space != _SS or not tables:
            return
        if tag == "Comment":
            commenting = False
        elif tag == "Data" and not commenting:
            reading = False
            cell["value"] = _typed("".join(text), cell.get("type", "String"))
        elif tag == "Cell" and cell:
            tables[-1].cell(cell["value"], cell["across"], cell["down"], cell["column"])

    def characters(data: str) -> None:
        if reading:
            text.append(data)

    def refuse() -> NoReturn:
        raise MarkupError(DECLARES, unsafe=True)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    refuse_declarations(parser, refuse)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as e:
        raise MarkupError(f"XML: {e}") from e
    return tables


def refuse_declarations(parser: expat.XMLParserType, refuse: Callable[[], NoReturn]) -> None:
    """Has a parser call `refuse`, which raises, at a document type that declares anything: no spreadsheet program writes one."""

    def begins(_name: str, _system: str | None, _public: str | None, declares: bool) -> None:
        if declares:
            refuse()

    parser.StartDoctypeDeclHandler = begins
    parser.EntityDeclHandler = lambda *_: refuse()
    parser.ExternalEntityRefHandler = lambda *_: refuse()


def _typed(text: str, kind: str) -> Any:
    try:
        if kind == "Number":
            return float(text)
        if kind == "DateTime":
            moment = dt.datetime.fromisoformat(text)
            return moment.date() if moment.time() == dt.time() else moment
    except ValueError:
        return text
    return text.strip() == "1" if kind == "Boolean" else text
