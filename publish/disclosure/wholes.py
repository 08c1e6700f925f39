"""Holds the published figures against one another: what is a sum, a quotient or a difference of others must be so.

Belongs here: the arithmetic between the finished values, and where it must hold. Not here: what is part of what (the seeds
`seed_wholes` and `seed_indicators` say it), secrecy, or the reading of files (gate.py).

Every value is rounded half up to its indicator's decimals, so an equation holds within half a unit of the last digit of each
figure in it; no more is allowed. An equation is left out where one of its figures is suppressed, or shows another state than
the rest (held as last published, or corrected by the bureau), for then it need not hold; and where it holds only over the
same institutions (a ratio, a saving), unless `reporting` and `population` say that all of them are in each figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from publish.disclosure.history import is_frozen

Cell = tuple[str, int, str, str, str]  # indicator_id, year, dimension, member, factor_set


@dataclass(frozen=True)
class Definition:
    """How an indicator is made (seed_indicators). `times`: what the quotient or sum is multiplied by; `decimals`: of the
    published value; `change`: full, comparable, saved, or none."""

    decimals: int = 6
    numerator: str | None = None
    denominator: str | None = None
    times: Fraction = Fraction(1)
    change_of: str | None = None
    change: str | None = None
    adds_over_years: bool = False
    index: bool = False  # a year, a median: it is counted, and adds up to nothing

    @property
    def half(self) -> Fraction:
        """Half a unit of the last published digit: how far the exact value may be from the one shown."""
        return Fraction(1, 2 * 10**self.decimals)

    @property
    def is_sum(self) -> bool:
        return self.numerator is not None and self.denominator is None and not self.index


@dataclass(frozen=True)
class Wholes:
    """`indicators` by id; `sums`: the parts that add up to a whole; `within`: pairs (part, whole) of which the first is no
    more than the second."""

    indicators: Mapping[str, Definition] = field(default_factory=dict)
    sums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    within: tuple[tuple[str, str], ...] = ()

    @cached_property
    def sums_of(self) -> Mapping[str, list[str]]:
        """The indicators that show the sum of a measure."""
        found: dict[str, list[str]] = defaultdict(list)
        for name, about in sorted(self.indicators.items()):
            if about.is_sum and about.numerator:
                found[about.numerator].append(name)
        return found


def wholes_of(indicators: Iterable[Mapping[str, Any]], wholes: Iterable[tuple[str, str, str]]) -> Wholes:
    """Wholes from the rows of seed_indicators and of seed_wholes (whole, part, relation)."""
    about = {}
    for r in indicators:
        times = Fraction(Decimal(str(r["multiplier"])))
        # as in macros/rounding.sql: a multiplier below 1 is one over a whole number
        times = Fraction(1, round(1 / times)) if times < 1 else times
        about[r["indicator_id"]] = Definition(
            int(r["decimals"]),
            r["numerator"],
            r["denominator"],
            times,
            r["change_of"],
            r["change_kind"],
            bool(r["adds_over_years"]),
            r["kind"] == "index",
        )
    sums: dict[str, list[str]] = defaultdict(list)
    within = []
    for whole, part, relation in wholes:
        if relation == "sum":
            sums[whole].append(part)
        else:
            within.append((part, whole))
    return Wholes(about, {w: tuple(p) for w, p in sums.items()}, tuple(within))


@dataclass(frozen=True)
class Value:
    """A published value. `settled`: it is shown, and in the state of this release."""

    value: Fraction | None
    settled: bool
    reporting: int | None
    population: int | None

    @property
    def of_everybody(self) -> bool:
        """Whether all institutions that were expected are in it; so is a figure that names none."""
        return self.reporting is None or self.reporting == self.population


def shown_values(rows: Iterable[tuple[Any, ...]]) -> dict[Cell, Value]:
    """Values by address, from rows of indicator_values: the address, value, note, reporting, population."""
    return {
        (str(i), int(y), str(d), str(m), str(f)): Value(
            None if value is None else Fraction(Decimal(repr(value))), value is not None and not is_frozen(note), n, of
        )
        for i, y, d, m, f, value, note, n, of in rows
    }


@dataclass(frozen=True)
class WholesChecked:
    """What came of it: the equations that were looked at, and a cell and a sentence for each that does not hold."""

    looked_at: int
    broken: list[tuple[Cell, str]]


def hold(values: Mapping[Cell, Value], wholes: Wholes) -> WholesChecked:
    """Holds every value against those it must agree with."""
    looked_at, broken = 0, []
    for cell, wrong in _equations(values, wholes):
        looked_at += 1
        if wrong is not None:
            broken.append((cell, wrong))
    return WholesChecked(looked_at, broken)


def _equations(values: Mapping[Cell, Value], wholes: Wholes) -> Iterator[tuple[Cell, str | None]]:
    yield from _members(values, wholes)
    yield from _years(values, wholes)
    for cell, v in values.items():
        about = wholes.indicators.get(cell[0])
        if about is None or not v.settled or v.value is None:
            continue
        yield from _parts(cell, v.value, values, wholes)
        if about.is_sum:
            yield from _same(cell, v.value, values, wholes)
        # In a period an institution may have been left out of a ratio in some years: nothing can be said of those.
        if about.denominator is not None and not cell[2].startswith("period"):
            yield from _quotient(cell, v, values, wholes)
        elif about.change is not None:
            yield from _change(cell, v, values, wholes)


def _members(values: Mapping[Cell, Value], wholes: Wholes) -> Iterator[tuple[Cell, str | None]]:
    """The members of each dimension add up to the total."""
    groups: dict[tuple[Cell, str], list[Cell]] = defaultdict(list)
    for cell in values:
        indicator, year, dimension, member, factors = cell
        about = wholes.indicators.get(indicator)
        if about is None or not about.is_sum or dimension in ("total", "period"):
            continue
        whole = ("period", member.partition("/")[0]) if dimension.startswith("period/") else ("total", "all")
        total = (indicator, year, *whole, factors)
        if total in values:
            groups[total, dimension].append(cell)
    for (total, dimension), members in groups.items():
        wrong = _sum(values, total, members, [wholes.indicators[total[0]].half] * (len(members) + 1))
        if wrong is not False:
            yield total, wrong and f"{wrong} over {dimension}"


def _years(values: Mapping[Cell, Value], wholes: Wholes) -> Iterator[tuple[Cell, str | None]]:
    """A period is the sum of its years, where years add up."""
    for cell in values:
        indicator, _, dimension, member, factors = cell
        about = wholes.indicators.get(indicator)
        if about is None or not about.is_sum or not about.adds_over_years:
            continue
        over, _, group = dimension.partition("/")
        if over != "period":
            continue
        span, _, rest = member.partition("/")
        first, last = int(span[:4]), int(span[-4:])
        years = [(indicator, y, group or "total", rest or "all", factors) for y in range(first, last + 1)]
        there = [y for y in years if y in values]
        wrong = _sum(values, cell, there, [about.half] * (len(there) + 1))
        if wrong is not False:
            yield cell, wrong and f"{wrong} over its years"


def _parts(
    cell: Cell, value: Fraction, values: Mapping[Cell, Value], wholes: Wholes
) -> Iterator[tuple[Cell, str | None]]:
    """What the seed names as the parts of a whole, and what is no more than another."""
    indicator, *place = cell
    if indicator in wholes.sums:
        names = [indicator, *wholes.sums[indicator]]
        parts: list[Cell] = [(n, *place) for n in names[1:]]  # type: ignore[misc]
        there = [p for p in parts if p in values]
        wrong = _sum(values, cell, there, [wholes.indicators[n].half for n in names])
        if wrong is not False:
            yield cell, wrong and f"{wrong} of {' and '.join(names[1:])}"
    for part, whole in wholes.within:
        other = values.get((whole, *place)) if part == indicator else None  # type: ignore[arg-type]
        if other is not None and other.settled and other.value is not None:
            slack = wholes.indicators[part].half + wholes.indicators[whole].half
            yield cell, f"it is more than {whole}, of which it is a part" if value > other.value + slack else None


def _same(
    cell: Cell, value: Fraction, values: Mapping[Cell, Value], wholes: Wholes
) -> Iterator[tuple[Cell, str | None]]:
    """Two sums of one measure, in kilograms and in tonnes, are the same."""
    about = wholes.indicators[cell[0]]
    for name in wholes.sums_of.get(about.numerator or "", ()):
        other, of = values.get((name, *cell[1:])), wholes.indicators[name]
        if name > cell[0] and other is not None and other.settled and other.value is not None:
            inside = abs(value / about.times - other.value / of.times) <= about.half / about.times + of.half / of.times
            difference = f"it is {_number(value)}, but {name} is {_number(other.value)}"
            yield cell, None if inside else difference


def _sum(values: Mapping[Cell, Value], whole: Cell, parts: list[Cell], halves: list[Fraction]) -> str | bool | None:
    """None where the parts add up to the whole, a sentence where they do not, False where that is not to be said."""
    total = values[whole]
    if not parts or not total.settled or total.value is None:
        return False
    added = Fraction(0)
    for p in parts:
        v = values[p]
        if not v.settled or v.value is None:
            return False
        added += v.value
    if abs(added - total.value) <= sum(halves):
        return None
    return f"it is {_number(total.value)}, but its parts add up to {_number(added)}"


def _quotient(cell: Cell, v: Value, values: Mapping[Cell, Value], wholes: Wholes) -> Iterator[tuple[Cell, str | None]]:
    """A ratio is its numerator over its denominator, where all institutions are in all three."""
    about = wholes.indicators[cell[0]]
    top = _measure(about.numerator, cell, values, wholes)
    bottom = _measure(about.denominator, cell, values, wholes)
    if top is None or bottom is None or not (v.of_everybody and top[0].of_everybody and bottom[0].of_everybody):
        return
    if len({x.population for x in (v, top[0], bottom[0])}) > 1:
        return
    (n, n_half), (d, d_half) = ((_exact(x.value) / m.times, m.half / m.times) for x, m in (top, bottom))
    if d - d_half <= 0:
        return
    low, high = _quotients(n - n_half, n + n_half, d - d_half, d + d_half)
    assert v.value is not None
    inside = low * about.times - about.half <= v.value <= high * about.times + about.half
    difference = f"it is {_number(v.value)}, but its numerator over its denominator is {_number(n / d * about.times)}"
    yield cell, None if inside else difference


def _change(cell: Cell, v: Value, values: Mapping[Cell, Value], wholes: Wholes) -> Iterator[tuple[Cell, str | None]]:
    """A change over all institutions is the quotient of two published ratios; what was saved is the base year less the year,
    where the same institutions are in all three."""
    indicator, year, dimension, member, factors = cell
    about = wholes.indicators[indicator]
    base, _, rest = member.partition("/")
    group = dimension.partition("/")[2] or "total"
    inner = (group, rest or "all")
    of = about.change_of or ""
    now, then = (values.get((of, y, *inner, factors)) for y in (year, int(base)))
    if now is None or then is None or not (now.settled and then.settled) or v.value is None:
        return
    if now.value is None or then.value is None:
        return
    half = wholes.indicators[of].half
    if about.change == "full":
        if then.value - half <= 0:
            return
        low, high = _quotients(now.value - half, now.value + half, then.value - half, then.value + half)
        inside = (low - 1) * about.times - about.half <= v.value <= (high - 1) * about.times + about.half
        difference = (
            f"it is {_number(v.value)}, but the two years give {_number((now.value / then.value - 1) * about.times)}"
        )
        yield cell, None if inside else difference
    elif about.change == "saved" and now.of_everybody and then.of_everybody:
        if v.reporting is None or len({v.reporting, now.reporting, then.reporting}) > 1:
            return
        less = (then.value - now.value) * about.times
        inside = abs(v.value - less) <= 2 * half * about.times + about.half
        yield cell, None if inside else f"it is {_number(v.value)}, but the two years differ by {_number(less)}"


def _measure(
    measure: str | None, cell: Cell, values: Mapping[Cell, Value], wholes: Wholes
) -> tuple[Value, Definition] | None:
    """The value that shows the sum of a measure where `cell` is, under its factor set or under none."""
    _, year, dimension, member, factors = cell
    for name in wholes.sums_of.get(measure or "", ()):
        for f in (factors, "none"):
            found = values.get((name, year, dimension, member, f))
            if found is not None and found.settled and found.value is not None:
                return found, wholes.indicators[name]
    return None


def _quotients(low: Fraction, high: Fraction, below: Fraction, above: Fraction) -> tuple[Fraction, Fraction]:
    """The least and the most of a quotient whose numerator lies in low..high and whose denominator in below..above (> 0)."""
    ends = [n / d for n in (low, high) for d in (below, above)]
    return min(ends), max(ends)


def _exact(value: Fraction | None) -> Fraction:
    assert value is not None
    return value


def _number(x: Fraction) -> str:
    return f"{float(x):,.4f}".rstrip("0").rstrip(".")
