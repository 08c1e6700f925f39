"""Which institutions stand behind which published figures: the equations of a reader who knows the register.

Belongs here: turning published cells into linear equations over the closed values of institutions. Not here: what follows
from them (suppress.py for the choice, audit.py for the proof).

The register is public, so a reader knows who is counted in each district, kind and level, and may know who reported. Unknown
is the closed value of each institution, year and quantity. Every published figure is a known linear form over these:

- a sum, over the institutions of its place; a period, over its years; `saved`, over those of both years, as a difference;
- a ratio gives its numerator where the denominator is known, and the other way round: both count as known (the strict case);
- a change gives the quantity of one year where that of the other is known.

Quantities are one where one is a multiple of the other in every institution (another unit, or a carrier that is an indicator
of its own), and a quantity is replaced by the others where it is their sum in every institution (energy and its carriers, a
bill and its parts). Institutions that no figure tells apart form a *class*: their sum is all that can follow, so the classes,
a few hundred, are the unknowns, however many institutions there are. Values of past releases are unknowns of their own where
they differ from those of now, and the same ones where they do not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from pipelines.core.duck import scratch
from publish.disclosure.relations import Indicator, Place, place

# What institutions contribute, in the columns history.PARTS: a frame, or the Parquet file that holds them (a city of 6,000
# institutions has a million and a half).
Parts = pd.DataFrame | Path
SKETCHES = 3  # random sums over institutions: equal ones mean equal quantities
ALIKE = 1e-6  # relative; amounts have six decimals
_SIDES = ("numerator", "denominator")


@dataclass(frozen=True)
class State:
    """One release seen by a reader: its `cells` (KEY, value; index 0..n-1), which of them show their state of then
    (`shown`, by position) and what each institution contributed (`parts`, history.PARTS and, where known, the closed part
    of each). `told`: of the newest state, what a release showed of which it is forgotten who stood behind it."""

    cells: pd.DataFrame
    shown: np.ndarray
    parts: Parts
    told: np.ndarray | None = None


@dataclass(frozen=True)
class Family:
    """The equations `matrix @ x = matrix @ value` over classes of institutions, for quantities that are tied to one another.

    Columns of `matrix`: the sum over one class (`unit`, of `size` institutions) of one `quantity` (a number for quantity, year
    and state): its true `value`, that of its `largest` and its `least` institution; `current`: a value of the newest state.
    `basis`: each column by those that are left when every whole is written as its parts. Rows: `cells` gives the cells of
    the newest state that show it, `known` whether a past release showed it as well.
    """

    matrix: csr_array
    basis: csr_array
    cells: tuple[tuple[int, ...], ...]
    known: np.ndarray
    unit: np.ndarray
    size: np.ndarray
    quantity: np.ndarray
    current: np.ndarray
    value: np.ndarray
    largest: np.ndarray
    least: np.ndarray
    basis_unit: np.ndarray


def families(states: list[State], indicators: dict[str, Indicator]) -> list[Family]:
    """The equations of all `states`, the oldest first and the new one last, by families of quantities."""
    with scratch() as con:
        alias = _long(con, states, indicators)
        table = con.execute(_SKETCH).df()
        table = table.merge(con.execute("select * from quantities").df(), on="quantity")
        same, sums = _identities(table)
        shown = [_shown(s) for s in states]
        kinds = {x[1:3] for of in shown for x in of}
        names = {(i, f): _names(i, f, indicators, alias) for i, f in kinds}
        out = []
        for group in _groups(table, same, sums):
            con.execute("create or replace temp table family as select unnest($1) as quantity", [sorted(group)])
            facts = con.execute(_CLASSES).df()
            measures = set(facts["indicator_id"])
            theirs = {kind for kind, named in names.items() if named & measures}
            mine = [[x for x in of if x[1:3] in theirs] for of in shown]
            made = _Rows(facts, mine, indicators, alias, same, sums).family()
            if made is not None:
                out.append(made)
    return out


Shown = tuple[
    int, str, str, Place, bool
]  # position of a cell, its indicator, factor set and place, and whether it is told


def _shown(state: State) -> list[Shown]:
    columns = (state.cells[c] for c in ("indicator_id", "factor_set", "year", "dimension", "member"))
    told = np.zeros(len(state.cells), dtype=bool) if state.told is None else state.told
    rows = zip(*columns, told, state.shown, strict=True)
    return [(n, i, f, place(int(y), d, m), bool(t)) for n, (i, f, y, d, m, t, shown) in enumerate(rows) if shown]


def _names(indicator: str, factors: str, indicators: dict[str, Indicator], alias: dict[Any, str]) -> set[str]:
    """The indicators whose facts a cell of this one may rest on."""
    about = indicators.get(indicator, Indicator())
    named = [n for n in (indicator, about.change_of, about.compares) if n]
    return {alias.get((n, factors), n) for n in named}


def _long(con: duckdb.DuckDBPyConnection, states: list[State], indicators: dict[str, Indicator]) -> dict[Any, str]:
    """Makes the tables `long` (one row for state, institution, indicator, side and place: the quantity and its value) and
    `quantities`; gives the indicator whose rows speak for each (indicator, factor set) of the same sum."""
    given = []
    for n, state in enumerate(states):
        con.register(f"state_{n}", con.read_parquet(str(state.parts)) if isinstance(state.parts, Path) else state.parts)
        have = [c[0] for c in con.execute(f"describe state_{n}").fetchall()]
        taken = [f"closed_{side} as {side}" if f"closed_{side}" in have else side for side in _SIDES]
        where = "indicator_id, factor_set, year, org, breakdown, breakdown_member, district, org_type, admin_level"
        taken.append("comparable_as" if "comparable_as" in have else "'' as comparable_as")
        given.append(f"select {n} as state, {where}, {', '.join(taken)} from state_{n}")
    con.execute("create temp table given as " + " union all ".join(given))
    found = con.execute("""select indicator_id, factor_set, breakdown, breakdown_member, bool_or(denominator is not null)
        from given group by all order by all""").fetchall()
    summed = {i: a.numerator or i for i, a in indicators.items() if a.additive}
    published = {(summed[i], f, b, m) for i, f, b, m, _ in found if i in summed}
    measured = {q[:2] for q in published}
    # A ratio that is broken down is held against the same part of the denominator, or else against the whole.
    whole = set(
        con.execute("""
        select part.indicator_id, part.factor_set, part.breakdown from given part left join given whole
            on whole.breakdown = '' and whole.state = part.state and whole.indicator_id = part.indicator_id
            and whole.factor_set = part.factor_set and whole.year = part.year and whole.org = part.org
        where part.breakdown <> '' and part.denominator is not null
        group by all having bool_and(part.denominator is not distinct from whole.denominator)""").fetchall()
    )
    speaks: dict[Any, str] = {}
    ids: dict[tuple[str, ...], int] = {}
    rows = []
    for i, f, b, m, _ in found:
        about = indicators.get(i, Indicator())
        alias = speaks.setdefault((about.numerator or i, f) if i in summed else (i, f, "ratio"), i)
        if alias != i:
            continue
        for side, measure in (("numerator", about.numerator or i), ("denominator", about.denominator)):
            if measure is None:
                continue
            factors = f if (measure, f) in measured or (measure, "none") not in measured else "none"
            of_whole = side == "denominator" and (i, f, b) in whole
            quantity = (measure, factors, *(("", "") if of_whole or b == "total" else (b, m)))
            rows.append((i, f, b, m, side, ids.setdefault(quantity, len(ids))))
    con.register(
        "mapped",
        pd.DataFrame(rows, columns=["indicator_id", "factor_set", "breakdown", "breakdown_member", "side", "quantity"]),
    )
    con.execute("""create temp table long as
        select *, min(state) over (partition by org, year, quantity, value) as version from (
            select state, org, indicator_id, factor_set, side, year, breakdown, breakdown_member, district, org_type, admin_level,
                   comparable_as, quantity, cast(case side when 'numerator' then numerator else denominator end as double) as value
            from given join mapped using (indicator_id, factor_set, breakdown, breakdown_member))
        where value is not null""")
    con.execute("drop table given")
    con.register(
        "named",
        pd.DataFrame(
            [(n, *q) for q, n in ids.items()], columns=["quantity", "measure", "factors", "breakdown", "member"]
        ),
    )
    con.execute("create temp table quantities as select * from named")
    return {(i, f): speaks[(summed[i], f)] for i, f, *_ in found if i in summed}


# Random weights of institutions: two quantities with the same weighted sums are the same, but for a chance of no account.
_SKETCH = f"""
    select quantity, year, bit_xor(hash(org, state)) as support, sum(value) as total,
        {", ".join(f"sum(value * (hash(org, state, {n}) % 1000003) / 1000003) as sketch_{n}" for n in range(SKETCHES))}
    from (select distinct org, state, quantity, year, value from long) group by quantity, year order by quantity, year"""

_CLASSES = """
    with mine as (select long.* from long join family using (quantity)),
    signed as (
        select org, bit_xor(hash(state, indicator_id, factor_set, side, year, breakdown, breakdown_member, district, org_type,
                                 admin_level, comparable_as, quantity, version)) as class
        from mine group by org)
    select class, state, indicator_id, factor_set, side, year, breakdown, breakdown_member, district, org_type, admin_level,
           comparable_as, quantity, version, count(*) as size, sum(value) as value, max(abs(value)) as largest, min(value) as least
    from mine join signed using (org) group by all order by all"""

Yearly = tuple[int, int]  # a quantity in a year


def _identities(table: pd.DataFrame) -> tuple[dict[Yearly, tuple[Yearly, float]], list[tuple[Yearly, list[Yearly]]]]:
    """Which quantities are multiples of another (that one, and how many times), and which are the sum of others."""
    same: dict[Yearly, tuple[Yearly, float]] = {}
    sums: list[tuple[Yearly, list[Yearly]]] = []
    columns = ["total", *(f"sketch_{n}" for n in range(SKETCHES))]
    for _, of_year in table.groupby("year"):
        of_year = of_year.reset_index(drop=True)
        sketch = of_year[columns].to_numpy(dtype=float)
        number = of_year["quantity"].to_numpy()
        size = np.abs(sketch[:, 0])
        when = int(of_year["year"].iloc[0])
        for _, of_sum in of_year[of_year["breakdown"] != ""].groupby(["measure", "factors", "breakdown"]):
            whole = of_year[
                (of_year[["measure", "factors"]] == of_sum[["measure", "factors"]].iloc[0]).all(axis=1)
                & (of_year["breakdown"] == "")
            ]
            for at in whole.index:
                if np.allclose(sketch[of_sum.index].sum(axis=0), sketch[at], rtol=ALIKE, atol=0):
                    sums.append(((int(number[at]), when), [(int(number[n]), when) for n in of_sum.index]))
        wholes = np.flatnonzero((of_year["breakdown"] == "").to_numpy() & (size > 0))
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


class _Rows:
    """The equations of one family, from what its classes contribute."""

    def __init__(
        self,
        facts: pd.DataFrame,
        shown: list[list[Shown]],
        indicators: dict[str, Indicator],
        alias: dict[Any, str],
        same: dict[Yearly, tuple[Yearly, float]],
        sums: list[tuple[Yearly, list[Yearly]]],
    ):
        self.shown, self.indicators, self.alias = shown, indicators, alias
        self.same, self.sums = same, sums
        self.facts = facts
        self.unit, _ = pd.factorize(facts["class"])
        self.state = facts["state"].to_numpy()
        self.year = facts["year"].to_numpy()
        self.value = facts["value"].to_numpy(dtype=float)
        self.compared = [c if isinstance(c, str) else None for c in facts["comparable_as"]]
        speaks = [same[int(q), int(y)] for q, y in zip(facts["quantity"], self.year, strict=True)]
        self.times = np.array([t for _, t in speaks])
        ids: dict[Yearly, int] = {}
        self.quantity = np.array([ids.setdefault(q, len(ids)) for q, _ in speaks], dtype=int)
        self.quantities = ids
        keys: dict[tuple[int, int, int], int] = {}
        triples = zip(self.unit.tolist(), self.quantity.tolist(), facts["version"].tolist(), strict=True)
        self.column = np.array([keys.setdefault(k, len(keys)) for k in triples], dtype=int)
        self.columns = list(keys)
        self.at = self._places()

    def _places(self) -> dict[tuple[Any, ...], np.ndarray]:
        """The facts that count at each place: by state, indicator, factor set, side, year, dimension and member."""
        f, by = self.facts, ["state", "indicator_id", "factor_set", "side", "year"]
        whole, total = (f["breakdown"] == "").to_numpy(), (f["breakdown"] == "total").to_numpy()
        spread = [f[whole | total][by].assign(dimension="total", member="")]
        for dimension, column in (("district", "district"), ("org_type", "org_type"), ("level", "admin_level")):
            spread.append(f[whole][by].assign(dimension=dimension, member=f[column]))
        apart = f[~whole & ~total]
        spread.append(apart[by].assign(dimension=apart["breakdown"], member=apart["breakdown_member"]))
        placed = pd.concat(spread)
        grouped = placed.groupby([*by, "dimension", "member"], sort=False, dropna=False).indices
        index = placed.index.to_numpy()
        return {tuple(key): index[found] for key, found in grouped.items()}  # type: ignore[arg-type]

    def family(self) -> Family | None:
        rows: dict[bytes, int] = {}
        lines: list[tuple[np.ndarray, np.ndarray]] = []
        cells: list[list[int]] = []
        known: list[bool] = []
        newest = len(self.shown) - 1
        for s, shown in enumerate(self.shown):
            for n, indicator, factors, at, told in shown:
                for columns, numbers in self._lines(s, indicator, factors, at):
                    number = rows.setdefault(columns.tobytes() + np.round(numbers, 9).tobytes(), len(lines))
                    if number == len(lines):
                        lines.append((columns, numbers))
                        cells.append([])
                        known.append(False)
                    if s == newest:
                        cells[number].append(n)
                    known[number] |= told or s != newest
        if not lines:
            return None
        matrix = csr_array(
            (
                np.concatenate([v for _, v in lines]),
                (np.repeat(np.arange(len(lines)), [len(c) for c, _ in lines]), np.concatenate([c for c, _ in lines])),
            ),
            shape=(len(lines), len(self.columns)),
        )
        unit, quantity, _ = (np.array(c, dtype=int) for c in zip(*self.columns, strict=True))
        value, largest, least = np.zeros(len(unit)), np.zeros(len(unit)), np.zeros(len(unit))
        value[self.column] = self.value / self.times
        largest[self.column] = self.facts["largest"].to_numpy(dtype=float) / np.abs(self.times)
        least[self.column] = self.facts["least"].to_numpy(dtype=float) / self.times
        size = np.zeros(self.unit.max() + 1, dtype=int)
        size[self.unit] = self.facts["size"]
        current = np.zeros(len(unit), dtype=bool)
        current[self.column[self.state == newest]] = True
        basis = self._basis()
        used = np.flatnonzero(np.diff(basis.tocsc().indptr))
        return Family(
            matrix, basis[:, used], tuple(map(tuple, cells)), np.array(known), unit, size, quantity, current, value, largest, least, unit[used]
        )  # fmt: skip

    def _lines(self, s: int, indicator: str, factors: str, p: Place) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        about = self.indicators.get(indicator, Indicator())
        if p.over != "base":
            name = self.alias.get((indicator, factors), indicator)
            years = range(p.first, p.year + 1) if p.over == "period" else (p.year,)
            for side in _SIDES:
                found = [self.at.get((s, name, factors, side, y, p.group, p.member)) for y in years]
                facts = [f for f in found if f is not None]
                if facts:
                    of = np.concatenate(facts)
                    yield self._line(of, np.ones(len(of)))
            return
        compared = about.change_of or about.compares or indicator
        name = self.alias.get((compared, factors), compared)
        for side in _SIDES:
            now, then = (self.at.get((s, name, factors, side, y, p.group, p.member)) for y in (p.year, p.first))
            if now is None:
                continue
            if not about.change_of:  # over the institutions of both years, by where they are in the later one
                now, then = self._both(s, name, factors, side, now, p.first)
            if then is None or not len(then):
                continue
            share = 1.0
            if not self.indicators.get(compared, Indicator()).additive:
                before = self.value[then].sum()
                if before == 0:
                    continue
                share = self.value[now].sum() / before
            of = np.concatenate([now, then])
            yield self._line(of, np.concatenate([np.ones(len(now)), np.full(len(then), -share)]))

    def _both(
        self, s: int, name: str, factors: str, side: str, now: np.ndarray, first: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of the facts `now` those of classes that are compared with the year `first`, and their facts of then."""
        all_then = self.at.get((s, name, factors, side, first, "total", ""), np.array([], dtype=int))
        then = {(int(self.unit[f]), self.compared[f]): int(f) for f in all_then if self.compared[f] is not None}
        pairs = [(int(f), then[k]) for f in now if (k := (int(self.unit[f]), self.compared[f])) in then]
        return np.array([a for a, _ in pairs], dtype=int), np.array([b for _, b in pairs], dtype=int)

    def _line(self, facts: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The columns and coefficients of a sum over facts, the largest coefficient 1."""
        columns, at = np.unique(self.column[facts], return_inverse=True)
        numbers = np.zeros(len(columns))
        np.add.at(numbers, at, signs * self.times[facts])
        kept = numbers != 0
        numbers = numbers[kept] / np.abs(numbers).max() if kept.any() else numbers[kept]
        return columns[kept].astype(np.int64), numbers

    def _basis(self) -> csr_array:
        """Each column by the columns left when wholes are written as their parts, in each class, state and year."""
        version = {(u, q): {} for u, q, _ in self.columns}  # type: ignore[var-annotated]
        for u, q, s, c in zip(
            self.unit.tolist(), self.quantity.tolist(), self.state.tolist(), self.column.tolist(), strict=True
        ):
            version[u, q][s] = c
        present: dict[tuple[int, int, int], dict[Yearly, int]] = defaultdict(dict)
        name = {n: q for q, n in self.quantities.items()}
        for (u, q), by_state in version.items():
            for s, c in by_state.items():
                present[u, s, name[q][1]][name[q]] = c
        written: dict[int, dict[int, float]] = {}
        solved: dict[tuple[Yearly, ...], dict[Yearly, dict[Yearly, float]]] = {}
        for here in present.values():
            pattern = tuple(sorted(here))
            if pattern not in solved:
                solved[pattern] = self._solve(pattern)
            for q, by in solved[pattern].items():
                if here[q] not in written and not any(here[b] in written for b in by):
                    written[here[q]] = {here[b]: k for b, k in by.items()}
        data, row, column = [], [], []
        for c in range(len(self.columns)):
            for b, k in written.get(c, {c: 1.0}).items():
                data.append(k)
                row.append(c)
                column.append(b)
        return csr_array((data, (row, column)), shape=(len(self.columns), len(self.columns)))

    def _solve(self, pattern: tuple[Yearly, ...]) -> dict[Yearly, dict[Yearly, float]]:
        """Of quantities that an institution has in a year, those that follow from the others, written by them."""
        lines = []
        for whole, parts in self.sums:
            line = np.zeros(len(pattern))
            for q, sign in ((whole, 1.0), *((m, -1.0) for m in parts)):
                speaks, times = self.same[q]
                if speaks in pattern:
                    line[pattern.index(speaks)] += sign * times
            if (abs(line) > ALIKE).sum() > 1:
                lines.append(line)
        out: dict[int, np.ndarray] = {}
        for line in lines:
            for n, by in out.items():
                line = line + line[n] * by - line[n] * np.eye(len(pattern))[n]
            if (abs(line) > ALIKE * np.abs(line).max()).sum() < 2 or not line.any():
                continue
            n = int(np.argmax(line > ALIKE)) if (line > ALIKE).any() else int(np.argmax(np.abs(line)))
            by = -line / line[n]
            by[n] = 0.0
            out = {m: old + old[n] * by - old[n] * np.eye(len(pattern))[n] for m, old in out.items()}
            out[n] = by
        return {
            pattern[n]: {pattern[m]: float(by[m]) for m in np.flatnonzero(np.abs(by) > ALIKE)} for n, by in out.items()
        }
