"""The query page: examples with one figure a year, errors that keep the form and suggest a name, an answer that is drawn."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from publish.site.questions import questions
from publish.site.result import result_chart
from tests.site.test_statements import Get, visit

TOTAL = "select year, value, unit from indicators_main where indicator_id = 'energy_tce' and dimension = 'total' order by year"


def asked(sql: str, language: str = "") -> str:
    return f"{language}/mingzhang?sql={quote(sql)}"


def test_the_page_begins_with_one_figure_a_year(home: Path) -> None:
    async def look(get: Get) -> None:
        text = (await get("/mingzhang")).text
        sql = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", text, re.S)[1])  # type: ignore[index]
        rows = (await get(f"/mingzhang.json?sql={quote(sql)}&_shape=objects")).json()["rows"]
        years = [r["year"] for r in rows]
        assert years == sorted(set(years)) and len(years) == 5
        assert re.findall(r"<details( open)?><summary><code>(\w+)</code>", text)[0] == (" open", "indicators_main")

    visit(home, look)


def test_examples_are_of_the_citys_own_indicators(
    make_release: Callable[..., Path], switch: Callable[[Path, str], None], tmp_path: Path
) -> None:
    """A city of one year has no headline, and one without figures no indicator at all: neither is shown those of another city."""
    folder = make_release(tmp_path, "2025-12-31-0a1b2c3d")
    with closing(sqlite3.connect(folder / "mingzhang.db")) as conn:
        for table in ("indicators", "indicator_values", "indicators_main"):
            conn.execute(f"delete from {table} where indicator_id <> 'parking_spaces'")
        for table in ("indicator_values", "indicators_main"):
            conn.execute(f"delete from {table} where year < 2025")
        conn.commit()
    switch(tmp_path, "2025-12-31-0a1b2c3d")

    async def look(get: Get) -> None:
        sql = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", (await get("/mingzhang")).text, re.S)[1])  # type: ignore[index]
        assert len((await get(f"/mingzhang.json?sql={quote(sql)}&_shape=objects")).json()["rows"]) == 1
        for path in ("/mingzhang", "/api"):
            text = (await get(path)).text
            assert "parking_spaces" in text and "energy_tce" not in re.sub(
                r"<ul class=.questions.*?</ul>", "", text, flags=re.S
            ), path
        described = (await get("/openapi.json")).text
        assert "energy_tce" not in described and "三(一)" not in described

    visit(tmp_path, look)
    empty = make_release(tmp_path / "empty", "2025-12-31-0a1b2c3d")
    with closing(sqlite3.connect(empty / "mingzhang.db")) as conn:
        for table in ("indicators", "indicator_values", "indicators_main"):
            conn.execute(f"delete from {table}")
        conn.commit()
    switch(tmp_path / "empty", "2025-12-31-0a1b2c3d")

    async def look_at_none(get: Get) -> None:
        sql = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", (await get("/mingzhang")).text, re.S)[1])  # type: ignore[index]
        assert (await get(f"/mingzhang.json?sql={quote(sql)}&_shape=objects")).json()["rows"]
        assert (await get("/api")).status_code == 200

    visit(tmp_path / "empty", look_at_none)


def test_an_error_keeps_the_form_and_suggests_a_name(home: Path) -> None:
    async def look(get: Get) -> None:
        for sql, suggested in (
            ("select valu from indicator_values", "value"),
            ("select * from divisons", "divisions"),
            ("select v.yeer from indicators_main v", "year"),
            ("selct 1", "SELECT"),
            ("select year form indicators_main", "FROM"),
            ("select * fro indicators_main", "FROM"),
            ("select year from indicators_main wehre year = 2025", "WHERE"),
            ("select year from indicators_main where unit = 'slect' odrer by year", "ORDER"),
            ("select member_zhh from indicators_main", "member_zh"),
            ("select year from indicator_main", "indicators_main"),
            ("select cuont(*) from indicators_main", "count"),
            ("select year from indicators_main where", ""),
            ("select", ""),
            ("select 1; select 2", ""),
        ):
            answer = await get(asked(sql))
            assert answer.status_code == 400
            assert html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.S)[1]) == sql, sql  # type: ignore[index]
            assert f"是不是 {suggested}？" in answer.text if suggested else "是不是" not in answer.text, sql
            assert "<code>indicators_main</code>" in answer.text, sql  # tables and columns beside it

    visit(home, look)


def test_an_answer_over_years_is_drawn_and_keeps_its_address(home: Path) -> None:
    async def look(get: Get) -> None:
        text = (await get(asked(TOTAL))).text
        label = re.search(r'<figure class="chart">.*?aria-label="([^"]*)"', text, re.S)
        assert label and "2021 6,310.5" in label[1] and "2025 5,822.6" in label[1]
        assert '<td class="num">2021</td><td class="num">6,310.5</td>' in text  # a year is no thousand
        assert "/r/2025-12-31-0a1b2c3d/mingzhang?sql=" in text
        assert "<figure" not in (await get(asked("select name_zh from indicators"))).text

    visit(home, look)


def test_an_example_shows_its_question(home: Path) -> None:
    async def look(get: Get) -> None:
        first = questions()[0]
        assert f'<p class="lead">{first["zh"]}</p>' in (await get(asked(first["sql"]))).text
        assert first["en"] in (await get(asked(first["sql"], "/en"))).text
        assert '<p class="lead">' not in (await get(asked("select 1"))).text

    visit(home, look)


@pytest.mark.parametrize(
    ("columns", "rows", "drawn"),
    [
        (("year", "value"), [(2021, 1.0), (2022, None), (2023, 3)], ("value", "year", [["2021", "2022", "2023"]])),
        (("value", "y"), [(3, "2023"), (1, "2021")], ("value", "y", [["2021", "2023"]])),
        (("year", "records", "value"), [(2021, 9, 1), (2022, 9, 2)], ("value", "year", [["2021", "2022"]])),
        (("year", "who", "n"), [(2021, "a", 1), (2021, "b", 2), (2022, "a", 3)], ("n", "who", [["2021", "2022"], ["2021"]])),
        (("who", "n"), [("a", 1), ("b", 4)], ("n", "who", [("a", 25.0), ("b", 100.0)])),
        (("who", "n"), [("a", -1), ("b", 4)], ("n", "who", [("a", None), ("b", 100.0)])),
        (("who", "n"), [("a", 1), ("a", 4)], None),  # no row is told from another
        (("year", "n"), [(2021, 1), (2021, 2)], None),
        (("year", "n"), [(2021, 1)], None),
        (("who", "what"), [("a", "b"), ("c", "d")], None),
        (("n", "m"), [(1, 2), (3, 4)], None),
        (("who", "n"), [("a", b"x"), ("b", 4)], None),
        (("year", "value", "unit"), [(2021, 1, "m"), (2022, 2, "kg")], None),
        (("n", "n"), [(2021, 1), (2022, 2)], None),  # two columns of one name
        (("who", "n"), [("a", float("inf")), ("b", 1)], None),
    ],
)  # fmt: skip
def test_what_can_be_drawn_of_an_answer(columns: Sequence[str], rows: Sequence[Sequence[Any]], drawn: Any) -> None:
    made = result_chart("zh", "", columns, rows)
    if made is None:
        assert drawn is None
        return
    seen: list[Any] = [(b.name, b.share) for b in made.bars]
    if made.chart:
        seen = [[p.year for p in s.points] for s in made.chart.series]
    assert (made.column, made.by, seen) == drawn
