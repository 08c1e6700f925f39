"""What single pages promise: files of an indicator, the way to the cell, releases and their differences, quality, queries."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pyarrow.parquet as pq
import pytest

from publish.site.app import Site
from publish.site.bilingual import with_factors
from publish.site.instance import Instance
from publish.site.pages.indicators import reported
from publish.site.pages.topics import TOPICS
from publish.site.pool import Pool
from publish.site.questions import questions

FIRST, SECOND = "2025-12-31-0a1b2c3d", "2026-01-31-4e5f6a7b"
Talk = Callable[["Pages"], Awaitable[None]]
ATOM = "{http://www.w3.org/2005/Atom}"


class Pages:
    """The pages of a home's current release, asked for without a server and without processes for public SQL."""

    def __init__(self, instance: Instance):
        self.instance = instance

    async def get(self, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.instance.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
            return await client.get(path)


def talk(home: Path, what: Talk, base_url: str = "/") -> None:
    async def run() -> None:
        instance = Instance((home / "current").resolve(), base_url)
        await instance.start()
        try:
            await what(Pages(instance))
        finally:
            instance.close()

    asyncio.run(run())


@pytest.fixture(scope="module")
def get(home: Path) -> Iterator[Callable[[str], httpx.Response]]:
    """A function that gets a path; waits a little where the machine is busy with other tests."""
    loop = asyncio.new_event_loop()
    site = Site(home, Pool(2))
    loop.run_until_complete(site.start())
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://test", timeout=60)

    async def ask(path: str) -> httpx.Response:
        for _ in range(5):
            answer = await client.get(path)
            if answer.status_code != 503:
                break
            await asyncio.sleep(2)
        return answer

    yield lambda path: loop.run_until_complete(ask(path))
    loop.run_until_complete(client.aclose())
    loop.run_until_complete(site.close())
    loop.close()


def test_an_indicator_in_four_formats_is_the_same_rows(get: Callable[[str], httpx.Response]) -> None:
    answers = {f: get(f"/indicators/energy_tce.{f}") for f in ("csv", "xlsx", "json", "parquet")}
    assert answers["csv"].content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answers["csv"].content.decode("utf-8-sig"))))
    told = answers["json"].json()
    table = pq.read_table(io.BytesIO(answers["parquet"].content)).to_pylist()
    book = openpyxl.load_workbook(io.BytesIO(answers["xlsx"].content))
    assert len(rows) == len(told["values"]) == len(table) == book["数据"].max_row - 1 == 15
    values = [(r["year"], r["dimension"], r["member"], r["value"]) for r in told["values"]]
    assert values == [(r["year"], r["dimension"], r["member"] or "", r["value"]) for r in table]
    assert told["indicator"]["unit"] == "tce" and told["notes"]["发布版本 Release"] == FIRST
    notes = {r[0]: r[1] for r in book["说明"].iter_rows(max_col=2, values_only=True)}
    assert "合成示例数据" in str(notes["提示 Notice"]) and f"/r/{FIRST}/indicators/energy_tce" in str(
        notes["永久地址 Address"]
    )
    for form, answer in answers.items():
        assert f'filename="energy_tce-{FIRST}.{form}"' in answer.headers["content-disposition"]
    assert get("/indicators/nosuch.csv").status_code == 404 and get("/indicators/energy_tce.exe").status_code == 404


def test_the_way_from_a_number_to_file_and_cell(get: Callable[[str], httpx.Response]) -> None:
    text = get("/indicators/parking_spaces/2025").text
    assert "1,210" in text and "600" in text and "示例0" in text
    assert (
        '<small class="cell">D2020</small>' in text and "全部计入。" in text
    )  # column D by provenance, row by the record
    assert f"http://test/r/{FIRST}/indicators/parking_spaces/2025" in text
    closed = get("/indicators/energy_tce/2024").text
    assert "<small" not in closed.partition("<main")[2].replace('<small class="quiet">', "")
    assert get("/indicators/energy_tce/1999").status_code == 404


def test_an_indicator_page_has_everything_to_defend_a_number(get: Callable[[str], httpx.Response]) -> None:
    text = get("/indicators/energy_per_capita").text
    for words in (
        "全国平均 329.6（2020）", "全国规划", "sum(energy_per_capita)", "已隐去", "涉及的单位太少", "select year, dimension, member",
        "比全国平均（2020 年）低 57.0%", "引用", "嵌入图表", f"/r/{FIRST}/embed/indicators/energy_per_capita", "XLSX", "PARQUET", "SVG", "2025 年的数字",
    ):  # fmt: skip
        assert words in text or words.replace("2025 年的数字", "/indicators/energy_per_capita/2025") in text, words


