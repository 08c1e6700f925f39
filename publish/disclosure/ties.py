"""Sums that nearly agree: whom a ratio, or a comparison over the same institutions, leaves out of the sums beside it.

Belongs here: finding such pairs of cells and counting the institutions between them. Not here: hiding one of them
(suppress.py) or refusing them (gate.py).

A ratio counts only institutions that have both its quantities. With its numerator and its denominator beside it, a reader gets
what those left out have together; and so from a comparison over the institutions of both years beside the figures of all.
What is left out is then a published sum, and must pass the rules for sums.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines.core.duck import scratch
from publish.disclosure.history import PARTS, TEXTS, Parts, moved, places_of
from publish.disclosure.relations import Indicator, place
from publish.disclosure.suppress import KEY, Rules

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
        """Whether what is left out would tell about single institutions."""
        return self.left_out > 0 and rules.unsafe(self.left_out, self.share, 1.0)


def ties(
    cells: pd.DataFrame, indicators: dict[str, Indicator], parts: Parts | None, stands: np.ndarray | None = None
) -> list[Tie]:
    """Every pair of a tie and a whole in `cells` (marts.indicator_values, index 0..n-1).

    `parts` is what each institution contributes (history.PARTS). Without it the numbers of institutions behind both cells
    are all there is, and nothing is known of the largest; so it is with cells that stand as last published (`stands`, by
    position), of which it does not tell.
    """
    at: dict[Key, int] = {
        k: n for n, k in enumerate(cells[KEY].astype({"year": "int64"}).itertuples(index=False, name=None))
    }
    people = np.nan_to_num(cells["contributors"].to_numpy(dtype=float, na_value=np.nan))
    sums: dict[str, list[str]] = defaultdict(list)
    for name, about in indicators.items():
        if about.additive and about.numerator:
            sums[about.numerator].append(name)
    # (tie, whole, the indicator whose institutions the tie counts, which side of it the whole sums; its base year)
    pairs: list[tuple[int, int, str, str, int]] = []
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
        p = place(year, dimension, member)
        if p.over == "base" and about.compares is not None:
            inner = ("total", "all") if p.group == "total" else (p.group, p.member)
            found = [at[k] for y in (p.year, p.first) if (k := (about.compares, y, *inner, factors)) in at]
            pairs += [(n, w, about.compares, "both", p.first) for w in found]
    counted = [max(people[w] - people[n], 0.0) for n, w, *_ in pairs]
    if parts is None or not pairs:
        return [Tie(n, w, c, 0.0) for (n, w, *_), c in zip(pairs, counted, strict=True)]
    count, share = _between(cells, parts, pairs)
    if stands is not None:
        older = np.array([stands[n] or stands[w] for n, w, *_ in pairs], dtype=bool)
        count, share = np.where(older, counted, count), np.where(older, 0.0, share)
    # A comparison counts whom it leaves out by where they are in the later year; the larger count of the two is no safer.
    return [
        Tie(n, w, c if 0 < c < known or known == 0 else known, s)
        for (n, w, *_), c, known, s in zip(pairs, counted, count, share, strict=True)
    ]


def _between(
    cells: pd.DataFrame, parts: Parts, pairs: list[tuple[int, int, str, str, int]]
) -> tuple[np.ndarray, np.ndarray]:
    """How many institutions stand between tie and whole of each pair, and the share of the largest: as a movement from what
    the one counts to what the other counts."""
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    columns = {c: cells[c].tolist() for c in ("indicator_id", "factor_set", "year")}
    for i, (n, w, of, side, base) in enumerate(pairs):
        kinds = (of, columns["factor_set"][n], columns["indicator_id"][w], columns["factor_set"][w])
        groups[(*kinds, side, int(columns["year"][n]) if base else 0, base)].append(i)
    count, share = np.zeros(len(pairs)), np.zeros(len(pairs))
    with scratch() as con:
        con.register("given", con.read_parquet(str(parts)) if isinstance(parts, Path) else parts)
        have = [c[0] for c in con.execute("describe given").fetchall()]
        compared = "comparable_as" if "comparable_as" in have else "'' as comparable_as"
        # Of a million and a half rows most is the same few words: by number they are small, and compared at once.
        for c in TEXTS:
            con.execute(
                f"create type {c}s as enum (select cast({c} as varchar) from given where {c} is not null union select '')"
            )
        kept = ", ".join(f"cast({c} as {c}s) as {c}" if c in TEXTS else c for c in PARTS)
        con.execute(f"create table parts as select {kept}, {compared} from given")
        sizes = {
            (i, f): n
            for i, f, n in con.execute("select indicator_id, factor_set, count(*) from parts group by all").fetchall()
        }
        for batch in _batches(groups, sizes):
            con.register("pairs_of", pd.DataFrame(batch, columns=["number", *_KINDS]))
            for relation, query in _COUNTED.items():
                con.execute(f"create or replace temp table {relation} as {query}")
            these = [i for of in batch for i in groups[of[1:]]]
            wholes = cells.iloc[[pairs[i][1] for i in these]].assign(
                indicator_id=[of[0] for of in batch for _ in groups[of[1:]]], factor_set="none"
            )
            count[these], share[these] = moved(con, places_of(wholes, {}), len(these))
            con.unregister("pairs_of")
    return count, share


_KINDS = ("of_indicator", "of_factors", "whole", "whole_factors", "side", "year_of", "base")
_AT_ONCE = (
    2_000_000  # rows of parts: all pairs of a large city at once would be as many times its parts as there are ratios
)


def _batches(
    groups: dict[tuple[Any, ...], list[int]], sizes: dict[tuple[str, str], int]
) -> Iterator[list[tuple[Any, ...]]]:
    """The groups, each with its number as text before it, in batches of at most so many rows of parts, or of one group."""
    batch: list[tuple[Any, ...]] = []
    rows = 0
    for number, of in enumerate(groups):
        mine = sizes.get((of[0], of[1]), 0) + sizes.get((of[2], of[3]), 0)
        if batch and rows + mine > _AT_ONCE:
            yield batch
            batch, rows = [], 0
        batch.append((str(number), *of))
        rows += mine
    if batch:
        yield batch


_SAME = "'none' as factor_set, parts.year, org, breakdown, breakdown_member, district, org_type, admin_level"
_BOTH = "select distinct number, org, breakdown, breakdown_member, comparable_as from counted where comparable_as is not null"
# In the columns that `moved` compares, under the number of the pair's group: `now` is what the whole sums; `earlier` what a ratio
# counts of its numerator or denominator, and what a comparison counts: of the institutions that stated the quantity alike in both
# years.
_COUNTED = {
    "now": f"""select number as indicator_id, {_SAME}, numerator, denominator from parts join pairs_of
        on cast(parts.indicator_id as varchar) = whole and cast(parts.factor_set as varchar) = whole_factors""",
    "counted": f"""select number, side, year_of, base, {_SAME}, numerator, denominator, comparable_as from parts join pairs_of
        on cast(parts.indicator_id as varchar) = of_indicator and cast(parts.factor_set as varchar) = of_factors""",
    "earlier": f"""
        with both_years as ({_BOTH} and side = 'both' and year = year_of intersect {_BOTH} and side = 'both' and year = base)
        select number as indicator_id, {", ".join(PARTS[1:-2])},
            case side when 'denominator' then denominator else numerator end as numerator,
            case side when 'both' then denominator end as denominator
        from counted where side <> 'both' or exists (
            select 1 from both_years where both_years.number = counted.number and both_years.org is not distinct from counted.org
                and both_years.breakdown is not distinct from counted.breakdown
                and both_years.breakdown_member is not distinct from counted.breakdown_member
                and both_years.comparable_as = counted.comparable_as)""",
}
