"""The site over HTTP, in this process: pages, promises of shape, headers, switching, what is refused."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pyarrow as pa
import pytest

from pipelines.core.formulas import FORMULA_STARTS, neutral
from publish.release.write import FOR_EXCEL, write_csv
from publish.schema import PUBLIC
from publish.site import app as app_module
from publish.site import cache
from publish.site import switch as switch_module
from publish.site.app import Site, create_app
from publish.site.instance import Instance, ReleaseUnhealthy
from publish.site.pool import Pool
from publish.site.responses import Ready
from publish.site.routes import needs_worker
from publish.site.switch import NoCurrentRelease

PAGES = (
    "/",
    "/indicators",
    "/indicators/energy_tce",
    "/claims",
    "/claims/co2",
    "/datasets",
    "/datasets/energy_use",
    "/about",
    "/topics/energy",
    "/indicators/energy_tce/2024",
    "/quality",
    "/search?q=%E5%81%9C%E8%BD%A6",
    "/api",
    "/releases",
    "/releases/diff",
    "/methods",
    "/secrecy",
    "/accessibility",
    "/report",
    "/en/",
    "/en/indicators/energy_tce",
    "/en/claims/co2",
    "/en/datasets/energy_use",
)
FIRST, SECOND = "2025-12-31-0a1b2c3d", "2026-01-31-4e5f6a7b"  # as in conftest.py
DATASETTES = (
    "/mingzhang",
    "/mingzhang/claims",
    "/mingzhang/claims/co2",
    "/mingzhang?sql=select+1",
    "/mingzhang/claims?_sort=value",
)


DATA = r'<script type="application/ld\+json">([^<]*)</script>'


class NoPool(Pool):
    """For tests that send no SQL of a visitor's: no process need start."""

    async def start(self, warm: dict[str, Any]) -> None:
        self.warm = warm

    async def change(self, warm: dict[str, Any]) -> None:
        self.warm = warm


@asynccontextmanager
async def running(home: Path, workers: int = 2) -> AsyncIterator[tuple[httpx.AsyncClient, Site]]:
    site = create_app(home, workers) if workers else Site(home, NoPool())
    try:
        await site.start()
        transport = httpx.ASGITransport(app=site)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=30) as client:
            yield client, site
    finally:
        await site.close()


Talk = Callable[[httpx.AsyncClient, Site], Awaitable[None]]


def talk(home: Path, what: Talk, workers: int = 2) -> None:
    async def run() -> None:
        async with running(home, workers) as (client, site):
            await what(client, site)

    asyncio.run(run())


@pytest.fixture(scope="module")
def site(home: Path) -> Iterator[tuple[asyncio.AbstractEventLoop, httpx.AsyncClient, Site]]:
    """One site for the tests that only read."""
    loop = asyncio.new_event_loop()
    context = running(home)
    client, made = loop.run_until_complete(context.__aenter__())
    yield loop, client, made
    loop.run_until_complete(context.__aexit__(None, None, None))
    loop.close()


@pytest.fixture(scope="module")
def get(site: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient, Site]) -> Callable[..., httpx.Response]:
    """A function that gets a path."""
    loop, client, _ = site

    def ask(path: str, method: str = "GET", **kwargs: Any) -> httpx.Response:
        return loop.run_until_complete(client.request(method, path, **kwargs))

    return ask


@pytest.fixture(scope="module")
def raw(
    site: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient, Site],
) -> Callable[[str], tuple[int, dict[bytes, bytes], bytes]]:
    """A function that gets a path exactly as written, which a well-meaning client would mend: status, headers, body."""
    loop, _, app = site

    def ask(address: str) -> tuple[int, dict[bytes, bytes], bytes]:
        path, _, query = address.partition("?")
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            "type": "http", "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(b"host", b"test")],
        }  # fmt: skip
        loop.run_until_complete(app(scope, receive, send))
        return sent[0]["status"], dict(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent[1:])

    return ask


@pytest.mark.parametrize("path", [*PAGES, *DATASETTES, "/nope", "/mingzhang/nosuch", "/mingzhang?sql=select+nosuch"])
def test_every_page_says_made_up_and_which_release(get: Callable[..., httpx.Response], path: str) -> None:
    text = get(path).text
    banner = text.index('class="banner"')
    assert ("Made-up data" if path.startswith("/en/") else "合成示例数据") in text[banner : text.index("<main")]
    footer = text[text.index("<footer>") :]
    assert FIRST in footer and "2025-12-31" in footer
    assert f'<html lang="{"en" if path.startswith("/en/") else "zh-CN"}">' in text


