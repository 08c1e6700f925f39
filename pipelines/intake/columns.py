"""Reads the rows of one table into typed columns: what each cell says, what its sheet states once, and what its totals add up to.

Belongs here: one table whose header and rows are known. Not here: where tables are (layout), which file or sheet it is
(file_reader.py), or what a single cell says (values).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from math import fsum, isclose, isfinite
from typing import Any

from expectations.contract import Column, Contract, Contracts, unit_key, unit_table
from expectations.expression import HALF
from pipelines.core.letters import letter
from pipelines.intake import values as cells
from pipelines.intake.formats import number_format
from pipelines.intake.issues import EACH, as_shown, issue
from pipelines.intake.layout import Table
from pipelines.intake.layout.headers import Choice, Headers, Mapped
from pipelines.intake.layout.heading import year_in_name
from pipelines.intake.layout.words import HEADER_BLANKS
from pipelines.intake.messages import EXPECTED, place, say, shown
from pipelines.intake.model import Issue, MappedColumn, Severity, SheetReading
from pipelines.intake.sheets import Book, Format, Grid
from pipelines.intake.values import DITTO, Bad, Doubt
from pipelines.intake.values.numbers import COUNTERS, CURRENCIES, MULTIPLES

_FLOATS = {float}
_LETTERS_FOR_MULTIPLES = {
    "k": Decimal(1000),
    "K": Decimal(1000),
    "M": Decimal(1_000_000),
}  # 123.5k, in number formats alone
_NO_HEADER = HEADER_BLANKS | {""}
_NO_FORMATS: dict[int, Format] = {}
_DAYS = frozenset([dt.date, dt.datetime])
_HUNDRED = Decimal(100)
_FOUR = dt.time(16)
_NOUGHT = "1900/1/0"  # how spreadsheet programs show the day number 0
_LOST_FROM = 3  # a column of so many filled cells of which none could be read was not received
_MOST_SUMS = 1_000_000  # rows that may be sums times rows they may be the sums of: more is a column nobody filled in
_FEWEST_OF_A_WHOLE = 4  # rows, with the one that may be the whole
# A comma that can only be a decimal point, one that can only part thousands, and what is another number under each of the two.
_COMMA_AS_POINT = re.compile(r"\s*-?(?:\d+,\d{1,2}|0,\d+|\d{4,},\d+|\d+,\d{4,}|\d{1,3}(?:\.\d{3})+,\d+)\s*")
_COMMA_IN_THOUSANDS = re.compile(r"\s*-?\d{1,3}(?:,\d{3})+[.,]\d+\s*")
_EITHER = re.compile(r"\s*-?[1-9]\d{0,2}[,.]\d{3}\s*")
# 2021.1 in a file of texts may have been 2021.10 before a spreadsheet program took it for a number.
_JANUARY = re.compile(r"\s*(\d{4})\.1\s*")
_NO_NUMBERS = re.compile(r"\s*\d{4}\.(?:10|0\d)\s*")  # where these stand nobody did


@dataclass(slots=True)
class Plan:
    """How the columns under one header are read; each of `columns` has its name, where it stands, its reader, and whether
    numbers are taken as they are."""

    choice: Choice
    places: dict[str, Mapped]
    columns: list[tuple[str, Mapped | None, cells.ColumnReader | None, bool]] = field(default_factory=list)
    guards: list[Mapped] = field(default_factory=list)
    summed: list[tuple[Mapped, Decimal | None]] = field(default_factory=list)  # what a total may be the sum of
    needed: list[str] = field(default_factory=list)  # required columns here that no total has a value in
    sums_alone: bool = False  # there are such columns, but the sheet states their values once
    unclear: set[str] = field(default_factory=set)  # columns for which the heading states several units
    contradicting: list[Mapped] = field(default_factory=list)  # and those whose header says another unit than it
    above: dict[str, str] = field(default_factory=dict)  # columns whose unit is the heading's, and which, folded


class Plans:
    """How the columns under each header are read. Keeps what it made, so use one for many files."""

    def __init__(self, contracts: Contracts, headers: Headers):
        self.contracts, self.headers = contracts, headers
        self._plans: dict[tuple[int, tuple[str, ...], int | None], Plan] = {}
        self._readers: dict[
            tuple[str, str, Decimal | None, int | None], cells.ColumnReader
        ] = {}  # by what they depend on

    def plan(self, choice: Choice, stated: tuple[str, ...], year: int | None) -> Plan:
        """How to read the columns under a header, where the sheet states units and a year: most sheets have another's."""
        key = id(choice), stated, year
        known = self._plans.get(key)
        if known is None or known.choice is not choice:
            if len(self._plans) > 2_000:
                self._plans.clear()
                self._readers.clear()
            known = self._plans[key] = self._plan(choice, stated, year)
        return known

    def _plan(self, choice: Choice, stated: tuple[str, ...], year: int | None) -> Plan:
        contract = self.contracts[choice.dataset]
        plan = Plan(choice, {m.column.name: m for m in choice.mapped})
        for c in contract.kept:
            m = plan.places.get(c.name)
            if m is None:
                plan.columns.append((c.name, None, None, False))
                continue
            factor = m.match.factor
            above = {c.units[u]: u for u in reversed(stated) if u in c.units}  # factor -> the first of its spellings
            if factor is None:
                factor = next((c.units[u] for u in stated if u in c.units), None)
                if len(above) > 1:
                    plan.unclear.add(c.name)
                elif factor is not None:
                    plan.above[c.name] = above[factor]
            elif above and factor not in above:
                plan.contradicting.append(m)
            key = contract.dataset, c.name, factor, year if c.kind == "month" else None
            if key not in self._readers:
                self._readers[key] = cells.ColumnReader(c, factor, year, name=c.name in contract.key)
            reader = self._readers[key]
            plan.columns.append((c.name, m, reader, reader.plain and len(above) < 2))
            if c.kind in ("decimal", "integer") and c.unit not in ("%", "分"):
                plan.summed.append((m, reader.factor))
        plan.summed.sort(key=lambda s: s[0].place)
        summed = {m.column.name for m, _ in plan.summed}
        plan.needed = [c.name for c in contract.kept if c.required and c.name in plan.places and c.name not in summed]
        plan.sums_alone = not plan.needed and any(c.required and c.name not in summed for c in contract.kept)
        guards = [m for m in choice.mapped if m.column.refuse]
        for c in contract.columns:
            # Fail closed: a header that is nearly the guard's is the guard's.
            if c.refuse and c.name not in plan.places:
                for at, header in choice.unmapped:
                    if self.headers.nearest(header, contract.dataset, plan.places) is c:
                        guards.append(Mapped(at, header, choice.mapped[0].match, c))
        plan.guards = guards
        return plan


