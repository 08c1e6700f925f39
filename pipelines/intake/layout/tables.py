"""The headers found in a grid, and the tables under them.

Belongs here: these shapes, and cutting one header into the tables that stand side by side under it, or one table at the years
between its rows. Not here: finding a header (header_rows.py), or what a row is (rules.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from pipelines.core.text import squeeze
from pipelines.intake.layout.headers import Choice
from pipelines.intake.layout.heading import HeadingFacts
from pipelines.intake.layout.merges import Merges
from pipelines.intake.layout.periods import Month
from pipelines.intake.layout.words import YEAR_SECTION


@dataclass(slots=True)
class SheetTable:
    """One table of a grid. Row numbers are 0-based in `grid.rows`.

    `first..last` are the rows it accounts for (its heading too), `data` its data rows, `totals` its total rows in order;
    `sections` rows that begin a new part; everything else in `first..last` is explained. `left..right`: its columns.
    """

    choice: Choice
    tied: tuple[Choice, ...]
    header: tuple[int, int]
    first: int
    last: int
    left: int
    right: int
    facts: HeadingFacts
    merges: Merges
    data: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    sections: list[int] = field(default_factory=list)
    noted: int = -1  # the last row that was a note
    signed: list[int] = field(default_factory=list)  # rows of signatures
    scratch: list[int] = field(
        default_factory=list
    )  # rows below them that are not like the table's: sums beside the form
    reasons: dict[int, str] = field(default_factory=dict)  # row -> the rule by which it is no data
    ended: str = ""  # the rule by which a row ends it; '' where the sheet ends first
    foreign: tuple[int, int] | None = None  # the rows of another table below it whose header nobody understands
    own: tuple[int, ...] = ()  # of tables that share columns, one a year: those of this year alone
    covered: set[int] = field(default_factory=set)  # rows that merged cells reach down into
    named: set[int] = field(default_factory=set)  # places of its columns
    words: list[int] = field(default_factory=list)  # places of its columns of texts that every row must have
    counters: set[int] = field(default_factory=set)  # places of columns that only count the rows, as 序号 does
    beside: bool = False  # stands to the right of another table whose rows it shares
    columns: Sequence[Sequence[Any]] = field(
        default_factory=list
    )  # the cells of most data rows, turned; [] where unknown
    types: Sequence[set[type]] = field(default_factory=list)  # and what types each column holds


@dataclass(slots=True)
class Block:
    """A header that was found: its rows, and how it reads, best first."""

    first: int
    last: int
    choices: Sequence[Choice]
    units: Sequence[str | None] | None = None  # what stands under its texts
    window: tuple[int, int] | None = None  # the columns it was found in, where others beside them are not its own


@dataclass(slots=True)
class FoundTables:
    """The tables of a grid, or, where there are none, the header that came nearest to one. `beside`: first column and the one
    behind the last."""

    tables: list[SheetTable]
    nearest: Block | None = None
    beside: list[tuple[int, int]] = field(default_factory=list)  # columns of forms beside them that nobody knows
    facts: HeadingFacts = field(default_factory=HeadingFacts)


def by_sections(t: SheetTable, rows: list[list[Any]]) -> list[SheetTable]:
    """The table itself, or a table for each year where rows between its data state a year."""
    begins: list[tuple[int, int]] = []
    for i in t.sections:
        texts = [v for v in rows[i] if v != ""]
        named = YEAR_SECTION.match(squeeze(texts[0])) if len(texts) == 1 and type(texts[0]) is str else None
        if named:
            begins.append((i, int(named[1])))
    if not begins:
        return [t]
    edges: list[tuple[int, int | None]] = [(t.first, t.facts.year), *begins, (t.last + 1, None)]
    out = []
    for (a, year), (b, _) in pairwise(edges):
        inside = range(a, b)
        part = replace(
            t,
            first=a,
            last=b - 1,
            facts=replace(t.facts, year=year),
            data=[i for i in t.data if i in inside],
            totals=[i for i in t.totals if i in inside],
            sections=[i for i in t.sections if i in inside and i != a],
            columns=[],
            types=[],
        )
        out.append(part)
    if not out[0].data and not out[0].totals:  # the heading and the header belong to the first year's
        out[1].first = t.first
        del out[0]
    return out


def _is_count(value: Any) -> bool:
    """Whether a cell is blank or a number that counts rows."""
    return (
        value == "" or type(value) is float or type(value) is int or (type(value) is str and value.strip().isdecimal())
    )


def _placed(c: Choice, block: Block, rows: list[list[Any]], merges: Merges) -> Choice:
    """A Choice with each column at the position of its values: under a header merged over two columns not always the first."""
    lines = merges.wide_rows(block.first, block.last)
    if not lines:
        return c
    taken = {m.place for m in c.mapped} | {p for p, _ in c.unmapped}
    below = rows[block.last + 1 : block.last + 21]
    out = []
    for m in c.mapped:
        place = m.place
        at = next((r for r in lines if merges.over(r, place + 1)), None)
        if at is not None and rows[at][place] == merges.over(at, place + 1) and m.header:
            j = place + 1
            while merges.over(at, j) and j not in taken:
                here, there = [r[place] for r in below], [r[j] for r in below]
                counted = m.column.institution == "name" and all(_is_count(v) for v in here)
                if (all(v == "" for v in here) or counted) and any(v != "" for v in there):
                    m = m._replace(place=j)
                    break
                j += 1
        out.append(m)
    return c if all(a is b for a, b in zip(out, c.mapped, strict=True)) else replace(c, mapped=tuple(out))


def _dated(facts: HeadingFacts, period: int | None) -> HeadingFacts:
    """The facts of a heading with the year, or the month, of some columns."""
    if isinstance(period, Month):
        year, month = period.parts
        return replace(facts, year=year or facts.year, month=month)
    return replace(facts, year=period)


def tables_under(
    block: Block,
    begin: int,
    width: int,
    facts: HeadingFacts,
    years: list[int | None],
    shared: list[tuple[int, Choice]],
    rows: list[list[Any]],
    merges: Merges,
) -> list[SheetTable]:
    """The tables under a header, which repeats side by side where several are of one dataset. `begin`: the first row that is theirs;
    `years`: each column's; `shared`: the choices of `HeaderRows.by_year`, where columns repeat one a year."""
    best = block.choices[0]
    texts = {y for y in years if y is not None}
    own = [_placed(c, block, rows, merges) for c in block.choices if c.dataset == best.dataset and c.fits]
    own.sort(key=lambda c: c.mapped[0].place)
    rest = [c for c in block.choices if c.dataset != best.dataset and c.fits]
    if shared and len(own) == 1:
        at = block.first, block.last
        return [
            SheetTable(
                c, (), at, begin, begin, 0, width, _dated(facts, y), merges, beside=k > 0,
                own=tuple(m.place for m in c.mapped if years[m.place] == y),
            )
            for k, (y, c) in enumerate(shared)
        ]  # fmt: skip
    same = (len(best.mapped), len(best.unmapped))
    tied = tuple(c for c in rest if (len(c.mapped), len(c.unmapped)) == same)
    starts = [min([m.place for m in c.mapped] + [p for p, _ in c.unmapped]) for c in own]
    edges = [0, *starts[1:], width]
    tables = []
    for k, c in enumerate(own):
        mine = {years[m.place] for m in c.mapped} - {None}
        if len(mine) == 1 and (len(texts) > 1 or facts.year is None):
            facts = _dated(facts, mine.pop())
        at = block.first, block.last
        tables.append(SheetTable(c, tied, at, begin, begin, edges[k], edges[k + 1], facts, merges, beside=k > 0))
    return tables
