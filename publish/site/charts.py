"""The charts of a release, drawn as SVG in a process of its own: altair and the renderer would stay in the server's memory.

Belongs here: names of charts, the drawing process, its queue. Not here: the looks of a chart (chart_spec.py), the pages that
show it.

Each chart is drawn for a wide page and for a phone: an SVG that is only scaled down has letters too small to read. The same
specification as JSON is loaded by static/chart.js to make the chart interactive; PNG needs a Chinese font on this machine,
without which every character is a box.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import sqlite3
import subprocess
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from pipelines.core.processes.frames import pack, unpack_from, unpack_from_stream
from pipelines.core.processes.limits import Limits
from pipelines.core.processes.start import command, environment
from publish.site.chart_spec import series, specification
from publish.site.facts import Facts
from publish.site.language import LANGUAGES, Language

log = logging.getLogger("mingzhang.site.charts")

WIDTHS = {"wide": 640, "narrow": 310}
TYPES = {"svg": "image/svg+xml", "png": "image/png", "json": "application/json"}
LIBRARY = "vega.js"  # Vega, Vega-Lite and vega-embed in one file, by vl-convert
DRAW_SECONDS = 60  # for the first, which imports the renderer on a slow machine
IDLE_SECONDS = 15  # after which the drawing process ends
NICE = 5  # answering requests comes first


@lru_cache
def draws_chinese() -> bool:
    """Return whether this machine has a Chinese font, which a PNG needs; an SVG uses the fonts of the reader."""
    if shutil.which("fc-list") is None:
        return False
    found = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False, timeout=30)
    return bool(found.stdout.strip())


def draw(database: Path, release_id: str, synthetic: bool, name: str) -> bytes | None:
    """Draw one picture of a release: `<indicator_id>.<zh|en>.<wide|narrow>.<svg|png|json>`; None where it has no such chart."""
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
    """Return the names, as `draw` takes them, of every SVG of a release."""
    return [f"{i['indicator_id']}.{lang}.{w}.svg" for lang in LANGUAGES for i in series(conn) for w in WIDTHS]


def wanted(name: str, language: Language) -> str | None:
    """Return the name, as `draw` takes it, of a path below /charts/ (`energy_tce.wide.svg`) in a language; None where no chart can
    have it."""
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
    """Draws for one release, in a child process that starts on demand and ends when idle."""

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
        """Queue a picture; urgent ones, for which a request waits, come first."""
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
        """Return one picture when it is drawn; None where there is no such chart or drawing failed."""
        if name != LIBRARY and name.rsplit(".", 3)[0] not in self._known:
            return None
        made = await asyncio.shield(self.want(name, urgent=True))
        if name.endswith((".png", ".json")):  # large and seldom requested: not kept
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
    """The charts of the releases shown last: `await get(facts, name)`."""

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
        """Queue all charts of a release, unless that was done."""
        if facts.release_id in self._drawers:
            return
        drawer = self._drawer(facts)
        for name in drawer.ready:
            drawer.want(name)

    async def get(self, facts: Facts, name: str) -> bytes | None:
        """Return one picture by its name; None where the release has no such chart or drawing failed (the log says why)."""
        return await self._drawer(facts).get(name)

    async def close(self) -> None:
        for drawer in self._drawers.values():
            await drawer.close()


async def _child(facts: Facts) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command("publish.site.charts", facts.database, facts.release_id, "1" if facts.synthetic else ""),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )


async def _one(process: asyncio.subprocess.Process, name: str) -> bytes | None:
    assert process.stdin and process.stdout
    process.stdin.write(pack({"name": name}))
    await process.stdin.drain()
    header, picture = await unpack_from_stream(process.stdout)
    return picture if header["drawn"] else None


def main() -> None:
    """Run the child: answer each name from standard input with a picture on standard output, until the input ends."""
    Limits(nice=NICE).apply()
    database, release_id, synthetic = Path(sys.argv[1]), sys.argv[2], bool(sys.argv[3])
    with suppress(EOFError):
        while True:
            request, _ = unpack_from(sys.stdin.buffer.read)
            picture = draw(database, release_id, synthetic, request["name"])
            sys.stdout.buffer.write(pack({"drawn": picture is not None}, picture or b""))
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
