"""Reads one file: bytes to typed values, an account of every row, and issues.

Belongs here: putting together what book, tables, heading and cells find, and saying it as `FileReading`. Not here: rules over
values (ranges, lists, keys, empty cells), other files, or any disk but the one file.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from expectations.contract import Contract, Contracts, header_key
from pipelines.core.digests import file_sha256
from pipelines.core.letters import column_letter, column_number
from pipelines.core.text import squeeze
from pipelines.intake import blocks
from pipelines.intake.columns import Plans, TableReader, controls
from pipelines.intake.formats import open_book, text
from pipelines.intake.issues import issue, ranges
from pipelines.intake.layout import Block, Finder, FoundTables, SheetTable
from pipelines.intake.layout.headers import Choice, Headers, Mapped
from pipelines.intake.layout.heading import HeadingFacts
from pipelines.intake.messages import shown
from pipelines.intake.model import FileReading, Issue, MappedColumn, SheetReading
from pipelines.intake.packed import LargeRows
from pipelines.intake.sheets import EXCERPT, LARGEST_FILE, LARGEST_TEXT, Book, Grid, Refusal, form_of, megabytes

_FOLD_TITLE = re.compile(r"[表册账]$|情况$|统计$|台账$|明细$|汇总$")


class FileReader:
    """Reads files against one set of contracts. Caches the mapping of headers, so use one for many files."""

    def __init__(self, contracts: Contracts):
        self.contracts = contracts
        self.headers = Headers(contracts)
        self.finder = Finder(self.headers)
        self.titles = {n: _fold_title(c.title_zh) for n, c in contracts.items()}
        self.plans = Plans(contracts, self.headers)
        self._placed: dict[tuple[int, int, int, int], tuple[Choice, list[MappedColumn]]] = {}

    def read(self, data: bytes, name: str, file_id: str | None = None) -> FileReading:
        """Read the bytes of a file called `name` (which only breaks ties). `file_id`: its sha256, if already known."""
        return self.read_book(self.open_book(data), name, file_id or hashlib.sha256(data).hexdigest())

    @staticmethod
    def open_book(data: bytes) -> Book | Refusal:
        """The first half: open a file as grids of cells, or refuse it."""
        try:
            return open_book(data)
        except Refusal as e:
            return e

    def read_book(self, book: Book | Refusal, name: str, file_id: str) -> FileReading:
        """The second half: parse the cells of an opened file."""
        if isinstance(book, Refusal):
            return refused(file_id, name, book)
        result = FileReading(file_id, name, "accepted", synthetic=book.synthetic)
        self._sheets(book, result)
        _judge(result, self._near)
        return result

    # ---- sheets

    def _sheets(self, book: Book, result: FileReading) -> None:
        idle: list[tuple[Grid, FoundTables]] = []
        form = form_of(book)
        for grid in book.grids:
            if grid.hidden:
                result.sheets.append(SheetReading(grid.name, status="ignored", reason="hidden"))
            elif grid.refusal:
                result.sheets.append(_unread(grid))
            elif _is_excerpt(grid):
                found_issue = issue(grid.name, "unknown_dataset", "error", "excerpt", row=grid.top + 1)
                result.sheets.append(SheetReading(grid.name, status="rejected", reason="excerpt", issues=[found_issue]))
            elif not any(v != "" for r in grid.rows for v in r):
                n = len(grid.rows)
                result.sheets.append(
                    SheetReading(grid.name, status="ignored", reason="empty", rows_read=n, rows_explained=n)
                )
            else:
                found = self.finder.find(grid)
                left_out = self._leave_out(grid, found) + self._of_areas(book, grid, result, form)
                result.sheets += left_out
                result.synthetic |= found.facts.synthetic or any(t.facts.synthetic for t in found.tables)
                if found.tables:
                    result.sheets += self._tables(book, grid, found, result.name, form)
                elif not left_out:
                    idle.append((grid, found))
                    result.sheets.append(SheetReading(grid.name))
        for dataset in {s.dataset for s in result.sheets if s.dataset and self.contracts[s.dataset].in_blocks}:
            blocks.join(self.contracts[dataset], [s for s in result.sheets if s.dataset == dataset and s.values])
        taken = any(s.dataset for s in result.sheets)
        for grid, found in idle:
            sheet = next(
                s for s in result.sheets if s.sheet == grid.name and s.dataset is None and s.status == "accepted"
            )
            self._no_table(sheet, grid, found, result.name, taken, form)

    def _leave_out(self, grid: Grid, found: FoundTables) -> list[SheetReading]:
        """Take out the tables of datasets that are read from other sheets alone, and account for their rows."""
        out, kept = [], []
        for table in found.tables:
            named = self.contracts[table.choice.dataset].sheets
            parts = [p for p in named if p.fits(grid.name)]
            if not named or not grid.name or any(p.area is None for p in parts):
                kept.append(table)
                continue
            if parts:
                continue  # read from these areas
            n = table.last - table.first + 1
            out.append(SheetReading(grid.name, status="ignored", reason="no_table", rows_read=n, rows_explained=n))
        found.tables = kept
        return out

    def _of_areas(self, book: Book, grid: Grid, result: FileReading, form: str | None) -> list[SheetReading]:
        """Read the parts of a sheet that contracts name; what is around them is explained."""
        out: list[SheetReading] = []
        for dataset, contract in self.contracts.items():
            for part in contract.sheets:
                if part.area is None or not grid.name or not part.fits(grid.name):
                    continue
                cut = _cut(grid, part.area)
                found = self.finder.find(cut)
                found.tables = [t for t in found.tables if t.choice.dataset == dataset]
                result.synthetic |= any(t.facts.synthetic for t in found.tables)
                found.beside = []
                out += self._tables(book, cut, found, result.name, form) if found.tables else []
        return out

    def _no_table(
        self, sheet: SheetReading, grid: Grid, found: FoundTables, name: str, taken: bool, form: str | None
    ) -> None:
        """Add the issue of a sheet without a reading: a dataset that lacks columns, or no known dataset."""
        near = self._incomplete(found.nearest, found.facts, grid.name, name, form) if found.nearest else None
        if near and found.nearest:
            contract = self.contracts[near.dataset]
            sheet.dataset, sheet.status, sheet.reason = near.dataset, "rejected", "missing_column"
            columns = _named(contract, near.lacking)
            row = grid.top + found.nearest.last + 1
            sheet.issues.append(
                issue(
                    grid.name,
                    "missing_column",
                    "error",
                    None if near.missing else "figures",
                    row=row,
                    column=near.lacking[0],
                    words={"title": contract.title_zh, "title_en": contract.title_en, "columns": columns},
                )
            )
            sheet.columns = _columns(near.mapped, near.unmapped, grid, found.nearest.last + 1, len(grid.rows) - 1)
            sheet.issues += self._unmapped(near, grid, row)
        elif taken:
            sheet.status, sheet.reason = "ignored", "no_table"
            sheet.rows_read = sheet.rows_explained = len(grid.rows)
        else:
            sheet.status, sheet.reason = "rejected", "unknown_dataset"
            best = found.nearest.choices[0] if found.nearest else None
            if best and found.nearest and len(best.mapped) > 1:
                # Its headers are kept as they stand: the report of drift says which dataset they come nearest to.
                texts = [(m.place, m.header) for m in best.mapped]
                sheet.columns = _columns(
                    (), sorted([*texts, *best.unmapped]), grid, found.nearest.last + 1, len(grid.rows) - 1
                )

    def _near(self, sheet: SheetReading) -> dict[str, str]:
        """Words for the dataset that an unrecognised sheet's headers come nearest to; {} where none does."""
        near = self.headers.choices([c.header for c in sheet.columns]) if sheet.columns else ()
        if (
            not near or not near[0].lacking or 2 * len(near[0].mapped) < near[0].names
        ):  # 序号 and 类型 among others are no likeness
            return {}
        contract = self.contracts[near[0].dataset]
        lost = _named(contract, near[0].lacking)
        return {"title": contract.title_zh, "title_en": contract.title_en, "columns": lost}

    def _incomplete(self, block: Block, facts: HeadingFacts, sheet: str, name: str, form: str | None) -> Choice | None:
        """The dataset that a sheet clearly belongs to although required columns are missing; None where ambiguous."""
        lacking = [c for c in block.choices if c.lacking]  # else it has too many headers that nobody knows
        ranked = sorted(lacking, key=lambda c: (len(c.missing) - len(c.mapped), len(c.missing)))
        hints = {c.dataset: self._hint(c.dataset, facts, sheet, name, form) for c in ranked}
        for c in ranked:
            enough = (
                len(c.mapped) >= 2 or not c.missing
            )  # one name alone may be any cell's, but for a key that is all there
            if hints[c.dataset] and enough and hints[c.dataset] == max(hints.values()):
                return c
        if not ranked:
            return None
        best = ranked[0]
        rivals = [c for c in ranked[1:] if len(c.missing) - len(c.mapped) <= len(best.missing) - len(best.mapped) + 1]
        have = sum(1 for m in best.mapped if m.column.required)
        clear = len(best.mapped) >= 4 and len(best.mapped) >= 0.75 * best.names and have >= 2 * len(best.missing)
        return best if clear and not rivals else None

    def _hint(self, dataset: str, facts: HeadingFacts, sheet: str, name: str, form: str | None) -> int:
        """The strength with which a file indicates a dataset: 4 by a form's id, 3 in the heading, 2 in the sheet's name, 1 in its own."""
        if dataset == form:
            return 4
        title = self.titles[dataset]
        if any(title in t for t in facts.texts):
            return 3
        if title in squeeze(sheet):
            return 2
        return 1 if title in squeeze(name) else 0

    def placed(self, choice: Choice, grid: Grid, first: int, last: int) -> list[MappedColumn]:
        """The positions of a table's columns; `first` and `last` are its rows, 0-based in the grid."""
        key = id(choice), grid.left, first + grid.top, last + grid.top
        known = self._placed.get(key)
        if known is None or known[0] is not choice:
            if len(self._placed) > 5_000:
                self._placed.clear()
            known = self._placed[key] = choice, _columns(choice.mapped, choice.left_out, grid, first, last)
        return known[1].copy()

    # ---- tables

    def _tables(self, book: Book, grid: Grid, found: FoundTables, name: str, form: str | None) -> list[SheetReading]:
        out = []
        made: dict[str, list[tuple[SheetTable, SheetReading]]] = {}
        for table in found.tables:
            choice = table.choice
            if table.tied:
                rivals = (choice, *table.tied)
                hints = [self._hint(c.dataset, table.facts, grid.name, name, form) for c in rivals]
                best = max(hints)
                if best == 0 or hints.count(best) > 1:
                    out.append(self._ambiguous(grid, table, rivals))
                    continue
                table.choice = rivals[hints.index(best)]
            out.append(self._table(book, grid, table, name))
            made.setdefault(table.choice.dataset, []).append((table, out[-1]))
        for dataset, these in made.items():
            controls.hold(self.contracts[dataset], grid, these)
        for left, right in found.beside:
            row = next(r for r, cells in enumerate(grid.rows) if any(v != "" for v in cells[left:right]))
            at = grid.top + row + 1
            columns = f"{column_letter(grid.left + left)}—{column_letter(grid.left + right - 1)}"
            found_issue = issue(
                grid.name, "unmapped_column", "warning", "beside", {"columns": columns, "row": str(at)}, row=at
            )
            out[0].issues.append(found_issue)
        if grid.hidden_rows:
            read = set(grid.hidden_rows)
            for s in out:
                hidden = read.intersection(s.rows)
                if hidden:
                    s.issues.append(
                        issue(
                            grid.name, "doubtful", "warning", "hidden_rows", {"rows": ranges(hidden)}, row=min(hidden)
                        )
                    )
        if grid.hidden_columns:
            for s in out:
                unseen = [
                    c
                    for c in s.columns
                    if c.column and any(a <= column_number(c.letter) <= b for a, b in grid.hidden_columns)
                ]
                if unseen and s.rows:
                    words = {"columns": "、".join(f"{c.letter} 列“{shown(c.header)}”" for c in unseen)}
                    row = unseen[0].first_row - 1
                    s.issues.append(issue(grid.name, "doubtful", "warning", "hidden_columns", words, row=row))
        return out

    def _table(self, book: Book, grid: Grid, table: SheetTable, name: str) -> SheetReading:
        at, choice = table.header[1], table.choice
        columns = self.placed(choice, grid, at + 1, table.last)
        issues = self._unmapped(choice, grid, grid.top + at + 1) if choice.unmapped else []
        if grid.name == "":
            issues += self._too_wide(grid, table)
        sheet = TableReader(self.plans, book, grid, table, name).read(columns, issues)
        if table.scratch:
            rows = [grid.top + i + 1 for i in table.scratch]
            words = {"rows": ranges(set(rows)), "count": str(len(rows))}
            sheet.issues.append(issue(grid.name, "doubtful", "warning", "below_signature", words, row=rows[0]))
        if table.foreign:
            first, last = (grid.top + r for r in (table.foreign[0] + 1, table.foreign[1]))
            words = {"first": str(first), "last": str(last)}
            sheet.issues.append(issue(grid.name, "unknown_dataset", "error", "below", words, row=first))
            sheet.status = "partial"
        return sheet

    @staticmethod
    def _too_wide(grid: Grid, table: SheetTable) -> list[Issue]:
        """Refuse rows of a text file that have more filled cells than the header: a comma inside a value splits it."""
        choice = table.choice
        last = max([m.place for m in choice.mapped] + [p for p, _ in choice.unmapped])
        if isinstance(grid.rows, LargeRows):
            beyond = grid.rows.with_any(range(last + 1, table.right))
            wide = [i for i in table.data if i in beyond] if beyond else []
        else:
            wide = [i for i in table.data if any(v != "" for v in grid.rows[i][last + 1 : table.right])]
        if 2 * len(wide) > len(table.data):
            return []  # a column without a header
        rows = [grid.top + i + 1 for i in wide]
        return [issue("", "bad_type", "error", "wide", {"row": str(r)}, row=r, quarantines=True) for r in rows]

    def _ambiguous(self, grid: Grid, table: SheetTable, rivals: Iterable[Choice]) -> SheetReading:
        titles = [self.contracts[c.dataset] for c in rivals]
        found_issue = issue(
            grid.name,
            "ambiguous_dataset",
            "error",
            row=grid.top + table.header[1] + 1,
            words={
                "titles": "、".join(c.title_zh for c in titles),
                "titles_en": ", ".join(c.title_en for c in titles),
            },
        )
        return SheetReading(grid.name, status="rejected", reason="ambiguous_dataset", issues=[found_issue])

    def _unmapped(self, choice: Choice, grid: Grid, row: int) -> list[Issue]:
        taken = [m.column.name for m in choice.mapped]
        out = []
        for at, header in choice.left_out:
            if self.headers.is_serial(header) or header_key(header) in self.contracts[choice.dataset].unused:
                continue
            twin = next((m for m in self.headers.resolve(header) if m.dataset == choice.dataset), None)
            if twin:
                place = next(m.place for m in choice.mapped if m.column.name == twin.column)
                words = {"header": shown(header), "first": column_letter(grid.left + place)}
                cell = f"{column_letter(grid.left + at)}{row}"
                out.append(
                    issue(
                        grid.name, "unmapped_column", "warning", "twice", words, row=row, cell=cell, raw=shown(header)
                    )
                )
                continue
            near = self.headers.nearest(header, choice.dataset, taken)
            cell = f"{column_letter(grid.left + at)}{row}"
            out.append(
                issue(
                    grid.name,
                    "unmapped_column",
                    "warning",
                    row=row,
                    cell=cell,
                    raw=shown(header),
                    words={
                        "header": shown(header),
                        "nearest": f"；最接近的是“{near.header_zh}”，如果是它，请改用这个表头" if near else "",
                        "nearest_en": f"; the nearest is '{near.header_zh}' ({near.name})" if near else "",
                    },
                )
            )
        return out


