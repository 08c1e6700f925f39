"""Debian's nginx with the configuration we ship, in front of a real server: TLS, cache, limits, whose address it is."""

from __future__ import annotations

import json
import socket
import ssl
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.deploy.nginx import NGINX, Front, fronting
from tests.site.conftest import FIRST, SECOND, build_release, point_current
from tests.site.serving import serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("nginx"),  # so that one server is enough
    pytest.mark.skipif(NGINX is None, reason="no nginx: type `make nginx`, or apt-get install nginx"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    for release in (FIRST, SECOND):
        build_release(home, release, scale=1 if release == FIRST else 0.5)
    point_current(home, FIRST)
    return home


@pytest.fixture(scope="module")
def front(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    settings = {
        "MINGZHANG_SITE_TRUSTED_PROXIES": "127.0.0.1",
        "MINGZHANG_SITE_REQUESTS_BURST": "700",
        "MINGZHANG_SITE_REQUESTS_EACH_SECOND": "1",
    }
    with serving(home, settings) as (base, _), fronting(tmp_path_factory.mktemp("nginx"), [base]) as made:
        yield made


def test_pages_data_and_files_come_through_with_their_headers(front: Front) -> None:
    for path in (
        "/",
        "/claims",
        "/api/v1/indicators",
        "/mingzhang/claims.json?_shape=array",
        "/files/csv/parking_lots.csv",
    ):
        status, headers, _ = front.get(path, {"cookie": "a=b"})
        assert status == 200, path
        assert "max-age=31536000" in headers["strict-transport-security"]
        assert (
            "default-src 'none'" in headers["content-security-policy"]
            and headers["x-content-type-options"] == "nosniff"
        )
        assert "set-cookie" not in headers and headers["access-control-allow-origin"] == "*"
        assert "nginx/" not in headers["server"]
    described = json.loads(front.get("/openapi.json")[2])
    assert described["servers"][0]["url"] == "https://localhost"


def test_plain_http_is_sent_to_tls(front: Front) -> None:
    host, _, port = front.plain.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as s:
        s.sendall(b"GET /claims?x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        said = s.recv(4096).decode()
    assert said.startswith("HTTP/1.1 301") and "location: https://localhost/claims?x=1" in said.lower()


def test_a_report_passes_with_its_body_and_nothing_else_does(front: Front, home: Path) -> None:
    sent = front.client.post(f"{front.base}/report", data={"about": "/claims/co2", "says": "数字不对" * 300})
    assert sent.status_code == 303 and sent.headers["location"].startswith("/report?sent=")
    [kept] = [json.loads(p.read_text(encoding="utf-8")) for p in (home / "reports").glob("*.json")]
    assert kept["says"] == "数字不对" * 300 and "127.0.0.1" not in json.dumps(kept)
    assert front.client.post(f"{front.base}/en/report", data={"says": "x"}).status_code == 303
    assert front.client.post(f"{front.base}/report", content=b"says=" + b"x" * 60_000).status_code == 413
    assert front.client.post(f"{front.base}/claims", content=b"x" * 2_000).status_code == 413
    codes = [front.client.post(f"{front.base}/report", data={"says": "x"}).status_code for _ in range(5)]
    assert codes[-1] == 429 and front.get("/report")[0] == 200  # to read it is not counted


def test_what_was_answered_once_comes_from_the_cache(front: Front) -> None:
    address = "/api/v1/claims?check_status=within_qualifier"
    first = front.get(address)
    cached = list((front.folder / "cache").rglob("*"))
    assert first[0] == 200 and any(p.is_file() for p in cached)
    status, _, body = front.get(address, {"if-none-match": first[1]["etag"]})
    assert (status, body) == (304, b"")


def test_an_address_in_raw_chinese_comes_through(front: Front) -> None:
    port = int(front.base.rpartition(":")[2])
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("localhost", port), timeout=20)) as s:
        address = "/mingzhang/divisions.json?_shape=array&name_zh=芦淞区"
        s.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        got = b"".join(iter(lambda: s.recv(65_536), b""))
    assert got.startswith(b"HTTP/1.1 200") and b'"code": "430203"' in got


def test_a_query_that_is_sent_too_often_is_told_to_wait(front: Front) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: front.get(f"/mingzhang.json?_shape=array&sql=select+{n}"), range(400)))
    assert {a[0] for a in answers} == {200, 429}
    refused = next(a for a in answers if a[0] == 429)
    assert json.loads(refused[2])["code"] == "too_many" and int(refused[1]["retry-after"]) >= 1
    assert front.get("/claims")[0] == 200  # pages go on


def test_only_short_requests_that_only_read(front: Front) -> None:
    assert front.get("/claims", method="DELETE")[0] == 405
    assert front.get("/claims?" + "x" * 40_000)[0] in (400, 414)
    long = "/mingzhang.json?_shape=array&sql=" + urllib.parse.quote("select length('" + "x" * 12_000 + "') as n")
    status, _, body = front.get(long)
    assert status == 429 or (status, json.loads(body)[0]) == (200, {"n": 12_000}), body[:300]


def test_a_change_of_release_comes_through_and_the_old_one_stays_at_its_address(front: Front, home: Path) -> None:
    point_current(home, SECOND)
    for _ in range(100):
        if json.loads(front.get("/healthz")[2])["release"] == SECOND:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the new release did not take over")
    fresh = front.get("/api/v1/indicators/energy_tce?dimension=total&year=2021&limit=9")
    assert json.loads(fresh[2])["values"][0]["value"] == 3155.25
    past = front.get(f"/r/{FIRST}/files/csv/parking_lots.csv")
    assert past[0] == 200 and "max-age=86400" in past[1]["cache-control"]


def test_a_visitor_cannot_pretend_to_be_somebody_else(front: Front) -> None:
    """The site counts the address that nginx saw, whatever a visitor writes in X-Forwarded-For."""
    with ThreadPoolExecutor(8) as pool:
        pretend = [(f"/api/v1/indicators?offset={n}", {"x-forwarded-for": f"203.0.113.{n % 250}"}) for n in range(900)]
        codes = [answer[0] for answer in pool.map(lambda x: front.get(*x), pretend)]
    assert set(codes) == {200, 429}