class TableReader:
    """Reads the rows of one table into one SheetReading."""

    def __init__(self, plans: Plans, book: Book, grid: Grid, table: Table, name: str):
        """`name`: the file's, which may say the year."""
        self.book, self.grid, self.table = book, grid, table
        self.contract: Contract = plans.contracts[table.choice.dataset]
        facts = table.facts
        self.facts = facts
        self.year = facts.year or year_in_name(grid.name) or year_in_name(name.rpartition("/")[2])
        n = table.last - table.first + 1
        if table.beside:
            n = table.last - table.header[0] + 1
        self.sheet = SheetReading(grid.name, self.contract.dataset, facts.submitter, rows_read=n)
        self.plan = plans.plan(table.choice, tuple([unit_key(u) for u in facts.units]), self.year)
        # Column -> row -> format, absolute; None where the file does not tell. Dear, so asked only where a number may hang on it.
        self._formats: dict[int, dict[int, Format]] | None = None
        self._asked = False
        self._lost: set[str] = set()  # columns of which no cell could be read
        self._from: dict[
            int, int
        ] = {}  # of one column: which row a cell is taken from that stands for more than its own

    def read(self, columns: list[MappedColumn], issues: list[Issue]) -> SheetReading:
        """What the rows say; `columns` is where the table's columns stand, `issues` what was said of its header."""
        t, sheet, grid = self.table, self.sheet, self.grid
        self._take(t.data)
        data = self._refuse(t.data) if self.plan.guards else t.data
        sheet.refused = len(t.data) - len(data)
        sheet.rows_explained = sheet.rows_read - len(t.data)
        top = grid.top + 1
        sheet.rows = [i + top for i in data]
        sheet.columns = columns
        if self.plan.above:
            spelt = {unit_key(u): u for u in reversed(self.facts.units)}
            for name, unit in self.plan.above.items():
                self._record_unit(name, spelt[unit])
        sheet.issues += issues
        self._without_header()
        if sheet.refused:
            self._take(data)
        found, kinds, values = self.columns, self.types, sheet.values
        for name, m, reader, plain in self.plan.columns:
            if m is None or reader is None:
                values[name] = [None] * len(data)
                continue
            raw, types = found[m.place], kinds[m.place]
            if plain and not t.merges.any_tall and types == _FLOATS and isfinite(sum(raw)) and not self._shown(m):
                values[name] = list(raw)
            else:
                values[name] = self._column(m, data, reader, raw, types)
            if name in self.contract.exact and m.column.kind == "decimal":
                seen = zip(self._cells(m, data, tell=False), values[name], strict=True)
                values[name + HALF] = [cells.written_to(r, v, reader.factor) for r, v in seen]
        if self.plan.contradicting:
            self._contradictions()
        self._commas(data)
        if len(data) > 2 and not sheet.refused:
            data = self._nameless_totals(data)
        if len(data) >= _FEWEST_OF_A_WHOLE and not sheet.refused:
            self._wholes(data)
        self._state()
        self._name()
        if t.totals and not sheet.refused:
            self._totals(data)
        if sheet.refused or self._lost:
            sheet.status = "partial"
        return sheet

    def _take(self, data: list[int]) -> None:
        """Turns the cells of the rows `data` into columns."""
        t, rows = self.table, self.grid.rows
        if t.columns and len(t.columns[0]) == len(data):
            self.columns, self.types = t.columns, t.types
            return
        self.columns = list(zip(*[rows[i] for i in data], strict=False)) if data else [()] * len(rows[0])
        self.types = [set(map(type, c)) for c in self.columns]

    def _refuse(self, data: list[int]) -> list[int]:
        """Takes out the rows that may not be kept at all, and says so without saying what they held."""
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

    def _cells(self, m: Mapped, data: list[int], tell: bool = True) -> Sequence[Any]:
        """A column's cells in the rows `data`; a merged cell stands for each of its rows."""
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
                if len(inside) > 1 and tell:
                    self._say("doubtful", "warning", m, a, rows[a][at], "merged", last=str(b + top + 1))
                continue
            for k in inside:
                out[k] = rows[a][at]
                self._from[k] = a
        return out

    def _column(
        self, m: Mapped, data: list[int], reader: cells.ColumnReader, raw: Sequence[Any], types: set[type]
    ) -> list[Any]:
        column = m.column
        self._from = {}
        if self.table.merges.any_tall:
            raw = self._cells(m, data)
            types = set(map(type, raw))
        if str in types and not DITTO.isdisjoint(raw):
            raw = self._same_as_above(m, list(raw), data)
            types = set(map(type, raw))
        if column.kind in ("date", "month") and (float in types or int in types) and self.book.is_1904():
            reader = cells.ColumnReader(column, None, self.year, epoch_1904=True)
        values, odd = reader.read(raw, types)
        if column.name in self.plan.unclear:
            odd = [(k, Bad("two_units")) for k, v in enumerate(values) if v is not None]
            values = [None] * len(values)
        if column.kind == "month" and self.year is not None:
            odd = sorted([*odd, *self._of_which_year(raw, values)], key=lambda o: o[0])
        if column.kind == "month" and str in types and not self._knows_formats():
            odd = sorted([*odd, *self._januaries(raw, values)], key=lambda o: o[0])
        elif column.kind == "string" and not _DAYS.isdisjoint(types) and column.name in self.contract.key:
            odd = sorted([*odd, *self._days_among_codes(raw, values)], key=lambda o: o[0])
        if odd:
            self._tell(m, data, raw, values, odd)
        if (float in types or int in types) and (formats := self._shown(m)):
            self._as_shown(m, data, raw, values, formats, reader.factor)
        if column.unit == "%":
            self._percentages(m, data, raw, values)
        elif column.kind in ("date", "month", "year"):
            if dt.datetime in types or str in types:
                self._midnights_in_utc(m, data, raw)
        elif column.kind == "string" and column.name not in self.contract.key and not _DAYS.isdisjoint(types):
            self._days_among_texts(m, data, raw)
        return values

    def _tell(
        self,
        m: Mapped,
        data: list[int],
        raw: Sequence[Any],
        values: list[Any],
        odd: Sequence[tuple[int, Bad | Doubt]],
    ) -> None:
        """Says of each cell what was odd about it; of a column that was lost whole, once that it was. Of a required one each row
        is still named, for each has to wait."""
        lost = len(odd) >= _LOST_FROM and values.count(None) == len(values) and any(w != cells.PENDING for _, w in odd)
        for n, (k, why) in enumerate(odd):
            self._odd(m, data[k], raw[k], why)
            if lost and n == 0:
                self._lost.add(m.column.name)
                first = self.sheet.issues[-1]
                words = {"said": first.message_zh, "said_en": first.message_en, "count": str(len(odd))}
                first.message_zh, first.message_en = say("bad_type", "column", **words)
                if not m.column.required and len(odd) > EACH:
                    return

    def _shown(self, m: Mapped) -> dict[int, Format] | None:
        """The number formats of a column's cells by absolute row, where the meaning of a number may hang on them."""
        c = m.column
        if not (c.unit and c.kind in ("decimal", "integer")) and c.kind not in ("string", "enum"):
            return None
        return self._formats_of(m)

    def _formats_of(self, m: Mapped) -> dict[int, Format] | None:
        """The number formats of a column's cells by absolute row; None where the file does not tell."""
        return (
            None
            if not self._knows_formats() or self._formats is None
            else self._formats.get(self.grid.left + m.place, _NO_FORMATS)
        )

    def _row(self, k: int, data: list[int]) -> int:
        """The absolute row that the cell of the row `data[k]` is taken from: another's where cells are merged, or for 同上."""
        return self._from.get(k, data[k]) + self.grid.top

    def _as_shown(
        self,
        m: Mapped,
        data: list[int],
        raw: Sequence[Any],
        values: list[Any],
        formats: dict[int, Format],
        factor: Decimal | None,
    ) -> None:
        """Takes numbers as their formats show them to who looks at the sheet: 123456 shown as 12.3456 under 万元 is 123456 元,
        12.5 shown as 12.50万元 is 125000 元, and 123 shown as 000123 is the code 000123."""
        column = m.column
        text = column.kind in ("string", "enum")
        scaled: list[int] = []
        against: list[int] = []
        units: set[str | None] = set()
        odd: list[tuple[int, Bad | Doubt]] = []
        seen = list(raw)
        for k, v in enumerate(raw):
            if (type(v) is not float and type(v) is not int) or values[k] is None:
                continue
            shown_by = formats.get(self._row(k, data))
            if text:
                values[k] = (number_format.shown(shown_by.code, v) if shown_by else None) or values[k]
                continue
            number, unit, doubt = _by_format(
                v, shown_by, column, factor, m.match.factor or self.plan.above.get(column.name)
            )
            units.add(unit)
            if isinstance(number, Bad):
                values[k], seen[k] = None, f"{as_shown(v)} {shown_by.unit}" if shown_by else v
                odd.append((k, number))
            elif shown_by and (shown_by.power or unit):
                values[k] = int(number) if column.kind == "integer" and number.is_integer() else number
                scaled += [k] if shown_by.power and not unit else []
                against += [k] if doubt else []
        if odd:
            self._tell(m, data, seen, values, odd)
        if scaled:
            k = scaled[0]
            shown_as = formats[self._row(k, data)].code
            self._say("doubtful", "warning", m, data[k], None, "scaled", number_format=shown_as, count=str(len(scaled)))
        if against:
            k = against[0]
            f = formats[self._row(k, data)]
            self._say(
                "doubtful",
                "warning",
                m,
                data[k],
                None,
                "unit_in_format",
                shown_unit=f.unit or "",
                count=str(len(against)),
            )
        if len(units) == 1 and (only := units.pop()) and not against:
            self._record_unit(column.name, only)

    def _record_unit(self, name: str, unit: str) -> None:
        """Keeps the unit that a column was read with, where its header states none."""
        columns = self.sheet.columns
        for k, c in enumerate(columns):
            if c.column == name and c.unit is None:
                columns[k] = replace(c, unit=unit)

    def _midnights_in_utc(self, m: Mapped, data: list[int], raw: Sequence[Any]) -> None:
        """Doubts a column whose days all stand at 16:00:00: midnight in China, as JavaScript writes it without saying UTC."""
        filled = [k for k, v in enumerate(raw) if v != ""]
        if len(filled) < 2:
            return
        for k in filled:
            v = raw[k]
            if type(v) is dt.datetime:
                if v.time() != _FOUR:
                    return
            elif type(v) is not str or not v.rstrip().endswith(" 16:00:00"):
                return
        self._say("doubtful", "warning", m, data[filled[0]], None, "midnight_in_utc", count=str(len(filled)))

    @staticmethod
    def _others(raw: Sequence[Any]) -> list[Any]:
        """What stands beside days in a column of texts; nothing where that says days as well."""
        texts = [v for v in raw if type(v) is not dt.date and type(v) is not dt.datetime and v != ""]
        others = [v for v in texts if type(v) is not str or cells.read_text(v) is not None]
        return [] if any(type(v) is str and type(cells.read_date(v)) is dt.date for v in others) else others

    def _days_among_texts(self, m: Mapped, data: list[int], raw: Sequence[Any]) -> None:
        """Doubts days in a column of texts that are none: a spreadsheet program makes a day of the number 3-12."""
        if not self._others(raw):
            return
        days = [k for k, v in enumerate(raw) if type(v) in _DAYS]
        variant = "day_among_texts_hidden" if m.column.access in ("L2", "L3") else "day_among_texts"
        for k in days[: 1 if len(days) > EACH else None]:
            self._say("doubtful", "warning", m, data[k], raw[k], variant, count=str(len(days)))

    def _days_among_codes(self, raw: Sequence[Any], values: list[Any]) -> list[tuple[int, Bad]]:
        """Takes out the days among the codes of a key: what the code was nobody can say. Codes that are all days are days."""
        texts = [v for v in raw if type(v) is str and v]
        if texts and not self._others(raw):
            return []
        days = [k for k, v in enumerate(raw) if type(v) in _DAYS]
        for k in days:
            values[k] = None
        return [(k, Bad("day_among_codes")) for k in days]

    def _of_which_year(self, raw: Sequence[Any], values: list[Any]) -> list[tuple[int, Bad]]:
        """Takes out months without their year where others of the column are of another year than the sheet's: 2月 below
        2024年1月 is no month of 2023."""
        own = f"{self.year}-"
        if all(v is None or v.startswith(own) for v in values):
            return []
        bare = [k for k, v in enumerate(values) if v is not None and type(cells.read_month(raw[k])) is Bad]
        for k in bare:
            values[k] = None
        return [(k, Bad("month_of_which_year")) for k in bare]

    def _januaries(self, raw: Sequence[Any], values: list[Any]) -> list[tuple[int, Bad]]:
        """Takes out months written 2021.1 that may be 2021.10, unless the row before or after says which."""
        if any(type(v) is str and _NO_NUMBERS.fullmatch(v) for v in raw):
            return []
        out = []
        for k, v in enumerate(raw):
            found = _JANUARY.fullmatch(v) if type(v) is str else None
            if found is None:
                continue
            year = int(found[1])
            before, after = values[k - 1] if k else None, values[k + 1] if k + 1 < len(values) else None
            if before != f"{year - 1}-12" and after != f"{year}-02":
                out.append((k, Bad("january")))
        for k, _ in out:
            values[k] = None
        return out

    def _knows_formats(self) -> bool:
        """Whether the file tells how numbers are shown: it holds numbers then, and not only texts."""
        if not self._asked:
            self._asked, told = True, self.grid.formats()
            if told is not None:
                self._formats = {}
                for (row, column), shown_by in told.items():
                    self._formats.setdefault(column, {})[row] = shown_by
        return self._formats is not None

    def _commas(self, data: list[int]) -> None:
        """Takes out numbers that are others where a comma is the decimal point, as it is in some cell of this sheet: beside 12,5
        the text 1,234 may be 1.234."""
        ms = [m for _, m, _, _ in self.plan.columns if m and m.column.kind in ("decimal", "integer")]
        told = {i.column for i in self.sheet.issues if i.code == "bad_type"}
        if not any(m.column.name in told for m in ms):
            return
        texts = [
            (m, k, v)
            for m in ms
            for k, v in enumerate(self.columns[m.place])
            if type(v) is str and ("," in v or "." in v)
        ]
        if not any(_COMMA_AS_POINT.fullmatch(v) for _, _, v in texts):
            return
        if any(_COMMA_IN_THOUSANDS.fullmatch(v) for _, _, v in texts):
            return
        for m, k, v in texts:
            values = self.sheet.values[m.column.name]
            if values[k] is not None and _EITHER.fullmatch(v):
                values[k] = None
                self._odd(m, data[k], v, Bad("comma"))

    def _percentages(self, m: Mapped, data: list[int], raw: Sequence[Any], values: list[Any]) -> None:
        """85% in a cell shown as a percentage is kept as 0.85 and means 85; shares that nothing tells from it are doubted,
        and where the file does not say how its cells are shown, each of them. Beside cells that say % they are taken out."""
        numbers = any(type(v) is float or type(v) is int for v in raw)
        formats = self._formats_of(m) if numbers else _NO_FORMATS
        written = any(type(v) is str and ("%" in v or "％" in v) for v in raw)
        plain: list[int] = []
        for k, v in enumerate(raw):
            if values[k] is None:
                continue
            if type(v) is str:
                plain += [k] if v.strip()[-1:].isdigit() else []
                continue
            shown_by = formats.get(self._row(k, data)) if formats else None
            if shown_by and shown_by.percent:
                values[k] = cells.scaled(v, _HUNDRED)
                written = True
            elif not (shown_by and shown_by.unit and unit_key(shown_by.unit) in m.column.units):
                plain.append(k)
        shares = [k for k in plain if 0 < abs(values[k]) <= 1]
        if formats is None:
            if shares:
                self._say("doubtful", "warning", m, data[shares[0]], None, "percent_unknown")
        elif written:
            for k in shares:
                values[k] = None
                self._odd(m, data[k], raw[k], Bad("percent"))
        elif any(values[k] < 1 for k in shares) and all(0 <= values[k] <= 1 for k in plain):
            if len(plain) == 1 and m.match.unit:
                return  # whoever writes 0.5 under （%） means it
            self._say("doubtful", "warning", m, data[shares[0]], None, "percent")

    def _same_as_above(self, m: Mapped, raw: list[Any], data: list[int]) -> list[Any]:
        """Puts what stands above in place of 同上; where nothing does, or what did was refused, the cell cannot be read."""
        place = {i: k for k, i in enumerate(self.table.data)} if self.sheet.refused else {}
        for k, v in enumerate(raw):
            if type(v) is str and v in DITTO:
                if k and (not place or place[data[k]] == place[data[k - 1]] + 1):
                    raw[k] = raw[k - 1]
                    self._from[k] = self._from.get(k - 1, data[k - 1])
                else:
                    self._odd(m, data[k], v, cells.BAD)
                    raw[k] = ""
        return raw

    def _factor(self, m: Mapped) -> Decimal | None:
        """What one of this column's numbers is in canonical units: by its header, else by what the sheet states once."""
        return next((r.factor for _, at, r, _ in self.plan.columns if at is m and r), None)

    def _odd(self, m: Mapped, i: int, raw: Any, why: Bad | Doubt) -> None:
        secret = m.column.access in ("L2", "L3")
        if type(why) is Doubt:
            variant, taken = why.variant, str(why.value)
            if variant == "approximate":
                taken = f"{_in_sheet(why.value, self._factor(m)):,}"
            elif self._is_ruled_out(m.column, variant, taken):
                return  # what days are possible is the contract's to say, and the suite's to tell
            self._say("doubtful", "warning", m, i, raw, f"{variant}_hidden" if secret else variant, number=taken)
            return
        variant = why.variant if type(why) is Bad else ""
        if variant == "nought":
            raw, variant = _NOUGHT, ""
        if secret:
            variant = "hidden"
        self._say("bad_type", "error", m, i, raw, variant or None, quarantines=m.column.required)

    @staticmethod
    def _is_ruled_out(column: Column, variant: str, day: str) -> bool:
        """Whether a contract says which days are possible, so that a day this early needs no doubt."""
        lowest = column.minimum_text or (str(column.minimum) if column.minimum is not None else "")
        return bool(lowest) and (variant == "early" or day < lowest[: len(day)])

    def _say(
        self,
        code: str,
        severity: Severity,
        m: Mapped,
        i: int,
        raw: Any,
        variant: str | None = None,
        *,
        quarantines: bool = False,
        **fields: str,
    ) -> None:
        row = self.grid.top + i + 1
        cell = f"{letter(self.grid.left + m.place)}{row}"
        zh, en, example = EXPECTED[m.column.kind]
        secret = m.column.access in ("L2", "L3")
        text = None if raw is None or secret else as_shown(raw)
        self.sheet.issues.append(
            issue(
                self.grid.name,
                code,
                severity,
                variant,
                row=row,
                column=m.column.name,
                cell=cell,
                raw=text,
                quarantines=quarantines,
                words={
                    **place(row, m.header, cell),
                    "value": shown(text or ""),
                    "expected": zh,
                    "expected_en": en,
                    "example": example,
                    "unit": m.match.unit or "、".join(self.facts.units) or m.column.unit or "",
                    **fields,
                },
            )
        )

    def _state(self) -> None:
        """Fills what the sheet states once: the submitter where the column is empty throughout, the year where blank."""
        values, n = self.sheet.values, len(self.sheet.rows)
        for column in self.contract.kept:
            if (
                column.stated == "submitter"
                and self.facts.submitter
                and not any(v is not None for v in values[column.name])
            ):
                if not self._was_bad(column):
                    values[column.name] = [self.facts.submitter] * n
            elif column.stated == "year" and self.year is not None:
                bad = self._was_bad(column)
                values[column.name] = [
                    self.year if v is None and row not in bad else v
                    for v, row in zip(values[column.name], self.sheet.rows, strict=True)
                ]

    def _was_bad(self, column: Column) -> set[int]:
        return {i.row for i in self.sheet.issues if i.column == column.name and i.code == "bad_type" and i.row}

    def _name(self) -> None:
        """The sheet's submitter and period: what it names, else what all its rows have in common."""
        sheet, contract = self.sheet, self.contract
        if sheet.submitter is None:
            column = contract.institution_name
            names = {v for v in sheet.values[column.name] if v is not None} if column and column.kept else set()
            sheet.submitter = names.pop() if len(names) == 1 else None
        period = None if contract.undated else contract.period
        if period and period.kind == "date" and self.year is not None:
            # A date in a row is when something happened, not what the form covers: the list of 2024 may tell of 2021.
            sheet.period = str(self.year)
            return
        when: list[Any] = []
        if period and period.kept:
            when = [v for v in sheet.values[period.name] if v is not None]
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
        """The period of a sheet that tells of the months of one year: a correction of three months is not the year's.

        The year where it tells of each of its months, or says that it is the year's and tells of more than half of it: a
        year's sheet may lack a month, or come in November.
        """
        if first == last:
            return first
        year, months = first[:4], int(last[5:]) - int(first[5:]) + 1
        return year if months == 12 or (months > 6 and str(self.year) == year) else f"{first}..{last}"

    # ---- totals

    def _contradictions(self) -> None:
        """Says so where headers have other units than the one stated above them; the headers' hold."""
        ms, row = self.plan.contradicting, self.grid.top + self.table.header[1] + 1
        known = {u for m in ms for u in m.column.units}
        words = {
            "columns": "、".join(f"“{shown(m.header)}”" for m in ms),
            "stated": "、".join(u for u in self.facts.units if unit_key(u) in known),
        }
        cell = f"{letter(self.grid.left + ms[0].place)}{row}"
        column = ms[0].column.name
        self.sheet.issues.append(
            issue(self.grid.name, "doubtful", "warning", "units", words, row=row, column=column, cell=cell)
        )

    def _without_header(self) -> None:
        """Says so where a column has values and no header; one that only counts the rows needs none."""
        t, grid = self.table, self.grid
        if t.own:
            return  # of tables that share columns each would speak of the others'
        known = {m.place for m in t.choice.mapped} | {p for p, _ in t.choice.unmapped} | t.counters
        first, last = t.header
        wide = {
            i.row - grid.top - 1 for i in self.sheet.issues if i.quarantines and i.row
        }  # refused for that very value
        named = t.merges.under(first, last)
        for p in range(t.left, min(t.right, len(self.columns))):
            if p in known or p in named or any(grid.rows[r][p] not in _NO_HEADER for r in range(first, last + 1)):
                continue
            filled = [
                (k, v)
                for k, v in enumerate(self.columns[p])
                if v != "" and not (type(v) is str and cells.absent(v) is None) and t.data[k] not in wide
            ]
            if not filled or [str(v).removesuffix(".0") for _, v in filled] == [str(n + 1) for n in range(len(filled))]:
                continue
            name, row = letter(grid.left + p), grid.top + t.data[filled[0][0]] + 1
            cell = f"{name}{row}"
            words = {"letter": name, "cell": cell}
            self.sheet.issues.append(
                issue(grid.name, "unmapped_column", "warning", "nameless", words, row=row, cell=cell)
            )

    def _wholes(self, data: list[int]) -> None:
        """Doubts a row whose figures are all the sums of the other rows', or half of that where these hold subtotals: a total row
        that is called by the name of the whole."""
        sums = []
        for m, _ in self.plan.summed:
            values = [v or 0.0 for v in self.sheet.values.get(m.column.name, ())]
            if sum(v != 0 for v in values) >= _FEWEST_OF_A_WHOLE:
                sums.append((m, values, fsum(values)))
        for times in (2, 3) if sums else ():
            close = 1e-4 if len(sums) > 1 else 1e-9  # one column alone may add up by chance
            rows = [k for k, v in enumerate(sums[0][1]) if isclose(v * times, sums[0][2], rel_tol=close)]
            for _, v, whole in sums[1:] if rows else ():
                rows = [k for k in rows if isclose(v[k] * times, whole, rel_tol=close)]
            if len(sums) == 1:
                rows = [k for k in rows if sums[0][1][k] >= 100]
            if len(rows) == 1:
                row = self.grid.top + data[rows[0]] + 1
                words = {
                    "columns": "、".join(f"“{shown(m.header)}”" for m, _, _ in sums),
                    "times": "" if times == 2 else "的一半",
                    "times_en": "" if times == 2 else ", halved",
                }
                cell = f"{letter(self.grid.left + sums[0][0].place)}{row}"
                name = sums[0][0].column.name
                told = issue(self.grid.name, "doubtful", "warning", "whole", words, row=row, column=name, cell=cell)
                self.sheet.issues.append(told)
                return

    def _nameless_totals(self, data: list[int]) -> list[int]:
        """Takes rows out of the data that say nothing but sums of other rows, and not even 合计, or a group's name and its
        sums where a row of data must say more."""
        values, plan = self.sheet.values, self.plan
        needed, last = plan.needed, len(data) - 1
        if not plan.sums_alone and not any(None in values[n] for n in needed):
            return data
        summed = [m.column.name for m, _ in plan.summed if m.column.name in values]
        names = [n for n, m, _, _ in plan.columns if m is not None and n not in summed]
        found: dict[int, list[str]] = {}  # rows that may be sums, and their columns that hold one
        for k in (
            [last] if plan.sums_alone else [k for k in range(last + 1) if any(values[n][k] is None for n in needed)]
        ):
            said = [n for n in names if values[n][k] is not None]
            sums = [n for n in summed if values[n][k]]
            group = len(said) == 1 and needed and len(sums) > 1 and self.contract.column(said[0]).kind == "string"
            if sums and (not said or group):
                found[k] = sums
                if len(found) * len(data) > _MOST_SUMS:
                    return data
        if not found:
            return data
        rest = [k for k in range(last + 1) if k not in found]
        marks = [-1, *found, last + 1]
        totals: set[int] = set()
        for fewest in (2, 1):  # the sum of one row is only that row again, unless there are other sums
            for at, k in enumerate(found, 1):
                before, after = marks[at - 1], marks[at + 1]
                for a, b in ((before, k), (k, after), (-1, last + 1), (-1, k), (k, last + 1)):
                    part = [j for j in rest if a < j < b]
                    if len(part) >= fewest and all(
                        isclose(values[n][k], fsum(values[n][j] or 0 for j in part), rel_tol=1e-9) for n in found[k]
                    ):
                        totals.add(k)
                        break
            if not totals:
                return data
        self._explain(totals, data)
        return [i for k, i in enumerate(data) if k not in totals]

    def _explain(self, these: set[int], data: list[int]) -> None:
        """Takes rows out of the sheet's data, `these` by their place in it; what was said of them goes with them."""
        sheet = self.sheet
        gone = {sheet.rows[k] for k in these}
        for n, column in sheet.values.items():
            sheet.values[n] = [v for k, v in enumerate(column) if k not in these]
        sheet.rows = [r for r in sheet.rows if r not in gone]
        sheet.issues = [i for i in sheet.issues if i.row not in gone]
        sheet.rows_explained += len(these)

    def _totals(self, data: list[int]) -> None:
        """Compares each total with the rows it may be the sum of; where it is none of their sums, says so once a cell."""
        rows, t = self.grid.rows, self.table
        bad = {i.column for i in self.sheet.issues if i.code in ("bad_type", "doubtful")}
        marks = sorted({*t.totals, *t.sections})
        for m, factor in self.plan.summed:
            column, name = m.column, m.column.name
            if name in bad:
                continue  # a row that could not be read would make every total wrong
            values = self.sheet.values[name]
            whole = sum([v for v in values if v is not None] if None in values else values)
            halves: list[float] | None = None
            for i in t.totals:
                raw = rows[i][m.place]
                if raw == "":
                    continue
                plain = type(raw) is float and factor is None
                total = raw if plain else cells.read_number(raw, column.units, factor, column.unit)
                if type(total) is float and type(raw) is float and (formats := self._shown(m)):
                    stated = m.match.factor or self.plan.above.get(name)
                    total, _, _ = _by_format(raw, formats.get(i + self.grid.top), column, factor, stated)
                if type(total) is not float or not data or abs(total - whole) <= 1e-9 * abs(total):
                    continue  # no number, or plainly the sum of all rows
                if halves is None:
                    exact = column.kind == "integer"  # counts are not rounded
                    seen = [(rows[k][m.place], v) for k, v in zip(data, values, strict=True)]
                    halves = [0.0 if exact else cells.written_to(r, v, factor) or 0.0 for r, v in seen]
                sums = _sums(i, data, values, halves, marks, t.totals)
                own = 0.0 if column.kind == "integer" else cells.written_to(raw, total, factor) or 0.0
                if sums and all(abs(total - s) > off + own + 1e-9 * max(abs(total), abs(s)) for s, off in sums):
                    nearest = min((s for s, _ in sums), key=lambda s: abs(s - total))
                    self._say("total_mismatch", "warning", m, i, raw, total=f"{_in_sheet(nearest, factor):,}")


