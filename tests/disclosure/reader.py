"""A reader who keeps every release and knows behind which figures nobody changed: what movements by too few follow?

Belongs here: the attack that the tests of history.py try, over any number of releases at once, from the institutions' own
figures. Nothing is shared with the rule or the gate but the words by which a figure says that it stands.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from publish.disclosure.history import HELD_ZH
from publish.disclosure.suppress import Rules

Cell = tuple[str, int, str, str]
State = dict[tuple[str, Any], tuple[float, ...]]  # (institution, year) -> what it contributes
RULES = Rules()


def states(facts: pd.DataFrame) -> dict[Cell, State]:
    """What stands behind each figure of test_history.cells_of."""
    out: dict[Cell, State] = {}
    for indicator, columns in (("kgce", ["v"]), ("people", ["n"]), ("per_head", ["v", "n"])):
        rows = zip(
            facts["org"], facts["year"], facts["district"], facts["org_type"], *(facts[c] for c in columns), strict=True
        )
        for org, year, district, kind, *amounts in rows:
            places = [(year, "total", "all"), (year, "district", district), (year, "org_type", kind)]
            if indicator == "kgce":
                places += [(2022, "period", "2021-2022"), (2022, "period/district", f"2021-2022/{district}")]
            for place in places:
                out.setdefault((indicator, *place), {})[org, year] = tuple(amounts)
    return out


def few(a: State, b: State) -> bool:
    """Whether the figures of two states differ by the doing of too few institutions."""
    moved: dict[str, np.ndarray] = {}
    for at in {*a, *b}:
        zero = np.zeros(len(a.get(at) or b[at]))
        step = np.abs(np.array(a.get(at, zero)) - np.array(b.get(at, zero)))
        moved[at[0]] = moved.get(at[0], zero) + step
    by_org = [m for m in moved.values() if m.any()]
    if not by_org:
        return False
    total = np.sum(by_org, axis=0)
    share = max(float(np.max([m[i] for m in by_org]) / t) for i, t in enumerate(total) if t)
    return len(by_org) < RULES.min_contributors or share > RULES.max_share


def sums(cells: list[Cell]) -> list[tuple[Cell, list[Cell]]]:
    """Every sum that the definitions promise of flows and stocks: (total, members)."""
    out: dict[tuple[Cell, str], list[Cell]] = {}
    for cell in cells:
        indicator, year, dimension, member = cell
        if indicator == "per_head":
            continue
        if dimension in ("district", "org_type"):
            out.setdefault(((indicator, year, "total", "all"), dimension), []).append(cell)
        if indicator == "kgce" and dimension == "total":
            out.setdefault((("kgce", 2022, "period", "2021-2022"), "years"), []).append(cell)
        if indicator == "kgce" and dimension == "district":
            out.setdefault((("kgce", 2022, "period/district", f"2021-2022/{member}"), "years"), []).append(cell)
        if dimension == "period/district":
            out.setdefault((("kgce", 2022, "period", "2021-2022"), "members"), []).append(cell)
    return [(total, members) for (total, _), members in out.items()]


def current(published: pd.DataFrame) -> set[Cell]:
    """The figures that show the state of their release: not hidden, and no word that they stand."""
    return {
        (r.indicator_id, int(r.year), r.dimension, r.member)
        for r in published.itertuples()
        if not math.isnan(r.value) and not (isinstance(r.note, str) and HELD_ZH in r.note)
    }


def told(releases: list[tuple[pd.DataFrame, pd.DataFrame]]) -> list[tuple[Cell, int, int]]:
    """The figures, and numbers of two of their states, whose difference is the doing of too few and can be computed from
    all `releases` (what was published, and the facts behind it) by adding and subtracting.

    Unknown is each state of a figure that was never current. Every sum of every release is an equation over them. The
    difference of two states can be computed where its vector lies in the row space of the equations.
    """
    found = [states(facts) for _, facts in releases]
    kinds: dict[Cell, list[State]] = {}
    number: list[dict[Cell, int]] = []
    for of_release in found:
        number.append({})
        for cell, state in of_release.items():
            seen = kinds.setdefault(cell, [])
            if state not in seen:
                seen.append(state)
            number[-1][cell] = seen.index(state)
    known = {
        (c, at[c]) for (published, _), at in zip(releases, number, strict=True) for c in current(published) if c in at
    }
    unknown: dict[tuple[Cell, int], int] = {}
    equations: set[tuple[tuple[int, float], ...]] = set()
    for at in number:
        for total, members in sums(list(at)):
            line = {}
            for cell, sign in ((total, 1.0), *((m, -1.0) for m in members)):
                if (cell, at[cell]) not in known:
                    line[unknown.setdefault((cell, at[cell]), len(unknown))] = sign
            if line:
                equations.add(tuple(sorted(line.items())))
    inside = _projection(equations, len(unknown))
    out = []
    for cell, seen in kinds.items():
        for a in range(len(seen)):
            for b in range(a):
                if not few(seen[a], seen[b]):
                    continue
                ends = [((cell, n), sign) for n, sign in ((a, 1.0), (b, -1.0)) if (cell, n) not in known]
                if any(end not in unknown for end, _ in ends):
                    continue  # no sum leads there
                vector = np.zeros(len(unknown))
                for end, sign in ends:
                    vector[unknown[end]] = sign
                if vector @ inside @ vector >= (vector @ vector) * (1 - 1e-9):
                    out.append((cell, a, b))
    return out


def _projection(equations: set[tuple[tuple[int, float], ...]], size: int) -> np.ndarray:
    """The projection onto what the equations determine."""
    if not equations:
        return np.zeros((size, size))
    matrix = np.zeros((len(equations), size))
    for n, line in enumerate(sorted(equations)):
        for at, sign in line:
            matrix[n, at] = sign
    _, found, rows = np.linalg.svd(matrix, full_matrices=False)
    basis = rows[found > 1e-9 * found.max()]
    return basis.T @ basis


def left_over(releases: list[tuple[pd.DataFrame, pd.DataFrame]]) -> list[tuple[int, int, Cell]]:
    """Pairs of releases and totals: what is left of the total's movement when that of the known members is taken off is
    the doing of too few institutions."""
    found = [states(facts) for _, facts in releases]
    cells = {cell for f in found for cell in f}
    # Of a figure that a release has not, nobody stood behind it.
    shown = [current(published) | (cells - set(f)) for (published, _), f in zip(releases, found, strict=True)]
    out = []
    for t in range(1, len(releases)):
        for j in range(t):
            both = shown[t] & shown[j]
            for total, members in sums(sorted(cells)):
                rest = [m for m in members if m not in both]
                now, then = (
                    {(org, (m, year)): v for m in rest for (org, year), v in f.get(m, {}).items()}
                    for f in (found[t], found[j])
                )
                if total in both and few(now, then):
                    out.append((t, j, total))
    return out