def test_suppression_names_the_rule_of_the_release(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None]
) -> None:
    folder = make_release(tmp_path, FIRST)
    said = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    rules = {"min_contributors": 5, "max_share": 0.85, "protection": 0.3}
    (folder / "release.json").write_text(json.dumps(said | {"rules": rules}), encoding="utf-8")
    switch(tmp_path, FIRST)

    async def look(client: Pages) -> None:
        assert "不足 5 个，或其中一家占 85% 以上" in (await client.get("/indicators/energy_tce")).text
        assert "fewer than 5 institutions" in (await client.get("/en/secrecy")).text

    talk(tmp_path, look)


def test_topics(get: Callable[[str], httpx.Response]) -> None:
    for topic, theme in TOPICS.items():
        answer = get(f"/topics/{topic}")
        assert answer.status_code == 200 and f"<h1>{theme}</h1>" in answer.text
    text = get("/topics/energy").text
    assert "人均综合能耗" in text and re.search(r'<svg [^>]*aria-label="综合能耗', text) and "能源资源消费状况" in text
    assert '<svg class="spark"' in text and "千克标准煤/人" in text and 'aria-current="page">能源' in text
    saved = get("/topics/savings").text
    assert (
        "一次性" in saved and "26,000,000" in saved and 'class="num hidden">已隐去' in saved and "卖出的价款" in saved
    )
    assert get("/topics/nosuch").status_code == 404


def test_statements_by_section_and_status_together(get: Callable[[str], httpx.Response]) -> None:
    text = get("/claims?status=match&section=%E5%9B%9B").text
    assert "人均能耗下降" in text and "减排二氧化碳" not in text and "错时开放停车位</a>" not in text
    assert 'status=mismatch&amp;section=%E5%9B%9B"' in text and text.count('aria-current="true"') == 1
    assert '<option value="四" selected>' in text
    one = get("/claims/co2").text
    assert "18,817" in one and "−9,571" in one and "−50.9%" in one and "按明细核算" in one
    assert "报告写“18817吨”，按明细核算为" in one


def test_a_dataset_shows_coverage_dictionary_decision_and_quality(get: Callable[[str], httpx.Response]) -> None:
    text = get("/datasets/energy_use").text
    assert text.count('class="heat-') == 60 and '32<span class="of">/40</span>' in text and 'class="heat-5"' not in text
    assert "必填项没有填" in text and "部分采用" in text and "<code>electricity</code>" in text and "只开放汇总" in text
    assert "数据集的明细不公布" in text and "综合能耗" in text
    assert "查看 40 行明细" in get("/datasets/parking_lots").text


def test_quality_is_totals(get: Callable[[str], httpx.Response]) -> None:
    text = get("/quality").text
    for words in (
        "交办",
        "反馈",
        "督办（逾期）",
        "<h3>销号</h3>",
        "必填项没有填",
        "198",
        "66.2%",
        "2025-03-28",
        "90.0%",
    ):
        assert words in text, words


def test_search_answers_and_escapes(get: Callable[[str], httpx.Response]) -> None:
    text = get("/search?q=停車位").text
    assert "/indicators/parking_spaces" in text and "<b>1,210个</b>" in text and "1200余个" in text
    text = get("/search?q=<b>%22停车").text
    assert "<b>&#34;" not in text and "&lt;b&gt;" in text
    assert "没有找到" in get("/search?q=zzzzqq").text


def test_the_query_page_begins_with_the_questions_of_the_docs(get: Callable[[str], httpx.Response]) -> None:
    asked = questions()
    assert len(asked) == 38 and all(q["en"] and q["sql"].lower().startswith(("select", "with")) for q in asked)
    first, text = asked[0], get("/mingzhang").text  # of those that this release can answer
    assert len(re.findall(r"<li><a href=.[^>]*sql=", text)) >= 8 and asked[-2]["zh"] in text
    assert "人均水耗" not in text, "a question about an indicator that this release does not have"
    for path, at in (("/mingzhang", "zh"), ("/en/mingzhang", "en"), ("/mingzhang?sql=select+1", "zh")):
        text = get(path).text
        assert first[at].replace('"', "&#34;") in text.replace("’", "'"), path
    assert "<code>indicator_values</code>" in get("/mingzhang?sql=select+1").text
    assert f"http://test/r/{FIRST}/mingzhang?sql=select+1" in get("/mingzhang?sql=select+1").text.replace("%20", "+")