@pytest.mark.parametrize("path", [*PAGES, *DATASETTES])
def test_pages_are_small_and_run_no_script_of_others(get: Callable[..., httpx.Response], path: str) -> None:
    response = get(path)
    assert response.status_code == 200
    assert len(response.content) < 100_000
    for told in re.findall(DATA, response.text):  # data about the page, which no browser runs
        assert json.loads(told)["@context"]
    scripts = re.findall(r"<script[^>]*>[^<]*", re.sub(DATA, "", response.text))
    assert set(scripts) <= {'<script src="/static/site.js" defer>', '<script src="/en/static/site.js" defer>'}
    assert bool(scripts) is ("script-src 'self'" in response.headers["content-security-policy"])
    assert "style=" not in response.text and "<style" not in response.text
    assert not re.search(r'(src|href|srcset)="(https?:)?//(?!datasette\.io|test/)', response.text)


def test_no_banner_on_real_data(tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None]) -> None:
    make_release(tmp_path, FIRST, synthetic=False)
    switch(tmp_path, FIRST)

    async def look(client: httpx.AsyncClient, _: Site) -> None:
        text = (await client.get("/")).text
        assert 'class="banner"' not in text and "合成示例数据" not in text

    talk(tmp_path, look, workers=0)


@pytest.mark.parametrize(
    "path", [*PAGES, *DATASETTES, "/nope", "/charts/energy_tce.wide.svg", "/files/csv/parking_lots.csv"]
)
def test_every_answer_carries_the_headers(get: Callable[..., httpx.Response], path: str) -> None:
    headers = get(path, headers={"cookie": "a=b", "authorization": "Bearer x"}).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"].replace("style-src 'unsafe-inline'", "")
    assert (
        "script-src" not in headers["content-security-policy"]
        or "script-src 'self';" in headers["content-security-policy"]
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in headers and "private" not in headers["cache-control"]


def test_home_tells_the_story_in_figures(get: Callable[..., httpx.Response]) -> None:
    text = get("/").text
    for figure in ("152.3", "141.8", "下降 <b>6.9%</b>", "4,100万元"):
        assert figure in text, figure
    alternative = re.search(r'<svg [^>]*aria-label="(人均综合能耗[^"]+)"', text)
    assert alternative and "2021 152.3," in alternative[1] and "2025 141.8" in alternative[1]
    assert "<b>2</b> 条成立，<b>1</b> 条不符，<b>2</b> 条无法核验" in text
    english = get("/en/").text
    assert "<b>2</b> hold, <b>1</b> differ, <b>2</b> cannot be checked" in english and "41\xa0million yuan" in english


def test_an_indicator_has_every_year_with_its_figure(get: Callable[..., httpx.Response]) -> None:
    text = get("/indicators/energy_tce").text
    for figure in (">6,310<", ">6,190<", ">6,045<", ">5,951<", ">5,823<"):
        assert figure in text


def test_home_counts_statements_by_status(get: Callable[..., httpx.Response]) -> None:
    text = get("/").text
    for words in ("相符", "在约数范围内", "不符", "无法核验", "暂无数据"):
        assert words in text


def test_statements_can_be_filtered(get: Callable[..., httpx.Response]) -> None:
    text = get("/claims?status=mismatch").text
    assert "减排二氧化碳" in text and "机关食堂数" not in text
    assert "没有符合条件的表述" in get("/claims?status=nosuch").text


def test_suppressed_values_say_so_and_missing_ones_too(get: Callable[..., httpx.Response]) -> None:
    text = get("/indicators/disposal_amount").text
    assert "已隐去" in text and "缺" in text
    assert "荷塘区" in text and "430202" not in re.sub(r'value="[^"]*"', "", text)  # a district by its name


def test_a_chart_is_svg_with_its_figures_source_and_release(get: Callable[..., httpx.Response]) -> None:
    for name in ("wide", "narrow"):
        response = get(f"/charts/energy_tce.{name}.svg")
        assert response.headers["content-type"] == "image/svg+xml"
        for words in ("6,310", "5,823", "综合能耗", "吨标准煤", FIRST, "合成示例数据"):
            assert words in response.text
    assert get("/charts/nosuch.wide.svg").status_code == 404


def test_tables_have_chinese_heads(get: Callable[..., httpx.Response]) -> None:
    text = get("/mingzhang/parking_lots").text
    assert "停车场名称" in text and "lot_name" in text and "错时开放停车场" in text
    assert "开放车位数</a> (个)" in text


# What Datasette says in English on its own pages; none of it may be left.
ENGLISH = (
    "Custom SQL query",
    "Run SQL",
    "View and edit SQL",
    "This data as",
    "Advanced export",
    "rows where",
    "Powered by",
    "0 records",
)


@pytest.mark.parametrize("path", [*DATASETTES, "/mingzhang/claims?section=zzz", "/mingzhang/claims?_where=1=2"])
def test_no_phrase_of_datasette_is_left(get: Callable[..., httpx.Response], path: str) -> None:
    text = get(path).text
    assert [w for w in ENGLISH if w in text] == []


def test_json_shapes(get: Callable[..., httpx.Response]) -> None:
    rows = get("/mingzhang/claims.json?_shape=array").json()
    assert [r["claim_id"] for r in rows] == sorted(r["claim_id"] for r in rows) and len(rows) == 5
    objects = get("/mingzhang/claims.json?_shape=objects").json()
    assert objects["rows"] == rows
    assert get("/mingzhang.json?_shape=array&sql=select+1+as+x").json() == [{"x": 1}]
    bound = "/mingzhang.json?_shape=array&sql=select+name_zh+from+claims+where+claim_id=:id&id=co2"
    assert get(bound).json() == [{"name_zh": "减排二氧化碳"}]


@pytest.mark.parametrize(
    "path", ["/mingzhang/claims.csv", "/mingzhang/claims.csv?_sort=value", "/mingzhang.csv?sql=select+*+from+claims"]
)
def test_csv_opens_in_excel(get: Callable[..., httpx.Response], path: str) -> None:
    response = get(path)
    assert response.content.startswith(b"\xef\xbb\xbf")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert {r["name_zh"] for r in rows} >= {"减排二氧化碳", "机关食堂数"}


def test_the_csv_of_a_table_is_the_file_of_the_release(
    get: Callable[..., httpx.Response], home: Path, tmp_path: Path
) -> None:
    """Once it had 9600.0 and 1 where the file has 9600 and true."""
    kinds = set()
    with closing(sqlite3.connect(home / "current" / "mingzhang.db")) as con:
        con.row_factory = sqlite3.Row
        for table in PUBLIC:
            rows = [
                dict(r) for r in con.execute(f"select * from {table.name} order by {', '.join(table.key) or 'rowid'}")
            ]
            if not rows or len(rows) > 1000:
                continue
            for r in rows:
                r |= {f.name: bool(r[f.name]) for f in table.fields if f.type == "boolean" and r[f.name] is not None}
                r |= {f.name: date.fromisoformat(r[f.name]) for f in table.fields if f.type == "date" and r[f.name]}
            write_csv(tmp_path / "t.csv", table, pa.Table.from_pylist(rows, schema=table.arrow), FOR_EXCEL)
            found = get(f"/mingzhang/{table.name}.csv").content
            if table.key:
                assert found == (tmp_path / "t.csv").read_bytes(), table.name
                kinds |= {f.type for f in table.fields if any(r[f.name] is not None for r in rows)}
    assert kinds >= {"text", "integer", "real", "boolean"}


def test_csv_runs_no_formula(get: Callable[..., httpx.Response]) -> None:
    sql = "select '=1%2B1' as a, '-2.5' as b, -3.5 as c, '@x' as d, 'plain' as e, '%2Bcmd' as f"
    body = get(f"/mingzhang.csv?sql={sql}").content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(body)))[1] == ["'=1+1", "-2.5", "-3.5", "'@x", "plain", "'+cmd"]