def _cut(grid: Grid, area: tuple[int, int, int, int]) -> Grid:
    """A sheet that is blank outside an area, given by its first row and column and its last, absolute and 0-based."""
    first_row, first, last_row, last = area
    a, b = first - grid.left, last - grid.left + 1

    def line(i: int, cells: list[Any]) -> list[Any]:
        inside = first_row <= grid.top + i <= last_row
        return [v if inside and a <= j < b else "" for j, v in enumerate(cells)]

    rows = [line(i, list(cells)) for i, cells in enumerate(grid.rows)]
    merges = grid.merges and [
        m for m in grid.merges if first_row <= m[0] and m[2] <= last_row and first <= m[1] and m[3] <= last
    ]
    return replace(grid, rows=rows, merges=merges)


def _judge(result: FileReading, near: Callable[[SheetReading], dict[str, str]]) -> None:
    """The file's status from those of its sheets, and one issue where nothing was accepted."""
    tables = [s for s in result.sheets if s.dataset is not None and s.status != "rejected"]
    failed = [s for s in result.sheets if s.status == "rejected"]
    if tables:
        result.status = "partial" if failed or any(s.status == "partial" for s in tables) else "accepted"
        return
    result.status = "rejected"
    if not failed and any(s.reason == "no_table" for s in result.sheets):
        _reject(result, Refusal("unknown_dataset"), "other_sheets")
        return
    if not failed:
        hidden = "、".join(f"“{s.sheet}”" for s in result.sheets if s.reason == "hidden")
        _reject(result, Refusal("empty", sheets=hidden), "hidden" if hidden else None)
        return
    order = ("missing_column", "ambiguous_dataset", "unreadable", "too_large", "unknown_dataset")
    if any(s.reason == "excerpt" for s in failed):
        result.reason = "unknown_dataset"
        return
    result.reason = min((s.reason or "" for s in failed), key=lambda r: order.index(r) if r in order else 9)
    if result.reason == "unknown_dataset":
        words = next((w for w in map(near, failed) if w), {})
        _reject(result, Refusal("unknown_dataset", **words), "near" if words else None)


