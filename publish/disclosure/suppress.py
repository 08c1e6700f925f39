"""Suppresses the indicator values that would disclose single institutions, and as few others as protect them.

Belongs here: primary suppression, and the order of all steps after it. Not here: the programmes of complementary suppression
(hiding.py), the relations between cells (relations.py), the attack that tries the result (audit.py), or reading and writing.

Primary: a value made from anything that is not open in rows is hidden where fewer than `min_contributors` institutions
contribute to it, or where one holds more than `max_share` of it (the minimum frequency rule and the (1, k) dominance rule;
Hundepool et al., Statistical Disclosure Control, Wiley 2012, section 4.2).

Complementary: the linear programming heuristic for the cell suppression problem (Kelly, Golden, Assad, Networks 22, 1992;
Fischetti and Salazar-Gonzalez, Management Science 47(7), 2001, for the model and its attacker). For each primary cell p
and each direction, the cheapest deviation of the whole system of cells is found that moves p by its protection level, keeps
every relation and no value negative; every cell that moves is hidden. The published cells are then consistent with a p that
is higher by its protection and with one that is lower: no linear programme over them can bound p more narrowly.

Besides, what is hidden in one row can be had as the total less the published members. That remainder is itself a figure
about the institutions behind it, so it must pass the primary rules too; else the next smallest member is hidden as well.

Differences between two releases are kept by history.py. What is not covered: institutions that know their own figures
beyond the rule for remainders.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from publish.disclosure.contributions import Parts
from publish.disclosure.hiding import COUNTS, KEY, Hiding, costs, scales
from publish.disclosure.kept import ResultCache
from publish.disclosure.membership import State, families
from publish.disclosure.relations import Indicator, cube_cell
from publish.disclosure.rules import Rules
from publish.disclosure.unions import withhold
from publish.wording import both

NOTE = both("suppressed", "value")
EMPTY_NOTE = both("suppressed", "no_institution")


@dataclass(frozen=True)
class Suppressed:
    """`cells` as they may be published; `primary` and `secondary` mark (by position) what was hidden, and why."""

    cells: pd.DataFrame
    primary: np.ndarray
    secondary: np.ndarray


@dataclass(frozen=True)
class Knowledge:
    """What a reader of the new release knows besides its figures: the institutions behind each (`parts`, history.PARTS), the
    states that `past` releases showed, and that the cells of `frozen` (by position) show one of those and nothing new."""

    parts: Parts
    past: tuple[State, ...] = ()
    frozen: np.ndarray | None = None


def suppress(
    cells: pd.DataFrame,
    indicators: dict[str, Indicator],
    rules: Rules | None = None,
    stay_hidden: np.ndarray | None = None,
    known: np.ndarray | None = None,
    near: Iterable[tuple[int, int]] = (),
    reader: Knowledge | None = None,
    kept: ResultCache | None = None,
) -> Suppressed:
    """Hides what must be hidden: value, records and files become null, status 'Q', with one note for all.

    By position: `stay_hidden` are hidden whatever the rules say, `known` are known to readers of the last release, so that nothing
    is protected by hiding them (history.py gives both); `near` are pairs of a ratio or comparison and a sum beside it that
    leave too few institutions between them (ties.py); `reader` is the knowledge of which institutions contribute to each value.
    What was worked out before is taken from `kept`.

    `cells` has one row per indicator, year, dimension, member and factor set, with contributors (institutions),
    largest_share (0..1) and closed, and may have closed_value; `indicators` says what each indicator is made of. Open values pass as they are.
    A closed value without contributors becomes missing ('O'): there is nothing to hide.
    """
    rules = rules or Rules()
    out = cells.reset_index(drop=True).copy()
    closed = out["closed"].astype("boolean").fillna(True).to_numpy(dtype=bool)
    empty = closed & (out["contributors"].fillna(-1) == 0).to_numpy(dtype=bool) & out["value"].notna().to_numpy()
    valued = closed & out["value"].notna().to_numpy() & ~empty
    contributors = out["contributors"].to_numpy(dtype=float, na_value=np.nan)
    share = out["largest_share"].to_numpy(dtype=float, na_value=np.nan)
    value = out["value"].to_numpy(dtype=float, na_value=np.nan)
    primary = valued & np.array(list(map(rules.unsafe, contributors, share, value)), dtype=bool)
    tied = valued & ~primary & _ties_to_hide(out, indicators, near, known)
    if stay_hidden is not None:
        tied |= valued & ~primary & stay_hidden
    hidden = primary | tied
    if primary.any():
        free = valued if known is None else valued & (~known | hidden)
        hiding = Hiding(out, indicators, rules, free, primary)
        hiding.hide(np.flatnonzero(tied))
        hidden = hiding.run(kept=kept)
    if reader is not None:
        hidden |= _unions(out, indicators, rules, valued, hidden, reader, known, kept)
    out["value"] = out["value"].mask(hidden | empty)
    out["status"] = out["status"].mask(hidden, "Q").mask(empty, "O")
    out["note"] = out["note"].astype("object").mask(hidden, NOTE).mask(empty, EMPTY_NOTE)
    for column in COUNTS:
        if column in out:
            out[column] = out[column].astype("Int64").mask(hidden)
    return Suppressed(out, primary, hidden & ~primary)


def _unions(
    cells: pd.DataFrame,
    indicators: dict[str, Indicator],
    rules: Rules,
    valued: np.ndarray,
    hidden: np.ndarray,
    reader: Knowledge,
    known: np.ndarray | None,
    kept: ResultCache | None,
) -> np.ndarray:
    """What must be hidden besides, so that nothing follows from the figures of all dimensions together (unions.py)."""
    shown = valued & ~hidden
    if reader.frozen is not None:
        shown &= ~reader.frozen
    found = families([*reader.past, State(cells, shown, reader.parts, known)], indicators, kept)
    return withhold(found, rules, hidden, shown, costs(cells, scales(cells)))


def _ties_to_hide(
    cells: pd.DataFrame, indicators: dict[str, Indicator], near: Iterable[tuple[int, int]], known: np.ndarray | None
) -> np.ndarray:
    """The ties to hide, of pairs (tie, whole) between which too few institutions are, and the changes that would give them back.

    Without the tie nothing follows from numerator and denominator, so it is the tie that goes and not the sums. A change
    that is `known` gives back a ratio of then, and stays.
    """
    shown = cells["value"].notna().to_numpy()
    out = np.zeros(len(cells), dtype=bool)
    for tie, whole in near:
        out[tie] |= bool(shown[whole])
    keys = cells[KEY].astype({"year": "int64"}).itertuples(index=False, name=None)
    at: dict[tuple[str, int, str, str, str], int] = {k: n for n, k in enumerate(keys)}
    changes = []
    for (indicator, year, dimension, member, factors), n in at.items():
        base = indicators.get(indicator, Indicator()).change_of
        p = cube_cell(year, dimension, member)
        if p.over == "base" and base is not None:
            inner = ("total", "all") if p.group == "total" else (p.group, p.member)
            changes.append((n, [(base, y, *inner, factors) for y in (p.year, p.first)]))
    for n, ratios in changes:
        out[n] |= (known is None or not known[n]) and any(k in at and out[at[k]] for k in ratios)
    return out
