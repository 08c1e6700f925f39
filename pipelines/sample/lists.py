"""Lists that one bureau sends once a year: the shape most datasets have.

Belongs here: gathering rows by year and adding the extra ones that are there to be spoiled. Not here: what a row says.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Iterator

from pipelines.sample.world import Draft, Row, Value, World


class Lists:
    """The yearly lists of one dataset, in the making."""

    def __init__(self, w: World, dataset: str, may_drop: Iterable[str] = (), month: int = 12):
        self.w, self.dataset = w, dataset
        self.contract = w.contracts[dataset]
        self.r: random.Random = w.chance(dataset)
        self.number = 0
        self.drafts = {
            y: Draft(
                dataset,
                y,
                f"{y}年{self.contract.title_zh}",
                [],
                w.bureau(),
                dt.date(y, month, 20),
                may_drop=frozenset(may_drop),
            )
            for y in w.years
        }

    def add(self, year: int, given: dict[str, Value], spare: bool = False, extra: bool = False) -> Row:
        """Adds a record to a year's list; columns that are not given are filled from the contract."""
        self.number += 1
        row = Row(self.w.fill(self.dataset, year, self.number, self.r, given), spare=spare, extra=extra)
        self.drafts[year].rows.append(row)
        return row

    def year(self, i: int, n: int) -> int:
        """The year of the i-th of n things spread evenly over the years."""
        return self.w.years[i * len(self.w.years) // n]

    def done(self, extras: int = 0, fresh: Callable[[int, int], dict[str, Value]] | None = None) -> Iterator[Draft]:
        """The lists that have rows. `extras` rows a list are added to be spoiled: copies under a key of their own.

        `fresh` gives what makes the n-th copy of a year another record; without it the identifier is left to chance.
        """
        for year, draft in self.drafts.items():
            if not draft.rows:
                continue
            sound = [x for x in draft.rows if x.warned is None]
            for n in range(extras if sound else 0):
                model = self.r.choice(sound).values
                # Secrets and the key are made anew; everything else is as in the row it copies.
                again = {
                    c.name: model[c.name]
                    for c in self.contract.columns
                    if c.access not in ("L2", "L3") and (fresh is not None or c.name not in self.contract.key)
                }
                self.add(year, again | (fresh(year, n) if fresh else {}), extra=True)
            yield draft
