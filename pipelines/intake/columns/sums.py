"""Detects rows that are sums of others, and checks totals against the rows they sum up.

Belongs here: what adds up. Not here: rows that say that they are totals (layout/rules.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import fsum, isclose
from typing import Any

from expectations.contract import Contract
from pipelines.core.letters import column_letter
from pipelines.intake import values as cells
from pipelines.intake.columns.cell_issues import CellIssues, in_sheet
from pipelines.intake.columns.plans import Plan
from pipelines.intake.columns.shown import NumberFormats, by_format
from pipelines.intake.issues import issue
from pipelines.intake.layout import SheetTable
from pipelines.intake.messages import shown
from pipelines.intake.packed import Packed

_MOST_SUMS = 1_000_000  # rows that may be sums times rows they may be the sums of: more is a column nobody filled in
_CLOSE = 1e-4  # so near to the sum of the others a row of sums is, relative to it
FEWEST_OF_A_WHOLE = 4  # rows, with the one that may be the whole


def wholes(cell_issues: CellIssues, data: list[int]) -> None:
    """Mark as doubtful a row whose figures are all the sums of the other rows, or half of that where these include subtotals: a total
    row labelled with the name of the whole."""
    filled = [(m, _Figures(cell_issues.sheet.values.get(m.column.name, ()))) for m, _ in cell_issues.plan.summed]
    filled = [(m, f) for m, f in filled if f.count_filled() >= FEWEST_OF_A_WHOLE]
    if not any(f.may_be_close() for _, f in filled[:1]):
        return
    sums = [(m, f, f.sum()) for m, f in filled]
    for times in (2, 3) if sums else ():
        close = _CLOSE if len(sums) > 1 else 1e-9  # one column alone may add up by chance
        rows = sums[0][1].close(times, sums[0][2], close)
        for _, v, whole in sums[1:] if rows else ():
            rows = [k for k in rows if isclose(v.values[k] * times, whole, rel_tol=close)]
        if len(sums) == 1:
            rows = [k for k in rows if sums[0][1].values[k] >= 100]
        if len(rows) == 1:
            row = cell_issues.grid.top + data[rows[0]] + 1
            words = {
                "columns": "、".join(f"“{shown(m.header)}”" for m, _, _ in sums),
                "times": "" if times == 2 else "的一半",
                "times_en": "" if times == 2 else ", halved",
            }
            cell = f"{column_letter(cell_issues.grid.left + sums[0][0].place)}{row}"
            name = sums[0][0].column.name
            found_issue = issue(
                cell_issues.grid.name, "doubtful", "warning", "whole", words, row=row, column=name, cell=cell
            )
            cell_issues.sheet.issues.append(found_issue)
            return


class _Figures:
    """A column's numbers, 0 where there is none: a list, or of a large column an array of floats."""

    def __init__(self, column: Sequence[Any]):
        self.values: Any
        if type(column) is Packed:
            from pipelines.intake.columns import at_once  # brings Arrow along

            self.values = at_once.figures(column)
        else:
            self.values = [v or 0.0 for v in column]

    def count_filled(self) -> int:
        """Count the numbers other than 0."""
        return sum(v != 0 for v in self.values) if type(self.values) is list else int((self.values != 0).sum())

    def may_be_close(self) -> bool:
        """Whether some may be half or a third of the sum; cheap checks come first."""
        if type(self.values) is list:
            return True
        from pipelines.intake.columns import at_once

        return any(at_once.may_be_close(self.values, times, _CLOSE) for times in (2, 3))

    def sum(self) -> float:
        """Their sum, rounded once."""
        return fsum(self.values if type(self.values) is list else self.values.tolist())

    def close(self, times: int, whole: float, relative: float) -> list[int]:
        """The positions of the numbers that give `whole` when multiplied, within rounding."""
        if type(self.values) is list:
            return [k for k, v in enumerate(self.values) if isclose(v * times, whole, rel_tol=relative)]
        from pipelines.intake.columns import at_once

        return at_once.close(self.values * times, whole, relative)


def nameless_totals(contract: Contract, plan: Plan, values: Mapping[str, Sequence[Any]], data: list[int]) -> set[int]:
    """Find unlabelled subtotal rows: the positions in `data` of rows that hold only sums of other rows, without 合计, or a group's name
    and its sums where a row of data has more."""
    needed, last = plan.needed, len(data) - 1
    if not plan.sums_alone and not any(None in values[n] for n in needed):
        return set()
    summed = [m.column.name for m, _ in plan.summed if m.column.name in values]
    names = [n for n, m, _, _ in plan.columns if m is not None and n not in summed]
    found: dict[int, list[str]] = {}  # rows that may be sums, and their columns that hold one
    for k in [last] if plan.sums_alone else [k for k in range(last + 1) if any(values[n][k] is None for n in needed)]:
        named = [n for n in names if values[n][k] is not None]
        sums = [n for n in summed if values[n][k]]
        group = len(named) == 1 and needed and len(sums) > 1 and contract.column(named[0]).kind == "string"
        if sums and (not named or group):
            found[k] = sums
            if len(found) * len(data) > _MOST_SUMS:
                return set()
    if not found:
        return set()
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
            return set()
    return totals


def totals(cell_issues: CellIssues, table: SheetTable, formats: NumberFormats, data: list[int]) -> None:
    """Compare each total with the rows it may sum up; add one issue for each cell that is none of their sums."""
    rows, t = cell_issues.grid.rows, table
    bad = {i.column for i in cell_issues.sheet.issues if i.code in ("bad_type", "doubtful")}
    marks = sorted({*t.totals, *t.sections})
    for m, factor in cell_issues.plan.summed:
        column, name = m.column, m.column.name
        if name in bad:
            continue  # a row that could not be read would make every total wrong
        if name in cell_issues.plan.own_ways:
            if name not in cell_issues.one_unit:
                continue  # in which of its rows' units is a total?
            factor = cell_issues.one_unit[name]
        values = cell_issues.sheet.values[name]
        whole = sum([v for v in values if v is not None] if None in values else values)
        halves: list[float] | None = None
        for i in t.totals:
            raw = rows[i][m.place]
            if raw == "":
                continue
            plain = type(raw) is float and factor is None
            total = raw if plain else cells.read_number(raw, column.units, factor, column.unit)
            if type(total) is float and type(raw) is float and (own_formats := formats.where_it_counts(m)):
                stated = m.match.factor or cell_issues.plan.above.get(name)
                total, _, _ = by_format(raw, own_formats.get(i + cell_issues.grid.top), column, factor, stated)
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
                cell_issues.add("total_mismatch", "warning", m, i, raw, total=f"{in_sheet(nearest, factor):,}")


def _sums(
    i: int, data: list[int], values: Sequence[Any], halves: list[float], marks: list[int], totals: list[int]
) -> list[tuple[float, float]]:
    """The candidate sums of a total in row `i` (all rows; those since the mark before; those up to the one after), each with its
    rounding error."""
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
