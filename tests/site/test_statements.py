"""Statements to be found and defended: order and filters, arithmetic, the next one, the review for search engines; and citations."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from publish.site.app import Site
from publish.site.pages.citing import Cited, bibtex, ris
from publish.site.pool import Pool
from publish.site.settings import SiteSettings
from tests.site.test_structured import block_of, graph_of, unknown

RELEASE = "2025-12-31-0a1b2c3d"
Get = Callable[[str], Awaitable[httpx.Response]]


def visit(home: Path, what: Callable[[Get], Awaitable[None]]) -> None:
    async def run() -> None:
        site = Site(home, Pool(1), SiteSettings(requests_each_second=0))
        await site.start()
        transport = httpx.ASGITransport(app=site)
        async with httpx.AsyncClient(transport=transport, base_url="https://data.example", timeout=60) as client:
            await what(client.get)
        await site.close()

    asyncio.run(run())


@pytest.fixture
def changed(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[[Path, str], None]
) -> Callable[..., Path]:
    """A home of its own whose release was changed by SQL before it is served."""

    def make(*statements: str, synthetic: bool = True) -> Path:
        folder = make_release(tmp_path, RELEASE, synthetic=synthetic)
        with sqlite3.connect(folder / "mingzhang.db") as conn:
            for sql in statements:
                conn.execute(sql)
        conn.close()
        switch(tmp_path, RELEASE)
        return tmp_path

    return make


def test_statements_are_filtered_by_topic_and_sorted_by_difference(changed: Callable[..., Path]) -> None:
    home = changed("update claims set indicator_id = 'energy_tce' where claim_id in ('energy_fall', 'co2')")

    async def look(get: Get) -> None:
        named = lambda text: re.findall(r'<th scope="row" class="wide"><a href="/claims/(\w+)"', text)  # noqa: E731
        assert set(named((await get("/claims?topic=energy")).text)) == {"energy_fall", "co2"}
        assert named((await get("/claims?topic=energy&status=mismatch")).text) == ["co2"]
        # 18817 against 9246 is half, 6.9 against 6.92 a three-hundredth, 1200 against 1210 more than that; the rest have none.
        assert named((await get("/claims?sort=difference")).text)[:3] == ["co2", "parking_spaces_opened", "energy_fall"]
        text = (await get("/claims?topic=energy&sort=difference")).text
        assert 'href="/claims?status=mismatch&amp;topic=energy&amp;sort=difference"' in text
        assert '<option value="energy" selected>' in text
        # How far apart: 6.92 is 0.3 % from 6.9, 1210 0.8 % from 1200, 9246 half of 18817.
        assert set(named((await get("/claims?size=1")).text)) == {"energy_fall", "parking_spaces_opened"}
        assert (
            named((await get("/claims?size=more")).text) == ["co2"] and named((await get("/claims?size=10")).text) == []
        )
        assert set(named((await get("/claims?size=none")).text)) == {"leading", "canteens"}
        assert named((await get("/claims?sort=closest")).text)[:3] == ["energy_fall", "parking_spaces_opened", "co2"]
        assert named((await get("/claims?sort=result")).text)[0] == "energy_fall"
        assert "size=more" in (await get("/claims?size=more")).text.replace("&amp;", "&").split('class="filters"')[1]
        assert len(named((await get("/claims?size=x&sort=x")).text)) == 5

    visit(home, look)


def test_a_statement_stands_in_its_sentence_with_its_report(changed: Callable[..., Path]) -> None:
    home = changed(
        "update claims set quotation = '全市6.94万人，人均能耗、水耗分别下降6.9%、8%。', report_title = '五年总结', report_by = '某局', "
        "report_date = '2025-08-12', report_url = 'https://a.example/1?x=1&y=2' where claim_id = 'energy_fall'",
        "update claims set quotation = '减排一万八千吨。' where claim_id = 'co2'",
        synthetic=False,
    )

    async def look(get: Get) -> None:
        text = (await get("/claims/energy_fall")).text
        said = re.search(r'<figure class="quoted">.*?</figure>', text, re.S)
        assert said and "下降<mark>6.9%</mark>、8%" in said[0] and "6.94万人" in said[0]
        assert "五年总结 · 某局 · 2025-08-12" in said[0] and 'href="https://a.example/1?x=1&amp;y=2"' in said[0]
        assert 'class="missing"' not in said[0]
        english = (await get("/en/claims/energy_fall")).text
        assert '<span lang="zh-CN">全市6.94万人' in english
        review = block_of(text)["subjectOf"]["itemReviewed"]
        assert review["appearance"]["url"] == "https://a.example/1?x=1&y=2" and review["datePublished"] == "2025-08-12"
        assert review["author"]["name"] == "某局"
        bare = re.search(r'<figure class="quoted">.*?</figure>', (await get("/claims/co2")).text, re.S)
        assert (
            bare and "减排一万八千吨。" in bare[0] and "<mark>" not in bare[0] and bare[0].count('class="missing"') == 2
        )
        none = (await get("/claims/leading")).text
        assert "未登记原句" in none and "未给出报告的网址" in none

    visit(home, look)


DOORS = '{"contact_zh": "综合科", "telephone": "0731-2868", "email": "open@city.example", "next_release": "2026-04-30", '\
    '"licence_name": "CC BY 4.0", "licence_url": "https://creativecommons.org/licenses/by/4.0/", '\
    '"providers": {"parking_lots": {"provider_zh": "资产科", "provider_en": "Assets"}}}'  # fmt: skip


def test_contact_next_release_licence_and_provider_are_named_or_loudly_missing(changed: Callable[..., Path]) -> None:
    home = changed()

    async def without(get: Get) -> None:
        for path, said in (
            ("/about", ("未给出联系方式", "下一版的日期未给出", "许可证名称未定")),
            ("/datasets/parking_lots", ("未写明提供部门", "未给出联系方式", "下一版的日期未给出", "许可证名称未定")),
            ("/report", ("未给出联系方式",)), ("/accessibility", ("未给出联系方式",)), ("/releases", ("下一版的日期未给出",)),
        ):  # fmt: skip
            text = (await get(path)).text
            for phrase in said:
                assert re.search(rf'class="missing">{phrase}', text), (path, phrase)

    visit(home, without)
    release = home / "releases" / RELEASE / "release.json"
    release.write_text('{"code_version": "0.1.0", "inputs": [], "city": ' + DOORS + "}", encoding="utf-8")

    async def given(get: Get) -> None:
        text = (await get("/datasets/parking_lots")).text
        for phrase in (
            "资产科",
            "综合科 · 电话 0731-2868",
            'href="mailto:open@city.example"',
            "2026-04-30",
            'rel="license"',
        ):
            assert phrase in text, phrase
        assert 'class="missing"' not in text and "未写明提供部门" in (await get("/datasets/leases")).text
        assert "Assets" in (await get("/en/datasets/parking_lots")).text
        assert 'class="missing"' not in (await get("/about")).text

    visit(home, given)


def test_a_page_leads_to_the_form_that_names_it(changed: Callable[..., Path]) -> None:
    async def look(get: Get) -> None:
        for place in ("indicators/energy_tce", "indicators/energy_tce/2024", "claims/co2", "datasets/parking_lots"):
            there = f"/report?about=/r/{RELEASE}/{place}"
            assert f'rel="nofollow" href="{there}"' in (await get(f"/{place}")).text.replace("%2F", "/")
            assert f'value="/r/{RELEASE}/{place}"' in (await get(there)).text

    visit(changed(), look)


def test_from_a_statement_to_the_one_before_and_after(changed: Callable[..., Path]) -> None:
    home = changed(
        *(
            f"update claims set position = {n} where claim_id = '{c}'"
            for n, c in enumerate(("co2", "leading", "canteens"), 10)
        )
    )

    async def look(get: Get) -> None:
        text = (await get("/claims/leading")).text
        assert '<a rel="prev" href="/claims/co2">' in text and '<a rel="next" href="/claims/canteens">' in text
        assert 'rel="next"' not in (await get("/claims/canteens")).text

    visit(home, look)


def test_a_ratio_shows_its_division_where_the_published_terms_give_it(changed: Callable[..., Path]) -> None:
    home = changed(
        "update indicators set formula = 'Σ energy_tce ÷ Σ parking_spaces' where indicator_id = 'energy_per_capita'",
        "update indicator_values set value = 4812.0661 where indicator_id = 'energy_per_capita' and year = 2025 and dimension = 'total'",
    )

    async def look(get: Get) -> None:
        text = (await get("/indicators/energy_per_capita")).text
        assert "5,822.600 ÷ 1,210 × 1,000 = <b>4,812.0661千克标准煤/人</b>" in text
        assert '<a href="/indicators/energy_tce/2025">' in text and '<a href="/indicators/parking_spaces/2025">' in text
        assert "76 家机构中的 46 家" in text
        other = (await get("/indicators/energy_per_capita/2024")).text
        assert "只计两项都填报的机构" in other and "÷ 980" not in other

    visit(home, look)


def test_a_change_and_a_sum_of_years_are_spelled_out(changed: Callable[..., Path]) -> None:
    copy = "insert into indicator_values (indicator_id, year, dimension, member, value, unit, status, factor_set)"
    where = "update claims set indicator_id = '{0}', year = 2025, dimension = '{1}', member = '{2}', factor_set = '{3}' where claim_id = '{4}'"
    home = changed(
        "insert into indicators (indicator_id, theme, name_zh, unit, kind, decimals, formula) values ('fall', '能源', '变化', '%', 'ratio', 2,"
        " '(energy_tce of year ÷ energy_tce of base year − 1) × 100')",
        f"{copy} values ('fall', 2025, 'base', '2021', -7.73, '%', 'A', 'default')",
        f"{copy} values ('parking_spaces', 2025, 'period', '2021-2025', 2770, '个', 'A', 'none')",
        f"{copy} values ('disposal_amount', 2025, 'period', '2021-2025', 1.13e8, '元', 'A', 'none')",
        "update indicators set kind = 'flow' where indicator_id = 'parking_spaces'",
        where.format("fall", "base", "2021", "default", "energy_fall"),
        where.format("parking_spaces", "period", "2021-2025", "none", "parking_spaces_opened"),
        where.format("disposal_amount", "period", "2021-2025", "none", "canteens"),
    )

    async def look(get: Get) -> None:
        assert "(5,822.600 ÷ 6,310.500 − 1) × 100 = <b>−7.73%</b>" in (await get("/claims/energy_fall")).text
        added = re.sub(r"<[^>]+>", "", (await get("/claims/parking_spaces_opened")).text)
        assert "0 (2021) + 120 (2022) + 460 (2023) + 980 (2024) + 1,210 (2025) = 2,770个" in added
        # One of the years is missing: the others would give it away, or be no sum.
        assert 'id="arithmetic"' not in (await get("/claims/canteens")).text

    visit(home, look)


def test_a_statement_is_a_review_for_search_engines_unless_the_data_are_made_up(changed: Callable[..., Path]) -> None:
    home = changed(synthetic=False)

    async def look(get: Get) -> None:
        block = block_of((await get("/claims/co2")).text)
        assert unknown(graph_of(block)) == set()
        review = block["subjectOf"]
        assert review["@type"] == "ClaimReview" and review["claimReviewed"] == "减排二氧化碳：18817吨"
        assert review["reviewRating"]["ratingValue"] == 1 and review["url"].endswith(f"/r/{RELEASE}/claims/co2")
        assert "subjectOf" not in block_of((await get("/claims/canteens")).text)  # without a result

    visit(home, look)


def test_made_up_data_review_nothing(home: Path) -> None:
    async def look(get: Get) -> None:
        assert "ClaimReview" not in (await get("/claims/co2")).text

    visit(home, look)


CITED = {
    "indicators/energy_tce": "综合能耗",
    "indicators/energy_tce/2024": "综合能耗（2024 年）",
    "claims/co2": "减排二氧化碳",
    "datasets/parking_lots": "停车场",
}


@pytest.mark.parametrize(("place", "title"), CITED.items())
def test_everything_can_be_cited_by_its_permanent_address(home: Path, place: str, title: str) -> None:
    async def look(get: Get) -> None:
        for start, language in (("", ""), ("/en", "/en")):
            text = (await get(f"{start}/{place}")).text
            there = f"https://data.example/r/{RELEASE}{language}/{place}"
            cited = re.search(r'<p class="cite" data-copy>(.*?)</p>', text, re.S)
            assert cited and there in cited[1] and "2025-12-31" in cited[1] and 'class="today"' in cited[1]
            assert "script-src 'self'" in (await get(f"{start}/{place}")).headers["content-security-policy"]
            for form, kind in (("bib", "application/x-bibtex"), ("ris", "application/x-research-info-systems")):
                assert f'href="{start}/cite/{place}.{form}"' in text
                answer = await get(f"{start}/cite/{place}.{form}")
                assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind)
                assert there in answer.text and answer.headers["cache-control"] == "no-store"
            made_up = "Made-up data" if start else "合成示例数据"
            assert made_up in answer.text
        assert title in (await get(f"/cite/{place}.bib")).text

    visit(home, look)


def test_what_is_not_there_cannot_be_cited(home: Path) -> None:
    async def look(get: Get) -> None:
        for place in (
            "claims/nosuch.bib",
            "indicators/energy_tce/1999.ris",
            "claims/co2/2024.bib",
            "topics/energy.bib",
            "claims/co2.doc",
        ):
            assert (await get(f"/cite/{place}")).status_code == 404, place

    visit(home, look)


def test_no_title_breaks_out_of_its_field() -> None:
    cited = Cited(
        "50 % {saved} & \\more_of $x^2~", "A\nER  - B", "claims/x", "https://data.example/x", "r", "2025-12-31", ""
    )
    entry = bibtex(cited, "2026-01-31")
    assert r"50 \% \{saved\} \& \textbackslash{}more\_of \$x\textasciicircum{}2\textasciitilde{}" in entry
    assert entry.count("\n") == 10 and "urldate = {2026-01-31}" in entry
    record = ris(cited, "2026-01-31").split("\r\n")
    assert (
        [r[:2] for r in record if r.startswith("ER")] == ["ER"]
        and "AU  - A ER - B" in record
        and "Y2  - 2026/01/31" in record
    )


def test_a_link_that_is_shared_says_what_it_leads_to(home: Path) -> None:
    async def look(get: Get) -> None:
        for path in (
            "/",
            "/en/",
            "/indicators/energy_tce",
            "/en/claims/co2",
            "/topics/energy",
            "/datasets/parking_lots",
            "/about",
        ):
            text = (await get(path)).text
            said = dict(re.findall(r'<meta (?:name|property)="([\w:]+)" content="([^"]*)"', text))
            made_up = "Made-up data" if path.startswith("/en/") else "合成示例数据"
            assert len(said["description"]) > 20 and made_up in said["description"] and made_up in said["og:title"], (
                path
            )
            assert said["og:url"] == f"https://data.example{path}" and "<" not in said["og:description"]
            assert f'<link rel="canonical" href="https://data.example{path}">' in text
            other = dict(re.findall(r'rel="alternate" hreflang="([\w-]+)" href="([^"]+)"', text))
            assert set(other) == {"zh-CN", "en", "x-default"} and all(
                a.startswith("https://data.example/") for a in other.values()
            )
        chart = re.search(r'property="og:image" content="([^"]+)"', (await get("/indicators/energy_tce")).text)
        assert chart is None or chart[1] == f"https://data.example/r/{RELEASE}/charts/energy_tce.wide.png"

    visit(home, look)


def test_icons_and_the_map_of_the_site(home: Path) -> None:
    async def look(get: Get) -> None:
        icon = await get("/favicon.ico")
        assert icon.headers["content-type"] == "image/x-icon" and icon.content.startswith(b"\x00\x00\x01\x00")
        assert (await get("/apple-touch-icon.png")).content.startswith(b"\x89PNG")
        text = (await get("/sitemap.xml")).text
        for path in ("topics/energy", "en/topics/energy", "claims/co2", "en/claims/co2", "en/", ""):
            assert f"<loc>https://data.example/{path}</loc>" in text, path
        assert '<xhtml:link rel="alternate" hreflang="en" href="https://data.example/en/claims/co2"/>' in text

    visit(home, look)
