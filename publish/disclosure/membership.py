"""The equations of a reader who knows the register: published values as linear forms over institutions.

Belongs here: turning published cells into linear equations over the closed values of institutions. Not here: what follows
from them (suppress.py for the choice, audit.py for the proof).

The register is public, so a reader knows who is counted in each district, kind and level, and may know who reported. Unknown
is the closed value of each institution, year and quantity. Every published figure is a known linear form over these:

- a sum, over the institutions of its place; a period, over its years; `saved`, over those of both years, as a difference;
- a ratio gives its numerator where the denominator is known, and the other way round: both count as known (the strict case);
- a change gives the quantity of one year where that of the other is known.

Quantities are one where one is a multiple of the other in every institution (another unit, or a carrier that is an indicator
of its own), and a quantity is replaced by the others where it is their sum in every institution (energy and its carriers, a
bill and its parts). Institutions that no figure distinguishes form a *class*: their sum is all that can follow, so the classes,
a few hundred, are the unknowns, however many institutions there are. Values of past releases are unknowns of their own where
they differ from those of now, and the same ones where they do not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from publish.disclosure.classes import ALIKE, SIDES, ClassContributions, Yearly, class_contributions
from publish.disclosure.contributions import PLACE, Kind, Parts, same_file
from publish.disclosure.kept import ResultCache
from publish.disclosure.relations import CubeCell, Indicator, cube_cell


@dataclass(frozen=True)
class State:
    """One release seen by a reader: its `cells` (KEY, value; index 0..n-1), which of them show their state of then
    (`shown`, by position) and what each institution contributed (`parts`, contributions.PARTS and, where known, the closed part
    of each). `disclosed`: of the newest state, what a release showed whose contributors are forgotten."""

    cells: pd.DataFrame
    shown: np.ndarray
    parts: Parts
    disclosed: np.ndarray | None = None


@dataclass(frozen=True)
class Family:
    """The equations `matrix @ x = matrix @ value` over classes of institutions, for quantities that are tied to one another.

    Columns of `matrix`: the sum over one class (`unit`, of `size` institutions) of one `quantity` (a number for quantity, year
    and state): its true `value`, that of its `largest` and its `least` institution; `current`: a value of the newest state.
    `basis`: each column by those that are left when every whole is written as its parts. Rows: `cells` gives the cells of
    the newest state that show it, `known` whether a past release showed it as well.
    """

    matrix: csr_array
    basis: csr_array
    cells: tuple[tuple[int, ...], ...]
    known: np.ndarray
    unit: np.ndarray
    size: np.ndarray
    quantity: np.ndarray
    current: np.ndarray
    value: np.ndarray
    largest: np.ndarray
    least: np.ndarray
    basis_unit: np.ndarray


def families(states: list[State], indicators: dict[str, Indicator], kept: ResultCache | None = None) -> list[Family]:
    """The equations of all `states`, the oldest first and the new one last, by families of quantities. The contributions to
    figures is taken from `kept` where it was worked out before."""
    # States of the same contributions are one, whatever each of them shows.
    first = [next(n for n, other in enumerate(states) if same_file(state.parts, other.parts)) for state in states]
    counted = sorted(set(first))
    facts = class_contributions([states[n].parts for n in counted], indicators, kept or ResultCache())
    shown = [_shown(s) for s in states]
    kinds = {x[1:3] for of in shown for x in of}
    names = {(i, f): _names(i, f, indicators, facts.representative) for i, f in kinds}
    out = []
    for group in facts.groups:
        measures = set(group["indicator_id"])
        theirs = {kind for kind, named in names.items() if named & measures}
        mine = [(counted.index(n), [x for x in of if x[1:3] in theirs]) for n, of in zip(first, shown, strict=True)]
        made = _ClassRows(group, mine, indicators, facts).family()
        if made is not None:
            out.append(made)
    return out


Shown = tuple[
    int, str, str, CubeCell, bool
]  # position of a cell, its indicator, factor set and place, and whether it is disclosed


def _shown(state: State) -> list[Shown]:
    columns = (state.cells[c] for c in ("indicator_id", "factor_set", "year", "dimension", "member"))
    disclosed = np.zeros(len(state.cells), dtype=bool) if state.disclosed is None else state.disclosed
    rows = zip(*columns, disclosed, state.shown, strict=True)
    return [(n, i, f, cube_cell(int(y), d, m), bool(t)) for n, (i, f, y, d, m, t, shown) in enumerate(rows) if shown]


def _names(indicator: str, factors: str, indicators: dict[str, Indicator], representative: dict[Kind, str]) -> set[str]:
    """The indicators whose facts a cell of this one may rest on."""
    about = indicators.get(indicator, Indicator())
    named = [n for n in (indicator, about.change_of, about.compares) if n]
    return {representative.get((n, factors), n) for n in named}


_PLACED = ["state", "indicator_id", "factor_set", "side", *PLACE]


class _ClassRows:
    """The equations of one family, from what its classes contribute."""

    def __init__(
        self,
        facts: pd.DataFrame,
        shown: list[tuple[int, list[Shown]]],
        indicators: dict[str, Indicator],
        found: ClassContributions,
    ):
        """`facts`: a group of `found`; `shown`: of each release, the number of the state of its contributions and its figures."""
        self.shown, self.indicators, self.representative = shown, indicators, found.representative
        self.same, self.sums = found.same, found.sums
        self.facts = facts
        self.unit = facts["class"].to_numpy()
        self.state = facts["state"].to_numpy()
        self.year = facts["year"].to_numpy()
        self.value = facts["value"].to_numpy(dtype=float)
        self.compared = [c if isinstance(c, str) else None for c in facts["comparable_as"]]
        representative = [self.same[int(q), int(y)] for q, y in zip(facts["quantity"], self.year, strict=True)]
        self.times = np.array([t for _, t in representative])
        ids: dict[Yearly, int] = {}
        self.quantity = np.array([ids.setdefault(q, len(ids)) for q, _ in representative], dtype=int)
        self.quantities = ids
        keys: dict[tuple[int, int, int], int] = {}
        triples = zip(self.unit.tolist(), self.quantity.tolist(), facts["version"].tolist(), strict=True)
        self.column = np.array([keys.setdefault(k, len(keys)) for k in triples], dtype=int)
        self.columns = list(keys)
        self.at = self._places()

    def _places(self) -> dict[tuple[Any, ...], np.ndarray]:
        """The facts that count at each place: by state, indicator, factor set, side, year, dimension and member."""
        out: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        columns = (self.facts[c].tolist() for c in _PLACED)
        for n, (*by, breakdown, member, district, org_type, level) in enumerate(zip(*columns, strict=True)):
            if breakdown in ("", "total"):
                out[(*by, "total", "")].append(n)
            else:
                out[(*by, breakdown, member)].append(n)
            if breakdown == "":
                out[(*by, "district", district)].append(n)
                out[(*by, "org_type", org_type)].append(n)
                out[(*by, "level", level)].append(n)
        return {place: np.array(facts, dtype=int) for place, facts in out.items()}

    def family(self) -> Family | None:
        rows: dict[bytes, int] = {}
        lines: list[tuple[np.ndarray, np.ndarray]] = []
        cells: list[list[int]] = []
        known: list[bool] = []
        newest = len(self.shown) - 1
        for release, (s, shown) in enumerate(self.shown):
            for n, indicator, factors, at, disclosed in shown:
                for columns, numbers in self._lines(s, indicator, factors, at):
                    number = rows.setdefault(columns.tobytes() + np.round(numbers, 9).tobytes(), len(lines))
                    if number == len(lines):
                        lines.append((columns, numbers))
                        cells.append([])
                        known.append(False)
                    if release == newest:
                        cells[number].append(n)
                    known[number] |= disclosed or release != newest
        if not lines:
            return None
        matrix = csr_array(
            (
                np.concatenate([v for _, v in lines]),
                (np.repeat(np.arange(len(lines)), [len(c) for c, _ in lines]), np.concatenate([c for c, _ in lines])),
            ),
            shape=(len(lines), len(self.columns)),
        )
        unit, quantity, _ = (np.array(c, dtype=int) for c in zip(*self.columns, strict=True))
        value, largest, least = np.zeros(len(unit)), np.zeros(len(unit)), np.zeros(len(unit))
        value[self.column] = self.value / self.times
        largest[self.column] = self.facts["largest"].to_numpy(dtype=float) / np.abs(self.times)
        least[self.column] = self.facts["least"].to_numpy(dtype=float) / self.times
        size = np.zeros(self.unit.max() + 1, dtype=int)
        size[self.unit] = self.facts["size"]
        current = np.zeros(len(unit), dtype=bool)
        current[self.column[self.state == self.shown[newest][0]]] = True
        basis = self._basis()
        used = np.flatnonzero(np.diff(basis.tocsc().indptr))
        return Family(
            matrix, basis[:, used], tuple(map(tuple, cells)), np.array(known), unit, size, quantity, current, value, largest, least, unit[used]
        )  # fmt: skip

    def _lines(self, s: int, indicator: str, factors: str, p: CubeCell) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        about = self.indicators.get(indicator, Indicator())
        if p.over != "base":
            name = self.representative.get((indicator, factors), indicator)
            years = range(p.first, p.year + 1) if p.over == "period" else (p.year,)
            for side in SIDES:
                found = [self.at.get((s, name, factors, side, y, p.group, p.member)) for y in years]
                facts = [f for f in found if f is not None]
                if facts:
                    of = np.concatenate(facts)
                    yield self._line(of, np.ones(len(of)))
            return
        compared = about.change_of or about.compares or indicator
        name = self.representative.get((compared, factors), compared)
        for side in SIDES:
            now, then = (self.at.get((s, name, factors, side, y, p.group, p.member)) for y in (p.year, p.first))
            if now is None:
                continue
            if not about.change_of:  # over the institutions of both years, by where they are in the later one
                now, then = self._both(s, name, factors, side, now, p.first)
            if then is None or not len(then):
                continue
            share = 1.0
            if not self.indicators.get(compared, Indicator()).additive:
                before = self.value[then].sum()
                if before == 0:
                    continue
                share = self.value[now].sum() / before
            of = np.concatenate([now, then])
            yield self._line(of, np.concatenate([np.ones(len(now)), np.full(len(then), -share)]))

    def _both(
        self, s: int, name: str, factors: str, side: str, now: np.ndarray, first: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of the facts `now` those of classes that are compared with the year `first`, and their facts of then."""
        all_then = self.at.get((s, name, factors, side, first, "total", ""), np.array([], dtype=int))
        then = {(int(self.unit[f]), self.compared[f]): int(f) for f in all_then if self.compared[f] is not None}
        pairs = [(int(f), then[k]) for f in now if (k := (int(self.unit[f]), self.compared[f])) in then]
        return np.array([a for a, _ in pairs], dtype=int), np.array([b for _, b in pairs], dtype=int)

    def _line(self, facts: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The columns and coefficients of a sum over facts, the largest coefficient 1."""
        columns, at = np.unique(self.column[facts], return_inverse=True)
        numbers = np.zeros(len(columns))
        np.add.at(numbers, at, signs * self.times[facts])
        kept = numbers != 0
        numbers = numbers[kept] / np.abs(numbers).max() if kept.any() else numbers[kept]
        return columns[kept].astype(np.int64), numbers

    def _basis(self) -> csr_array:
        """Each column by the columns left when wholes are written as their parts, in each class, state and year."""
        version = {(u, q): {} for u, q, _ in self.columns}  # type: ignore[var-annotated]
        for u, q, s, c in zip(
            self.unit.tolist(), self.quantity.tolist(), self.state.tolist(), self.column.tolist(), strict=True
        ):
            version[u, q][s] = c
        present: dict[tuple[int, int, int], dict[Yearly, int]] = defaultdict(dict)
        name = {n: q for q, n in self.quantities.items()}
        for (u, q), by_state in version.items():
            for s, c in by_state.items():
                present[u, s, name[q][1]][name[q]] = c
        written: dict[int, dict[int, float]] = {}
        solved: dict[tuple[Yearly, ...], dict[Yearly, dict[Yearly, float]]] = {}
        for here in present.values():
            pattern = tuple(sorted(here))
            if pattern not in solved:
                solved[pattern] = self._solve(pattern)
            for q, by in solved[pattern].items():
                if here[q] not in written and not any(here[b] in written for b in by):
                    written[here[q]] = {here[b]: k for b, k in by.items()}
        data, row, column = [], [], []
        for c in range(len(self.columns)):
            for b, k in written.get(c, {c: 1.0}).items():
                data.append(k)
                row.append(c)
                column.append(b)
        return csr_array((data, (row, column)), shape=(len(self.columns), len(self.columns)))

    def _solve(self, pattern: tuple[Yearly, ...]) -> dict[Yearly, dict[Yearly, float]]:
        """Of quantities that an institution has in a year, those that follow from the others, written by them."""
        lines = []
        for whole, parts in self.sums:
            line = np.zeros(len(pattern))
            for q, sign in ((whole, 1.0), *((m, -1.0) for m in parts)):
                representative, times = self.same[q]
                if representative in pattern:
                    line[pattern.index(representative)] += sign * times
            if (abs(line) > ALIKE).sum() > 1:
                lines.append(line)
        out: dict[int, np.ndarray] = {}
        for line in lines:
            for n, by in out.items():
                line = line + line[n] * by - line[n] * np.eye(len(pattern))[n]
            if (abs(line) > ALIKE * np.abs(line).max()).sum() < 2 or not line.any():
                continue
            n = int(np.argmax(line > ALIKE)) if (line > ALIKE).any() else int(np.argmax(np.abs(line)))
            by = -line / line[n]
            by[n] = 0.0
            out = {m: old + old[n] * by - old[n] * np.eye(len(pattern))[n] for m, old in out.items()}
            out[n] = by
        return {
            pattern[n]: {pattern[m]: float(by[m]) for m in np.flatnonzero(np.abs(by) > ALIKE)} for n, by in out.items()
        }
