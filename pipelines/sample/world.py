"""The inputs and outputs of a generator of rows: the city, the contracts, random numbers, and drafts.

Belongs here: rows and drafts as right values in canonical units, chance that depends on names only, filling a column from
its contract. Not here: one dataset's sense (datasets.py), wrong values (plant.py), spelling (layout.py).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from expectations.contract import Column, Contract, Contracts
from pipelines.sample.city import Institution, invent

Value = str | int | float | bool | Decimal | dt.date | None


@dataclass(slots=True)
class Row:
    """One record as it ought to be read: column -> value in canonical units; a month is 'YYYY-MM'.

    `spare`: no total needs it, so it may be spoiled; `extra`: it is there only to be spoiled, else it is left out.
    `spelled`: cells that are written just so, whatever the value.
    `bad` and `warned`: (column, code) that a right reading reports, as error and as warning. `counts` is False where no
    record comes of the row: quarantined, refused, or replaced by a later file.
    """

    values: dict[str, Value]
    spare: bool = False
    extra: bool = False
    spelled: dict[str, str | float] = field(default_factory=dict)
    bad: tuple[str, str] | None = None
    warned: tuple[str, str] | None = None
    counts: bool = True


@dataclass(slots=True)
class Draft:
    """The rows of one sheet before they are laid out.

    `name` is the file's name without its ending. `submitter` is the unit the sheet names; `org` the only institution it
    is about. `sent` orders files: newer replaces older. `may_drop`: columns a department may leave out.
    """

    dataset: str
    year: int
    name: str
    rows: list[Row]
    submitter: str | None
    sent: dt.date
    org: str | None = None
    may_drop: frozenset[str] = frozenset()
    layout: str | None = None  # None: by chance
    wrong_total: bool = False
    unmapped: str | None = None  # header of a column no contract knows
    replaces: Draft | None = None
    may_spoil: bool = True
    omit: frozenset[str] = frozenset()  # columns left out although the contract wants them


class World:
    """One made-up city. The same arguments give the same world, and one dataset's values do not hang on another's."""

    def __init__(self, contracts: Contracts, shape: dict[str, Any], seed: int, orgs: int, years: tuple[int, ...]):
        self.contracts, self.shape, self.seed, self.years = contracts, shape, seed, years
        self.orgs: list[Institution] = invent(shape, orgs, years, self.chance("orgs"))
        self.canaries: dict[str, str] = {}  # value that must never come out -> dataset.column
        self.refused: list[str] = []  # names of classified institutions

    def chance(self, *key: object) -> random.Random:
        """A source of chance that depends on the seed and the key alone."""
        return random.Random(":".join(map(str, (self.seed, *key))))

    def bureau(self, place: str | None = None) -> str:
        """The unit that collects for a place, by default for the city itself."""
        return (place or self.shape["city"]["place"]) + self.shape["bureau"]

    def members(self, year: int, level: str | None = None) -> list[Institution]:
        """The institutions in the register in a year."""
        return [o for o in self.orgs if year in o.names and level in (None, o.level)]

    def own(self, year: int, n: int) -> list[Institution]:
        """`n` institutions of a year of the city's own level (fewer where there are not so many): what a city states of its own
        bodies (市直) is counted over these alone."""
        return self.members(year, next(iter(self.shape["levels"])))[:n]

    def in_scope(self, org: Institution) -> bool:
        """Whether an institution is on the list of organs that are to be certified: the first kind, up to a number."""
        return org.number in self._scope

    @cached_property
    def _scope(self) -> set[int]:
        organ = next(iter(self.shape["kinds"]))
        return set(
            [o.number for o in self.orgs if o.kind == organ and self.years[-1] in o.names][
                : self.shape["recognitions"]["organs"]["of"]
            ]
        )

    def values(self, dataset: str, column: str) -> tuple[str, ...]:
        """The closed list of a column."""
        return self.contracts[dataset].column(column).values

    def fill(self, dataset: str, year: int, number: int, r: random.Random, given: dict[str, Value]) -> dict[str, Value]:
        """A whole record: what is given, and for every other column of the contract a plausible value or None.

        `number` tells records of a dataset apart: it goes into texts, identifiers and planted secrets.
        """
        out: dict[str, Value] = {}
        for c in self.contracts[dataset].columns:
            if c.name in given:
                out[c.name] = given[c.name]
            elif c.access in ("L2", "L3") and c.kind == "string":
                out[c.name] = self.secret(dataset, c.name, year, number)
            elif not c.required and r.random() < 0.12:
                out[c.name] = None
            else:
                out[c.name] = _plausible(c, self.contracts[dataset], year, number, r)
        return out

    @cached_property
    def _places(self) -> dict[tuple[str, str], str]:
        """Two digits for each dataset and two for each of its columns: secrets of different columns never agree."""
        return {
            (d, c.name): f"{i:02d}{j:02d}"
            for i, (d, contract) in enumerate(self.contracts.items())
            for j, c in enumerate(contract.columns)
        }

    def secret(self, dataset: str, column: str, year: int, number: int) -> str:
        """A text that nobody may ever see outside; remembered in `canaries`. It is the same for the same arguments."""
        value = f"密XN{self._places[dataset, column]}{year % 100:02d}{number:05d}"
        self.canaries[value] = f"{dataset}.{column}"
        return value


def _plausible(c: Column, contract: Contract, year: int, number: int, r: random.Random) -> Value:
    if c.values and not c.subset:
        return r.choice(c.values)
    if c.subset:
        some = [v for v in c.values if r.random() < 0.6] or [c.values[0]]
        return " ".join(some)
    match c.kind:
        case "boolean":
            return r.random() < 0.7
        case "year":
            return year
        case "month":
            return f"{year}-{number % 12 + 1:02d}"
        case "date":
            return day(r, year)
        case "integer" | "decimal":
            low = float(c.minimum if c.minimum is not None else 0)
            high = float(c.maximum) if c.maximum is not None else low + 500
            n = max(1, round(r.uniform(low, min(high, low + 500))))
            return n if c.kind == "integer" else Decimal(n)
        case _:
            return (
                f"{contract.dataset[:3].upper()}-{year}-{number:04d}"
                if c.name in contract.key
                else f"{c.header_zh}{number}"
            )


def day(r: random.Random, year: int, first: int = 1, last: int = 12) -> dt.date:
    """Any day of a year between two months."""
    return dt.date(year, r.randint(first, last), r.randint(1, 28))


def later(r: random.Random, on: dt.date, least: int, most: int) -> dt.date:
    """A day some days after another."""
    return on + dt.timedelta(days=r.randint(least, most))


def parts(r: random.Random, total: int, n: int, step: int = 1, weights: Sequence[float] | None = None) -> list[int]:
    """`n` positive multiples of `step` that add up to `total`, of unequal size, or in proportion to `weights`.

    ValueError where the total is too small or no multiple of the step.
    """
    units = total // step
    if n < 1 or units < n or units * step != total:
        raise ValueError(f"{total} cannot be cut into {n} parts in steps of {step}.")
    weights = weights or [r.uniform(0.5, 1.5) for _ in range(n)]
    out = [max(1, int(units * w / sum(weights))) for w in weights]
    i = 0
    while (rest := units - sum(out)) != 0:
        out[i % n] += 1 if rest > 0 else -1 if out[i % n] > 1 else 0
        i += 1
    return [x * step for x in out]


def cents(x: float) -> Decimal:
    """Rounded to two decimals."""
    return Decimal(str(round(x, 2)))
