"""Requests to a Datasette: the ASGI scope that it sees, its collected answer, and the same request for a worker."""

from __future__ import annotations

import urllib.parse
from collections.abc import MutableMapping
from typing import Any, Protocol

from publish.site.facts import Facts
from publish.site.responses import Answer, Scope


def inner_scope(scheme: str, host: str, path: str, query: str) -> Scope:
    """Return the scope of a GET with no headers but the host; `path` and `query` are percent-encoded ASCII."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": scheme,
        "path": urllib.parse.unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(b"host", host.encode("latin-1"))],
        "client": None,
        "server": None,
    }


async def no_body() -> dict[str, Any]:
    """Receive the empty body of a GET."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def ask(app: Any, scope: Scope, most: int | None = None) -> Answer:
    """Return the whole answer of an ASGI app. Raises MemoryError where its body exceeds `most` bytes."""
    start: dict[str, Any] = {}
    parts: list[bytes] = []
    size = 0

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal size
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            size += len(message.get("body", b""))
            if most is not None and size > most:
                raise MemoryError
            parts.append(message.get("body", b""))

    await app(scope, no_body, send)
    return Answer(start["status"], [(bytes(k), bytes(v)) for k, v in start["headers"]], b"".join(parts))


class OpenRelease(Protocol):
    """The part of an instance that a request names."""

    facts: Facts
    base_url: str


def worker_request(release: OpenRelease, scheme: str, host: str, path: str, route: str, query: str) -> dict[str, Any]:
    """Return a request to a worker; `route` is the path below the base_url of the release, without a language."""
    return {
        "folder": str(release.facts.folder),
        "base_url": release.base_url,
        "scheme": scheme,
        "host": host,
        "path": path,
        "route": route,
        "query": query,
    }
