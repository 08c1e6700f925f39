"""The charts of a release: one for each indicator with a series, as SVG that needs no JavaScript.

Belongs here: what a chart looks like, and drawing all of a release in a process of their own (altair and the renderer
would stay in the server's memory for good). Not here: where they are shown.

Each chart is drawn twice, for a wide page and for a phone: an SVG that is only scaled down has letters nobody can read.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from publish.site.facts import Facts

log = logging.getLogger("mingzhang.site.charts")

ROOT = Path(__file__).parents[2]
WIDTHS = {"wide": 640, "narrow": 310}
INK, QUIET, BAR, PALE, LINE = "#1c2b2d", "#56666a", "#0f6b6b", "#86b3b1", "#dfe6e5"
FONTS = "'PingFang SC','Hiragino Sans GB','Microsoft YaHei','Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC',sans-serif"
SECONDS = 120
# As words.compact writes it: 万 and 亿, for whoever reads Chinese counts in these.
AXIS_LABEL = (
    "abs(datum.value) >= 1e8 ? format(datum.value / 1e8, ',~r') + '亿' : "
    "abs(datum.value) >= 1e5 ? format(datum.value / 1e4, ',~r') + '万' : "
    "abs(datum.value) >= 1 ? format(datum.value, ',~r') : datum.value"
)


def series(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every indicator with two or more yearly totals, with its points: year, value (None where hidden or missing), status."""
    out = []
    for i in conn.execute("select * from indicators order by indicator_id"):
        points = [
            {"year": str(r["year"]), "value": r["value"], "status": r["status"]}
            for r in conn.execute(TOTALS, {"id": i["indicator_id"]})
        ]
        if sum(p["value"] is not None for p in points) >= 2:
            out.append(dict(i) | {"points": points})
    return out


# The series of an indicator: its yearly totals, or for a change since a base year that change; by the factors in force.
TOTALS = """
    with main as (
        select dimension, coalesce(factor_set, '') as factors from indicator_values
        where indicator_id = :id and dimension in ('total', 'base')
        order by dimension <> 'total', coalesce(factor_set, '') not in ('', 'none', 'default'), 2 limit 1)
    select year, member, value, status, records, files, factor_set, synthetic, note, unit
    from indicator_values join main using (dimension)
    where indicator_id = :id and coalesce(factor_set, '') = main.factors
    order by year
"""


def specification(indicator: dict[str, Any], release_id: str, synthetic: bool, width: int) -> dict[str, Any]:
    """The Vega-Lite specification of one indicator's chart, `width` pixels wide: bars from zero, each with its figure."""
    import altair as alt

    from publish.site.words import compact, figure

    rows = [
        p
        | {"text": compact(p["value"]) if p["value"] is not None else figure(None, p["status"]), "at": p["value"] or 0}
        for p in indicator["points"]
    ]
    small = width < 400
    falls = any(r["at"] < 0 for r in rows)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("year:O", axis=alt.Axis(title=None, labelAngle=0, domain=False, ticks=False, labelPadding=8)),
        y=alt.Y(
            "at:Q",
            scale=alt.Scale(zero=True, nice=True, padding=18 if falls else 0),  # room for a figure below a bar
            axis=alt.Axis(title=None, tickCount=4, gridColor=LINE, domain=False, ticks=False, labelExpr=AXIS_LABEL),
        ),
    )
    shade = alt.condition("datum.status == 'E' || datum.status == 'F'", alt.value(PALE), alt.value(BAR))
    bars = base.mark_bar(size=34 if small else 62, tooltip=False).encode(color=shade)
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=QUIET).encode(y="zero:Q")
    # A figure stands outside its bar: above a rise, below a fall.
    written: dict[str, Any] = {"color": INK, "fontSize": 11 if small else 14, "fontWeight": 600}
    above = base.transform_filter("datum.at >= 0").mark_text(dy=-8, **written).encode(text="text:N")
    below = base.transform_filter("datum.at < 0").mark_text(dy=12, **written).encode(text="text:N")
    unit = f"单位 Unit：{indicator['unit']}" if indicator["unit"] else ""
    made_up = "合成示例数据 Made-up data · " if synthetic else ""
    note = [f"{made_up}明账 Mingzhang", f"发布版本 Release {release_id}"]
    if any(p["status"] in ("E", "F") for p in indicator["points"]):
        note.insert(0, "浅色：估算或预测 Pale: estimated or forecast")
    chart = (
        alt.vconcat(
            alt.layer(bars, zero, above, below).properties(
                width=width,
                height=190 if small else 270,
                title=alt.TitleParams(
                    text=indicator["name_zh"],
                    subtitle=[t for t in (indicator["name_en"], unit) if t],
                    anchor="start",
                    fontSize=16 if small else 19,
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


def draw(database: Path, release_id: str, synthetic: bool) -> dict[str, str]:
    """Every chart of a release: `<indicator_id>.<wide|narrow>` -> SVG."""
    import vl_convert

    conn = sqlite3.connect(f"{database.resolve().as_uri()}?immutable=1", uri=True)
    conn.row_factory = sqlite3.Row
    try:
        found = series(conn)
    finally:
        conn.close()
    return {
        f"{i['indicator_id']}.{name}": vl_convert.vegalite_to_svg(specification(i, release_id, synthetic, width))
        for i in found
        for name, width in WIDTHS.items()
    }


class Charts:
    """The charts of the releases now shown: drawn once each, beside the server; asked for with `await get(...)`."""

    def __init__(self, kept: int = 4):
        self.kept = kept
        self._drawn: dict[str, asyncio.Task[dict[str, str]]] = {}

    def begin(self, facts: Facts) -> None:
        """Starts drawing a release's charts, unless that is done or under way."""
        if facts.release_id not in self._drawn:
            drawing = _draw_beside(facts.database, facts.release_id, facts.synthetic)
            self._drawn[facts.release_id] = asyncio.get_running_loop().create_task(drawing)
            while len(self._drawn) > self.kept:
                oldest = next(iter(self._drawn))
                self._drawn.pop(oldest).cancel()

    async def get(self, release_id: str, name: str) -> str | None:
        """The SVG of one chart, None where the release has no such chart or drawing failed (the log says why)."""
        task = self._drawn.get(release_id)
        return (await asyncio.shield(task)).get(name) if task is not None else None

    async def close(self) -> None:
        for task in self._drawn.values():
            task.cancel()
        await asyncio.gather(*self._drawn.values(), return_exceptions=True)


async def _draw_beside(database: Path, release_id: str, synthetic: bool) -> dict[str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "publish.site.charts", str(database), release_id, "1" if synthetic else ""),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)},
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    except asyncio.CancelledError:  # the site ends, or newer releases took its place
        process.kill()
        await process.wait()
        raise
    except TimeoutError:
        process.kill()
        await process.wait()
        log.error("the charts of release %s were not drawn in time; its pages show tables only", release_id)
        return {}
    if process.returncode:
        log.error("the charts of release %s could not be drawn; its pages show tables only", release_id)
        return {}
    return dict(json.loads(out))


if __name__ == "__main__":
    os.nice(5)
    json.dump(draw(Path(sys.argv[1]), sys.argv[2], bool(sys.argv[3])), sys.stdout)
