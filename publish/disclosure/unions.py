"""Complementary suppression over all dimensions: nothing of one institution or a few follows from the values together.

Belongs here: complementary suppression over all dimensions at once. Not here: the equations (membership.py), the rules for
single values and their rows (suppress.py), or the proof over the finished files (audit.py), which shares no code with this.

Of every published sum a reader knows whose it is. What follows from all of them by adding and subtracting is the row space of
the equations: an institution's value follows exactly where some vector of it has no coefficient but at that institution. Such a
vector of one institution, or of two, is looked for over all years, quantities and releases that are tied together; a sum of
up to as many institutions as a value must have behind it, over the figures of one quantity and year. There, besides, no
institution may be bounded more narrowly than the rules allow: a linear programme must be able to raise it above `max_share` of
what bounds it, and to lower it by `protection`.

For each leak the cheapest figures are hidden whose absence ends it; at last what turns out not to be needed is shown again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import block_array
from scipy.sparse.csgraph import connected_components

from publish.disclosure.membership import Family
from publish.disclosure.rules import Rules

EXACT = 1e-6  # what lies outside the row space by less than this is the rounding of the arithmetic
SMALL = 1e-10  # an eigenvalue of this share of the largest is nothing
NARROWEST = 0.1  # bounds on two institutions' sum nearer to it than this share of it have found it
AT_ONCE = 1000  # targets of which the moves are held in memory together
CERTAIN = 1 - 1e-9  # of what a move reaches, so that the rounding of the arithmetic clears no pair
TRIED = 14  # how many of the cheapest figures of a leak are tried two by two


def withhold(found: list[Family], rules: Rules, hidden: np.ndarray, free: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """What must be hidden besides `hidden` so that the equations of all families disclose no institution or few.

    By position of the cells of the newest state: `free` may be hidden, at this `cost`.
    """
    out = hidden.copy()
    systems = [_Joint(f, rules, free) for f in found]
    steps = [step for joint in systems for step in joint.end_leaks(out, cost)]
    # What was hidden for one leak may not be needed any more after another: the dearest is tried first.
    for step in sorted(steps, key=lambda s: -float(cost[s].sum())):
        without = out.copy()
        without[step] = False
        touched = set(step.tolist())
        if not any(j.leak(without, touched) for j in systems if not j.of_cells.isdisjoint(touched)):
            out = without
    return out & ~hidden


class _Leak(ABC):
    """Something that follows from `rows`."""

    def __init__(self, rows: np.ndarray):
        self.rows = rows

    @abstractmethod
    def ends(self, gone: tuple[int, ...]) -> bool:
        """Whether it does not follow any more without the rows `gone`."""


class _Exact(_Leak):
    """What adding and subtracting `rows` (of `matrix`, row by row) gives of the columns `disclosed` alone, beyond what the `known`
    rows give of them."""

    def __init__(self, rows: np.ndarray, matrix: np.ndarray, disclosed: np.ndarray, known: np.ndarray):
        super().__init__(rows)
        # Every combination of rows that leaves nothing but those columns, and what it gives of them.
        self.combinations = _null(matrix[:, ~disclosed])
        gives = matrix[:, disclosed].T @ self.combinations
        if known.any():
            before = matrix[known][:, disclosed].T @ _null(matrix[known][:, ~disclosed])
            # Of rows that give nothing the rounding of the arithmetic is left, and a basis of that would hide any leak.
            if np.abs(before).max(initial=0) > EXACT:
                base = _basis(before.T)
                gives = gives - base @ (base.T @ gives)
        self.gives = gives
        used = np.abs(self.combinations).max(axis=1, initial=0) > EXACT
        self.used = rows[used]

    @property
    def present(self) -> bool:
        return bool(np.abs(self.gives).max(initial=0) > EXACT**0.5)

    def ends(self, gone: tuple[int, ...]) -> bool:
        at = np.flatnonzero(np.isin(self.rows, gone))
        kept = _null(self.combinations[at].T)
        return not np.abs(self.gives @ kept).max(initial=0) > EXACT**0.5


class _Narrow(_Leak):
    """What the rows of one quantity and year bound too narrowly."""

    def __init__(self, single: _Single, present: np.ndarray, columns: tuple[int, ...]):
        super().__init__(single.rows[np.isin(single.rows, present)])
        self.single, self.present_, self.columns = single, present, columns

    def ends(self, gone: tuple[int, ...]) -> bool:
        return not self.single.narrow(np.setdiff1d(self.present_, gone), self.columns)


class _Joint:
    """One family: its rows while more and more of them are hidden."""

    def __init__(self, family: Family, rules: Rules, free: np.ndarray):
        self.f, self.rules = family, rules
        self.linked = (family.matrix @ family.basis).tocsr()
        self.of_cells = {c for cells in family.cells for c in cells}
        self.can_end = np.array(
            [bool(c) and not k and all(free[i] for i in c) for c, k in zip(family.cells, family.known, strict=True)],
            dtype=bool,
        )
        self.singles = self._singles()
        self.clean: set[bytes] = set()

    def present(self, hidden: np.ndarray) -> np.ndarray:
        """Positions of the rows that a reader has."""
        f = self.f
        return np.array([n for n, c in enumerate(f.cells) if f.known[n] or any(not hidden[i] for i in c)], dtype=int)

    def leak(self, hidden: np.ndarray, touched: set[int] | None = None) -> _Leak | None:
        """A leak that can be ended; with `touched`, only of rows of these cells and what they are tied to."""
        present = self.present(hidden)
        if not self.can_end[present].any():
            return None  # what past releases disclose cannot be taken back
        rows = None
        if touched is not None:
            rows = np.array([n for n in present if not touched.isdisjoint(self.f.cells[n])], dtype=int)
        # A leak is one of all rows of a quantity, or of rows that are linked: of none that can be hidden, none can be ended.
        mine = (s for s in self.singles if self.can_end[s.rows[np.isin(s.rows, present)]].any())
        found = (*(s.leaks(present, rows) for s in mine), self._linked(present, rows))
        for leaks in found:
            for leak in leaks:
                if self.can_end[leak.rows].any():
                    return leak
        return None

    def end_leaks(self, hidden: np.ndarray, cost: np.ndarray) -> list[np.ndarray]:
        """Hides (in `hidden`) until nothing leaks; the cells hidden in each step."""
        steps = []
        while (leak := self.leak(hidden)) is not None:
            rows = self._cheapest(leak, hidden, cost)
            cells = np.array(sorted({c for r in rows for c in self.f.cells[r] if not hidden[c]}), dtype=int)
            hidden[cells] = True
            steps.append(cells)
        return steps

    def _cheapest(self, leak: _Leak, hidden: np.ndarray, cost: np.ndarray) -> tuple[int, ...]:
        price = {
            int(r): float(sum(cost[c] for c in self.f.cells[r] if not hidden[c])) for r in leak.rows if self.can_end[r]
        }
        order = sorted(price, key=lambda r: (price[r], r))
        for r in order:
            if leak.ends((r,)):
                return (r,)
        pairs = combinations(order[:TRIED], 2)
        for two in sorted(pairs, key=lambda two: (price[two[0]] + price[two[1]], two)):
            if leak.ends(two):
                return two
        return (order[0],)

    def _linked(self, present: np.ndarray, among: np.ndarray | None) -> Iterator[_Leak]:
        """What one institution, or two, have in any years, quantities and releases together."""
        if not len(present):
            return
        used = self.linked[present]
        used = used[:, np.flatnonzero(np.diff(used.tocsc().indptr))]
        both = block_array([[None, used], [used.T, None]])
        _, group = connected_components(both, directed=False)
        whose = self.f.basis_unit[np.flatnonzero(np.diff(self.linked[present].tocsc().indptr))]
        for g in np.unique(group[: len(present)]):
            at = np.flatnonzero(group[: len(present)] == g)
            if not self.can_end[present[at]].any() or (among is not None and not np.isin(present[at], among).any()):
                continue
            key = present[at].tobytes()
            if key in self.clean:
                continue
            columns = np.flatnonzero(group[len(present) :] == g)
            matrix = used[at][:, columns].toarray()
            nothing = True
            for units in _of_few(matrix, whose[columns], self.f.size):
                leak = _Exact(present[at], matrix, np.isin(whose[columns], units), self.f.known[present[at]])
                if leak.present:
                    leak_rows = leak.used
                    nothing = nothing and not self.can_end[leak_rows].any()
                    yield leak
            if nothing:
                self.clean.add(key)

    def _singles(self) -> list[_Single]:
        f, out = self.f, []
        quantity = np.where(f.current, f.quantity, -1)
        of_rows: dict[int, list[int]] = {}
        for n in range(f.matrix.shape[0]):
            kinds = np.unique(quantity[f.matrix.indices[f.matrix.indptr[n] : f.matrix.indptr[n + 1]]])
            if len(kinds) == 1 and kinds[0] >= 0:
                of_rows.setdefault(int(kinds[0]), []).append(n)
        for q, rows in sorted(of_rows.items()):
            out.append(_Single(f, self.rules, np.array(rows, dtype=int), np.flatnonzero(quantity == q)))
        return out


class _Single:
    """The rows of a family that speak of one quantity and year alone."""

    def __init__(self, family: Family, rules: Rules, rows: np.ndarray, columns: np.ndarray):
        matrix = family.matrix[rows][:, columns].toarray()
        used = matrix.any(axis=0)
        self.rows, self.rules = rows, rules
        self.matrix = matrix[:, used]
        columns = columns[used]
        self.size = family.size[family.unit[columns]]
        self.value, self.largest = family.value[columns], family.largest[columns]
        self.signed = bool((family.least[columns] < 0).any()) or bool((self.matrix < 0).any())
        self.known = family.known[rows]
        self.clean: set[bytes] = set()

    def leaks(self, present: np.ndarray, among: np.ndarray | None) -> Iterator[_Leak]:
        mine = np.isin(self.rows, present)
        if not mine.any() or (among is not None and not np.isin(self.rows[mine], among).any()):
            return
        key = mine.tobytes()
        if key in self.clean:
            return
        matrix = self.matrix[mine]
        nothing = True
        for columns in _few_columns(matrix, self.size, self.rules.min_contributors - 1):
            leak = _Exact(self.rows[mine], matrix, np.isin(np.arange(matrix.shape[1]), columns), self.known[mine])
            if leak.present:
                nothing = False
                yield leak
        if not self.signed:
            for narrow in self._narrow(mine):
                if self.known[mine].any() and self.narrow(self.rows[mine & self.known], narrow):
                    continue
                nothing = False
                yield _Narrow(self, present, narrow)
        if nothing:
            self.clean.add(key)

    def narrow(self, present: np.ndarray, columns: tuple[int, ...]) -> bool:
        """Whether the rows `there` bound the sum of these columns too narrowly."""
        return columns in self._narrow(np.isin(self.rows, present), [columns])

    def _narrow(self, mine: np.ndarray, only: list[tuple[int, ...]] | None = None) -> list[tuple[int, ...]]:
        """Columns, and pairs of them, that are bounded too narrowly.

        First a move is looked for that takes the target as far as the rules ask and leaves every equation: the
        one that changes all institutions least by share. Where it would take another below nothing, a linear programme decides.
        """
        matrix, x = self.matrix[mine], self.value
        alone: list[tuple[int, ...]] = [
            (j,)
            for j in range(len(x))
            if x[j] > 0 and (self.size[j] <= 2 or self.largest[j] > self.rules.max_share * x[j])
        ]
        if not mine.any() or (only is not None and not only):
            return []
        basis = _basis(matrix * np.where(x > 0, x, 0.0))
        if only is None:
            only = alone + self._doubtful_pairs(basis)
        out = []
        for begin in range(0, len(only), AT_ONCE):
            out += self._narrow_of(only[begin : begin + AT_ONCE], matrix, basis)
        return out

    def _doubtful_pairs(self, basis: np.ndarray) -> list[tuple[int, ...]]:
        """Pairs of single institutions, but for those that the move of `_narrow` frees for certain.

        The move of a pair is the mean of those of the two, weighted by their values, so it takes nobody further than that mean of
        their extremes. Of thousands of single institutions, whose pairs are millions, hardly any is left.
        """
        x = self.value
        ones = np.flatnonzero((self.size == 1) & (x > 0))
        least, most = np.empty(len(ones)), np.empty(len(ones))
        own = 1 - (basis[ones] ** 2).sum(axis=1)
        for begin in range(0, len(ones), AT_ONCE):
            some = ones[begin : begin + AT_ONCE]
            moves = -(basis[some] @ basis.T)
            moves[np.arange(len(some)), some] += 1
            least[begin : begin + AT_ONCE], most[begin : begin + AT_ONCE] = moves.min(axis=1), moves.max(axis=1)
        out: list[tuple[int, ...]] = []
        for i, j in enumerate(ones[:-1]):
            later = slice(i + 1, len(ones))
            weight = x[j] / (x[j] + x[ones[later]])
            rest = 1 - weight
            between = -(basis[ones[later]] @ basis[j])
            reach = weight**2 * own[i] + 2 * weight * rest * between + rest**2 * own[later]
            lowest, highest = weight * least[i] + rest * least[later], weight * most[i] + rest * most[later]
            free = (-NARROWEST * lowest <= reach * CERTAIN) | (NARROWEST * highest <= reach * CERTAIN)
            free &= reach > 2 * EXACT
            out += [(int(j), int(k)) for k in ones[later][~free]]
        return out

    def _narrow_of(self, only: list[tuple[int, ...]], matrix: np.ndarray, basis: np.ndarray) -> list[tuple[int, ...]]:
        x, out = self.value, []
        target = np.zeros((len(only), len(x)))
        for t, columns in enumerate(only):
            target[t, list(columns)] = x[list(columns)] / x[list(columns)].sum()
        step = target - (target @ basis) @ basis.T
        reach = (step * target).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = step / reach[:, None]  # moves the target by its own size
        lowest, highest = unit.min(axis=1), unit.max(axis=1)
        for t, columns in enumerate(only):
            up, down, either = self._needed_freedom(columns)
            ends = reach[t] > EXACT
            rises = ends and up * lowest[t] >= -1
            falls = ends and down * highest[t] <= 1
            if (rises or falls) if either else (rises and falls):
                continue
            rises = rises or up == 0 or self._reaches(matrix, columns, 1 + up)
            if either and rises:
                continue
            if not (falls or down == 0 or self._reaches(matrix, columns, 1 - down)) or not (rises or either):
                out.append(columns)
        return out

    def _needed_freedom(self, columns: tuple[int, ...]) -> tuple[float, float, bool]:
        """How far (as a share of it) a target must be free to rise and to fall, and whether one of the two is enough."""
        if len(columns) > 1 or self.size[columns[0]] > 1:
            j = columns[0]
            up = self.largest[j] / self.rules.max_share / self.value[j] - 1 if len(columns) == 1 else 0.0
            if up > 0:
                return up, 0.0, False
            return NARROWEST, NARROWEST, True
        return 1 / self.rules.max_share - 1, self.rules.protection, False

    def _reaches(self, matrix: np.ndarray, columns: tuple[int, ...], times: float) -> bool:
        """Whether some values, none below nothing, keep every equation and have this multiple of the columns' true sum."""
        x = self.value
        size = max(float(x.max()), 1e-12)
        wanted = times * float(x[list(columns)].sum()) / size
        cost = np.zeros(len(x))
        cost[list(columns)] = -1.0 if times > 1 else 1.0
        found = linprog(cost, A_eq=matrix, b_eq=matrix @ (x / size), bounds=(0, None), method="highs")
        if found.status == 3:
            return True
        if found.status != 0:
            return False
        reached = abs(found.fun)
        return reached >= wanted * (1 - EXACT) if times > 1 else reached <= wanted * (1 + EXACT) + 1e-12


