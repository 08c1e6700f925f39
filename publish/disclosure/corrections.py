"""Figures that the bureau declared wrong: which of them are replaced openly, and which are withdrawn.

Belongs here: what a correction reaches, and what it does to each figure. Not here: whether a closed figure may move
(history.py decides that, for corrections as for late reports), or the ledger of decisions (pipelines/sources/decisions.py).

A correction names a figure as a past release published it. It reaches every figure that holds the same error: those behind
which the same institutions' contributions of the same years have changed since. Each of them is then

- *replaced* by what the records give now, where history.py lets it move: the difference from the old figure is the doing of
  enough institutions;
- *withdrawn* where history.py would freeze it as last published. The difference of the two is the error of a few
  institutions, and an error is often a multiple of the right value: of a slip by ten it is nine times the value itself. So
  the right figure is not shown; nor may the wrong one stay published as if it were true.

A release with figures withdrawn discloses just what the same release with them frozen would disclose: what is left out is the old
figure, which a past release shows. So it is made as if they were frozen, and stored so, and what history.py proves holds of it
word for word; a figure that was withdrawn comes back when it may move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipelines.sources.decisions import Decision
from publish.disclosure.hiding import KEY
from publish.disclosure.history import Parts, Past, aligned, is_frozen, reach
from publish.disclosure.relations import Indicator, cube_cell
from publish.wording import correction, phrase

FIGURE = "figure"  # the kind of decision
CELL = ("dimension", "member", "factor_set")  # what a decision may name besides an indicator and a year
REPLACED, WITHDRAWN = "replaced", "withdrawn"
WITHDRAWN_ZH = phrase("corrected", WITHDRAWN, "zh")


@dataclass(frozen=True)
class Corrected:
    """`cells` as they are published, with the column `revised` (replaced, withdrawn or null); `withdrawn` marks by position those
    that show nothing for it; `rows` are those of the public table corrections, one per figure reached."""

    cells: pd.DataFrame
    withdrawn: np.ndarray
    rows: list[dict[str, Any]]


def correct(
    cells: pd.DataFrame,
    published: pd.DataFrame,
    frozen: np.ndarray,
    decisions: Sequence[Decision],
    parts: Parts | None,
    past: list[Past],
    indicators: dict[str, Indicator],
) -> Corrected:
    """What the `decisions` of the kind FIGURE do to `published`, the cells after suppression, of which `frozen` (by position)
    are frozen. `cells` are those of the records (marts.indicator_values), in the same order.

    A figure that is named and behind which nothing has changed is withdrawn: the bureau says that it is wrong, and nobody
    knows the right one yet. Of a release whose contributions are forgotten it is not known who moved what: there a
    correction reaches what it names, and every figure of that year that is frozen.
    """
    n = len(cells)
    now, shows = (f["value"].to_numpy(dtype=float, na_value=np.nan) for f in (cells, published))
    earlier = [aligned(cells, p.cells) for p in past] if decisions else []
    number, was = np.full(n, -1), np.full(n, np.nan)
    gone = np.zeros(n, dtype=bool)
    for which, d in enumerate(decisions):
        until, named = _until(past, d), selected(cells, d)
        if until == 0 or not named.any():
            continue
        old, at_release, since = _as_published(earlier, until)
        there = ~np.isnan(old)
        moved = there & (now != old)  # a frozen figure has moved in the records
        wrong = moved & (named | _reached(cells, parts, past, indicators, named, at_release, moved, d, until))
        if not (named & wrong).any():
            wrong |= named & there & ~since
        gone = np.where(wrong, ~since & (frozen | (now == old)), gone)
        number[wrong], was[wrong] = which, old[wrong]
    out = published.copy()
    out["value"], out["status"] = out["value"].mask(gone), out["status"].mask(gone, "Q")
    for column in ("records", "files"):
        out[column] = out[column].astype("Int64").mask(gone)
    revised, notes = np.full(n, None, dtype=object), out["note"].astype("object").to_numpy(copy=True)
    rows = []
    for at in np.flatnonzero(number >= 0):
        d = decisions[number[at]]
        shown = None if gone[at] or np.isnan(shows[at]) else float(shows[at])
        revised[at] = WITHDRAWN if shown is None else REPLACED
        if gone[at] or shown is not None:  # what is suppressed for other reasons says that, as ever
            # The halves are distinguished by their script: what is Chinese has no place in the English one.
            why_en = d.why_en if d.why_en.isascii() else None
            mark = correction(WITHDRAWN if gone[at] else REPLACED, d.why_zh, why_en, d.by, str(d.since))
            notes[at] = mark if gone[at] or not isinstance(notes[at], str) else f"{notes[at]} {mark}"
        cell = out.iloc[at]
        rows.append(
            {k: int(cell[k]) if k == "year" else cell[k] for k in KEY}
            | {"outcome": revised[at], "old_value": float(was[at]), "new_value": shown, "unit": cell["unit"]}
            | {"was_in": d.details["release"], "decided_by": d.by, "why_zh": d.why_zh, "why_en": d.why_en, "since": d.since}
        )  # fmt: skip
    for column, texts in (("note", notes), ("revised", revised)):
        out[column] = pd.Series(texts, index=out.index, dtype=object)
    return Corrected(out, gone, rows)


def selected(cells: pd.DataFrame, d: Decision) -> np.ndarray:
    """The cells that a decision names: an indicator and year, and a dimension, member or factor set where it says one."""
    asked = d.details
    out = (cells["indicator_id"] == asked["indicator_id"]) & (cells["year"].astype("int64") == asked["year"])
    for c in CELL:
        if asked.get(c) is not None:
            out &= cells[c] == asked[c]
    return out.to_numpy(dtype=bool)


def _until(past: list[Past], d: Decision) -> int:
    """How many of the past releases may have the wrong figure: up to the one that the decision names."""
    names = [p.release_id for p in past]
    if d.details["release"] in names:
        return names.index(d.details["release"]) + 1
    return min(int(d.details["releases"]), len(past))


def _as_published(earlier: list[pd.DataFrame], until: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the first `until` releases the last figure published of each cell (NaN: none) and the number of the release whose state
    it is (-1: none); and whether a later release has shown a newer state."""
    n = len(earlier[0])
    old, at_release, since = np.full(n, np.nan), np.full(n, -1), np.zeros(n, dtype=bool)
    for number, frame in enumerate(earlier):
        value = frame["value"].to_numpy(dtype=float, na_value=np.nan)
        current = ~np.isnan(value) & ~frame["note"].map(is_frozen).to_numpy(dtype=bool)
        if number < until:
            old = np.where(np.isnan(value), old, value)
            at_release = np.where(current, number, at_release)
        else:
            since |= current & (value != old)
    return old, at_release, since


