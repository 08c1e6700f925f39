"""Complementary suppression of one table by linear programming: what else is hidden so that a hidden cell cannot be computed.

Belongs here: the deviations that protect each primary cell, and the rule for what is left of a total. Not here: which cells are
primary (suppress.py, whose head has the sources of the method), or the relations between cells (relations.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack
from scipy.sparse.csgraph import connected_components

from publish.disclosure.kept import ResultCache
from publish.disclosure.relations import Indicator, Relation, cube_cell, find_relations
from publish.disclosure.rules import Rules

FAR = 1e6  # how far a value may move, in units of the move asked for: an attacker knows no upper limit
NOISE = 1e-6  # moves smaller than this, in the same units, are the solver's
EXACT = 1e-8  # a relation left but for so much of a move is kept: the solver allows ten times that
FLAT = 1e-10  # an eigenvalue of this share of the largest is nothing
KEY = ["indicator_id", "year", "dimension", "member", "factor_set"]
COUNTS = ("records", "files", "reporting", "population")  # counts of a value, hidden with it
OF_CLOSED = "closed_value"  # of a sum of open and closed rows, the part of the closed ones; not there: all of it
LEAST = 1e-4  # a hidden nothing must at least be free to rise by this share of its indicator's largest value


def costs(cells: pd.DataFrame, scale: np.ndarray) -> np.ndarray:
    """What hiding each cell costs: its size, and more for what is most read, which is hidden last."""
    value = cells["value"].to_numpy(dtype=float, na_value=np.nan)
    triples = zip(cells["year"], cells["dimension"], cells["member"], strict=True)
    places = [cube_cell(int(y), d, m) for y, d, m in triples]
    # Rather a member than the total, rather a year than the whole period.
    bonus = np.array([5.0 * (p.group == "total") + 1.0 * (p.over == "period") for p in places])
    return 0.01 + np.nan_to_num(np.abs(value) / scale) + bonus


def scales(cells: pd.DataFrame) -> np.ndarray:
    """The size of each cell's indicator: deviations are measured in it, so that units do not matter, and the same move
    costs the same in a year, in a member and in the whole period."""
    changes = cells["dimension"].astype(str).str.match(r"base(/|$)").to_numpy(dtype=bool)
    by = [cells["indicator_id"], cells["factor_set"], pd.Series(changes, index=cells.index)]
    largest = cells["value"].abs().groupby(by, dropna=False).transform("max").to_numpy(dtype=float, na_value=np.nan)
    return np.where(largest > 0, largest, 1.0)


class Hiding:
    """One run of complementary suppression over one frame."""

    def __init__(
        self,
        cells: pd.DataFrame,
        indicators: dict[str, Indicator],
        rules: Rules,
        free: np.ndarray,
        primary: np.ndarray,
        relations: list[Relation] | None = None,
        signed: bool = False,
    ):
        """`signed`: the cells may be less than nothing, as movements may."""
        self.rules = rules
        self.free = free  # closed cells with a value: only these can be hidden
        self.primary = primary
        self.hidden = primary.copy()
        self.value = cells["value"].to_numpy(dtype=float, na_value=np.nan)
        self.contributors = np.nan_to_num(cells["contributors"].to_numpy(dtype=float, na_value=np.nan))
        self.share = np.nan_to_num(cells["largest_share"].to_numpy(dtype=float, na_value=np.nan), nan=1.0)
        # What of a value is not open in rows: empty need subtract the rest, and nothing can hide it.
        self.secret = np.abs(self.value)
        if OF_CLOSED in cells:
            of_closed = cells[OF_CLOSED].to_numpy(dtype=float, na_value=np.nan)
            self.secret = np.where(np.isnan(of_closed), self.secret, np.abs(of_closed))
        triples = zip(cells["year"], cells["dimension"], cells["member"], strict=True)
        self.place = [cube_cell(int(y), d, m) for y, d, m in triples]
        self.relations = find_relations(cells, indicators) if relations is None else relations
        self.twins: dict[int, set[int]] = defaultdict(set)
        for r in self.relations:
            if r.kind == "copy":
                i, j = r.cells
                self.twins[i].add(j)
                self.twins[j].add(i)
        self.scale = scales(cells)
        # A change may be negative; everything else that is counted or measured cannot fall below nothing.
        any_sign = signed | np.array([p.over == "base" for p in self.place], dtype=bool) | (self.value < 0)
        with np.errstate(invalid="ignore"):
            self.down = np.where(any_sign, FAR, self.secret / self.scale)
        self.cost = costs(cells, self.scale)

    def run(self, remainders: bool = True, kept: ResultCache | None = None) -> np.ndarray:
        """What is hidden in the end, by position; `remainders`: what is left of a total must pass the rules as well. What was
        worked out before is taken from `kept`."""
        kept = kept or ResultCache()
        for relations in self._components():
            touched = sorted({c for r in relations for c in r.cells if self.primary[c]}, key=lambda c: -self.value[c])
            system = _System(self, relations)
            found = kept.of("protected", system.read(touched), lambda: system.protected(touched))  # noqa: B023 - called at once
            self.hidden[np.array(system.cells)[found]] = True
        # A deviation found stays possible when more is hidden, so nothing need be protected twice; remainders may change.
        changed = remainders
        while changed:
            before = self.hidden.sum()
            for r in self.relations:
                if r.kind == "sum":
                    self._guard_remainder(r)
            changed = self.hidden.sum() > before
        return self.hidden

    def hide(self, cells: Iterable[int]) -> None:
        """Hides cells and, with each, its copies in other units."""
        todo = [c for c in cells if self.free[c]]
        while todo:
            c = todo.pop()
            if not self.hidden[c]:
                self.hidden[c] = True
            todo += [t for t in self.twins[c] if self.free[t] and not self.hidden[t]]

    def _guard_remainder(self, r: Relation) -> None:
        total, members = r.cells[0], r.cells[1:]
        partition = self.contributors[list(members)].sum() <= self.contributors[total]
        while not self.hidden[total]:
            out = [m for m in members if self.hidden[m]]
            if not out:
                return
            volume = self.secret[out].sum()
            # Where the same institution contributes to several members (carriers of energy), only the most can be counted.
            people = self.contributors[out].sum() if partition else self.contributors[out].max()
            largest = (self.share[out] * self.secret[out]).max() / volume if volume > 0 else 1.0
            if not self.rules.unsafe(people, largest, volume):
                return
            rest = [m for m in members if self.free[m] and not self.hidden[m] and self.value[m] > 0]
            self.hide([min(rest, key=lambda m: (self.value[m], m))] if rest else [total])
            if not rest and not self.free[total]:
                return

    def _components(self) -> list[list[Relation]]:
        """Relations that share free cells, directly or through others: each group is a system of its own."""
        parent = list(range(len(self.value)))

        def root(i: int) -> int:
            while parent[i] != i:
                parent[i] = parent[parent[i]]
                i = parent[i]
            return i

        for r in self.relations:
            mine = [c for c in r.cells if self.free[c]]
            for c in mine[1:]:
                parent[root(c)] = root(mine[0])
        groups: dict[int, list[Relation]] = defaultdict(list)
        for r in self.relations:
            first = next((c for c in r.cells if self.free[c]), None)
            if first is not None:
                groups[root(first)].append(r)
        return [g for g in groups.values() if any(self.primary[c] for r in g for c in r.cells)]


class _System:
    """The equations of one component, ready to be solved for one cell after the other."""

    def __init__(self, hiding: Hiding, relations: list[Relation]):
        self.h = hiding
        self.cells = sorted({c for r in relations for c in r.cells if hiding.free[c]})
        self.at = {c: n for n, c in enumerate(self.cells)}
        self.strict = self._matrix(relations)
        self.loose = self._matrix([r for r in relations if r.kind != "copy"])
        self.highest, self.lowest = (
            np.zeros(len(self.cells)),
            np.zeros(len(self.cells)),
        )  # how far the deviations found so far moved each cell

    def _matrix(self, relations: list[Relation]) -> csr_array:
        data, rows, cols = [], [], []
        for n, r in enumerate(relations):
            line = [
                (self.at[c], k * self.h.scale[c]) for c, k in zip(r.cells, r.coefficients, strict=True) if c in self.at
            ]
            size = max((abs(k) for _, k in line), default=1.0) or 1.0
            for at, k in line:
                data.append(k / size)
                rows.append(n)
                cols.append(at)
        return csr_array((data, (rows, cols)), shape=(len(relations), len(self.cells)))

    def _amounts(self, p: int) -> tuple[float, float]:
        """How far up and down an attacker must not be able to exclude, in units of the cell's indicator."""
        h = self.h
        part = h.rules.protection * h.secret[p] / h.scale[p]
        return part or LEAST, min(part, h.down[p])

    def read(self, targets: list[int]) -> tuple[Any, ...]:
        """All that `protected` follows from, by column."""
        h, ids = self.h, np.array(self.cells)
        of_cells = (column[ids] for column in (h.hidden, h.value, h.secret, h.scale, h.down, h.cost))
        twins = [(self.at[c], sorted(self.at[t] for t in h.twins[c] if h.free[t])) for c in self.cells if h.twins[c]]
        matrices = [(m.data, m.indices, m.indptr, m.shape) for m in (self.strict, self.loose)]
        return [self.at[p] for p in targets], *of_cells, twins, matrices, h.rules

    def protected(self, targets: list[int]) -> list[int]:
        """The columns of the cells that are hidden once all `targets` are protected."""
        self.move_along_lines(targets)
        for p in targets:
            self.protect(p)
        return np.flatnonzero(self.h.hidden[self.cells]).tolist()

    def protect(self, p: int) -> None:
        """Hides what it takes for `p` to be higher, and to be lower, by its protection."""
        h = self.h
        everything = np.arange(len(self.cells))
        up, down = self._amounts(p)
        for amount in (up, -down):
            # An earlier deviation may have moved p far enough: everything that moved in it is hidden already.
            if (self.highest if amount > 0 else self.lowest)[self.at[p]] >= abs(amount):
                continue
            # What is hidden already mostly suffices, and a small system says so in a tenth of the time.
            moved = self._cheapest(self.strict, p, amount, self._hidden_neighbours(p))
            if moved is None:
                moved = self._cheapest(self.strict, p, amount, everything)
            if moved is None:
                # Two cells looked like copies of each other and are not: without that, and copies are hidden with theirs.
                moved = self._cheapest(self.loose, p, amount, everything)
            # Nothing can move p: the open figures around it, or a lone member, fix it. All that is closed here goes.
            h.hide(self.cells if moved is None else moved)

    def move_along_lines(self, targets: list[int]) -> None:
        """Notes how far each of `targets` moves along a straight line, of the cells hidden already and no others: mostly far enough,
        so that no programme need be solved for it.

        The line is the one that changes all cells least by share: the target's projection on what leaves every relation. It is
        taken only where it leaves them as well as the solver would.
        """
        hidden, group = self._blocks()
        for g in np.unique(group[np.searchsorted(hidden, [self.at[p] for p in targets])]):
            block = hidden[group == g]
            mine = [p for p in targets if self.at[p] in set(block.tolist())]
            self._along_lines(
                block, np.searchsorted(block, [self.at[p] for p in mine]), [self._amounts(p) for p in mine]
            )

    def _along_lines(self, block: np.ndarray, at: np.ndarray, amounts: list[tuple[float, float]]) -> None:
        h, ids = self.h, np.array(self.cells)[block]
        matrix = self.strict[:, block]
        matrix = matrix[np.diff(matrix.indptr) > 0].toarray()
        down = h.down[ids]
        size = np.where(down < FAR, down, np.maximum(np.abs(h.value[ids]) / h.scale[ids], LEAST))
        by_share = matrix * size
        length, vectors = np.linalg.eigh(by_share @ by_share.T)
        kept = length > FLAT * length[-1]
        basis = (by_share.T @ vectors[:, kept]) / np.sqrt(length[kept])
        line = np.eye(len(block))[:, at] - basis @ basis[at].T
        reach = line[at, np.arange(len(at))]
        moved = (reach > NOISE) & (size[at] > 0)
        moves = size[:, None] * line / np.where(moved, reach * size[at], 1.0)  # each target moves by 1
        falls = np.divide(moves, down[:, None], out=np.zeros_like(moves), where=down[:, None] > 0)
        exact = moved & (np.abs(matrix @ moves).max(axis=0, initial=0) < EXACT)
        exact &= np.abs(moves).max(axis=0) < FAR
        up, low = np.array(amounts).T
        rises, sinks = exact & (up * (-falls).max(axis=0) <= 1), exact & (low * falls.max(axis=0) <= 1)
        columns = block[at]
        self.highest[columns[rises]] = np.maximum(self.highest[columns[rises]], up[rises])
        self.lowest[columns[sinks]] = np.maximum(self.lowest[columns[sinks]], low[sinks])

    def _blocks(self) -> tuple[np.ndarray, np.ndarray]:
        """The columns of the hidden cells, and a number for each: the same for those that share relations, directly or through
        other hidden cells."""
        hidden = np.flatnonzero(self.h.hidden[self.cells])
        part = self.strict[:, hidden]
        links = (part.T != 0).astype(np.int8) @ (part != 0).astype(np.int8)
        return hidden, connected_components(links, directed=False)[1]

    def _hidden_neighbours(self, p: int) -> np.ndarray:
        """The columns of the hidden cells that share relations with p, directly or through other hidden cells."""
        hidden, group = self._blocks()
        return hidden[group == group[np.searchsorted(hidden, self.at[p])]]

    def _cheapest(self, matrix: csr_array, p: int, amount: float, columns: np.ndarray) -> list[int] | None:
        """The cells that move in the cheapest deviation that moves `p` by `amount` with only the cells in `columns` moving;
        None where there is none."""
        h, n = self.h, len(columns)
        ids = np.array(self.cells)[columns]
        cost = np.where(h.hidden[ids], 0.0, h.cost[ids])
        # In units of the amount itself: the solver's tolerance is then a small part of it, however small the cell.
        unit = abs(amount)
        up, down = np.full(n, FAR), np.minimum(h.down[ids] / unit, FAR)
        at = int(np.searchsorted(columns, self.at[p]))
        lower_up, lower_down = np.zeros(n), np.zeros(n)
        up[at] = lower_up[at] = float(amount > 0)
        down[at] = lower_down[at] = float(amount < 0)
        bounds = np.column_stack([np.concatenate([lower_up, lower_down]), np.concatenate([up, down])])
        used = matrix[:, columns]
        used = used[np.diff(used.indptr) > 0]
        # A deviation is an upward part less a downward part.
        for presolve in (True, False):
            found = linprog(
                np.concatenate([cost, cost]),
                A_eq=hstack([used, -used]),
                b_eq=np.zeros(used.shape[0]),
                bounds=bounds,
                method="highs",
                options={"presolve": presolve},
            )
            if found.status != 4:
                break
        # Where the solver is undecided (4), none counts as found: more is hidden then, never less.
        if found.status in (2, 4):
            return None
        if found.status != 0:
            raise RuntimeError(f"The linear programme of suppression ended with: {found.message}")
        moves = found.x[:n] - found.x[n:]
        self.highest[columns] = np.maximum(self.highest[columns], moves * unit)
        self.lowest[columns] = np.maximum(self.lowest[columns], -moves * unit)
        return [int(c) for c in ids[np.abs(moves) > NOISE]]
