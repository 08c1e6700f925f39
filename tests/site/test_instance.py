"""A release as a Datasette: what it gives back when it is retired."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from pathlib import Path

from publish.site.instance import Instance
from publish.site.plugin import SiteDatasette


def test_nothing_is_left_of_a_release_that_was_retired(home: Path) -> None:
    """A site runs for years of releases: each that leaves a thread or a megabyte behind would end it."""
    folder = (home / "current").resolve()

    async def open_and_close() -> None:
        instance = Instance(folder)
        await instance.start()
        await instance.health()
        instance.close()

    def left() -> tuple[int, int]:
        gc.collect()
        return sum(isinstance(o, SiteDatasette) for o in gc.get_objects()), threading.active_count()

    asyncio.run(open_and_close())
    before = left()
    for _ in range(3):
        asyncio.run(open_and_close())
    for _ in range(50):  # threads end in their own time
        if left() <= before:
            break
        threading.Event().wait(0.1)
    assert left() <= before


def test_a_process_of_the_site_holds_nothing_that_only_making_a_release_needs() -> None:
    """Each costs seconds of every start, and its memory in every process that runs public SQL."""
    code = "import sys, publish.site.serve, publish.site.worker; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    ).stdout
    assert "publish.site.app" in loaded.split()
    assert {"pandas", "scipy", "altair", "vl_convert", "great_expectations", "dagster"} & set(loaded.split()) == set()
