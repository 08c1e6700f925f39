"""Reads the rows of one table into typed columns: its cells, the values its sheet states once, and its totals.

Belongs here: the order of the work on one table whose header and rows are known. Not here: where tables are (layout), which file or
sheet it is (file_reader.py), or what a single cell says (values).
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Sequence
from math import isfinite
from typing import Any

from expectations.contract import Column, Contract, unit_key
from expectations.expression import HALF
from pipelines.core.letters import column_letter
from pipelines.intake import values as cells
from pipelines.intake.columns import sums, suspects, units
from pipelines.intake.columns.cell_issues import CellIssues
from pipelines.intake.columns.plans import Plans
from pipelines.intake.columns.shown import NO_FORMATS, NumberFormats, as_shown, percentages
from pipelines.intake.issues import issue
from pipelines.intake.layout import SheetTable
from pipelines.intake.layout.headers import Mapped
from pipelines.intake.layout.heading import year_in_name
from pipelines.intake.layout.words import HEADER_BLANKS
from pipelines.intake.messages import shown
from pipelines.intake.model import Issue, MappedColumn, SheetReading
from pipelines.intake.packed import LargeRows, Packed
from pipelines.intake.sheets import Book, Grid
from pipelines.intake.values import DITTO, Bad

_FLOATS: set[type] = {float}
_TEXTS: set[type] = {str}
_NUMBERED = re.compile(r"[（(]?[一二三四五六七八九十]{1,3}[)）、.．]\s*")  # before a section's name
_NO_HEADER = HEADER_BLANKS | {""}


class TableReader:
    """Parser of the rows of one table, into one SheetReading."""

    def __init__(self, plans: Plans, book: Book, grid: Grid, table: SheetTable, name: str):
        """`name`: the file's, which may contain the year."""
        self.book, self.grid, self.table = book, grid, table
        self.contract: Contract = plans.contracts[table.choice.dataset]
        facts = table.facts
        self.facts = facts
        self.year = facts.year or year_in_name(grid.name) or year_in_name(name.rpartition("/")[2])
        n = table.last - table.first + 1
        if table.beside:
            n = table.last - table.header[0] + 1
        self.sheet = SheetReading(grid.name, self.contract.dataset, facts.submitter, rows_read=n)
        self.plans = plans
        self.plan = plans.plan(table.choice, tuple([unit_key(u) for u in facts.units]), self.year)
        self.cell_issues = CellIssues(self.sheet, grid, facts, self.plan)
        self.formats = NumberFormats(grid)
        self._from: dict[
            int, int
        ] = {}  # of one column: which row a cell is taken from that stands for more than its own

    def read(self, columns: list[MappedColumn], issues: list[Issue]) -> SheetReading:
        """Read the rows; `columns` are the positions of the table's columns, `issues` those of its header."""
        t, sheet = self.table, self.sheet
        self._take(t.data)
        data = self._refuse(t.data) if self.plan.guards else t.data
        sheet.refused = len(t.data) - len(data)
        sheet.rows_explained = sheet.rows_read - len(t.data)
        sheet.rows = self._numbers(data)
        sheet.columns = columns
        if self.plan.above:
            spelt = {unit_key(u): u for u in reversed(self.facts.units)}
            for name, unit in self.plan.above.items():
                self.cell_issues.record_unit(name, spelt[unit])
        sheet.issues += issues
        self._without_header()
        if sheet.refused:
            self._take(data)
        found, kinds, values = self.columns, self.types, sheet.values
        for name, m, reader, plain in self.plan.columns:
            if m is None or reader is None:
                values[name] = self._nothing(len(data))
                continue
            raw, types = found[m.place], kinds[m.place]
            if (
                plain
                and not t.merges.any_tall
                and types == _FLOATS
                and isfinite(sum(raw))
                and not self.formats.where_it_counts(m)
            ):
                values[name] = list(raw)
            else:
                values[name] = self._column(m, data, reader, raw, types)
            if name in self.contract.exact and m.column.kind == "decimal":
                values[name + HALF] = self._halves(reader, self._cells(m, data, report=False), values[name])
        if self.plan.contradicting:
            self._contradictions()
        suspects.commas(self.cell_issues, self.columns, data)
        if len(data) > 2 and not sheet.refused:
            data = self._explain(sums.nameless_totals(self.contract, self.plan, values, data), data)
        if len(data) >= sums.FEWEST_OF_A_WHOLE and not sheet.refused:
            sums.wholes(self.cell_issues, data)
        self._state(data)
        self._name()
        if t.totals and not sheet.refused:
            sums.totals(self.cell_issues, t, self.formats, data)
        if sheet.refused or self.cell_issues.lost:
            sheet.status = "partial"
        return sheet

    def _take(self, data: list[int]) -> None:
        """Parse the cells of the rows `data` into columns."""
        t, rows = self.table, self.grid.rows
        self.columns: Sequence[Sequence[Any]]
        self.types: Sequence[set[type]]
        if t.columns and len(t.columns[0]) == len(data):
            self.columns, self.types = t.columns, t.types
            return
        if isinstance(rows, LargeRows):
            self.columns = rows.taken(data)
        else:
            self.columns = list(zip(*[rows[i] for i in data], strict=False)) if data else [()] * len(rows[0])
        self.types = [_TEXTS if type(c) is Packed and c else set(map(type, c)) for c in self.columns]

    def _numbers(self, data: list[int]) -> Sequence[int]:
        """The row numbers of some rows, as a spreadsheet shows them."""
        top = self.grid.top + 1
        if isinstance(self.grid.rows, LargeRows) and data and data[-1] - data[0] + 1 == len(data):
            return range(data[0] + top, data[-1] + top + 1)
        return [i + top for i in data]

    def _nothing(self, rows: int) -> Sequence[Any]:
        """Fill a column of the contract that the table lacks."""
        if not isinstance(self.grid.rows, LargeRows):
            return [None] * rows
        from pipelines.intake.columns import at_once  # brings Arrow along

        return at_once.nothing(rows)

    @staticmethod
    def _halves(reader: cells.ColumnReader, raw: Sequence[Any], values: Sequence[Any]) -> Sequence[float | None]:
        """Half a unit of the last digit that each number is written with."""
        if type(raw) is Packed and type(values) is Packed:
            from pipelines.intake.columns import at_once

            return at_once.halves(reader, raw, values)
        return [cells.written_to(r, v, reader.factor) for r, v in zip(raw, values, strict=True)]

    def _refuse(self, data: list[int]) -> list[int]:
        """Remove rows that may not be kept, with an issue that does not quote them."""
        guards = self.plan.guards
        refused: set[int] = set()
        for m in guards:
            values, odd = cells.read_column(self._cells(m, data), m.column, None)
            refused.update(i for i, v in zip(data, values, strict=True) if v is True)
            refused.update(data[k] for k, why in odd if type(why) is Bad)
        for i in sorted(refused):
            self.sheet.issues.append(
                issue(
                    self.grid.name,
                    "classified_refused",
                    "error",
                    row=self.grid.top + i + 1,
                    column=guards[0].column.name,
                    quarantines=True,
                )
            )
        return [i for i in data if i not in refused] if refused else data

    def _cells(self, m: Mapped, data: list[int], report: bool = True) -> Sequence[Any]:
        """A column's cells in the rows `data`; a merged cell gives its value to each of its rows."""
        at = m.place
        spans = self.table.merges.tall(at)
        if not spans:
            return self.columns[at]
        out = list(self.columns[at])
        rows, top = self.grid.rows, self.grid.top
        number = m.column.kind in ("decimal", "integer")
        where = {i: k for k, i in enumerate(data)}
        for a, b in spans:
            if not (0 <= a < len(rows)) or rows[a][at] == "":
                continue
            inside = [where[i] for i in range(a, b + 1) if i in where]
            if number:
                # A sum over several rows must not count several times.
                if len(inside) > 1 and report:
                    self.cell_issues.add("doubtful", "warning", m, a, rows[a][at], "merged", last=str(b + top + 1))
                continue
            for k in inside:
                out[k] = rows[a][at]
                self._from[k] = a
        return out

    def _at_once(self, m: Mapped, data: list[int], reader: cells.ColumnReader, raw: Packed) -> Packed | None:
        """A column's values where each cell can be parsed by itself; None where some may depend on other cells."""
        from pipelines.intake.columns import at_once

        column = m.column
        if column.unit == "%" or column.name in self.plan.unclear or column.name in self.plan.own_ways:
            return None
        times = column.kind in ("date", "month", "year")
        if times and any(suspects.in_doubt(text) for text in raw.distinct()):
            return None
        found = at_once.read(reader, raw, DITTO)
        if found is None:
            return None
        values, odd = found
        if column.kind == "month" and self.year is not None:
            own = f"{self.year}-"
            if not all(v is None or v.startswith(own) for v in values.distinct()):
                return None
        if odd:
            self.cell_issues.all_odd(m, data, raw, values, odd)
        return values

    def _column(
        self, m: Mapped, data: list[int], reader: cells.ColumnReader, raw: Sequence[Any], types: set[type]
    ) -> Sequence[Any]:
        column = m.column
        if type(raw) is Packed:
            found = self._at_once(m, data, reader, raw)
            if found is None and not DITTO.isdisjoint(raw.distinct()):
                raw = Packed.of_texts(self._same_as_above(m, list(raw), data))
                found = self._at_once(m, data, reader, raw)
            if found is not None:
                return found
            raw = raw.listed()
        self._from = {}
        if self.table.merges.any_tall:
            raw = self._cells(m, data)
            types = set(map(type, raw))
        if str in types and not DITTO.isdisjoint(raw):
            raw = self._same_as_above(m, list(raw), data)
            types = set(map(type, raw))
        if column.kind in ("date", "month") and (float in types or int in types) and self.book.is_1904():
            reader = cells.ColumnReader(column, None, self.year, epoch_1904=True)
        if column.name in self.plan.beside or column.name in self.plan.versioned:
            return self._by_units_of_rows(m, data, raw)
        values, odd = reader.read(raw, types)
        if column.name in self.plan.unclear:
            odd = [(k, Bad("two_units")) for k, v in enumerate(values) if v is not None]
            values = [None] * len(values)
        elif column.name in self.plan.unitless:
            odd = [(k, Bad("no_unit_column")) for k, v in enumerate(values) if v is not None]
            values = [None] * len(values)
        if column.kind == "month" and self.year is not None:
            odd = sorted([*odd, *suspects.of_which_year(raw, values, self.year)], key=lambda o: o[0])
        if column.kind == "month" and str in types and not self.formats.has_formats():
            odd = sorted([*odd, *suspects.januaries(raw, values)], key=lambda o: o[0])
        elif column.kind == "string" and not suspects.DAYS.isdisjoint(types) and column.name in self.contract.key:
            odd = sorted([*odd, *suspects.days_among_codes(raw, values)], key=lambda o: o[0])
        if odd:
            self.cell_issues.all_odd(m, data, raw, values, odd)
        if (float in types or int in types) and (formats := self.formats.where_it_counts(m)):
            as_shown(self.cell_issues, m, data, self._rows(data), raw, values, formats, reader.factor)
        if column.unit == "%":
            of_table = self.formats.of(m) if float in types or int in types else NO_FORMATS
            percentages(self.cell_issues, of_table, m, data, self._rows(data), raw, values)
        elif column.kind in ("date", "month", "year"):
            if dt.datetime in types or str in types:
                suspects.midnights_in_utc(self.cell_issues, m, data, raw)
        elif column.kind == "string" and column.name not in self.contract.key and not suspects.DAYS.isdisjoint(types):
            suspects.days_among_texts(self.cell_issues, m, data, raw)
        return values

    def _same_as_above(self, m: Mapped, raw: list[Any], data: list[int]) -> list[Any]:
        """Replace 同上 by the value above; the cell is bad where there is none or it was refused."""
        place = {i: k for k, i in enumerate(self.table.data)} if self.sheet.refused else {}
        for k, v in enumerate(raw):
            if type(v) is str and v in DITTO:
                if k and (not place or place[data[k]] == place[data[k - 1]] + 1):
                    raw[k] = raw[k - 1]
                    self._from[k] = self._from.get(k - 1, data[k - 1])
                else:
                    self.cell_issues.odd(m, data[k], v, cells.BAD)
                    raw[k] = ""
        return raw

    def _by_units_of_rows(self, m: Mapped, data: list[int], raw: Sequence[Any]) -> list[Any]:
        """A column's values where each row has a unit of its own: another column states it, or the version of the form."""
        versioned = m.column.name in self.plan.versioned
        stated = self._units_of_versions(m.column, data) if versioned else self._units_beside(m, data)
        none = "no_version" if versioned else "no_unit"
        return units.read(self.cell_issues, self.plans, self.formats, m, data, self._rows(data), raw, stated, none)

    def _units_beside(self, m: Mapped, data: list[int]) -> list[str]:
        """The unit that each row states for a column, else its header's; '' where neither does."""
        at = self.plan.beside[m.column.name]
        if at.place >= len(self.columns):
            return [""] * len(data)
        beside = list(self._cells(at, data, report=False))
        for k, v in enumerate(beside):
            if k and type(v) is str and v in DITTO:
                beside[k] = beside[k - 1]
        return [u or m.match.unit or "" for u in units.stated(at.column, beside)]

    def _units_of_versions(self, column: Column, data: list[int]) -> list[str]:
        """The unit of a column in the form of each row's period; '' where nothing dates the row."""
        period = self.contract.period
        at = self.plan.places.get(period.name) if period else None
        days: list[Any] = [self.year] * len(data)
        if at:
            found, _ = cells.read_column(self._cells(at, data, report=False), at.column, None, self.year)
            days = [self.year if v is None else v for v in found]
        last = {4: "-12-31", 7: "-31"}  # the form of a period is the one in force at its end
        texts = ["" if d is None else str(d) for d in days]
        return [self.contract.unit_in_force(column.name, d + last.get(len(d), "")) if d else "" for d in texts]

    def _rows(self, data: list[int]) -> list[int]:
        """The absolute row that each cell of a column is taken from: another's where cells are merged, or for 同上."""
        top, other = self.grid.top, self._from
        return [other.get(k, i) + top for k, i in enumerate(data)]

    def _explain(self, these: set[int], data: list[int]) -> list[int]:
        """Remove rows from the sheet's data, with their issues; `these` are positions in it. Return the remaining rows."""
        if not these:
            return data
        sheet = self.sheet
        gone = {sheet.rows[k] for k in these}
        for n, column in sheet.values.items():
            sheet.values[n] = [v for k, v in enumerate(column) if k not in these]
        sheet.rows = [r for r in sheet.rows if r not in gone]
        sheet.issues = [i for i in sheet.issues if i.row not in gone]
        sheet.rows_explained += len(these)
        return [i for k, i in enumerate(data) if k not in these]

    def _state(self, data: list[int]) -> None:
        """Fill in the values that the sheet states once: the submitter where the column is empty throughout, others where blank."""
        values, n = self.sheet.values, len(self.sheet.rows)
        for column in self.contract.kept:
            if (
                column.stated == "submitter"
                and self.facts.submitter
                and all(v is None for v in _each_once(values[column.name]))
            ):
                if not self._was_bad(column):
                    values[column.name] = [self.facts.submitter] * n
            elif column.stated == "year" and self.year is not None and None in values[column.name]:
                bad = self._was_bad(column)
                values[column.name] = [
                    self.year if v is None and row not in bad else v
                    for v, row in zip(values[column.name], self.sheet.rows, strict=True)
                ]

            elif column.kind == "month" and self.facts.month and self.year is not None and not self._was_bad(column):
                month = f"{self.year}-{self.facts.month:02d}"
                values[column.name] = [month if v is None else v for v in values[column.name]]
            elif column.stated in ("section", "heading") and None in values[column.name]:
                bad = self._was_bad(column)
                of_table = (
                    self._of_sections(column, data) if column.stated == "section" else [self._of_heading(column)] * n
                )
                values[column.name] = [
                    t if v is None and row not in bad else v
                    for v, t, row in zip(values[column.name], of_table, self.sheet.rows, strict=True)
                ]

    def _of_heading(self, column: Column) -> str | None:
        """The text behind one of a column's labels in the heading."""
        labelled = self.facts.labelled
        return next((_named(column, labelled[w]) for w in column.stated_labels if w in labelled), None)

    def _of_sections(self, column: Column, data: list[int]) -> list[str | None]:
        """For each row the name of the section it stands in; None before the first."""
        begins = sorted(self.table.sections)
        texts = [next((v for v in self.grid.rows[i] if type(v) is str and v.strip()), "") for i in begins]
        names = [None, *(_named(column, _NUMBERED.sub("", text.strip()).rstrip(":：")) for text in texts)]
        return [names[bisect_right(begins, i)] for i in data]

    def _was_bad(self, column: Column) -> set[int]:
        return {i.row for i in self.sheet.issues if i.column == column.name and i.code == "bad_type" and i.row}

    def _name(self) -> None:
        """The sheet's submitter and period: as stated, else as common to all its rows."""
        sheet, contract = self.sheet, self.contract
        if sheet.submitter is None:
            column = contract.institution_name
            names = set(_each_once(sheet.values[column.name])) - {None} if column and column.kept else set()
            sheet.submitter = names.pop() if len(names) == 1 else None
        period = None if contract.undated else contract.period
        if period and period.kind == "date" and self.year is not None:
            # A date in a row is when something happened, not what the form covers: the list of 2024 may tell of 2021.
            sheet.period = str(self.year)
            return
        when: list[Any] = []
        if period and period.kept:
            when = [v for v in _each_once(sheet.values[period.name]) if v is not None]
        if when and period and period.kind != "year":
            times = sorted({str(v)[:7] for v in when})
            if period.kind == "month" and times[0][:4] == times[-1][:4]:
                sheet.period = self._months(times[0], times[-1])
                return
            when = [t[:4] for t in times]
        years = sorted({int(v) for v in when})
        if years:
            sheet.period = str(years[0]) if len(years) == 1 else f"{years[0]}..{years[-1]}"
        elif self.year is not None:
            sheet.period = str(self.year)

    def _months(self, first: str, last: str) -> str:
        """The period of a sheet over months of one year: a correction of three months is not the year's.

        The year where it tells of each of its months, or says that it is the year's and tells of more than half of it: a
        year's sheet may lack a month, or come in November.
        """
        if first == last:
            return first
        year, months = first[:4], int(last[5:]) - int(first[5:]) + 1
        return year if months == 12 or (months > 6 and str(self.year) == year) else f"{first}..{last}"

    def _contradictions(self) -> None:
        """Add an issue where headers have other units than the one stated above them; those of the headers apply."""
        ms, row = self.plan.contradicting, self.grid.top + self.table.header[1] + 1
        known = {u for m in ms for u in m.column.units}
        words = {
            "columns": "、".join(f"“{shown(m.header)}”" for m in ms),
            "stated": "、".join(u for u in self.facts.units if unit_key(u) in known),
        }
        cell = f"{column_letter(self.grid.left + ms[0].place)}{row}"
        column = ms[0].column.name
        self.sheet.issues.append(
            issue(self.grid.name, "doubtful", "warning", "units", words, row=row, column=column, cell=cell)
        )

    def _without_header(self) -> None:
        """Add an issue where a column has values and no header, unless it only counts the rows."""
        t, grid = self.table, self.grid
        if t.own:
            return  # of tables that share columns each would speak of the others'
        known = {m.place for m in t.choice.mapped} | {p for p, _ in t.choice.unmapped} | t.counters
        known |= set(t.choice.units_beside.values())
        first, last = t.header
        wide = {
            i.row - grid.top - 1 for i in self.sheet.issues if i.quarantines and i.row
        }  # refused for that very value
        named = t.merges.under(first, last)
        for p in range(t.left, min(t.right, len(self.columns))):
            if p in known or p in named or any(grid.rows[r][p] not in _NO_HEADER for r in range(first, last + 1)):
                continue
            if type(column := self.columns[p]) is Packed and column.distinct() == [""]:
                continue
            filled = [
                (k, v)
                for k, v in enumerate(self.columns[p])
                if v != "" and not (type(v) is str and cells.absent(v) is None) and t.data[k] not in wide
            ]
            if not filled or [str(v).removesuffix(".0") for _, v in filled] == [str(n + 1) for n in range(len(filled))]:
                continue
            name, row = column_letter(grid.left + p), grid.top + t.data[filled[0][0]] + 1
            cell = f"{name}{row}"
            words = {"letter": name, "cell": cell}
            self.sheet.issues.append(
                issue(grid.name, "unmapped_column", "warning", "nameless", words, row=row, cell=cell)
            )


def _named(column: Column, text: str) -> str | None:
    """A stated text as the column reads it; None where it is a word for nothing or unreadable."""
    value = cells.column_reader(column, None, None, False)(text)
    return value if type(value) is str else None


def _each_once(values: Sequence[Any]) -> Sequence[Any]:
    """A column's values; of a large column each distinct value once."""
    return values.distinct() if type(values) is Packed else values
