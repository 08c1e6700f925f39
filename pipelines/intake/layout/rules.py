"""Classifies each row under a header by an ordered list of named rules; the first that matches decides.

Belongs here: the rules, and the order in which they are asked. A rule looks at a row and its sheet and says what kind of row it
is, or None; its name is kept as the reason. What no rule answers is data: nothing is dropped without a reason. Not here: what a
text says by itself (words.py), or where headers are (header_rows.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from pipelines.core.text import squeeze
from pipelines.intake.layout.ends import header_again
from pipelines.intake.layout.headers import Mapped
from pipelines.intake.layout.rows import RowKind, Rule, SheetRow, SheetRows, row_text
from pipelines.intake.layout.tables import SheetTable
from pipelines.intake.layout.words import NONE, NOTHING_MARKS, WHOLE_DATE, YEAR_SECTION, Says
from pipelines.intake.values import Bad, column_reader

_FEWEST = 3  # columns of a table in which a lone number of a row was written beforehand
_WIDE = 4  # columns of a table in which a lone name is no row of data: no clerk leaves nine of ten cells empty
_FEW = 3  # cells of a note
_REMARK = 30  # characters of a lone text that is a remark, whatever its column


# ---- what a row is: asked of it for each table whose columns it crosses


def blank(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """Nothing but white space."""
    return RowKind.BLANK if row.first is None else None


def total_by_name(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """全国: a name of the contract for rows that sum up others."""
    if sheet.words.names:
        for m in sheet.table.choice.mapped:
            v = row.cells[m.place]
            if type(v) is str and v and m.column.kind in ("string", "enum") and sheet.words.is_name(v):
                return RowKind.TOTAL
    return None


def example_by_text(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """The row with which the form shows how it is filled in, as the contract describes it."""
    places = {m.column.name: m.place for m in sheet.table.choice.mapped} if sheet.words.examples else {}
    for texts in sheet.words.examples:
        if texts.keys() <= places.keys() and all(
            squeeze(str(row.cells[places[name]])).lower() == text for name, text in texts.items()
        ):
            return RowKind.EXAMPLE
    return None


def total(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """合计 in its first cell."""
    return RowKind.TOTAL if row.says is Says.TOTAL else None


def among(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """其中：车辆, a part of the row above."""
    return RowKind.AMONG if row.says is Says.AMONG else None


def continued(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """续表, over the rest of a table on a new page."""
    return RowKind.CONTINUED if row.says is Says.CONTINUED else None


def example(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """填写示例 beside the columns of a form, with the row it shows; 示例 under a header may be a value."""
    return RowKind.EXAMPLE if row.says is Says.EXAMPLE and row.place not in sheet.table.named else None


def among_in_name(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """1.1 | 其中：灯具: in a column of texts that every row has."""
    if row.filled > 1:
        for p in sheet.table.words:
            v = row.cells[p]
            if type(v) is str and v and sheet.words.says(v) is Says.AMONG:
                return RowKind.AMONG
    return None


def total_further_right(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """合计 behind numbers or a blank cell, where it is not the value of a full row of data."""
    if row.filled > 1:
        behind = row.own[row.place - sheet.table.left + 1 :]
        for v in behind if sheet.words.any_total(behind) else ():
            if type(v) is str and v and sheet.words.is_total(v) and _can_total(sheet.table, row.cells, v):
                return RowKind.TOTAL
    return None


def published_figure(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """Number of properties: | 1,797, a figure that the contract holds the rows against, and nothing beside it."""
    few = sheet.words.controls and row.filled <= _FEW
    return RowKind.NOTE if few and any(c.pattern.fullmatch(row_text(row.own)) for c in sheet.words.controls) else None


def merged_down(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """A row covered by merged cells of the row above, which hold its values."""
    if row.i not in sheet.table.covered:
        return None
    return RowKind.DATA if any(row.cells[m.place] != "" for m in sheet.table.choice.mapped) else RowKind.BLANK


def numbered_beforehand(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """A numbered line of a form that was not filled in."""
    t = sheet.table
    if row.filled > 1 or row.place not in t.counters or len(t.choice.mapped) < _FEWEST:
        return None
    if row.says in (Says.NOTE, Says.SIGNATURE, Says.SECTION) or (_has_few_texts(row) and _is_in_heading(row, t)):
        return None
    return RowKind.BLANK


def numbered_group(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """一 | 市直单位 in a column that counts the rows 1, 2, 3: a group of them, with its sums or without."""
    if row.says is not Says.GROUP or row.place not in sheet.table.counters:
        return None
    if not _counts_in_digits(sheet.rows[sheet.block.last + 1 :], row.place):
        return None
    return RowKind.TOTAL if float in map(type, row.own) else RowKind.SECTION


def nothing_reported(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """无 or a dash in each filled cell, or beside the name of an institution that had nothing to report."""
    if type(row.first) is not str or float in map(type, row.own) or len(texts := row.texts) < row.filled:
        return None
    if all(squeeze(v).lower() in NOTHING_MARKS for v in texts):
        return RowKind.NOTHING
    if NONE not in texts:
        return None
    mapped = sheet.table.choice.mapped
    institution = None
    for m in mapped:
        v = row.cells[m.place]
        if v != "" and _has_text(v):
            if institution is not None or m.column.institution is None:
                return None
            institution = m
    marks = sum(not _has_text(v) for v in texts)
    return RowKind.NOTHING if institution and 2 * marks >= len(mapped) else None


def note(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """注：…, in few cells, all of them texts; it may go on for some rows."""
    if not _has_few_texts(row) or not (
        row.says is Says.NOTE or (row.filled == 1 and sheet.table.noted == row.i - 1 and row.says is not Says.SIGNATURE)
    ):
        return None
    sheet.table.noted = row.i
    return RowKind.NOTE


def signature(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """填表人：… 审核人：…, in few cells, all of them texts."""
    if not _has_few_texts(row) or row.says is not Says.SIGNATURE:
        return None
    sheet.table.noted = row.i
    return RowKind.SIGNATURE


def heading_again(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """A line of the heading repeated on a new page."""
    return RowKind.HEADING if _has_few_texts(row) and _is_in_heading(row, sheet.table) else None


def section(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """一、市直单位, or 2021年: a lone text that names a part of the table, or is a remark, rather than half a row of data."""
    return RowKind.SECTION if row.filled == 1 and _has_few_texts(row) and _is_section(row, sheet) else None


def section_of_its_contract(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """A lone text in a dataset whose rows take a value from the names of sections."""
    lone = sheet.words.sectioned and row.filled == 1 and type(row.first) is str
    return RowKind.SECTION if lone and row.says is not Says.EXAMPLE else None


def note_filled_in(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """备注：, 填表人：, 电话：, each followed by a value: a name, a date, a telephone number."""
    if row.says is not Says.NOTE and row.says is not Says.SIGNATURE:
        return None
    kind = RowKind.NOTE if row.says is Says.NOTE else RowKind.SIGNATURE
    if row.signs(sheet.words):
        return kind
    required = [m for m in sheet.table.choice.mapped if m.column.required]
    return kind if sum(1 for m in required if row.cells[m.place] != "") * 2 < len(required) else None


def beside_the_columns(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """No value under any of the table's headers; where tables share columns, one for each year, none of this year's."""
    t, cells = sheet.table, row.cells
    if all(cells[m.place] == "" for m in t.choice.mapped) or (t.own and all(cells[p] == "" for p in t.own)):
        return RowKind.BLANK
    return None


# ---- the last rows of a table: asked of its last row of data, again and again while a rule answers


def signing_date(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """A lone date under the last row, with which a sheet is signed.

    A narrow table may have a row of which nothing but a date was filled in: there it is a signature only where a blank
    row or a note stands between, where it stands in a column of texts, or where it is written as no other date is.
    """
    t, rows = sheet.table, sheet.rows
    if row.filled != 1 or len(t.data) < 2 or row.i in t.covered:
        return None
    v = row.first
    text = squeeze(v) if type(v) is str else ""
    under = next((m.column for m in t.choice.mapped if m.place == row.place), None)
    if under is None or not (isinstance(v, dt.date) or WHOLE_DATE.match(text)):
        return None
    others = [rows[k][row.place] for k in t.data[:-1]]
    alike = any(("年" in squeeze(o) if type(o) is str else False) == ("年" in text) for o in others if o != "")
    apart = t.data[-2] < row.i - 1
    wide = len(t.choice.mapped) >= _WIDE
    return RowKind.SIGNATURE if wide or apart or under.kind not in ("date", "month") or not alike else None


def signing_office(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """The name of an office right above the signing date, separated from the rows above."""
    t = sheet.table
    signed = t.reasons.get(row.i + 1) == signing_date.__name__
    alone = row.cells.count("") == len(row.cells) - 1 and type(row.first) is str
    return RowKind.SIGNATURE if signed and alone and len(t.data) > 1 and t.data[-2] < row.i - 1 else None


def below_signatures(row: SheetRow, sheet: SheetRows) -> RowKind | None:
    """Sums and remarks beside the form, below its line of signatures, that lack what rows of the table have: a form that is signed
    at the end of each page goes on with rows that have it, or with its header."""
    t = sheet.table
    signed = max((s for s in t.signed if s < row.i), default=-1)
    if signed < 0 or row.i in t.covered:
        return None
    goes_on = (header_again.__name__, continued.__name__)
    if any(t.reasons.get(r) in goes_on for r in range(signed + 1, row.i)):
        return None
    above = [sheet.rows[i] for i in t.data if i < t.signed[0]]
    if not above:
        return None
    if signed not in sheet.goes_on:  # without a header most of the rows below have to be like those above
        below = [i for i in t.data if i > signed]
        cut = (SheetRow(i, sheet.rows[i], t.left, t.right, sheet.words) for i in below)
        sheet.goes_on[signed] = 2 * sum(_is_like(r, above, t) for r in cut) > len(below)
    return None if sheet.goes_on[signed] and _is_like(row, above, t) else RowKind.SCRATCH


RULES: tuple[Rule, ...] = (
    blank,
    example_by_text,
    total_by_name,
    total,
    among,
    continued,
    example,
    among_in_name,
    total_further_right,
    published_figure,
    merged_down,
    numbered_beforehand,
    numbered_group,
    nothing_reported,
    note,
    signature,
    heading_again,
    section,
    section_of_its_contract,
    note_filled_in,
    beside_the_columns,
)
LAST: tuple[Rule, ...] = (signing_date, signing_office, below_signatures)


def judge(row: SheetRow, sheet: SheetRows, rules: Sequence[Rule]) -> tuple[RowKind, str] | None:
    """Return the kind of a row by the first rule that matches, and that rule's name; None where none does."""
    for rule in rules:
        kind = rule(row, sheet)
        if kind is not None:
            return kind, rule.__name__
    return None