def test_questions_are_read_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "questions.md"
    file.write_text(
        "# t\n\n## 1. 一？\nOne?\n\n```sql\nselect 1\n```\n\n## 2. 没有语句\n\n### 3、三？\n```sql\nselect 3\n```\n",
        encoding="utf-8",
    )
    assert questions(file) == (
        {"zh": "一？", "en": "One?", "sql": "select 1"},
        {"zh": "三？", "en": "", "sql": "select 3"},
    )
    assert questions(tmp_path / "nosuch.md") == ()


def test_a_query_as_a_workbook(get: Callable[[str], httpx.Response]) -> None:
    answer = get("/mingzhang.xlsx?sql=select+claim_id,+value,+'=1%2B1'+as+f+from+claims+order+by+1")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    rows = list(book["数据"].iter_rows(values_only=True))
    assert rows[0] == ("claim_id", "value", "f") and ("co2", 18817, "=1+1") in rows and len(rows) == 6
    assert book["数据"]["C2"].data_type == "s"
    notes = {r[0]: r[1] for r in book["说明"].iter_rows(max_col=2, values_only=True)}
    assert notes["发布版本 Release"] == FIRST and "select claim_id" in str(notes["查询 SQL"])
    bad = get("/mingzhang.xlsx?sql=select+nosuch")
    assert bad.status_code == 400 and bad.json()["code"] == "bad_sql"
    assert get("/mingzhang/claims.xlsx").status_code == 200


def test_releases_their_differences_and_their_feed(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None]
) -> None:
    make_release(tmp_path, FIRST)
    folder = make_release(tmp_path, SECOND, scale=0.5)
    (folder / "changes.json").write_text(
        json.dumps({"previous": FIRST, "tables": {}, "indicator_values_changed": 19, "claims": [{"claim_id": "co2", "old": "match", "new": "mismatch"}],
                    "indicator_values": [{"indicator_id": "energy_tce", "year": 2021, "dimension": "total", "member": "", "factor_set": "default",
                                          "old": 6310.5, "new": 3155.25}]}), encoding="utf-8")  # fmt: skip
    yes = {"by": "王某", "why_zh": "两所医院<补报>", "why_en": "two hospitals <late>", "on": "2026-01-05"}
    (folder / "release.json").write_text(json.dumps({"inputs": [], "accepted": yes}), encoding="utf-8")
    (tmp_path / "held" / "2026-01-06-00000000").mkdir(parents=True)
    switch(tmp_path, SECOND)

    async def look(client: Pages) -> None:
        home = (await client.get("/")).text
        assert "19 个指标数值不同" in home and "1 条表述的核验结果有变" in home
        listed = (await client.get("/releases")).text
        assert listed.index(SECOND) < listed.rindex(FIRST) and "19 个数值" in listed
        assert listed.count("与上一版相差较大，王某于2026-01-05核准发布：两所医院&lt;补报&gt;") == 1
        assert "accepted by 王某 on 2026-01-05: two hospitals &lt;late&gt;" in (await client.get("/en/releases")).text
        assert (
            listed.index(SECOND) < listed.index(f"接 {FIRST} 之后") < listed.rindex(FIRST)
        )  # of one day: which came after which
        assert "2026-01-06-00000000" not in listed  # what is held is nobody's to read
        told = (await client.get(f"/releases/diff?old={FIRST}&new={SECOND}")).text
        for words in ("6,310", "3,155", "−50.0%", "减排二氧化碳", "相符 → 不符", 'class="name">合计</th>'):
            assert words in told, words
        back = (await client.get(f"/en/releases/diff?old={SECOND}&new={FIRST}")).text  # nothing written: compared now
        assert "+100.0%" in back and "Energy use" in back
        assert (await client.get(f"/releases/diff?old=../x&new={FIRST}")).status_code == 404
        root = ET.fromstring((await client.get("/feed.xml")).content)
        entries = root.findall(f"{ATOM}entry")
        assert [e.findtext(f"{ATOM}id") for e in entries] == [f"http://test/r/{r}/" for r in (SECOND, FIRST)]
        assert "19" in (entries[0].findtext(f"{ATOM}summary") or "")
        for tag in ("id", "title", "updated"):
            assert root.findtext(f"{ATOM}{tag}") and all(e.findtext(f"{ATOM}{tag}") for e in entries)

    async def look_below(client: Pages) -> None:
        assert (await client.get(f"/r/{SECOND}/releases")).headers["location"] == "/releases"

    talk(tmp_path, look)
    talk(tmp_path, look_below, f"/r/{SECOND}/")