def _basis(matrix: np.ndarray) -> np.ndarray:
    """An orthonormal basis (as columns) of the row space of a matrix, by the eigenvectors of its Gram matrix: there are far
    fewer rows than columns."""
    if not matrix.size:
        return np.zeros((matrix.shape[1], 0))
    size, vectors = np.linalg.eigh(matrix @ matrix.T)
    kept = size > SMALL * size[-1]
    return (matrix.T @ vectors[:, kept]) / np.sqrt(size[kept])


def _null(matrix: np.ndarray) -> np.ndarray:
    """An orthonormal basis (as columns) of the combinations of rows that give nothing."""
    if not matrix.shape[1]:
        return np.eye(matrix.shape[0])
    size, vectors = np.linalg.eigh(matrix @ matrix.T)
    return vectors[:, size <= SMALL * max(float(size[-1]), 1e-300)]


def _of_few(matrix: np.ndarray, whose: np.ndarray, size: np.ndarray) -> Iterator[list[int]]:
    """The units of one institution or two, and the pairs of units of one, of which something follows from the rows.

    The share of a unit's columns that lies in the row space is the largest eigenvalue of its block of the projection, and 1
    where something of it follows. For a pair it is 1 only where the block between them is as large as both shares leave room.
    """
    basis = _basis(matrix)
    units = np.unique(whose[size[whose] <= 2])
    blocks = [basis[whose == u] for u in units]
    share = np.array(
        [np.linalg.eigvalsh(b @ b.T)[-1] if len(b) <= b.shape[1] else np.linalg.eigvalsh(b.T @ b)[-1] for b in blocks]
    )
    for u in units[share > 1 - EXACT]:
        yield [int(u)]
    ones = [i for i in range(len(units)) if size[units[i]] == 1 and share[i] <= 1 - EXACT]
    ones.sort(key=lambda i: -share[i])
    for at, i in enumerate(ones):
        rest = [j for j in ones[at + 1 :] if share[i] + share[j] > 1 - EXACT]
        if not rest:
            continue
        between = np.concatenate([blocks[j] for j in rest]) @ blocks[i].T
        starts = np.cumsum([0, *(len(blocks[j]) for j in rest[:-1])])
        linked = np.add.reduceat((between**2).sum(axis=1), starts)
        for j, link in zip(rest, linked, strict=True):
            if link < (1 - share[i]) * (1 - share[j]) - EXACT:
                continue
            two = np.concatenate([blocks[i], blocks[j]])
            if np.linalg.eigvalsh(two @ two.T)[-1] > 1 - EXACT:
                yield [int(units[i]), int(units[j])]


