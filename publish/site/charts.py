"""PNG of the charts, made from their SVG in a process of its own: the renderer would stay in the server's memory.

Belongs here: that process and its queue. Not here: drawing (drawing.py), which charts there are (pages/charting.py). A PNG needs a
Chinese font on this machine, without which every character is a box.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
import sys
from contextlib import suppress
from functools import lru_cache

from pipelines.core.processes.frames import pack, unpack_from, unpack_from_stream
from pipelines.core.processes.limits import Limits
from pipelines.core.processes.start import command, environment
from publish.site.pool import Busy

log = logging.getLogger("mingzhang.site.charts")

RENDER_SECONDS = 60  # for the first, which imports the renderer on a slow machine
IDLE_SECONDS = 15  # after which the process ends
WAITING = 12  # pictures that wait for the process; a further one is refused
NICE = 5  # answering requests comes first


@lru_cache
def draws_chinese() -> bool:
    """Return whether this machine has a Chinese font, which a PNG needs; an SVG uses the fonts of the reader."""
    if shutil.which("fc-list") is None:
        return False
    found = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False, timeout=30)
    return bool(found.stdout.strip())


class PngRenderer:
    """Renders SVG as PNG, one at a time, in a child process that starts on demand and ends when idle."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()
        self._waiting = 0
        self._process: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def png(self, svg: bytes) -> bytes | None:
        """Return the picture in twice the size of the SVG; None where rendering failed (the log says why). Raises Busy where too many
        wait."""
        if self._waiting >= WAITING:
            raise Busy
        self._waiting += 1
        try:
            async with self._one:
                return await self._render(svg)
        finally:
            self._waiting -= 1

    async def _render(self, svg: bytes) -> bytes | None:
        if self._idle is not None:
            self._idle.cancel()
        try:
            if self._process is None or self._process.returncode is not None:
                self._process = await _child()
            picture = await asyncio.wait_for(_rendered(self._process, svg), RENDER_SECONDS)
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError) as e:
            log.error("a chart could not be rendered as PNG (%r); its SVG is there", e)
            await self.close()
            return None
        except asyncio.CancelledError:  # its answer would be taken for that of the next
            self._end()
            raise
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end)
        return picture

    def _end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """End the process; without effect where there is none."""
        if self._idle is not None:
            self._idle.cancel()
        self._end()
        if self._process is not None:
            await self._process.wait()
            self._process = None


async def _child() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command("publish.site.charts"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    )


async def _rendered(process: asyncio.subprocess.Process, svg: bytes) -> bytes:
    assert process.stdin and process.stdout
    process.stdin.write(pack({}, svg))
    await process.stdin.drain()
    header, picture = await unpack_from_stream(process.stdout)
    if not header["rendered"]:
        raise ValueError("the renderer refused the SVG")
    return picture


def main() -> None:
    """Run the child: answer each SVG from standard input with its PNG on standard output, until the input ends."""
    import vl_convert

    Limits(nice=NICE).apply()
    with suppress(EOFError):
        while True:
            _, svg = unpack_from(sys.stdin.buffer.read)
            try:
                picture = bytes(vl_convert.svg_to_png(svg.decode(), scale=2))
            except ValueError:
                picture = b""
            sys.stdout.buffer.write(pack({"rendered": bool(picture)}, picture))
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