# ---- what several rules ask


def _has_few_texts(row: SheetRow) -> bool:
    return row.filled <= _FEW and type(row.first) is str and len(row.texts) == row.filled


def _is_in_heading(row: SheetRow, t: SheetTable) -> bool:
    return squeeze(row.first) in t.facts.texts


def _is_like(row: SheetRow, above: Sequence[list[Any]], t: SheetTable) -> bool:
    """Whether a row has values where most rows above do, in the required columns, or in most columns where none is required."""

    def usual(mapped: Sequence[Mapped]) -> list[Mapped]:
        return [m for m in mapped if 2 * sum(r[m.place] != "" for r in above) >= len(above)]

    def reads(m: Mapped) -> bool:
        v = row.cells[m.place]
        return v != "" and type(column_reader(m.column, None, t.facts.year, False)(v)) is not Bad

    needed = usual([m for m in t.choice.mapped if m.column.required])
    if any(m.column.kind in ("string", "enum", "date", "month", "year") for m in needed):
        return all(map(reads, needed))
    every = usual(t.choice.mapped)
    return 2 * sum(map(reads, every)) > len(every)


def _has_text(value: Any) -> bool:
    return type(value) is not str or squeeze(value).lower() not in NOTHING_MARKS


def _counts_in_digits(rows: list[list[Any]], place: int) -> bool:
    """Whether a column counts the rows in digits, so that 一 or (二) in it names a group of them."""
    return any(
        type(v) is float or type(v) is int or (type(v) is str and v.strip().isdecimal())
        for v in (r[place] for r in rows)
    )


