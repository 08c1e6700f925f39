"""An old release says that it is old and what has become of its figures; its files say what they said."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.site.test_app import FIRST, SECOND, talk

WHY = "原数有误，已撤回：多写一个零（王工，2026-01-20）。 The figure published before was wrong and is withdrawn (2026-01-20): One zero too many."


@pytest.fixture(scope="module")
def two(
    tmp_path_factory: pytest.TempPathFactory, make_release: Callable[..., Path], switch: Callable[[Path, str], None]
) -> Path:
    """A home of two releases: in the newer energy is twice as large, that of 2023 withdrawn, and one statement differs."""
    home = tmp_path_factory.mktemp("two")
    make_release(home, FIRST)
    later = make_release(home, SECOND, scale=2.0)
    with closing(sqlite3.connect(later / "mingzhang.db")) as con, con:
        cell = "indicator_id = 'energy_tce' and year = 2023 and dimension = 'total'"
        con.execute(
            f"update indicator_values set value = null, status = 'Q', revised = 'withdrawn', note = ? where {cell}",
            [WHY],
        )
        con.execute(f"update indicator_values set revised = 'replaced' where {cell.replace('2023', '2024')}")
        con.execute("update claims set check_status = 'mismatch', computed_value = 9.0 where claim_id = 'co2'")
        con.execute("delete from indicators where indicator_id = 'parking_spaces'")
    switch(home, SECOND)
    return home


def pages(home: Path, *paths: str) -> list[httpx.Response]:
    out: list[httpx.Response] = []

    async def ask(client: httpx.AsyncClient, _: object) -> None:
        out.extend([await client.get(p) for p in paths])

    talk(home, ask, workers=0)
    return out


def banner(response: httpx.Response) -> str:
    found = re.search(r'<aside class="banner newer".*?</aside>', response.text, re.DOTALL)
    return found[0] if found else ""


def test_a_page_of_an_old_release_says_so_and_leads_to_the_same_page_of_the_current_one(two):
    paths = (
        "/",
        "/indicators",
        "/claims/co2",
        "/topics/energy",
        "/datasets/energy_use",
        "/en/",
        "/en/claims",
        "/indicators/energy_tce/2024",
    )
    for path, response in zip(paths, pages(two, *(f"/r/{FIRST}{p}" for p in paths)), strict=True):
        said = banner(response)
        assert response.status_code == 200 and FIRST in said and SECOND in said, path
        assert ("This is an old release" if path.startswith("/en") else "这是旧版") in said, path
        assert f'href="{path}"' in said, path
        assert response.headers["x-current-release"] == SECOND and "max-age=60" in response.headers["cache-control"]
        assert '; rel="latest-version"' in response.headers["link"]


def test_the_current_release_says_nothing_of_the_kind_wherever_it_is_read(two):
    for response in pages(two, "/", f"/r/{SECOND}/", "/indicators/energy_tce", f"/r/{SECOND}/indicators/energy_tce"):
        assert response.status_code == 200 and not banner(response) and "x-current-release" not in response.headers


def test_a_framed_chart_of_an_old_release_says_so_and_leads_out_of_its_frame(two):
    old, english, current = pages(
        two,
        f"/r/{FIRST}/embed/indicators/energy_tce",
        f"/r/{FIRST}/en/embed/indicators/energy_tce?view=map",
        f"/r/{SECOND}/embed/indicators/energy_tce",
    )
    said = banner(old)
    assert SECOND in said and 'href="/indicators/energy_tce" target="_top"' in said and "这个数字已改为" in said
    assert old.text.index("<svg") < old.text.index('class="banner newer"') < old.text.index("</main>")
    assert 'href="/en/indicators/energy_tce" target="_top"' in banner(english)
    assert (
        "frame-ancestors *" in old.headers["content-security-policy"] and "max-age=60" in old.headers["cache-control"]
    )
    assert not banner(current)


def test_a_figure_that_changed_without_a_decision_says_why_too(two):
    [page] = pages(two, f"/r/{FIRST}/indicators/energy_per_capita")
    assert "这个数字已改为" in banner(page) and "此后又收到了别的记录。" in banner(page)


def test_each_figure_that_is_another_now_is_named_with_what_it_is_now(two):
    zh, en, source = pages(
        two,
        f"/r/{FIRST}/indicators/energy_tce",
        f"/r/{FIRST}/en/indicators/energy_tce",
        f"/r/{FIRST}/indicators/energy_tce/2023",
    )
    with closing(sqlite3.connect(two / "releases" / FIRST / "mingzhang.db")) as con:
        values = dict(
            con.execute(
                "select year, value from indicator_values where indicator_id = 'energy_tce' and dimension = 'total'"
            )
        )
    said = banner(zh)
    assert said.count("<li>") == len([v for v in values.values() if v is not None])
    assert f"这一版为 {values[2024]:,.0f}" in said and f"这个数字已改为 {values[2024] * 2:,.0f}" in said
    assert "有误，已撤回。原数有误，已撤回：多写一个零（王工，2026-01-20）。" in said
    assert "was wrong and has been withdrawn" in banner(en) and "One zero too many" in banner(en)
    assert banner(source).count("<li>") == 1 and "2023" in banner(source)


def test_a_statement_whose_result_is_another_now_says_both(two):
    zh, en = pages(two, f"/r/{FIRST}/claims/co2", f"/r/{FIRST}/en/claims/co2")
    assert re.search("这一版的核验结果为：.*；现为：不符", banner(zh)) and re.search(
        "Result here: .*; now: Differs", banner(en)
    )


def test_a_page_that_the_current_release_has_no_more_leads_to_its_first_page(two):
    (response,) = pages(two, f"/r/{FIRST}/indicators/parking_spaces")
    assert response.status_code == 200 and "现行版首页" in banner(response) and 'href="/"' in banner(response)


def test_data_of_an_old_release_stay_as_they_are_and_say_it_in_a_header(two):
    path = f"/r/{FIRST}/api/v1/indicators/energy_tce"
    (answer,) = pages(two, path)
    assert answer.headers["x-current-release"] == SECOND and "max-age=86400" in answer.headers["cache-control"]
    assert '</api/v1/indicators/energy_tce>; rel="latest-version"' in answer.headers["link"]
    assert "banner" not in answer.text and SECOND not in answer.text


def test_what_is_kept_of_an_old_page_does_not_outlive_a_switch(tmp_path, make_release, switch):
    make_release(tmp_path, FIRST)
    make_release(tmp_path, SECOND)
    switch(tmp_path, FIRST)

    async def ask(client: httpx.AsyncClient, site: object) -> None:
        path = f"/r/{FIRST}/indicators/energy_tce"
        assert not banner(await client.get(path))
        switch(tmp_path, SECOND)
        for _ in range(200):
            if (await client.get("/healthz")).json()["release"] == SECOND:
                break
            await asyncio.sleep(0.1)
        assert SECOND in banner(await client.get(path))

    talk(tmp_path, ask, workers=0)


def test_the_page_of_a_figure_shows_how_it_was_published_over_time(two):
    zh, en, old = pages(two, "/indicators/energy_tce", "/en/indicators/energy_tce", f"/r/{FIRST}/indicators/energy_tce")
    assert "历次公布值" in zh.text and "Values published over time" in en.text
    table = zh.text[zh.text.index('id="revisions"') :].split("</table>")[0]
    assert f"/r/{FIRST}/indicators/energy_tce" in table and "已撤回" in table and "多写一个零（王工" in table
    # An older release does not know what came later: its page stays what it was.
    assert "历次公布值" not in old.text
    assert "已更正" in zh.text and "已撤回" in zh.text


def test_the_page_of_a_statement_shows_its_results_over_time(two):
    zh, old = pages(two, "/claims/co2", f"/r/{FIRST}/claims/co2")
    assert "历次核验结果" in zh.text and f"/r/{FIRST}/claims/co2" in zh.text and "历次核验结果" not in old.text


def test_a_release_that_was_withdrawn_is_not_called_old(two):
    (two / "releases" / ".withdrawn").write_text(f"{FIRST}\n", encoding="utf-8")
    try:
        (response,) = pages(two, f"/r/{FIRST}/")
        assert f"{FIRST} 版已撤回" in banner(response) and "这是旧版" not in banner(response)
    finally:
        (two / "releases" / ".withdrawn").unlink()
