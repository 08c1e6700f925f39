"""The charts of a release: one for each indicator with a series, as SVG that needs no JavaScript, in each language.

Belongs here: what a chart looks like, and drawing in a process of its own (altair and the renderer would stay in the
server's memory for good). Not here: where they are shown.

Each chart is drawn twice, for a wide page and for a phone: an SVG that is only scaled down has letters nobody can read.
The same specification, sent as JSON, is what static/chart.js shows to who wants to point at figures; PNG is made where
this machine has a Chinese font, for without one every character is a box.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from publish.site import words
from publish.site.facts import Facts
from publish.site.language import LANGUAGES, Language, pair

log = logging.getLogger("mingzhang.site.charts")

ROOT = Path(__file__).parents[2]
WIDTHS = {"wide": 640, "narrow": 310}
BESIDE: dict[Language, tuple[int, int]] = {"zh": (74, 92), "en": (92, 112)}  # for the name of a line, narrow and wide
TYPES = {"svg": "image/svg+xml", "png": "image/png", "json": "application/json"}
LIBRARY = "vega.js"  # Vega, Vega-Lite and vega-embed in one file, by vl-convert
INK, QUIET, BAR, PALE, LINE, MARK = "#1c2b2d", "#56666a", "#0f6b6b", "#86b3b1", "#dfe6e5", "#9a4a00"
FONTS = "'PingFang SC','Hiragino Sans GB','Microsoft YaHei','Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC',sans-serif"
DRAW_SECONDS = 60  # for the first, which imports the renderer on a slow machine
IDLE_SECONDS = 15  # after which the drawing process ends
MOST_LINE = 32 << 20

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
    """What an indicator's totals are held against: national averages and targets in the same unit, the newest of each kind.

    A target is what a benchmark calls so; where the release does not say, one that starts with 目标 or Target.
    """
    newest: dict[bool, dict[str, Any]] = {}
    for b in benchmarks:
        if b.get("indicator_id") != indicator["indicator_id"] or b["unit"] != indicator["unit"] or b["value"] is None:
            continue
        if (b.get("dimension") or "total") not in ("total", "base"):
            continue  # of one kind of institution, not of all
        named = f"{b.get('name_zh') or ''} {b.get('name_en') or ''}"
        target = b.get("comparison") == "target" or "目标" in named or "Target" in named
        newest[target] = b | {"target": target}
    return [newest[t] for t in sorted(newest)]


def series(conn: sqlite3.Connection, indicator_id: str | None = None) -> list[dict[str, Any]]:
    """Every indicator (or the one named) with two or more yearly totals: `points` are year, value (None where hidden or
    missing) and status; `lines` what they are held against."""
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
    """What stands at a line, in two lines: national average or target; its figure and its year."""
    what = (pair("Target") if line["target"] else pair("National average"))[0 if language == "zh" else 1]
    value = words.number(line["value"] / line.get("size", 1))
    return f"{what}\n{value}（{line['year']}）" if language == "zh" else f"{what}\n{value} ({line['year']})"


def _apart(values: list[float], unit: float, least: int) -> list[float]:
    """How far (in pixels, down) the name of each of at most two lines is moved so that they stand `least` apart; `unit` is a
    pixel in figures."""
    if len(values) < 2 or (gap := abs(values[0] - values[1]) / unit) >= least:
        return [0.0] * len(values)
    move = round((least - gap) / 2, 1)
    return [-move, move] if values[0] >= values[1] else [move, -move]


def specification(
    indicator: dict[str, Any], release_id: str, synthetic: bool, width: int, language: Language = "zh"
) -> dict[str, Any]:
    """The Vega-Lite specification of one indicator's chart, `width` pixels wide: bars from zero, each with its figure, and
    a line with its name for each of `lines`."""
    import altair as alt

    def said(english: str) -> str:
        return pair(english)[0 if language == "zh" else 1]

    lines = indicator.get("lines") or []
    values = [p["value"] for p in indicator["points"] if p["value"] is not None]
    size, scaled = words.scale(language, [*values, *(h["value"] for h in lines)])
    decimals = words.places([v / size for v in values], 2 if size > 1 else indicator.get("decimals"), indicator["unit"])
    rows = [
        {
            "year": p["year"],
            "text": words.figure(language, p["value"] and p["value"] / size, p["status"], decimals),
            "exact": words.figure(language, p["value"], p["status"], indicator.get("decimals")),
            "at": (p["value"] or 0) / size,
            "pale": p["status"] in ("E", "F") or words.unfinished(release_id[:10], p["year"]),
        }
        for p in indicator["points"]
    ]
    small = width < 400
    held = [{"at": h["value"] / size, "name": line_name(language, h | {"size": size})} for h in lines]
    if held:  # their names stand beside the bars, where they cross nothing
        width -= BESIDE[language][0 if small else 1]
    falls = any(r["at"] < 0 for r in rows)
    ends = [0.0, *(float(r["at"]) for r in rows), *(float(h["at"]) for h in held)]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("year:O", axis=alt.Axis(title=None, labelAngle=0, domain=False, ticks=False, labelPadding=8)),
        y=alt.Y(
            "at:Q",
            scale=alt.Scale(domain=[min(ends), max(ends)], zero=True, nice=True, padding=18 if falls else 0),
            axis=alt.Axis(title=None, tickCount=4, gridColor=LINE, domain=False, ticks=False, format=",~r"),
        ),
    )
    shade = alt.condition("datum.pale", alt.value(PALE), alt.value(BAR))
    pointed = [
        alt.Tooltip("year:O", title=said("Year")),
        alt.Tooltip("exact:N", title=words.unit(language, indicator["unit"]) or said("Value")),
    ]
    bars = base.mark_bar(size=34 if small else 62).encode(color=shade, tooltip=pointed)
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=QUIET).encode(y="zero:Q")
    # A figure stands outside its bar, above a rise and below a fall; beside lines at the foot of the bar, or they would cross.
    written: dict[str, Any] = {"fontSize": 11 if small else 14, "fontWeight": 600}
    span = max(ends) - min(ends) or 1.0
    foot = bool(held) and not falls and min(h["at"] for h in held) > 0.2 * span
    tall = 0.16 * span if foot else 1e300
    figures = []
    for test, dy in ((f"datum.at >= 0 && datum.at < {tall}", -8), ("datum.at < 0", 12)):
        figures.append(
            base.transform_filter(test).mark_text(dy=dy, **written).encode(text="text:N", color=alt.value(INK))
        )
    if foot:
        on_bar = alt.condition("datum.pale", alt.value(INK), alt.value("#ffffff"))
        inside = base.transform_filter(f"datum.at >= {tall}").mark_text(dy=-12, **written)
        figures.append(inside.encode(y=alt.YDatum(0), text="text:N", color=on_bar))
    layers = [bars, zero]
    if held:
        height = 190 if small else 270
        for line, moved in zip(held, _apart([h["at"] for h in held], span / height, 30), strict=True):
            across = alt.Chart(alt.Data(values=[line])).encode(y="at:Q")
            layers.append(across.mark_rule(color=MARK, strokeDash=[6, 4], strokeWidth=1.6))
            beside = across.mark_text(
                align="left", baseline="middle", x=width + 6, dy=moved, color=MARK, fontWeight=600, fontSize=11 if small else 13, lineBreak="\n"
            )  # fmt: skip
            layers.append(beside.encode(text="name:N"))
    layers += figures
    unit = words.scaled_unit(language, scaled, indicator["unit"])
    colon = "：" if language == "zh" else ": "
    note = [f"{said('Mingzhang')}", f"{said('Release')} {release_id}"]
    if synthetic:
        note[0] = f"{said('Made-up data')} · {note[0]}"
    if any(r["pale"] for r in rows):
        note.insert(0, said("Pale: estimated, forecast, or the year is not over"))
    name = indicator["name_zh" if language == "zh" else "name_en"] or indicator["name_zh"]
    if small and language == "en" and len(name) > 34:
        cut = name.rfind(" ", 0, 34)
        name = [name[:cut], name[cut + 1 :]] if cut > 0 else name
    chart = (
        alt.vconcat(
            alt.layer(*layers).properties(
                width=width,
                height=190 if small else 270,
                title=alt.TitleParams(
                    text=name,
                    subtitle=[f"{said('Unit')}{colon}{unit}"] if unit else [],
                    anchor="start",
                    fontSize=15 if small else 19,
                    subtitleFontSize=12 if small else 14,
                    subtitleColor=QUIET,
                    subtitlePadding=5,
                    color=INK,
                    offset=18,
                ),
            )
        )
        .properties(
            title=alt.TitleParams(
                text=note if small else " · ".join(note),
                orient="bottom",
                anchor="start",
                fontSize=11,
                color=QUIET,
                fontWeight="normal",
                offset=14,
            )
        )
        .configure(font=FONTS, background="#ffffff", autosize=alt.AutoSizeParams(type="pad", contains="padding"))
        .configure_axis(labelColor=QUIET, labelFontSize=11 if small else 13)
        .configure_view(stroke=None)
    )
    return dict(chart.to_dict())


@lru_cache
def draws_chinese() -> bool:
    """Whether this machine has a font for Chinese, which a PNG needs; an SVG is drawn with the reader's own."""
    if shutil.which("fc-list") is None:
        return False
    found = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False, timeout=30)
    return bool(found.stdout.strip())


