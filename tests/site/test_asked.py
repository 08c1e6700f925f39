"""What may be asked of a table, a query and the API: an unknown word is 400 with the right one, never all rows and never none."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import shutil
import socket
import sqlite3
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from publish.site.app import Site, create_app
from publish.site.validation import nearest
from tests.site.conftest import FIRST, build_release, point_current
from tests.site.serving import FREE, serving

Get = Callable[[str], httpx.Response]


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[httpx.AsyncClient]:
    site: Site = create_app(home, 3)
    try:
        await site.start()
        transport = httpx.ASGITransport(app=site)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
            yield client
    finally:
        await site.close()


def getter(home: Path) -> Iterator[Get]:
    loop = asyncio.new_event_loop()
    context = running(home)
    client = loop.run_until_complete(context.__aenter__())

    def ask(path: str, method: str = "GET") -> httpx.Response:
        for _ in range(20):
            answer = loop.run_until_complete(client.request(method, path))
            if answer.status_code not in (429, 503):
                break
            loop.run_until_complete(asyncio.sleep(1))
        return answer

    yield ask
    loop.run_until_complete(context.__aexit__(None, None, None))
    loop.close()


@pytest.fixture(scope="module")
def get(home: Path) -> Iterator[Get]:
    """A function that gets a path of a site."""
    yield from getter(home)


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/mingzhang/claims.json?secton=x", "section"),
        ("/mingzhang/claims.json?nosuch=1", "claim_id"),  # nothing near: the columns are listed
        ("/mingzhang/claims?secton=x", "section"),
        ("/mingzhang/claims.csv?secton=x", "section"),
        ("/mingzhang/claims.json?section__nosuch=1", "contains"),
        ("/mingzhang/claims.json?section__contain=1", "contains"),
        ("/mingzhang/claims.json?_search=x", "__contains"),
        ("/mingzhang/claims.json?_sizes=3", "_size"),
        ("/mingzhang/claims.json?_size=5000", "1..1000"),
        ("/mingzhang/claims.json?_size=-1", "1..1000"),
        ("/mingzhang/claims.json?_sort=valu", "value"),
        ("/mingzhang/claims.json?_sort=value&_sort_desc=value", "_sort_desc"),
        ("/mingzhang/claims.json?_col=valu", "value"),
        ("/mingzhang/claims/co2.json?_shap=array", "_shape"),
        ("/mingzhang/parking_lots.json?_file=x", "_file__exact"),
        ("/mingzhang/claims.json?check_status=不符", "mismatch"),
        ("/mingzhang/claims.json?check_status__in=match,mismach", "mismatch"),
        ("/mingzhang/indicator_values.json?member=芦淞区", "430203"),
        ("/mingzhang/indicator_values.json?dimension=districts", "district"),
        ("/mingzhang/indicator_values.json?indicator_id=energy_tc", "energy_tce"),
        ("/mingzhang/indicator_values.json?factor_set=defaults", "default"),
        ("/mingzhang/indicator_values.json?year__gte=last", "数"),
        ("/mingzhang/indicator_values.json?synthetic=true", "1 或 0"),
        ("/mingzhang.json?sql=select * from divisons", "divisions"),
        ("/mingzhang.csv?sql=select * from divisons", "divisions"),
        ("/mingzhang.json?sql=select nam_zh from divisions", "name_zh"),
        ("/mingzhang.json?sql=select :id as x&ID=3", "id"),
        ("/mingzhang?sql=select nam_zh from divisions", "name_zh"),
        ("/api/v1/indicators?theme=energy", "能源"),
        ("/api/v1/indicators?them=能源", "theme"),
        ("/api/v1/claims?section=1", "一"),
        ("/api/v1/claims?section=七", "一"),
        ("/api/v1/claims?evidence=record", "records"),
        ("/api/v1/datasets?theme=vehicles", "车辆"),
        ("/api/v1/indicators/energy_tce?dimension=nosuch", "district"),
        ("/api/v1/indicators/energy_tce?dimension=district&member=430299", "430202"),
        ("/api/v1/indicators/energy_tce?factor_set=newest", "default"),
    ],
)
def test_an_unknown_word_is_refused_with_the_right_one(get: Get, path: str, right: str) -> None:
    answer = get(path)
    assert answer.status_code == 400
    if answer.headers["content-type"].startswith("application/json"):
        said = answer.json()
        assert said["ok"] is False and right in said["error_zh"] and said["error"]
    else:
        assert right in answer.text


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("/mingzhang/claims.json?_shape=array&section=一", 1),
        ("/mingzhang/claims.json?_shape=array&section__contains=一&_sort=value", 1),
        ("/mingzhang/claims.json?_shape=array&check_status=no_data", 1),
        ("/mingzhang/claims.json?_shape=array&evidence=arithmetic", 0),  # a right word of which there is none now
        ("/mingzhang/indicator_values.json?_shape=array&year__in=2024,2025&dimension=total&indicator_id=energy_tce", 2),
        ("/mingzhang/indicator_values.json?_shape=array&year__in=[2024]&dimension=total&indicator_id=energy_tce", 1),
        ("/mingzhang/indicator_values.json?_shape=array&value__isnull=1&_size=max", 7),
        ("/mingzhang/parking_lots.json?_shape=array&_file__exact=示例3", 1),
        ("/mingzhang.json?_shape=array&sql=select :id as x&id=3", 1),
    ],
)
def test_right_words_are_answered(get: Get, path: str, rows: int) -> None:
    answer = get(path)
    assert answer.status_code == 200 and len(answer.json()) == rows, answer.text[:300]


@pytest.mark.parametrize(
    ("word", "known", "right"),
    [
        ("divisons", ["divisions", "datasets"], "divisions"),
        ("三（一）", ["三(一)", "二(一)"], "三(一)"),
        ("ENERGY", ["Energy and water", "Assets"], "Energy and water"),
        ("x", ["divisions"], None),
    ],
)
def test_the_nearest_word(word: str, known: list[str], right: str | None) -> None:
    assert nearest(word, known) == right


def test_the_pane_of_tables_lists_the_codes_of_a_column(get: Get) -> None:
    text = re.sub(r"<[^>]+>", "", get("/mingzhang").text)
    assert "mismatch 不符" in text and "Q 已隐去" in text
    assert "mismatch Differs" in re.sub(r"<[^>]+>", "", get("/en/mingzhang").text)


# --- the API's series ---


def test_the_api_gives_one_figure_a_year_and_names_it(get: Get) -> None:
    said = get("/api/v1/indicators/energy_tce?dimension=total").json()
    assert [(v["year"], v["factor_set"]) for v in said["values"]] == [(y, "default") for y in range(2021, 2026)]
    said = get("/api/v1/indicators/parking_spaces?dimension=total").json()
    assert {v["factor_set"] for v in said["values"]} == {"none"} and said["total"] == 5
    value = get("/api/v1/indicators/energy_tce?dimension=district&year=2024&member=芦淞区").json()["values"]
    assert [(v["member"], v["member_zh"], v["dimension_zh"]) for v in value] == [("430203", "芦淞区", "县市区")]


def test_other_factor_sets_come_when_asked_for(tmp_path: Path) -> None:
    folder = build_release(tmp_path, FIRST)
    with sqlite3.connect(folder / "mingzhang.db") as conn:
        columns = [r[1] for r in conn.execute("pragma table_info(indicator_values)")]
        listed = ", ".join("'article'" if c == "factor_set" else "value * 2" if c == "value" else c for c in columns)
        conn.execute(
            f"insert into indicator_values select {listed} from indicator_values where indicator_id = 'energy_tce'"
        )
    point_current(tmp_path, FIRST)
    for get in getter(tmp_path):
        at = "/api/v1/indicators/energy_tce?dimension=total&year=2021"
        assert [v["value"] for v in get(at).json()["values"]] == [6310.5]
        assert [v["value"] for v in get(f"{at}&factor_set=article").json()["values"]] == [12621.0]
        assert {v["factor_set"] for v in get(f"{at}&factor_set=all").json()["values"]} == {"default", "article"}


# --- pages, in every order ---


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Get, dict[str, int]]]:
    """A site whose tables have many equal and many empty values in every column that is no key; rows by table."""
    home = tmp_path_factory.mktemp("tied")
    folder = build_release(home, FIRST)
    shutil.copytree(folder, home / "other")
    conn = sqlite3.connect(folder / "mingzhang.db")
    counts = {}
    for (table,) in conn.execute("select name from sqlite_master where type = 'table'").fetchall():
        for _, column, _, _, _, key in conn.execute(f'pragma table_info("{table}")').fetchall():
            if not key and table not in ("releases", "datasets", "dataset_columns", "indicators", "divisions"):
                first = conn.execute(f'select min("{column}") from "{table}"').fetchone()
                sql = f'update "{table}" set "{column}" = case rowid % 3 when 0 then null when 1 then ? else "{column}" end'
                conn.execute(sql, first)
        counts[table] = conn.execute(f'select count(*) from "{table}"').fetchone()[0]
    conn.commit()
    conn.close()
    point_current(home, FIRST)
    for get in getter(home):
        yield get, {t: n for t, n in counts.items() if n > 8}


def keyed(rows: list[dict[str, Any]]) -> list[str]:
    return [json.dumps(r, sort_keys=True) for r in rows]


SORTED = (
    "indicator_values",
    "claims",
    "provenance",
    "parking_lots",
    "coverage",
    "benchmark_distances",
    "dataset_columns",
)


def test_every_order_of_a_table_gives_every_row_once(tied: tuple[Get, dict[str, int]]) -> None:
    """As JSON, by every column in both directions, in pages of 13: rows were left out where values are equal."""
    get, counts = tied
    wrong = []
    for table in [t for t in SORTED if t in counts]:
        whole = get(f"/mingzhang/{table}.json?_size=max").json()["rows"]
        for column in whole[0]:
            for order in ("_sort", "_sort_desc"):
                url, rows = f"/mingzhang/{table}.json?{order}={column}&_size=13", []
                while url:
                    said = get(url).json()
                    rows += said["rows"]
                    url = said["next_url"]
                    assert said["truncated"] is bool(url)
                if sorted(keyed(rows)) != sorted(keyed(whole)):
                    wrong.append((table, column, order, len(rows), len(whole)))
                found = [r[column] for r in rows if r[column] is not None]
                assert found == sorted(found, reverse=order == "_sort_desc")
    assert wrong == []


@pytest.mark.parametrize("order", ["_sort=value", "_sort_desc=value", "_sort=status", "_sort_desc=note", ""])
def test_pages_and_csv_go_on_where_the_one_before_ended(tied: tuple[Get, dict[str, int]], order: str) -> None:
    get, counts = tied
    whole = sorted(tuple(r.values()) for r in _csv(get(f"/mingzhang/indicator_values.csv?{order}")))
    url, rows, links = f"/mingzhang/indicator_values.json?{order}&_size=13", [], []
    while url:
        rows += _csv(get(url.replace(".json", ".csv")))
        url = get(url).json()["next_url"]
    assert sorted(tuple(r.values()) for r in rows) == whole and len(whole) == counts["indicator_values"]
    url = f"/mingzhang/indicator_values?{order}&_size=13"
    while url:
        page = get(url).text
        links += re.findall(r'<a href="(/mingzhang/indicator_values/[^"]+)"', page)
        found = re.search(r'<a rel="next" href="([^"]+)"', page)
        url = found[1].replace("&amp;", "&") if found else ""
    assert len(set(links)) == len(whole)


def _csv(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_an_answer_says_the_same_of_its_end_in_every_place(get: Get) -> None:
    cut = get("/mingzhang/claims.json?_size=2")
    said = cut.json()
    assert (said["truncated"], bool(said["next_url"]), cut.headers.get("x-truncated")) == (True, True, "true")
    last = get("/mingzhang/claims.json?_size=5")
    said = last.json()
    assert (said["truncated"], said["next_url"], last.headers.get("x-truncated")) == (False, None, None)


def test_rows_in_lines_go_over_pages(get: Get) -> None:
    answer = get("/mingzhang/claims.json?_shape=array&_nl=on&_size=2")
    assert answer.status_code == 200 and answer.headers["x-truncated"] == "true"
    assert [json.loads(line)["claim_id"] for line in answer.text.splitlines()] == ["canteens", "co2"]


@pytest.mark.parametrize(
    "path", ["/indicators/energy_tce.csv", "/mingzhang/claims.csv", "/mingzhang.csv?sql=select 1 as x"]
)
def test_a_csv_has_one_byte_order_mark(get: Get, path: str) -> None:
    body = get(path).content
    assert body.startswith(b"\xef\xbb\xbf") and body.count(b"\xef\xbb\xbf") == 1


# --- the address itself ---


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/api/v1/datasets/parking_lots/?limit=1", "/api/v1/datasets/parking_lots?limit=1"),
        ("/claims/", "/claims"),
        ("/mingzhang/claims/", "/mingzhang/claims"),
        (f"/r/{FIRST}/en/claims/", f"/r/{FIRST}/en/claims"),
    ],
)
def test_a_slash_at_the_end_leads_on(get: Get, path: str, to: str) -> None:
    answer = get(path)
    assert (answer.status_code, answer.headers["location"]) == (308, to)


def test_a_script_may_say_what_it_sends(get: Get) -> None:
    answer = get("/api/v1/claims", method="OPTIONS")  # type: ignore[call-arg]
    assert answer.status_code == 204 and "Content-Type" in answer.headers["access-control-allow-headers"]


def test_text_that_is_no_utf_8_is_refused_with_a_sentence(get: Get) -> None:
    for path in ("/mingzhang/divisions.json?name_zh=", "/api/v1/claims?section=", "/search?q="):
        answer = get(path + urllib.parse.quote("芦淞区".encode("gbk")))
        assert answer.status_code == 400 and "UTF-8" in answer.text and "GBK" in answer.text


def test_an_address_in_raw_chinese_is_taken(home: Path) -> None:
    line = "GET /mingzhang/divisions.json?_shape=array&name_zh=芦淞区 HTTP/1.1\r\n"
    rest = b"Host: x\r\n\r\n"
    with serving(home, FREE) as (base, _):

        def said(*parts: bytes) -> Any:
            with socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2])), timeout=20) as s:
                for part in parts:
                    s.sendall(part)
                got = b""
                while not re.search(rb"\r\n\r\n.*[\]}]$", got, re.S):
                    more = s.recv(65_536)
                    assert more, got
                    got += more
            return json.loads(got.partition(b"\r\n\r\n")[2])

        raw = line.encode()
        for parts in ((raw + rest,), (raw[:58], raw[58:], rest), (b"\r\n", raw, rest)):
            assert [r["code"] for r in said(*parts)] == ["430203"]
        assert "GBK" in said(line.encode("gbk") + rest)["error"]
        # The length of a body is told before it: its bytes are left as they are, and what follows is a request of its own.
        body = "芦淞".encode()
        posted = b"POST /api/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        assert said(posted)["code"] == "method"