def _reached(
    cells: pd.DataFrame,
    parts: Parts | None,
    past: list[Past],
    indicators: dict[str, Indicator],
    named: np.ndarray,
    at_release: np.ndarray,
    moved: np.ndarray,
    d: Decision,
    until: int,
) -> np.ndarray:
    """Of the cells that have `moved` since the release whose state they showed (`at_release`), those behind which the same
    institutions' contributions of the same years have changed as behind the `named`."""
    year = d.details["year"]
    triples = zip(cells["year"], cells["dimension"], cells["member"], strict=True)
    places = [cube_cell(int(y), dimension, member) for y, dimension, member in triples]
    # A change since a base year, or a sum of years, would name whoever moved in the other years as well.
    plain = named & np.array([p.over == "" for p in places], dtype=bool)
    origin = plain if plain.any() else named
    who, unknown = [], parts is None
    for number in sorted(set(at_release[origin & (at_release >= 0)])):
        then, mine = past[number].parts, origin & (at_release == number)
        # Whose doing the error was is seen in the first release that has it no more: what changes later is another matter.
        for after in (*(p.parts for p in past[until:]), parts):
            if then is None or after is None:
                unknown = True
                break
            found = reach(cells, indicators, after, then, mine)[1]
            if len(found):
                who.append(found)
                break
    out = np.zeros(len(cells), dtype=bool)
    if unknown:
        out |= moved & np.array([p.first <= year <= p.year for p in places], dtype=bool)
    if not who or parts is None:
        return out
    them = pd.concat(who).drop_duplicates()
    if plain.any():
        them = them[them["year"] == year]
    for number in sorted(set(at_release[moved & (at_release >= 0)])):
        then = past[number].parts
        mine = moved & (at_release == number)
        if then is not None:
            out |= mine & reach(cells, indicators, parts, then, mine, them)[0]
    return out
