"""Files over HTTP as programs ask for them: ranges, codings, media types, the catalogue's own address."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pyarrow as pa
import pytest
from rdflib import DCAT, Graph

from publish.site.app import Site
from publish.site.files import content_type
from tests.site.test_app import talk

FILE = "/files/csv-plain/parking_lots.csv"
Ask = Callable[..., Awaitable[httpx.Response]]


def asked(home: Path, what: Callable[[Ask], Awaitable[None]]) -> None:
    """Run `what` with a function that gets a path as bytes, undecoded; without a coding unless one is given."""

    async def with_client(client: httpx.AsyncClient, site: Site) -> None:
        async def get(path: str, method: str = "GET", **headers: str) -> httpx.Response:
            given = {"accept-encoding": "identity"} | {k.replace("_", "-"): v for k, v in headers.items()}
            async with client.stream(method, path, headers=given) as response:
                response._content = b"".join([piece async for piece in response.aiter_raw()])
                return response

        await what(get)

    talk(home, with_client, workers=0)


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [("bytes=0-3", 0, 3), ("bytes=10-", 10, None), ("bytes=-7", -7, None), ("bytes=5-99999999", 5, None), ("bytes=-99999999", 0, None)],
)  # fmt: skip
def test_a_range_of_a_file_is_given(home: Path, given: str, first: int, last: int | None) -> None:
    async def what(get: Ask) -> None:
        whole = await get(FILE)
        assert whole.status_code == 200 and whole.headers["accept-ranges"] == "bytes"
        part = await get(FILE, range=given)
        wanted = whole.content[first:] if last is None else whole.content[first : last + 1]
        assert part.status_code == 206 and part.content == wanted and part.headers["etag"] == whole.headers["etag"]
        begin = first % len(whole.content)
        assert part.headers["content-range"] == f"bytes {begin}-{begin + len(wanted) - 1}/{len(whole.content)}"
        assert part.headers["content-length"] == str(len(wanted))

    asked(home, what)


def test_what_is_no_range_of_the_file_is_refused_or_not_heeded(home: Path) -> None:
    async def what(get: Ask) -> None:
        whole = await get(FILE)
        for beyond in ("bytes=99999999-", "bytes=-0", "bytes=7-3"):
            none = await get(FILE, range=beyond)
            assert none.status_code == 416 and none.headers["content-range"] == f"bytes */{len(whole.content)}"
        for other in ("bytes=0-1,5-9", "lines=1-2", "bytes=a-b"):  # several ranges may be answered with the whole
            assert (await get(FILE, range=other)).content == whole.content
        # A part of another file than the one the client has a part of would make a mixture of both.
        stale = await get(FILE, range="bytes=0-3", if_range='"another"')
        assert stale.status_code == 200 and stale.content == whole.content
        same = await get(FILE, range="bytes=0-3", if_range=whole.headers["etag"])
        assert same.status_code == 206
        head = await get(FILE, "HEAD", range="bytes=0-3")
        assert head.status_code == 200 and head.content == b""

    asked(home, what)


def test_a_file_is_sent_in_the_coding_that_the_release_holds(home: Path) -> None:
    decode = {"gzip": gzip.decompress, "zstd": lambda b: pa.input_stream(pa.BufferReader(b), compression="zstd").read()}

    async def what(get: Ask) -> None:
        for path in (FILE, "/files/mingzhang.db"):
            whole = await get(path)
            assert "content-encoding" not in whole.headers and whole.headers["vary"] == "Accept-Encoding"
            for accepted, coding in (
                ("gzip, deflate", "gzip"),
                ("gzip, br, zstd", "zstd"),
                ("zstd;q=0, gzip;q=0.5", "gzip"),
            ):
                coded = await get(path, accept_encoding=accepted)
                assert coded.headers["content-encoding"] == coding and len(coded.content) < len(whole.content) / 2
                assert decode[coding](coded.content) == whole.content
                assert coded.headers["etag"] != whole.headers["etag"]
                again = await get(path, accept_encoding=accepted, if_none_match=coded.headers["etag"])
                assert again.status_code == 304
            assert "content-encoding" not in (await get(path, accept_encoding="gzip", range="bytes=0-3")).headers
        small = await get("/files/csv/parking_lots.csv", accept_encoding="gzip")
        assert "content-encoding" not in small.headers

    asked(home, what)  # fmt: skip


def test_the_catalogue_is_served_with_the_address_it_is_served_from(home: Path) -> None:
    """Harvesters parse its text without a base; on disk, where it may be moved, addresses are relative."""

    async def what(get: Ask) -> None:
        release = (home / "current").resolve().name
        for folder in ("/files/", f"/r/{release}/files/"):
            served = await get(f"{folder}catalog.jsonld")
            graph = Graph().parse(data=served.text, format="json-ld")
            (address,) = map(str, graph.objects(None, DCAT.downloadURL))
            assert address == f"http://test/r/{release}/files/csv-plain/parking_lots.csv"
            assert (await get(address.removeprefix("http://test"))).status_code == 200
            # The sums are those of the release, which no address changes; the catalogue alone is served otherwise.
            sums = dict(reversed(line.split()) for line in (await get(f"{folder}SHA256SUMS")).text.splitlines())
            served = {name: hashlib.sha256((await get(folder + name)).content).hexdigest() for name in sums}
            assert [name for name in sums if sums[name] != served[name]] == ["catalog.jsonld"]
        on_disk = json.loads((home / "current" / "catalog.jsonld").read_text())
        assert on_disk["@context"]["@base"] == "./"

    asked(home, what)


def test_a_file_has_the_media_type_that_the_catalogue_names() -> None:
    names = {
        "mingzhang.db": "application/vnd.sqlite3",
        "SHA256SUMS": "text/plain; charset=utf-8",
        "csv-plain/x.csv": "text/csv; charset=utf-8",
        "csv-plain/x.csv-metadata.json": "application/csvm+json",
        "parquet/x.parquet": "application/vnd.apache.parquet",
        "xlsx/x.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "catalog.jsonld": "application/ld+json",
        "contracts/x.odcs.yaml": "application/yaml; charset=utf-8",
        "csv-plain/x.csv.gz": "application/gzip",
    }
    assert {n: content_type(n) for n in names} == names
