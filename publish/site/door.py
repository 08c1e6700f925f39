"""The connection itself: how much a visitor may send, how slowly, and how often at a time.

Belongs here: what must be refused before there is a request: uvicorn's fast parser takes a header of any length, waits for
ever for its end, and counts nobody. Not here: limits on requests (ratelimit.py) or on SQL (guard.py).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from publish.site.ratelimit import group

REQUEST_BYTES = 64 << 10  # first line, headers and whatever body comes along: nothing here reads one
HEAD_SECONDS = 10.0  # from the first byte, or from the connection, to the end of the headers
STUCK_SECONDS = 60.0  # a reader who takes nothing of what is there for him is gone
PIPELINED = 8  # requests of one connection that wait for their turn; nobody who reads sends more than one
BUFFER_BYTES = 128 << 10  # what the system keeps of one connection, each way
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
    "这不是一个 HTTP 请求；网址里的汉字和空格请用百分号编码（UTF-8）。",
    "This is no request of HTTP; percent-encode (UTF-8) the Chinese letters and spaces of an address.",
)
RAW = re.compile(rb"[\x80-\xff]")

_open: Counter[str] = Counter()


class Door(HttpToolsProtocol):
    """uvicorn's protocol with these limits. `trusted` is set by serve.py: the proxies in front."""

    trusted: frozenset[str] = frozenset()
    _taken = 0
    _from = ""
    _late: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None
    _running: RequestResponseCycle | None = None
    _between = True  # of two requests, or before the first
    _in_first_line = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = transport.get_extra_info("peername")
        address = peer[0] if isinstance(peer, tuple) else ""
        self._from = group(address)
        _open[self._from] += 1
        super().connection_made(transport)
        if _open[self._from] > CONNECTIONS_EACH and address not in self.trusted:
            self._leave()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        _open[self._from] -= 1
        if not _open[self._from]:
            del _open[self._from]
        self._done()
        self._moves()
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._between or self._in_first_line:
            self._between, self._in_first_line = False, True
            data = self._encoded(data)
        self._taken += len(data)
        if self._taken > REQUEST_BYTES:
            self.transport.write(TOO_LONG)
            self._leave()
            return
        super().data_received(data)
        if self._late is None and (self.cycle is None or self.cycle.response_complete):
            self._wait()  # what came is no beginning of a request: the rest of a body, an empty line

    def _encoded(self, data: bytes) -> bytes:
        """What came, with the letters of its first line percent-encoded that are no ASCII: whoever types an address in Chinese
        sends them as they are, and the parser refuses them. Nothing below that line is touched, for its length may be told."""
        start = len(data) - len(data.lstrip(b"\r\n"))
        end = data.find(b"\n", start)
        if end >= 0:
            self._in_first_line = False
        line, rest = (data[:end], data[end:]) if end >= 0 else (data, b"")
        return (line if line.isascii() else RAW.sub(lambda m: b"%%%02X" % m[0][0], line)) + rest

    def on_message_complete(self) -> None:
        self._between = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self.transport.write(NO_REQUEST)
        self._leave()

    def on_message_begin(self) -> None:
        self._taken = 0
        self._between = False  # it may follow in what came with the one before: then its letters stay as they are
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._done()
        if len(self.pipeline) >= PIPELINED:
            self._abort()  # what follows of them is parsed and forgotten
            return
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._leave()

    def timeout_keep_alive_handler(self) -> None:
        self._leave()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._moves()
        self._stuck = self.loop.call_later(STUCK_SECONDS, self._abort)

    def resume_writing(self) -> None:
        self._moves()
        super().resume_writing()

    def _leave(self) -> None:
        """Closes the connection; where the reader does not take what is still there for him, without him."""
        self.transport.close()
        self._moves()
        self._stuck = self.loop.call_later(STUCK_SECONDS, self._abort)

    def _abort(self) -> None:
        self._forget()
        self.transport.abort()

    def _forget(self) -> None:
        """Nobody hears the answer being made any more; uvicorn tells only the last request of a connection."""
        self.pipeline.clear()
        if self._running is not None:
            self._running.disconnected = True

    def _moves(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _wait(self) -> None:
        self._done()
        self._late = self.loop.call_later(HEAD_SECONDS, self._leave)

    def _done(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def make(trusted: list[str]) -> Any:
    """The protocol class for a server behind these proxies."""
    return type("Door", (Door,), {"trusted": frozenset(trusted)})
