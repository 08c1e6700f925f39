"""What a site says is its city's: language, words, names of those who did not report; and what readers missed in lists and tables."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import load_contracts
from tests.site.test_statements import Get, visit

RELEASE = "2025-12-31-0a1b2c3d"
TORONTO = {
    "languages": "en zh", "title_zh": "某市的用能", "title_en": "The energy of a city", "description_zh": "某市按规定申报。",
    "description_en": "What a city files by law.", "publisher_en": "City of Somewhere", "licence_en": "Open licence.",
    "licence_name": "Open Licence", "licence_url": "https://licence.example/1", "email": "open@city.example", "telephone": "+1 416 555 0100",
}  # fmt: skip
Serve = Callable[..., Path]


@pytest.fixture
def serve(tmp_path: Path, make_release: Callable[..., Path], switch: Callable[[Path, str], None]) -> Serve:
    """A home whose release has `city` in its release.json and was changed by SQL before it is served."""

    def make(city: dict[str, Any] | None, *statements: str) -> Path:
        folder = make_release(tmp_path, RELEASE, city=city, synthetic=False)
        with closing(sqlite3.connect(folder / "mingzhang.db")) as conn:
            for sql in statements:
                conn.execute(sql)
            conn.commit()
        switch(tmp_path, RELEASE)
        return tmp_path

    return make


def block(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', text)
    assert found
    return dict(json.loads(found[1]))


def test_an_english_first_site_speaks_of_its_own_city_and_not_of_departments(serve: Serve) -> None:
    async def look(get: Get) -> None:
        home = (await get("/")).text
        assert "What a city files by law." in home and "Each figure can be followed" in home
        for path in ("/", "/about", "/datasets", "/methods", "/quality", "/report", "/secrecy"):
            assert "department" not in (await get(path)).text.lower(), path
        described = block(home)
        assert (described["name"], described["inLanguage"]) == (
            f"Open data of City of Somewhere {RELEASE}",
            ["en", "zh-CN"],
        )
        assert described["description"].startswith("What a city files by law.") and described["publisher"]["telephone"]
        assert described["license"]["url"] == "https://licence.example/1"
        assert block((await get("/indicators/energy_tce")).text)["name"].startswith("Energy use ")

    visit(serve(TORONTO), look)


def test_a_chinese_first_site_is_described_in_chinese(home: Path) -> None:
    async def look(get: Get) -> None:
        described = block((await get("/")).text)
        assert described["name"].endswith(f"开放数据 {RELEASE}") and described["inLanguage"] == ["zh-CN", "en"]
        assert "明账把各部门报送的表格" in (await get("/")).text

    visit(home, look)


ABSENT = [
    f"insert into not_reported values ('energy_use', {year}, '{name}', {missing}, 12)"
    for year, name, missing in ((2025, "示例甲局", 12), (2025, "示例乙校", 1), (2024, "示例甲局", 3))
]


def test_who_did_not_report_is_listed_by_name_where_the_city_names_them(serve: Serve) -> None:
    async def look(get: Get) -> None:
        text = (await get("/datasets/energy_use")).text
        assert re.findall(r"<summary>(\d{4})：(\d+) 个单位", text) == [("2025", "2"), ("2024", "1")]
        assert re.search(r"示例甲局[^/]*<span class=\"quiet\">12/12", text) and text.index("示例甲局") < text.index(
            "示例乙校"
        )
        assert "/mingzhang/not_reported?year__exact=2025" in (await get("/indicators/energy_tce")).text

    visit(serve({"name_missing": True}, *ABSENT), look)


def test_where_it_does_not_the_page_says_so_and_where_the_counts_are(serve: Serve) -> None:
    async def look(get: Get) -> None:
        text = (await get("/datasets/energy_use")).text
        assert "发布单位没有决定公布" in text and "#reported" in text and "not_reported" not in text
        assert "发布单位没有决定公布" in (await get("/indicators/energy_tce")).text

    visit(serve({}), look)


def test_the_dictionary_is_in_english_and_says_what_is_not(home: Path) -> None:
    for contract in load_contracts().values():
        assert contract.description_en, contract.dataset
        for c in contract.columns:
            assert bool(c.description) == bool(c.description_en), f"{contract.dataset}.{c.name}"

    async def look(get: Get) -> None:
        english, chinese = (await get("/en/datasets/energy_use")).text, (await get("/datasets/energy_use")).text
        assert "Water used in the month" in english and "当月用水量" not in english
        assert "当月用水量" in chinese and "Water used in the month" not in chinese
        assert "some of them in Chinese only" in english

    visit(home, look)


def test_all_codes_are_one_file_with_names_in_both_languages(home: Path) -> None:
    async def look(get: Get) -> None:
        answer = await get("/codes.csv")
        assert answer.headers["content-type"].startswith("text/csv") and answer.content.startswith(b"\xef\xbb\xbf")
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
        found = {(r["table"], r["column"], r["code"]): (r["name_zh"], r["name_en"]) for r in rows}
        assert len(found) == len(rows)
        assert found["indicator_values", "status", "Q"] == ("已隐去", "Suppressed")
        assert found["claims", "check_status", "mismatch"] == ("不符", "Differs")
        assert found["indicator_values", "member", "430202"][0] == "荷塘区"
        assert found["institutions", "org_type", "教育"] == ("教育", "Education")
        assert ("indicators", "indicator_id", "energy_tce") not in found
        for page in ("/datasets", "/en/datasets/institutions", "/api"):
            assert "/codes.csv" in (await get(page)).text, page

    visit(home, look)


def test_members_stand_in_the_order_of_the_contract(serve: Serve) -> None:
    levels = ("乡", "县", "市")
    rows = [
        f"insert into indicator_values (indicator_id, year, dimension, member, value, unit, status, factor_set) "
        f"values ('energy_tce', 2025, 'level', '{m}', 10.0, 'tce', 'A', 'default')"
        for m in levels
    ]

    async def look(get: Get) -> None:
        text = (await get("/indicators/energy_tce")).text
        table = text[text.index("<h2>按级别分") :]
        assert re.findall(r'<th scope="row"[^>]*>(?:<[^>]+>)*([市县乡])<', table)[:3] == ["市", "县", "乡"]

    visit(serve({}, *rows), look)


def test_a_source_has_no_column_that_is_never_published(serve: Serve) -> None:
    register = load_contracts()["institutions"]
    never = {c.header_zh for c in register.columns if c.access in ("L2", "L3")}
    of_register = (
        "insert into provenance (kind, dataset, file, sheet, year, records, sheet_rows, indicators) values "
        """('sheet', 'institutions', '示例0', '示例0', 2025, 1, '[[2020,2020]]', '{"parking_spaces":1}')"""
    )

    async def look(get: Get) -> None:
        text = (await get("/indicators/parking_spaces/2025")).text
        assert register.column("org_type").header_zh in text
        assert never and not [h for h in never if h in text]

    visit(serve({}, of_register), look)


def test_each_verdict_has_its_definition_and_each_download_its_size(home: Path, root: Path) -> None:
    async def look(get: Get) -> None:
        listed = re.findall(r'<span class="tag (\w+)">[^<]+</span>：([^<]+)</li>', (await get("/methods")).text)
        assert [status for status, _ in listed] == [
            "match", "within_qualifier", "holds_in_part", "mismatch", "not_verifiable", "no_data",
        ]  # fmt: skip
        assert re.search(r"CSV \(Excel\)</a> <span class=\"quiet\">\d+ kB", (await get("/datasets/parking_lots")).text)

    visit(home, look)
    for template in (root / "publish" / "site" / "templates").glob("*.html"):  # whose class has the margins of a page
        assert '<code class="wrap"' not in template.read_text(encoding="utf-8"), template.name


def test_averages_are_counted_in_millions_in_english(serve: Serve) -> None:
    wide = "insert into benchmarks (benchmark_id, name_zh, name_en, year, value, unit) values ('w', '用水', 'Water', 2020, 107, '亿m³')"

    async def look(get: Get) -> None:
        english, chinese = (await get("/en/methods")).text, (await get("/methods")).text
        assert "10.7\xa0billion\xa0m³" in english and "100 million" not in english
        assert "107亿立方米" in chinese

    visit(serve({}, wide), look)


def test_the_sections_of_a_report_have_their_headings(serve: Serve) -> None:
    sections = [
        {"section": "四", "title_zh": "节能节资", "title_en": "Saving <energy>", "period_id": ""},
        {"section": "五", "title_zh": "他期标题", "title_en": "Of another period", "period_id": "2026-2030"},
        {"section": "五", "title_zh": "便民举措", "title_en": "For the public", "period_id": ""},
    ]

    async def look(get: Get) -> None:
        listed = (await get("/claims")).text
        assert '<option value="四">四 节能节资</option>' in listed and ">五 便民举措</option>" in listed
        assert ">一</option>" in listed and "他期标题" not in listed
        assert "Saving &lt;energy&gt;" in (await get("/en/claims")).text
        assert "节能节资</a>" in (await get("/claims/co2")).text

    visit(serve({"sections": sections}), look)
