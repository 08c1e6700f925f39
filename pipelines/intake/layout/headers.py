"""Maps a row of header texts to a dataset and its columns.

Belongs here: which dataset fits a header best, and where tables stand side by side. Not here: what one text stands for (names.py),
where in a sheet the header is (header_rows.py), or what is under it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from expectations.contract import BESIDE, Column, Contract, Contracts, header_key, unit_key
from pipelines.intake.layout.names import Match, Names

_COUNTER = 1000  # 序号 beside 车辆编号 only counts the rows, whatever place it has among the aliases


class Mapped(NamedTuple):
    """A column of a table: its position (0-based in the grid), the header as written, and its Match."""

    place: int
    header: str
    match: Match
    column: Column


@dataclass(frozen=True, slots=True)
class Choice:
    """A header read as one dataset's: the columns it maps, the headers it does not, and what it lacks to be a table."""

    dataset: str
    mapped: tuple[Mapped, ...]
    unmapped: tuple[tuple[int, str], ...]
    missing: tuple[str, ...]  # required columns that are not there and may not be stated once
    names: int  # how many header texts there were
    figures: tuple[str, ...] = ()  # columns of numbers of which one must be there and none is: a key alone is no table

    @property
    def units_beside(self) -> dict[str, int]:
        """Column -> the place right of it, where its contract has the units stand and no other column does."""
        taken = {m.place for m in self.mapped}
        of_rows = (m for m in self.mapped if m.column.unit_column == BESIDE and m.match.factor is None)
        return {m.column.name: m.place + 1 for m in of_rows if m.place + 1 not in taken}

    @property
    def left_out(self) -> tuple[tuple[int, str], ...]:
        """The headers of columns that are not read."""
        return tuple(u for u in self.unmapped if u[0] not in self.units_beside.values())

    @property
    def lacking(self) -> tuple[str, ...]:
        """The missing columns without which this is no table."""
        return self.missing or self.figures

    @property
    def fits(self) -> bool:
        """Whether this header is surely a table of the dataset."""
        n = len(self.mapped)
        return not self.lacking and n > 0 and (n >= 3 or 2 * n >= self.names)


