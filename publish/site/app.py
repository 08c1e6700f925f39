"""The site as one ASGI app: which process answers a request, and at what cost to a client.

Belongs here: the order of checks of a request, the cache, the pool, refusals. Not here: open releases (switch.py),
addresses (routes.py), headers (responses.py), pages (pages/), limits of SQL (guard.py, worker.py), the API (api/).

    request ── cached ───────────────────────> from memory
            ├─ own page, table without filter ─> Datasette in this process, fixed SQL only
            ├─ POST /report ────────────────> a file in HOME/reports (report_form.py)
            ├─ /api/v1/… ───────────────────> this process, fixed SQL only
            ├─ ?sql=, a filter, an order, … ──> a worker process, killed when late (pool.py)
            └─ /files/…, /charts/… ───────────> from disk, from memory
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from pipelines.core.home import Home
from publish.site import charts, guard, messages, newer, pages
from publish.site.api.http import OWN_DATA, api_answer
from publish.site.api.model import ROOT
from publish.site.cache import AnswerCache, Key
from publish.site.crawlers import ROBOTS, SECURITY, SITEMAP, for_crawlers, security
from publish.site.facts import DB, ReleaseBroken
from publish.site.files import send_file
from publish.site.inner import ask, inner_scope, worker_request
from publish.site.instance import Instance, ReleaseUnhealthy
from publish.site.limits import ClientSemaphores, SendLimit, SendLimitReached
from publish.site.mailbox import Mailbox
from publish.site.pool import Busy, Pool, QueryStopped
from publish.site.ratelimit import Bucket
from publish.site.refusals import ADDRESS_CHARACTERS, busy, invalid, refuse
from publish.site.report_fields import TAKES_REPORTS
from publish.site.report_form import ReportForm
from publish.site.responses import (
    Answer,
    Ready,
    Receive,
    Scope,
    Send,
    as_json,
    finalize,
    release_headers,
    send_answer,
    too_many_requests,
)
from publish.site.routes import (
    client_of,
    datasette_query,
    error_path,
    host_of,
    is_data,
    is_utf8,
    needs_worker,
    origin_of,
)
from publish.site.settings import SiteSettings
from publish.site.switch import NoCurrentRelease, Releases, current_folder

ANSWERS_AT_A_TIME = 3  # in progress for one client; its further requests wait
STATIC = Path(__file__).parent / "static"
ICONS = {"/favicon.ico": "image/x-icon", "/apple-touch-icon.png": "image/png"}  # asked for at these addresses
OWN_PAGES = pages.PLACES | {"static"}
REPORT = "/report"
EMPTY_CSV = b"\xef\xbb\xbf\r\n\t "  # the bytes of a CSV without content
ALLOWED = [
    (b"allow", b"GET, HEAD"),
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-max-age", b"86400"),
    (b"access-control-allow-headers", b"If-None-Match, If-Range, Range, Accept, Content-Type"),
]


def create_app(home: Path, workers: int | None = None, settings: SiteSettings | None = None) -> Site:
    """Return the ASGI app that serves HOME/current and HOME/releases.

    `workers`: processes for public SQL; `settings`: from the environment by default. Raises NoCurrentRelease where there is no
    release, guard.GuardUnavailable where this Python cannot guard SQL.
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
        self.renderer = charts.PngRenderer()
        self.releases = Releases(home, pool)
        self.cache = AnswerCache()
        self.requests = Bucket(settings.requests)
        self.sql_seconds = Bucket(settings.sql_seconds)
        self.send_limit = SendLimit()
        self.semaphores = ClientSemaphores(ANSWERS_AT_A_TIME)
        mailbox = Mailbox(Home(home).reports)
        self.form = ReportForm(mailbox) if settings.reports and mailbox.usable() else None
        self._in_progress: dict[Key, asyncio.Future[Ready]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self.start()
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.start()
                except (ReleaseBroken, ReleaseUnhealthy, NoCurrentRelease, TimeoutError, OSError) as e:
                    await send({"type": "lifespan.startup.failed", "message": str(e)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def start(self) -> None:
        """Open the current release and the pool; without effect when that is done."""
        await self.releases.start()

    async def close(self) -> None:
        """End what was started; requests under way are the server's to finish first."""
        await self.releases.stop()
        await self.renderer.close()
        await self.pool.close()
        self.releases.close()

    # --- one request ---

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.releases.look()
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        generation = self.releases.generation + 1
        of_past = raw.startswith(b"/r/")
        key = (-generation if of_past else generation, scope["scheme"], host_of(scope), raw, scope["query_string"])
        if scope["method"] in ("GET", "HEAD") and (cached := self.cache.get(key)) is not None:
            await self._give(send, scope, cached)
            return
        path, query = raw.decode("latin-1").partition("?")[0], scope["query_string"].decode("latin-1")
        assert self.releases.current is not None
        with self.releases.current.used() as current:
            if self.form is not None and scope["method"] == "POST" and current.route_of(path) == REPORT:
                limited = self._rate_limited(scope, path)
                answer = limited or await self.form.take(current, scope, path, receive)
                await self._send(send, scope, answer, "no-store")
                return
            refused = await self._refusal(current, scope, path, query)
            if refused is not None:
                await self._send(send, scope, refused, "no-store")
                return
            match = re.match(r"/r/([^/]+)(/.*)?$", path)
            if not match:
                await self._answer(current, scope, key, path, path, query, send, "public, max-age=60")
                return
        if not match[2]:
            answer = Answer(301, [(b"location", path.encode() + b"/")], b"")
            await self._send(send, scope, answer, "public, max-age=60")
            return
        try:
            lease = await self.releases.past(match[1], client_of(scope))
        except Busy:
            with self.releases.current.used() as current:
                await self._send(send, scope, await busy(current, scope, path), "no-store")
            return
        if lease is None:
            with self.releases.current.used() as current:
                answer = await refuse(current, scope, path, 404, "no_release", messages.NO_RELEASE)
            await self._send(send, scope, answer, "no-store")
            return
        with lease.used() as instance:
            await self._answer(instance, scope, key, path, match[2], query, send, "public, max-age=86400")

    def _rate_limited(self, scope: Scope, path: str) -> Answer | None:
        """Count an answer that must be made; return a 429 where the client exceeds its rate."""
        client = client_of(scope)
        if wait := self.requests.wait(client, 1):
            return too_many_requests(path, wait)
        self.requests.spend(client)
        return None

    async def _give(self, send: Send, scope: Scope, answer: Ready) -> None:
        """Send an answer; 503 where too many bytes are in flight to its client already."""
        try:
            with self.send_limit.sending(client_of(scope), answer.body):
                await send_answer(send, scope, answer)
        except SendLimitReached:
            assert self.releases.current is not None
            path = (scope.get("raw_path") or b"/").decode("latin-1").partition("?")[0]
            await self._send(send, scope, await busy(self.releases.current.instance, scope, path), "no-store")

    async def _send(self, send: Send, scope: Scope, answer: Answer, cache_control: str) -> None:
        await send_answer(send, scope, finalize(answer, cache_control, scope["scheme"] == "https"))

    async def _refusal(self, current: Instance, scope: Scope, path: str, query: str) -> Answer | None:
        """Return the answer to a request that needs no release; None where it needs one."""
        if scope["method"] == "OPTIONS":
            return Answer(204, ALLOWED, b"")
        if scope["method"] not in ("GET", "HEAD"):
            status, code, sentences, shown = 405, "method", messages.METHOD, path
        elif len(path) + len(query) > ADDRESS_CHARACTERS:
            status, code, sentences, shown = 414, "too_long", messages.TOO_LONG, error_path(path, current.facts.order)
        elif not is_utf8(path) or not is_utf8(query):
            status, code, sentences, shown = (
                400,
                "bad_request",
                messages.NOT_UTF8,
                error_path(path, current.facts.order),
            )
        elif "//" in path or not path.isascii() or not query.isascii():  # `//host/` would redirect to another site
            status, code, sentences, shown = 404, "not_found", messages.NOT_FOUND, error_path(path, current.facts.order)
        else:
            return None
        if (limited := self._rate_limited(scope, path)) is not None:
            return limited
        refused = await refuse(current, scope, shown, status, code, sentences)
        return Answer(405, [*refused.headers, ALLOWED[0]], refused.body) if status == 405 else refused

    async def _answer(
        self,
        instance: Instance,
        scope: Scope,
        key: Key,
        path: str,
        route: str,
        query: str,
        send: Send,
        cache_control: str,
    ) -> None:
        """Answer one request on one release; `route` is the path below the base_url of the release."""
        facts = instance.facts
        second = facts.order.prefix(facts.order.second)
        if (target := facts.order.superfluous(path)) is not None:
            target += f"?{query}" if query else ""
            await self._send(send, scope, Answer(301, [(b"location", target.encode())], b""), cache_control)
            return
        if route == second:
            await self._send(send, scope, Answer(301, [(b"location", path.encode() + b"/")], b""), cache_control)
            return
        if route.endswith("/") and route not in ("/", f"{second}/", f"{ROOT}/"):
            target = path.rstrip("/") + (f"?{query}" if query else "")
            await self._send(send, scope, Answer(308, [(b"location", target.encode())], b""), cache_control)
            return
        # The same target in either language; the instance takes the language from the path.
        route = facts.order.in_language(route, facts.order.first)
        first, _, rest = route[1:].partition("/")
        if route == "/healthz":
            await self._send(send, scope, as_json({"ok": True, "release": facts.release_id}), "no-store")
            return
        if first == "files" and rest in facts.files:
            await send_file(send, scope, facts, rest, instance.base_url, cache_control, origin_of(scope))
            return
        refused = self._rate_limited(scope, path) or await invalid(instance, scope, path, route, query)
        if refused is not None:
            await self._send(send, scope, refused, "no-store")
            return
        if is_data(route):
            query = datasette_query(route, query)
        if is_data(route) and needs_worker(route, query, facts.tables):
            answer = await self._run(instance, scope, path, route, query)
            ready = self._finish(instance, scope, answer, cache_control, route)
            self.cache.put(key, ready)
        else:
            ready = await self._once(instance, scope, key, path, route, query, cache_control)
        await self._give(send, scope, ready)

    async def _once(
        self, instance: Instance, scope: Scope, key: Key, path: str, route: str, query: str, cache_control: str
    ) -> Ready:
        """Make an answer in this process: once for concurrent requests of the same key, a few at a time per client."""
        async with self.semaphores.acquire(client_of(scope)):
            if (cached := self.cache.get(key)) is not None:
                return cached
            if key in self._in_progress:
                return await asyncio.shield(self._in_progress[key])
            future: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
            self._in_progress[key] = future
            try:
                answer = await self._make(instance, scope, path, route, query)
                ready = self._finish(instance, scope, answer, cache_control, route)
            except asyncio.CancelledError:
                future.cancel()
                raise
            except BaseException as e:
                future.set_exception(e)
                future.exception()  # marks it as retrieved: there may be nobody else who waits for it
                raise
            else:
                future.set_result(ready)
                # Another release may come to be kept without a switch, and a citation has the date of access.
                if route != f"{ROOT}/releases" and not route.startswith("/cite/"):
                    self.cache.put(key, ready)
                return ready
            finally:
                del self._in_progress[key]

    def _finish(self, instance: Instance, scope: Scope, answer: Answer, cache_control: str, route: str = "/") -> Ready:
        answer = Answer(answer.status, [*answer.headers, *release_headers(instance.facts)], answer.body)
        current = self.releases.current
        if current is not None and current.instance.facts.release_id != instance.facts.release_id:
            answer, cache_control = newer.mark_outdated(
                answer, cache_control, instance, current.instance.facts, scope["path"], route, self.home
            )
        cacheable = answer.status in (200, 301, 302) and not route.startswith("/cite/")
        return finalize(answer, cache_control if cacheable else "no-store", scope["scheme"] == "https")

    async def _make(self, instance: Instance, scope: Scope, path: str, route: str, query: str) -> Answer:
        """Make an answer that needs nothing but fixed SQL."""
        first, _, rest = route[1:].partition("/")
        if route in (ROBOTS, SITEMAP):
            return await for_crawlers(instance, route, origin_of(scope))
        if route == SECURITY and (found := security(instance, origin_of(scope))):
            return found
        if (first == "api" and rest) or route in OWN_DATA:
            return await api_answer(instance, origin_of(scope), route, query)
        if route in ICONS:
            return Answer(200, [(b"content-type", ICONS[route].encode())], (STATIC / route[1:]).read_bytes())
        if first == "charts" and rest.endswith(".png"):
            return await self._png(instance, scope, path, query)
        if not is_data(route) and first not in OWN_PAGES:
            return await refuse(instance, scope, path, 404, "not_found", messages.NOT_FOUND)
        inner = inner_scope(scope["scheme"], host_of(scope), path, query)
        if route == REPORT:
            inner[TAKES_REPORTS] = self.form is not None
        return await ask(instance.app, inner)

    async def _png(self, instance: Instance, scope: Scope, path: str, query: str) -> Answer:
        """Make the PNG of a chart from its SVG."""
        drawn = await ask(
            instance.app, inner_scope(scope["scheme"], host_of(scope), path.removesuffix(".png") + ".svg", query)
        )
        if drawn.status != 200 or not charts.draws_chinese():
            return await refuse(instance, scope, path, 404, "not_found", messages.NOT_FOUND)
        try:
            picture = await self.renderer.png(drawn.body)
        except Busy:
            picture = None
        if picture is None:
            return await busy(instance, scope, path)
        return Answer(200, [(b"content-type", b"image/png")], picture)

    async def _run(self, instance: Instance, scope: Scope, path: str, route: str, query: str) -> Answer:
        """Make an answer that runs something of the visitor's own, in a worker."""
        client = client_of(scope)
        if wait := self.sql_seconds.wait(client):
            return too_many_requests(path, wait)
        request = worker_request(instance, scope["scheme"], host_of(scope), path, route, query)
        try:
            head, body = await self.pool.ask(request, client)
        except QueryStopped as e:
            sentences = messages.TOO_SLOW if e.why == "too_slow" else messages.TOO_LARGE
            return await refuse(instance, scope, path, 400, e.why, sentences)
        except Busy:
            return await busy(instance, scope, path)
        finally:
            self.sql_seconds.spend(client, request.get("spent", 0.0))
        headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in head["headers"]]
        answer = Answer(head["status"], headers, body)
        if route == f"/{DB}.csv" and answer.status == 200 and not body.strip(EMPTY_CSV):
            # Datasette answers a query that cannot run with an empty CSV; its JSON has the error.
            return await self._run(instance, scope, path.removesuffix(".csv") + ".json", f"/{DB}.json", query)
        return answer
