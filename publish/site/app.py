"""The site as one ASGI app: which release answers, which process answers, and what every answer carries.

Belongs here: following `current` without losing a request, `/r/<release_id>/…`, sending public SQL to the pool, files,
headers, ETags, the kept answers. Not here: pages (pages.py), Datasette (instance.py), limits (guard.py, worker.py).

    request ── own page, table as it stands ──> Datasette in this process, fixed SQL only
            ├─ ?sql=, a filter, an order, … ──> a worker process, killed when late (pool.py)
            └─ /files/…, /charts/… ───────────> from disk, from memory
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import logging
import mimetypes
import re
import time
import urllib.parse
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasette.utils.asgi import Request

from publish.site import charts, guard, language, pages, words
from publish.site.facts import DB, RELEASE_ID, ReleaseBroken
from publish.site.instance import Instance, ReleaseUnhealthy
from publish.site.pool import Busy, Pool, Stopped

log = logging.getLogger("mingzhang.site")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LOOK_SECONDS = 1.0  # how often `current` is looked at, at most
KEPT_RELEASES = 4  # past releases open at a time
ADDRESS_CHARACTERS = 16_000
CACHE_BYTES = 32 << 20
CACHED_ANSWER_BYTES = 1 << 20
CHUNK = 1 << 18

# What may stand in the address of a table and still be answered by fixed SQL; anything else is the visitor's own.
PLAIN_ARGS = frozenset(
    ["_shape", "_nl", "_dl", "_labels", "_header", "_col", "_nocol", "_nocount", "_nofacet", "_nosuggest", "_next"]
)
OWN_PAGES = pages.PLACES | {"static"}

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
CSP_DRAWING = "default-src 'none'; style-src 'unsafe-inline'"  # an SVG's own attributes; it loads and runs nothing
SECURITY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"access-control-allow-origin", b"*"),
]
DROPPED = frozenset(
    (b"set-cookie", b"vary", b"content-length", b"transfer-encoding", b"cache-control", b"referrer-policy")
)
PASSED = frozenset((b"host", b"accept", b"if-none-match"))  # no cookie, no credentials: every reader gets the same


class NoRelease(RuntimeError):
    """There is nothing to serve yet. The message says what to do."""


@dataclass(frozen=True)
class Answer:
    """A whole answer; pages, tables and queries are bounded, so they fit."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> bytes:
        return next((v for k, v in self.headers if k.lower() == name), b"")


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


class Kept:
    """Answers that were given before: a release never changes, so neither do they. Bounded by bytes, oldest out first."""

    def __init__(self, most: int = CACHE_BYTES):
        self.most = most
        self._answers: OrderedDict[tuple[Any, ...], Answer] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[Any, ...]) -> Answer | None:
        if key in self._answers:
            self._answers.move_to_end(key)
        return self._answers.get(key)

    def put(self, key: tuple[Any, ...], answer: Answer) -> None:
        weight = len(answer.body) + 2_000
        if answer.status != 200 or weight > CACHED_ANSWER_BYTES or key in self._answers:
            return
        self._answers[key] = answer
        self._bytes += weight
        while self._bytes > self.most:
            self._bytes -= len(self._answers.popitem(last=False)[1].body) + 2_000


def current_folder(home: Path) -> Path:
    """The folder of the release in force. Raises NoRelease, with what to do, where there is none."""
    current = home / "current"
    if not current.is_symlink() or not current.exists():
        raise NoRelease(f"There is no release in {home} yet; run `mingzhang run --inbox FOLDER --home {home}` first.")
    return current.resolve()


def create_app(home: Path, workers: int | None = None) -> Site:
    """The ASGI app that serves HOME/current and HOME/releases. `workers`: processes for public SQL.

    Raises NoRelease where there is no release, guard.GuardUnavailable where this Python cannot guard SQL.
    """
    guard.require()
    current_folder(home)
    return Site(home, Pool(workers) if workers else Pool())


