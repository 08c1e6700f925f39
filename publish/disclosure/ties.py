"""Ratios and comparisons whose institutions are nearly those of a published sum: the few left out would be disclosed.

Belongs here: finding such pairs of cells and counting the institutions between them. Not here: hiding one of them
(suppress.py) or refusing them (gate.py).

A ratio counts only institutions that have both its quantities. With its numerator and its denominator beside it, a reader gets
what those left out have together; and so from a comparison over the institutions of both years beside the figures of all.
What is left out is then a published sum, and must pass the rules for sums.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from publish.disclosure.contributions import Amounts, Contributions, Kind, Parts, StateWords, less, table
from publish.disclosure.hiding import KEY
from publish.disclosure.history import moved, places_of
from publish.disclosure.kept import ResultCache
from publish.disclosure.relations import Indicator, cube_cell
from publish.disclosure.suppress import Rules

Key = tuple[str, int, str, str, str]


@dataclass(frozen=True)
class Tie:
    """The cell `tie` counts fewer institutions than the cell `whole` beside it (positions): `left_out` of them, of whose sum
    the largest one has `share` (0..1)."""

    tie: int
    whole: int
    left_out: float
    share: float

    def unsafe(self, rules: Rules) -> bool:
        """Whether what is left out would reveal the figures of single institutions."""
        return self.left_out > 0 and rules.unsafe(self.left_out, self.share, 1.0)


def ties(
    cells: pd.DataFrame,
    indicators: dict[str, Indicator],
    parts: Parts | None,
    frozen: np.ndarray | None = None,
    kept: ResultCache | None = None,
    among: pd.DataFrame | None = None,
) -> list[Tie]:
    """Every pair of a tie and a whole in `cells` (marts.indicator_values, index 0..n-1).

    `parts` is what each institution contributes (contributions.PARTS). Without it the numbers of institutions behind both cells
    are all there is, and nothing is known of the largest; so it is with frozen cells (`frozen`, by
    position), of which it says nothing. The institutions between are counted for the pairs of all cells `among` which these are, and
    taken from `kept` where it was counted before.
    """
    pairs = _pairs(cells, indicators)
    people = np.nan_to_num(cells["contributors"].to_numpy(dtype=float, na_value=np.nan))
    counted = [max(people[w] - people[n], 0.0) for n, w, *_ in pairs]
    if parts is None or not pairs:
        return [Tie(n, w, c, 0.0) for (n, w, *_), c in zip(pairs, counted, strict=True)]
    everything = cells if among is None else among
    of = pairs if among is None else _pairs(everything, indicators)
    asked = _addresses(everything, of)
    found = (kept or ResultCache()).of(
        "ties", (parts, asked), lambda: [c.tolist() for c in _between(everything, parts, of)]
    )
    between = dict(zip(asked, zip(*found, strict=True), strict=True))
    count, share = np.array([between[a] for a in _addresses(cells, pairs)]).T
    if frozen is not None:
        older = np.array([frozen[n] or frozen[w] for n, w, *_ in pairs], dtype=bool)
        count, share = np.where(older, counted, count), np.where(older, 0.0, share)
    # A comparison counts whom it leaves out by where they are in the later year; the larger count of the two is no safer.
    return [
        Tie(n, w, c if 0 < c < known or known == 0 else known, s)
        for (n, w, *_), c, known, s in zip(pairs, counted, count, share, strict=True)
    ]


# tie, whole, the indicator whose institutions the tie counts, which side of it the whole sums, and its base year
_Pair = tuple[int, int, str, str, int]


def _addresses(cells: pd.DataFrame, pairs: list[_Pair]) -> list[tuple[Any, ...]]:
    """Each pair with the keys of its cells in place of their positions."""
    keys = list(cells[KEY].astype({"year": "int64"}).itertuples(index=False, name=None))
    return [(keys[n], keys[w], *rest) for n, w, *rest in pairs]


def _pairs(cells: pd.DataFrame, indicators: dict[str, Indicator]) -> list[_Pair]:
    at: dict[Key, int] = {
        k: n for n, k in enumerate(cells[KEY].astype({"year": "int64"}).itertuples(index=False, name=None))
    }
    sums: dict[str, list[str]] = defaultdict(list)
    for name, about in indicators.items():
        if about.additive and about.numerator:
            sums[about.numerator].append(name)
    pairs: list[_Pair] = []
    for (indicator, year, dimension, member, factors), n in at.items():
        about = indicators.get(indicator, Indicator())
        if about.denominator is not None:
            beside = {
                side: [
                    at[k]
                    for s in sums[measure or ""]
                    for f in (factors, "none")
                    if (k := (s, year, dimension, member, f)) in at
                ]
                for side, measure in (("numerator", about.numerator), ("denominator", about.denominator))
            }
            if all(beside.values()):
                pairs += [(n, w, indicator, side, 0) for side, wholes in beside.items() for w in wholes]
        p = cube_cell(year, dimension, member)
        if p.over == "base" and about.compares is not None:
            inner = ("total", "all") if p.group == "total" else (p.group, p.member)
            found = [at[k] for y in (p.year, p.first) if (k := (about.compares, y, *inner, factors)) in at]
            pairs += [(n, w, about.compares, "both", p.first) for w in found]
    return pairs


def _between(cells: pd.DataFrame, parts: Parts, pairs: list[_Pair]) -> tuple[np.ndarray, np.ndarray]:
    """How many institutions are between tie and whole of each pair, and the share of the largest: as a movement from what
    the one counts to what the other counts."""
    groups: dict[_Group, list[int]] = defaultdict(list)
    columns = {c: cells[c].tolist() for c in ("indicator_id", "factor_set", "year")}
    for i, (n, w, of, side, base) in enumerate(pairs):
        tie, whole = (of, columns["factor_set"][n]), (columns["indicator_id"][w], columns["factor_set"][w])
        groups[tie, whole, side, int(columns["year"][n]) if base else 0, base].append(i)
    words = StateWords()
    counted = Contributions(parts, words)
    at = [i for mine in groups.values() for i in mine]
    numbers = np.repeat(np.arange(len(groups)), list(map(len, groups.values())))
    wholes = cells.iloc[[pairs[i][1] for i in at]].assign(indicator_id=numbers.astype(str), factor_set="none")
    places = places_of(wholes, {})
    asked: dict[int, set[tuple[int, str]]] = defaultdict(set)
    for number, year, dimension in (
        places[["indicator_id", "year", "dimension"]].drop_duplicates().itertuples(index=False)
    ):
        asked[int(number)].add((year, dimension))
    left_out = [(str(n), "none", _left_out(counted, asked[n], *group)) for n, group in enumerate(groups)]
    count, share = np.zeros(len(pairs)), np.zeros(len(pairs))
    count[at], share[at] = moved(table(words, left_out), places, len(at))
    return count, share


_Group = tuple[
    Kind, Kind, str, int, int
]  # tie, whole, which side of the tie the whole sums, the later and the base year


def _left_out(
    counted: Contributions, asked: set[tuple[int, str]], tie: Kind, whole: Kind, side: str, year: int, base: int
) -> Amounts:
    """What the whole sums and the tie does not count, in the years and dimensions `asked` for: of a ratio its numerator or
    denominator, and of a comparison what the institutions contribute that stated the quantity alike in both years."""
    all_, some = counted.rows(whole), counted.rows(tie)
    spots = counted.words.spot_columns()
    where = zip(spots["year"], spots["breakdown"], strict=True)
    open_ = np.array([any((y, d) in asked for d in _DIMENSIONS.get(b, (b,))) for y, b in where], dtype=bool)
    mine, theirs = open_[all_.spot], open_[some.spot]
    if side != "both":
        amounts = some.side(side), np.zeros(len(some))
    else:
        years = np.array(spots["year"], dtype=np.int64)[some.spot]
        numbers: dict[tuple[Any, Any], int] = {}
        within = zip(spots["breakdown"], spots["breakdown_member"], strict=True)
        inner = np.array([numbers.setdefault(k, len(numbers)) for k in within], dtype=np.int64)
        alike = (some.org.astype(np.int64) << 24 | inner[some.spot]) * len(counted.words.texts) + some.comparable
        stated = some.comparable != counted.words.texts.get(None, -1)
        theirs &= np.isin(alike, np.intersect1d(*(alike[stated & (years == y)] for y in (year, base))))
        amounts = some.numerator, some.denominator
    return less(
        (all_.key[mine], all_.numerator[mine], all_.denominator[mine]),
        (some.key[theirs], *(a[theirs] for a in amounts)),
    )


# The dimensions in which a contribution counts, by its breakdown.
_DIMENSIONS = {"": ("total", "district", "org_type", "level"), "total": ("total",)}
