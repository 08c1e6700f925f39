"""The connection itself: how much a visitor may send, how slowly, and how often at a time.

Belongs here: what must be refused before there is a request: uvicorn's fast parser takes a header of any length, waits for
ever for its end, and counts nobody. Not here: limits on requests (ratelimit.py) or on SQL (guard.py).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from publish.site.ratelimit import group

REQUEST_BYTES = 64 << 10  # first line, headers and whatever body comes along: nothing here reads one
HEAD_SECONDS = 10.0  # from the first byte, or from the connection, to the end of the headers
CONNECTIONS = 1_000  # at a time
CONNECTIONS_EACH = 256  # of one address; a proxy that is trusted may use all

SAID = (
    '{"ok": false, "status": 414, "code": "too_long", "error": "The request is too long; write a shorter query.", '
    '"error_zh": "请求太长。请把查询写得短一些。"}'
).encode()
TOO_LONG = (
    b"HTTP/1.1 414 URI Too Long\r\ncontent-type: application/json; charset=utf-8\r\nx-content-type-options: nosniff\r\n"
    b"access-control-allow-origin: *\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(SAID), SAID)
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