@pytest.mark.parametrize("start", FORMULA_STARTS)
@pytest.mark.parametrize("first", [True, False])
def test_csv_of_the_site_neutralises_what_the_download_does(
    get: Callable[..., httpx.Response], start: str, first: bool
) -> None:
    cells = [f"{start}cmd", "plain"] if first else ["plain", f"{start}cmd"]
    sql = f"select char({','.join(str(ord(c)) for c in cells[0])}) as a, char({','.join(str(ord(c)) for c in cells[1])}) as b"
    body = get(f"/mingzhang.csv?sql={quote(sql)}").content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(body, newline="")))[1] == [neutral(c) for c in cells] != cells


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/mingzhang.json?sql=select+*+from+nosuch", 400, "bad_sql"),
        ("/mingzhang.csv?sql=select+*+from+nosuch", 400, "bad_sql"),
        ("/mingzhang.json?sql=delete+from+claims", 400, "bad_sql"),
        ("/mingzhang.json?sql=select+1;select+2", 400, "bad_sql"),
        ("/mingzhang.json?sql=select+sqlite_version()", 400, "bad_sql"),
        ("/mingzhang/claims.json?_where=nosuch=1", 400, "bad_sql"),
        ("/mingzhang/claims.json?_where=sqlite_version()=1", 400, "bad_sql"),
        ("/mingzhang/claims.json?_sort=nosuch", 400, "bad_argument"),
        ("/mingzhang/claims.json?_sort=value&_sort_desc=value", 400, "bad_argument"),
        ("/mingzhang/claims.json?_facet=section", 400, "bad_request"),
        ("/mingzhang/claims.json?_through=zzz", 400, "bad_request"),
        ("/mingzhang/claims.json?_through=[1]", 400, "bad_request"),
        ("/mingzhang/claims.json?_timelimit=abc", 400, "bad_request"),
        ("/mingzhang/claims.json?_size=abc", 400, "bad_argument"),
        ("/mingzhang/claims.json?_size=5000", 400, "bad_argument"),
        ("/mingzhang/claims.csv?_stream=1", 400, "bad_request"),
        ("/mingzhang/indicator_values/x.json", 400, "bad_sql"),
        ("/mingzhang/nosuch.json", 404, "not_found"),
        ("/mingzhang/nosuch/1.json", 404, "not_found"),
        ("/mingzhang/claims/nosuch.json", 404, "not_found"),
        ("/mingzhang.json?sql=" + "x" * 17_000, 414, "too_long"),
    ],
)
def test_an_error_is_a_code_and_a_sentence_in_each_language(
    get: Callable[..., httpx.Response], path: str, status: int, code: str
) -> None:
    response = get(path)
    said = response.json()
    assert (response.status_code, said["status"], said["code"]) == (status, status, code)
    assert said["ok"] is False and said["error"] and re.search(r"[一-鿿]", said["error_zh"])
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/-/databases", "/-/databases.json", "/-/threads", "/-/settings", "/-/metadata", "/-/plugins", "/-/actor", "/-/versions",
        "/-/permissions", "/-/messages", "/-/patterns", "/-/static/app.css", "/_internal", "/_memory?sql=select+1", "/_internal?sql=select+1",
        "/mingzhang.db", "/.json", "//evil.example/", "//evil.example/%41", "/files/../release.json", "/files/%2e%2e/release.json",
        "/files/mingzhang.db-journal", "/r/../", "/r/nosuch/", "/r/2099-01-01-00000000/", "/static/../app.py", "/static/%2e%2e/app.py",
        "/static/..%2fapp.py", "/r/..%2f..%2fetc/", "/\u00e9", "/mingzhang%2f",
    ],
)  # fmt: skip
def test_doors_that_are_shut(raw: Callable[[str], tuple[int, dict[bytes, bytes], bytes]], path: str) -> None:
    status, headers, body = raw(path)
    assert status in (403, 404) and b"location" not in headers
    assert b"def " not in body and b"inputs" not in body


