"""Finds the tables of a grid and classifies each of their rows.

Belongs here: cutting a sheet into tables from header to header, and going through the rows of each. Not here: what makes a header
(header_rows.py), what makes a row no data (rules.py), or values. A row is data unless a rule says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.intake.layout.ends import ENDS
from pipelines.intake.layout.header_rows import HeaderCells, HeaderRows, Rows
from pipelines.intake.layout.headers import Headers
from pipelines.intake.layout.heading import HeadingFacts, read_heading
from pipelines.intake.layout.merges import Merges
from pipelines.intake.layout.plain import Plain
from pipelines.intake.layout.regions import Region, handed_on, regions
from pipelines.intake.layout.rows import RowKind, SheetRow, SheetRows
from pipelines.intake.layout.rules import LAST, RULES, judge
from pipelines.intake.layout.tables import Block, FoundTables, SheetTable, by_sections, tables_under
from pipelines.intake.layout.words import RowWords
from pipelines.intake.packed import LargeRows
from pipelines.intake.sheets import Grid

__all__ = ["Block", "Finder", "FoundTables", "SheetTable"]

_SCAN = 300  # rows looked at for a first header; a heading longer than that is not one
_HEADING = 20  # rows that may say something where there is no header


class Finder:
    """Finds tables in grids. Caches the texts classified, so use one Finder for many files."""

    def __init__(self, headers: Headers):
        self.headers = headers
        self.header_rows = HeaderRows(headers)
        self._words: dict[str, RowWords] = {}
        self._common = RowWords(headers.resolve, (headers.contracts.words,), (), headers.any_of_figures)

    def find(self, grid: Grid) -> FoundTables:
        """Split a grid into tables."""
        rows = grid.rows
        if not isinstance(rows, LargeRows):
            width = max(map(len, rows), default=0)
            for r in rows:
                if len(r) < width:
                    r.extend([""] * (width - len(r)))
        merges = Merges(grid)
        found = FoundTables([])
        whole = self._first_header(rows, merges, found)
        parts = regions(rows, whole, lambda a, b: self._first_header(HeaderCells(rows, a, b), Merges(grid, a, b), None))
        if parts:
            return self._side_by_side(grid, parts)
        if whole is None:
            found.facts = read_heading(rows[:_HEADING], self.headers)
        else:
            found.tables = self._tables(rows, whole, merges, None)
        return found

    def _first_header(self, rows: Rows, merges: Merges, found: FoundTables | None) -> Block | None:
        for i in range(min(len(rows), _SCAN)):
            if block := self.header_rows.at(rows, i, 0, merges, found):
                return block
        return None

    def _side_by_side(self, grid: Grid, parts: Sequence[Region]) -> FoundTables:
        """Read the regions of a sheet separately."""
        found = FoundTables([])
        highest = min(p.block.first for p in parts if p.block)
        heads = [read_heading(HeaderCells(grid.rows, p.left, p.right)[:highest], self.headers) for p in parts]
        for k, part in enumerate(parts):
            seen = HeaderCells(grid.rows, part.left, part.right)
            if part.block is None:
                found.beside.append((part.left, part.right))
                continue
            tables = self._tables(seen.cut(), part.block, Merges(grid, part.left, part.right), handed_on(heads, k))
            for t in tables:
                t.left, t.right = max(t.left, part.left), min(t.right, part.right)
                t.beside |= bool(found.tables) and t is tables[0]
            found.tables += tables
        return found

    def _tables(
        self, rows: list[list[Any]], block: Block | None, merges: Merges, known: HeadingFacts | None
    ) -> list[SheetTable]:
        """The tables from the header `block` on. `known`: values stated for them elsewhere in the sheet."""
        out: list[SheetTable] = []
        begin, width = 0, len(rows[0])
        while block:
            seen = HeaderCells(rows, *block.window) if block.window else HeaderCells(rows)
            facts = read_heading(seen[begin : block.first], self.headers)
            if known:  # what the sheet's first heading states holds until another is given
                facts.submitter = facts.submitter or known.submitter
                facts.units = facts.units or known.units
                facts.year = facts.year or known.year
                facts.labelled = known.labelled | facts.labelled
                facts.synthetic |= known.synthetic
                facts.texts += known.texts
            known = facts
            years = self.header_rows.years(seen, begin, block, merges)
            shared = self.header_rows.by_year(block, years)
            tables = tables_under(block, begin, width, facts, years, shared, rows, merges)
            end, block = self._rows(rows, tables, block, merges)
            out += by_sections(tables[0], rows) if len(tables) == 1 else tables
            begin = end
        return out

    def words(self, dataset: str) -> RowWords:
        """The classifier of row texts for a dataset, whose contract may add words."""
        contract = self.headers.contracts[dataset]
        if not (
            contract.total_rows or contract.words or contract.example_rows or contract.sectioned or contract.controls
        ):
            return self._common
        if dataset not in self._words:
            added = (self.headers.contracts.words, contract.words)
            self._words[dataset] = RowWords(
                self.headers.resolve,
                added,
                contract.total_rows,
                self.headers.any_of_figures,
                contract.example_rows,
                sectioned=contract.sectioned is not None,
                controls=contract.controls,
            )
        return self._words[dataset]

    def _rows(
        self, rows: list[list[Any]], tables: list[SheetTable], block: Block, merges: Merges
    ) -> tuple[int, Block | None]:
        """Assign the rows under a header to its tables, up to the next header. Return that header's first row and the header."""
        words = self.words(tables[0].choice.dataset)
        for t in tables:
            self._describe(t, merges)
        sheet = SheetRows(rows, merges, self.header_rows, tables, block, words, tables[0])
        end = self._go_through(sheet, len(rows[0]))
        if sheet.following:
            end = self._before_next(sheet)
        for t in tables:
            sheet.table = t
            while t.data:
                last = SheetRow(t.data[-1], rows[t.data[-1]], t.left, t.right, words)
                judged = judge(last, sheet, LAST)
                if judged is None:
                    break
                _keep(t, last.i, *judged)
                t.data.pop()
                t.columns, t.types = [], []
            if t.scratch:  # a total among them is none of the table's
                t.totals = [i for i in t.totals if i < t.scratch[0]]
            t.last = end - 1
        return end, sheet.following

    def _describe(self, t: SheetTable, merges: Merges) -> None:
        mapped = t.choice.mapped
        t.named = {m.place for m in mapped}
        t.covered = merges.covered(t.named)
        t.words = [m.place for m in mapped if m.column.required and m.column.kind == "string"]
        t.counters = {p for p, h in t.choice.unmapped if self.headers.is_serial(h)}
        t.counters |= {m.place for m in mapped if self.headers.is_serial(m.header)}

    def _go_through(self, sheet: SheetRows, width: int) -> int:
        """Classify the rows under a header. Return the row where they end."""
        rows, tables, words = sheet.rows, sheet.tables, sheet.words
        i = sheet.block.last + 1
        lone = tables[0] if len(tables) == 1 else None
        plain = _plain(lone, rows, words) if lone else None
        surely = plain.block(i) if plain else range(0)
        while i < len(rows):
            if lone and surely and i == surely.start:
                lone.data += surely
                i = surely.stop
                continue
            if lone and plain and i > sheet.until and (after := plain.after(i)) > i:
                lone.data += range(i, after)
                i = after
                continue
            cells = rows[i]
            row = SheetRow(i, cells, 0, width, words)
            judged = judge(row, sheet, ENDS)
            if judged and judged[0] is RowKind.END:
                for t in tables:
                    t.ended = judged[1]
                return i if sheet.following else len(rows)
            for t in tables:
                if judged:
                    _keep(t, i, *judged)
                    continue
                sheet.table = t
                whole = t.left == 0 and t.right == width
                its = judge(row if whole else SheetRow(i, cells, t.left, t.right, words), sheet, RULES)
                if its:
                    _keep(t, i, *its)
                else:
                    t.data.append(i)
            i += 1
        return i

    @staticmethod
    def _before_next(sheet: SheetRows) -> int:
        """Remove the rows right above the next header from the tables: its title, 续表, its unit, a group's name. Return where
        its heading begins."""
        following, tables, rows = sheet.following, sheet.tables, sheet.rows
        assert following is not None
        for t in tables:
            t.data = [r for r in t.data if r < following.first]
            while t.data and _is_heading(rows[t.data[-1]], t, *sheet.window):
                _keep(t, t.data.pop(), RowKind.HEADING, "heading_of_the_next")
        end = max([sheet.block.last + 1, *(r + 1 for t in tables for r in (*t.data[-1:], *t.totals[-1:]))])
        if tables[0].foreign:
            end = following.first
        for t in tables:
            t.sections = [s for s in t.sections if s < end]
        return end


def _plain(table: SheetTable, rows: list[list[Any]], words: RowWords) -> Plain:
    if not isinstance(rows, LargeRows):
        return Plain(table, rows, words)
    from pipelines.intake.layout.plain_columns import PlainColumns  # brings Arrow along

    return PlainColumns(table, rows, words)


def _keep(t: SheetTable, i: int, kind: RowKind, reason: str) -> None:
    """Record a row and its kind in a table."""
    if kind is RowKind.DATA:
        t.data.append(i)
        return
    t.reasons[i] = reason
    if kind is RowKind.TOTAL:
        t.totals.append(i)
    elif kind is RowKind.SECTION:
        t.sections.append(i)
    elif kind is RowKind.SIGNATURE:
        t.signed.append(i)
    elif kind is RowKind.SCRATCH:
        t.scratch.insert(0, i)  # they are found from below


def _is_heading(row: list[Any], t: SheetTable, left: int, right: int) -> bool:
    filled = [v for v in row[left:right] if v != ""]
    return all(type(v) is str for v in filled) and len(filled) <= max(1, len(t.choice.mapped) // 3)