def test_a_release_without_search_or_later_tables_still_shows_its_pages(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None]
) -> None:
    folder = make_release(tmp_path, FIRST)
    (folder / "search.db").unlink()
    (folder / "changes.json").unlink()
    with sqlite3.connect(folder / "mingzhang.db") as conn:
        for table in (
            "coverage",
            "punctuality",
            "savings_statement",
            "task_counts",
            "benchmarks",
            "provenance",
            "submissions",
            "data_issues",
            "factors",
            "divisions",
            "claim_arithmetic",
        ):
            conn.execute(f"drop table {table}")
    switch(tmp_path, FIRST)

    async def look(client: Pages) -> None:
        for path in (
            "/",
            "/indicators/energy_tce",
            "/indicators/energy_tce/2024",
            "/claims/co2",
            "/datasets/energy_use",
            "/quality",
            "/methods",
            "/search?q=x",
        ):
            assert (await client.get(path)).status_code == 200, path
        assert "没有搜索索引" in (await client.get("/search?q=x")).text
        assert "现在还说不出" in (await client.get("/quality")).text

    talk(tmp_path, look)


@pytest.mark.parametrize("told", [True, False])
def test_a_source_marks_the_rows_that_count(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[..., None], told: bool
) -> None:
    folder = make_release(tmp_path, FIRST)
    spans = "[[2020,2029],[2040,2049]]" if told else None  # a release of earlier code names no rows
    with sqlite3.connect(folder / "mingzhang.db") as conn:
        conn.execute("update parking_lots set _file = '示例0', _sheet = '示例0'")
        conn.execute(
            """update provenance set indicators = '{"parking_spaces":20}', sheet_rows = ? where dataset = 'parking_lots' and kind = 'sheet'""",
            [spans],
        )
    switch(tmp_path, FIRST)

    async def look(client: Pages) -> None:
        text = (await client.get("/indicators/parking_spaces/2025")).text
        assert ("其中 20 行计入，标有 ✓。" if told else "其中 20 行计入，计入哪些见定义。") in text
        assert text.count("✓</td>") == text.count('<tr class="out">') == (20 if told else 0)
        counted = [int(n) for n in re.findall(r'✓</td>.+?<small class="cell">D(\d+)</small>', text)]
        assert sorted(counted) == ([*range(2020, 2030), *range(2040, 2050)] if told else [])

    talk(tmp_path, look)


@pytest.mark.parametrize("path", ["/", "/indicators", "/topics/energy", "/indicators/energy_tce", "/indicators/parking_spaces/2025", "/claims", "/datasets/energy_use", "/quality"])  # fmt: skip
def test_a_page_asks_little_of_the_database(home: Path, path: str) -> None:
    """Counted in steps of SQLite's machine, which are the same on every computer; a hundred thousand take some 2 ms."""
    asked: list[tuple[str, Any]] = []

    async def look(client: Pages) -> None:
        ds = client.instance.ds
        real = ds.execute

        async def watched(db_name: str, sql: str, params: Any = None, **more: Any) -> Any:
            asked.append((sql, params))
            return await real(db_name, sql, params, **more)

        ds.execute = watched
        assert (await client.get(path)).status_code == 200

    talk(home, look)
    assert asked and steps(home, asked) < 250_000


def steps(home: Path, asked: list[tuple[str, Any]]) -> int:
    """How many steps SQLite takes for these queries."""
    taken = 0

    def tick() -> int:
        nonlocal taken
        taken += 100
        return 0

    with sqlite3.connect(home / "current" / "mingzhang.db") as conn:
        conn.set_progress_handler(tick, 100)
        for sql, params in asked:
            conn.execute(sql, params or {}).fetchall()
    return taken


def test_a_release_made_before_replaced_rows_were_counted_has_its_page_of_quality(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[[Path, str], None]
) -> None:
    folder = make_release(tmp_path, FIRST)
    with sqlite3.connect(folder / "mingzhang.db") as conn:
        conn.execute("alter table submissions drop column rows_superseded")

    async def look(pages: Pages) -> None:
        answer = await pages.get("/quality")
        assert answer.status_code == 200 and "180" in answer.text  # rows accepted

    switch(tmp_path, FIRST)
    talk(tmp_path, look)


def test_the_count_of_steps_can_fail(home: Path) -> None:
    long = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) select sum(i) from n"
    assert steps(home, [(long, None)]) > 250_000 and steps(home, [("select 1", None)]) < 100


def test_the_files_a_query_page_offers_are_there(get: Callable[[str], httpx.Response]) -> None:
    text = get("/mingzhang?sql=select+claim_id+from+claims").text
    offered = re.findall(r'<li><a href="(/mingzhang\.(?:csv|json)[^"]+)">', text)
    assert len(offered) >= 2
    for address in offered:
        assert get(address.replace("&amp;", "&")).status_code == 200, address