def draw(database: Path, release_id: str, synthetic: bool, name: str) -> bytes | None:
    """One picture of a release: `<indicator_id>.<zh|en>.<wide|narrow>.<svg|png|json>`; None where there is none."""
    import vl_convert

    if name == LIBRARY:
        return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")).encode()
    indicator_id, language, width, form = name.rsplit(".", 3)
    conn = sqlite3.connect(f"{database.resolve().as_uri()}?immutable=1", uri=True)
    conn.row_factory = sqlite3.Row
    try:
        found = series(conn, indicator_id)
    finally:
        conn.close()
    if not found:
        return None
    spoken: Language = "en" if language == "en" else "zh"
    spec = specification(found[0], release_id, synthetic, WIDTHS[width], spoken)
    if form == "json":
        return json.dumps(spec, ensure_ascii=False).encode()
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(spec, scale=2))
    return str(vl_convert.vegalite_to_svg(spec)).encode()


def names(conn: sqlite3.Connection) -> list[str]:
    """Every SVG of a release, by the names that `draw` takes."""
    return [f"{i['indicator_id']}.{lang}.{w}.svg" for lang in LANGUAGES for i in series(conn) for w in WIDTHS]


def wanted(name: str, language: Language) -> str | None:
    """What `draw` calls an address below /charts/: `energy_tce.wide.svg`, in the language of the page; None where no chart can
    have that name."""
    if name == LIBRARY:
        return name
    parts = name.rsplit(".", 2)
    if (
        len(parts) != 3
        or parts[1] not in WIDTHS
        or parts[2] not in TYPES
        or not parts[0].replace("-", "_").isidentifier()
    ):
        return None
    return None if parts[2] == "png" and not draws_chinese() else f"{parts[0]}.{language}.{parts[1]}.{parts[2]}"


