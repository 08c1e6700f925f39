"""Two periods on the site: what a page shows of which, and that one period alone changes nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from publish.release.search_index import build_index
from publish.site.pages.periods import of_one_base
from tests.site.test_statements import RELEASE, Get, visit

FIRST, NEXT = "2021-2025", "2026-2030"
CHANGE = "energy_per_capita_change"
# Years measured from 2021, and from 2025: the second fall is not the first going on.
CHANGES = {"2021": {2022: -1.0, 2023: -2.0, 2024: -3.5, 2025: -5.0}, "2025": {2026: -0.5, 2027: -1.25}}


def _two(folder: Path) -> None:
    with sqlite3.connect(folder / "mingzhang.db") as con:
        con.executemany(
            "insert into periods values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (FIRST, "“十四五”时期", "14th Five-Year Plan", 2021, 2025, 2021, FIRST, 1),
                (NEXT, "“十五五”时期", "15th Five-Year Plan", 2026, 2030, 2025, "2026-2027", 0),
            ],
        )
        con.execute(f"update claims set period_id = '{FIRST}', position = rowid")
        con.execute(
            "insert into claims (claim_id, section, name_zh, name_en, value_text, value, unit, qualifier, computed_value, difference, "
            "check_status, indicator_id, year, dimension, member, factor_set, sql, period_id, position) values ('spaces_later', '五', "
            f"'新增车位', 'More spaces', '1300个', 1300, '个', 'exact', 1300, 0, 'match', 'parking_spaces', 2027, 'total', 'all', 'none', "
            f"'select 1', '{NEXT}', 99)"
        )
        con.execute(
            f"insert into indicators (indicator_id, theme, name_zh, name_en, unit, kind, better, decimals, formula) values ('{CHANGE}', "
            "'能源', '人均能耗变化', 'Change of energy per head', '%', 'index', 'down', 2, 'change')"
        )
        value = (
            "insert into indicator_values (indicator_id, year, dimension, member, value, unit, status, records, files, factor_set) "
            "values (?, ?, ?, ?, ?, ?, 'A', 9, 3, ?)"
        )
        for base, by_year in CHANGES.items():
            con.executemany(value, [(CHANGE, y, "base", base, v, "%", "default") for y, v in by_year.items()])
            con.executemany(
                value, [(CHANGE, y, "base/district", f"{base}/430202", v, "%", "default") for y, v in by_year.items()]
            )
        con.executemany(
            value, [("parking_spaces", y, "total", "all", v, "个", "none") for y, v in ((2026, 1250), (2027, 1300))]
        )
        con.executemany(
            value,
            [
                ("disposal_amount", 2025, "period", FIRST, 1.13e8, "元", "none"),
                ("disposal_amount", 2027, "period", "2026-2027", 4.2e7, "元", "none"),
                ("disposal_amount", 2026, "total", "all", 2.2e7, "元", "none"),
                ("disposal_amount", 2027, "total", "all", 2.0e7, "元", "none"),
            ],
        )
    con.close()
    build_index(folder / "mingzhang.db", folder / "search.db")


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, make_release: Callable[..., Path], switch: Callable[[Path, str], None]
) -> Path:
    home = tmp_path_factory.mktemp("periods")
    later = RELEASE.replace("2025-12-31", "2027-12-31")
    _two(make_release(home, later))
    switch(home, later)
    return home


def years_of(text: str) -> list[int]:
    """The years of the table "year by year" of an indicator's page."""
    (table,) = re.findall(r'aria-label="(?:Year by year|逐年数字)">(.*?)</table>', text, re.DOTALL)
    return [int(y) for y in re.findall(r'<tr><th scope="row">(\d{4})</th>', table)]


def test_statements_are_those_of_the_newest_period_and_each_can_be_asked_for(home: Path) -> None:
    async def look(get: Get) -> None:
        def named(text: str) -> list[str]:
            return re.findall(r'<th scope="row" class="wide"><a href="/claims/(\w+)"', text)

        assert named((await get("/claims")).text) == ["spaces_later"]
        assert named((await get(f"/claims?period={NEXT}")).text) == ["spaces_later"]
        first = (await get(f"/claims?period={FIRST}")).text
        assert len(named(first)) == 5 and "spaces_later" not in first
        assert f'href="/claims?period={FIRST}&amp;status=mismatch"' in first  # a filter keeps the period
        assert f'<input type="hidden" name="period" value="{FIRST}">' in first
        assert len(named((await get("/claims?period=all")).text)) == 6
        assert named((await get("/claims?period=1999-2000")).text) == ["spaces_later"]
        assert f'href="/periods/{NEXT}"' in (await get("/claims/spaces_later")).text
        assert re.search(r"2026–2030</span>", (await get("/indicators/parking_spaces")).text)

    visit(home, look)


def test_a_change_is_drawn_since_one_base_year_and_other_figures_over_all_years(home: Path) -> None:
    async def look(get: Get) -> None:
        assert years_of((await get(f"/indicators/{CHANGE}")).text) == [2026, 2027]
        first = (await get(f"/indicators/{CHANGE}?period={FIRST}")).text
        assert years_of(first) == [2022, 2023, 2024, 2025]
        # the breakdown, the chart's files and its permanent address are of the same years
        assert (
            "-0.5" not in first.replace("−", "-")
            and f"period={FIRST}" in re.findall(r'href="(/charts/[^"]+)"', first)[0]
        )
        drawn = (await get(f"/charts/{CHANGE}.wide.svg?period={FIRST}")).text
        assert "2025" in drawn and "2026" not in re.sub(r"20\d\d-\d\d-\d\d", "", drawn)
        assert years_of((await get("/indicators/parking_spaces")).text) == list(range(2021, 2028))
        assert years_of((await get(f"/indicators/parking_spaces?period={NEXT}")).text) == [2026, 2027]
        assert years_of((await get("/indicators/parking_spaces?period=x")).text) == list(range(2021, 2028))
        # each year has its page all the same
        assert (await get(f"/indicators/{CHANGE}/2023")).status_code == 200

    visit(home, look)


