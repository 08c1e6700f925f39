"""Disclosure by differences of releases: the values that are frozen as last published.

Belongs here: the rule over differences. Not here: the store of past releases (past_releases.py), or what one release alone gives away
(suppress.py).

A closed figure that was published moves only when the institutions whose contribution changed since are at least
`min_contributors`, none with more than `max_share` of the movement; until then the figure is frozen as last published. So the
difference of any two published figures is itself a sum that the rules for sums allow. This is the frequency and dominance
rule applied to changes; that a release must be protected together with those before it, and the attack by differences of
overlapping sets, are set out in Hundepool et al., Statistical Disclosure Control, Wiley 2012, sections 4.2 and 4.6, and
republication in batches in Xiao and Tao, "m-Invariance", SIGMOD 2007.

A figure is *current* in a release where it shows the contributions of then, and *frozen* where it shows an older state; its
note says which. Readers know a figure's state of a release exactly where it was current. So a new state is held against
each past release in which the figure was current, however long ago; a state that was published before is no news.

The new state of a frozen figure must not follow from what moves. Which figures are frozen besides is found by the same heuristic
as in suppress.py, over the movements since each past release in turn: of the sums of the new release, the reader is taken to
know every figure that moves and every one behind which nobody changed since that release. A deviation found for one release
stays possible when more figures are frozen for the sake of another, so all of them hold together.

A figure that was hidden in a release stays hidden until it and every figure hidden with it there to which it is linked have
moved by enough institutions: else a figure shown now would give away one hidden then.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.core.duck import scratch
from publish.disclosure.contributions import Kind, Parts, differences
from publish.disclosure.hiding import COUNTS, KEY, Hiding
from publish.disclosure.membership import State
from publish.disclosure.past_releases import Past
from publish.disclosure.relations import Indicator, Relation, cube_cell, find_relations
from publish.disclosure.suppress import Rules
from publish.wording import phrase

FROZEN_ZH = phrase("frozen", "value", "zh")
INSIDE = ("contributors", "largest_share")


@dataclass(frozen=True)
class FrozenCells:
    """Figures to publish in place of the new ones. By position: `frozen` keep the last published value, `hidden` stay hidden
    as in a past release, `known` are in the last release with the very same value, so that hiding them hides nothing.
    `past_versions`: the figures as each past release had them."""

    cells: pd.DataFrame
    frozen: np.ndarray
    hidden: np.ndarray
    known: np.ndarray
    past_versions: tuple[PastVersion, ...] = ()


@dataclass(frozen=True)
class PastVersion:
    """What the figures were made of in one past release (or several of the same contributions), seen from the figures now.

    By position of the cells now: `value` as published there; `current`, whether that is its state of then; `hidden`, whether
    it was hidden; `changed` institutions since and the largest one's `share` (0..1) of the movement; `few`, whether that is
    too few."""

    release_id: str
    value: np.ndarray
    current: np.ndarray
    was_frozen: np.ndarray
    hidden: np.ndarray
    changed: np.ndarray
    share: np.ndarray
    few: np.ndarray

    @property
    def same(self) -> np.ndarray:
        """The cells behind which nobody has changed since."""
        return self.changed == 0


def freeze(
    cells: pd.DataFrame,
    parts: Parts | None,
    past: list[Past],
    indicators: dict[str, Indicator],
    rules: Rules,
) -> FrozenCells:
    """Which of the new `cells` (marts.indicator_values, index 0..n-1) may move, held against every past release.

    `parts` is what each institution contributes now (PARTS), None where the warehouse does not say: then every changed
    figure counts as one institution's doing.
    """
    n = len(cells)
    none = np.zeros(n, dtype=bool)
    if not past or n == 0:
        return FrozenCells(cells, none, none, none)
    last = aligned(cells, past[-1].cells)
    old, new = (frame["value"].to_numpy(dtype=float, na_value=np.nan) for frame in (last, cells))
    shown = ~np.isnan(old)
    closed = cells["closed"].astype("boolean").fillna(True).to_numpy(dtype=bool) & ~np.isnan(new)
    past_versions = versions(cells, parts, past, indicators, rules)
    public = np.any([v.current & v.same for v in past_versions], axis=0)
    relations = find_relations(cells, indicators)
    pending = closed & ~public
    stay_hidden = pending & np.any([_still_hidden(v, relations) for v in past_versions], axis=0)
    # What was shown since it was hidden may show that again; what was not may show nothing.
    to_freeze = pending & np.any([v.current & v.few for v in past_versions], axis=0) | stay_hidden & shown
    # Keep a complementary freeze: publishing it now would reveal the other one's state in the earlier release.
    to_freeze |= pending & np.any([v.was_frozen & v.same for v in past_versions], axis=0)
    if to_freeze.any():
        to_freeze = _to_freeze(cells, indicators, rules, relations, past_versions, pending, to_freeze, stay_hidden)
    frozen, hidden = to_freeze & shown, to_freeze & ~shown | stay_hidden & ~shown
    out = cells.copy()
    for c in ("value", "status", *(c for c in COUNTS if c in out), "synthetic", *INSIDE):
        # The contributors of a release that is forgotten are taken to be those of now.
        keeps_new = ~frozen | (last[c].isna().to_numpy() if c in INSIDE else False)
        out[c] = out[c].where(keeps_new, last[c].astype(out[c].dtype))
    out["note"] = out["note"].astype("object").where(~frozen, last["note"].map(_frozen_note))
    return FrozenCells(out, frozen, hidden, shown & (frozen | (old == new)), tuple(past_versions))


def _to_freeze(
    cells: pd.DataFrame,
    indicators: dict[str, Indicator],
    rules: Rules,
    relations: list[Relation],
    past_versions: list[PastVersion],
    pending: np.ndarray,
    to_freeze: np.ndarray,
    stay_hidden: np.ndarray,
) -> np.ndarray:
    """The cells to freeze so that none of their new states can be derived: `to_freeze`, and what it takes besides.

    Only cells of `pending`, whose new state is not published, can be frozen or derived; those of `stay_hidden` are not shown, or frozen,
    whatever else happens. Two things must not follow: the new state of a frozen cell, from the sums of the new release;
    and, for each past release, a movement by too few, from what moved between figures that are known in both and from
    those behind which nobody changed.
    """
    columns = (cells[c].to_numpy(dtype=float, na_value=np.nan) for c in ("contributors", "largest_share", "value"))
    contributors, share, value = columns
    # These suppression hides for their own sake: a reader will not know them either.
    unsafe = pending & (contributors != 0) & np.array(list(map(rules.unsafe, contributors, share, value)), dtype=bool)
    out, done = to_freeze | stay_hidden, np.zeros(len(cells), dtype=bool)
    while (out & ~done).any():
        done = out.copy()
        hiding = Hiding(cells, indicators, rules, pending, out & (to_freeze | ~stay_hidden), relations, signed=True)
        hiding.hidden |= out | unsafe
        out |= hiding.run(remainders=False) & ~unsafe
        for v in past_versions:
            free = pending & ~v.same
            targets = free & v.few & (v.current | out)
            if not targets.any():
                continue
            size = np.where(np.isnan(v.value), value, np.abs(value - v.value))
            movement = cells.assign(value=size, closed_value=size, contributors=v.changed, largest_share=v.share)
            hiding = Hiding(movement, indicators, rules, free, targets, relations, signed=True)
            hiding.hidden |= free & (out | unsafe | ~v.current)
            out |= hiding.run() & v.current & ~unsafe
    return out


def versions(
    cells: pd.DataFrame,
    parts: Parts | None,
    past: list[Past],
    indicators: dict[str, Indicator],
    rules: Rules,
) -> list[PastVersion]:
    """What each of the past releases knew, seen from `cells` now, the oldest first; one for releases of equal contributions.

    Of a release whose contributions are forgotten, at least those institutions have moved a figure that moved it since the
    first release that is remembered; a figure that differs, at least one.
    """
    now = cells["value"].to_numpy(dtype=float, na_value=np.nan)
    groups: dict[Path | str, list[Past]] = {}
    for p in past:
        groups.setdefault(p.parts or p.release_id, []).append(p)
    moved: dict[Path, tuple[np.ndarray, np.ndarray]] = {}
    if parts is not None:
        moved = {at: movements(cells, indicators, parts, at) for at in groups if isinstance(at, Path)}
    since_first = next(iter(moved.values()), (np.zeros(len(cells)), np.zeros(len(cells))))
    out = []
    for at, releases in groups.items():
        frames = [aligned(cells, p.cells) for p in releases]
        values = [f["value"].to_numpy(dtype=float, na_value=np.nan) for f in frames]
        was_frozen = [f["note"].map(is_frozen).to_numpy(dtype=bool) for f in frames]
        hidden = np.any([(f["status"] == "Q").to_numpy(dtype=bool) for f in frames], axis=0)
        if isinstance(at, Path) and at in moved:
            changed, share = moved[at]
            current = np.any([~np.isnan(v) & ~s for v, s in zip(values, was_frozen, strict=True)], axis=0)
            older = np.any(was_frozen, axis=0) & ~current
        else:
            current, older = ~np.isnan(values[-1]), np.zeros(len(cells), dtype=bool)
            differs = current & (values[-1] != now)
            changed, share = since_first
            share = np.where(differs & (changed == 0), 1.0, share)
            changed = np.where(current & ~differs, 0.0, np.where(differs, np.maximum(changed, 1.0), changed))
        few = np.array([c > 0 and rules.unsafe(c, s, 1.0) for c, s in zip(changed, share, strict=True)], dtype=bool)
        out.append(PastVersion(releases[-1].release_id, values[-1], current, older, hidden, changed, share, few))
    return out


def aligned(cells: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """The rows of `published` in the order of `cells`, empty where it has none."""
    columns = ["value", "status", *COUNTS, "synthetic", "note", *INSIDE]
    published = published.reindex(columns=[*KEY, *columns])  # an older release lacks what was counted later
    return _keyed(cells)[KEY].merge(_keyed(published), on=KEY, how="left")


def _keyed(cells: pd.DataFrame) -> pd.DataFrame:
    return cells.astype({"year": "int64"})


def is_frozen(note: object) -> bool:
    """Whether a published note says that the figure is frozen."""
    return isinstance(note, str) and FROZEN_ZH in note


def _frozen_note(note: object) -> str:
    before = note if isinstance(note, str) else ""
    return (
        before
        if is_frozen(note)
        else " ".join(filter(None, (before, f"{FROZEN_ZH}。 {phrase('frozen', 'value', 'en')}.")))
    )


def _still_hidden(v: PastVersion, relations: list[Relation]) -> np.ndarray:
    """The cells hidden in a past release that are linked, through cells hidden there, to one not moved by enough since."""
    stay_hidden = v.hidden & (v.same | v.few)
    links = [[c for c in r.cells if v.hidden[c]] for r in relations]
    links = [cells for cells in links if len(cells) > 1]
    grew = True
    while grew:
        grew = False
        for cells in links:
            if stay_hidden[cells].any() and not stay_hidden[cells].all():
                stay_hidden[cells] = grew = True
    return stay_hidden


def movements(
    cells: pd.DataFrame, indicators: dict[str, Indicator], now: Parts, then: Parts
) -> tuple[np.ndarray, np.ndarray]:
    """For each cell how many institutions' contributions differ between `then` and `now`, and the largest one's share of the
    difference (0..1). A contribution counts in every year of a period, and in both years of a change."""
    places = places_of(cells, indicators)
    return moved(differences(now, then, _kinds(places)), places, len(cells))


def _kinds(places: pd.DataFrame) -> set[Kind]:
    """What contributions are looked for at some places."""
    return set(places[["indicator_id", "factor_set"]].drop_duplicates().itertuples(index=False, name=None))


def places_of(cells: pd.DataFrame, indicators: dict[str, Indicator]) -> pd.DataFrame:
    """Where contributions count: cell (a position in `cells`), indicator_id, factor_set, year, dimension and member."""
    rows = []
    for at, (indicator, factors, year, dimension, member) in enumerate(
        zip(*(cells[c] for c in ("indicator_id", "factor_set", "year", "dimension", "member")), strict=True)
    ):
        p = cube_cell(int(year), dimension, member)
        about = indicators.get(indicator, Indicator())
        years = range(p.first, p.year + 1) if p.over == "period" else {p.first, p.year}
        of = (about.change_of or about.compares or indicator) if p.over == "base" else indicator
        rows += [(at, of, factors, y, p.group, "all" if p.group == "total" else p.member) for y in years]
    return pd.DataFrame(rows, columns=["cell", "indicator_id", "factor_set", "year", "dimension", "member"])


def moved(differing: pa.Table, places: pd.DataFrame, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """`movements` of contributions that are `differing` (contributions.PARTS), for so many `cells`; `places` are theirs
    (`places_of`)."""
    count, share = np.zeros(cells), np.zeros(cells)
    if not differing.num_rows:
        return count, share
    with scratch() as con:
        con.register("differing", differing)
        con.register("places", places)
        found = con.execute(f"""
            {_MOVED_BY_ORG},
            moved as (
                select cell, org, sum(top) as top, sum(bottom) as bottom from by_org group by all
                having sum(top) <> 0 or sum(bottom) <> 0
            )
            select cell, count(*) as orgs,
                   greatest(coalesce(max(top) / nullif(sum(top), 0), 0), coalesce(max(bottom) / nullif(sum(bottom), 0), 0))
            from moved group by cell""").fetchall()
    for at, orgs, largest in found:
        count[at], share[at] = orgs, float(largest)
    return count, share


def reach(
    cells: pd.DataFrame,
    indicators: dict[str, Indicator],
    now: Parts,
    then: Parts,
    named: np.ndarray | None = None,
    who: pd.DataFrame | None = None,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Behind which cells contributions differ between `then` and `now`, and whose: `who` has the columns org and year.

    With `named` (by position) only what moved behind those cells is looked at; with `who` only what those institutions
    contribute to those years.
    """
    places = places_of(cells, indicators)
    if named is not None:
        places = places[named[places["cell"].to_numpy()]]
    with scratch() as con:
        con.register("differing", differences(now, then, _kinds(places)))
        con.register("places", places)
        only = ""
        if who is not None:
            con.register("who", who)
            only = "and exists (select 1 from who where who.org = by_org.org and who.year = by_org.year)"
        found = con.execute(
            f"{_MOVED_BY_ORG} select distinct cell, org, year from by_org where (top <> 0 or bottom <> 0) {only}"
        ).df()
    out = np.zeros(len(cells), dtype=bool)
    out[found["cell"].to_numpy(dtype=int)] = True
    return out, found[["org", "year"]].drop_duplicates()