def _few_columns(matrix: np.ndarray, size: np.ndarray, most: int) -> Iterator[list[int]]:
    """Up to four columns with at most `most` institutions together, a sum of which (each with a positive share) follows.

    The columns of the projection onto what does not follow are dependent exactly where something of them follows. Two are
    found by their angle; three and four by taking one or two of them off the others first.
    """
    basis = _basis(matrix)
    small = np.flatnonzero(size <= most)
    if not len(small) or not basis.shape[1]:
        return
    part, size = basis[small], size[small]
    free = np.eye(len(small)) - part @ part.T
    share = 1 - np.diag(free)
    found: list[set[int]] = []

    def new(*columns: int) -> bool:
        mine = set(columns)
        if len(mine) < len(columns) or size[list(columns)].sum() > most or any(f <= mine for f in found):
            return False
        gram = free[np.ix_(columns, columns)]
        length, vectors = np.linalg.eigh(gram)
        what = vectors[:, 0]
        if length[0] > EXACT or not ((what > EXACT).all() or (what < -EXACT).all()):
            return False
        found.append(mine)
        return True

    for a in np.flatnonzero(share > 1 - EXACT):
        if new(int(a)):
            yield [int(small[a])]
    yield from ([int(small[a]), int(small[b])] for a, b in _parallel(free, free, share, 1.0) if new(a, b))
    order = np.argsort(-share, kind="stable")
    for a in order:
        # Of three or four columns of which something follows, the shares come to 1: one has a third or a quarter of it.
        if free[a, a] <= EXACT or share[a] < 1 / most - EXACT:
            continue
        without = free - np.outer(free[a], free[a]) / free[a, a]
        for b, c in _parallel(without, free, share, 1.0 - share[a]):
            if new(int(a), b, c):
                yield [int(small[n]) for n in (a, b, c)]
        if most < 4 or size[a] > 1:
            continue
        for b in order:
            if (
                size[b] > 1
                or share[a] + share[b] < 0.5 - EXACT
                or share[b] > share[a] + EXACT
                or without[b, b] <= EXACT
                or a == b
            ):
                continue
            two = without - np.outer(without[b], without[b]) / without[b, b]
            for c, d in _parallel(two, free, share, 1.0 - share[a] - share[b], size == 1):
                if new(int(a), int(b), c, d):
                    yield [int(small[n]) for n in (a, b, c, d)]


def _parallel(
    gram: np.ndarray, free: np.ndarray, share: np.ndarray, room: float, among: np.ndarray | None = None
) -> list[tuple[int, int]]:
    """Pairs whose vectors (of this Gram matrix) are parallel and not nothing, with shares of at least `room` together."""
    length = np.diag(gram)
    alive = (length > EXACT) & (np.diag(free) > EXACT)
    if among is not None:
        alive &= among
    at = np.flatnonzero(alive & (share >= room - share.max(initial=0) - EXACT))
    if len(at) < 2:
        return []
    inner = gram[np.ix_(at, at)]
    product = np.outer(length[at], length[at])
    close = inner**2 >= product * (1 - EXACT)
    close &= np.add.outer(share[at], share[at]) >= room - EXACT
    return [(int(at[i]), int(at[j])) for i, j in zip(*np.nonzero(np.triu(close, 1)), strict=True)]