def _by_format(
    number: float | int, shown_by: Format | None, column: Column, factor: Decimal | None, stated: object
) -> tuple[float | Bad, str | None, bool]:
    """A stored number in canonical units as its format shows it; the unit in the format that counts; whether that is another
    unit than the one `stated` by the header or the heading, whose factor is `factor`. Bad as a unit in a cell's text is: one of
    other things than the column's, or another than a stated one that is not the canonical."""
    if shown_by is None or not (shown_by.power or shown_by.unit):
        return cells.scaled(number, factor), None, False
    unit = shown_by.unit or ""
    own = column.units.get(unit_key(unit)) or (MULTIPLES.get(unit) if column.units else None)
    own = own or (_LETTERS_FOR_MULTIPLES.get(unit) if column.units else None)
    power = Decimal(10) ** shown_by.power
    if own is None:
        if column.units and unit_key(unit) in _other_units():
            return Bad("unit"), None, False
        # Without any unit stated, what the file keeps is in canonical ones, however it is shown.
        by = (factor or Decimal(1)) / power if stated else None
        return cells.scaled(number, by), None, False
    differs = bool(stated) and own != (factor or 1) and own / power != (factor or 1)
    if differs and factor is not None and factor != 1:
        return Bad("unit"), None, False
    return cells.scaled(number, own / power), unit, differs


