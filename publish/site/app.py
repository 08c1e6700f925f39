"""The site as one ASGI app: which release answers, which process answers, and who may ask for how much.

Belongs here: following `current` without losing a request, `/r/<release_id>/…`, sending public SQL to the pool, files, the
API. Not here: headers and how answers are kept (answers.py), pages (pages.py), Datasette (instance.py), limits of SQL
(guard.py, worker.py), what the API answers (api.py).

    request ── answered before ─────────────> from memory
            ├─ own page, table as it stands ──> Datasette in this process, fixed SQL only
            ├─ /api/v1/… ───────────────────> this process, fixed SQL only
            ├─ ?sql=, a filter, an order, … ──> a worker process, killed when late (pool.py)
            └─ /files/…, /charts/… ───────────> from disk, from memory
"""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
import time
import urllib.parse
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import datasette
from datasette.database import QueryInterrupted
from datasette.utils.asgi import Request

from pipelines.core.home import Home
from publish.release import store
from publish.site import api, asked, charts, guard, language, newer, pages, words
from publish.site.answers import (
    CSP,
    CSP_DRAWING,
    Answer,
    Full,
    Kept,
    Key,
    Ready,
    Receive,
    Scope,
    Send,
    Sending,
    as_json,
    dressed,
    explained,
    is_data,
    of_release,
    ready,
    send_file,
    send_ready,
)
from publish.site.facts import DB, ReleaseBroken
from publish.site.instance import Instance, ReleaseUnhealthy
from publish.site.openapi import openapi
from publish.site.pool import Busy, Pool, Stopped
from publish.site.ratelimit import Bucket, Rate
from publish.site.settings import SiteSettings

__all__ = ["CSP", "Answer", "Kept", "NoRelease", "Site", "create_app", "current_folder", "needs_worker"]

log = logging.getLogger("mingzhang.site")

LOOK_SECONDS = 1.0  # how often `current` is looked at, at most
KEPT_RELEASES = 8  # past releases open at a time, some 7 MB each
OPENINGS = Rate(20, 0.5)  # of past releases: each costs this process a tenth of a second or two
OPENINGS_EACH = Rate(8, 0.1)  # the same for one address, so that nobody uses up what there is for all
ADDRESS_CHARACTERS = 16_000
MADE_AT_ONCE = 3  # answers being made for one address; its other requests wait, and nobody else's do
LIGHT_ROWS = 300  # rows of JSON or CSV that this process makes; more would hold up everybody's pages

# What may stand in the address of a table and still be answered by fixed SQL; anything else is the visitor's own.
PLAIN_ARGS = frozenset(
    ["_shape", "_nl", "_dl", "_labels", "_header", "_col", "_nocol", "_nocount", "_nofacet", "_nosuggest", "_next"]
)
OWN_PAGES = pages.PLACES | {"static"}
OWN_DATA = ("/openapi.json", "/-/versions.json")

NOTHING = b"\xef\xbb\xbf\r\n\t "  # what a CSV of nothing is made of
HOST_CHARACTERS = 255
# What a folder that is no release brings about where it is read: bytes that are no database, no JSON, no UTF-8, no column.
BROKEN = (sqlite3.Error, ValueError, LookupError, TypeError)
HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]+)?|\[[0-9A-Fa-f:]+\](:[0-9]+)?")

NO_SQL: words.Pair = (
    "这个地址需要一条查询：?sql=SELECT …。",
    "This address needs a query: ?sql=SELECT ….",
)
NOT_UTF8: words.Pair = (
    "网址里的文字不是 UTF-8 编码（可能是 GBK），请用 UTF-8 编码后再试。",
    "The text in the address is not UTF-8 (it may be GBK); encode it as UTF-8 and try again.",
)
TOO_MANY: words.Pair = (
    "这个地址的请求太多，请稍候再试；要大量数据请下载整表文件或数据库。",
    "Too many requests came from this address; wait a little, and for much data download the files or the database.",
)


class NoRelease(RuntimeError):
    """There is nothing to serve yet. The message says what to do."""


class Shown:
    """An instance and how many requests are using it; closed when it is retired and the last of them is done."""

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
            self._close_if_done()

    def retire(self) -> None:
        self._retired = True
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._retired and not self._users:
            self.instance.close()


