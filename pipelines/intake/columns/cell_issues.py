"""Builds the issues of one table's cells with their positions, and the unit of each column.

Belongs here: the words for what was odd. Not here: what is odd (values, suspects.py, shown.py, sums.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from expectations.contract import Column
from pipelines.core.letters import column_letter
from pipelines.intake import values as cells
from pipelines.intake.columns.plans import Plan
from pipelines.intake.issues import EACH, as_shown, issue
from pipelines.intake.layout.headers import Mapped
from pipelines.intake.layout.heading import HeadingFacts
from pipelines.intake.messages import EXPECTED, message_of, position_texts, shown
from pipelines.intake.model import Severity, SheetReading
from pipelines.intake.sheets import Grid
from pipelines.intake.values import Bad, DoubtfulValue

_NOUGHT = "1900/1/0"  # how spreadsheet programs show the day number 0
_LOST_FROM = 3  # a column of so many filled cells of which none could be read was not received


class CellIssues:
    """Adds the issues of one table to its SheetReading. `lost`: the columns of which no cell could be read; `one_unit`: those
    whose unit is stated row by row, and is the same in each, with its factor."""

    def __init__(self, sheet: SheetReading, grid: Grid, facts: HeadingFacts, plan: Plan):
        self.sheet, self.grid, self.facts, self.plan = sheet, grid, facts, plan
        self.lost: set[str] = set()
        self.one_unit: dict[str, Decimal] = {}

    def add(
        self,
        code: str,
        severity: Severity,
        m: Mapped,
        i: int,
        raw: Any,
        variant: str | None = None,
        *,
        quarantines: bool = False,
        finding: str | None = None,
        **fields: str,
    ) -> None:
        """Add one issue for the cell of column `m` in row `i` of the grid; `raw`: its content."""
        row = self.grid.top + i + 1
        cell = f"{column_letter(self.grid.left + m.place)}{row}"
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
                finding=finding,
                words={
                    **position_texts(row, m.header, cell),
                    "value": shown(text or ""),
                    "expected": zh,
                    "expected_en": en,
                    "example": example,
                    "unit": m.match.unit or "、".join(self.facts.units) or m.column.unit or "",
                    **fields,
                },
            )
        )

    def odd(self, m: Mapped, i: int, raw: Any, why: Bad | DoubtfulValue) -> None:
        """Add the issue of one cell in row `i`."""
        secret = m.column.access in ("L2", "L3")
        if type(why) is DoubtfulValue:
            variant, taken = why.variant, str(why.value)
            if variant == "approximate":
                taken = f"{in_sheet(why.value, self.plan.factor(m)):,}"
            elif self._is_ruled_out(m.column, variant, taken):
                return  # what days are possible is the contract's to say, and the suite's to tell
            self.add("doubtful", "warning", m, i, raw, f"{variant}_hidden" if secret else variant, number=taken)
            return
        variant = why.variant if type(why) is Bad else ""
        if variant == "nought":
            raw, variant = _NOUGHT, ""
        if secret:
            variant = "hidden"
        said = why.said if type(why) is Bad else ""
        self.add("bad_type", "error", m, i, raw, variant or None, quarantines=m.column.required, said=shown(said))

    def all_odd(
        self,
        m: Mapped,
        data: list[int],
        raw: Sequence[Any],
        values: Sequence[Any],
        odd: Sequence[tuple[int, Bad | DoubtfulValue]],
    ) -> None:
        """Add the issue of each cell; where no cell of the column could be read, one issue for the column. For a required column each row
        still has an issue, because each is quarantined."""
        lost = len(odd) >= _LOST_FROM and values.count(None) == len(values) and any(w != cells.PENDING for _, w in odd)
        for n, (k, why) in enumerate(odd):
            self.odd(m, data[k], raw[k], why)
            if lost and n == 0:
                self.lost.add(m.column.name)
                first = self.sheet.issues[-1]
                words = {"said": first.message_zh, "said_en": first.message_en, "count": str(len(odd))}
                first.message_zh, first.message_en = message_of("bad_type", "column", **words)
                if not m.column.required and len(odd) > EACH:
                    return

    @staticmethod
    def _is_ruled_out(column: Column, variant: str, day: str) -> bool:
        """Whether a contract limits the dates, so that an early one needs no issue."""
        lowest = column.minimum_text or (str(column.minimum) if column.minimum is not None else "")
        return bool(lowest) and (variant == "early" or day < lowest[: len(day)])

    def record_unit(self, name: str, unit: str) -> None:
        """Record the unit that a column was read with, where its header states none."""
        columns = self.sheet.columns
        for k, c in enumerate(columns):
            if c.column == name and c.unit is None:
                columns[k] = replace(c, unit=unit)


def in_sheet(value: float, factor: Decimal | None) -> float | int:
    """A sum in the sheet's own unit, as a message shows it."""
    number = float(f"{value / float(factor or 1):.12g}")
    return int(number) if number.is_integer() else number
