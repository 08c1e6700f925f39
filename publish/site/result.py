"""A picture of the answer of a query: a chart over years, or bars beside categories; nothing where it has neither and a number.

Belongs here: what of an answer can be drawn. Not here: drawing (drawing.py), the page (templates/query.html).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from publish.site.drawing import MOST_SERIES, Chart, Point, Series
from publish.site.language import Language
from publish.site.numbers import compact, exact
from publish.site.units import unit

MOST_YEARS = 30
MOST_BARS = 60
MOST = 1e300  # beyond it a scale has no ticks
YEAR = re.compile(r"(?:19|20)\d\d")
MEASURES = ("value", "computed_value")  # columns that are drawn rather than another number


@dataclass(frozen=True)
class Bar:
    """A category with its number; `share`: of the largest in per cent, None where it is absent or below zero."""

    name: str
    text: str
    share: float | None


@dataclass(frozen=True)
class ResultChart:
    """What of an answer is drawn: `chart` over years or else `bars`; `column` is the number, `by` what tells its rows apart."""

    column: str
    by: str
    chart: Chart | None = None
    bars: tuple[Bar, ...] = ()


def result_chart(
    language: Language, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> ResultChart | None:
    """Return what can be drawn of an answer; None where a column of years or of different names, and a number, are not there.

    The first number is drawn, or the column named value. Years may have several series, told apart by one column of texts.
    """
    of = {name: [_cell(r[n]) for r in rows] for n, name in enumerate(columns)}
    if len(rows) < 2 or len(of) != len(columns) or len(set(of.get("unit", ()))) > 1:
        return None  # figures of several units have no axis in common
    year = next((c for c in columns if all(YEAR.fullmatch(str(v)) for v in of[c])), None)
    numbers = [c for c in columns if c != year and _is_number(of[c])]
    texts = [c for c in columns if c != year and all(isinstance(v, str) and v for v in of[c])]
    measure = next((c for c in MEASURES if c in numbers), numbers[0] if numbers else None)
    if measure is None:
        return None
    if year is not None and len(set(of[year])) > 1:
        return _over_years(language, title, of, year, measure, texts)
    by = next((c for c in texts if len(set(of[c])) == len(rows)), None)
    if by is None or len(rows) > MOST_BARS:
        return None
    most = max((v for v in of[measure] if v is not None), default=0)
    bars = tuple(
        Bar(str(name), "" if v is None else exact(v), v / most * 100 if v is not None and v >= 0 and most > 0 else None)
        for name, v in zip(of[by], of[measure], strict=True)
    )
    return ResultChart(measure, by, bars=bars)


def _cell(value: Any) -> Any:
    """Return a cell as the query gave it: Datasette shows an absent one as a space that does not break."""
    return None if isinstance(value, str) and value in ("", "&nbsp;", "\xa0") else value


def is_name(column: str, value: float) -> bool:
    """Return whether a number is a name, written without thousands marks: a year, a row, a code."""
    return column.endswith(("year", "_row", "code", "id")) or (isinstance(value, int) and 1900 <= value <= 2100)


def _is_number(values: Sequence[Any]) -> bool:
    known = [v for v in values if v is not None]
    return len(known) > 1 and all(isinstance(v, int | float) and abs(v) < MOST for v in known)


def _over_years(
    language: Language, title: str, of: dict[str, list[Any]], year: str, measure: str, texts: Sequence[str]
) -> ResultChart | None:
    """Return a chart of one series, or of those that one column of texts tells apart."""
    years = [str(y) for y in of[year]]
    units = set(of.get("unit", ()))
    if len(set(years)) == len(years):
        names, by = [""] * len(years), ""
    else:
        found = [
            c
            for c in texts
            if len(set(zip(years, of[c], strict=True))) == len(years) and len(set(of[c])) <= MOST_SERIES
        ]
        if not found:
            return None
        names, by = of[found[0]], found[0]
    if len(set(years)) > MOST_YEARS:
        return None

    def point(y: str, v: float | None) -> Point:
        return Point(y, None, "—", "—") if v is None else Point(y, float(v), compact(language, v), exact(v))

    def series(name: str) -> Series:
        points = [point(y, v) for y, v, n in zip(years, of[measure], names, strict=True) if n == name]
        return Series(name, tuple(sorted(points, key=lambda p: p.year)))

    drawn = tuple(series(n) for n in dict.fromkeys(names))
    told = "; ".join(f"{s.name} " * bool(s.name) + ", ".join(f"{p.year} {p.label}" for p in s.points) for s in drawn)
    chart = Chart(
        title or measure,
        unit(language, units.pop()) if len(units) == 1 else measure,
        drawn,
        label=f"{title or measure}: {told}",
    )
    return ResultChart(measure, by or year, chart)
