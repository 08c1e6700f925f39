"""Classes of institutions by the quantities that they contribute to, and quantities that are multiples or sums of others.

Belongs here: all that membership.py reads of contributions. It follows from those alone, whatever is published. Not here: the
equations that published figures give.

Institutions that contribute to the same figures in the same way are a class: no figure distinguishes them, and only their sum
can follow. A quantity is a measure under a factor set, of a member of a breakdown or of all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from publish.disclosure.contributions import PLACE, Contributions, IndicatorRows, Kind, Parts, StateWords
from publish.disclosure.kept import ResultCache
from publish.disclosure.relations import Indicator

SKETCHES = 3  # random sums over institutions: equal ones mean equal quantities
ALIKE = 1e-6  # relative; amounts have six decimals
SIDES = ("numerator", "denominator")
Yearly = tuple[int, int]  # a quantity in a year


@dataclass(frozen=True)
class ClassContributions:
    """Contributions of classes of institutions to the figures of several states.

    `representative`: the indicator whose contributions represent each (indicator, factor set) of the same sum. `same`: the quantity of which each is a multiple, and how many times; `sums`: those that are
    the sum of others. `groups`: for each group of quantities that are tied to one another what each class contributes.

    A row of a group: the contributions of one `class` to one `quantity` through one side of an indicator in one place: how many
    institutions (`size`), their sum (`value`), the `largest` and the `least`. `version` is the first state that has the same
    values.
    """

    representative: dict[Kind, str]
    same: dict[Yearly, tuple[Yearly, float]]
    sums: list[tuple[Yearly, list[Yearly]]]
    groups: list[pd.DataFrame]

    def plain(self) -> dict[str, Any]:
        """All of it in lists, for JSON."""
        return {
            "representative": [[*kind, name] for kind, name in self.representative.items()],
            "same": [[*q, *other, times] for q, (other, times) in self.same.items()],
            "sums": self.sums,
            "groups": [{c: of[c].tolist() for c in of} for of in self.groups],
        }

    @classmethod
    def of(cls, plain: dict[str, Any]) -> ClassContributions:
        """The same again from what `plain` gave."""
        return cls(
            {(i, f): name for i, f, name in plain["representative"]},
            {(q, y): ((other, of), times) for q, y, other, of, times in plain["same"]},
            [((q, y), [(m, of) for m, of in members]) for (q, y), members in plain["sums"]],
            [pd.DataFrame(of) for of in plain["groups"]],
        )


def class_contributions(states: list[Parts], indicators: dict[str, Indicator], kept: ResultCache) -> ClassContributions:
    """Contributions by class, from those of institutions in each state, the oldest first."""
    return ClassContributions.of(
        kept.of("classes", (states, indicators), lambda: _class_contributions(states, indicators).plain())
    )


def _class_contributions(states: list[Parts], indicators: dict[str, Indicator]) -> ClassContributions:
    words = StateWords()
    counted = _Counted([Contributions(parts, words) for parts in states], indicators)
    table = counted.sketches()
    same, sums = identities(table)
    return ClassContributions(
        counted.representative, same, sums, [counted.classes(group) for group in _groups(table, same, sums)]
    )


class _Counted:
    """The contributions of all states by quantity."""

    def __init__(self, states: list[Contributions], indicators: dict[str, Indicator]):
        self.states, self.words = states, states[0].words
        self.kinds = sorted({kind for c in states for kind in c.kinds})
        self.quantities: dict[tuple[str, ...], int] = {}
        self.representative: dict[Kind, str] = {}
        # for each indicator, factor set and side, the quantity by breakdown and member
        self.mapped: dict[tuple[Kind, str], dict[tuple[str, str], int]] = defaultdict(dict)
        self._of_spots: dict[int, np.ndarray] = {}
        self._map(indicators)

    def _map(self, indicators: dict[str, Indicator]) -> None:
        members, of_whole = self._members()
        found = sorted((*kind, *member) for kind, of in members.items() for member in of)
        summed = {i: a.numerator or i for i, a in indicators.items() if a.additive}
        measured = {(summed[i], f) for i, f, *_ in found if i in summed}
        representative: dict[Any, str] = {}
        for i, f, b, m in found:
            about = indicators.get(i, Indicator())
            alias = representative.setdefault((about.numerator or i, f) if i in summed else (i, f, "ratio"), i)
            if i in summed:
                self.representative[i, f] = alias
            if alias != i:
                continue
            for side, measure in (("numerator", about.numerator or i), ("denominator", about.denominator)):
                if measure is None:
                    continue
                factors = f if (measure, f) in measured or (measure, "none") not in measured else "none"
                whole = b == "total" or (side == "denominator" and (i, f, b) in of_whole)
                quantity = (measure, factors, *(("", "") if whole else (b, m)))
                self.mapped[(i, f), side][b, m] = self.quantities.setdefault(quantity, len(self.quantities))

    def _members(self) -> tuple[dict[Kind, set[tuple[str, str]]], set[tuple[str, str, str]]]:
        """The breakdowns and members of each kind, and the kinds and breakdowns whose denominator is that of the whole: a ratio
        that is broken down is held against the same part of the denominator, or else against the whole."""
        members: dict[Kind, set[tuple[str, str]]] = defaultdict(set)
        alike: dict[tuple[str, str, str], bool] = {}
        for kind in self.kinds:
            for c in self.states:
                rows = c.rows(kind)
                spots = self._spots
                members[kind] |= {spots[n][1:3] for n in pd.unique(rows.spot).tolist()}
                for breakdown, same in self._denominators(rows):
                    alike[*kind, breakdown] = alike.get((*kind, breakdown), True) and same
        return members, {k for k, same in alike.items() if same}

    @property
    def _spots(self) -> list[tuple[Any, ...]]:
        return list(self.words.spots)

    def _denominators(self, rows: IndicatorRows) -> Iterator[tuple[str, bool]]:
        """Each breakdown that has denominators, and whether they are all those of the whole."""
        denominator = rows.side("denominator", closed=True)
        breakdown = np.array(self.words.spot_columns()["breakdown"], dtype=object)[rows.spot]
        part = np.flatnonzero((breakdown != "") & ~np.isnan(denominator))
        if not len(part):
            return
        year = np.array(self.words.spot_columns()["year"], dtype=np.int64)[rows.spot]
        frame = pd.DataFrame({"org": rows.org, "year": year, "whole": denominator})
        whole = frame[breakdown == ""]
        parts = frame.iloc[part].rename(columns={"whole": "part"}).assign(breakdown=breakdown[part])
        both = parts.merge(whole, on=["org", "year"], how="left")
        for name, same in (both["part"] == both["whole"]).groupby(both["breakdown"]).all().items():
            yield str(name), bool(same)

    def _of(self, wanted: set[int]) -> dict[str, np.ndarray]:
        """The contributions to some quantities, as columns: state, series (a position in `series`), org, spot, comparable,
        quantity and value."""
        out: dict[str, list[np.ndarray]] = defaultdict(list)
        for number, (kind, side) in enumerate(self.series):
            mapped = self.mapped[kind, side]
            if wanted.isdisjoint(mapped.values()):
                continue
            for state, c in enumerate(self.states):
                rows = c.rows(kind)
                quantity, value = self._by_spot(number)[rows.spot], rows.side(side, closed=True)
                at = np.flatnonzero(np.isin(quantity, list(wanted)) & ~np.isnan(value))
                piece = {
                    "org": rows.org,
                    "spot": rows.spot,
                    "comparable": rows.comparable,
                    "quantity": quantity,
                    "value": value,
                }
                for name, column in piece.items():
                    out[name].append(column[at])
                out["state"].append(np.full(len(at), state))
                out["series"].append(np.full(len(at), number))
        return {name: np.concatenate(of) for name, of in out.items()}

    def _by_spot(self, series: int) -> np.ndarray:
        """The quantity of each spot that one of the `series` speaks of, -1 for none."""
        if series not in self._of_spots:
            mapped = self.mapped[self.series[series]]
            self._of_spots[series] = np.array([mapped.get(s[1:3], -1) for s in self._spots], dtype=np.int64)
        return self._of_spots[series]

    @cached_property
    def series(self) -> list[tuple[Kind, str]]:
        return sorted(self.mapped)

    @cached_property
    def _year(self) -> np.ndarray:
        return np.array(self.words.spot_columns()["year"], dtype=np.int64)

    def sketches(self) -> pd.DataFrame:
        """For each quantity and year, random sums over the institutions, and which institutions they are: two quantities of the
        same sums are the same, but for a chance of no account."""
        own = pd.util.hash_array(np.array([o or "" for o in self.words.orgs], dtype=object))
        out = []
        for name, quantity in self.quantities.items():
            rows = self._of({quantity})
            if not rows:
                continue
            frame = pd.DataFrame({c: rows[c] for c in ("org", "state", "value")} | {"year": self._year[rows["spot"]]})
            frame = frame.drop_duplicates()
            for year in sorted(set(frame["year"].tolist())):
                of_year = frame[frame["year"] == year]
                org, state, value = (of_year[c].to_numpy() for c in ("org", "state", "value"))
                mixed = [_mixed(own[org] + (state * (SKETCHES + 1) + n).astype(np.uint64)) for n in range(SKETCHES + 1)]
                sums = [float((value * (h % np.uint64(1_000_003)) / 1_000_003).sum()) for h in mixed[1:]]
                out.append((quantity, year, int(mixed[0].sum()), float(value.sum()), *sums, *name))
        columns = ["quantity", "year", "support", "total", *_SKETCHED, "measure", "factors", "breakdown", "member"]
        return pd.DataFrame(out, columns=columns)

    def classes(self, group: set[int]) -> pd.DataFrame:
        """What each class of institutions contributes to a group of quantities (Behind.groups), in order: the classes by the name
        of their first institution."""
        rows = self._of(group)
        version = self._version(rows)
        flat = rows["state"] * len(self.series) + rows["series"]
        for part, size in (
            (rows["spot"], len(self._spots)),
            (rows["comparable"], len(self.words.texts)),
            (version, len(self.states)),
        ):
            flat = flat * size + part
        at, atoms = pd.factorize(flat)
        marks = np.zeros(len(self.words.orgs), dtype=np.uint64)
        np.add.at(marks, rows["org"], _mixed(atoms.astype(np.uint64))[at])
        present = np.array(sorted(pd.unique(rows["org"]).tolist(), key=list(map(str, self.words.orgs)).__getitem__))
        class_of = np.zeros(len(marks), dtype=np.int64)
        class_of[present] = pd.factorize(marks[present])[0]
        attributes = self._attributes(atoms.tolist())
        order = sorted(range(len(attributes)), key=lambda n: [(x is None, x) for x in attributes[n]])
        rank = np.argsort(order)
        each, facts = pd.factorize(class_of[rows["org"]] * len(atoms) + rank[at])
        value = rows["value"]
        largest, least = np.zeros(len(facts)), np.full(len(facts), np.inf)
        np.maximum.at(largest, each, np.abs(value))
        np.minimum.at(least, each, value)
        amounts = {
            "size": np.bincount(each),
            "value": np.bincount(each, weights=value),
            "largest": largest,
            "least": least,
        }
        sorted_ = np.argsort(facts)
        of_class, of_atom = np.divmod(facts[sorted_], len(atoms))
        rows_of = pd.DataFrame([attributes[order[n]] for n in of_atom.tolist()], columns=_ATTRIBUTES).assign(
            **{"class": of_class}
        )
        return rows_of.assign(**{name: column[sorted_] for name, column in amounts.items()})

    def _version(self, rows: dict[str, np.ndarray]) -> np.ndarray:
        """The first state in which the institution of each row has the same value of the quantity in the year."""
        if len(self.states) == 1:
            return rows["state"]
        place = (rows["org"].astype(np.int64) << 12 | self._year[rows["spot"]]) << 20 | rows["quantity"]
        frame = pd.DataFrame({"place": place, "value": rows["value"], "state": rows["state"]})
        return frame.groupby(["place", "value"], sort=False)["state"].transform("min").to_numpy()

    def _attributes(self, atoms: list[int]) -> list[tuple[Any, ...]]:
        """The columns _TOLD of numbers made in `classes`."""
        out, spots, texts = [], self._spots, list(self.words.texts)
        for atom in atoms:
            atom, version = divmod(atom, len(self.states))
            atom, comparable = divmod(atom, len(texts))
            atom, spot = divmod(atom, len(spots))
            state, series = divmod(atom, len(self.series))
            kind, side = self.series[series]
            quantity = self.mapped[kind, side][spots[spot][1:3]]
            out.append((state, *kind, side, *spots[spot], texts[comparable], quantity, version))
        return out


_SKETCHED = [f"sketch_{n}" for n in range(SKETCHES)]
_ATTRIBUTES = ["state", "indicator_id", "factor_set", "side", *PLACE, "comparable_as", "quantity", "version"]


def identities(table: pd.DataFrame) -> tuple[dict[Yearly, tuple[Yearly, float]], list[tuple[Yearly, list[Yearly]]]]:
    """Which quantities are multiples of another (that one, and how many times), and which are the sum of others."""
    same: dict[Yearly, tuple[Yearly, float]] = {}
    sums: list[tuple[Yearly, list[Yearly]]] = []
    for _, of_year in table.groupby("year"):
        of_year = of_year.reset_index(drop=True)
        sketch = of_year[["total", *_SKETCHED]].to_numpy(dtype=float)
        number = of_year["quantity"].to_numpy()
        size = np.abs(sketch[:, 0])
        when = int(of_year["year"].iloc[0])
        members: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for n, (measure, factors, breakdown) in enumerate(
            of_year[["measure", "factors", "breakdown"]].itertuples(index=False, name=None)
        ):
            members[measure, factors][breakdown].append(n)
        for of_measure in (members[k] for k in sorted(members)):
            for of_sum in (of_measure[b] for b in sorted(of_measure) if b != ""):
                for at in of_measure.get("", ()):
                    if np.allclose(sketch[of_sum].sum(axis=0), sketch[at], rtol=ALIKE, atol=0):
                        sums.append(((int(number[at]), when), [(int(number[n]), when) for n in of_sum]))
        breakdowns = of_year["breakdown"].to_numpy(dtype=object)
        wholes = np.flatnonzero((breakdowns == "") & (size > 0))
        for at, a in enumerate(wholes):
            both = sketch[a] + sketch[wholes[at + 1 :]]
            off = np.abs(both[:, None, :] - sketch[wholes][None, :, :]) > ALIKE * np.abs(sketch[wholes])[None, :, :]
            for i, c in zip(*np.nonzero(~off.any(axis=2)), strict=True):
                b, c = wholes[at + 1 + i], wholes[c]
                if min(size[a], size[b]) > 1e-4 * size[c]:
                    sums.append(((int(number[c]), when), [(int(number[n]), when) for n in (a, b)]))
        # Parts of a sum speak for their multiples, so that the sum need not be rewritten.
        parts = {q for _, members in sums for q, y in members if y == when}
        order = sorted(of_year.index, key=lambda n: (int(number[n]) not in parts, int(number[n])))
        shape = np.divide(sketch, sketch[:, :1], out=np.zeros_like(sketch), where=size[:, None] > 0)
        support = of_year["support"].tolist()
        first: dict[int, list[int]] = defaultdict(list)
        for n in order:
            key, chosen = support[n], n
            for other in first[key]:
                if (
                    size[n] > 0
                    and size[other] > 0
                    and (np.abs(shape[n] - shape[other]) <= ALIKE * np.abs(shape[n])).all()
                ):
                    chosen = other
                    break
            else:
                first[key].append(n)
            times = sketch[n, 0] / sketch[chosen, 0] if chosen != n else 1.0
            same[int(number[n]), when] = ((int(number[chosen]), when), float(times))
    return same, sums


def _groups(
    table: pd.DataFrame, same: dict[Yearly, tuple[Yearly, float]], sums: list[tuple[Yearly, list[Yearly]]]
) -> list[set[int]]:
    """Quantities that are tied to one another in some year."""
    parent = {int(q): int(q) for q in table["quantity"].unique()}

    def root(q: int) -> int:
        while parent[q] != q:
            q = parent[q]
        return q

    for (q, _), ((other, _), _) in same.items():
        parent[root(q)] = root(other)
    for (q, _), members in sums:
        for m, _ in members:
            parent[root(m)] = root(q)
    out: dict[int, set[int]] = defaultdict(set)
    for q in parent:
        out[root(q)].add(q)
    return [out[r] for r in sorted(out)]


def _mixed(x: np.ndarray) -> np.ndarray:
    """64 bits of each of 64 bits, with no pattern left (the finaliser of SplitMix64; Steele, Lea, Flood, OOPSLA 2014)."""
    x = x * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
