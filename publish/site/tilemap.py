"""Maps of equal tiles as SVG: one for each division, where the city's folder puts it, coloured by class of its value.

Belongs here: classes, geometry and looks. Not here: which divisions and figures (pages/charting.py), charts (drawing.py).

A tile shows neither boundary nor area, so the map needs no survey and no 审图号 (README, limits), and a small district is read as easily
as a large one. Each tile has its name and figure in words: colour is never the only sign, and what has no value has a pattern.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import quoteattr

from publish.site.drawing import SMALL, Canvas, foot_notes, head, measure, shortened, ticks, whole, wrapped
from publish.site.language import HAN

CLASSES = 6  # colours t0 to t5 of drawing.COLOURS
DARK = 4  # from this class on the ink is light
GAP = 5.0
LEGEND = 190.0  # pixels beside the tiles of a wide map
HATCH = "M0,8 L8,0 M-2,2 L2,-2 M6,10 L10,6"


@dataclass(frozen=True)
class Tile:
    """A division. `place`: column and row, from 1; None of one that stands apart. `value`: None where there is none, then `text` says
    why; `suppressed`: it is kept back; `label`: all of it in words; `href`: the address of its years."""

    name: str
    text: str
    value: float | None
    label: str
    place: tuple[int, int] | None = None
    suppressed: bool = False
    href: str = ""


@dataclass(frozen=True)
class TileMap:
    """What a map shows. `apart`: the heading of tiles without a place; `words`: what "suppressed" and "no figure" are called; `english`:
    Chinese names are marked as such."""

    title: str
    subtitle: str
    tiles: tuple[Tile, ...]
    apart: str
    words: tuple[str, str]
    notes: tuple[str, ...]
    label: str
    english: bool = False


def classes(values: Sequence[float]) -> list[float]:
    """Return the round bounds of at most CLASSES classes that hold all values; [] without values."""
    if not values:
        return []
    counted = all(v == int(v) for v in values)  # between two counts there is no bound
    for wanted in (5, 4, 3, 2, 1):
        bounds = ticks(min(values), max(values), wanted, counted)
        if len(bounds) - 1 <= CLASSES:
            return bounds
    return [min(values), max(values)]


def class_of(value: float, bounds: Sequence[float]) -> int:
    """Return the class of a value, from 0; a value on a bound belongs to the class above it, the largest to the last class."""
    return max(0, min(bisect_right(bounds, value) - 1, len(bounds) - 2))


def colour_of(which: int, count: int) -> int:
    """Return the number of the colour of a class: of few classes those far apart."""
    return round(which * (CLASSES - 1) / (count - 1)) if count > 1 else CLASSES // 2


@dataclass
class _TileGrid:
    """The measures of one map: size of a tile, origin of the grid."""

    map: TileMap
    width: int
    ident: str
    file: bool

    def __post_init__(self) -> None:
        self.small = self.width < SMALL
        self.canvas = Canvas()
        self.placed = [t for t in self.map.tiles if t.place is not None]
        self.across = max((t.place[0] for t in self.placed if t.place), default=1)
        room = self.width if self.small else self.width - LEGEND
        self.wide = min(118.0, (room - GAP * (self.across - 1)) / self.across)
        self.high = 58.0 if self.small else 62.0
        self.bounds = classes([t.value for t in self.placed if t.value is not None])

    def at(self, column: int, row: int) -> tuple[float, float]:
        return (column - 1) * (self.wide + GAP), (row - 1) * (self.high + GAP)


def tilemap_svg(of: TileMap, width: int, ident: str, file: bool = False) -> str:
    """Draw a map. `ident`: a name that no other SVG of the page has; in a `file` its tiles are no links."""
    grid = _TileGrid(of, width, ident, file)
    top = head(grid.canvas, width, of.title, of.subtitle)
    for t in grid.placed:
        assert t.place is not None
        x, y = grid.at(*t.place)
        _tile(grid, t, x, top + y)
    rows = max((t.place[1] for t in grid.placed if t.place), default=0)
    foot = top + rows * (grid.high + GAP)
    if grid.small:
        foot = _legend(grid, 0.0, _apart(grid, 0.0, foot + 12) + 8)
    else:
        x = grid.across * (grid.wide + GAP) + 24
        foot = max(foot, _apart(grid, x, _legend(grid, x, top + 10) + 10))
    height = foot_notes(grid.canvas, width, foot + 22, of.notes)
    pattern = (
        f'<defs><pattern id="{ident}-Q" width="8" height="8" patternUnits="userSpaceOnUse"><rect class="f-blank" fill="#f4f6f6" width="8" '
        f'height="8"/><path class="k-quiet" stroke="#56666a" stroke-width="1" d="{HATCH}"/></pattern></defs>'
    )
    role = "img" if file else "group"
    return whole(width, height, of.label, pattern + "".join(grid.canvas.parts), file, role)


def _tile(grid: _TileGrid, t: Tile, x: float, y: float) -> None:
    """Draw a tile with its name and figure; on a page it is a link to its years, which says all of it."""
    canvas = grid.canvas
    linked = t.href and not grid.file
    marked = ' lang="zh-CN"' if grid.map.english and HAN.search(t.label) else ""
    canvas.parts.append(
        f"<a href={quoteattr(t.href)} aria-label={quoteattr(t.label)}{marked}>" if linked else f"<g{marked}>"
    )
    ink = _ground(grid, t.value, t.suppressed, (x, y, grid.wide, grid.high), t.place is not None)
    size = 12.0 if grid.small else 13.0
    middle = x + grid.wide / 2
    bold = size * 1.1  # as wide as its letters are
    first, *rest = wrapped(t.name, bold, grid.wide - 8)
    lines = [shortened(line, bold, grid.wide - 8) for line in (first, " ".join(rest)) if line]
    at = y + grid.high / 2 - (len(lines) - 1) * size * 0.6 - 4
    for line in lines:
        canvas.text(middle, at, line, size, ink, text_anchor="middle", font_weight=600)
        canvas.parts.append(" ")  # between the words of the link's name
        at += size * 1.2
    figure_size = min(size + 1, (grid.wide - 6) / max(measure(t.text, 1.0), 0.1))
    canvas.text(middle, at + 2, t.text, figure_size, ink, text_anchor="middle")
    canvas.parts.append("</a>" if linked else "</g>")


def _ground(
    grid: _TileGrid, value: float | None, hidden: bool, box: tuple[float, float, float, float], coloured: bool = True
) -> str:
    """Fill a tile or a swatch; return the name of the colour of the ink on it. What has no place on the map is in no class: the city's
    own bodies would leave the districts one colour."""
    x, y, wide, high = box
    place: dict[str, Any] = {"x": x, "y": y, "width": wide, "height": high, "rx": 3.0}
    if value is not None and coloured:
        number = colour_of(class_of(value, grid.bounds), len(grid.bounds) - 1)
        grid.canvas.add("rect", fill=f"t{number}", stroke="edge", **place)
        return "on-dark" if number >= DARK else "on-light"
    if hidden:
        grid.canvas.parts.append(f'<g fill="url(#{grid.ident}-Q)">')  # the class of a colour would win over it
        grid.canvas.add("rect", stroke="quiet", **place)
        grid.canvas.parts.append("</g>")
        if high > 20:  # the words stand on a ground of their own
            grid.canvas.add("rect", fill="blank", x=x + 6, y=y + 8, width=wide - 12, height=high - 16)
        return "on-blank"
    dashes = "" if value is not None else "4 3"
    grid.canvas.add("rect", fill="blank", stroke="quiet", stroke_dasharray=dashes, **place)
    return "on-blank"


def _legend(grid: _TileGrid, x: float, y: float) -> float:
    """Write the classes from high to low, and what has no value; return the end."""
    rows: list[tuple[float | None, bool, str]] = [
        (low, False, f"{_bound(low)} – {'' if high == grid.bounds[-1] else '<'}{_bound(high)}")
        for low, high in reversed(list(pairwise(grid.bounds)))
    ]
    absent = [t for t in grid.map.tiles if t.value is None]
    rows += [(None, True, grid.map.words[0])] * any(t.suppressed for t in absent)
    rows += [(None, False, grid.map.words[1])] * any(not t.suppressed for t in absent)
    column = 0
    for value, hidden, said in rows:
        left = x + (grid.width / 2 if grid.small and column % 2 else 0.0)
        _ground(grid, value, hidden, (left, y, 26.0, 15.0))
        grid.canvas.text(left + 34, y + 12, said, 12)
        column += 1
        if not grid.small or column % 2 == 0:
            y += 21
    return y + (21 if grid.small and column % 2 else 0)


def _bound(value: float) -> str:
    return f"{value:,.10g}".replace("-", "−")


def _apart(grid: _TileGrid, x: float, y: float) -> float:
    """Draw the tiles that have no place on the map, below a heading; return the end."""
    loose = [t for t in grid.map.tiles if t.place is None]
    if not loose:
        return y
    y += 8
    room = grid.width - x
    for line in wrapped(grid.map.apart, 12, room):
        grid.canvas.text(x, y + 4, line, 12, "quiet")
        y += 16
    left = x
    for t in loose:
        if left > x and left + grid.wide > grid.width:
            left, y = x, y + grid.high + GAP
        _tile(grid, t, left, y)
        left += grid.wide + GAP
    return y + grid.high
