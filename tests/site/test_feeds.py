"""What changed: feeds of an indicator, a statement, a dataset and the releases, the order of differences, marks at figures."""

from __future__ import annotations

import json
import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from publish.release.changes import compare
from tests.site.test_statements import Get, visit

FIRST, SECOND = "2025-12-31-0a1b2c3d", "2026-01-31-4e5f6a7b"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def two(tmp_path: Path, make_release: Callable[..., Path], switch: Callable[[Path, str], None]) -> Path:
    """Two releases: energy of 2025 was corrected, a statement flipped, a dataset grew."""
    old, new = make_release(tmp_path, FIRST), make_release(tmp_path, SECOND)
    with sqlite3.connect(new / "mingzhang.db") as conn:
        conn.execute(
            "update indicator_values set value = 5900.25 where indicator_id = 'energy_tce' and year = 2025 and dimension = 'total'"
        )
        conn.execute(
            "update indicator_values set value = value + 1 where indicator_id = 'disposal_amount' and dimension = 'district'"
        )
        conn.execute("update claims set check_status = 'mismatch', computed_value = 6.2 where claim_id = 'energy_fall'")
        conn.execute("update datasets set rows = 41 where dataset = 'parking_lots'")
    conn.close()
    (new / "changes.json").write_text(json.dumps(compare(old, new)), encoding="utf-8")
    switch(tmp_path, SECOND)
    return tmp_path


def entries(text: str) -> dict[str, str]:
    """The summary of each entry by its id; the feed is as RFC 4287 asks."""
    root = ET.fromstring(text)
    for needed in ("id", "title", "updated"):
        assert root.findtext(f"{ATOM}{needed}")
    found = {e.findtext(f"{ATOM}id") or "": e.findtext(f"{ATOM}summary") or "" for e in root.iter(f"{ATOM}entry")}
    assert len(found) == len(list(root.iter(f"{ATOM}entry")))
    return found


def test_a_feed_tells_what_changed_in_words(two: Path) -> None:
    async def look(get: Get) -> None:
        there = f"https://data.example/r/{SECOND}"
        energy = entries((await get("/feed/indicators/energy_tce.xml")).text)
        assert energy[f"{there}/indicators/energy_tce"] == "2025 年：原为 5,822.600吨标准煤，现为 5,900.250吨标准煤。"
        assert "2021 年：首次公布" in energy[f"https://data.example/r/{FIRST}/indicators/energy_tce"]
        english = (await get("/en/feed/claims/energy_fall.xml")).text
        assert entries(english)[f"{there}/claims/energy_fall"] == "Result: Match (6.92), now Differs (6.2)."
        assert entries((await get("/feed/datasets/parking_lots.xml")).text) == {
            f"{there}/datasets/parking_lots": "记录数：原为 40，现为 41。"
        }
        assert entries((await get("/feed/claims/co2.xml")).text) == {}
        assert (await get("/feed/claims/nosuch.xml")).status_code == 404
        assert (await get("/feed/indicators/energy_tce.xml")).headers["content-type"].startswith("application/atom+xml")

    visit(two, look)


def test_the_feed_of_releases_names_statements_and_totals(two: Path) -> None:
    async def look(get: Get) -> None:
        text = entries((await get("/feed.xml")).text)[f"https://data.example/r/{SECOND}/"]
        assert "结论有变的表述：人均能耗下降: 相符 → 不符。" in text and "合计有变的指标：综合能耗。" in text

    visit(two, look)


def test_differences_begin_with_statements_then_totals(two: Path) -> None:
    async def look(get: Get) -> None:
        text = (await get(f"/releases/diff?old={FIRST}&new={SECOND}")).text
        at = [text.index(w) for w in ("<h2>原文表述</h2>", "人均能耗下降", "综合能耗</a>", "资产处置成交金额</a>")]
        assert at == sorted(at)

    visit(two, look)


def test_a_page_leads_to_its_feed_and_marks_what_was_another_figure(two: Path) -> None:
    async def look(get: Get) -> None:
        text = (await get("/indicators/energy_tce")).text
        assert text.count('href="/feed/indicators/energy_tce.xml"') == 2
        row = re.search(r'<th scope="row">2025</th><td class="num">5,900.*?</td>', text)
        assert row and 'href="#revisions"' in row[0] and text.count('href="#revisions"') == 1
        assert re.search(r"5,900</?tspan|>5,900<tspan", text)  # and in the chart
        old = (await get(f"/r/{FIRST}/indicators/energy_tce")).text
        assert 'href="#revisions"' not in old  # at that time it was the only one

    visit(two, look)
