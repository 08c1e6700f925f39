"""Parsing plans of the columns under a header, built once for each header and the values stated above it.

Belongs here: which reader each column gets, with which factor. Not here: rows (table.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from expectations.contract import Column, Contracts
from pipelines.intake import values as cells
from pipelines.intake.layout.headers import Choice, Headers, Mapped


@dataclass(slots=True)
class Plan:
    """The parsing plan of the columns under one header; each of `columns` has its name, its position, its reader, and whether
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
    beside: dict[str, Mapped] = field(
        default_factory=dict
    )  # columns whose unit another states row by row, and that one
    versioned: set[str] = field(
        default_factory=set
    )  # columns whose unit depends on the version of the form, and is not stated
    unitless: set[str] = field(
        default_factory=set
    )  # and those where it is not there, and no header or heading states a unit
    above: dict[str, str] = field(default_factory=dict)  # columns whose unit is the heading's, and which, folded

    @property
    def own_ways(self) -> set[str]:
        """The columns whose unit is none for all of their rows."""
        return {*self.beside, *self.versioned, *self.unitless}

    def factor(self, m: Mapped) -> Decimal | None:
        """The factor from a column's unit to the canonical one: from its header, else from the heading of the sheet."""
        return next(
            (r.factor for _, at, r, _ in self.columns if at is m and r is not None), None
        )  # one is a mapping, and empty at first


class Plans:
    """The parsing plans of headers. Caches them, so use one for many files."""

    def __init__(self, contracts: Contracts, headers: Headers):
        self.contracts, self.headers = contracts, headers
        self._plans: dict[tuple[int, tuple[str, ...], int | None], Plan] = {}
        self._readers: dict[
            tuple[str, str, Decimal | None, int | None], cells.ColumnReader
        ] = {}  # by what they depend on

    def plan(self, choice: Choice, stated: tuple[str, ...], year: int | None) -> Plan:
        """Return the plan for a header and the units and year that the sheet states. Cached, because most sheets repeat one another's."""
        key = id(choice), stated, year
        known = self._plans.get(key)
        if known is None or known.choice is not choice:
            if len(self._plans) > 2_000:
                self._plans.clear()
                self._readers.clear()
            known = self._plans[key] = self._plan(choice, stated, year)
        return known

    def reader(
        self, dataset: str, column: Column, factor: Decimal | None, year: int | None = None
    ) -> cells.ColumnReader:
        """The reader of a column's cells where one of the sheet's units is `factor` canonical ones."""
        key = dataset, column.name, factor, year if column.kind == "month" else None
        if key not in self._readers:
            self._readers[key] = cells.ColumnReader(
                column, factor, year, name=column.name in self.contracts[dataset].key
            )
        return self._readers[key]

    @staticmethod
    def _units_of(column: Column, plan: Plan) -> Mapped | None:
        """Where the unit of a column's numbers is stated row by row, if anywhere."""
        place = plan.choice.units_beside.get(column.name)
        if place is None:
            return plan.places.get(column.unit_column or "")
        name = f"{column.name}.unit"
        return Mapped(place, "", plan.places[column.name].match, Column(name, "", "", "string", column.access))

    def _plan(self, choice: Choice, stated: tuple[str, ...], year: int | None) -> Plan:
        contract = self.contracts[choice.dataset]
        plan = Plan(choice, {m.column.name: m for m in choice.mapped})
        for c in contract.kept:
            m = plan.places.get(c.name)
            if m is None:
                plan.columns.append((c.name, None, None, False))
                continue
            if beside := self._units_of(c, plan):
                plan.beside[c.name] = beside
                plan.columns.append((c.name, m, self.reader(choice.dataset, c, None), False))
                plan.summed.append((m, None))
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
            if c.unit_column and factor is None:
                plan.unitless.add(c.name)
            if c.name in contract.unit_changes and factor is None:
                plan.versioned.add(c.name)
            reader = self.reader(choice.dataset, c, factor, year)
            plan.columns.append((c.name, m, reader, reader.plain and len(above) < 2 and c.name not in plan.own_ways))
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
