"""Releases that are open: the current one, followed without losing a request, and past ones at /r/<release_id>/.

Belongs here: opening, switching and closing instances. Not here: answering requests (app.py), the instance itself
(instance.py), the folders of releases (publish/release/store.py).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.core.home import Home
from publish.release import store
from publish.site.facts import DB, ReleaseBroken
from publish.site.inner import worker_request
from publish.site.instance import Instance, ReleaseUnhealthy
from publish.site.pool import Busy, Pool
from publish.site.ratelimit import Bucket, Rate

log = logging.getLogger("mingzhang.site")

LOOK_SECONDS = 1.0  # between two looks at `current`
OPEN_PAST = 8  # past releases open at a time, some 7 MB each
OPENINGS = Rate(20, 0.5)  # of past releases: each takes 0.1 to 0.2 s of this process
OPENINGS_EACH = Rate(8, 0.1)  # the same per client, so that no client uses up the rate of all
# Errors of reading a folder that is no release: not a database, not JSON, not UTF-8, a column missing.
BROKEN = (sqlite3.Error, ValueError, LookupError, TypeError)


class NoCurrentRelease(RuntimeError):
    """The home has no current release. The message says what to do."""


class Lease:
    """An instance with a count of the requests that use it; closed when it is retired and the count is zero."""

    def __init__(self, instance: Instance):
        self.instance = instance
        self._users = 0
        self._retired = False

    @contextmanager
    def used(self) -> Iterator[Instance]:
        self._users += 1
        try:
            yield self.instance
        finally:
            self._users -= 1
            self._close_if_unused()

    def retire(self) -> None:
        self._retired = True
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._retired and not self._users:
            self.instance.close()


def current_folder(home: Path) -> Path:
    """Return the folder of the current release. Raises NoCurrentRelease where there is none."""
    current = store.current(Home(home))
    if current is None:
        raise NoCurrentRelease(
            f"There is no release in {home} yet; run `mingzhang run --inbox FOLDER --home {home}` first."
        )
    return current.resolve()


class Releases:
    """The open releases of a home. `current` is None before `start`; `generation` counts the releases that were current,
    so that an answer cached for one is not given for the next."""

    def __init__(self, home: Path, pool: Pool):
        self.home, self.pool = home, pool
        self.current: Lease | None = None
        self.generation = 0
        self._past: OrderedDict[str, Lease] = OrderedDict()
        self._openings = Bucket(OPENINGS)
        self._openings_each = Bucket(OPENINGS_EACH)
        self._refused: Path | None = None
        self._looked = 0.0
        self._starting = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._switching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the current release and the pool, once. Raises NoCurrentRelease, ReleaseBroken, ReleaseUnhealthy, TimeoutError."""
        if self.current is not None:
            return
        async with self._starting:
            if self.current is None:
                lease = await self._open(current_folder(self.home), "/")
                await self.pool.start(_warm_up(lease.instance))
                self.current = lease

    async def stop(self) -> None:
        """Cancel a switch under way; before the pool is closed."""
        if self._switching is not None:
            self._switching.cancel()
            await asyncio.gather(self._switching, return_exceptions=True)

    def close(self) -> None:
        """Retire every open release."""
        for lease in (*self._past.values(), *((self.current,) if self.current else ())):
            lease.retire()
        self.current = None
        self._past.clear()

    async def _open(self, folder: Path, base_url: str) -> Lease:
        """Open a release and check that it answers. Raises ReleaseBroken or ReleaseUnhealthy."""
        try:
            instance = await asyncio.to_thread(Instance, folder, base_url)
        except BROKEN as e:
            raise ReleaseBroken(f"Release {folder.name} cannot be read ({e!r}); build it again.") from e
        try:
            await instance.start()
            if base_url == "/":
                await instance.health()
        except BROKEN as e:
            instance.close()
            raise ReleaseBroken(f"Release {folder.name} cannot be opened ({e!r}); build it again.") from e
        except ReleaseUnhealthy:
            instance.close()
            raise
        return Lease(instance)

    def look(self) -> None:
        """Start a switch where HOME/current points to another release; the old one answers until the new one is open."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS or (self._switching is not None and not self._switching.done()):
            return
        self._looked = now
        try:
            folder = current_folder(self.home)
        except NoCurrentRelease:
            return  # between two releases, or removed: the open release stays
        if self.current is not None and folder not in (self.current.instance.facts.folder, self._refused):
            self._switching = asyncio.get_running_loop().create_task(self._switch(folder))

    async def _switch(self, folder: Path) -> None:
        try:
            lease = await self._open(folder, "/")
        except (ReleaseBroken, ReleaseUnhealthy, OSError) as e:
            self._refused = folder
            log.error("release %s does not take over: %s", folder.name, e)
            return
        await self.pool.change(_warm_up(lease.instance))
        old, self.current = self.current, lease
        self.generation += 1
        self._refused = None
        if old is not None:
            old.retire()
        log.warning("release %s took over", folder.name)

    async def past(self, release_id: str, client: str) -> Lease | None:
        """Return the instance of a release at its own address; None where it is not kept or cannot be served.

        Raises Busy where too many were opened lately, in all or by the client.
        """
        if release_id in self._past:
            self._past.move_to_end(release_id)
            return self._past[release_id]
        folder = self.home / "releases" / release_id
        if not store.ID.fullmatch(release_id) or not folder.is_dir():
            return None
        async with self._opening:
            if release_id not in self._past:
                if self._openings.wait("", 1) or self._openings_each.wait(client, 1):
                    raise Busy
                self._openings.spend("")
                self._openings_each.spend(client)
                try:
                    self._past[release_id] = await self._open(folder.resolve(), f"/r/{release_id}/")
                except (ReleaseBroken, ReleaseUnhealthy) as e:
                    log.error("release %s is not served: %s", release_id, e)
                    return None
                while len(self._past) > OPEN_PAST:
                    self._past.popitem(last=False)[1].retire()
            self._past.move_to_end(release_id)
            return self._past[release_id]


def _warm_up(instance: Instance) -> dict[str, str]:
    """Return the request that each new worker answers before it is used."""
    return worker_request(instance, "http", "localhost", f"/{DB}", f"/{DB}", "sql=select+1")
