"""The search page: a district with what is asked of it, the site's own pages, what fits only nearly, kinds."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from publish.site.pages.topics import TOPICS, theme_order
from tests.site.test_statements import RELEASE, Get, visit


@pytest.fixture
def named(tmp_path: Path, make_release: Callable[..., Path], switch: Callable[[Path, str], None]) -> Path:
    """Districts with English names, and the city's own bodies beside them."""
    folder = make_release(tmp_path, RELEASE)
    with sqlite3.connect(folder / "mingzhang.db") as conn:
        conn.execute("update divisions set name_en = 'Hetang District' where code = '430202'")
        conn.execute(
            "insert into divisions (code, name_zh, level, own_zh) values ('430200', '示例市', 'city', '市本级')"
        )
        conn.execute(
            "update indicator_values set value = null, status = 'Q' where member = '430203' and year = 2025 and indicator_id = 'energy_tce'"
        )
    conn.close()
    switch(tmp_path, RELEASE)
    return tmp_path


@pytest.mark.parametrize("question", ["荷塘区 综合能耗", "荷塘的综合能耗", "hetang energy use", "荷塘區綜合能耗"])
def test_a_district_and_a_subject_lead_to_that_figure(named: Path, question: str) -> None:
    async def look(get: Get) -> None:
        text = (await get(f"/search?q={quote(question)}")).text
        link = re.search(r'<a href="/indicators/energy_tce\?show=total&amp;show=district/430202">.*?</li>', text)
        assert link and "3,494" in link[0] and "2025" in link[0]
        address = re.search(r'href="([^"]*430202[^"]*)"', link[0])
        assert address and "荷塘区" in (await get(address[1].replace("&amp;", "&"))).text

    visit(named, look)


def test_a_suppressed_figure_of_a_district_says_so(named: Path) -> None:
    async def look(get: Get) -> None:
        text = (await get(f"/search?q={quote('芦淞区综合能耗')}")).text
        link = re.search(r"show=district/430203\">.*?</li>", text)
        assert link and "已隐去" in link[0]

    visit(named, look)


def test_the_citys_own_name_is_no_district(named: Path) -> None:
    async def look(get: Get) -> None:
        assert "show=district/430200" not in (await get(f"/search?q={quote('示例市综合能耗')}")).text
        assert "show=district/" in (await get(f"/search?q={quote('荷塘区')}")).text  # alone, the leading figures

    visit(named, look)


@pytest.mark.parametrize(
    ("question", "place"),
    [("API", "/api"), ("怎么下载", "/about"), ("報告錯誤", "/report"), ("哪些单位报送不及时", "/quality"), ("数据许可", "/about"), ("旧版", "/releases")],
)  # fmt: skip
def test_the_sites_own_pages_are_found(home: Path, question: str, place: str) -> None:
    async def look(get: Get) -> None:
        found = re.search(
            r'本站页面</h2>\s*<ul class="links">(.*?)</ul>', (await get(f"/search?q={quote(question)}")).text, re.S
        )
        assert found and f'<a href="{place}">' in found[1]

    visit(home, look)


def test_what_fits_only_nearly_is_said_and_kinds_are_chosen(home: Path) -> None:
    async def look(get: Get) -> None:
        assert "没有完全相符的" in (await get(f"/search?q={quote('停车场的工资')}")).text
        exact = (await get(f"/search?q={quote('综合能耗')}")).text
        assert "没有完全相符的" not in exact
        kinds = re.findall(r'href="(/search\?q=[^"]*&amp;kind=(\w+))"', exact)
        assert len(kinds) > 1
        only = (await get(kinds[0][0].replace("&amp;", "&"))).text
        assert len(set(re.findall(r'<span class="kind">(.*?)</span>', only))) == 1

    visit(home, look)


def test_topics_stand_in_one_order_everywhere(home: Path) -> None:
    async def look(get: Get) -> None:
        for path in ("/datasets", "/indicators"):
            heads = re.findall(r"<h2[^>]*>(?:<a [^>]*>)?(.*?)(?:</a>)?</h2>", (await get(path)).text)
            themes = [h for h in heads if h in TOPICS.values()]
            assert len(themes) > 2 and themes == sorted(themes, key=theme_order), path

    visit(home, look)
