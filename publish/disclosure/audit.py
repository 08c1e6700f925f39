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
from scipy.sparse import csr_array

Key = tuple[str, int, str, str, str]


def bounds(
    published: pd.DataFrame, kinds: dict[str, str], targets: Iterable[Key], decimals: int = 6
) -> dict[Key, tuple[float, float]]:
    """For each target (indicator, year, dimension, member, factor set) the least and greatest value consistent with
    `published`, the public indicator_values (value is null where status is S). Only flows and stocks add up; others have
    no bound. `decimals`: values were rounded to so many digits, and the attacker allows for it.
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
    hidden = (published["status"] == "S").to_numpy()
    systems: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, (indicator, _, dimension, _, factors) in enumerate(rows):
        if kinds.get(indicator, "flow") in ("flow", "stock") and not dimension.startswith("base"):
            systems[indicator, factors].append(i)
    out: dict[Key, tuple[float, float]] = {}
    for target in targets:
        members = systems.get((target[0], target[4]), [])
        at = {rows[i]: n for n, i in enumerate(members)}
        if target not in at:
            out[target] = (0.0, np.inf)
            continue
        found = _sums([rows[i] for i in members], kinds.get(target[0], "flow") == "flow")
        # A sum with nothing hidden tells nothing, and might not add up by rounding.
        equations = [(t, m) for t, m in found if any(hidden[members[n]] for n in (t, *m))]
        slack = 0.5 * 10.0**-decimals
        box = [
            (0.0, None) if hidden[i] else (value[i] - slack, value[i] + slack) if not np.isnan(value[i]) else (0.0, 0.0)
            for i in members
        ]
        out[target] = _range(equations, box, at[target])
    return out


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


def _range(
    equations: list[tuple[int, list[int]]], box: list[tuple[float, float | None]], at: int
) -> tuple[float, float]:
    data, line, column = [], [], []
    for n, (total, members) in enumerate(equations):
        for c, k in [(total, 1.0), *((m, -1.0) for m in members)]:
            data.append(k)
            line.append(n)
            column.append(c)
    matrix = csr_array((data, (line, column)), shape=(len(equations), len(box))) if equations else None
    right = np.zeros(len(equations)) if equations else None
    ends = []
    for sign in (1.0, -1.0):
        cost = np.zeros(len(box))
        cost[at] = sign
        found = linprog(cost, A_eq=matrix, b_eq=right, bounds=box, method="highs")
        if found.status == 3:
            ends.append(np.inf * -sign)
        elif found.status == 2:
            # The published figures do not add up (members that overlap, or are not all there): nothing can be concluded.
            return 0.0, np.inf
        elif found.status == 0:
            ends.append(sign * found.fun)
        else:
            raise RuntimeError(f"The linear programme of the attack ended with: {found.message}")
    return ends[0], ends[1]
