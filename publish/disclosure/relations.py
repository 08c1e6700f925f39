"""The linear relations between cells of `indicator_values`, which a reader can compute with.

Belongs here: finding the relations. Not here: deciding what to hide (suppress.py) or trying to find it again (audit.py).

A cell is one row of `indicator_values`. Each relation is a homogeneous linear equation over deviations of the cells' values:
if all cells but one are known, so is the last. Five kinds are found:

- `sum`: the total of an indicator is the sum of the members of each dimension (flows and stocks);
- `mean`: for a ratio whose numerator is not published in that dimension, the total is a weighted mean of the members;
- `time`: a period such as 2021-2025 is the sum of its years, and a change against a base year is made of two years;
- `ratio`: a ratio, its numerator and its denominator, of first order. Where the denominator is not published it counts as
  known to the attacker, who may have it from elsewhere: the strict assumption;
- `copy`: the same sum in another unit. Indicators of one numerator are copies; so are two cells with the same number of
  contributors and the same largest share, for such cells are proportional to each other (electricity in kWh, and the carrier
  electricity in kgce, by a factor that is public).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

Kind = Literal["sum", "mean", "time", "ratio", "copy"]
ADDITIVE = ("flow", "stock")
SHARE_TOLERANCE = 5e-7  # shares have six decimals


@dataclass(frozen=True)
class Indicator:
    """What an indicator is made of: the measure that is summed, the one it is divided by, the indicator it is a change of;
    `compares`: that of which it is a change over those institutions alone that are there in both years."""

    kind: str = "flow"  # flow, stock, ratio, index
    numerator: str | None = None
    denominator: str | None = None
    change_of: str | None = None
    compares: str | None = None

    @property
    def additive(self) -> bool:
        return self.kind in ADDITIVE and self.denominator is None and not (self.change_of or self.compares)


@dataclass(frozen=True)
class Relation:
    """sum(coefficient * deviation) = 0 over `cells` (positions in the frame). In a `sum` the first cell is the total."""

    kind: Kind
    cells: tuple[int, ...]
    coefficients: tuple[float, ...]


@dataclass(frozen=True)
class CubeCell:
    """The position of a cell of the published cube: `over` is '' for a year, 'period' or 'base' for years set against one another; `first` is the
    first of those years, `year` the last. `group` is the dimension without that, `member` its member."""

    over: str
    first: int
    year: int
    group: str
    member: str


def cube_cell(year: int, dimension: str, member: str) -> CubeCell:
    """Reads dimension and member: `total`/`all`, `district`/`990102`, `period`/`2021-2025`, `period/district`/
    `2021-2025/990102`, `base`/`2021`, `base/district`/`2021/990102`."""
    over, _, group = dimension.partition("/")
    if over not in ("period", "base"):
        return CubeCell("", year, year, dimension, "" if dimension == "total" else member)
    span, _, rest = member.partition("/")
    return CubeCell(over, int(span[:4]), year, group or "total", rest)


def find_relations(cells: pd.DataFrame, indicators: dict[str, Indicator]) -> list[Relation]:
    """All relations among the cells that have a value.

    `cells`: indicator_id, year, dimension, member, value, factor_set, contributors, largest_share, with index 0..n-1. An
    indicator that is not in `indicators` is taken for a flow, the strict case.
    """
    table = _Cells(cells, indicators)
    return [*table.ratios(), *table.sums(), *table.over_time(), *table.copies()]


class _Cells:
    def __init__(self, cells: pd.DataFrame, indicators: dict[str, Indicator]):
        self.about = {str(i): indicators.get(i, Indicator()) for i in cells["indicator_id"].unique()}
        self.value = cells["value"].to_numpy(dtype=float, na_value=np.nan)
        self.contributors = cells["contributors"].to_numpy(dtype=float, na_value=np.nan)
        self.share = cells["largest_share"].to_numpy(dtype=float, na_value=np.nan)
        self.indicator = [str(i) for i in cells["indicator_id"]]
        self.factors = [str(f) for f in cells["factor_set"]]
        triples = zip(cells["year"], cells["dimension"], cells["member"], strict=True)
        self.place = [cube_cell(int(y), d, m) for y, d, m in triples]
        self.known = [i for i in range(len(cells)) if not math.isnan(self.value[i])]
        self.at = {(self.indicator[i], self.factors[i], self.place[i]): i for i in self.known}
        self.sums_of: dict[str, list[str]] = defaultdict(list)
        for name, about in sorted(self.about.items()):
            if about.additive and about.numerator:
                self.sums_of[about.numerator].append(name)
        self.with_numerator: set[int] = set()

    def of_measure(self, measure: str | None, i: int) -> int | None:
        """The cell that shows the sum of a measure at the place of cell i, under its factor set or under none."""
        for name in self.sums_of.get(measure or "", ()):
            for factors in (self.factors[i], "none"):
                found = self.at.get((name, factors, self.place[i]))
                if found is not None:
                    return found
        return None

    def ratios(self) -> Iterator[Relation]:
        for i in self.known:
            about = self.about[self.indicator[i]]
            if about.denominator is None:
                continue
            top, bottom = self.of_measure(about.numerator, i), self.of_measure(about.denominator, i)
            parts = [(i, -1.0), (top, 1.0), (bottom, -1.0)]
            used = [(c, k / self.value[c]) for c, k in parts if c is not None and self.value[c] != 0]
            if top is not None:
                self.with_numerator.add(i)
                if len(used) > 1:
                    yield Relation("ratio", tuple(c for c, _ in used), tuple(k for _, k in used))

    def sums(self) -> Iterator[Relation]:
        groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for i in self.known:
            p = self.place[i]
            if p.group != "total" and p.over != "base":
                groups[self.indicator[i], self.factors[i], p.over, p.first, p.year, p.group].append(i)
        for (indicator, factors, over, first, year, _), members in groups.items():
            total = self.at.get((indicator, factors, CubeCell(over, first, year, "total", "")))  # type: ignore[arg-type]
            if total is None:
                continue
            if self.about[str(indicator)].additive:
                yield Relation("sum", (total, *members), (1.0, *(-1.0 for _ in members)))
            elif not self.with_numerator.issuperset(members):
                # The true weights are the denominators; contributors stand in for them where those are not known here.
                weights = np.nan_to_num(self.contributors[members])
                if weights.sum() > 0:
                    weights = weights / weights.sum()
                    yield Relation("mean", (total, *members), (1.0, *(-float(w) for w in weights)))

    def over_time(self) -> Iterator[Relation]:
        for i in self.known:
            p, name = self.place[i], self.indicator[i]
            about = self.about[name]
            if p.over == "period" and about.additive:
                years = range(p.first, p.year + 1)
                found = [self.at.get((name, self.factors[i], CubeCell("", y, y, p.group, p.member))) for y in years]
                parts = [c for c in found if c is not None]
                if parts:
                    yield Relation("time", (i, *parts), (1.0, *(-1.0 for _ in parts)))
            elif p.over == "base":
                of = about.change_of or name
                now = self.at.get((of, self.factors[i], CubeCell("", p.year, p.year, p.group, p.member)))
                then = self.at.get((of, self.factors[i], CubeCell("", p.first, p.first, p.group, p.member)))
                if now is None or then is None or self.value[then] == 0 or self.value[now] == 0:
                    continue
                a, b = self.value[then], self.value[now]
                # change = scale * (b / a - 1); of first order its deviation is scale * b / a * (db / b - da / a).
                scale = self.value[i] / (b / a - 1) if b != a else 1.0
                yield Relation("time", (i, now, then), (1.0, -scale / a, scale * b / a**2))

    def copies(self) -> Iterator[Relation]:
        same: dict[tuple[object, ...], list[int]] = defaultdict(list)
        alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for i in self.known:
            about = self.about[self.indicator[i]]
            if not about.additive or self.value[i] == 0:
                continue
            if about.numerator:
                same[about.numerator, self.factors[i], self.place[i]].append(i)
            if self.contributors[i] >= 2 and not math.isnan(self.share[i]):
                p = self.place[i]
                alike[p.over, p.first, p.year, self.contributors[i]].append(i)
        for found in same.values():
            # Links to the first are enough: they chain.
            yield from (self.tie(found[0], j) for j in found[1:])
        for found in alike.values():
            found.sort(key=lambda i: (self.share[i], i))
            for i, j in pairwise(found):
                one = (self.indicator[i], self.factors[i]) == (self.indicator[j], self.factors[j])
                if not one and abs(self.share[i] - self.share[j]) <= SHARE_TOLERANCE and self.one_place(i, j):
                    yield self.tie(i, j)

    def one_place(self, i: int, j: int) -> bool:
        """Copies are at one place, or one of them is the total of an indicator that is a member of the other."""
        a, b = self.place[i], self.place[j]
        return (a.group, a.member) == (b.group, b.member) or "total" in (a.group, b.group)

    def tie(self, i: int, j: int) -> Relation:
        return Relation("copy", (i, j), (1.0, -self.value[i] / self.value[j]))
