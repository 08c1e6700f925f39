"""Parses a column of numbers whose unit differs from row to row: another column states it, or the version of the form.

Belongs here: which unit a row is in, and the rows that state none. Not here: units in headers and headings (plans.py), or in a cell
beside its number (values/numbers.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from expectations.contract import Column, unit_key
from pipelines.intake import values as cells
from pipelines.intake.columns.cell_issues import CellIssues
from pipelines.intake.columns.plans import Plans
from pipelines.intake.columns.shown import NumberFormats, as_shown
from pipelines.intake.issues import EACH, finding
from pipelines.intake.issues import as_shown as text_of
from pipelines.intake.layout.headers import Mapped
from pipelines.intake.values import Bad, DoubtfulValue

_NO_UNIT = "0"  # what a look-up of an empty cell gives


def read(
    cell_issues: CellIssues,
    plans: Plans,
    formats: NumberFormats,
    m: Mapped,
    data: list[int],
    rows: Sequence[int],
    raw: Sequence[Any],
    units: Sequence[str],
    none: str,
) -> list[Any]:
    """Return a column's values in its canonical unit, each cell of `raw` in the unit of its row in `units`.

    A number whose row has no unit ('', and `none` names the message), or one that the column does not know, is unreadable; a 0
    there is nothing. `rows` are the absolute rows of the cells, as number formats are kept.
    """
    column, dataset = m.column, cell_issues.plan.choice.dataset
    values: list[Any] = [None] * len(raw)
    odd: list[tuple[int, Bad | DoubtfulValue]] = []
    found: dict[str, str] = {}
    for unit, places in _groups(units).items():
        factor = column.units.get(unit_key(unit))
        reader = plans.reader(dataset, column, factor)
        some = [raw[k] for k in places]
        numbers, strange = reader.read(some)
        odd += [(places[k], why) for k, why in strange]
        if factor is None:
            why = Bad("unknown_unit", unit) if unit else Bad(none)
            odd += [(places[k], why) for k, v in enumerate(numbers) if v]
            _noughts(cell_issues, m, [data[places[k]] for k, v in enumerate(numbers) if v == 0])
            continue
        found.setdefault(unit_key(unit), unit)
        if shown_by := formats.where_it_counts(m):
            as_shown(
                cell_issues, m, [data[k] for k in places], [rows[k] for k in places], some, numbers, shown_by, factor
            )
        for k, v in zip(places, numbers, strict=True):
            values[k] = v
    if odd:
        cell_issues.all_odd(m, data, raw, values, sorted(odd, key=lambda o: o[0]))
    if found:
        cell_issues.record_unit(column.name, "、".join(found.values()))
    if len(factors := {column.units[u] for u in found}) == 1:
        cell_issues.one_unit[column.name] = factors.pop()
    return values


def _noughts(cell_issues: CellIssues, m: Mapped, rows: Sequence[int]) -> None:
    """Say that a nought in no unit is taken as an empty cell: look-ups of empty cells give 0 for the number and for its unit."""
    listed, count = (rows, "") if len(rows) <= EACH else (rows[:1], str(len(rows)))
    for i in listed:
        variant = "noughts_without_unit" if count else "nought_without_unit"
        about = finding("nought_without_unit", count=len(rows) if count else 1)
        cell_issues.add("doubtful", "warning", m, i, "0", variant, finding=about, count=count)


def _groups(units: Sequence[str]) -> dict[str, list[int]]:
    """Unit -> the places of the rows that have it."""
    out: dict[str, list[int]] = {}
    for k, unit in enumerate(units):
        out.setdefault(unit, []).append(k)
    return out


def stated(column: Column, beside: Sequence[Any]) -> list[str]:
    """The cells of a column of units as units; '' where one says that there is none."""
    read_text = cells.column_reader(column, None, None, False)
    known = (read_text(text_of(v) if type(v) in (float, int) else v) for v in beside)
    return [k if type(k) is str and k != _NO_UNIT else "" for k in known]
