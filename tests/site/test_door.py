"""The connection: endless headers, senders who dawdle, too many at a time, and whose word about an address is taken."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from publish.site import door
from publish.site.responses import Answer, finalize, send_answer
from tests.site.serving import fetch, serving

pytestmark = pytest.mark.xdist_group("door")  # so that one server is enough


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[tuple[str, int]]:
    with serving(home) as made:
        yield made


def connect(base: str) -> socket.socket:
    port = int(base.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def is_closed(s: socket.socket, seconds: float) -> bool:
    s.settimeout(seconds)
    try:
        while s.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def answer_of(s: socket.socket) -> bytes:
    """A whole answer of JSON."""
    got = b""
    while not got.endswith(b"}"):
        more = s.recv(65_536)
        assert more, got
        got += more
    return got


@pytest.mark.parametrize(
    "start", [b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"]
)
def test_a_request_without_end_is_cut_off(server: tuple[str, int], start: bytes) -> None:
    base, pid = server
    before = psutil.Process(pid).memory_info().rss
    sent = 0
    with connect(base) as s:
        try:
            s.sendall(start)
            while sent < 8_000_000:
                s.sendall(b"x" * 65_536)
                sent += 65_536
        except OSError:
            pass
    assert sent < 6_000_000  # what the system had in its buffers
    assert psutil.Process(pid).memory_info().rss - before < 20_000_000
    assert fetch(f"{base}/healthz")[0] == 200


def test_whoever_dawdles_is_cut_off_and_whoever_waits_between_two_requests_is_not(server: tuple[str, int]) -> None:
    base, _ = server
    begun = time.monotonic()
    with (
        connect(base) as silent,
        connect(base) as slow,
        connect(base) as honest,
        connect(base) as body,
        connect(base) as line,
    ):
        slow.sendall(b"GET /about HTTP/1.1\r\nHost: x\r\nX: ")
        honest.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer_of(honest).startswith(b"HTTP/1.1 200")
        body.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{")
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer_of(line).startswith(b"HTTP/1.1 200")
        line.sendall(b"\r\n")  # and no request after it
        while time.monotonic() - begun < 8:
            slow.sendall(b"x")
            body.sendall(b"x")
            time.sleep(0.5)
        honest.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer_of(honest).startswith(b"HTTP/1.1 200")
        assert all(is_closed(s, 15) for s in (silent, slow, body, line))


def test_whoever_sends_requests_without_waiting_for_answers_is_cut_off(server: tuple[str, int]) -> None:
    """Each request that waits for its turn is some kilobytes here and 18 bytes there."""
    base, pid = server
    before = psutil.Process(pid).memory_info().rss
    held = [connect(base) for _ in range(20)]
    try:
        for s in held:
            s.sendall(b"GET / HTTP/1.1\r\n\r\n" * 3_000)
        assert all(is_closed(s, 15) for s in held)
        assert psutil.Process(pid).memory_info().rss - before < 60_000_000  # 200 MB before there was a limit
    finally:
        for s in held:
            s.close()
    with connect(base) as few:
        few.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 4)
        got = b""
        while got.count(b"HTTP/1.1 200") < 4 or not got.endswith(b"}"):
            got += few.recv(65_536)


@pytest.mark.parametrize("close", [b"", b"Connection: close\r\n"])
def test_a_reader_who_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch, close: bytes) -> None:
    monkeypatch.setattr(door, "STUCK_SECONDS", 0.3)
    monkeypatch.setattr(door, "HEAD_SECONDS", 60.0)
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        size = 8_000_000 if scope["path"] == "/large" else 40_000
        await send_answer(send, scope, finalize(Answer(200, [], bytes(size)), "", False))
        ended.append(scope["path"])

    async def ask(port: int, path: bytes) -> None:
        """Asks, reads nothing, and waits until the connection is gone."""
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", port))
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path, close))
        async with asyncio.timeout(20):
            while not door._open:
                await asyncio.sleep(0.02)
            while door._open or path.decode() not in ended:  # whoever made the answer is free again
                await asyncio.sleep(0.02)
        s.close()

    async def run() -> None:
        config = Config(app, timeout_keep_alive=1)
        config.load()
        made = door.make([])
        server = await asyncio.get_running_loop().create_server(
            lambda: made(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0
        )
        server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        await ask(server.sockets[0].getsockname()[1], b"/large")
        await ask(server.sockets[0].getsockname()[1], b"/page")
        server.close()

    asyncio.run(run())


def test_one_address_has_so_many_connections_and_no_more(server: tuple[str, int]) -> None:
    base, _ = server
    held = [connect(base) for _ in range(door.CONNECTIONS_EACH + 5)]
    try:
        time.sleep(0.3)
        assert sum(is_closed(s, 0.01) for s in held[-5:]) == 5
        assert not is_closed(held[0], 0.01)
    finally:
        for s in held:
            s.close()
    time.sleep(0.3)
    assert fetch(f"{base}/healthz")[0] == 200


def test_nobodys_word_is_taken_unless_it_was_said_whose(server: tuple[str, int], home: Path) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example"}
    _, headers, body, _ = fetch(f"{server[0]}/openapi.json", said)
    assert "strict-transport-security" not in headers
    assert json.loads(body)["servers"][0]["url"] == server[0]
    env = {
        "MINGZHANG_SITE_TRUSTED_PROXIES": "127.0.0.1",
        "MINGZHANG_SITE_REQUESTS_BURST": "4",
        "MINGZHANG_SITE_REQUESTS_EACH_SECOND": "0.001",
    }
    with serving(home, env) as (base, _):
        _, headers, body, _ = fetch(f"{base}/openapi.json", said)
        assert "max-age" in headers["strict-transport-security"]
        assert json.loads(body)["servers"][0]["url"].startswith("https://127.0.0.1")
        codes = [fetch(f"{base}/api/v1/claims?offset={n}", said)[0] for n in range(4)]
        assert codes == [200, 200, 200, 429]
        assert fetch(f"{base}/api/v1/claims?offset=9", {"X-Forwarded-For": "203.0.113.10"})[0] == 200


def test_a_setting_that_cannot_be_used_is_one_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from publish.site.serve import CannotServe, serve

    monkeypatch.setenv("MINGZHANG_SITE_REQUESTS_BURST", "many")
    with pytest.raises(CannotServe, match="MINGZHANG_SITE_REQUESTS_BURST cannot be used"):
        serve(home, port=0)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"BREW /pot HTCPCP/1.0\r\n\r\n", 400),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"\x16\x03\x01\x00", 400),
    ],
)
def test_what_is_no_request_is_told_so_in_json(server: tuple[str, int], sent: bytes, status: int) -> None:
    with connect(server[0]) as s:
        s.sendall(sent)
        head, _, body = answer_of(s).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status) and json.loads(body)["status"] == status


def test_head_and_keep_alive_come_through(server: tuple[str, int]) -> None:
    request = urllib.request.Request(f"{server[0]}/api/v1/claims", method="HEAD")
    with urllib.request.urlopen(request, timeout=10) as r:
        assert r.status == 200 and r.read() == b"" and int(r.headers["content-length"]) > 100


def test_a_site_without_its_questions_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from publish.site import serve as module

    monkeypatch.setattr(module, "QUESTIONS", tmp_path / "docs" / "questions.md")
    with pytest.raises(module.CannotServe, match=r"^docs/questions\.md is not there[^\n]*docs folder[^\n]*$"):
        module.serve(tmp_path)
