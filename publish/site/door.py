"""The connection itself: how much a visitor may send, how slowly, and how often at a time.

Belongs here: what must be refused before there is a request: uvicorn's fast parser takes a header of any length, waits for
ever for its end, and counts nobody. Not here: limits on requests (ratelimit.py) or on SQL (guard.py).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from publish.site.ratelimit import group

REQUEST_BYTES = 64 << 10  # first line, headers and whatever body comes along: nothing here reads one
HEAD_SECONDS = 10.0  # from the first byte, or from the connection, to the end of the headers
CONNECTIONS = 1_000  # at a time
CONNECTIONS_EACH = 256  # of one address; a proxy that is trusted may use all


def _raw(status: str, code: str, zh: str, en: str) -> bytes:
    """A whole answer to what is no request that could be answered otherwise, in the shape that all errors have."""
    said = {"ok": False, "status": int(status[:3]), "code": code, "error": en, "error_zh": zh, "help": "/openapi.json"}
    body = json.dumps(said, ensure_ascii=False).encode()
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json; charset=utf-8\r\nx-content-type-options: nosniff\r\n"
        f"access-control-allow-origin: *\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


TOO_LONG = _raw(
    "414 URI Too Long", "too_long", "请求太长。请把查询写得短一些。", "The request is too long; write a shorter query."
)
NO_REQUEST = _raw(
    "400 Bad Request",
    "bad_request",
    "这不是一个 HTTP 请求，或者网址太长。",
    "This is no request of HTTP, or its address is too long.",
)

_open: Counter[str] = Counter()


class Door(HttpToolsProtocol):
    """uvicorn's protocol with these limits. `trusted` is set by serve.py: the proxies in front."""

    trusted: frozenset[str] = frozenset()
    _taken = 0
    _from = ""
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = transport.get_extra_info("peername")
        address = peer[0] if isinstance(peer, tuple) else ""
        self._from = group(address)
        _open[self._from] += 1
        super().connection_made(transport)
        if _open[self._from] > CONNECTIONS_EACH and address not in self.trusted:
            transport.close()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        _open[self._from] -= 1
        if not _open[self._from]:
            del _open[self._from]
        self._done()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._taken += len(data)
        if self._taken > REQUEST_BYTES:
            self.transport.write(TOO_LONG)
            self.transport.close()
            return
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        self.transport.write(NO_REQUEST)
        self.transport.close()

    def on_message_begin(self) -> None:
        self._taken = 0
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._done()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._done()
        self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _done(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def make(trusted: list[str]) -> Any:
    """The protocol class for a server behind these proxies."""
    return type("Door", (Door,), {"trusted": frozenset(trusted)})
