"""The specification of a chart (Vega-Lite): bars from zero with their figures, lines for national averages and targets.

Belongs here: the series of an indicator and the looks of its chart. Not here: drawing it (charts.py).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from publish.site import numbers, units
from publish.site.language import Language, Pair, pair

SMALL = 400  # pixels; a chart narrower than this is set in smaller type
BESIDE: dict[Language, tuple[int, int]] = {
    "zh": (74, 92),
    "en": (92, 112),
}  # pixels for the label of a line, narrow and wide
INK, QUIET, BAR, PALE, LINE, MARK = "#1c2b2d", "#56666a", "#0f6b6b", "#86b3b1", "#dfe6e5", "#9a4a00"
FONTS = "'PingFang SC','Hiragino Sans GB','Microsoft YaHei','Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC',sans-serif"

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
LINES = "select * from benchmarks where indicator_id = :id order by year, benchmark_id"


def lines_of(benchmarks: list[dict[str, Any]], indicator: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lines of an indicator's chart: the newest national average and the newest target in its unit.

    A target has comparison `target`, or in older releases 目标 or Target in its name.
    """
    newest: dict[bool, dict[str, Any]] = {}
    for b in benchmarks:
        if b.get("indicator_id") != indicator["indicator_id"] or b["unit"] != indicator["unit"] or b["value"] is None:
            continue
        if (b.get("dimension") or "total") not in ("total", "base"):
            continue  # of one kind of institution
        named = f"{b.get('name_zh') or ''} {b.get('name_en') or ''}"
        target = b.get("comparison") == "target" or "目标" in named or "Target" in named
        newest[target] = b | {"target": target}
    return [newest[t] for t in sorted(newest)]


def series(conn: sqlite3.Connection, indicator_id: str | None = None) -> list[dict[str, Any]]:
    """Return every indicator (or the one named) with two or more yearly totals.

    `points`: year, value (None where suppressed or missing) and status; `lines`: national average and target.
    """
    tables = {r[0] for r in conn.execute("select name from sqlite_master where type = 'table'")}
    out = []
    for i in conn.execute("select * from indicators order by indicator_id"):
        if indicator_id not in (None, i["indicator_id"]):
            continue
        points = [
            {"year": str(r["year"]), "value": r["value"], "status": r["status"]}
            for r in conn.execute(TOTALS, {"id": i["indicator_id"]})
        ]
        if sum(p["value"] is not None for p in points) >= 2:
            held = []
            if "benchmarks" in tables:
                held = lines_of([dict(b) for b in conn.execute(LINES, {"id": i["indicator_id"]})], dict(i))
            out.append(dict(i) | {"points": points, "lines": held})
    return out


def line_name(language: Language, line: dict[str, Any]) -> str:
    """Return the label of a line, in two rows: national average or target; its figure and year."""
    what = (pair("Target") if line["target"] else pair("National average"))[0 if language == "zh" else 1]
    value = numbers.number(line["value"] / line.get("size", 1))
    return f"{what}\n{value}（{line['year']}）" if language == "zh" else f"{what}\n{value} ({line['year']})"


def _apart(values: list[float], unit: float, least: int) -> list[float]:
    """Return the offset (pixels, downward) of the label of each of at most two lines, so that labels are `least` pixels apart;
    `unit`: data units per pixel."""
    if len(values) < 2 or (gap := abs(values[0] - values[1]) / unit) >= least:
        return [0.0] * len(values)
    move = round((least - gap) / 2, 1)
    return [-move, move] if values[0] >= values[1] else [move, -move]


@dataclass(frozen=True)
class _Frame:
    """What the layers of one chart share: rows and lines divided by a common scale, and the size of the plot.

    `rows`: year, text and exact (the figure, short and as published), at (its height), pale; `held`: name and height of each line.
    """

    rows: list[dict[str, Any]]
    held: list[dict[str, Any]]
    scale: str
    width: int
    small: bool

    @property
    def height(self) -> int:
        return 190 if self.small else 270

    @property
    def ends(self) -> tuple[float, float]:
        """Return the lowest and highest value of the axis."""
        values = [0.0, *(float(r["at"]) for r in self.rows), *(float(h["at"]) for h in self.held)]
        return min(values), max(values)

    @property
    def span(self) -> float:
        low, high = self.ends
        return high - low or 1.0

    @property
    def falls(self) -> bool:
        return any(r["at"] < 0 for r in self.rows)


def _frame(indicator: dict[str, Any], release_id: str, width: int, language: Language) -> _Frame:
    lines = indicator.get("lines") or []
    values = [p["value"] for p in indicator["points"] if p["value"] is not None]
    size, scaled = numbers.scale(language, [*values, *(h["value"] for h in lines)])
    decimals = numbers.places(
        [v / size for v in values], 2 if size > 1 else indicator.get("decimals"), indicator["unit"]
    )
    rows = [
        {
            "year": p["year"],
            "text": units.figure(language, p["value"] and p["value"] / size, p["status"], decimals),
            "exact": units.figure(language, p["value"], p["status"], indicator.get("decimals")),
            "at": (p["value"] or 0) / size,
            "pale": p["status"] in ("E", "F") or units.unfinished(release_id[:10], p["year"]),
        }
        for p in indicator["points"]
    ]
    held = [{"at": h["value"] / size, "name": line_name(language, h | {"size": size})} for h in lines]
    small = width < SMALL
    if held:  # their labels are beside the bars, where they cross nothing
        width -= BESIDE[language][0 if small else 1]
    return _Frame(rows, held, scaled, width, small)


