"""The API over HTTP, in this process: what it promises to scripts, and how it refuses."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.robotparser import RobotFileParser

import httpx
import pytest

from publish.site import switch as switch_module
from publish.site.api import RESOURCES, ROOT
from publish.site.api.openapi import openapi
from publish.site.app import Site, create_app
from publish.site.facts import read_facts
from publish.site.ratelimit import Bucket, Rate, group
from publish.site.settings import SiteSettings
from publish.sources import sources_of

FIRST, SECOND = "2025-12-31-0a1b2c3d", "2026-01-31-4e5f6a7b"  # as in conftest.py
Get = Callable[..., httpx.Response]


@asynccontextmanager
async def running(
    home: Path, settings: SiteSettings | None = None, client: str = "192.0.2.7"
) -> AsyncIterator[tuple[httpx.AsyncClient, Site]]:
    site = create_app(home, 2, settings)
    try:
        await site.start()
        transport = httpx.ASGITransport(app=site, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=30) as http:
            yield http, site
    finally:
        await site.close()


def talk(home: Path, what: Callable[[httpx.AsyncClient, Site], Awaitable[None]], **how: Any) -> None:
    async def run() -> None:
        async with running(home, **how) as (client, site):
            await what(client, site)

    asyncio.run(run())


@pytest.fixture(scope="module")
def get(home: Path) -> Iterator[Get]:
    """A function that gets a path from a site whose address may ask for as much as it likes."""
    loop = asyncio.new_event_loop()
    free = SiteSettings(requests_each_second=0, sql_seconds_each_second=0)
    context = running(home, free)
    client, _ = loop.run_until_complete(context.__aenter__())

    def ask(path: str, method: str = "GET", **kwargs: Any) -> httpx.Response:
        return loop.run_until_complete(client.request(method, path, **kwargs))

    yield ask
    loop.run_until_complete(context.__aexit__(None, None, None))
    loop.close()


def api(get: Get, path: str) -> dict[str, Any]:
    response = get(ROOT + path)
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_the_index_lists_every_resource(get: Get) -> None:
    said = api(get, "")
    assert [r["path"] for r in said["resources"]] == [ROOT + r.path for r in RESOURCES if r.path]
    assert said["release"]["release_id"] == FIRST and said["release"]["synthetic"] is True
    assert "合成示例数据" in said["release"]["notice_zh"] and said["api"] == "1"


def test_indicators_and_their_values(get: Get) -> None:
    said = api(get, "/indicators")
    assert said["total"] == said["returned"] == 4 and said["truncated"] is False and said["next"] is None
    assert {i["indicator_id"] for i in said["indicators"]} >= {"energy_tce", "parking_spaces"}
    assert [i["indicator_id"] for i in api(get, "/indicators?theme=车辆")["indicators"]] == ["parking_spaces"]
    one = api(get, "/indicators/energy_tce?dimension=total")
    assert one["indicator"]["name_zh"] == "综合能耗"
    assert [(v["year"], v["value"]) for v in one["values"]] == [
        (2021, 6310.5), (2022, 6190.2), (2023, 6044.9), (2024, 5951.0), (2025, 5822.6),
    ]  # fmt: skip
    assert all(v["synthetic"] is True for v in one["values"])
    hidden = api(get, "/indicators/energy_tce?dimension=district&member=430203&year=2023")["values"]
    assert [(v["status"], v["value"]) for v in hidden] == [("Q", None)]


def test_statements(get: Get) -> None:
    assert [c["claim_id"] for c in api(get, "/claims?check_status=mismatch")["claims"]] == ["co2"]
    assert api(get, "/claims/co2")["claim"]["computed_value"] == 9246.0
    assert api(get, "/claims?section=")["total"] == 5  # a form sends its empty fields


def test_datasets_say_where_rows_files_and_contract_are(get: Get) -> None:
    said = api(get, "/datasets/parking_lots")
    assert [c["column"] for c in said["columns"]][:2] == ["org_name", "lot_name"]
    assert said["rows_url"] == "/mingzhang/parking_lots.json?_shape=array"
    assert get(said["rows_url"]).json()[0]["lot_name"] == "示例0"
    assert (
        said["files"] == {"csv": "/files/csv-plain/parking_lots.csv"} and get(said["files"]["csv"]).status_code == 200
    )
    closed = api(get, "/datasets/energy_use")
    assert closed["rows_url"] is None and closed["files"] == {} and closed["columns"]


def test_where_a_value_comes_from(get: Get) -> None:
    for tail in ("", "/total", "/total/all"):
        said = api(get, f"/provenance/energy_tce/2024{tail}")
        assert [f["records"] for f in said["files"]] == [600] and re.fullmatch("[0-9a-f]{64}", said["files"][0]["file"])
        assert said["values"][0]["value"] == 5951.0


def test_the_query_in_the_docs_gives_what_the_api_gives(get: Get) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    asked = "indicator_id = 'energy_tce' and year = 2024 and dimension = 'total' and factor_set = 'default'"
    sql = sources_of(asked, ["indicators"])
    assert f"```sql\n{sql}\n```" in text, "write it into docs/api.md anew"
    files = api(get, "/provenance/energy_tce/2024/total")["files"]
    rows = get("/mingzhang.json", params={"sql": sql, "_shape": "array"}).json()
    assert rows == files and len(rows) == 1
    for offset, returned in ((0, 1), (1, 0), (5, 0)):
        page = api(get, f"/provenance/energy_tce/2024/total?limit=1&offset={offset}")
        assert (page["total"], page["returned"], page["truncated"]) == (1, returned, False)
    # where it is suppressed there is a value, and nothing behind it
    hidden = api(get, "/provenance/energy_tce/2023/district/430203")
    assert [v["status"] for v in hidden["values"]] == ["Q"] and hidden["files"] == [] and hidden["total"] == 0


def test_releases_are_listed_and_a_releases_own_list_never_changes(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None]
) -> None:
    make_release(tmp_path, FIRST)
    switch(tmp_path, FIRST)

    async def look(client: httpx.AsyncClient, _: Site) -> None:
        async def listed(path: str = "") -> list[tuple[str, bool]]:
            rows = (await client.get(f"{path}{ROOT}/releases")).json()["releases"]
            return [(r["release_id"], r["current"]) for r in rows]

        assert await listed() == [(FIRST, True)]
        make_release(tmp_path, SECOND)
        assert await listed() == [(SECOND, False), (FIRST, True)]  # not an answer of before
        assert await listed(f"/r/{FIRST}") == [(FIRST, True)]
        assert (await client.get(f"{ROOT}/releases/{SECOND}")).json()["data"]["as_of"] == "2026-01-31"
        assert (await client.get(f"/r/{FIRST}{ROOT}/releases/{SECOND}")).status_code == 404

    talk(tmp_path, look)


def test_a_long_answer_says_that_it_was_cut_and_how_to_go_on(get: Get) -> None:
    seen, path = [], f"{ROOT}/indicators/energy_tce?limit=4"
    first = get(path)
    assert first.json()["truncated"] is True and first.headers["x-truncated"] == "true"
    assert "4 of 15 rows" in first.json()["advice_en"] and "15 行中的 4 行" in first.json()["advice_zh"]
    assert first.headers["link"] == f'<{first.json()["next"]}>; rel="next"'
    while path:
        said = get(path).json()
        seen += [(v["dimension"], v["member"], v["year"]) for v in said["values"]]
        path = said["next"]
    assert len(seen) == len(set(seen)) == 15


def test_cut_rows_of_the_database_say_so_in_every_shape(get: Get) -> None:
    many = "with recursive t(i) as (select 1 union all select i+1 from t where i<1500) select i from t"
    for shape in ("array", "objects"):
        response = get("/mingzhang.json", params={"sql": many, "_shape": shape})
        assert response.headers["x-truncated"] == "true"
        rows = response.json() if shape == "array" else response.json()["rows"]
        assert len(rows) == 1000
    assert response.json()["truncated"] is True and "LIMIT" in response.json()["advice_en"]
    as_csv = get("/mingzhang.csv", params={"sql": many})
    assert as_csv.headers["x-truncated"] == "true" and "first-rows-only" in as_csv.headers["content-disposition"]
    page = get("/mingzhang/parking_lots.json?_shape=objects&_size=5")
    assert len(page.json()["rows"]) == 5 and page.headers["x-truncated"] == "true"
    assert page.json()["whole_table"] == {"csv": "/files/csv-plain/parking_lots.csv"} and page.json()["next_url"]
    assert '</files/csv-plain/parking_lots.csv>; rel="alternate"' in page.headers["link"]
    array = get("/mingzhang/parking_lots.json?_shape=array&_size=5")
    assert 'rel="next"' in array.headers["link"] and len(array.json()) == 5
    for whole in ("/mingzhang/parking_lots.json?_shape=array&_size=max", "/mingzhang.json?_shape=array&sql=select+1"):
        assert "x-truncated" not in get(whole).headers


def test_the_csv_of_a_table_is_the_table(get: Get) -> None:
    rows = list(csv.DictReader(io.StringIO(get("/mingzhang/indicator_values.csv").content.decode("utf-8-sig"))))
    assert len(rows) == 60  # a page has 50


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nosuch", 404, "not_found"),
        ("/indicators/nosuch", 404, "not_found"),
        ("/indicators/%00", 404, "not_found"),
        ("/claims/nosuch", 404, "not_found"),
        ("/datasets/nosuch", 404, "not_found"),
        ("/provenance/energy_tce/1999", 404, "not_found"),
        ("/provenance/energy_tce/2024/nosuch/x", 404, "not_found"),
        ("/releases/nosuch", 404, "no_release"),
        ("/releases/..%2f..", 404, "no_release"),
        ("/provenance/energy_tce/abc", 400, "bad_argument"),
        ("/provenance/energy_tce/٢٠٢٤", 400, "bad_argument"),
        ("/indicators?limit=0", 400, "bad_argument"),
        ("/indicators?limit=1001", 400, "bad_argument"),
        ("/indicators?limit=1e3", 400, "bad_argument"),
        ("/indicators?offset=-1", 400, "bad_argument"),
        ("/indicators?nosuch=1", 400, "bad_argument"),
        ("/indicators?theme=a&theme=b", 400, "bad_argument"),
        ("/indicators?theme=" + "x" * 201, 400, "bad_argument"),
        ("/claims?check_status=right", 400, "bad_argument"),
        ("//indicators", 404, "not_found"),
    ],
)
def test_a_refusal_is_a_code_and_a_sentence_in_each_language(get: Get, path: str, status: int, code: str) -> None:
    response = get(ROOT + path)
    said = response.json()
    assert (response.status_code, said["status"], said["code"]) == (status, status, code)
    assert said["ok"] is False and said["error"] and re.search(r"[一-鿿]", said["error_zh"])
    assert get(said["help"]).status_code == 200
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/mingzhang.json?_shape=array", 400, "no_sql"),
        ("/mingzhang.csv", 400, "no_sql"),
        ("/mingzhang.csv?sql=+", 400, "no_sql"),
        ("/mingzhang.xlsx?_size=5", 400, "no_sql"),
        ("/mingzhang/%3E%C2%B7.json", 404, "not_found"),
        ("/mingzhang/a%23b.csv", 404, "not_found"),
        ("/mingzhang/" + "x" * 17_000 + ".json", 414, "too_long"),
        ("/api/v1/claims/" + "x" * 17_000, 414, "too_long"),
    ],
)
def test_what_a_fuzzer_found_is_refused_in_json(get: Get, path: str, status: int, code: str) -> None:
    response = get(path)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_only_reading_and_from_anywhere(get: Get) -> None:
    refused = get(f"{ROOT}/indicators", method="POST")
    assert refused.status_code == 405 and refused.json()["code"] == "method" and refused.headers["allow"] == "GET, HEAD"
    asked = get(f"{ROOT}/indicators", headers={"origin": "https://example.org", "cookie": "a=b"})
    assert asked.headers["access-control-allow-origin"] == "*" and "set-cookie" not in asked.headers
    assert "X-Truncated" in asked.headers["access-control-expose-headers"]
    assert get(f"{ROOT}/indicators", method="OPTIONS").headers["access-control-allow-methods"] == "GET, HEAD"


def test_every_answer_names_its_release_and_the_same_answer_stays_at_its_permalink(get: Get) -> None:
    for path in ("/indicators?theme=能源", "/indicators/energy_tce?year=2024", "/claims/co2", "/datasets?opening=open"):
        now = get(ROOT + path)
        assert now.headers["x-release"] == FIRST and now.headers["x-synthetic"] == "true"
        then = get(now.json()["permalink"])
        skip = ("whole_table", "next", "rows_url", "contract_url", "files")
        assert {k: v for k, v in then.json().items() if k not in skip} == {
            k: v for k, v in now.json().items() if k not in skip
        }
        assert "max-age=86400" in then.headers["cache-control"]


def test_versions_say_release_and_code(get: Get) -> None:
    said = get("/-/versions.json").json()
    assert (said["release_id"], said["code_version"], said["api"]) == (FIRST, "0.1.0", "1") and said["datasette"]


def test_the_description_covers_every_resource_and_every_key(get: Get) -> None:
    from jsonschema import Draft202012Validator

    described = get("/openapi.json").json()
    assert described["openapi"].startswith("3.1") and described["servers"] == [{"url": "http://test"}]
    assert get(f"/r/{FIRST}/openapi.json").json()["servers"] == [{"url": f"http://test/r/{FIRST}"}]
    for r in RESOURCES:
        values = {
            "release_id": FIRST, "indicator_id": "energy_tce", "year": 2025, "dimension": "total", "member": "all", "claim_id": "co2",
            "dataset": "parking_lots",
        }  # fmt: skip
        path = r.path.format(**values)
        schema = described["paths"][ROOT + r.path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        said = api(get, path)
        whole = {"$ref": schema["$ref"], "components": described["components"]}
        errors = [e.message for e in Draft202012Validator(whole).iter_errors(said)]
        assert errors == [], r.path
        known = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
        assert set(said) <= set(known), r.path


def test_a_generated_client_has_rows_filters_and_closed_lists(get: Get) -> None:
    """Generators made of the old schema clients whose rows were gone, and refused a licence without an address."""
    described = get("/openapi.json").json()
    schemas = described["components"]["schemas"]
    for path in ("/mingzhang/{table}.json", "/mingzhang.json"):
        answer = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert answer == {"$ref": "#/components/schemas/Rows"}
        assert schemas["Rows"]["properties"]["rows"]["items"]["type"] == "object"
    (filters,) = [
        p for p in described["paths"]["/mingzhang/{table}.json"]["get"]["parameters"] if p["name"] == "filters"
    ]
    assert filters["explode"] and filters["schema"]["type"] == "object"
    rows = get("/mingzhang/indicator_values.json?year__gte=2024&dimension=total&_size=1000").json()
    assert set(rows) <= set(schemas["Rows"]["properties"]) and {r["year"] for r in rows["rows"]} >= {2024, 2025}
    values = schemas["indicator_values"]
    assert values["properties"]["status"]["enum"] and values["properties"]["year"]["type"] == "integer"
    assert {"value", "member_zh", "member_en"} <= set(values["required"])
    assert described["info"]["license"]["url"] == "http://test/about" and described["security"] == []
    tags = {t["name"] for t in described["tags"]}
    for methods in described["paths"].values():
        assert {*methods["get"]["tags"]} <= tags and methods["get"]["tags"]
    assert not [n for n, s in schemas.items() if "title" in s]  # from which generators make names of classes
    index = get("/api/v1/").json()
    assert [r["path"] for r in index["resources"]] == [r["path"] for r in api(get, "")["resources"]]


def test_the_description_of_an_older_release_requires_what_it_has(
    make_release: Callable[..., Path], tmp_path: Path
) -> None:
    """Older code made fewer columns; a generated client that requires more refuses every row."""
    folder = make_release(tmp_path, FIRST)
    with closing(sqlite3.connect(folder / "mingzhang.db")) as conn:
        conn.execute("alter table claims drop column quotation")
        conn.commit()
    required = openapi(read_facts(folder), "/", "http://test")["components"]["schemas"]["claims"]["required"]
    assert "quotation" not in required and {"claim_id", "value_text"} <= set(required)


def test_search_engines_find_pages_and_leave_queries_alone(get: Get) -> None:
    robots = get("/robots.txt").text
    release, rules = get("/about").headers["x-release"], RobotFileParser()
    rules.parse(robots.splitlines())
    for path, allowed in (
        ("/claims/co2", True),
        (f"/r/{release}/datasets/parking_lots", True),  # where the structured data of the pages leads
        (f"/r/{release}/files/csv-plain/parking_lots.csv", True),
        (f"/r/{release}/mingzhang?sql=select+1", False),
        ("/mingzhang?sql=select+1", False),
        ("/r/2020-01-01-00000000/claims/co2", False),
    ):
        assert rules.can_fetch("anybody", f"http://test{path}") is allowed, path
    place = re.search(r"Sitemap: http://test(/\S+)", robots)
    assert place is not None
    root = ET.fromstring(get(place[1]).content)
    found = [e.text or "" for e in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert {"http://test/", "http://test/claims/co2", "http://test/indicators/energy_tce"} <= set(found)
    for address in found[::7]:
        assert get(address.removeprefix("http://test")).status_code == 200, address


def test_who_finds_a_weakness_is_told_whom_to_tell(home: Path) -> None:
    async def look(client: httpx.AsyncClient, site: Site) -> None:
        place = "/.well-known/security.txt"
        assert (await client.get(place)).status_code == 404  # no address in the city's folder, and no TLS
        said = (await client.get("https://test" + place)).text
        fields = dict(line.split(": ", 1) for line in said.splitlines())
        assert fields["Contact"] == "https://test/report" and fields["Canonical"] == "https://test" + place
        assert 0 < (datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)).days <= 30
        assert fields["Preferred-Languages"] == "zh, en"
        site.releases.current.instance.facts.doors["email"] = "x@example.gov.cn"  # type: ignore[union-attr]
        assert (await client.get(place + "?")).text.startswith("Contact: mailto:x@example.gov.cn\nExpires: ")

    talk(home, look)


def test_a_host_that_is_none_does_not_get_into_the_answer(get: Get) -> None:
    for host in ('evil"><script>', "a b", "x/y", "[zz", "x" * 50_000):
        said = get("/openapi.json", headers={"host": host}).json()
        assert said["servers"] == [{"url": "http://localhost"}]


def test_tls_is_said_to_stay(home: Path) -> None:
    async def look(client: httpx.AsyncClient, _: Site) -> None:
        plain = await client.get("/about", headers={"x-forwarded-proto": "https"})
        assert "strict-transport-security" not in plain.headers  # nobody's word is taken in here: serve.py says whose
        for path in ("/about", f"{ROOT}/indicators", "/files/csv/parking_lots.csv", "/nosuch"):
            secure = await client.get(f"https://test{path}")
            assert "max-age=31536000" in secure.headers["strict-transport-security"], path

    talk(home, look)


# --- limits of one address ---


def test_a_bucket_empties_and_fills_again() -> None:
    now = [0.0]
    bucket = Bucket(Rate(3, 0.5), now=lambda: now[0])
    for _ in range(3):
        assert bucket.wait("192.0.2.1") == 0
        bucket.spend("192.0.2.1")
    bucket.spend("192.0.2.1", 4)
    assert bucket.wait("192.0.2.1") == 8 and bucket.wait("192.0.2.2") == 0
    now[0] = 9
    assert bucket.wait("192.0.2.1") == 0
    now[0] = 10_000
    bucket.spend("192.0.2.1", 3.5)
    assert bucket.wait("192.0.2.1") == 1  # it never held more than its burst


def test_an_address_is_one_and_a_household_too() -> None:
    assert group("2001:db8:1:2::1") == group("2001:db8:1:2:ffff::9") != group("2001:db8:1:3::1")
    assert group("::ffff:192.0.2.1") == group("192.0.2.1")
    assert len(group("x" * 5000)) <= 50


def test_addresses_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from publish.site import ratelimit

    monkeypatch.setattr(ratelimit, "ADDRESSES", 10)
    bucket = Bucket(Rate(1, 1))
    for n in range(50):
        bucket.spend(f"192.0.2.{n}")
    assert len(bucket._left) == 10


def test_too_many_requests_are_told_when_to_come_back(home: Path) -> None:
    settings = SiteSettings(requests_burst=5, requests_each_second=0.001)

    async def look(client: httpx.AsyncClient, site: Site) -> None:
        kept = await client.get(f"{ROOT}/claims")
        codes = [(await client.get(f"{ROOT}/indicators?offset={n}")).status_code for n in range(8)]
        assert codes == [200] * 4 + [429] * 4
        refused = await client.get(f"{ROOT}/indicators?offset=77")
        assert refused.json()["code"] == "too_many" and refused.json()["error_zh"]
        assert int(refused.headers["retry-after"]) >= 1
        page = await client.get("/claims?x=1")
        assert page.status_code == 429 and "请求太多" in page.text and 'lang="en"' in page.text
        # What was answered before costs nothing and is not refused; nor is a file; nor is anybody else.
        assert (await client.get(f"{ROOT}/claims")).content == kept.content
        assert (await client.get("/files/csv/parking_lots.csv")).status_code == 200
        transport = httpx.ASGITransport(app=site, client=("192.0.2.8", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as other:
            assert (await other.get(f"{ROOT}/indicators?offset=78")).status_code == 200

    talk(home, look, settings=settings)


def test_sql_is_counted_by_the_time_it_takes(home: Path) -> None:
    settings = SiteSettings(sql_seconds_burst=0.3, sql_seconds_each_second=0.01)
    slow = "with recursive t(i) as (select 1 union all select i+1 from t limit 20000000) select count(*) from t"

    async def look(client: httpx.AsyncClient, _: Site) -> None:
        async def ask(sql: str) -> httpx.Response:
            return await client.get("/mingzhang.json", params={"sql": sql, "_shape": "array"})

        for n in range(8):  # honest queries cost next to nothing
            assert (await ask(f"select {n} as n")).status_code == 200
        assert (await ask(slow)).json()["code"] == "too_slow"
        refused = await ask("select 99")
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 10
        assert (await client.get(f"{ROOT}/indicators")).status_code == 200  # all else goes on

    talk(home, look, settings=settings)


def test_one_address_does_not_make_the_others_wait() -> None:
    from publish.site.limits import ClientSemaphores

    async def run() -> None:
        turns, going, most = ClientSemaphores(2), [0], [0]

        async def work(address: str) -> None:
            async with turns.acquire(address):
                going[0] += 1
                most[0] = max(most[0], going[0])
                await asyncio.sleep(0.02)
                going[0] -= 1

        flood = [asyncio.create_task(work("a")) for _ in range(20)]
        await asyncio.sleep(0.01)
        begun = asyncio.get_running_loop().time()
        await work("b")
        assert asyncio.get_running_loop().time() - begun < 0.08 and most[0] == 3
        await asyncio.gather(*flood)
        assert turns._clients == {}

    asyncio.run(run())


def test_the_same_question_at_once_is_worked_out_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(client: httpx.AsyncClient, site: Site) -> None:
        made: list[str] = []
        real = site._make

        async def counted(*args: Any) -> Any:
            made.append(args[2])
            return await real(*args)

        monkeypatch.setattr(site, "_make", counted)
        answers = await asyncio.gather(*(client.get("/indicators?many") for _ in range(3)))
        assert len({a.content for a in answers}) == 1 and made == ["/indicators"]

    talk(home, look)


def test_past_releases_are_not_opened_without_end(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch_module, "OPEN_PAST", 1)
    monkeypatch.setattr(switch_module, "OPENINGS", Rate(2, 0.001))
    for release in (FIRST, SECOND):
        make_release(tmp_path, release)
    switch(tmp_path, FIRST)

    async def look(client: httpx.AsyncClient, _: Site) -> None:
        codes = []
        for n in range(4):
            codes.append((await client.get(f"/r/{(FIRST, SECOND)[n % 2]}/about?{n}")).status_code)
        assert codes == [200, 200, 503, 200]  # the last is one that is open
        assert (await client.get("/about")).status_code == 200

    talk(tmp_path, look)


def test_nobody_opens_so_many_past_releases_that_others_can_open_none(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch_module, "OPEN_PAST", 1)
    monkeypatch.setattr(switch_module, "OPENINGS_EACH", Rate(2, 0.001))
    for release in (FIRST, SECOND):
        make_release(tmp_path, release)
    switch(tmp_path, FIRST)

    async def look(client: httpx.AsyncClient, site: Site) -> None:
        codes = [(await client.get(f"/r/{(FIRST, SECOND)[n % 2]}/about?{n}")).status_code for n in range(3)]
        assert codes == [200, 200, 503]
        other = httpx.AsyncClient(
            transport=httpx.ASGITransport(site, client=("198.51.100.7", 1)), base_url="http://test"
        )
        assert (await other.get(f"/r/{FIRST}/about?other")).status_code == 200

    talk(tmp_path, look)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINGZHANG_SITE_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8")
    monkeypatch.setenv("MINGZHANG_SITE_REQUESTS_BURST", "7")
    settings = SiteSettings()
    assert settings.trusted_proxies == ["127.0.0.1", "10.0.0.0/8"] and settings.requests == Rate(7, 100)
    json.dumps(settings.model_dump())
