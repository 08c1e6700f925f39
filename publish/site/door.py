"""Limits of a connection: bytes and seconds of a request head, pipelined requests, connections per client.

Belongs here: refusals before there is a request: uvicorn's fast parser accepts a header of any length, waits for its end
without a timeout, and counts no connections. Not here: limits on requests (limits.py, ratelimit.py) or on SQL (guard.py).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from publish.site.ratelimit import group

REQUEST_BYTES = 64 << 10  # request line, headers and body: only the form of reports reads one (report_form.py)
HEAD_SECONDS = 10.0  # from the first byte, or from the connection, to the end of the headers
STUCK_SECONDS = 60.0  # without progress in sending; then the reader counts as gone
PIPELINED = 8  # requests of one connection that wait; a browser sends one
BUFFER_BYTES = 128 << 10  # of the kernel per connection, each way
CONNECTIONS = 1_000  # at a time
CONNECTIONS_EACH = 256  # of one client; a trusted proxy may use all


def _raw(status: str, code: str, zh: str, en: str) -> bytes:
    """Return the bytes of an answer to bytes that are no valid request, in the shape that all errors have."""
    error = {"ok": False, "status": int(status[:3]), "code": code, "error": en, "error_zh": zh, "help": "/openapi.json"}
    body = json.dumps(error, ensure_ascii=False).encode()
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
    """uvicorn's protocol with these limits. `trusted`: addresses of the proxies in front, set by serve.py."""

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
            self._wait()  # no request began: the rest of a body, an empty line

    def _encoded(self, data: bytes) -> bytes:
        """Percent-encode the bytes of the request line that are not ASCII: some clients send Chinese addresses as they are, and the
        parser refuses them. Nothing below that line is changed, for a Content-Length may count it."""
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
        self._between = False  # a pipelined request that came with the one before is not encoded
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._done()
        if len(self.pipeline) >= PIPELINED:
            self._abort()  # the rest of them is parsed and dropped
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
        """Close the connection; abort it where the reader does not take the rest of its answer."""
        self.transport.close()
        self._moves()
        self._stuck = self.loop.call_later(STUCK_SECONDS, self._abort)

    def _abort(self) -> None:
        self._forget()
        self.transport.abort()

    def _forget(self) -> None:
        """Mark the requests of the connection as disconnected; uvicorn marks only the last one."""
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
    """Return the protocol class for a server behind these proxies."""
    return type("Door", (Door,), {"trusted": frozenset(trusted)})
