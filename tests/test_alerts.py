"""Alerts arrive in the form of each channel, over real sockets, and no failure of one shows a secret or ends anything."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import socketserver
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from pipelines.alerts import LONGEST, Alert, AlertSettings, body, send

ALERT = Alert("down", "The inbox sftp://host/x cannot be reached.", "/srv/home")
KEY = "693a91f6-7xxx"


@contextmanager
def robot(status: int = 200, answer: dict[str, Any] | None = None) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """A server of a webhook: its address, and what was posted to it as (path, body)."""
    got: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            said = json.dumps(answer or {"errcode": 0, "errmsg": "ok"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/send?key={KEY}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def to(address: str, **more: Any) -> AlertSettings:
    return AlertSettings(webhook=SecretStr(address), **more)


def test_the_robots_get_their_own_forms() -> None:
    for form in ("wecom", "dingtalk", "json"):
        with robot() as (address, got):
            assert send(ALERT, to(address, form=form)) == []
        ((path, posted),) = got
        assert path == f"/send?key={KEY}"
        text = json.dumps(posted, ensure_ascii=False)
        assert "来源不可用" in text and "sftp://host/x" in text and "/srv/home" in text
        if form == "wecom":
            assert posted["msgtype"] == "markdown" and list(posted["markdown"]) == ["content"]
        elif form == "dingtalk":
            assert posted["msgtype"] == "markdown" and sorted(posted["markdown"]) == ["text", "title"]
        else:
            assert posted["kind"] == "down"


def test_dingtalk_s_messages_are_signed() -> None:
    with robot() as (address, got):
        assert send(ALERT, to(address, form="dingtalk", secret=SecretStr("SEC0"))) == []
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(got[0][0]).query)
    moment = asked["timestamp"][0]
    code = hmac.new(b"SEC0", f"{moment}\nSEC0".encode(), hashlib.sha256).digest()
    assert asked["sign"] == [base64.b64encode(code).decode()] and asked["key"] == [KEY]


@pytest.mark.parametrize(
    ("form", "status", "answer"),
    [("json", 500, None), ("wecom", 200, {"errcode": 93000, "errmsg": "invalid webhook url"}), ("dingtalk", 403, None)],
)
def test_a_robot_that_refuses_is_told_of_without_its_key(form: str, status: int, answer: dict[str, Any] | None) -> None:
    with robot(status, answer) as (address, _):
        (said,) = send(ALERT, to(address, form=form))
    assert "could not be sent by the webhook" in said and KEY not in said and "/send" not in said
    (said,) = send(ALERT, to(f"http://127.0.0.1:1/send?key={KEY}", form=form))
    assert KEY not in said


def test_a_message_is_as_long_as_wecom_takes() -> None:
    long = Alert("failed", "错" * 10_000, "/srv/home")
    assert len(body(long, "wecom")["markdown"]["content"].encode()) <= 4_096 and LONGEST > 1_000


class _Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a mail needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        within = False
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            self.server.heard.append(line)  # type: ignore[attr-defined]
            if within:
                within = line != "."
                if not within:
                    self.wfile.write(b"250 taken\r\n")
            elif line.upper() == "DATA":
                within = True
                self.wfile.write(b"354 go on\r\n")
            else:
                self.wfile.write(b"221 bye\r\n" if line.upper() == "QUIT" else b"250 well\r\n")
            if line.upper() == "QUIT" and not within:
                return


def test_an_alert_is_mailed() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp) as server:
        server.heard = heard = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"smtp://127.0.0.1:{server.server_address[1]}"
        said = send(ALERT, AlertSettings(mail_to=["a@example.org", "b@example.org"], smtp=address))
        server.shutdown()
        thread.join()
    assert said == []
    assert [line for line in heard if line.startswith("rcpt")] == ["rcpt TO:<a@example.org>", "rcpt TO:<b@example.org>"]
    mail = email.message_from_string("\n".join(heard[heard.index("data") + 1 :]), policy=email.policy.default)
    assert "来源不可用" in str(mail["Subject"]) and "sftp://host/x" in mail.get_content()  # type: ignore[attr-defined]
    (said_,) = send(ALERT, AlertSettings(mail_to=["a@example.org"], smtp="smtp://127.0.0.1:1"))
    assert "could not be sent by mail over 127.0.0.1" in said_


def test_without_a_channel_nothing_is_sent() -> None:
    assert send(ALERT, AlertSettings(_env_file=None)) == []
