"""A reader with the finished database and nothing else: what of one institution, or of two, follows from it?

Belongs here: the attack by subtraction that tests try on releases, from `indicator_values` and the public register alone. Its
own code: nothing is shared with publish/disclosure.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linprog

BY = {"district": "division_code", "org_type": "org_type", "level": "admin_level"}
Finding = tuple[Any, ...]


def members(register: pd.DataFrame, dimension: str, member: str) -> np.ndarray:
    """Which institutions (rows of the register of one year) a cell counts."""
    return np.ones(len(register), bool) if dimension == "total" else (register[BY[dimension]] == member).to_numpy()


def by_year(values: pd.DataFrame) -> dict[tuple[str, str, int], list[tuple[str, str, float]]]:
    """The published sums of single years by indicator, factor set and year: (dimension, member, value)."""
    out = defaultdict(list)
    for r in values.itertuples():
        if r.dimension in ("total", *BY) and not np.isnan(r.value):
            out[r.indicator_id, r.factor_set, int(r.year)].append((r.dimension, r.member, float(r.value)))
    return out


def subtract(values: pd.DataFrame, register: pd.DataFrame, most: int = 4) -> list[Finding]:
    """Published cells, or what they leave of the total, of which one less another is the sum of at most `most` institutions
    and more than nothing."""
    out = []
    for (indicator, factors, year), cells in by_year(values).items():
        of_year = register[register["year"] == year]
        sets = {(d, m): members(of_year, d, m) for d, m, _ in cells}
        value = {(d, m): v for d, m, v in cells}
        if ("total", "all") in sets:
            value |= {("rest", *k): value["total", "all"] - v for k, v in value.items() if k[0] != "total"}
            sets |= {("rest", *k): ~s for k, s in sets.items() if k[0] != "total"}
        for (a, whole), (b, part) in ((x, y) for x in sets.items() for y in sets.items() if x is not y):
            left = whole & ~part
            if part.any() and not (part & ~whole).any() and 0 < left.sum() <= most and abs(value[a] - value[b]) > 1e-3:
                out.append((indicator, factors, year, a, b, of_year["org_name"][left].tolist()))
    return out


def determined(equations: np.ndarray, owner: np.ndarray) -> list[tuple[int, ...]]:
    """The owners (of columns), and pairs of them, of which something follows from the equations by adding and subtracting:
    taking their columns away makes the equations depend on one another more than they did."""
    rank = np.linalg.matrix_rank(equations)
    names = np.unique(owner)
    out = [(int(a),) for a in names if np.linalg.matrix_rank(equations[:, owner != a]) < rank]
    alone = {a for (a,) in out}
    shares = np.diag(np.linalg.pinv(equations) @ equations)
    share = {a: shares[owner == a].sum() for a in names}
    for a, b in combinations([n for n in names if int(n) not in alone], 2):
        # The shares (traces) of a pair that is found come to 1 at least.
        if share[a] + share[b] > 1 - 1e-6 and np.linalg.matrix_rank(equations[:, (owner != a) & (owner != b)]) < rank:
            out.append((int(a), int(b)))
    return out


def follows(values: pd.DataFrame, register: pd.DataFrame) -> list[Finding]:
    """Institutions, one or two, of which the sums of one indicator, year and factor set tell something exactly."""
    out = []
    for (indicator, factors, year), cells in by_year(values).items():
        of_year = register[register["year"] == year].reset_index(drop=True)
        equations = np.array([members(of_year, d, m) for d, m, _ in cells], dtype=float)
        # Institutions that no cell tells apart are found only together.
        _, kind, size = np.unique(equations, axis=1, return_inverse=True, return_counts=True)
        kind = kind.ravel()
        few = np.flatnonzero(size[kind] <= 2)
        if len(few):
            merged = np.array([[row[kind == k].any() for k in range(len(size))] for row in equations], dtype=float)
            for found in determined(merged, np.arange(len(size))):
                if sum(size[list(found)]) <= 2:
                    out.append((indicator, factors, year, of_year["org_name"][np.isin(kind, found)].tolist()))
    return out


def bounded(
    values: pd.DataFrame, register: pd.DataFrame, truth: dict[tuple[str, str, int, str], float], near: float = 0.1
) -> list[Finding]:
    """Institutions whose value (`truth`, by indicator, factor set, year and name) the sums of one indicator, year and factor set
    bound on both sides more narrowly than `near` of it. An institution that is not in `truth` reported nothing, which the
    reader is taken to know."""
    out = []
    for (indicator, factors, year), cells in by_year(values).items():
        of_year = register[register["year"] == year]
        true = np.array([truth.get((indicator, factors, year, name), np.nan) for name in of_year["org_name"]])
        there = ~np.isnan(true)
        if not there.any():
            continue
        equations = np.array([members(of_year, d, m)[there] for d, m, _ in cells], dtype=float)
        shown, true = np.array([v for *_, v in cells]), true[there]
        size = max(float(shown.max()), 1e-9)
        # The solver takes an equation for met within 1e-7; institutions are a ten-thousandth of the largest sum and more.
        limit = np.concatenate([shown, -shown]) / size + 1e-6
        both = np.concatenate([equations, -equations])
        seen = [true / size]  # solutions: what one of them shows to be possible need not be asked

        for turn in range(6):
            seen += _corner(np.cos((1.0 + turn) * np.arange(len(true))), both, limit)
        for n in np.flatnonzero(true > 0):
            cost = np.zeros(len(true))
            cost[n] = 1.0
            for sign in (None, 1.0, -1.0):
                if sign is not None:
                    seen += _corner(sign * cost, both, limit)
                reached = size * np.array([x[n] for x in seen])
                if reached.min() <= (1 - near) * true[n] or reached.max() >= (1 + near) * true[n]:
                    break
            else:
                out.append((indicator, factors, year, of_year["org_name"].to_numpy()[there][n]))
    return out


def _corner(cost: np.ndarray, matrix: np.ndarray, limit: np.ndarray) -> list[np.ndarray]:
    found = linprog(cost, A_ub=matrix, b_ub=limit, bounds=(0, 10), method="highs")
    if found.status != 0:
        raise RuntimeError(f"The linear programme of the attack ended with: {found.message}")
    return [found.x]
