"""Charts of indicators: which series a reader chose, and what their chart shows.

Belongs here: the choice in an address, figures in words, marks. Not here: looks (drawing.py), benchmarks (totals.py).

A choice is in the query of an address: `period`, whose years are shown; `show`, once for each series (`total`, `district/990102`); `as=index`, in per cent of the
first year that all have; `view`: chart, table, ranking, which has `by`, a dimension, and `year`, or map, which has `year`. Without one, the chart is of the
yearly totals.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from publish.site import drawing, numbers, units
from publish.site.drawing import MOST_SERIES, WIDTHS, Chart, Point, ReferenceLine
from publish.site.facts import Facts
from publish.site.language import Language, pair
from publish.site.tilemap import Tile, TileMap, tilemap_svg
from publish.site.totals import line_name
from publish.site.vocabulary import member_names, spell_plain

VIEWS = ("chart", "table", "map", "ranking")
DISTRICT = "district"
TOTAL = "total"
MARKS = ("E", "F", "P", "U")


@dataclass(frozen=True)
class ChartChoice:
    """What a reader chose to see. `unknown`: series that the indicator does not have."""

    show: tuple[str, ...] = ()
    indexed: bool = False
    view: str = "chart"
    unknown: tuple[str, ...] = ()
    by: str = ""
    year: int | None = None
    period: str = ""

    @property
    def series(self) -> tuple[str, ...]:
        return self.show or (TOTAL,)

    def query(self, **changes: Any) -> str:
        """Return the query of an address that shows this choice, with changes; "" for what is shown without one."""
        c = replace(self, **changes)
        args = [("period", c.period)] * bool(c.period)
        args += [("show", s) for s in c.show if c.show != (TOTAL,)]
        args += [("as", "index")] * c.indexed + [("view", c.view)] * (c.view != "chart")
        if c.view in ("ranking", "map"):
            args += [("by", c.by)] * (bool(c.by) and c.view == "ranking")
            args += [("year", str(c.year))] * (c.year is not None)
        return "?" + urllib.parse.urlencode(args, safe="/") if args else ""


@dataclass(frozen=True)
class Available:
    """A series that can be chosen: its key in an address, its name, its rows by year."""

    key: str
    dimension: str
    name: str
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Chosen:
    """The series chosen, at most MOST_SERIES of them drawn; `base`: the year that is 100, None where figures are absolute."""

    choice: ChartChoice
    available: tuple[Available, ...]
    series: tuple[Available, ...]
    chart: Chart
    base: int | None
    can_index: bool

    @property
    def left_out(self) -> int:
        return len(self.series) - MOST_SERIES

    def groups(self) -> dict[str, list[Available]]:
        """Return what can be chosen, by dimension."""
        out: dict[str, list[Available]] = {}
        for a in self.available:
            out.setdefault(a.dimension, []).append(a)
        return out


def chosen_from(args: Any, known: Iterable[str], period: str = "") -> ChartChoice:
    """Read a choice from the arguments of a request; `period`: the one of the years shown, where one was chosen."""
    wanted = list(dict.fromkeys(s[:120] for s in args.getlist("show") if s))
    known = set(known)
    view, year = args.get("view") or "chart", args.get("year") or ""
    return ChartChoice(
        period=period,
        by=(args.get("by") or "")[:120],
        year=int(year) if year.isascii() and year.isdecimal() and len(year) == 4 else None,
        show=tuple(s for s in wanted if s in known),
        indexed=args.get("as") == "index",
        view=view if view in VIEWS else "chart",
        unknown=tuple(s for s in wanted if s not in known),
    )


def available(
    language: Language, points: Sequence[Mapping[str, Any]], breakdowns: Mapping[str, Mapping[str, Any]]
) -> tuple[Available, ...]:
    """Return every series of an indicator: its totals, then the members of each breakdown that have single years."""
    at = 0 if language == "zh" else 1
    out = [Available(TOTAL, TOTAL, pair("Total")[at], tuple(points))]
    for dimension, table in breakdowns.items():
        if dimension == TOTAL or "/" in dimension:
            continue
        for member, by in table["members"].items():
            rows = tuple(r for column, r in by.items() if isinstance(column, int))
            if rows and member not in ("", "all"):
                name = member_names(member, table["names"])[at]
                out.append(Available(f"{dimension}/{member}", dimension, name, rows))
    return tuple(out)


def chosen(
    language: Language,
    facts: Facts,
    indicator: Mapping[str, Any],
    choice: ChartChoice,
    series: tuple[Available, ...],
    lines: Sequence[dict[str, Any]],
    revised: Mapping[int, Any],
    notes: tuple[str, ...] = (),
) -> Chosen:
    """Return the series of a choice and their chart. Lines and revisions are of the totals, and only shown with them."""
    by_key = {a.key: a for a in series}
    wanted = tuple(by_key[k] for k in choice.series)
    drawn = wanted[:MOST_SERIES]
    can_index = indicator["unit"] not in ("年", "年月") and not any(r["dimension"] == "base" for r in series[0].rows)
    base = _base(drawn) if choice.indexed and can_index else None
    only = drawn[0] if len(drawn) == 1 else None
    about = _ChartedIndicator(
        language, facts, indicator, [r["value"] for a in drawn for r in a.rows], base, lines if only else ()
    )
    made = [drawing.Series(a.name, about.points(a, revised if a.key == TOTAL else {})) for a in drawn]
    title = indicator["name_zh" if language == "zh" else "name_en"] or indicator["name_zh"]
    if only is not None and only.key != TOTAL:
        title = f"{title} · {only.name}"
    rules = about.rules(lines) if only is not None and only.key == TOTAL and base is None else ()
    chart = about.chart(title, made, rules, notes)
    return Chosen(choice, series, wanted, chart, base, can_index)


@dataclass(frozen=True)
class Ranked:
    """A place in a ranking. `value`: that of `text`, None where there is none, then `text` says why; `share`: the length of its bar in
    per cent, None where bars would mislead."""

    key: str
    name: str
    text: str
    mark: str
    value: float | None
    share: float | None
    suppressed: bool = False


@dataclass(frozen=True)
class Ranking:
    """The members of a dimension in a year, the largest first. `apart`: those that are no member like the others; `hidden`:
    those without a value; `total`: the figure of all."""

    dimension: str
    year: int
    dimensions: tuple[str, ...]
    years: tuple[int, ...]
    rows: tuple[Ranked, ...]
    apart: tuple[Ranked, ...]
    hidden: tuple[Ranked, ...]
    total: str
    unit: str


def ranking(
    language: Language,
    facts: Facts,
    indicator: Mapping[str, Any],
    choice: ChartChoice,
    series: Sequence[Available],
    own: frozenset[str],
) -> Ranking | None:
    """Return the ranking that a choice asks for: its dimension, else districts, else the first; its year, else the newest that is over
    and has two values. `own`: the keys of series that stand apart. None where nothing can be ranked."""
    values: dict[str, dict[int, list[tuple[Available, Mapping[str, Any]]]]] = {}
    for a in series:
        for r in a.rows if a.dimension != TOTAL else ():
            values.setdefault(a.dimension, {}).setdefault(r["year"], []).append((a, r))
    several = {
        d: sorted(y for y, of in by.items() if sum(r["value"] is not None for _, r in of) > 1)
        for d, by in values.items()
    }
    several = {d: years for d, years in several.items() if years}
    if not several or indicator["unit"] in ("年", "年月"):
        return None
    dimension = choice.by if choice.by in several else DISTRICT if DISTRICT in several else next(iter(several))
    over = [y for y in several[dimension] if not units.unfinished(facts.as_of, y)] or several[dimension]
    year = choice.year if choice.year in several[dimension] else over[-1]
    found = values[dimension][year]
    known = sorted((f for f in found if f[1]["value"] is not None), key=lambda f: -f[1]["value"])
    about = _ChartedIndicator(language, facts, indicator, [r["value"] for _, r in known], None, ())
    most = max((r["value"] for _, r in known), default=0)
    bars = most > 0 and all(r["value"] >= 0 for _, r in known)

    def ranked(a: Available, r: Mapping[str, Any]) -> Ranked:
        p = about._point(r, None, {})
        known = r["value"] is not None
        share = r["value"] / most * 100 if bars and known else None
        mark = about.mark(p.mark) if p.mark else ""
        return Ranked(a.key, a.name, p.text, mark, p.value, share, not known and r["status"] == "Q")

    whole = next((r for r in series[0].rows if r["year"] == year and r["value"] is not None), None)
    return Ranking(
        dimension,
        year,
        tuple(several),
        tuple(several[dimension]),
        tuple(ranked(a, r) for a, r in known if a.key not in own),
        tuple(ranked(a, r) for a, r in known if a.key in own),
        tuple(ranked(a, r) for a, r in found if r["value"] is None),
        about._point(whole, None, {}).text if whole else "",
        units.scaled_unit(language, about.scaled, indicator["unit"]),
    )


def tile_map(
    language: Language,
    facts: Facts,
    indicator: Mapping[str, Any],
    choice: ChartChoice,
    series: Sequence[Available],
    divisions: Sequence[Mapping[str, Any]],
    notes: tuple[str, ...] = (),
) -> tuple[TileMap, Ranking] | None:
    """Return the map of the districts in the year of a choice, and their ranking, which says the same in words; None where the city's
    folder places no district, or fewer than two of them have a figure. `divisions`: the rows of that table."""
    places = {f"{DISTRICT}/{d['code']}": (d["tile_column"], d["tile_row"]) for d in divisions if d.get("tile_column")}
    own = frozenset(f"{DISTRICT}/{d['code']}" for d in divisions if d.get("level") == "city")
    if not places:
        return None
    ranked = ranking(language, facts, indicator, replace(choice, by=DISTRICT), series, own)
    if ranked is None or ranked.dimension != DISTRICT:
        return None
    at = 0 if language == "zh" else 1
    tiles = []
    for m in (*ranked.rows, *ranked.apart, *ranked.hidden):
        figure = f"{m.text} {ranked.unit}" if m.value is not None and ranked.unit else m.text
        words = ", ".join(p for p in (f"{m.name} {figure}", str(ranked.year), m.mark) if p)  # begins as its tile reads
        href = replace(choice, view="chart", show=(m.key,)).query() + "#view"
        tiles.append(Tile(m.name, m.text, m.value, words, places.get(m.key), m.suppressed, href))
    shown = {m.key for m in (*ranked.rows, *ranked.apart, *ranked.hidden)}
    for d in divisions:  # one that has a place and no record at all
        key, none = f"{DISTRICT}/{d['code']}", pair("no record")[at]
        if key in places and key not in shown:
            name = d["name_zh" if at == 0 else "name_en"] or d["name_zh"]
            tiles.append(Tile(name, none, None, f"{name} {none}, {ranked.year}", places[key]))
    title, what = indicator["name_zh" if at == 0 else "name_en"] or indicator["name_zh"], pair("districts")[at]
    colon = "：" if language == "zh" else ": "
    subtitle = " · ".join(
        p for p in (str(ranked.year), f"{pair('Unit')[at]}{colon}{ranked.unit}" if ranked.unit else "") if p
    )
    explained = pair("Each division is one tile: neither boundaries nor areas are shown.")[at]
    made = TileMap(
        f"{title} · {what}",
        subtitle,
        tuple(tiles),
        pair("Not on the map:")[at],
        (pair("suppressed")[at], pair("no figure")[at]),
        (source_of(language, facts), explained, *notes),
        f"{title} ({subtitle}): " + "; ".join(t.label for t in tiles),
        language == "en",
    )
    return made, ranked


def source_of(language: Language, facts: Facts) -> str:
    """Return the line that names the release, and whether the data are made up."""
    at = 0 if language == "zh" else 1
    made_up = [pair("Made-up data")[at]] if facts.synthetic else []
    return " · ".join([*made_up, pair("Mingzhang")[at], f"{pair('Release')[at]} {facts.release_id}"])


def total_chart(
    language: Language,
    facts: Facts,
    indicator: Mapping[str, Any],
    points: Sequence[Mapping[str, Any]],
    lines: Sequence[dict[str, Any]],
) -> Chart:
    """Return the chart of an indicator's yearly totals."""
    totals = (Available(TOTAL, TOTAL, "", tuple(points)),)
    return chosen(language, facts, indicator, ChartChoice(), totals, lines, {}).chart


