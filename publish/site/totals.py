"""The series of an indicator, and the lines that its chart holds it against.

Belongs here: which values and benchmarks those are. Not here: what a chart shows of them (pages/charting.py), its looks (drawing.py).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from publish.site import numbers
from publish.site.language import Language, pair

# The series of an indicator: its yearly totals, or for a change since a base year that change; by the factors in force.
TOTALS = """
    with main as (
        select dimension, coalesce(factor_set, '') as factors from indicator_values
        where indicator_id = :id and dimension in ('total', 'base')
        order by dimension <> 'total', coalesce(factor_set, '') not in ('', 'none', 'default'), 2 limit 1)
    select indicator_values.* from indicator_values join main using (dimension)
    where indicator_id = :id and coalesce(factor_set, '') = main.factors
    order by year
"""


def lines_of(
    benchmarks: list[dict[str, Any]], indicator: dict[str, Any], bases: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Return the lines of an indicator's chart: the newest national average and the newest target in its unit; of a change since one
    of `bases` the targets of that period.

    A target has comparison `target`, or in older releases 目标 or Target in its name.
    """
    newest: dict[bool, dict[str, Any]] = {}
    for b in benchmarks:
        if b.get("indicator_id") != indicator["indicator_id"] or b["unit"] != indicator["unit"] or b["value"] is None:
            continue
        if (b.get("dimension") or "total") not in ("total", "base"):
            continue  # of one kind of institution
        if bases and b.get("dimension") == "base" and b.get("member") not in bases:
            continue  # of another period
        named = f"{b.get('name_zh') or ''} {b.get('name_en') or ''}"
        target = b.get("comparison") == "target" or "目标" in named or "Target" in named
        newest[target] = b | {"target": target}
    return [newest[t] for t in sorted(newest)]


def line_name(language: Language, line: dict[str, Any]) -> str:
    """Return the label of a line, in two rows: national average or target; its figure and year."""
    what = (pair("Target") if line["target"] else pair("National average"))[0 if language == "zh" else 1]
    value = numbers.number(line["value"] / line.get("size", 1))
    return f"{what}\n{value}（{line['year']}）" if language == "zh" else f"{what}\n{value} ({line['year']})"