@pytest.mark.parametrize("path", ["/claims/", "/mingzhang/claims/", "/mingzhang/%E6%98%8E", "/r/2025-12-31-0a1b2c3d"])
def test_a_redirect_stays_on_this_site(raw: Callable[[str], tuple[int, dict[bytes, bytes], bytes]], path: str) -> None:
    status, headers, _ = raw(path)
    assert status in (301, 308, 404)
    assert status == 404 or re.match(rb"/[^/]", headers[b"location"])


def test_no_answer_tells_where_the_server_lies(get: Callable[..., httpx.Response], home: Path) -> None:
    tries = (
        "select file from pragma_database_list", "select * from pragma_database_list()", "select * from dbstat",
        "select name, sql from sqlite_master", "select * from pragma_module_list", "select sqlite_source_id()",
    )  # fmt: skip
    for sql in tries:
        for kind in (".json", ".csv", ""):
            text = re.sub(DATA, "", get(f"/mingzhang{kind}?sql={sql}").text)
            assert (
                str(home) not in text
                and "mingzhang.db" not in text
                and str(Path(app_module.__file__).parent) not in text
            )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_only_reading(get: Callable[..., httpx.Response], method: str) -> None:
    response = get("/mingzhang", method=method)
    assert response.status_code == 405 and response.headers["allow"] == "GET, HEAD"


