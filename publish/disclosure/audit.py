"""The attack on published values that the gate runs: bounds on suppressed values, from the finished files alone.

Belongs here: the attacker of Fischetti and Salazar-Gonzalez (Management Science 47(7), 2001): for a hidden cell, the least
and the greatest value that all published figures allow, by linear programming. It knows only what is published, the sums
that the definitions promise, and that nothing is negative. `exposed` is the reader who knows besides which institutions stand
behind each figure. Not here: hiding anything (suppress.py, unions.py); nothing is shared with that but the shape of the table
and of the equations, so that a mistake there is not repeated here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from publish.disclosure.kept import ResultCache
from publish.disclosure.membership import Family
from publish.disclosure.rules import Rules

Key = tuple[str, int, str, str, str]
NARROW = 0.1  # bounds on two institutions' sum nearer to it than this share of it have found it
FLAT = 1e-10  # an eigenvalue of this share of the largest is nothing
RANK = 1e-9  # a singular value of this share of the largest is the rounding of the arithmetic
NEARLY = 1e-4  # an inverse of what is nearer to singular than this is not relied on
AT_ONCE = 1000  # targets of which the lines are held in memory together
CERTAIN = 1 - 1e-9  # of what a line frees, so that the rounding of the arithmetic frees no pair
FOLLOWS = 1e-6  # what follows but for this much of its square follows: the rounding of the arithmetic


def bounds(
    published: pd.DataFrame,
    kinds: dict[str, str],
    targets: Iterable[Key],
    decimals: int = 6,
    enough: dict[Key, tuple[float, float]] | None = None,
    floor: dict[Key, float] | None = None,
    kept: ResultCache | None = None,
) -> dict[Key, tuple[float, float]]:
    """For each target (indicator, year, dimension, member, factor set) the least and greatest value consistent with
    `published`, the public indicator_values (value is null where status is S). Only flows and stocks add up; others have
    no bound. `decimals`: values were rounded to so many digits, and the attacker allows for it. `enough`: for a target that
    some solution found on the way takes as low and as high as these, no more is asked; its bounds are then at least so wide. `floor`: what open rows alone give of a value, where that is more than nothing.
    What follows from the same figures as before is taken from `kept`.
    """
    kept = kept or ResultCache()
    rows = list(
        zip(
            published["indicator_id"],
            published["year"],
            published["dimension"],
            published["member"],
            published["factor_set"],
            strict=True,
        )
    )
    value = published["value"].to_numpy(dtype=float, na_value=np.nan)
    hidden = (published["status"] == "Q").to_numpy()
    systems: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, (indicator, _, dimension, _, factors) in enumerate(rows):
        if kinds.get(indicator, "flow") in ("flow", "stock") and not dimension.startswith("base"):
            systems[indicator, factors].append(i)
    known: dict[tuple[str, str], list[_HiddenSystem]] = {}
    asked: dict[int, list[Key]] = defaultdict(list)
    out: dict[Key, tuple[float, float]] = {}
    for target in targets:
        of = (target[0], target[4])
        if of not in known:
            members = systems.get(of, [])
            found = _sums([rows[i] for i in members], kinds.get(target[0], "flow") == "flow")
            equations = [([members[t]], [members[n] for n in parts]) for t, parts in found]
            known[of] = _systems(rows, value, hidden, equations, 0.5 * 10.0**-decimals, floor or {})
        system = next((s for s in known[of] if target in s.at), None)
        out[target] = 0.0, np.inf
        if system is not None:
            asked[id(system)].append(target)
    for system in (s for of_indicator in known.values() for s in of_indicator if id(s) in asked):
        mine = [(t, (enough or {}).get(t)) for t in asked[id(system)]]
        read = (system.matrix.data, system.matrix.indices, system.matrix.indptr, system.limit, system.least)
        asking = [(system.at[t], e) for t, e in mine]
        ranges = kept.of("bounds", (*read, asking), lambda: [system.range(t, e) for t, e in mine])  # noqa: B023 - called at once
        out |= {t: (low, high) for (t, _), (low, high) in zip(mine, ranges, strict=True)}
    return out


def determined(rows: list[Key], unknown: np.ndarray, kinds: dict[str, str], targets: Iterable[int]) -> list[int]:
    """Of `targets` (positions in `rows`) those whose value follows exactly from those that are not `unknown`, by adding and
    subtracting: the unit vector of one lies in the row space of the sums, seen over the unknown alone. Movements between two
    releases may have either sign, so that no inequality bounds them more narrowly than these equations do.
    """
    wanted = set(targets)
    systems: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, (indicator, _, dimension, _, factors) in enumerate(rows):
        if kinds.get(indicator, "flow") in ("flow", "stock") and not dimension.startswith("base"):
            systems[indicator, factors].append(i)
    out = []
    for (indicator, _), members in systems.items():
        if wanted.isdisjoint(members):
            continue
        free = [i for i in members if unknown[i]]
        at = {i: n for n, i in enumerate(free)}
        lines = []
        for total, parts in _sums([rows[i] for i in members], kinds.get(indicator, "flow") == "flow"):
            line = np.zeros(len(free))
            for n, sign in ((total, 1.0), *((n, -1.0) for n in parts)):
                if members[n] in at:
                    line[at[members[n]]] = sign
            if line.any():
                lines.append(line)
        if not lines:
            continue
        _, size, rows_of = np.linalg.svd(np.array(lines), full_matrices=False)
        basis = rows_of[size > 1e-9 * size.max()]
        # A coordinate is determined where the whole of its unit vector lies in the row space.
        inside = (basis**2).sum(axis=0)
        out += [i for i in free if i in wanted and inside[at[i]] > 1 - 1e-9]
    return out


def traced(
    rows: list[Key],
    kinds: dict[str, str],
    known: np.ndarray,
    public: np.ndarray,
    known_then: np.ndarray,
    same: np.ndarray,
    few: np.ndarray,
) -> list[int]:
    """The figures whose movement since a past release, by `few` institutions, a new release discloses. By position in `rows`:
    `known` shows the state of now, `public` was known in that state before, `known_then` showed its state of the past release,
    `same` is one behind which nobody has changed since then.

    Told is what both releases show; what adding and subtracting over the new release gives of a figure that the past one
    shows; and what it gives of the movements, to a reader who knows besides behind which figures nobody changed. What such
    a reader could derive without the new release is not counted.
    """
    open_ = known | public
    derivable = set(np.flatnonzero(few & known_then & known & ~public).tolist())
    derivable |= set(determined(rows, ~open_, kinds, np.flatnonzero(few & known_then & ~open_)))
    unknown = ~same & ~(known_then & open_)
    found = determined(rows, unknown, kinds, np.flatnonzero(few & unknown))
    if found:
        found = sorted({*found} - {*determined(rows, ~same & ~(known_then & public), kinds, found)})
    return sorted({*derivable, *found})


def _sums(rows: list[Key], over_time: bool) -> list[tuple[int, list[int]]]:
    """(total, parts) of every sum that the definitions promise, as positions in `rows`."""
    at = {(year, dimension, member): n for n, (_, year, dimension, member, _) in enumerate(rows)}
    totals = {(year, ""): n for (year, dimension, _), n in at.items() if dimension == "total"}
    totals |= {(year, member): n for (year, dimension, member), n in at.items() if dimension == "period"}
    parts: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    out = []
    for (year, dimension, member), n in at.items():
        of_period = dimension == "period" or dimension.startswith("period/")
        span = member[:9] if of_period else ""
        if dimension not in ("total", "period"):
            parts[year, span, dimension].append(n)
        if of_period and over_time:
            dim, name = (dimension[7:], member[10:]) if "/" in dimension else ("total", None)
            years = range(int(span[:4]), int(span[5:]) + 1)
            found = [m for (y, d, e), m in at.items() if y in years and d == dim and (name is None or e == name)]
            out.append((n, found))
    return out + [(totals[year, span], found) for (year, span, _), found in parts.items() if (year, span) in totals]


class _HiddenSystem:
    """Hidden cells that share equations, and what the published figures leave for each equation to add up to."""

    def __init__(
        self, cells: list[Key], equations: list[tuple[dict[Key, float], float, float]], floor: dict[Key, float]
    ):
        self.least = np.array([max(floor.get(key, 0.0), 0.0) for key in cells])
        self.at = {key: n for n, key in enumerate(cells)}
        data, line, column = [], [], []
        for n, (coefficients, _, _) in enumerate(equations):
            for key, k in coefficients.items():
                data.append(k)
                line.append(n)
                column.append(self.at[key])
        one_way = csr_array((data, (line, column)), shape=(len(equations), len(cells)))
        self.matrix = vstack([one_way, -one_way])
        self.limit = np.array([r + slack for _, r, slack in equations] + [slack - r for _, r, slack in equations])
        # What the solutions found so far show to be possible for each cell.
        self.low, self.high = np.full(len(cells), np.inf), np.full(len(cells), -np.inf)
        self.seeded = False

    def _look_around(self) -> None:
        """Two solutions, as high and as low as all cells together go: they show at once how far most of them are free."""
        self.seeded = True
        most = 2 * float(np.abs(self.limit).sum()) + 1.0
        for cost in (-1.0, 1.0):
            all_of_them = np.full(len(self.at), cost)
            found = linprog(
                all_of_them, A_ub=self.matrix, b_ub=self.limit, bounds=[(x, most) for x in self.least], method="highs"
            )
            if found.status == 0:
                self.low, self.high = np.minimum(self.low, found.x), np.maximum(self.high, found.x)

    def range(self, target: Key, enough: tuple[float, float] | None = None) -> tuple[float, float]:
        ends = []
        at = self.at[target]
        if enough is not None and not self.seeded:
            self._look_around()
        for sign in (1.0, -1.0):
            if enough is not None and (self.low[at] <= enough[0] if sign > 0 else self.high[at] >= enough[1]):
                ends.append(float(self.low[at] if sign > 0 else self.high[at]))
                continue
            cost = np.zeros(len(self.at))
            cost[at] = sign
            found = linprog(
                cost, A_ub=self.matrix, b_ub=self.limit, bounds=[(x, None) for x in self.least], method="highs"
            )
            if found.status == 2:
                # The published figures do not add up (members that overlap, or are not all there): nothing follows.
                return 0.0, np.inf
            if found.status not in (0, 3):
                raise RuntimeError(f"The linear programme of the attack ended with: {found.message}")
            ends.append(sign * found.fun if found.status == 0 else np.inf * -sign)
            if found.status == 0:
                self.low, self.high = np.minimum(self.low, found.x), np.maximum(self.high, found.x)
        return ends[0], ends[1]


def _systems(
    rows: list[Key],
    value: np.ndarray,
    hidden: np.ndarray,
    equations: list[tuple[list[int], list[int]]],
    slack: float,
    floor: dict[Key, float],
) -> list[_HiddenSystem]:
    """The equations with something hidden in them, in groups that share no hidden cell."""
    parent: dict[int, int] = {}

    def root(i: int) -> int:
        parent.setdefault(i, i)
        while parent[i] != i:
            i = parent[i]
        return i

    used = []
    for total, parts in equations:
        signs = {**dict.fromkeys(total, 1.0), **dict.fromkeys(parts, -1.0)}
        unknown = [i for i in signs if hidden[i]]
        if unknown:
            rest = -sum(k * value[i] for i, k in signs.items() if not hidden[i] and not np.isnan(value[i]))
            # Each published figure was rounded, and the attacker allows for it.
            used.append((unknown[0], {rows[i]: signs[i] for i in unknown}, rest, slack * len(signs)))
            for i in unknown[1:]:
                parent[root(i)] = root(unknown[0])
    groups: dict[int, list[tuple[dict[Key, float], float, float]]] = defaultdict(list)
    for first, *equation in used:
        groups[root(first)].append((equation[0], equation[1], equation[2]))
    return [_HiddenSystem(list(dict.fromkeys(k for e in g for k in e[0])), g, floor) for g in groups.values()]


def exposed(family: Family, rules: Rules) -> list[tuple[int, str]]:
    """Disclosures of single institutions or of few by the published figures of one family: for each a cell of the newest
    state that takes part in it (its position), and which rule is broken. What past releases alone disclose is not counted.

    Three proofs. For one quantity and year, what is left of a sum when another within it is taken off passes the rules for
    sums; and a linear programme over the institutions' values, none below nothing, can take each above its share and below
    its protection. For all quantities, years and releases of the family, nothing follows by adding and subtracting of one
    institution, not even to a reader who knows all figures of another.
    """
    if not any(family.cells) or family.known.all():  # past releases alone disclose it
        return []
    newest = np.array([bool(c) for c in family.cells])
    out: list[tuple[int, str]] = []
    rows = family.matrix.tocsr()
    alone = np.where(family.current, family.quantity, -1)
    of_row = [np.unique(alone[rows.indices[a:b]]) for a, b in zip(rows.indptr[:-1], rows.indptr[1:], strict=True)]
    for quantity in np.unique(alone[alone >= 0]):
        mine = np.array([n for n, q in enumerate(of_row) if len(q) == 1 and q[0] == quantity], dtype=int)
        if not len(mine) or not newest[mine].any() or family.known[mine].all():
            continue
        columns = np.flatnonzero(alone == quantity)
        one = _Quantity(rows[mine][:, columns].toarray(), family, columns)
        before = family.known[mine]
        for check, rule in (
            (one.remainders, "less another published value it leaves a few institutions, or one large one"),
            (one.too_narrow, "with other published values it bounds what one or two institutions have too narrowly"),
        ):
            found = check(np.ones(len(mine), dtype=bool), rules)
            if found and before.any():
                found -= check(before, rules)
            if found:
                columns_of = sorted(min(found, key=sorted))
                touching = [
                    n
                    for n in mine
                    if newest[n]
                    and np.isin(columns[columns_of], rows.indices[rows.indptr[n] : rows.indptr[n + 1]]).any()
                ]
                at = touching[0] if touching else int(mine[newest[mine]][0])
                out.append((family.cells[at][0], rule))
    linked = (family.matrix @ family.basis).tocsr()
    derivable = _followed(linked, family)
    if derivable and family.known.any():
        derivable -= _followed(linked[family.known], family)
    for units in sorted(derivable)[:1]:
        at = next(
            n for n in range(linked.shape[0])
            if newest[n] and np.isin(family.basis_unit[linked.indices[linked.indptr[n] : linked.indptr[n + 1]]], units).any()
        )  # fmt: skip
        out.append(
            (family.cells[at][0], "together with other published values it gives what one or two institutions have")
        )
    return out


class _Quantity:
    """The sums of one quantity and year, over classes of institutions that no figure distinguishes."""

    def __init__(self, matrix: np.ndarray, family: Family, columns: np.ndarray):
        self.matrix = matrix
        self.size = family.size[family.unit[columns]]
        self.value, self.largest = family.value[columns], family.largest[columns]
        self.signed = bool((family.least[columns] < 0).any() or (matrix < 0).any())

    def remainders(self, rows: np.ndarray, rules: Rules) -> set[frozenset[int]]:
        """Classes of which a sum is left that may not be published, where a figure is taken off one that contains it, or a
        remainder off a figure or a remainder."""
        members = (
            np.unique(self.matrix[rows] > 0, axis=0)
            if (self.matrix[rows] >= 0).all()
            else np.zeros((0, len(self.size)), bool)
        )
        both = self._less(members, members)
        base = np.unique(np.concatenate([members, both]), axis=0)
        # By unions of members of a dimension too: they are remainders of the total.
        out: set[frozenset[int]] = set()
        for left in np.unique(np.concatenate([both, self._less(base, base)]), axis=0):
            people = float(self.size[left].sum())
            volume = float(np.abs(self.value[left]).sum())
            share = float(self.largest[left].max()) / volume if volume else 0.0
            if rules.unsafe(people, share, volume):
                out.add(frozenset(np.flatnonzero(left).tolist()))
        return out

    @staticmethod
    def _less(whole: np.ndarray, part: np.ndarray) -> np.ndarray:
        """What is left of each whole without each part that lies in it, where that is something."""
        outside = part.astype(np.int32) @ (~whole).T.astype(np.int32)
        size = part.sum(axis=1)
        pairs = np.argwhere((outside == 0) & (size[:, None] < whole.sum(axis=1)[None, :]) & (size[:, None] > 0))
        return whole[pairs[:, 1]] & ~part[pairs[:, 0]] if len(pairs) else np.zeros((0, whole.shape[1]), dtype=bool)

    def too_narrow(self, rows: np.ndarray, rules: Rules) -> set[frozenset[int]]:
        """Institutions, and twos of them, that all sums together bound more narrowly than the rules allow."""
        if self.signed:
            return set()
        x = self.value
        targets = np.flatnonzero((x > 0) & ((self.size <= 2) | (self.largest > rules.max_share * x)))
        if not len(targets):
            return set()
        others = _Alternatives(self.matrix[rows], x, targets)
        out = set()
        for t in targets.tolist():
            if self.size[t] == 1:
                fine = others.wide([t], 1 - rules.protection, 1 / rules.max_share, False)
            elif self.largest[t] > rules.max_share * x[t]:
                fine = others.wide([t], 1.0, float(self.largest[t] / x[t]) / rules.max_share, False)
            else:
                fine = others.wide([t], 1 - NARROW, 1 + NARROW, True)
            if not fine:
                out.add(frozenset([t]))
        for a, b in others.doubtful(targets[self.size[targets] == 1]):
            if not others.wide([a, b], 1 - NARROW, 1 + NARROW, True):
                out.add(frozenset([a, b]))
        return out


class _Alternatives:
    """Other values of all institutions, none below nothing, that give the same sums as the true ones.

    How they are found does not matter: each is held against the equations. `lowest` and `highest` are the extremes of each
    institution over all of them, `kept` (blocks of rows, of which the first row is the truth) those that are remembered whole.
    """

    def __init__(self, matrix: np.ndarray, value: np.ndarray, targets: np.ndarray):
        self.matrix = matrix
        self.true = value / (float(value.max(initial=0)) or 1.0)
        self.sums = matrix @ self.true
        self.lowest, self.highest = self.true.copy(), self.true.copy()
        self.kept = [self.true[None, :]]
        # The value up to which any other institution's may be and what the two have together is wide all the same.
        self.partner = np.full(len(value), -np.inf)
        for begin in range(0, len(targets) if len(matrix) else 0, AT_ONCE):
            self._straight_lines(targets[begin : begin + AT_ONCE])

    def _straight_lines(self, targets: np.ndarray) -> None:
        """One alternative up and one down for each target, as far from the truth as a straight line goes.

        Along the line of t its value changes by `own` of itself and no other by more than `most` of itself, so that what t and u
        have together changes by own * t - most * u at least.
        """
        x, at = self.true, np.arange(len(targets))
        white = self._white
        lines = -white[targets] @ white.T
        lines[at, targets] += 1.0
        own = lines[at, targets].copy()
        lines[at, targets] = 0.0
        most = np.abs(lines).max(axis=1)
        lines[at, targets] = own
        found = []
        for sign in (1.0, -1.0):
            falls = -(sign * lines).min(axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                there = x * (1 + sign * lines / falls[:, None])
                partner = x[targets] * (own - NARROW * falls) / (NARROW * falls + most)
            good = (falls > 0) & (there.min(axis=1) >= -1e-12)
            good[good] = np.isclose(there[good] @ self.matrix.T, self.sums, rtol=1e-9, atol=1e-12).all(axis=1)
            self.partner[targets[good]] = np.maximum(self.partner[targets[good]], partner[good] * CERTAIN)
            found.append(there[good])
        self._see(np.concatenate(found), len(self.kept) == 1)

    @cached_property
    def _white(self) -> np.ndarray:
        """Orthonormal columns that span the equations, each institution's coefficient times its value."""
        weighed = self.matrix * self.true
        length, vectors = np.linalg.eigh(weighed @ weighed.T)
        kept = length > FLAT * length[-1]
        return weighed.T @ vectors[:, kept] / np.sqrt(length[kept])

    def _see(self, found: np.ndarray, whole: bool = True) -> None:
        self.lowest = np.minimum(self.lowest, found.min(axis=0, initial=np.inf))
        self.highest = np.maximum(self.highest, found.max(axis=0, initial=-np.inf))
        if whole:
            self.kept.append(found)

    def _end(self, cost: np.ndarray) -> float:
        found = linprog(cost, A_eq=self.matrix, b_eq=self.sums, bounds=(0, 1e6), method="highs")
        if found.status != 0:
            raise RuntimeError(f"The linear programme of the proof ended with: {found.message}")
        self._see(found.x[None, :])
        return float(found.fun)

    def wide(self, columns: list[int], low: float, high: float, either: bool) -> bool:
        """Whether these columns together may be as low and as high as these multiples of the truth (`either`: one of the two)."""
        true = float(self.true[columns].sum())
        cost = np.zeros(len(self.true))
        cost[columns] = 1.0
        falls, rises = low >= 1, high <= 1
        low, high = low * true + 1e-9, high * true - 1e-9
        if len(columns) == 1:
            least, most = float(self.lowest[columns[0]]), float(self.highest[columns[0]])
        else:
            possible = np.concatenate([block[:, columns].sum(axis=1) for block in self.kept])
            least, most = float(possible.min()), float(possible.max())
        falls, rises = falls or least <= low, rises or most >= high
        if either and (falls or rises):
            return True
        falls = falls or self._end(cost) <= low
        if either and falls:
            return True
        rises = rises or -self._end(-cost) >= high
        return rises if either else falls and rises

    def doubtful(self, ones: np.ndarray) -> Iterator[tuple[int, int]]:
        """Pairs of single institutions of which no straight line shows that what they have together is wide.

        Sorted by value, those that the line of the larger leaves in doubt follow it directly: of thousands of institutions, whose
        pairs are millions, few are looked at.
        """
        order = ones[np.argsort(-self.true[ones], kind="stable")]
        size, partner = self.true[order], self.partner[order]
        ends = np.searchsorted(-size, -partner, side="left")
        for n, a in enumerate(order.tolist()):
            later = np.arange(n + 1, max(int(ends[n]), n + 1))
            for b in order[later[size[n] > partner[later]]].tolist():
                yield a, b


