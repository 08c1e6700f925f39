"""A reader who keeps every release and knows behind which figures nobody changed: what movements by too few follow?

Belongs here: the attack that the tests of history.py try, over any number of releases at once, from the institutions' own
figures. Nothing is shared with the rule or the gate but the words by which a figure says that it stands.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from publish.disclosure.history import FROZEN_ZH
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
        if not math.isnan(r.value) and not (isinstance(r.note, str) and FROZEN_ZH in r.note)
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


FACTORS = [10.0**n for n in (-4, -3, -2, -1, 1, 2, 3, 4)]


def slips(releases: list[tuple[pd.DataFrame, pd.DataFrame]]) -> dict[tuple[str, int], list[float]]:
    """What a reader finds who takes each movement between two figures shown for a slip of the decimal point by one institution:
    (institution, year) -> its value as computed, where that is the true one to a part in a thousand.

    Of a slip by k the movement is (k - 1) times the right value, whichever of the two figures is the right one. Movements of
    sums are taken whole and, where all other members of a sum are shown unmoved, for the one that is not.
    """
    shown: dict[Cell, list[tuple[int, float]]] = {}
    for n, (published, _) in enumerate(releases):
        values = {(r.indicator_id, int(r.year), r.dimension, r.member): float(r.value) for r in published.itertuples()}
        for cell in current(published):
            if cell[0] == "kgce" and cell[2] != "base":
                shown.setdefault(cell, []).append((n, values[cell]))
    movements = {(cell, a, b): y - x for cell, seen in shown.items() for a, x in seen for b, y in seen if a < b}
    for (total, a, b), whole in list(movements.items()):
        for of, members in sums(list(shown)):
            if of == total:
                moved = sum(movements.get((m, a, b), 0.0) for m in members)
                movements[total, b, a] = whole - moved
    out: dict[tuple[str, int], list[float]] = {}
    for of_amount in movements.values():
        if of_amount == 0:
            continue
        for k in FACTORS:
            guess = abs(of_amount / (k - 1))
            for _, facts in releases:
                near = facts[np.isclose(facts["v"], guess, rtol=1e-3)]
                for r in near.itertuples():
                    if _slipped(releases, r.org, r.year):
                        out.setdefault((r.org, int(r.year)), []).append(guess)
    return out


def _slipped(releases: list[tuple[pd.DataFrame, pd.DataFrame]], org: str, year: int) -> bool:
    """Whether an institution's amount was in some release a power of ten times what it was in another: else a guess that meets its
    value is chance."""
    seen = {float(v) for _, f in releases for v in f.loc[(f["org"] == org) & (f["year"] == year), "v"]}
    return any(np.isclose(a, b * k, rtol=0.5) for a in seen for b in seen for k in FACTORS if a != b)