def specification(
    indicator: dict[str, Any], release_id: str, synthetic: bool, width: int, language: Language = "zh"
) -> dict[str, Any]:
    """Return the Vega-Lite specification of one indicator's chart, `width` pixels wide."""
    import altair as alt

    frame = _frame(indicator, release_id, width, language)
    low, high = frame.ends
    base = alt.Chart(alt.Data(values=frame.rows)).encode(
        x=alt.X("year:O", axis=alt.Axis(title=None, labelAngle=0, domain=False, ticks=False, labelPadding=8)),
        y=alt.Y(
            "at:Q",
            scale=alt.Scale(domain=[low, high], zero=True, nice=True, padding=18 if frame.falls else 0),
            axis=alt.Axis(title=None, tickCount=4, gridColor=LINE, domain=False, ticks=False, format=",~r"),
        ),
    )
    shade = alt.condition("datum.pale", alt.value(PALE), alt.value(BAR))
    pointed = [
        alt.Tooltip("year:O", title=_in(language, pair("Year"))),
        alt.Tooltip("exact:N", title=units.unit(language, indicator["unit"]) or _in(language, pair("Value"))),
    ]
    bars = base.mark_bar(size=34 if frame.small else 62).encode(color=shade, tooltip=pointed)
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=QUIET).encode(y="zero:Q")
    layers = [bars, zero, *_lines(frame), *_figures(frame, base)]
    note = _note(frame, release_id, synthetic, language)
    titled = alt.layer(*layers).properties(
        width=frame.width, height=frame.height, title=_title(frame, indicator, language)
    )
    chart = (
        alt.vconcat(titled)
        .properties(
            title=alt.TitleParams(
                text=note if frame.small else " · ".join(note),
                orient="bottom",
                anchor="start",
                fontSize=11,
                color=QUIET,
                fontWeight="normal",
                offset=14,
            )
        )
        .configure(font=FONTS, background="#ffffff", autosize=alt.AutoSizeParams(type="pad", contains="padding"))
        .configure_axis(labelColor=QUIET, labelFontSize=11 if frame.small else 13)
        .configure_view(stroke=None)
    )
    return dict(chart.to_dict())


def _figures(frame: _Frame, base: Any) -> list[Any]:
    """Return the layers of figures: outside its bar, above a rise and below a fall; beside lines at the foot of the bar, where it
    crosses none."""
    import altair as alt

    style: dict[str, Any] = {"fontSize": 11 if frame.small else 14, "fontWeight": 600}
    foot = bool(frame.held) and not frame.falls and min(h["at"] for h in frame.held) > 0.2 * frame.span
    tall = 0.16 * frame.span if foot else 1e300
    figures = []
    for test, dy in ((f"datum.at >= 0 && datum.at < {tall}", -8), ("datum.at < 0", 12)):
        outside = base.transform_filter(test).mark_text(dy=dy, **style)
        figures.append(outside.encode(text="text:N", color=alt.value(INK)))
    if foot:
        on_bar = alt.condition("datum.pale", alt.value(INK), alt.value("#ffffff"))
        inside = base.transform_filter(f"datum.at >= {tall}").mark_text(dy=-12, **style)
        figures.append(inside.encode(y=alt.YDatum(0), text="text:N", color=on_bar))
    return figures


def _lines(frame: _Frame) -> list[Any]:
    """Return the layers of national averages and targets: a dashed line each, and its name beside the bars."""
    import altair as alt

    layers = []
    moves = _apart([h["at"] for h in frame.held], frame.span / frame.height, 30)
    for line, moved in zip(frame.held, moves, strict=True):
        across = alt.Chart(alt.Data(values=[line])).encode(y="at:Q")
        layers.append(across.mark_rule(color=MARK, strokeDash=[6, 4], strokeWidth=1.6))
        name = across.mark_text(
            align="left",
            baseline="middle",
            x=frame.width + 6,
            dy=moved,
            color=MARK,
            fontWeight=600,
            fontSize=11 if frame.small else 13,
            lineBreak="\n",
        )
        layers.append(name.encode(text="name:N"))
    return layers


def _title(frame: _Frame, indicator: dict[str, Any], language: Language) -> Any:
    """Return the title: the indicator's name, in two lines where it is long, and its unit."""
    import altair as alt

    unit = units.scaled_unit(language, frame.scale, indicator["unit"])
    colon = "：" if language == "zh" else ": "
    name = indicator["name_zh" if language == "zh" else "name_en"] or indicator["name_zh"]
    if frame.small and language == "en" and len(name) > 34:
        cut = name.rfind(" ", 0, 34)
        name = [name[:cut], name[cut + 1 :]] if cut > 0 else name
    return alt.TitleParams(
        text=name,
        subtitle=[f"{_in(language, pair('Unit'))}{colon}{unit}"] if unit else [],
        anchor="start",
        fontSize=15 if frame.small else 19,
        subtitleFontSize=12 if frame.small else 14,
        subtitleColor=QUIET,
        subtitlePadding=5,
        color=INK,
        offset=18,
    )


def _note(frame: _Frame, release_id: str, synthetic: bool, language: Language) -> list[str]:
    """Return the lines below the chart: its source, whether it is made up, why a bar is pale."""
    note = [_in(language, pair("Mingzhang")), f"{_in(language, pair('Release'))} {release_id}"]
    if synthetic:
        note[0] = f"{_in(language, pair('Made-up data'))} · {note[0]}"
    if any(r["pale"] for r in frame.rows):
        note.insert(0, _in(language, pair("Pale: estimated, forecast, or the year is not over")))
    return note


def _in(language: Language, phrase: Pair) -> str:
    return phrase[0 if language == "zh" else 1]