class Site:
    """The ASGI app. Starts itself with the lifespan, or at the first request where a server sends none."""

    def __init__(self, home: Path, pool: Pool):
        self.home = home
        self.pool = pool
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
                await self.pool.start(self._for_worker(shown.instance, "http", "localhost", f"/{DB}", "sql=select+1"))
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
        instance = await asyncio.to_thread(Instance, folder, base_url)
        await instance.start()
        await instance.health()
        if base_url == "/":
            self.charts.begin(instance.facts)  # so that the first reader need not wait
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
        await self.pool.change(self._for_worker(shown.instance, "http", "localhost", f"/{DB}", "sql=select+1"))
        old, self.current = self.current, shown
        self._refused = None
        if old is not None:
            old.retire()
        log.warning("release %s took over", folder.name)

    async def _past(self, release_id: str) -> Shown | None:
        """The instance of a release at its own address; None where it is not kept or cannot be served."""
        async with self._opening:
            if release_id not in self.past:
                folder = self.home / "releases" / release_id
                if not RELEASE_ID.fullmatch(release_id) or not folder.is_dir():
                    return None
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
        assert self.current is not None
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        query = scope["query_string"].decode("latin-1")
        with self.current.used() as current:
            refused = await self._refused_at_the_door(current, scope, path, query)
            if refused is not None:
                await _send(send, scope, refused, "no-store")
                return
            found = re.match(r"/r/([^/]+)(/.*)?$", path)
            if not found:
                await self._answer(current, scope, path, path, query, send, "public, max-age=60")
                return
        if not found[2]:
            await _send(send, scope, Answer(301, [(b"location", path.encode() + b"/")], b""), "public, max-age=60")
            return
        shown = await self._past(found[1])
        if shown is None:
            with self.current.used() as current:
                answer = await _refuse(current, scope, path, 404, "no_release", words.NO_RELEASE)
            await _send(send, scope, answer, "no-store")
            return
        with shown.used() as instance:
            await self._answer(instance, scope, path, found[2], query, send, "public, max-age=86400")

    async def _refused_at_the_door(self, current: Instance, scope: Scope, path: str, query: str) -> Answer | None:
        """The answer to a request that no release need look at; None where one must."""
        if scope["method"] == "OPTIONS":
            return Answer(204, [(b"allow", b"GET, HEAD"), (b"access-control-allow-methods", b"GET, HEAD")], b"")
        if scope["method"] not in ("GET", "HEAD"):
            refused = await _refuse(current, scope, path, 405, "method", words.METHOD)
            return Answer(405, [*refused.headers, (b"allow", b"GET, HEAD")], refused.body)
        if len(path) + len(query) > ADDRESS_CHARACTERS:
            return await _refuse(current, scope, path[:200], 414, "too_long", words.TOO_LONG)
        if "//" in path or not path.isascii() or not query.isascii():  # `//host/` would redirect to another site
            return await _refuse(current, scope, "/", 404, "not_found", words.NOT_FOUND)
        return None

    async def _answer(
        self, instance: Instance, scope: Scope, path: str, route: str, query: str, send: Send, keep: str
    ) -> None:
        """Answers one request on one release; `route` is the path below the release's base_url."""
        facts = instance.facts
        if route == "/en":
            await _send(send, scope, Answer(301, [(b"location", path.encode() + b"/")], b""), keep)
            return
        if language.of_path(route) == "en":  # the same place; the path tells the instance which language
            route = language.in_language(route, "zh")
        first, _, rest = route[1:].partition("/")
        if first == "files" and rest in facts.files:
            await _send_file(send, scope, facts.folder / rest, facts.files[rest], keep)
            return
        key = (id(instance), facts.release_id, scope["scheme"], _host(scope), path, query)
        answer = self.kept.get(key)
        if answer is None:
            answer = await self._make(instance, scope, path, route, query)
            self.kept.put(key, answer)
        await _send(send, scope, answer, keep if answer.status in (200, 301, 302) else "no-store")

    async def _make(self, instance: Instance, scope: Scope, path: str, route: str, query: str) -> Answer:
        first, _, rest = route[1:].partition("/")
        if route == "/healthz":
            body = json.dumps({"ok": True, "release": instance.facts.release_id}).encode()
            return Answer(200, [(b"content-type", b"application/json")], body)
        if route == "/robots.txt":
            robots = f"User-agent: *\nDisallow: /{DB}?\nDisallow: /r/\n".encode()
            return Answer(200, [(b"content-type", b"text/plain; charset=utf-8")], robots)
        drawn = charts.wanted(rest, language.of_path(path)) if first == "charts" else None
        if drawn is not None:
            picture = await self.charts.get(instance.facts, drawn)
            if picture is not None:
                kind = charts.TYPES.get(drawn.rpartition(".")[2], "text/javascript; charset=utf-8")
                headers = [(b"content-type", kind.encode())]
                if kind == "image/svg+xml":
                    headers.append((b"content-security-policy", CSP_DRAWING.encode()))
                return Answer(200, headers, picture)
        table = re.fullmatch(
            rf"/{DB}(/.*)?(\.(?P<format>json|csv|xlsx|blob))?|/{DB}\.(?P<whole>json|csv|xlsx|blob)", route
        )
        if table is None and (first not in OWN_PAGES or first == "favicon.ico"):
            return await _refuse(instance, scope, path, 404, "not_found", words.NOT_FOUND)
        if table is not None and needs_worker(route, query):
            try:
                head, body = await self.pool.ask(self._for_worker(instance, scope["scheme"], _host(scope), path, query))
            except Stopped as e:
                said = words.TOO_SLOW if e.why == "too_slow" else words.TOO_LARGE
                return await _refuse(instance, scope, path, 400, e.why, said)
            except Busy:
                refused = await _refuse(instance, scope, path, 503, "busy", words.BUSY)
                return Answer(503, [*refused.headers, (b"retry-after", b"2")], refused.body)
            headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in head["headers"]]
            answer = Answer(head["status"], headers, body)
            if route == f"/{DB}.csv" and answer.status == 200 and not body.strip():
                # Datasette answers a query that cannot run with an empty CSV; as JSON it says why.
                return await self._make(instance, scope, path.removesuffix(".csv") + ".json", f"/{DB}.json", query)
            if answer.status >= 400 and route.endswith(".json"):
                answer = _explained(answer)
        else:
            answer = await _ask(instance.app, _inner(scope, path, query))
        return _for_excel(answer) if route.endswith(".csv") and answer.status == 200 else answer

    def _for_worker(self, instance: Instance, scheme: str, host: str, path: str, query: str) -> dict[str, Any]:
        return {
            "folder": str(instance.facts.folder),
            "base_url": instance.base_url,
            "scheme": scheme,
            "host": host,
            "path": path,
            "query": query,
        }