def figure(chart: Chart | TileMap, ident: str, grid: bool = False) -> Markup:
    """Return a chart or map as part of a page, for wide pages and for phones. `grid`: it is one of several in a row."""
    drawn = [
        Markup('<div class="{}">{}</div>').format(w, Markup(picture(chart, WIDTHS[w], f"{ident}-{w[0]}")))
        for w in WIDTHS
    ]
    return Markup('<figure class="chart{}">{}</figure>').format(" grid" if grid else "", Markup("").join(drawn))


def picture(of: Chart | TileMap, width: int, ident: str, file: bool = False) -> str:
    """Return a chart or a map as SVG."""
    if isinstance(of, TileMap):
        return tilemap_svg(of, width, ident, file)
    return drawing.svg(of, width, ident, file)


def _base(series: Sequence[Available]) -> int | None:
    """Return the first year in which every series has a value above zero."""
    years = [{r["year"] for r in a.rows if r["value"] is not None and r["value"] > 0} for a in series]
    return min(set.intersection(*years), default=None) if years else None


class _ChartedIndicator:
    """How the figures of one chart are written: one language, one scale, one number of decimals."""

    def __init__(
        self,
        language: Language,
        facts: Facts,
        indicator: Mapping[str, Any],
        values: list[Any],
        base: int | None,
        lines: Any,
    ):
        self.language, self.facts, self.indicator, self.base = language, facts, indicator, base
        self.at = 0 if language == "zh" else 1
        known = [v for v in values if v is not None]
        self.size, self.scaled = numbers.scale(language, [*known, *(h["value"] for h in lines)])
        limit = 2 if self.size > 1 else indicator.get("decimals")
        self.decimals = numbers.places([v / self.size for v in known], limit, indicator["unit"])
        if base is not None:
            self.size, self.scaled = 1.0, ""

    def translated(self, english: str, **values: Any) -> str:
        return pair(english)[self.at] % values

    def points(self, of: Available, revised: Mapping[int, Any]) -> tuple[Point, ...]:
        first = next((r["value"] for r in of.rows if r["year"] == self.base), None)
        return tuple(self._point(r, first, revised) for r in sorted(of.rows, key=lambda r: r["year"]))

    def _point(self, r: Mapping[str, Any], first: float | None, revised: Mapping[int, Any]) -> Point:
        value, status, unit = r["value"], str(r["status"]), self.indicator["unit"]
        open_year = units.unfinished(self.facts.as_of, r["year"])
        mark = "U" if open_year else status if status in MARKS else ""
        exact = units.figure(self.language, value, status, self.indicator.get("decimals"), unit)
        parts = [exact if value is None else units.amount(self.language, exact, unit)]
        if self.base is None or value is None:
            height = None if value is None else value / self.size
            text = units.figure(self.language, height, status, self.decimals, unit)
        else:
            height = value / first * 100 if first else None
            text = numbers.number(height, 1)
            parts.insert(0, text)
        if mark:
            parts.append(self.mark(mark))
        corrected = r["year"] in revised or r.get("revised") == "replaced"
        if corrected:
            parts.append(self.mark("r"))
        return Point(str(r["year"]), height, text, " · ".join(parts), mark if value is not None else "", corrected)

    def mark(self, mark: str) -> str:
        if mark == "U":
            return self.translated("year not over")
        return self.translated("corrected since") if mark == "r" else spell_plain(self.language, "status", mark)

    def rules(self, lines: Iterable[dict[str, Any]]) -> tuple[ReferenceLine, ...]:
        return tuple(
            ReferenceLine(h["value"] / self.size, line_name(self.language, h | {"size": self.size})) for h in lines
        )

    def chart(
        self, title: str, series: list[drawing.Series], rules: tuple[ReferenceLine, ...], notes: tuple[str, ...]
    ) -> Chart:
        points = [p for s in series for p in s.points]
        found = [m for m in MARKS if any(p.mark == m for p in points)] + ["r"] * any(p.revised for p in points)
        unit = units.scaled_unit(self.language, self.scaled, self.indicator["unit"])
        colon = "：" if self.language == "zh" else ": "
        subtitle = f"{self.translated('Unit')}{colon}{unit}" if unit else ""
        if self.base is not None:
            subtitle = self.translated("%(year)s = 100", year=self.base)
        source = source_of(self.language, self.facts)
        label = _in_words(title, unit if self.base is None else subtitle, series, rules)
        legend = tuple((m, self.mark(m)) for m in found)
        return Chart(title, subtitle, tuple(series), rules, legend, (source, *notes), label, self.base is not None)


def _in_words(title: str, unit: str, series: list[drawing.Series], rules: tuple[ReferenceLine, ...]) -> str:
    """Return all that a chart shows as a text: the alternative of the picture."""
    parts = []
    for s in series:
        years = ", ".join(
            f"{p.year} {p.text}" + (f" ({p.label.split(' · ', 1)[-1]})" if p.mark or p.revised else "")
            for p in s.points
        )
        parts.append(f"{s.name}: {years}" if len(series) > 1 else years)
    parts += [r.name.replace("\n", " ") for r in rules]
    return f"{title}{f' ({unit})' if unit else ''}: {'; '.join(parts)}"
