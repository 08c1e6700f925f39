"""Holds the rows of a sheet against figures that the sheet publishes beside them: Number of properties: 1,797.

Belongs here: finding such a figure in the rows around a table, and comparing it. Not here: rows that are totals (sums.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from expectations.contract import Contract, Control
from expectations.expression import half_unit
from pipelines.core.letters import column_letter
from pipelines.intake.issues import issue
from pipelines.intake.layout import SheetTable
from pipelines.intake.layout.rows import row_text
from pipelines.intake.messages import shown
from pipelines.intake.model import Issue, SheetReading
from pipelines.intake.sheets import Grid


def hold(contract: Contract, grid: Grid, tables: Sequence[tuple[SheetTable, SheetReading]]) -> None:
    """Add an issue for each published figure that neither its own table nor all tables of the sheet give."""
    for control in contract.controls:
        whole = _figure(control, [s for _, s in tables])
        for table, sheet in tables:
            data = set(table.data)
            for i in range(table.first, table.last + 1):
                if i in data or not (found := control.pattern.search(row_text(grid.rows[i]))):
                    continue
                stated, off = float(found[1].replace(",", "")), half_unit(found[1].replace(",", ""))
                own = _figure(control, [sheet])
                if all(abs(stated - known) > off + 1e-9 * abs(known) for known in (own, whole)):
                    sheet.issues.append(_mismatch(grid, i, control, found[1], own))


def _figure(control: Control, sheets: Sequence[SheetReading]) -> float:
    """What the rows give: their count with those that were refused, or the sum of a column."""
    if control.column is None:
        return float(sum(len(s.rows) + s.refused for s in sheets))
    whole = fsum(v for s in sheets for v in s.values[control.column] if v is not None)
    return whole / float(control.factor)


def _mismatch(grid: Grid, i: int, control: Control, stated: str, known: float) -> Issue:
    place = next((p for p, v in enumerate(grid.rows[i]) if v != ""), 0)
    row = grid.top + i + 1
    words = {"said": shown(stated), "total": f"{known:,.12g}"}
    return issue(
        grid.name,
        "total_mismatch",
        "warning",
        "rows" if control.column is None else "sum",
        words,
        row=row,
        column=control.column,
        cell=f"{column_letter(grid.left + place)}{row}",
        raw=stated,
    )
