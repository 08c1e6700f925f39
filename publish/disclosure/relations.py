"""What a reader can compute from published indicator values: the linear relations between cells of `indicator_values`.

Belongs here: finding the relations. Not here: deciding what to hide (suppress.py) or trying to find it again (audit.py).

A cell is one row of `indicator_values`. Each relation is a homogeneous linear equation over deviations of the cells' values:
if all cells but one are known, so is the last. Four kinds are found:

- `sum`: the total of an indicator in a year is the sum of the members of each dimension (flows and stocks);
- `mean`: for a ratio whose numerator is not published in that dimension, the total is a weighted mean of the members;
- `time`: a period such as 2021-2025 is the sum of its years, and a change against a base year is made of two years;
- `copy`: the same quantity in another unit, under another factor set, or divided by a known denominator. Two cells with
  the same number of contributors and the same largest share are proportional to each other: that is how a copy is known,
  with no list of indicators to keep.

Denominators (people, floor area) count as known to the attacker, who then needs only the ratio: the strict assumption.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

Kind = Literal["sum", "mean", "time", "copy"]
ADDITIVE = ("flow", "stock")
OVER_TIME = ("period", "base")  # dimensions that set years against one another and so are no partition of a year
SHARE_TOLERANCE = 5e-7


@dataclass(frozen=True)
class Relation:
    """sum(coefficient * deviation) = 0 over `cells` (positions in the frame). In a `sum` the first cell is the total."""

    kind: Kind
    cells: tuple[int, ...]
    coefficients: tuple[float, ...]


def find_relations(cells: pd.DataFrame, kinds: dict[str, str]) -> list[Relation]:
    """All relations among the cells that have a value.

    `cells`: indicator_id, year, dimension, member, value, factor_set, contributors, largest_share, with index 0..n-1.
    `kinds`: indicator_id -> flow, stock, ratio or index; one that is not named is taken for a flow, the strict case.
    """
    table = _Cells(cells, kinds)
    copies = table.copies()
    tied = {c for r in copies for c in r.cells}
    return [*table.sums(tied), *table.over_time(), *copies]


class _Cells:
    def __init__(self, cells: pd.DataFrame, kinds: dict[str, str]):
        self.kinds = kinds
        self.value = cells["value"].to_numpy(dtype=float, na_value=np.nan)
        self.contributors = cells["contributors"].to_numpy(dtype=float, na_value=np.nan)
        self.share = cells["largest_share"].to_numpy(dtype=float, na_value=np.nan)
        columns = ("indicator_id", "year", "dimension", "member", "factor_set")
        self.key = list(zip(*(cells[c].tolist() for c in columns), strict=True))
        self.known = [i for i in range(len(cells)) if not np.isnan(self.value[i])]
        self.totals: dict[tuple[object, ...], int] = {}
        for i in self.known:
            indicator, year, dimension, _, factors = self.key[i]
            if dimension == "total":
                self.totals[indicator, year, factors] = i

    def additive(self, indicator: str) -> bool:
        return self.kinds.get(indicator, "flow") in ADDITIVE

    def sums(self, tied: set[int]) -> list[Relation]:
        groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for i in self.known:
            indicator, year, dimension, _, factors = self.key[i]
            if dimension != "total" and dimension not in OVER_TIME:
                groups[indicator, year, dimension, factors].append(i)
        out = []
        for (indicator, year, _, factors), members in groups.items():
            total = self.totals.get((indicator, year, factors))
            if total is None:
                continue
            if self.additive(str(indicator)):
                out.append(Relation("sum", (total, *members), (1.0, *(-1.0 for _ in members))))
            elif not tied.issuperset(members):
                # The true weights are the denominators; contributors stand in for them where those are not known here.
                weights = np.nan_to_num(self.contributors[members])
                if weights.sum() > 0:
                    weights = weights / weights.sum()
                    out.append(Relation("mean", (total, *members), (1.0, *(-float(w) for w in weights))))
        return out

    def over_time(self) -> list[Relation]:
        out = []
        for i in self.known:
            indicator, year, dimension, member, factors = self.key[i]
            if dimension == "period" and self.additive(indicator):
                span = re.fullmatch(r"(\d{4})\D+(\d{4})", str(member))
                if span and self.kinds.get(indicator, "flow") == "flow":
                    years = range(int(span[1]), int(span[2]) + 1)
                    found = [t for y in years if (t := self.totals.get((indicator, y, factors))) is not None]
                    if found:
                        out.append(Relation("time", (i, *found), (1.0, *(-1.0 for _ in found))))
            elif dimension == "base" and str(member).isdigit():
                now = self.totals.get((indicator, year, factors))
                then = self.totals.get((indicator, int(member), factors))
                if now is None or then is None or self.value[then] == 0:
                    continue
                a, b = self.value[then], self.value[now]
                # A change is now/then - 1 (in any scale) or now - then; of first order, both are this.
                scale = self.value[i] / (b / a - 1) if b != a else 1.0
                out.append(Relation("time", (i, now, then), (1.0, -scale / a, scale * b / a**2)))
        return out

    def copies(self) -> list[Relation]:
        out = []
        same_cell: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for i in self.known:
            _, year, dimension, member, _ = self.key[i]
            if dimension in OVER_TIME or not self.contributors[i] >= 2 or self.value[i] == 0:
                continue
            same_cell[year, dimension, member if dimension != "total" else ""].append(i)
        for found in same_cell.values():
            for n, i in enumerate(found):
                # One link to an earlier cell is enough: links chain.
                twin = next((j for j in found[:n] if self.alike(i, j)), None)
                if twin is not None:
                    out.append(self.tie(i, twin))
        # A member of one indicator may be the total of another: electricity in kgce, electricity in kWh.
        by_year: dict[object, list[int]] = defaultdict(list)
        for i in self.known:
            if self.key[i][2] == "total":
                by_year[self.key[i][1]].append(i)
        for (year, dimension, _), found in same_cell.items():
            if dimension == "total":
                continue
            for i in found:
                for j in by_year[year]:
                    if self.key[i][0] != self.key[j][0] and self.alike(i, j):
                        out.append(self.tie(i, j))
                        break
        return out

    def alike(self, i: int, j: int) -> bool:
        return (
            (self.key[i][0], self.key[i][4]) != (self.key[j][0], self.key[j][4])
            and self.contributors[i] == self.contributors[j]
            and abs(self.share[i] - self.share[j]) <= SHARE_TOLERANCE
            and self.value[i] != 0
            and self.value[j] != 0
        )

    def tie(self, i: int, j: int) -> Relation:
        return Relation("copy", (i, j), (1.0, -self.value[i] / self.value[j]))
