"""A hundred questions as citizens, journalists, officials and researchers type them, asked of the search page of a whole city.

They were written before their author had read the index, its titles or the synonyms. The first three links of the page count.
"""

from __future__ import annotations

import asyncio
import csv
import html
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from publish.release.search_index import build_index
from tests.site.test_statements import RELEASE, Get, visit

ROOT = Path(__file__).resolve().parents[2]
ASKED = list(csv.DictReader(Path(__file__).with_name("asked_as_typed.csv").read_text(encoding="utf-8").splitlines()))
SEEDS = {
    "indicators": "dbt_project/seeds/seed_indicators.csv",
    "claims": "cities/zhuzhou/claims.csv",
    "divisions": "cities/zhuzhou/divisions.csv",
}
NOTHING = "!"  # expected where the data do not answer: the page says so


@pytest.fixture(scope="module")
def city(
    tmp_path_factory: pytest.TempPathFactory, make_release: Callable[..., Path], switch: Callable[[Path, str], None]
) -> Path:
    """A release with every indicator, for the city and for each district, every statement, and the divisions of a city."""
    home = tmp_path_factory.mktemp("city")
    folder = make_release(home, RELEASE)
    with closing(sqlite3.connect(folder / "mingzhang.db")) as conn:
        for table, path in SEEDS.items():
            conn.execute(f"delete from {table}")
            there = [c[1] for c in conn.execute(f"pragma table_info({table})")]
            for row in csv.DictReader((ROOT / path).read_text(encoding="utf-8-sig").splitlines()):
                kept = {k: v or None for k, v in row.items() if k in there}
                names, marks = ", ".join(f'"{k}"' for k in kept), ", ".join("?" for _ in kept)
                conn.execute(f"insert into {table} ({names}) values ({marks})", list(kept.values()))
        conn.execute("delete from indicator_values")
        for dimension, member in [
            ("total", "all"),
            *(
                ("district", code)
                for (code,) in conn.execute("select code from divisions where level <> 'city'").fetchall()
            ),
        ]:
            conn.execute(
                """insert into indicator_values (indicator_id, year, dimension, member, value, unit, status, records, files, factor_set, synthetic)
                select indicator_id, year, ?, ?, 12, unit, 'A', 9, 3, 'default', 1 from indicators, (select 2023 as year union select 2024 union select 2025)""",
                (dimension, member),
            )
        conn.commit()
    build_index(folder / "mingzhang.db", folder / "search.db")
    switch(home, RELEASE)
    return home


def answers(page: str) -> list[str]:
    """The addresses that a page of results leads to, in its order; a figure of a district as path@code."""
    main = page[page.index("<h1>") : page.index("</main>")]
    links = [html.unescape(a) for a in re.findall(r'<li>(?:<span class="kind">.*?</span> )?<a href="([^"]+)"', main)]
    out = []
    for link in links:
        path, _, query = link.removeprefix("/en").partition("?")
        district = re.search(r"show=district/(\d+)", query)
        if path != "/search":
            out.append(f"{path}@{district[1]}" if district else path)
    return out


def missed(home: Path, asked: list[dict[str, str]], first: int = 3) -> list[str]:
    """The questions whose page is not among the first ones."""
    lost: list[str] = []

    async def ask(get: Get) -> None:
        for row in asked:
            english = not re.search(r"[\u3400-\u9fff]", row["question"])
            text = (await get(f"{'/en' if english else ''}/search?q={quote(row['question'])}")).text
            found = answers(text)[:first]
            if "没有完全相符的" in text or "Nothing fits" in text or not found:
                found.append(NOTHING)
            if not set(row["expected"].split("|")) & set(found):
                lost.append(f"{row['question']} -> {row['expected']}, not {found}")
            await asyncio.sleep(0)

    visit(home, ask)
    return lost


def test_a_hundred_questions_as_typed_lead_to_their_pages(city: Path) -> None:
    assert len(ASKED) >= 100
    lost = missed(city, ASKED)
    assert 1 - len(lost) / len(ASKED) >= 0.95, "\n".join(lost)
