"""Two releases together: what a difference of their figures would tell, and which figures therefore stay as they were.

Belongs here: the memory of past releases (HOME/work/disclosure, never in a release) and the rule over differences. Not here:
what one release alone gives away (suppress.py).

A closed figure that was published moves only when the institutions whose contribution changed since are at least
`min_contributors`, none with more than `max_share` of the movement; until then the figure as last published stands. So the
difference of two published figures is itself a sum that the rules for sums allow. This is the frequency and dominance rule
applied to changes; that a release must be protected together with those before it, and the attack by differences of
overlapping sets, are set out in Hundepool et al., Statistical Disclosure Control, Wiley 2012, sections 4.2 and 4.6, and
republication in batches in Xiao and Tao, "m-Invariance", SIGMOD 2007. Figures that move are chosen by the same linear
programming heuristic as in suppress.py, over the movements in place of the figures: what must stand still cannot be had
from what moves by adding and subtracting either.

A figure that was hidden stays hidden until it and every hidden figure it is linked to have so moved: else a figure shown
now would give away one hidden then.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from pipelines.home import Home, whole_file
from publish.disclosure.relations import Indicator, find_relations, place
from publish.disclosure.suppress import KEY, Hiding, Rules

WHO = [
    "indicator_id",
    "factor_set",
    "year",
    "org",
    "breakdown",
    "breakdown_member",
    "district",
    "org_type",
    "admin_level",
]
PARTS = [*WHO, "numerator", "denominator"]
HELD_ZH = "沿用上一版数值：此后有变动的单位太少"
HELD_EN = "As last published: too few institutions have changed since"
INSIDE = ("contributors", "largest_share")
SHOWN = ["value", "status", "records", "files", "factor_set", "synthetic", "note"]


@dataclass(frozen=True)
class Past:
    """A release that was made. `parts`: what each institution contributed then, None where that is not known any more;
    `cells`: its figures as published, with the contributors and largest share of each."""

    release_id: str
    parts: Path | None
    cells: pd.DataFrame
    kept: bool = True  # False: the memory is gone, and only what was published is known


@dataclass(frozen=True)
class Standing:
    """Figures to publish in place of the new ones. By position: `held` keep the last published value, `hidden` stay hidden
    as in the last release, `known` stand in the last release with the very same value, so that hiding them hides nothing."""

    cells: pd.DataFrame
    held: np.ndarray
    hidden: np.ndarray
    known: np.ndarray


def remember(home: Home, release_id: str, cells: pd.DataFrame, parts: pd.DataFrame | None) -> None:
    """Keeps what the next release must be held against. `cells` as published; `parts` in the columns PARTS."""
    folder = _folder(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = "none"
    if parts is not None:
        digest = hashlib.sha256(pd.util.hash_pandas_object(parts, index=False).to_numpy().tobytes()).hexdigest()[:16]
        with whole_file(folder / f"parts-{digest}.parquet") as part:
            parts.to_parquet(part, index=False)
    number = max((int(p.name[:6]) for p in folder.glob("??????-*.parquet")), default=0) + 1
    for old in folder.glob(f"??????-{release_id}-*.parquet"):
        old.unlink()
    with whole_file(folder / f"{number:06d}-{release_id}-{digest}.parquet") as part:
        cells[
            [*KEY, *(c for c in SHOWN if c not in KEY), "unit", "contributors", "largest_share", "closed"]
        ].to_parquet(part, index=False)


def recall(home: Home) -> list[Past]:
    """Every release made in this home, the oldest first. Of one whose memory was thrown away with HOME/work, what it
    published is read again from its folder; what stood behind it is then not known."""
    out = []
    for path in sorted(_folder(home).glob("??????-*.parquet")):
        release_id, _, digest = path.stem[7:].rpartition("-")
        parts = _folder(home) / f"parts-{digest}.parquet"
        out.append(Past(release_id, parts if parts.is_file() else None, pd.read_parquet(path)))
    remembered = {p.release_id for p in out}
    forgotten = []
    for path in home.releases.glob("????-??-??-????????/parquet/indicator_values.parquet"):
        if path.parts[-3] not in remembered:
            cells = pd.read_parquet(path).assign(contributors=None, largest_share=None)
            forgotten.append((path.stat().st_mtime_ns, Past(path.parts[-3], None, cells, kept=False)))
    return [p for _, p in sorted(forgotten, key=lambda x: (x[0], x[1].release_id))] + out


def _folder(home: Home) -> Path:
    return home.work / "disclosure"


def stand(
    cells: pd.DataFrame,
    parts: pd.DataFrame | None,
    past: list[Past],
    indicators: dict[str, Indicator],
    rules: Rules,
) -> Standing:
    """Which of the new `cells` (marts.indicator_values, index 0..n-1) may move, held against every past release.

    `parts` is what each institution contributes now (PARTS), None where the warehouse does not say: then, as where a past
    release is remembered without parts, every changed figure counts as one institution's doing.
    """
    n = len(cells)
    none = np.zeros(n, dtype=bool)
    if not past or n == 0:
        return Standing(cells, none, none, none)
    before = _keyed(cells)[KEY].merge(_keyed(past[-1].cells), on=KEY, how="left", indicator=True)
    there = (before["_merge"] == "both").to_numpy()
    closed = cells["closed"].astype("boolean").fillna(True).to_numpy(dtype=bool)
    was_hidden = there & (before["status"] == "S").to_numpy() & closed
    old = before["value"].to_numpy(dtype=float, na_value=np.nan)
    new = cells["value"].to_numpy(dtype=float, na_value=np.nan)
    same = there & ((old == new) | (np.isnan(old) & np.isnan(new)))
    changed, share = none.astype(float), none.astype(float)
    isolating = none.copy()
    for p in _distinct(past):
        if parts is None or p.parts is None:
            then = _keyed(cells)[KEY].merge(_keyed(p.cells)[[*KEY, "value"]], on=KEY, how="left")
            was = then["value"].to_numpy(dtype=float, na_value=np.nan)
            count, part = np.where(~np.isnan(was) & (was != new), 1.0, 0.0), np.ones(n)
        else:
            count, part = movements(cells, indicators, parts, pd.read_parquet(p.parts))
        isolating |= np.array([c > 0 and rules.unsafe(c, s, 1.0) for c, s in zip(count, part, strict=True)], dtype=bool)
        if p is past[-1] or p.parts == past[-1].parts:
            changed, share = count, part
    relations = find_relations(cells, indicators)
    held = closed & there & ~was_hidden & isolating & ~same
    if held.any():
        movement = cells.assign(
            value=np.where(np.isnan(old), new, new - old),
            contributors=pd.array(changed, dtype="Float64"),
            largest_share=share,
        )
        free = closed & ((changed > 0) | ~there | held) & ~np.isnan(new)
        hiding = Hiding(movement, indicators, rules, free, held, relations)
        hiding.hidden |= was_hidden & (changed > 0)
        held = hiding.run() & there & ~was_hidden & ~same
    stays = _still_hidden(was_hidden, was_hidden & (changed > 0) & ~isolating, relations)
    out = cells.copy()
    for c in ("value", "status", "records", "files", "synthetic", *INSIDE):
        published = before[c]
        # What stood behind a release that is forgotten is taken to be what stands behind it now.
        new_stays = ~held | (published.isna().to_numpy() if c in INSIDE else False)
        out[c] = out[c].where(new_stays, published.astype(out[c].dtype))
    said = before["note"].map(_held_note)
    out["note"] = out["note"].astype("object").where(~held, said)
    return Standing(out, held, stays, there & ~was_hidden & (same | held))


def _keyed(cells: pd.DataFrame) -> pd.DataFrame:
    return cells.astype({"year": "int64"})


def _held_note(note: object) -> str:
    before = note if isinstance(note, str) else ""
    return before if HELD_ZH in before else " ".join(filter(None, (before, f"{HELD_ZH}。 {HELD_EN}.")))


def _distinct(past: list[Past]) -> list[Past]:
    """One release for each set of contributions, the latest of them."""
    return list({(p.parts or p.release_id): p for p in past}.values())


def _still_hidden(was: np.ndarray, moved: np.ndarray, relations: list) -> np.ndarray:
    """The cells hidden before that are linked, through cells hidden before, to one that has not moved."""
    stays = was & ~moved
    links = [[c for c in r.cells if was[c]] for r in relations]
    links = [cells for cells in links if len(cells) > 1]
    grew = True
    while grew:
        grew = False
        for cells in links:
            if stays[cells].any() and not stays[cells].all():
                stays[cells] = grew = True
    return stays


def movements(
    cells: pd.DataFrame, indicators: dict[str, Indicator], now: pd.DataFrame, then: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """For each cell how many institutions' contributions differ between `then` and `now`, and the largest one's share of the
    difference (0..1). A contribution counts in every year of a period, and in both years of a change."""
    rows = []
    for at, (indicator, factors, year, dimension, member) in enumerate(
        zip(*(cells[c] for c in ("indicator_id", "factor_set", "year", "dimension", "member")), strict=True)
    ):
        p = place(int(year), dimension, member)
        about = indicators.get(indicator, Indicator())
        years = range(p.first, p.year + 1) if p.over == "period" else {p.first, p.year}
        of = (about.change_of or about.compares or indicator) if p.over == "base" else indicator
        rows += [(at, of, factors, y, p.group, "all" if p.group == "total" else p.member) for y in years]
    places = pd.DataFrame(rows, columns=["cell", "indicator_id", "factor_set", "year", "dimension", "member"])
    with duckdb.connect() as con:
        for name, frame in (("now", now), ("earlier", then), ("places", places)):
            con.register(name, frame)
        found = con.execute(f"""
            with parted as (
                select {", ".join(PARTS)}, 1 as side from (select {", ".join(PARTS)} from now except all select {", ".join(PARTS)} from earlier)
                union all
                select {", ".join(PARTS)}, -1 from (select {", ".join(PARTS)} from earlier except all select {", ".join(PARTS)} from now)
            ),
            spread as (
                select *, unnest(case breakdown
                    when '' then [{{'d': 'total', 'm': 'all'}}, {{'d': 'district', 'm': district}},
                                  {{'d': 'org_type', 'm': org_type}}, {{'d': 'level', 'm': admin_level}}]
                    when 'total' then [{{'d': 'total', 'm': 'all'}}]
                    else [{{'d': breakdown, 'm': breakdown_member}}] end) as place
                from parted
            ),
            by_org as (
                select places.cell, spread.org, spread.year,
                       abs(sum(side * numerator)) as top, abs(sum(side * coalesce(denominator, 0))) as bottom
                from spread join places on places.indicator_id = spread.indicator_id
                    and places.factor_set = spread.factor_set and places.year = spread.year
                    and places.dimension = spread.place.d and places.member = spread.place.m
                group by all
            ),
            moved as (
                select cell, org, sum(top) as top, sum(bottom) as bottom from by_org group by all
                having sum(top) <> 0 or sum(bottom) <> 0
            )
            select cell, count(*) as orgs,
                   greatest(coalesce(max(top) / nullif(sum(top), 0), 0), coalesce(max(bottom) / nullif(sum(bottom), 0), 0))
            from moved group by cell""").fetchall()
    count, share = np.zeros(len(cells)), np.zeros(len(cells))
    for at, orgs, largest in found:
        count[at], share[at] = orgs, float(largest)
    return count, share