class Turns:
    """So many at a time for one address; whoever asks for more waits behind himself and nobody else behind him."""

    def __init__(self, most: int):
        self.most = most
        self._of: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        semaphore, users = self._of.setdefault(address, (asyncio.Semaphore(self.most), []))
        users.append(None)
        try:
            async with semaphore:
                yield
        finally:
            users.pop()
            if not users:
                self._of.pop(address, None)


def current_folder(home: Path) -> Path:
    """The folder of the release in force. Raises NoRelease, with what to do, where there is none."""
    current = store.current(Home(home))
    if current is None:
        raise NoRelease(f"There is no release in {home} yet; run `mingzhang run --inbox FOLDER --home {home}` first.")
    return current.resolve()


def create_app(home: Path, workers: int | None = None, settings: SiteSettings | None = None) -> Site:
    """The ASGI app that serves HOME/current and HOME/releases. `workers`: processes for public SQL; `settings`: what the
    operator chose, from the environment where none are given.

    Raises NoRelease where there is no release, guard.GuardUnavailable where this Python cannot guard SQL.
    """
    guard.require()
    current_folder(home)
    return Site(home, Pool(workers) if workers else Pool(), settings or SiteSettings())


class Site:
    """The ASGI app. Starts itself with the lifespan, or at the first request where a server sends none."""

    def __init__(self, home: Path, pool: Pool, settings: SiteSettings | None = None):
        settings = settings or SiteSettings()
        self.home = home
        self.pool = pool
        self.requests = Bucket(settings.requests)
        self.sql_seconds = Bucket(settings.sql_seconds)
        self.openings = Bucket(OPENINGS)
        self.openings_each = Bucket(OPENINGS_EACH)
        self.sending = Sending()
        self.turns = Turns(MADE_AT_ONCE)
        self._making: dict[Key, asyncio.Future[Ready]] = {}
        self._generation = 0  # counts the releases that were current: an answer kept for one is not the next one's
        self.charts = charts.Charts()
        self.kept = Kept()
        self.current: Shown | None = None
        self.past: OrderedDict[str, Shown] = OrderedDict()
        self._refused: Path | None = None
        self._looked = 0.0
        self._starting = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._switching: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self.start()
            await self._http(scope, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.start()
                except (ReleaseBroken, ReleaseUnhealthy, NoRelease, TimeoutError, OSError) as e:
                    await send({"type": "lifespan.startup.failed", "message": str(e)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    # --- which release ---

    async def start(self) -> None:
        """Opens the current release and the pool; does nothing when that is done."""
        if self.current is not None:
            return
        async with self._starting:
            if self.current is None:
                shown = await self._open(current_folder(self.home), "/")
                await self.pool.start(_warm(shown.instance))
                self.current = shown

    async def close(self) -> None:
        """Ends what was started; requests under way are the server's to finish first."""
        if self._switching is not None:
            self._switching.cancel()
            await asyncio.gather(self._switching, return_exceptions=True)
        await self.charts.close()
        await self.pool.close()
        for shown in (*self.past.values(), *((self.current,) if self.current else ())):
            shown.retire()
        self.current = None
        self.past.clear()

    async def _open(self, folder: Path, base_url: str) -> Shown:
        """A release that is up and answers. Raises ReleaseBroken or ReleaseUnhealthy."""
        try:
            instance = await asyncio.to_thread(Instance, folder, base_url)
        except BROKEN as e:
            raise ReleaseBroken(f"Release {folder.name} cannot be read ({e!r}); build it again.") from e
        try:
            await instance.start()
            if base_url == "/":
                await instance.health()
                self.charts.begin(instance.facts)  # so that the first reader need not wait
        except BROKEN as e:
            instance.close()
            raise ReleaseBroken(f"Release {folder.name} cannot be opened ({e!r}); build it again.") from e
        except ReleaseUnhealthy:
            instance.close()
            raise
        return Shown(instance)

    def _look(self) -> None:
        """Starts a switch where `current` has come to point elsewhere; the old release answers until the new one does."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS or (self._switching is not None and not self._switching.done()):
            return
        self._looked = now
        try:
            folder = current_folder(self.home)
        except NoRelease:
            return  # between two releases, or taken away: the one we have stays up
        if self.current is not None and folder not in (self.current.instance.facts.folder, self._refused):
            self._switching = asyncio.get_running_loop().create_task(self._switch(folder))

    async def _switch(self, folder: Path) -> None:
        try:
            shown = await self._open(folder, "/")
        except (ReleaseBroken, ReleaseUnhealthy, OSError) as e:
            self._refused = folder
            log.error("release %s does not take over: %s", folder.name, e)
            return
        await self.pool.change(_warm(shown.instance))
        old, self.current = self.current, shown
        self._generation += 1
        self._refused = None
        if old is not None:
            old.retire()
        log.warning("release %s took over", folder.name)

    async def _past(self, release_id: str, address: str) -> Shown | None:
        """The instance of a release at its own address; None where it is not kept or cannot be served. Raises Busy where
        too many were opened lately, by all or by the one who asks."""
        if release_id in self.past:
            self.past.move_to_end(release_id)
            return self.past[release_id]
        folder = self.home / "releases" / release_id
        if not store.ID.fullmatch(release_id) or not folder.is_dir():
            return None
        async with self._opening:
            if release_id not in self.past:
                if self.openings.wait("", 1) or self.openings_each.wait(address, 1):
                    raise Busy
                self.openings.spend("")
                self.openings_each.spend(address)
                try:
                    self.past[release_id] = await self._open(folder.resolve(), f"/r/{release_id}/")
                except (ReleaseBroken, ReleaseUnhealthy) as e:
                    log.error("release %s is not served: %s", release_id, e)
                    return None
                while len(self.past) > KEPT_RELEASES:
                    self.past.popitem(last=False)[1].retire()
            self.past.move_to_end(release_id)
            return self.past[release_id]

    # --- one request ---

    async def _http(self, scope: Scope, send: Send) -> None:
        self._look()
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        past = raw.startswith(b"/r/")
        key = (
            -self._generation - 1 if past else self._generation + 1,
            scope["scheme"],
            _host(scope),
            raw,
            scope["query_string"],
        )
        if scope["method"] in ("GET", "HEAD") and (kept := self.kept.get(key)) is not None:
            await self._give(send, scope, kept)
            return
        assert self.current is not None
        path, query = raw.decode("latin-1").partition("?")[0], scope["query_string"].decode("latin-1")
        with self.current.used() as current:
            refused = await self._refused_at_the_door(current, scope, path, query)
            if refused is not None:
                await self._send(send, scope, refused, "no-store")
                return
            found = re.match(r"/r/([^/]+)(/.*)?$", path)
            if not found:
                await self._answer(current, scope, key, path, path, query, send, "public, max-age=60")
                return
        if not found[2]:
            answer = Answer(301, [(b"location", path.encode() + b"/")], b"")
            await self._send(send, scope, answer, "public, max-age=60")
            return
        try:
            shown = await self._past(found[1], _address(scope))
        except Busy:
            with self.current.used() as current:
                await self._send(send, scope, await self._busy(current, scope, path, words.BUSY), "no-store")
            return
        if shown is None:
            with self.current.used() as current:
                answer = await _refuse(current, scope, path, 404, "no_release", words.NO_RELEASE)
            await self._send(send, scope, answer, "no-store")
            return
        with shown.used() as instance:
            await self._answer(instance, scope, key, path, found[2], query, send, "public, max-age=86400")

    def _counted(self, scope: Scope, path: str) -> Answer | None:
        """Counts an answer that must be made; 429 where the visitor's address has had too many."""
        address = _address(scope)
        if wait := self.requests.wait(address, 1):
            return _too_many(path, wait)
        self.requests.spend(address)
        return None

    async def _give(self, send: Send, scope: Scope, done: Ready) -> None:
        """Sends an answer; where its reader already has much on its way to him, says that he must wait."""
        try:
            with self.sending.to(_address(scope), done.body):
                await send_ready(send, scope, done)
        except Full:
            assert self.current is not None
            path = (scope.get("raw_path") or b"/").decode("latin-1").partition("?")[0]
            await self._send(send, scope, await self._busy(self.current.instance, scope, path, words.BUSY), "no-store")

    async def _send(self, send: Send, scope: Scope, answer: Answer, keep: str) -> None:
        await send_ready(send, scope, ready(answer, keep, scope["scheme"] == "https"))

    async def _refused_at_the_door(self, current: Instance, scope: Scope, path: str, query: str) -> Answer | None:
        """The answer to a request that no release need look at; None where one must."""
        if scope["method"] == "OPTIONS":
            allowed = [(b"access-control-allow-methods", b"GET, HEAD"), (b"access-control-max-age", b"86400")]
            allowed.append((b"access-control-allow-headers", b"If-None-Match, Accept, Content-Type"))
            return Answer(204, [(b"allow", b"GET, HEAD"), *allowed], b"")
        if scope["method"] not in ("GET", "HEAD"):
            if (late := self._counted(scope, path)) is not None:
                return late
            refused = await _refuse(current, scope, path, 405, "method", words.METHOD)
            return Answer(405, [*refused.headers, (b"allow", b"GET, HEAD")], refused.body)
        if len(path) + len(query) > ADDRESS_CHARACTERS:
            if (late := self._counted(scope, path)) is not None:
                return late
            return await _refuse(current, scope, _where_told(path), 414, "too_long", words.TOO_LONG)
        if not _is_utf8(path) or not _is_utf8(query):
            if (late := self._counted(scope, path)) is not None:
                return late
            return await _refuse(current, scope, _where_told(path), 400, "bad_request", NOT_UTF8)
        if "//" in path or not path.isascii() or not query.isascii():  # `//host/` would redirect to another site
            if (late := self._counted(scope, path)) is not None:
                return late
            return await _refuse(current, scope, _where_told(path), 404, "not_found", words.NOT_FOUND)
        return None

    async def _answer(
        self, instance: Instance, scope: Scope, key: Key, path: str, route: str, query: str, send: Send, keep: str
    ) -> None:
        """Answers one request on one release; `route` is the path below the release's base_url."""
        facts = instance.facts
        if route == "/en":
            await self._send(send, scope, Answer(301, [(b"location", path.encode() + b"/")], b""), keep)
            return
        if route.endswith("/") and route not in ("/", "/en/"):
            at = path.rstrip("/") + (f"?{query}" if query else "")
            await self._send(send, scope, Answer(308, [(b"location", at.encode())], b""), keep)
            return
        if language.of_path(route) == "en":  # the same place; the path tells the instance which language
            route = language.in_language(route, "zh")
        first, _, rest = route[1:].partition("/")
        if route == "/healthz":
            await self._send(send, scope, as_json({"ok": True, "release": facts.release_id}), "no-store")
            return
        if first == "files" and rest in facts.files:
            await send_file(send, scope, facts, rest, instance.base_url, keep)
            return
        if (late := self._counted(scope, path)) is not None:
            await self._send(send, scope, late, "no-store")
            return
        if (wrong := _names_nothing(instance, route, query)) is not None:
            refused = await _refuse(instance, scope, path, *wrong)
            await self._send(send, scope, refused, "no-store")
            return
        if is_data(route):
            if (why := await asked.wrong(instance.ds, route, query)) is not None:
                refused = await _refuse(instance, scope, path, 400, "bad_argument", why)
                await self._send(send, scope, refused, "no-store")
                return
            query = _inner_query(route, query)
        if is_data(route) and needs_worker(route, query, facts.tables):
            answer = await self._run(instance, scope, path, route, query)
            done = self._finish(instance, scope, answer, keep, route)
            self.kept.put(key, done)
        else:
            done = await self._once(instance, scope, key, path, route, query, keep)
        await self._give(send, scope, done)

    async def _once(
        self, instance: Instance, scope: Scope, key: Key, path: str, route: str, query: str, keep: str
    ) -> Ready:
        """Makes an answer in this process, once for all who ask for it meanwhile, and a few at a time for one address."""
        async with self.turns.turn(_address(scope)):
            if (kept := self.kept.get(key)) is not None:
                return kept
            if key in self._making:
                return await asyncio.shield(self._making[key])
            made: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
            self._making[key] = made
            try:
                answer = await self._make(instance, scope, path, route, query)
                done = self._finish(instance, scope, answer, keep, route)
            except asyncio.CancelledError:
                made.cancel()
                raise
            except BaseException as e:
                made.set_exception(e)
                made.exception()  # whoever waits for it raises it too; nobody need
                raise
            else:
                made.set_result(done)
                if route != f"{api.ROOT}/releases":  # another release may come to be kept without a switch
                    self.kept.put(key, done)
                return done
            finally:
                del self._making[key]

    def _finish(self, instance: Instance, scope: Scope, answer: Answer, keep: str, route: str = "/") -> Ready:
        answer = Answer(answer.status, [*answer.headers, *of_release(instance.facts)], answer.body)
        if self.current is not None and self.current.instance.facts.release_id != instance.facts.release_id:
            answer, keep = self._dated(instance, scope, answer, keep, route)
        return ready(answer, keep if answer.status in (200, 301, 302) else "no-store", scope["scheme"] == "https")

    def _dated(self, instance: Instance, scope: Scope, answer: Answer, keep: str, route: str) -> tuple[Answer, str]:
        """An answer of a release that is not the current one, which says so: in a header, and over a page (newer.py). A page is
        then kept for a minute only, for what it says depends on the current release."""
        assert self.current is not None
        current = self.current.instance.facts
        spoken = language.of_path(scope["path"][len(instance.base_url) - 1 :])
        at = language.in_language(route, spoken)
        headers = [
            *answer.headers,
            (b"x-current-release", current.release_id.encode()),
            (b"link", f'<{urllib.parse.quote(at, safe="/%")}>; rel="latest-version"'.encode()),
        ]
        is_page = any(k == b"content-type" and v.startswith(b"text/html") for k, v in answer.headers)
        if not is_page or answer.status != 200 or newer.BEFORE not in answer.body:
            return Answer(answer.status, headers, answer.body), keep
        ds = instance.english if spoken == "en" else instance.ds
        gone = instance.facts.release_id in store.withdrawn(Home(self.home))
        over = newer.banner(ds.filler, instance.facts, current, urllib.parse.unquote(route), gone)
        body = answer.body.replace(newer.BEFORE, over + newer.BEFORE, 1)
        return Answer(answer.status, headers, body), "public, max-age=60" if keep != "no-store" else keep

    async def _make(self, instance: Instance, scope: Scope, path: str, route: str, query: str) -> Answer:
        """An answer that needs nothing but fixed SQL."""
        facts = instance.facts
        first, _, rest = route[1:].partition("/")
        if route in ("/robots.txt", "/sitemap.xml"):
            return await _for_crawlers(instance, route, _origin(scope))
        if (first == "api" and rest) or route in OWN_DATA:
            return await _api(instance, scope, route, query)
        drawn = charts.wanted(rest, language.of_path(path)) if first == "charts" else None
        if drawn is not None and (picture := await self.charts.get(facts, drawn)) is not None:
            kind = charts.TYPES.get(drawn.rpartition(".")[2], "text/javascript; charset=utf-8")
            svg = kind == "image/svg+xml"
            policy = [(b"content-security-policy", CSP_DRAWING.encode())] if svg else []
            return Answer(200, [(b"content-type", kind.encode()), *policy], picture)
        if not is_data(route) and (first not in OWN_PAGES or first == "favicon.ico"):
            return await _refuse(instance, scope, path, 404, "not_found", words.NOT_FOUND)
        with guard.watched() as cut:
            answer = await _ask(instance.app, _inner(scope, path, query))
        return dressed(answer, instance.facts, instance.base_url, route, bool(cut))

    async def _run(self, instance: Instance, scope: Scope, path: str, route: str, query: str) -> Answer:
        """An answer that runs something of the visitor's own, from a worker."""
        address = _address(scope)
        if wait := self.sql_seconds.wait(address):
            return _too_many(path, wait)
        request = _for_worker(instance, scope["scheme"], _host(scope), path, route, query)
        try:
            head, body = await self.pool.ask(request, address)
        except Stopped as e:
            said = words.TOO_SLOW if e.why == "too_slow" else words.TOO_LARGE
            return await _refuse(instance, scope, path, 400, e.why, said)
        except Busy:
            return await self._busy(instance, scope, path, words.BUSY)
        finally:
            self.sql_seconds.spend(address, request.get("spent", 0.0))
        headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in head["headers"]]
        answer = Answer(head["status"], headers, body)
        if route == f"/{DB}.csv" and answer.status == 200 and not body.strip(NOTHING):
            # Datasette answers a query that cannot run with an empty CSV; as JSON it says why.
            return await self._run(instance, scope, path.removesuffix(".csv") + ".json", f"/{DB}.json", query)
        return answer

    async def _busy(self, instance: Instance, scope: Scope, path: str, said: words.Pair) -> Answer:
        refused = await _refuse(instance, scope, path, 503, "busy", said)
        return Answer(503, [*refused.headers, (b"retry-after", b"2")], refused.body)


def _where_told(path: str) -> str:
    """A short address that is told of its fault in the same form as the one asked for: as JSON or as a page."""
    form = re.search(r"\.(json|csv|xlsx)$", path)
    if path.startswith("/api/"):
        return "/api/"
    return f"/refused{form[0]}" if form else "/en/" if language.of_path(path) == "en" else "/"


def _is_utf8(part: str) -> bool:
    """Whether a part of an address, percent-encoded, is of UTF-8; GBK would be read as other characters, and find nothing."""
    try:
        urllib.parse.unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _for_worker(instance: Instance, scheme: str, host: str, path: str, route: str, query: str) -> dict[str, Any]:
    return {
        "folder": str(instance.facts.folder),
        "base_url": instance.base_url,
        "scheme": scheme,
        "host": host,
        "path": path,
        "route": route,
        "query": query,
    }


def _warm(instance: Instance) -> dict[str, Any]:
    """What each new worker answers before it is used."""
    return _for_worker(instance, "http", "localhost", f"/{DB}", f"/{DB}", "sql=select+1")


def _names_nothing(instance: Instance, route: str, query: str) -> tuple[int, str, words.Pair] | None:
    """Why an address of the database leads nowhere, where Datasette would send the reader on or fail; None where it leads
    somewhere."""
    found = re.match(rf"/{DB}/([^/]+)", route)
    if found:
        if route.count("/") > 3:  # below a row there is nothing, whatever an upgrade puts there
            return 404, "not_found", words.NOT_FOUND
        table = re.sub(r"\.(json|csv|xlsx)$", "", found[1]) if route == found[0] else found[1]
        return None if table in instance.facts.tables else (404, "not_found", words.NOT_FOUND)
    if route in (f"/{DB}.json", f"/{DB}.csv", f"/{DB}.xlsx") and not any(
        k == "sql" and v.strip() for k, v in urllib.parse.parse_qsl(query)
    ):
        return 400, "no_sql", NO_SQL
    return None


def needs_worker(route: str, query: str, rows: Mapping[str, int] | None = None) -> bool:
    """Whether an address of the database carries anything of the visitor's own: SQL, a filter, an order, a search.

    Much of a table counts too, for making it would hold up everybody else's pages; `rows` is how many each table has.
    """
    args = urllib.parse.parse_qsl(query, keep_blank_values=True)
    light = route.endswith((".json", ".csv"))
    if route.endswith(".xlsx") or any(name not in PLAIN_ARGS and not (name == "_size" and light) for name, _ in args):
        return True
    size = next((value for name, value in args if name == "_size"), "max" if route.endswith(".csv") else "50")
    asked = int(size) if re.fullmatch(r"[0-9]{1,4}", size) else 1000
    table = route.rpartition("/")[2].partition(".")[0]
    return light and min(asked, (rows or {}).get(table, 0)) > LIGHT_ROWS


def _inner_query(route: str, query: str) -> str:
    """What Datasette is asked with. A CSV of a table has as many rows as an answer may have, where Datasette's has as many as
    a page; a query of nothing is none; `_extra` would give 1.0 other keys than 0.65 has."""
    if re.fullmatch(rf"/{DB}/[^/]+\.csv", route) and "_size=" not in query:
        return f"{query}&_size=max".lstrip("&")
    return re.sub(r"(^|&)(sql=\+*|_extra=[^&]*)(?=&|$)", "", query).lstrip("&")


async def _api(instance: Instance, scope: Scope, route: str, query: str) -> Answer:
    facts, help_at = instance.facts, f"{instance.base_url}openapi.json"
    if route == "/openapi.json":
        return as_json(openapi(facts, instance.base_url, _origin(scope)))
    if route == "/-/versions.json":
        return as_json(
            {
                "release_id": facts.release_id,
                "as_of": facts.as_of,
                "code_version": facts.code_version,
                "api": api.VERSION,
                "datasette": datasette.__version__,
                "sqlite": sqlite3.sqlite_version,
            }
        )
    try:
        said = await api.answer(instance, route, query)
    except api.Refused as e:
        return _error(e.status, e.code, (e.zh, e.en), help_at)
    except QueryInterrupted:
        return _error(400, "too_slow", words.TOO_SLOW, help_at)
    link = said.get("next")
    return as_json(
        said, headers=[(b"link", f'<{link}>; rel="next"'.encode()), (b"x-truncated", b"true")] if link else []
    )


def _error(status: int, code: str, said: words.Pair, help_at: str) -> Answer:
    zh, en = said
    return as_json({"ok": False, "status": status, "code": code, "error": en, "error_zh": zh, "help": help_at}, status)


def _too_many(path: str, wait: int) -> Answer:
    """429, made of next to nothing: whoever gets it asks often."""
    later = (b"retry-after", str(wait).encode())
    if path.endswith((".json", ".csv", ".xlsx")) or "/api/" in path:
        refused = _error(429, "too_many", TOO_MANY, "/openapi.json")
        return Answer(429, [*refused.headers, later], refused.body)
    page = (
        '<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>429</title>'
        f'<h1>429</h1><p>{TOO_MANY[0]}</p><p lang="en">{TOO_MANY[1]}</p></html>'
    )
    return Answer(429, [(b"content-type", b"text/html; charset=utf-8"), later], page.encode())


async def _for_crawlers(instance: Instance, route: str, origin: str) -> Answer:
    """robots.txt and sitemap.xml: pages are to be found, queries and past releases are not to be crawled."""
    root = origin + instance.base_url
    if route == "/robots.txt":
        lines = [f"User-agent: *\nDisallow: /{DB}?\nDisallow: /{DB}.\nDisallow: /r/\nDisallow: /*?*sql=\n"]
        text = "".join([*lines, f"\nSitemap: {root}sitemap.xml\n"])
        return Answer(200, [(b"content-type", b"text/plain; charset=utf-8")], text.encode())
    fixed = [p.strip("^$").strip("/") for p, _ in pages.ROUTES if "(" not in p and "." not in p]
    places = [*fixed, *(f"datasets/{d['dataset']}" for d in instance.facts.datasets)]
    for table, key in (("indicators", "indicator_id"), ("claims", "claim_id")):
        rows = (await instance.db.execute(f"select {key} from {table} order by 1")).rows
        places += [f"{table}/{urllib.parse.quote(r[0])}" for r in rows]
    urls = "".join(
        f"<url><loc>{root}{p}</loc><lastmod>{instance.facts.as_of}</lastmod></url>\n" for p in places[:50_000]
    )
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n'
    return Answer(200, [(b"content-type", b"application/xml; charset=utf-8")], xml.encode())


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _origin(scope: Scope) -> str:
    """Scheme and host as the reader sees them, for the few places that need a whole address."""
    return f"{scope['scheme']}://{_host(scope)}"


def _host(scope: Scope) -> str:
    """The host that the reader asked for; what could be none gets into no answer and no key."""
    host = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), "localhost")
    return host if len(host) <= HOST_CHARACTERS and HOST.fullmatch(host) else "localhost"


