"""Charts as SVG: bars from zero for one series, lines for several; a mark by shape for what is not final.

Belongs here: geometry and looks. Not here: which series, and how a figure is written (pages/charting.py), PNG (charts.py).

Each chart is drawn for a wide page and for a phone: an SVG that is only scaled down has letters too small to read. Colours are
attributes, so that a file shows them anywhere, and classes, so that a page can have them dark (static/site.css). No figure is told
from another by colour alone: series differ in marker and dash, estimates in pattern.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

WIDTHS = {"wide": 700, "narrow": 343}
SMALL = 400  # pixels; a chart narrower than this is set in smaller type
FONTS = "'PingFang SC','Hiragino Sans GB','Microsoft YaHei','Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC',sans-serif"
COLOURS = {
    "ink": "#1c2b2d", "quiet": "#56666a", "paper": "#ffffff", "grid": "#dfe6e5", "mark": "#9a4a00",
    "s0": "#0f6b6b", "s1": "#a3331f", "s2": "#3a5fa8", "s3": "#8a6100", "s4": "#7b3f8c", "s5": "#3d7a1f", "s6": "#b0306a",
    "s7": "#4a5a5e",
    # Of a map: classes of value from low to high with the ink on each, and the ground of what has no value.
    "t0": "#e6f1ef", "t1": "#c3dfdb", "t2": "#96c6c1", "t3": "#5fa8a4", "t4": "#1f7a78", "t5": "#0f4f4f", "edge": "#5c7173",
    "on-light": "#10282a", "on-dark": "#ffffff", "blank": "#f4f6f6", "on-blank": "#1c2b2d",
}  # fmt: skip
MOST_SERIES = 8
PAD = 16  # pixels around a chart in a file
DASHES = ("", "7 4", "2 3", "9 3 2 3", "", "7 4", "2 3", "9 3 2 3")
MARKERS = ("circle", "square", "triangle", "diamond", "diamond", "circle", "square", "triangle")
PATTERNS = {"E": "M0,8 L8,0 M-2,2 L2,-2 M6,10 L10,6", "F": "M0,8 L8,0 M0,0 L8,8", "P": "M0,2 L8,2 M0,6 L8,6"}


@dataclass(frozen=True)
class Point:
    """A year of a series. `value`: its height, None where there is none; `text`: the figure beside it; `label`: the figure with its
    unit and status; `mark`: E estimated, F forecast, P provisional, U year not over, else ""; `revised`: corrected since."""

    year: str
    value: float | None
    text: str
    label: str
    mark: str = ""
    revised: bool = False


@dataclass(frozen=True)
class Series:
    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class ReferenceLine:
    """A line across the chart, such as a national average; `name` in two rows."""

    value: float
    name: str


@dataclass(frozen=True)
class Chart:
    """What a chart shows. `label`: all of it in words; `legend`: each mark that occurs (E, F, P, U or r) with its name; `notes`: lines
    below it; `indexed`: in per cent of a year, so that the axis begins at 100."""

    title: str
    subtitle: str
    series: tuple[Series, ...]
    rules: tuple[ReferenceLine, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    label: str = ""
    indexed: bool = False


def measure(text: str, size: float) -> float:
    """Estimate the width of a text in pixels: a Chinese character is a square, a Latin one a little over half."""
    return sum(1.0 if ord(c) > 0x2E80 else 0.58 for c in text) * size


def wrapped(text: str, size: float, width: float) -> list[str]:
    """Break a text into lines of at most `width` pixels, at spaces, at slashes, and between Chinese characters."""
    lines, line, word = [], "", ""
    for c in (*text, ""):
        if c and not (c in " /&" or ord(c) > 0x2E80):
            word += c
            continue
        if line and measure(line + word + c.strip(), size) > width:
            lines.append(line.strip())
            line = ""
        line += word + c
        word = ""
    return [*lines, line.strip()] if line.strip() else lines or [""]


def shortened(text: str, size: float, width: float) -> str:
    """Cut a text to `width` pixels, with an ellipsis."""
    if measure(text, size) <= width:
        return text
    while text and measure(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def apart(places: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Move labels apart, keeping their order, so that each is `least` pixels below the one before and all are between low and high."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    out = list(places)
    at = low - least
    for i in order:
        at = out[i] = max(places[i], at + least)
    at = high + least
    for i in reversed(order):
        at = out[i] = min(out[i], at - least)
    return out


def ticks(low: float, high: float, wanted: int = 4, counted: bool = False) -> list[float]:
    """Return round values from at most `low` to at least `high`; of what is `counted` whole ones, and then both are whole."""
    high = high if high > low else low + 1.0
    span = high - low
    size = 10 ** math.floor(math.log10(span / wanted))
    steps = (round(m * size, 10) for m in (1, 2, 2.5, 5, 10))
    step = next(s for s in steps if s * wanted >= span * 0.999 and not (counted and s % 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


@dataclass
class Canvas:
    """Elements of an SVG in order."""

    parts: list[str] = field(default_factory=list)

    def add(self, tag: str, body: str | None = None, fill: str = "", stroke: str = "", **attributes: Any) -> None:
        names = [f"f-{fill}"] * bool(fill) + [f"k-{stroke}"] * bool(stroke)
        if extra := attributes.pop("cls", ""):
            names.append(str(extra))
        text = f' class="{" ".join(names)}"' if names else ""
        if fill:
            text += f' fill="{COLOURS[fill]}"'
        if stroke:
            text += f' stroke="{COLOURS[stroke]}"'
        for name, value in attributes.items():
            value = f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value
            if value != "":
                text += f" {name.replace('_', '-')}={quoteattr(str(value))}"
        self.parts.append(f"<{tag}{text}/>" if body is None else f"<{tag}{text}>{body}</{tag}>")

    def text(self, x: float, y: float, text: str, size: float, fill: str = "ink", **more: Any) -> None:
        self.add("text", escape(text), fill=fill, x=x, y=y, font_size=size, **more)

    def figure(self, x: float, y: float, text: str, size: float, revised: bool, **more: Any) -> None:
        """Write a figure over anything: with a halo in the colour of the paper, and a raised r where it was corrected."""
        body = escape(text) + (f'<tspan dy="-4" font-size="{size - 3:g}">r</tspan>' if revised else "")
        halo: dict[str, Any] = {"paint_order": "stroke", "stroke_width": 4.0, "stroke_linejoin": "round"}
        self.add("text", body, fill="ink", stroke="paper", x=x, y=y, font_size=size, **halo, **more)


@dataclass
class _Plot:
    """The frame of one chart: where a value and a year stand."""

    chart: Chart
    width: int
    ident: str
    top: float = 0.0
    left: float = 0.0
    right: float = 0.0
    canvas: Canvas = field(default_factory=Canvas)

    def __post_init__(self) -> None:
        self.small = self.width < SMALL
        self.size = 11 if self.small else 13
        self.height = 190.0 if self.small else 270.0
        values = [p.value for s in self.chart.series for p in s.points if p.value is not None]
        values += [r.value for r in self.chart.rules] + ([100.0] if self.chart.indexed else [0.0])
        self.ticks = ticks(min(values), max(values), counted=all(v == int(v) for v in values))
        self.years = list(dict.fromkeys(p.year for s in self.chart.series for p in s.points))
        self.years.sort()

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.top + self.height * (high - value) / ((high - low) or 1.0)

    @property
    def step(self) -> float:
        return (self.width - self.left - self.right) / max(len(self.years), 1)

    def x(self, year: str) -> float:
        return self.left + self.step * (self.years.index(year) + 0.5)

    def with_room(self, texts: Sequence[str], size: float) -> Sequence[str]:
        """The years that have room for their text, one for each year: all, or every second, third … so that the last is among them."""
        widest = max((measure(t, size) for t in texts), default=0.0)
        return self.years[::-1][:: max(1, math.ceil(widest / self.step))][::-1]

    @property
    def foot(self) -> float:
        return self.top + self.height


def svg(chart: Chart, width: int, ident: str, file: bool = False) -> str:
    """Draw a chart. `ident`: a name that no other SVG of the page has; `file`: for a file of its own, with a ground and its fonts."""
    plot = _Plot(chart, width, ident)
    plot.top = head(plot.canvas, width, chart.title, chart.subtitle)
    beside = [r.name for r in chart.rules]
    beside = [part for name in beside for part in name.split("\n")]
    if len(chart.series) > 1:
        beside += [f"{s.name} {_last(s)[1]}" for s in chart.series]
    plot.right = min(0.34 * width, max((measure(b, plot.size) + 20 for b in beside), default=4.0))
    plot.left = max(measure(_tick(t), plot.size) for t in plot.ticks) + 10
    _axis(plot)
    if len(chart.series) > 1:
        _curves(plot)
        _rules(plot)
    else:
        _bars(plot)
        _rules(plot)
        _figures(plot)  # over the lines, which their halo interrupts
    if not file:
        _columns(plot)
    height = _foot(plot)
    return whole(width, height, chart.label, _patterns(plot) + "".join(plot.canvas.parts), file)


def whole(width: int, height: float, label: str, body: str, file: bool, role: str = "img") -> str:
    """Return the SVG element around a body; for a file with a margin, a ground and its fonts."""
    pad = PAD if file else 0
    wide, high = width + 2 * pad, round(height) + 2 * pad
    ground = f'<rect x="-{pad}" y="-{pad}" width="{wide}" height="{high}" fill="{COLOURS["paper"]}"/>' if file else ""
    fonts = f' font-family="{FONTS}"' if file else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-pad} {-pad} {wide} {high}" width="{wide}" height="{high}" role="{role}" '
        f"aria-label={quoteattr(label)}{fonts}>{ground}{body}</svg>"
    )


def _tick(value: float) -> str:
    return f"{value:,.10g}".replace("-", "−")


def head(canvas: Canvas, width: int, title: str, subtitle: str) -> float:
    """Write title and unit; return the top of what is below them."""
    small = width < SMALL
    size = 15 if small else 19
    y = float(size)
    for line in wrapped(title, size, width):
        canvas.text(0, y, line, size, font_weight=700)
        y += size * 1.3
    if subtitle:
        for line in wrapped(subtitle, 12 if small else 14, width):
            canvas.text(0, y, line, 12 if small else 14, "quiet")
            y += 18
    return y + 14


def foot_notes(canvas: Canvas, width: int, y: float, notes: Iterable[str]) -> float:
    """Write notes from y on; return the end of the last."""
    for note in notes:
        for line in wrapped(note, 11, width):
            canvas.text(0, y, line, 11, "quiet")
            y += 15
    return y - 4


def _axis(plot: _Plot) -> None:
    end = plot.width - plot.right
    for value in plot.ticks:
        y = plot.y(value)
        zero = value == 0
        plot.canvas.add("line", stroke="quiet" if zero else "grid", x1=plot.left, x2=end, y1=y, y2=y)
        plot.canvas.text(plot.left - 8, y + 4, _tick(value), plot.size, "quiet", text_anchor="end")
    if plot.chart.indexed:
        plot.canvas.add("line", stroke="quiet", x1=plot.left, x2=end, y1=plot.y(100), y2=plot.y(100))
    for year in plot.with_room(plot.years, plot.size):
        plot.canvas.text(plot.x(year), plot.foot + 20, year, plot.size, "quiet", text_anchor="middle")


def _zero(plot: _Plot) -> float:
    return plot.y(100.0 if plot.chart.indexed else 0.0)


def _bars(plot: _Plot) -> None:
    wide, zero = min(62.0, plot.step * 0.7), _zero(plot)
    for p in plot.chart.series[0].points if plot.chart.series else ():
        if p.value is not None:
            x, y = plot.x(p.year), plot.y(p.value)
            _patterned(plot, p.mark, {"x": x - wide / 2, "y": min(y, zero), "width": wide, "height": abs(zero - y)})


def _figures(plot: _Plot) -> None:
    """Write each figure above its bar, or below one that falls."""
    zero, size = _zero(plot), plot.size + (0 if plot.small else 1)
    points = plot.chart.series[0].points if plot.chart.series else ()
    room = set(plot.with_room([p.text for p in points], size))
    for p in points:
        if p.year not in room:
            continue  # its figure is in the table, and in the words of its column
        y = zero if p.value is None else plot.y(p.value)
        at = y + (16 if y > zero else -8)
        plot.canvas.figure(plot.x(p.year), at, p.text, size, p.revised, text_anchor="middle", font_weight=600)


def _patterned(plot: _Plot, mark: str, shape: dict[str, Any]) -> None:
    """Draw a bar: filled, hatched where it has a mark, an empty frame where its year is not over."""
    if not mark:
        plot.canvas.add("rect", fill="s0", **shape)
    elif mark == "U":
        plot.canvas.add("rect", fill="paper", stroke="s0", stroke_width=1.6, stroke_dasharray="4 3", **shape)
    else:
        plot.canvas.parts.append(f'<g fill="url(#{plot.ident}-{mark})">')  # the class of a colour would win over it
        plot.canvas.add("rect", stroke="s0", stroke_width=1.6, **shape)
        plot.canvas.parts.append("</g>")


def _marker(canvas: Canvas, shape: str, x: float, y: float, colour: str, hollow: bool) -> None:
    look: dict[str, Any] = {"fill": "paper" if hollow else colour, "stroke": colour, "stroke_width": 1.8}
    if shape == "circle":
        canvas.add("circle", cx=x, cy=y, r=4.0, **look)
        return
    corners = {
        "square": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        "triangle": ((0, -5), (5, 4), (-5, 4)),
        "diamond": ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
    }[shape]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    canvas.add("polygon", points=points, **look)


def _curves(plot: _Plot) -> None:
    """Draw each series as a line with markers, interrupted where it has no value, its name and last figure at its end."""
    series = plot.chart.series
    ends = [_last(s) for s in series]
    places = apart([plot.y(v) for v, _ in ends], plot.size + 4, plot.top, plot.foot)
    for n, s in enumerate(series):
        colour, known = f"s{n % MOST_SERIES}", []
        for p in (*s.points, None):
            if p is not None and p.value is not None:
                known.append(f"{plot.x(p.year):.1f},{plot.y(p.value):.1f}")
                continue
            if len(known) > 1:
                look: dict[str, Any] = {"stroke_width": 2.2, "stroke_dasharray": DASHES[n % MOST_SERIES]}
                plot.canvas.add("polyline", stroke=colour, fill_opacity="0", points=" ".join(known), **look)
            known = []
        for p in s.points:
            if p.value is not None:
                x, y = plot.x(p.year), plot.y(p.value)
                _marker(plot.canvas, MARKERS[n % MOST_SERIES], x, y, colour, bool(p.mark))
                if p.revised:
                    plot.canvas.text(x + 6, y - 6, "r", plot.size - 2)
        x, y = plot.width - plot.right + 6, places[n]
        _marker(plot.canvas, MARKERS[n % MOST_SERIES], x + 2, y, colour, False)
        label = shortened(f"{s.name} {ends[n][1]}", plot.size, plot.right - 16)
        plot.canvas.text(x + 12, y + 4, label, plot.size)


def _last(series: Series) -> tuple[float, str]:
    """Return the newest value of a series and its figure; of one without any, nought and the reason of the newest."""
    known = [p for p in series.points if p.value is not None]
    if not known:
        return 0.0, series.points[-1].text if series.points else ""
    return float(known[-1].value or 0), known[-1].text


def _rules(plot: _Plot) -> None:
    places = apart([plot.y(r.value) for r in plot.chart.rules], 2 * plot.size + 6, plot.top, plot.foot)
    for rule, place in zip(plot.chart.rules, places, strict=True):
        y, end = plot.y(rule.value), plot.width - plot.right
        look: dict[str, Any] = {"stroke_width": 1.6, "stroke_dasharray": "6 4"}
        plot.canvas.add("line", stroke="mark", x1=plot.left, x2=end, y1=y, y2=y, **look)
        for n, part in enumerate(rule.name.split("\n")):
            at = place - 2 + n * (plot.size + 3)
            plot.canvas.text(end + 6, at, part, plot.size, "mark", font_weight=600)


def _columns(plot: _Plot) -> None:
    """Add a clear column over each year, with all its figures in words, for static/site.js to answer from."""
    for year in plot.years:
        said = [year]
        for s in plot.chart.series:
            at = next((p.label for p in s.points if p.year == year), "")
            if at:
                said.append(f"{s.name}\t{at}" if len(plot.chart.series) > 1 else at)
        x = plot.x(year) - plot.step / 2
        look: dict[str, Any] = {"fill_opacity": "0", "cls": "column", "data_said": "\n".join(said)}
        plot.canvas.add("rect", x=x, y=plot.top - 12, width=plot.step, height=plot.height + 12, **look)


def _foot(plot: _Plot) -> float:
    """Write the legend of marks and the notes; return the height of the whole."""
    y = plot.foot + 46
    x = 0.0
    for mark, name in plot.chart.legend:
        wide = measure(name, 11) + 34
        if x and x + wide > plot.width:
            x, y = 0.0, y + 18
        _swatch(plot, mark, x, y)
        plot.canvas.text(x + 22, y, name, 11, "quiet")
        x += wide
    if plot.chart.legend:
        y += 18
    return foot_notes(plot.canvas, plot.width, y, plot.chart.notes)


def _swatch(plot: _Plot, mark: str, x: float, y: float) -> None:
    if mark == "r":
        plot.canvas.text(x + 6, y, "r", 11, font_weight=700)
    elif len(plot.chart.series) > 1:
        _marker(plot.canvas, "circle", x + 8, y - 4, "s0", True)
    else:
        _patterned(plot, mark, {"x": x + 1, "y": y - 9, "width": 15.0, "height": 10.0})


def _patterns(plot: _Plot) -> str:
    wanted: Iterable[str] = [m for m, _ in plot.chart.legend if m in PATTERNS] if len(plot.chart.series) == 1 else []
    made = Canvas()
    for mark in wanted:
        inner = Canvas()
        inner.add("rect", fill="paper", width=8, height=8)
        inner.add("path", stroke="s0", d=PATTERNS[mark], stroke_width=1.8)
        size: dict[str, Any] = {"width": 8, "height": 8, "patternUnits": "userSpaceOnUse"}
        made.add("pattern", "".join(inner.parts), id=f"{plot.ident}-{mark}", **size)
    return f"<defs>{''.join(made.parts)}</defs>" if made.parts else ""