class Headers(Names):
    """The headers of all contracts, with a cache of the header rows resolved: most sheets repeat one another's headers."""

    def __init__(self, contracts: Contracts):
        super().__init__(contracts)
        self.required = {
            n: tuple(
                c.name
                for c in k.columns
                if c.required
                and c.stated is None
                and c.name not in k.changing
                and not (k.across and c.kind == "month")
                and not (k.in_blocks and c.name not in k.key)
            )
            for n, k in contracts.items()
        }
        self._figures = {n: _figures(k) for n, k in contracts.items()}
        self._rows: dict[tuple[tuple[str, ...], tuple[str | None, ...] | None], tuple[Choice, ...]] = {}
        self._counts: dict[tuple[str, ...], tuple[int, int]] = {}

    def texts(self, row: Sequence[object]) -> tuple[str, ...]:
        """The cells of a row as header texts: '' for any other value, unless it is a number that names a column."""
        if self.numeric or self.years_across:
            return tuple([v if type(v) is str else self._numeral(v) for v in row])
        return tuple([v if type(v) is str else "" for v in row])

    def counts(self, texts: tuple[str, ...]) -> tuple[int, int]:
        """The number of texts in a row, and the number of those that name a column."""
        known = self._counts.get(texts)
        if known is None:
            filled = [t for t in texts if t]
            if len(self._counts) > 20_000:
                self._counts.clear()
            known = self._counts[texts] = len(filled), sum(1 for t in filled if self.resolve(t))
        return known

    def choices(self, texts: Sequence[str], units: Sequence[str | None] | None = None) -> tuple[Choice, ...]:
        """The Choices of a header: one for each dataset that any of its texts belongs to, best first.

        `texts[i]` stands over column i ('' for none); `units[i]` is a unit written under it. Several Choices of one
        dataset mean tables side by side. Best: no required column missing, then most columns, then least unmapped.
        """
        if units is not None and not any(units):
            units = None
        key = tuple(texts), None if units is None else tuple(units)
        known = self._rows.get(key)
        if known is not None:
            return known
        per: dict[str, list[tuple[int, Match]]] = {}
        for i, t in enumerate(texts):
            if t:
                for m in self.resolve(t):
                    per.setdefault(m.dataset, []).append((i, m))
        out: list[Choice] = []
        enough = 0  # columns of the best fit: a dataset with fewer headers here can neither beat nor equal it
        for dataset, found in sorted(per.items(), key=lambda x: -len(x[1])):
            if len(found) < enough:
                break
            these = self._choose(dataset, found, texts, units)
            out += these
            enough = max(enough, max((len(c.mapped) for c in these if c.fits), default=0))
        out.sort(key=lambda c: (len(c.lacking) > 0, -len(c.mapped), len(c.missing), c.dataset))
        if len(self._rows) > 20_000:
            self._rows.clear()
        known = self._rows[key] = tuple(out)
        return known

    def _choose(
        self,
        dataset: str,
        found: list[tuple[int, Match]],
        texts: Sequence[str],
        units: Sequence[str | None] | None,
    ) -> list[Choice]:
        contract = self.contracts[dataset]
        blocks: list[tuple[int, int]] = [(0, len(texts))]
        repeats = len({m.column for _, m in found}) < len(found)
        starts = self._side_by_side(found, texts, contract) if repeats else []
        if starts:
            edges = [0, *starts[1:], len(texts)]
            blocks = list(pairwise(edges))
        out = []
        for a, b in blocks:
            best: dict[str, tuple[int, Match]] = {}
            for i, m in found:
                counter = self.is_serial(texts[i])
                if counter and m.rank > 0:  # where 序号 is what the column is called, it is no counter
                    m = m._replace(rank=m.rank + _COUNTER)
                # Of two counters the first only counts the rows.
                if a <= i < b and (m.column not in best or m.rank < best[m.column][1].rank + counter):
                    best[m.column] = (i, m)
            mapped = []
            for i, m in sorted(best.values(), key=lambda x: x[0]):
                column = contract.column(m.column)
                unit = units[i] if units else None
                if unit is not None and m.unit is None and unit_key(unit) in column.units:
                    m = Match(m.dataset, m.column, m.rank, unit, column.units[unit_key(unit)])
                mapped.append(Mapped(i, texts[i], m, column))
            taken = {x.place for x in mapped}
            unmapped = tuple((i, texts[i]) for i in range(a, b) if texts[i] and i not in taken)
            missing = tuple(c for c in self.required[dataset] if c not in best)
            figures = self._figures[dataset]
            others = any(not self.is_serial(h) for _, h in unmapped)
            lost = () if not others or any(c in best for c in figures) else figures
            again = sum(1 for _, header in unmapped if contract.across and self.is_period(header))  # one column each
            names = len(mapped) + len(unmapped) - again
            out.append(Choice(dataset, tuple(mapped), unmapped, missing, names, lost))
        return out

    def _side_by_side(self, found: list[tuple[int, Match]], texts: Sequence[str], contract: Contract) -> list[int]:
        """Start positions of tables side by side that repeat the same headers; [] for one table."""
        seen: dict[str, int] = {}
        starts = [found[0][0]]
        sets: list[set[str]] = [set()]
        for i, m in found:
            key = header_key(texts[i])
            if key in seen and m.column in sets[-1]:
                starts.append(i)
                sets.append(set())
                seen = {}
            seen[key] = i
            sets[-1].add(m.column)
        if len(starts) == 1:
            return []
        needed = set(self.required[contract.dataset])
        return starts if all(needed <= s and len(s) >= 2 for s in sets) else []


def _figures(contract: Contract) -> tuple[str, ...]:
    """The numeric columns of a dataset that requires only its institution, key and period."""
    whose = {*contract.key, *((contract.period.name,) if contract.period else ())}
    others = [c for c in contract.kept if c.name not in whose and not c.institution and c.stated is None]
    if any(c.required for c in others):
        return ()
    return tuple(c.name for c in others if c.kind in ("decimal", "integer"))