class Drawer:
    """Draws for one release, in a child that starts when something is asked for and ends when nothing is."""

    def __init__(self, facts: Facts):
        self.facts = facts
        conn = sqlite3.connect(f"{facts.database.resolve().as_uri()}?immutable=1", uri=True)
        conn.row_factory = sqlite3.Row
        try:
            self.ready = names(conn)
        finally:
            conn.close()
        self._known = {n.rsplit(".", 3)[0] for n in self.ready}
        self._made: dict[str, asyncio.Future[bytes | None]] = {}
        self._queue: asyncio.PriorityQueue[tuple[int, int, str]] = asyncio.PriorityQueue()
        self._count = 0
        self._work: asyncio.Task[None] | None = None

    def want(self, name: str, urgent: bool = False) -> asyncio.Future[bytes | None]:
        """Asks for a picture; what somebody waits for comes before what is only made ready."""
        loop = asyncio.get_running_loop()
        future = self._made.get(name)
        if future is None or (future.done() and future.cancelled()):
            future = self._made[name] = loop.create_future()
        if not future.done():
            self._count += 1
            self._queue.put_nowait((0 if urgent else 1, self._count, name))
            if self._work is None or self._work.done():
                self._work = loop.create_task(self._draw_all())
        return future

    async def get(self, name: str) -> bytes | None:
        """One picture, as soon as it can be had; None where there is no such chart or it could not be drawn."""
        if name != LIBRARY and name.rsplit(".", 3)[0] not in self._known:
            return None
        made = await asyncio.shield(self.want(name, urgent=True))
        if name.endswith((".png", ".json")):  # seldom asked for, and large
            self._made.pop(name, None)
        return made

    async def _draw_all(self) -> None:
        process: asyncio.subprocess.Process | None = None
        name = ""
        try:
            while True:
                try:
                    _, _, name = await asyncio.wait_for(self._queue.get(), IDLE_SECONDS)
                except TimeoutError:
                    return
                future = self._made.get(name)
                if future is None or future.done():
                    continue
                if process is None:
                    process = await _child(self.facts)
                future.set_result(await asyncio.wait_for(_one(process, name), DRAW_SECONDS))
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError) as e:
            log.error("charts of release %s are not drawn (%r); its pages show tables only", self.facts.release_id, e)
            for future in self._made.values():
                if not future.done():
                    future.set_result(None)
        finally:
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()

    async def close(self) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        for future in self._made.values():
            if not future.done():
                future.cancel()