def test_a_period_has_a_page_with_its_sums_and_changes(home: Path) -> None:
    async def look(get: Get) -> None:
        now = (await get("/en/periods")).text
        assert "15th Five-Year Plan" in now and "its figures are of 2026–2027" in now and "measured from 2025" in now
        assert "42" in now and "113" not in now
        assert re.findall(r'<th scope="col" class="num">(\d{4})</th>', now) == ["2026", "2027"]
        first = (await get(f"/en/periods/{FIRST}")).text
        assert "113" in first and f"/en/claims?period={FIRST}" in first
        # every way from the statements counted to the list leads to those of this period
        to_lists = [x for x in re.findall(r'href="(/en/claims[^"/]*)"', first) if x != "/en/claims"]
        assert len(to_lists) > 2 and all(f"period={FIRST}" in x for x in to_lists)
        assert (await get("/periods/2031-2035")).status_code == 404
        home_page = (await get("/")).text
        assert "2021 至 2027 年" in home_page
        assert f'href="/periods/{FIRST}"' in home_page and f'href="/periods/{NEXT}"' in home_page
        assert f"/periods/{NEXT}<" in (await get("/sitemap.xml")).text

    visit(home, look)


def test_the_search_finds_statements_by_the_name_of_their_period(home: Path) -> None:
    async def look(get: Get) -> None:
        found = (await get("/search?q=十五五 新增车位")).text
        assert 'href="/claims/spaces_later"' in found and "2026–2030" in found
        assert 'href="/periods"' in (await get("/search?q=五年规划")).text

    visit(home, look)


def test_the_api_says_which_period_a_row_belongs_to(home: Path) -> None:
    async def look(get: Get) -> None:
        async def api(path: str) -> Any:
            return (await get(f"/api/v1{path}")).json()

        said = (await api("/periods"))["periods"]
        assert [(p["period_id"], p["member"], p["is_over"]) for p in said] == [
            (FIRST, FIRST, True),
            (NEXT, "2026-2027", False),
        ]
        assert [c["claim_id"] for c in (await api(f"/claims?period_id={NEXT}"))["claims"]] == ["spaces_later"]
        values = (await api(f"/indicators/parking_spaces?period_id={NEXT}&dimension=total"))["values"]
        assert [v["year"] for v in values] == [2026, 2027]
        refused = await get("/api/v1/claims?period_id=2031-2035")
        assert refused.status_code == 400 and "2026-2030" in refused.text
        assert (await get("/api/v1/indicators/parking_spaces?period_id=x")).status_code == 400
        rows = await get(f"/mingzhang/claims.json?_shape=array&period_id={NEXT}")
        assert [r["claim_id"] for r in rows.json()] == ["spaces_later"]

    visit(home, look)


def test_a_release_with_one_period_or_none_offers_no_choice(
    tmp_path: Path, make_release: Callable[..., Path], switch: Callable[[Path, str], None]
) -> None:
    folder = make_release(tmp_path, RELEASE)
    switch(tmp_path, RELEASE)

    async def none(get: Get) -> None:
        assert (await get("/periods")).status_code == 404
        assert "/periods" not in (await get("/")).text and "/periods" not in (await get("/sitemap.xml")).text
        assert "period=" not in (await get("/claims")).text
        assert (await get("/api/v1/periods")).json()["periods"] == []

    visit(tmp_path, none)
    with sqlite3.connect(folder / "mingzhang.db") as con:
        con.execute(f"insert into periods values ('{FIRST}', '“十四五”时期', 'Plan', 2021, 2025, 2021, '{FIRST}', 1)")
        con.execute(f"update claims set period_id = '{FIRST}'")
    con.close()

    async def one(get: Get) -> None:
        assert (await get("/periods")).status_code == 200
        assert (
            "period=" not in (await get("/claims")).text
            and "period=" not in (await get("/indicators/parking_spaces")).text
        )

    visit(tmp_path, one)


def test_of_several_base_years_the_newest_with_a_whole_year_is_shown() -> None:
    def point(year: int, member: str, value: float | None = 1.0, dimension: str = "base") -> dict[str, Any]:
        return {"year": year, "member": member, "value": value, "dimension": dimension}

    of_two = [point(2024, "2021"), point(2025, "2021"), point(2026, "2025")]
    assert [p["year"] for p in of_one_base(of_two, "2026-12-31")] == [2026]
    assert [p["year"] for p in of_one_base(of_two, "2026-06-30")] == [2024, 2025]
    hidden = [*of_two[:2], point(2026, "2025", None)]
    assert [p["year"] for p in of_one_base(hidden, "2026-12-31")] == [2024, 2025]
    assert of_one_base([], "2026-12-31") == []
    totals = [point(2025, "all", dimension="total"), point(2026, "all", dimension="total")]
    assert of_one_base(totals, "2026-12-31") == totals