# The head of a query: `by_org` holds by cell, institution and year how far contributions differ.
_MOVED_BY_ORG = """
    with spread as (
        select *, unnest(case breakdown
            when '' then [{'d': 'total', 'm': 'all'}, {'d': 'district', 'm': district},
                          {'d': 'org_type', 'm': org_type}, {'d': 'level', 'm': admin_level}]
            when 'total' then [{'d': 'total', 'm': 'all'}]
            else [{'d': breakdown, 'm': breakdown_member}] end) as place
        from differing
    ),
    by_org as (
        select places.cell, spread.org, spread.year,
               abs(sum(numerator)) as top, abs(sum(denominator)) as bottom
        from spread join places on places.indicator_id = spread.indicator_id
            and places.factor_set = spread.factor_set and places.year = spread.year
            and places.dimension = spread.place.d and places.member = spread.place.m
        group by all
    )"""


def states(past: list[Past]) -> tuple[State, ...]:
    """What each past release showed of its own state, of those of which it is known what stood behind them."""
    out = []
    for p in past:
        if p.parts is not None:
            cells = p.cells.reset_index(drop=True)
            closed = cells["closed"].astype("boolean").fillna(True).to_numpy(dtype=bool)
            shown = closed & cells["value"].notna().to_numpy() & ~cells["note"].map(is_frozen).to_numpy(dtype=bool)
            out.append(State(cells, shown, p.parts))
    return tuple(out)
