"""Pages are sent compressed to who takes it, with an ETag of their own; data and small answers as they are."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from publish.site.app import Site
from publish.site.pool import Pool

Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def ask(home: Path) -> Iterator[Ask]:
    """Answers as they are on the line: nothing is unpacked."""
    loop = asyncio.new_event_loop()
    site = Site(home, Pool(1))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://test", timeout=60)

    async def get(path: str, method: str, headers: dict[str, str]) -> tuple[httpx.Response, bytes]:
        async with client.stream(method, path, headers={"accept-encoding": "identity"} | headers) as answer:
            raw = b"".join([piece async for piece in answer.aiter_raw()])
        return answer, raw

    yield lambda path, method="GET", **headers: loop.run_until_complete(
        get(path, method, {k.replace("_", "-"): v for k, v in headers.items()})
    )
    loop.run_until_complete(client.aclose())
    loop.run_until_complete(site.close())
    loop.close()


@pytest.mark.parametrize(
    "path", ["/", "/indicators", "/static/site.css", "/charts/energy_tce.wide.svg", "/indicators/energy_tce"]
)
def test_a_page_is_compressed_for_who_takes_it(ask: Any, path: str) -> None:
    plain, whole = ask(path)
    packed, body = ask(path, accept_encoding="br, gzip;q=0.8")
    assert "content-encoding" not in plain.headers and packed.headers["content-encoding"] == "gzip"
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(body) == whole and len(body) * 2 < len(whole)
    assert (int(plain.headers["content-length"]), int(packed.headers["content-length"])) == (len(whole), len(body))
    assert plain.headers["etag"] != packed.headers["etag"]
    for etag in (plain, packed):
        encoding = etag.headers.get("content-encoding", "identity")
        again, nothing = ask(path, accept_encoding=encoding, if_none_match=etag.headers["etag"])
        assert (again.status_code, nothing, again.headers["etag"]) == (304, b"", etag.headers["etag"])
    head, nothing = ask(path, "HEAD", accept_encoding="gzip")
    assert nothing == b"" and head.headers["content-length"] == str(len(body))
    refused, _ = ask(path, accept_encoding="gzip;q=0")
    assert "content-encoding" not in refused.headers


@pytest.mark.parametrize("path", ["/api/v1/claims/co2", "/mingzhang/claims.csv", "/healthz", "/nosuch"])
def test_data_and_errors_are_sent_as_they_are(ask: Any, path: str) -> None:
    answer, body = ask(path, accept_encoding="gzip")
    assert "content-encoding" not in answer.headers and not body.startswith(b"\x1f\x8b")