def _inner(scope: Scope, path: str, query: str) -> dict[str, Any]:
    """The scope that Datasette sees: a GET with the few headers that may matter."""
    return {
        "type": "http",
        "asgi": scope.get("asgi", {"version": "3.0"}),
        "http_version": scope.get("http_version", "1.1"),
        "method": "GET",
        "scheme": scope["scheme"],
        "path": urllib.parse.unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(b"host", _host(scope).encode("latin-1"))],
        "client": None,
        "server": scope.get("server"),
        "csrftoken": lambda: "",
    }


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _ask(app: Any, scope: Scope) -> Answer:
    start: dict[str, Any] = {}
    parts: list[bytes] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, _nothing, send)
    return Answer(start["status"], [(bytes(k), bytes(v)) for k, v in start["headers"]], b"".join(parts))


async def _refuse(instance: Instance, scope: Scope, path: str, status: int, code: str, said: words.Pair) -> Answer:
    inner = _inner(scope, path if path.isascii() else "/", scope["query_string"].decode("latin-1")[:ADDRESS_CHARACTERS])
    response = await instance.error(Request(inner, _nothing), status, code, *said)
    body = response.body if isinstance(response.body, bytes) else str(response.body).encode()
    answer = Answer(status, [(b"content-type", response.content_type.encode())], body)
    return (
        explained(answer, instance.facts, f"{instance.base_url}openapi.json")
        if "json" in response.content_type
        else answer
    )