def _is_excerpt(grid: Grid) -> bool:
    """Whether a sheet is an excerpt written by feedback: its rows are no complete submission."""
    first = grid.rows[0][0] if grid.rows and grid.rows[0] else ""
    return type(first) is str and first.startswith(EXCERPT)


def _reject(result: FileReading, why: Refusal, variant: str | None = None) -> None:
    result.status, result.reason = "rejected", why.code
    result.issues.append(issue("", why.code, "error", variant or why.fields.get("kind"), words=why.fields))


def refused(file_id: str, name: str, why: Refusal) -> FileReading:
    """The reading of a file that was not opened at all."""
    result = FileReading(file_id, name, "rejected")
    _reject(result, why)
    return result


def _unread(grid: Grid) -> SheetReading:
    assert grid.refusal is not None
    found_issue = issue(grid.name, grid.refusal.code, "error", words=grid.refusal.fields)
    return SheetReading(grid.name, status="rejected", reason=grid.refusal.code, issues=[found_issue])


def _columns(
    mapped: Iterable[Mapped], unmapped: Iterable[tuple[int, str]], grid: Grid, first: int, last: int
) -> list[MappedColumn]:
    top, left = grid.top + 1, grid.left
    out = [
        MappedColumn(m.column.name, m.header, column_letter(left + m.place), m.match.unit, first + top, last + top)
        for m in mapped
    ]
    out += [MappedColumn(None, h, column_letter(left + at), None, first + top, last + top) for at, h in unmapped]
    return out


