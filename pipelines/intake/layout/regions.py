"""Splits a sheet into regions side by side, each with its own tables or form, at empty columns.

Belongs here: where one part ends and another begins, and what of one's heading holds for another. Not here: the tables in a part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from pipelines.intake.layout.heading import HeadingFacts
from pipelines.intake.layout.tables import Block
from pipelines.intake.packed import LargeRows

_FEWEST = 2  # columns, and rows of so many cells, of a form that is none of the table beside it


class Region(NamedTuple):
    """The columns from `left` up to `right` of a grid; `block`: the first header in them, None where there is none."""

    left: int
    right: int
    block: Block | None


def columns_apart(rows: Sequence[list[Any]]) -> list[tuple[int, int]]:
    """The runs of columns between empty columns, each as (first, last + 1)."""
    width = len(rows[0]) if rows else 0
    blank = set(range(width))
    if isinstance(rows, LargeRows):  # whose cells have no white space around them
        blank, rows = {j for j in blank if rows.is_blank(j)}, ()
    for row in rows:
        if not blank:
            break  # in most sheets after their header
        blank = {j for j in blank if row[j] == "" or (type(row[j]) is str and row[j].isspace())}
    edges = [-1, *sorted(blank), width]
    return [(a + 1, b) for a, b in pairwise(edges) if b > a + 1]


def regions(
    rows: Sequence[list[Any]], whole: Block | None, header_in: Callable[[int, int], Block | None]
) -> list[Region]:
    """The regions of a sheet that are read separately; [] where it is read as one, as nearly all are.

    `whole`: the first header of the sheet as one; `header_in`: that of some columns alone.
    """
    apart = columns_apart(rows)
    if len(apart) < 2:
        return []
    blocks = [header_in(a, b) for a, b in apart]
    if not any(blocks):
        return []
    first, last = _of_one_table(apart, blocks, whole)
    out: list[Region] = []
    for k, (a, b) in enumerate(apart):
        if first < k <= last:
            out[-1] = Region(out[-1].left, b, whole)
        elif out and blocks[k] is None and not _is_form(rows, (a, b), out[-1].block):
            out[-1] = out[-1]._replace(right=b)
        else:
            out.append(Region(a, b, whole if k == first < last else blocks[k]))
    if len(out) > 1 and out[0].block is None and not _is_form(rows, (out[0].left, out[0].right), out[1].block):
        out[:2] = [out[1]._replace(left=out[0].left)]
    return out if len(out) > 1 else []


def _of_one_table(apart: list[tuple[int, int]], blocks: list[Block | None], whole: Block | None) -> tuple[int, int]:
    """The first and the last run of columns that one header spans: its columns, or its tables side by side. (-1, -1): none."""
    if whole is None:
        return -1, -1
    dataset = whole.choices[0].dataset
    own = [c for c in whole.choices if c.dataset == dataset and c.fits]
    places = [m.place for c in own for m in c.mapped]
    runs = [k for k, (a, b) in enumerate(apart) if any(a <= p < b for p in places)]
    found = [b for k in runs if (b := blocks[k])]
    return (runs[0], runs[-1]) if len(runs) > 1 and len(found) < len(runs) else (-1, -1)


def _is_form(rows: Sequence[list[Any]], run: tuple[int, int], block: Block | None) -> bool:
    """Whether columns without a header of any dataset are a separate form: not where the header next to them has names over them."""
    a, b = run
    if b - a < _FEWEST or (
        block and any(type(v) is str and v for r in range(block.first, block.last + 1) for v in rows[r][a:b])
    ):
        return False
    begin = block.first if block else 0
    return sum(1 for r in rows[begin:] if b - a - r[a:b].count("") >= _FEWEST) >= _FEWEST


def handed_on(facts: Sequence[HeadingFacts], k: int) -> HeadingFacts:
    """The values that part `k` inherits from the headings of other parts: all of those to the left where its own states nothing, and a
    lone unit, such as 单位：万元 at the right end of a heading."""
    out = HeadingFacts(synthetic=any(f.synthetic for f in facts))
    own = facts[k]
    for n, other in enumerate(facts):
        if n < k and not (own.submitter or own.units or own.year):
            out.submitter = out.submitter or other.submitter
            out.year = out.year or other.year
            out.units = out.units or list(other.units)
            out.texts += other.texts
            out.labelled |= other.labelled
        elif n > k and len(other.texts) == 1 and own.texts:
            out.units = out.units or list(other.units)
    return out