def _can_total(t: SheetTable, cells: list[Any], text: str) -> bool:
    """Whether a total's word past the first cell may be one: not where it may be the value of a full row of data."""
    blanks = False
    for m in t.choice.mapped:
        v = cells[m.place]
        if v is text and (m.column.kind in ("month", "date", "year", "enum") or m.column.institution):
            return True
        blanks |= v == "" and m.column.required
    return blanks


def _is_section(row: SheetRow, sheet: SheetRows) -> bool:
    """Whether the only text of a row names a part of the table, or is a remark, rather than half a row of data."""
    t, text = sheet.table, row.first
    if row.says in (Says.SECTION, Says.NOTE, Says.SIGNATURE) or len(text) > _REMARK:
        return True
    if sheet.merges.is_wide(row.i, row.place):
        return True
    under = next((m.column for m in t.choice.mapped if m.place == row.place), None)
    if under is None:
        return True
    plain = squeeze(text)
    wide = len(t.choice.mapped) >= _WIDE
    if under.kind == "year" and YEAR_SECTION.match(plain):
        return wide
    if under.kind == "string" or (under.kind in ("date", "month") and WHOLE_DATE.match(plain)):
        return wide  # a name alone over the full width
    # Prose where a number or a date belongs, and nothing beside it.
    value = column_reader(under, None, t.facts.year, False)(text)
    return len(t.choice.mapped) >= _FEWEST and (
        type(value) is Bad or (under.kind == "enum" and value not in under.values)
    )