def _named(contract: Contract, columns: Sequence[str]) -> str:
    """Official headers of columns, at most the first few."""
    most = 8
    return "、".join(f"“{contract.column(c).header_zh}”" for c in columns[:most]) + ("…" if len(columns) > most else "")


def _fold_title(title: str) -> str:
    return _FOLD_TITLE.sub("", squeeze(title))


_READERS: dict[str, FileReader] = {}


def read_file(path: Path, name: str, contracts: Contracts, file_id: str | None = None) -> FileReading:
    """Read the file at `path`, called `name`, in this process: no limits on memory or time (see pool.py).

    A file that cannot be read gives a FileReading that says so; only a path that cannot be opened raises (OSError).
    """
    data = bytes_of(path)
    if isinstance(data, Refusal):
        return refused(file_id or file_sha256(path), name, data)
    return reader_for(contracts).read(data, name, file_id)


def bytes_of(path: Path | str) -> bytes | Refusal:
    """Read a file's bytes, or refuse one beyond the size limit. Raises OSError."""
    with open(path, "rb", buffering=0) as f:  # noqa: PTH123 - half the time of the same through pathlib
        size = os.fstat(f.fileno()).st_size
        if size > LARGEST_FILE:
            head = f.read(text.HEAD)
            if size > LARGEST_TEXT or not text.may_be_columns(head):
                return Refusal("too_large", size=megabytes(size), limit=megabytes(LARGEST_FILE))
            f.seek(0)
        return f.readall()


def reader_for(contracts: Contracts) -> FileReader:
    """Return the FileReader of a set of contracts, constructed once."""
    known = _READERS.get(contracts.digest)
    if known is None:
        if len(_READERS) > 8:
            _READERS.clear()
        known = _READERS[contracts.digest] = FileReader(contracts)
    return known