@cache
def _other_units() -> frozenset[str]:
    """Spellings of units, and of money, in which a number is no number of something else; not the words of counting."""
    measures = [spellings for unit, spellings in unit_table().items() if unit not in COUNTERS]
    return frozenset([u for spellings in measures for u in spellings] + [unit_key(c) for c in CURRENCIES])


def _sums(
    i: int, data: list[int], values: list[Any], halves: list[float], marks: list[int], totals: list[int]
) -> list[tuple[float, float]]:
    """The sums a total in row `i` may stand for (all rows; those since the mark before; those up to the one after), each with
    how far it may be off because its numbers are written to some digit."""
    before = max((k for k in marks if k < i), default=-1)
    after = min((k for k in marks if k > i), default=10**9)
    up = max((k for k in totals if k < i), default=-1)
    down = min((k for k in totals if k > i), default=10**9)
    spans = [(-1, 10**9), (before, i), (i, after), (up, i), (i, down), (-1, i), (i, 10**9)]
    out: list[tuple[float, float]] = []
    for a, b in dict.fromkeys(spans):
        part = [n for n, k in enumerate(data) if a < k < b]
        if part:
            out.append(
                (float(sum(Decimal(repr(values[n] or 0)) for n in part)), fsum(halves[n] for n in part if values[n]))
            )
    return out


def _in_sheet(value: float, factor: Decimal | None) -> float | int:
    """A sum in the sheet's own unit, as a message shows it."""
    number = float(f"{value / float(factor or 1):.12g}")
    return int(number) if number.is_integer() else number