def test_a_page_counts_who_is_behind_the_figure_and_never_beside_a_suppressed_value(
    get: Callable[[str], httpx.Response],
) -> None:
    text = get("/indicators/energy_tce").text
    found = re.search(r'<details id="reported">.*?</details>', text, re.S)
    assert found and found[0].count("20/30") == 2 and ">10<" in found[0]
    rows = {
        "430202": {2023: {"reporting": 20, "population": 30}},
        "430203": {2023: {"reporting": None, "population": None}},
    }
    names = {m: by | {2022: {"reporting": 1, "population": 9}} for m, by in rows.items()}
    assert reported({"district": {"members": names}}, 2023) == {"district": [("430202", 20, 30)]}
    assert reported({"district": {"members": names}}, 2021) == {}


@pytest.mark.parametrize(
    ("path", "near"),
    [("/indicators/energy_tc", "/indicators/energy_tce"), ("/en/claims/canteen", "/en/claims/canteens"), ("/datasets/parking_lot", "/datasets/parking_lots"), ("/indicators/zzzzzz", None)],
)  # fmt: skip
def test_a_misspelt_address_is_answered_with_the_nearest(
    get: Callable[[str], httpx.Response], path: str, near: str | None
) -> None:
    answer = get(path)
    assert answer.status_code == 404 and ("There is no such page" if "/en/" in path else "没有这个页面") in answer.text
    assert "/search" in answer.text and 'id="sought"' in answer.text
    assert (f'<a href="{near}"><code>' in answer.text) if near else "<code>/" not in answer.text


def test_a_dataset_shows_some_of_its_rows_and_a_closed_one_none(get: Callable[[str], httpx.Response]) -> None:
    open_one, closed = get("/datasets/parking_lots").text, get("/datasets/energy_use").text
    shown = re.search(r"<caption>其中几行</caption>(.*?)</table>", open_one, re.DOTALL)
    assert shown and shown[1].count("<tr>") == 6 and "示例39" in shown[1] and "示例34" not in shown[1]
    assert 'class="num">2,059</td>' in shown[1] and ">否</td>" in shown[1]
    assert "其中几行" not in closed


def test_a_row_leads_to_the_rows_of_other_tables_that_have_its_key(get: Callable[[str], httpx.Response]) -> None:
    of_sale = get("/mingzhang/disposals/~E7~A4~BA~E4~BE~8B1").text
    assert '<a href="/mingzhang/real_assets?asset_id__exact=%E7%A4%BA%E4%BE%8B1">示例1</a>' in of_sale
    asset = get("/mingzhang/real_assets/~E7~A4~BA~E4~BE~8B1").text
    joined = asset.partition("其他表里的同一项")[2]
    assert "/mingzhang/disposals?asset_id__exact=" in joined and "/mingzhang/leases?asset_id__exact=" in joined
    assert "/mingzhang/real_assets?" not in joined
    assert "2,021" in of_sale and "2021.0" not in of_sale  # numbers as in tables


def test_the_page_of_quality_says_what_rests_on_doubted_rows(get: Callable[[str], httpx.Response]) -> None:
    found = get("/quality").text.partition('id="found"')[2]
    assert '<a href="/datasets/parking_lots#used">1 个指标由这些行算出</a>' in found
    assert 'id="used"' in get("/datasets/parking_lots").text


def test_a_note_gives_a_factor_by_its_value_and_leads_to_it() -> None:
    factors = [
        {"factor_id": i, "value": v, "metric": "kgce", "per_unit": "kWh"}
        for i, v in (("tce-a", 0.1), ("tce-a-2021", 0.2))
    ]
    assert str(with_factors("系数：tce-a-2021、tce-a、tce-b。", factors)) == (
        '系数：<a href="#factor-tce-a-2021">0.2 kgce/kWh</a>、<a href="#factor-tce-a">0.1 kgce/kWh</a>、tce-b。'
    )
    assert str(with_factors("<b>tce-a</b>", factors)).startswith("&lt;b&gt;<a ")
    assert with_factors("没有系数。", []) == "没有系数。"


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_the_statement_on_accessibility_has_a_date_and_a_contact(
    get: Callable[[str], httpx.Response], prefix: str
) -> None:
    text = get(f"{prefix}/accessibility").text
    assert re.search(r"(最近一次核对：|last reviewed on )20\d\d-\d\d-\d\d", text)
    assert f'href="{prefix}/report"' in text