def _followed(matrix: csr_array, family: Family) -> set[tuple[int, ...]]:
    """Classes of one institution or two of which something follows from the rows by adding and subtracting, and pairs of
    institutions of which the one can compute something about the other from its own values."""
    whose, size = family.basis_unit, family.size
    by_unit, order = matrix.tocsc(), np.argsort(whose, kind="stable")
    units, starts = np.unique(whose[order], return_index=True)
    columns_of = dict(zip(units.tolist(), np.split(order, starts[1:]), strict=True))
    small = [u for u in columns_of if size[u] <= 2]
    blocks = {u: by_unit[:, columns_of[u]] for u in small}
    out: set[tuple[int, ...]] = set()
    gram = np.asarray((matrix @ matrix.T).toarray())
    white = _whitening(gram)

    def whitened(u: int) -> np.ndarray:
        return (blocks[u].T @ white).T

    def share(block: np.ndarray) -> float:
        """How much of some direction of a class's values follows (1: all of it), from its block of whitened columns."""
        return float(np.linalg.norm(block, 2)) ** 2 if block.any() else 0.0

    def derivable_beside(u: int) -> list[int]:
        """The single institutions of which something follows, all of it, once the values of `u` are known.

        With W the whitened columns, the rows' projector is W'W. Without the columns of u its block of v is, by Woodbury's identity,
        Wv'Wv + (Wv'Wu)(1 - Wu'Wu)^-1(Wu'Wv): one decomposition serves all. Where 1 - Wu'Wu is nearly singular it is made anew.
        """
        # The two shares of a pair come to 1 where something of it follows.
        others = [v for v in ones if v != u and first[u] + first[v] > 1 - FOLLOWS]
        if not others:
            return []
        mine = seen[u]
        rest = np.eye(mine.shape[1]) - mine.T @ mine
        if np.linalg.eigvalsh(rest)[0] < NEARLY:
            without = _whitening(gram - (blocks[u] @ blocks[u].T).toarray())
            return [v for v in others if share((blocks[v].T @ without).T) > 1 - FOLLOWS]
        left = np.linalg.solve(rest, mine.T)  # (1 - Wu'Wu)^-1 Wu'
        near = []
        for v in others:
            across = mine.T @ seen[v]
            block = seen[v].T @ seen[v] + across.T @ (left @ seen[v])
            if np.linalg.eigvalsh((block + block.T) / 2)[-1] > 1 - FOLLOWS:
                near.append(v)
        return near

    first = {u: share(whitened(u)) for u in small}
    out |= {(u,) for u in small if first[u] > 1 - FOLLOWS and _gives(matrix, whose == u, whose != u)}
    ones = [u for u in small if size[u] == 1 and 0 < first[u] <= 1 - FOLLOWS]
    # Of those that no partner completes nothing is asked; the shares of all come to the rank, so that the rest are not many.
    largest = max((first[u] for u in ones), default=0.0)
    ones = [u for u in ones if first[u] + largest > 1 - FOLLOWS]
    seen = {u: whitened(u) for u in ones}
    for u in ones:
        for v in derivable_beside(u):
            if _gives(matrix, whose == v, (whose != u) & (whose != v)):
                out.add((min(u, v), max(u, v)))
    return out


def _whitening(gram: np.ndarray) -> np.ndarray:
    """The inverse square root of a Gram matrix, by its eigenvectors, in the directions that it has."""
    length, vectors = np.linalg.eigh(gram)
    kept = length > FLAT * length[-1]
    return vectors[:, kept] / np.sqrt(length[kept])


def _gives(matrix: csr_array, mine: np.ndarray, others: np.ndarray) -> bool:
    """Whether the rows give something of the columns `mine` with nothing left of `others`: the rank that is lost without them.

    A share near 1 alone does not say so. Rows whose coefficients nearly agree (0.999 of one year less the next) come near to a
    value without giving it, and leave it as wide open as before.
    """
    both, rest = (_rank(matrix[:, np.flatnonzero(kept)].toarray()) for kept in (mine | others, others))
    return both > rest


def _rank(matrix: np.ndarray) -> int:
    """The rank of a matrix whose coefficients are near 1, by its singular values."""
    if not matrix.any():
        return 0
    values = np.linalg.svd(matrix, compute_uv=False)
    return int((values > RANK * values[0]).sum())
