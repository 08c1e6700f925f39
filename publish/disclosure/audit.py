"""An attack on published indicator values: how narrowly can a reader bound what was hidden?

Belongs here: the attacker of Fischetti and Salazar-Gonzalez (Management Science 47(7), 2001): for a hidden cell, the least
and the greatest value that all published figures allow, by linear programming. It knows only what is published, the sums
that the definitions promise, and that nothing is negative. Not here: the rules (suppress.py); nothing is shared with them
but the shape of the table, so that a mistake there is not repeated here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

Key = tuple[str, int, str, str, str]


def bounds(
    published: pd.DataFrame,
    kinds: dict[str, str],
    targets: Iterable[Key],
    decimals: int = 6,
    enough: dict[Key, tuple[float, float]] | None = None,
    floor: dict[Key, float] | None = None,
) -> dict[Key, tuple[float, float]]:
    """For each target (indicator, year, dimension, member, factor set) the least and greatest value consistent with
    `published`, the public indicator_values (value is null where status is S). Only flows and stocks add up; others have
    no bound. `decimals`: values were rounded to so many digits, and the attacker allows for it. `enough`: for a target that
    some solution found on the way takes as low and as high as these, no more is asked; its bounds are then at least so wide. `floor`: what open rows alone give of a value, where that is more than nothing.
    """
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
    known: dict[tuple[str, str], list[_System]] = {}
    out: dict[Key, tuple[float, float]] = {}
    for target in targets:
        of = (target[0], target[4])
        if of not in known:
            members = systems.get(of, [])
            found = _sums([rows[i] for i in members], kinds.get(target[0], "flow") == "flow")
            equations = [([members[t]], [members[n] for n in parts]) for t, parts in found]
            known[of] = _systems(rows, value, hidden, equations, 0.5 * 10.0**-decimals, floor or {})
        system = next((s for s in known[of] if target in s.at), None)
        out[target] = system.range(target, (enough or {}).get(target)) if system else (0.0, np.inf)
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
    """The figures whose movement since a past release, by `few` institutions, a new release tells. By position in `rows`:
    `known` shows the state of now, `public` was known in that state before, `known_then` showed its state of the past release,
    `same` is one behind which nobody has changed since then.

    Told is what both releases show; what adding and subtracting over the new release gives of a figure that the past one
    shows; and what it gives of the movements, to a reader who knows besides behind which figures nobody changed. What such
    a reader could tell without the new release is not its doing.
    """
    open_ = known | public
    told = set(np.flatnonzero(few & known_then & known & ~public).tolist())
    told |= set(determined(rows, ~open_, kinds, np.flatnonzero(few & known_then & ~open_)))
    unknown = ~same & ~(known_then & open_)
    found = determined(rows, unknown, kinds, np.flatnonzero(few & unknown))
    if found:
        found = sorted({*found} - {*determined(rows, ~same & ~(known_then & public), kinds, found)})
    return sorted({*told, *found})


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


class _System:
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
) -> list[_System]:
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
    return [_System(list(dict.fromkeys(k for e in g for k in e[0])), g, floor) for g in groups.values()]