def needs_worker(route: str, query: str) -> bool:
    """Whether an address of the database carries anything of the visitor's own: SQL, a filter, an order, a search.

    A large page of HTML counts too: drawing it would hold up everybody else's pages.
    """
    args = urllib.parse.parse_qsl(query, keep_blank_values=True)
    light = route.endswith((".json", ".csv"))
    return route.endswith(".xlsx") or any(
        name not in PLAIN_ARGS and not (name == "_size" and light) for name, _ in args
    )


def _host(scope: Scope) -> str:
    return next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), "localhost")


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
        "headers": [(k, v) for k, v in scope["headers"] if k in PASSED and k != b"if-none-match"],
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
    return Answer(status, [(b"content-type", response.content_type.encode())], body)


def _explained(answer: Answer) -> Answer:
    """An error of SQL in JSON in the same shape as every other error: a code, a sentence in each language, the detail."""
    said = json.loads(answer.body)
    if "code" in said:
        return answer
    zh, en = words.explain_sql(str(said.get("error") or ""))
    body = {
        "ok": False,
        "status": answer.status,
        "code": "bad_sql",
        "error": en,
        "error_zh": zh,
        "detail": said.get("error"),
    }
    return Answer(answer.status, answer.headers, json.dumps(body, ensure_ascii=False).encode())


def _for_excel(answer: Answer) -> Answer:
    """A CSV as Excel reads it: a byte order mark first, and no cell that would run as a formula when it is opened.

    Method of the second: OWASP, CSV Injection; an apostrophe goes before the cell. Negative figures stay figures.
    """
    text = answer.body.decode("utf-8")
    if re.search(r"(^|[,\n\"])[=+\-@\t\r]", text):
        out = io.StringIO()
        writer = csv.writer(out)
        for row in csv.reader(io.StringIO(text, newline="")):
            writer.writerow(
                [f"'{c}" if c[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(c) else c for c in row]
            )
        text = out.getvalue()
    headers = [(k, v) for k, v in answer.headers if k.lower() != b"content-type"]
    headers.append((b"content-type", b"text/csv; charset=utf-8"))
    return Answer(answer.status, headers, b"\xef\xbb\xbf" + text.encode("utf-8"))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


async def _send(send: Send, scope: Scope, answer: Answer, keep: str) -> None:
    """Sends a whole answer with everything that each one carries; 304 where the reader has it already."""
    headers = [(k.lower(), v) for k, v in answer.headers if k.lower() not in DROPPED]
    etag = b'"' + hashlib.sha256(answer.body).hexdigest()[:20].encode() + b'"'
    if not answer.header(b"content-security-policy"):
        headers.append((b"content-security-policy", CSP.encode()))
    headers += [*SECURITY, (b"cache-control", keep.encode())]
    status, body = answer.status, answer.body
    if status == 200:
        headers.append((b"etag", etag))
        if etag in dict(scope["headers"]).get(b"if-none-match", b""):
            status, body = 304, b""
    if status not in (204, 304):
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _send_file(send: Send, scope: Scope, path: Path, digest: str, keep: str) -> None:
    """Sends a file of the release, piece by piece; its name stands in SHA256SUMS, so it is one of ours."""
    etag = f'"{digest[:20]}"'.encode()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    kind = {".jsonld": "application/ld+json", ".parquet": "application/vnd.apache.parquet"}.get(path.suffix, kind)
    kind += "; charset=utf-8" if kind.startswith("text/") else ""
    headers: Headers = [
        (b"content-type", kind.encode()),
        (b"content-security-policy", CSP.encode()),
        (b"etag", etag),
        (b"cache-control", keep.encode()),
        *SECURITY,
    ]
    if path.suffix in (".csv", ".xlsx", ".parquet", ".db"):
        name = urllib.parse.quote(path.name)
        headers.append((b"content-disposition", f"attachment; filename*=UTF-8''{name}".encode()))
    if etag in dict(scope["headers"]).get(b"if-none-match", b""):
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    with path.open("rb") as f:
        headers.append((b"content-length", str(path.stat().st_size).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while scope["method"] != "HEAD" and (piece := await asyncio.to_thread(f.read, CHUNK)):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
