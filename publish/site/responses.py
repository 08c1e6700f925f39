"""Responses: headers that each one carries, ETags, sending from memory.

Belongs here: everything about a response but its contents. Not here: formats of rows (tabular.py), the cache (cache.py), files
on disk (files.py), which release or process answers (app.py).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from publish.site import messages
from publish.site.facts import Facts
from publish.site.language import Pair

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# Answers that are sent compressed to whoever takes it: pages and what belongs to them. Data are files of the release, compressed
# beforehand (files.py), or answers to programs, which a proxy may compress.
COMPRESSED = (
    "text/html",
    "text/css",
    "text/javascript",
    "application/javascript",
    "image/svg+xml",
    "application/atom+xml",
    "application/xml",
)
WORTH_COMPRESSING = 1_400  # bytes: less goes in one packet
LEVEL = 4  # of gzip: 95 KB become 14 in some 2 ms
PIECE = 1 << 16  # bytes given to a connection at a time; the next wait until the reader took them
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
CSP_DRAWING = "default-src 'none'; style-src 'unsafe-inline'"  # an SVG's own attributes; it loads and runs nothing
HSTS = (b"strict-transport-security", b"max-age=31536000")
SECURITY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Accept-Ranges, Content-Range, ETag, Link, Retry-After, X-Release, X-Current-Release, X-Synthetic, X-Truncated",
    ),
]
DROPPED = frozenset(
    (b"set-cookie", b"vary", b"content-length", b"transfer-encoding", b"cache-control", b"etag", b"referrer-policy")
)


@dataclass(frozen=True)
class Answer:
    """A whole answer in memory; pages, tables and queries are bounded."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> bytes:
        return next((v for k, v in self.headers if k.lower() == name), b"")


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer with all its headers, to be sent as it is. `coded`: its body by gzip, empty where it is never sent so."""

    status: int
    headers: Headers
    body: bytes
    etag: bytes = b""
    coded: bytes = b""


def release_headers(facts: Facts) -> Headers:
    """Return the headers that name the release of an answer, whatever the shape of its data."""
    made_up: Headers = [(b"x-synthetic", b"true")] if facts.synthetic else []
    return [(b"x-release", facts.release_id.encode()), *made_up]


def as_json(value: Any, status: int = 200, headers: Headers | None = None) -> Answer:
    body = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    return Answer(status, [(b"content-type", b"application/json; charset=utf-8"), *(headers or [])], body)


def error_json(status: int, code: str, sentences: Pair, help_at: str) -> Answer:
    """Return an error in the shape that every error has: a code, a sentence in each language, the address of the help."""
    zh, en = sentences
    return as_json({"ok": False, "status": status, "code": code, "error": en, "error_zh": zh, "help": help_at}, status)


def too_many_requests(path: str, wait: int) -> Answer:
    """Return a 429 with Retry-After: `wait` seconds. Cheap to build, for it is sent often."""
    retry = (b"retry-after", str(wait).encode())
    zh, en = messages.TOO_MANY
    if path.endswith((".json", ".csv", ".xlsx")) or "/api/" in path:
        refused = error_json(429, "too_many", messages.TOO_MANY, "/openapi.json")
        return Answer(429, [*refused.headers, retry], refused.body)
    page = (
        '<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>429</title>'
        f'<h1>429</h1><p>{zh}</p><p lang="en">{en}</p></html>'
    )
    return Answer(429, [(b"content-type", b"text/html; charset=utf-8"), retry], page.encode())


def finalize(answer: Answer, cache_control: str, secure: bool) -> Ready:
    """Return the answer with the headers that each one carries; `secure`: it is sent over TLS."""
    headers = [(k.lower(), v) for k, v in answer.headers if k.lower() not in DROPPED]
    etag = b'"' + hashlib.sha256(answer.body).hexdigest()[:20].encode() + b'"' if answer.status == 200 else b""
    if not answer.header(b"content-security-policy"):
        headers.append((b"content-security-policy", CSP.encode()))
    framed = b"frame-ancestors *" in answer.header(b"content-security-policy")
    headers += [h for h in SECURITY if not (framed and h[0] == b"x-frame-options")]
    headers.append((b"cache-control", cache_control.encode()))
    if secure:
        headers.append(HSTS)
    if etag:
        headers.append((b"etag", etag))
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    coded = b""
    if (
        etag
        and len(answer.body) >= WORTH_COMPRESSING
        and answer.header(b"content-type").decode().startswith(COMPRESSED)
    ):
        coded = gzip.compress(answer.body, LEVEL, mtime=0)
        headers.append((b"vary", b"Accept-Encoding"))
    return Ready(answer.status, headers, answer.body, etag, coded)


async def send_answer(send: Send, scope: Scope, answer: Ready) -> None:
    """Send an answer, compressed to a client that takes it: 304 where If-None-Match has its ETag, no body for HEAD, else in pieces of
    PIECE bytes."""
    headers, body, etag = answer.headers, answer.body, answer.etag
    if answer.coded and offered(dict(scope["headers"]).get(b"accept-encoding", b"")).get("gzip", 0.0) > 0:
        body, etag = answer.coded, answer.etag[:-1] + b'-gzip"'
        other = {b"etag": etag, b"content-length": str(len(body)).encode()}
        headers = [(k, other.get(k, v)) for k, v in headers] + [(b"content-encoding", b"gzip")]
    if etag and has_etag(scope, etag):
        headers = [h for h in headers if h[0] != b"content-length"]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else body
    last = max(0, (len(body) - 1) // PIECE)
    for n in range(last):
        await send({"type": "http.response.body", "body": body[n * PIECE : (n + 1) * PIECE], "more_body": True})
    await send({"type": "http.response.body", "body": body[last * PIECE :] if last else body})


def has_etag(scope: Scope, etag: bytes) -> bool:
    """Return whether the client says that it holds the answer with this ETag."""
    return any(k == b"if-none-match" and etag in v for k, v in scope["headers"])


def offered(accepted: bytes) -> dict[str, float]:
    """Return the weight of each content coding that an Accept-Encoding names."""
    found = {}
    for part in accepted.decode("latin-1").lower().split(","):
        coding, _, parameters = part.partition(";")
        weight = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d*)?)\s*", parameters)
        found[coding.strip()] = float(weight[1]) if weight else 1.0
    return found