def test_head_and_options_and_not_modified(get: Callable[..., httpx.Response]) -> None:
    whole = get("/about")
    head = get("/about", method="HEAD", headers={"accept-encoding": "identity"})
    assert head.content == b"" and head.headers["content-length"] == str(len(whole.content))
    assert get("/", method="OPTIONS").status_code == 204
    again = get("/about", headers={"if-none-match": whole.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    file = get("/files/csv/parking_lots.csv")
    assert get("/files/csv/parking_lots.csv", headers={"if-none-match": file.headers["etag"]}).status_code == 304


def test_files_of_the_release(get: Callable[..., httpx.Response], home: Path) -> None:
    response = get("/files/mingzhang.db")
    assert response.content == (home / "current" / "mingzhang.db").read_bytes()
    assert "attachment" in response.headers["content-disposition"]
    assert response.headers["content-type"] == "application/vnd.sqlite3"


@pytest.mark.parametrize(
    ("route", "query", "worker"),
    [
        ("/mingzhang/claims", "", False),
        ("/mingzhang/claims.json", "_shape=array&_size=max", False),
        ("/mingzhang/claims", "_size=max", True),
        ("/mingzhang/claims", "_next=5", False),
        ("/mingzhang", "sql=select+1", True),
        ("/mingzhang/claims", "_where=1", True),
        ("/mingzhang/claims", "_facet=x", True),
        ("/mingzhang/claims", "_sort=value", True),
        ("/mingzhang/claims", "value__gt=1", True),
        ("/mingzhang/claims.csv", "_stream=1", True),
        ("/mingzhang/claims", "sq%6c=select+1", True),
        ("/mingzhang/claims", "anything", True),
    ],
)
def test_what_a_visitor_wrote_goes_to_a_worker(route: str, query: str, worker: bool) -> None:
    assert needs_worker(route, query) is worker


def test_past_releases_keep_their_address(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None]
) -> None:
    make_release(tmp_path, FIRST)
    make_release(tmp_path, SECOND, scale=0.5)
    switch(tmp_path, SECOND)

    async def look(client: httpx.AsyncClient, _: Site) -> None:
        assert ">3,155<" in (await client.get("/indicators/energy_tce")).text
        old = (await client.get(f"/r/{FIRST}/indicators/energy_tce")).text
        assert ">6,310<" in old and ">3,155<" not in old
        assert ">6,310<" in (await client.get(f"/r/{FIRST}/en/indicators/energy_tce")).text
        for page in ("", "en/"):
            # What the banner says of the release in force leads there, all else stays in the old one.
            shown = (await client.get(f"/r/{FIRST}/{page}")).text
            banner = re.search(r'(?s)<aside class="banner newer".*?</aside>', shown)
            assert banner and SECOND in banner[0]
            shown = shown.replace(banner[0], "")
            for link in set(re.findall(r'(?:href|src|srcset)="(/[^"]*)"', shown)):
                assert link.startswith(f"/r/{FIRST}/"), link
                assert (await client.get(link.replace("&amp;", "&"))).status_code in (200, 302), link
        to_all = await client.get(f"/r/{FIRST}/en/releases/diff?old={FIRST}&new={SECOND}")
        assert to_all.headers["location"] == f"/en/releases/diff?old={FIRST}&new={SECOND}"
        values = f"/r/{FIRST}/mingzhang.json?_shape=array&sql=select+max(value)+as+v+from+indicator_values+where+indicator_id='energy_tce'"
        assert (await client.get(values)).json() == [{"v": 6310.5}]
        assert (await client.get(f"/r/{FIRST}")).headers["location"] == f"/r/{FIRST}/"

    talk(tmp_path, look)


def test_follows_current_and_loses_no_request(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch_module, "LOOK_SECONDS", 0.02)
    for release in (FIRST, SECOND):
        make_release(tmp_path, release)
    switch(tmp_path, FIRST)
    seen: set[str] = set()

    async def look(client: httpx.AsyncClient, _: Site) -> None:
        over = asyncio.Event()

        async def read(path: str) -> None:
            while not over.is_set():
                response = await client.get(path)
                await asyncio.sleep(0.01)  # an answer that was kept never waits, and would let nobody else run
                assert response.status_code == 200
                found = re.search(r'class="release"[^>]*>([^<]+)<', response.text)
                assert found
                seen.add(found[1])

        readers = [
            asyncio.create_task(read(p)) for p in ("/", "/mingzhang/claims", "/mingzhang?sql=select+1", "/claims")
        ]
        for release in (SECOND, FIRST, SECOND, FIRST):
            switch(tmp_path, release)
            while (await client.get("/healthz")).json()["release"] != release:
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
        over.set()
        await asyncio.gather(*readers)

    talk(tmp_path, look)
    assert seen == {FIRST, SECOND}


def test_what_was_begun_on_a_release_is_finished_on_it(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch_module, "LOOK_SECONDS", 0.0)
    for release in (FIRST, SECOND):
        make_release(tmp_path, release)
    switch(tmp_path, FIRST)
    closed: list[str] = []
    close = Instance.close

    def noted(self: Instance) -> None:
        closed.append(self.facts.release_id)
        close(self)

    monkeypatch.setattr(Instance, "close", noted)

    async def look(client: httpx.AsyncClient, site: Site) -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()
        make = site._make

        async def held_up(*args: Any) -> Any:
            begun.set()
            await go_on.wait()
            return await make(*args)

        monkeypatch.setattr(site, "_make", held_up)
        slow = asyncio.create_task(client.get("/claims"))
        await begun.wait()
        switch(tmp_path, SECOND)
        while (await client.get("/healthz")).json()["release"] != SECOND:
            await asyncio.sleep(0.01)
        assert closed == []  # the old one is still being used
        go_on.set()
        answer = await slow
        assert answer.status_code == 200 and answer.headers["x-release"] == FIRST
        assert closed == [FIRST]  # and is gone when nobody uses it any more

    talk(tmp_path, look, workers=0)


def _no_database(folder: Path) -> None:
    (folder / "mingzhang.db").write_bytes(b"not a database")


def _half_a_database(folder: Path) -> None:
    whole = (folder / "mingzhang.db").read_bytes()
    (folder / "mingzhang.db").write_bytes(whole[: len(whole) // 2])


def _torn_pages(folder: Path) -> None:
    """The first page, with the schema, is whole; what it leads to is not."""
    whole = (folder / "mingzhang.db").read_bytes()
    (folder / "mingzhang.db").write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))


def _sums_that_are_no_text(folder: Path) -> None:
    (folder / "SHA256SUMS").write_bytes(b"\xff\xfe\x00one\n")


def _a_release_json_of_another_shape(folder: Path) -> None:
    (folder / "release.json").write_text("[1, 2]", encoding="utf-8")


def _a_column_less(folder: Path) -> None:
    with sqlite3.connect(folder / "mingzhang.db") as conn:
        conn.execute("alter table datasets rename column title_zh to gone")


@pytest.mark.parametrize(
    "breaks",
    [
        _no_database,
        _half_a_database,
        _torn_pages,
        _sums_that_are_no_text,
        _a_release_json_of_another_shape,
        _a_column_less,
    ],
)
def test_a_broken_release_never_takes_over(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, breaks: Callable[[Path], None],
) -> None:  # fmt: skip
    monkeypatch.setattr(switch_module, "LOOK_SECONDS", 0.0)
    make_release(tmp_path, FIRST)
    breaks(make_release(tmp_path, SECOND))
    switch(tmp_path, FIRST)

    async def look(client: httpx.AsyncClient, site: Site) -> None:
        switch(tmp_path, SECOND)
        while "does not take over" not in caplog.text:
            assert (await client.get("/healthz")).json() == {"ok": True, "release": FIRST}
            await asyncio.sleep(0.01)
        for _ in range(5):
            assert (await client.get("/healthz")).json() == {"ok": True, "release": FIRST}
        assert f"release {SECOND} does not take over" in caplog.text
        assert caplog.text.count("does not take over") == 1  # said once, not at each look
        assert (await client.get(f"/r/{SECOND}/")).status_code == 404
        switch(tmp_path, FIRST)
        assert (await client.get("/")).status_code == 200

    talk(tmp_path, look, workers=0)


def test_an_unhealthy_release_never_takes_over(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr(switch_module, "LOOK_SECONDS", 0.0)
    make_release(tmp_path, FIRST)
    broken = make_release(tmp_path, SECOND) / "mingzhang.db"
    with sqlite3.connect(broken) as conn:
        conn.execute("alter table claims rename column name_zh to gone")
        conn.execute("alter table indicators rename column definition_zh to gone")
        conn.execute("alter table indicators rename column theme to gone_too")
    switch(tmp_path, FIRST)

    async def look(client: httpx.AsyncClient, site: Site) -> None:
        switch(tmp_path, SECOND)
        while "does not take over" not in caplog.text:
            assert (await client.get("/healthz")).json()["release"] == FIRST
            await asyncio.sleep(0.01)
        assert (await client.get("/healthz")).json()["release"] == FIRST

    talk(tmp_path, look, workers=0)


def test_no_release_yet_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoCurrentRelease, match="mingzhang run"):
        create_app(tmp_path)


def test_a_fault_of_a_page_of_ours_is_not_blamed_on_the_reader(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    import sqlite3

    broken = make_release(tmp_path, FIRST) / "mingzhang.db"
    with sqlite3.connect(broken) as conn:
        conn.execute("alter table indicator_values rename column records to gone")
    switch(tmp_path, FIRST)

    async def look(client: httpx.AsyncClient, _: Site) -> None:
        raise AssertionError("a release whose pages fail was served")

    with pytest.raises(ReleaseUnhealthy, match=r"/indicators/\w+ of release .* answered 500"):
        talk(tmp_path, look, workers=0)
    assert "a page failed" in caplog.text


def test_answers_are_kept_but_not_without_bound() -> None:
    def key(n: int, query: bytes = b"") -> cache.Key:
        return (1, "http", "test", b"/%d" % n, query)

    kept = cache.AnswerCache(most=10_000)
    answers = [Ready(200, [], bytes(1_000)) for _ in range(9)]
    for n, answer in enumerate(answers):
        kept.put(key(n), answer)
    assert kept.get(key(0)) is None and kept.get(key(8)) is answers[8]
    kept.put(key(9), Ready(400, [], b""))
    assert kept.get(key(9)) is None
    for n in range(20):  # addresses that are longer than what they ask for
        kept.put(key(n, b"x" * 4_000), Ready(200, [], b""))
    assert sum(kept.get(key(n, b"x" * 4_000)) is not None for n in range(20)) == 1
    for n in range(20):
        kept.put(key(n, b"x" * 20_000), Ready(200, [], b""))
    assert kept._bytes == 0


def test_slow_readers_hold_so_much_memory_and_no_more() -> None:
    from publish.site.limits import UNCOUNTED, SendLimit, SendLimitReached

    limit = SendLimit(each=2_000_000, most=5_000_000)
    bodies = [bytes(1_000_000 + n) for n in range(9)]
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(limit.sending("a", bodies[0]))  # one body, whoever reads it
        with pytest.raises(SendLimitReached):
            stack.enter_context(limit.sending("a", bytes(2_000_001)))
        stack.enter_context(limit.sending("a", bytes(UNCOUNTED)))
        for n, address in enumerate("bbccd"):
            try:
                stack.enter_context(limit.sending(address, bodies[n + 1]))
            except SendLimitReached:
                assert (n, address) in [(1, "b"), (3, "c"), (4, "d")], "an address has two, all have five"
    for n in range(4):
        with limit.sending("e", bodies[n]):  # and all was given back
            pass
    assert (limit._to, limit._readers, limit._bytes, limit._all) == ({}, {}, {}, 0)


def test_a_query_is_json_in_the_end(get: Callable[..., httpx.Response]) -> None:
    assert json.loads(get("/healthz").text) == {"ok": True, "release": FIRST}