class Charts:
    """The charts of the releases now shown; asked for with `await get(facts, name)`."""

    def __init__(self, kept: int = 4):
        self.kept = kept
        self._drawers: dict[str, Drawer] = {}

    def _drawer(self, facts: Facts) -> Drawer:
        if facts.release_id not in self._drawers:
            self._drawers[facts.release_id] = Drawer(facts)
            while len(self._drawers) > self.kept:
                oldest = self._drawers.pop(next(iter(self._drawers)))
                task = asyncio.get_running_loop().create_task(oldest.close())
                task.add_done_callback(lambda _: None)
        return self._drawers[facts.release_id]

    def begin(self, facts: Facts) -> None:
        """Makes a release's charts ready, one after the other, unless that is done or under way."""
        if facts.release_id in self._drawers:
            return
        drawer = self._drawer(facts)
        for name in drawer.ready:
            drawer.want(name)

    async def get(self, facts: Facts, name: str) -> bytes | None:
        """One picture as `draw` names it, None where the release has no such chart or drawing failed (the log says why)."""
        return await self._drawer(facts).get(name)

    async def close(self) -> None:
        for drawer in self._drawers.values():
            await drawer.close()


async def _child(facts: Facts) -> asyncio.subprocess.Process:
    arguments = (str(facts.database), facts.release_id, "1" if facts.synthetic else "")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "publish.site.charts", *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=MOST_LINE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)},
    )


async def _one(process: asyncio.subprocess.Process, name: str) -> bytes | None:
    assert process.stdin and process.stdout
    process.stdin.write(name.encode() + b"\n")
    await process.stdin.drain()
    line = await process.stdout.readline()
    if not line:
        raise OSError("the drawing process ended")
    return base64.b64decode(line) if line.strip() else None


def main() -> None:
    """The child: a name on each line of its input, the picture in base64 on each of its output, an empty line for none."""
    os.nice(5)
    database, release_id, synthetic = Path(sys.argv[1]), sys.argv[2], bool(sys.argv[3])
    for line in sys.stdin:
        made = draw(database, release_id, synthetic, line.strip())
        sys.stdout.write(base64.b64encode(made or b"").decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
