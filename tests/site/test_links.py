"""A real release, walked from its home pages: every link leads somewhere, and no date is printed as a number."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from publish.site.app import Site
from publish.site.pool import Pool
from tests.conftest import MadeUp

pytestmark = pytest.mark.slow

# Of addresses that a machine makes without end (queries, filters, rows, drawings), so many of each kind are tried.
A_FEW = 8
SECONDS = 480  # a walk that takes longer has not ended by itself
LINK = re.compile(r"<(?:a|img|source|link|form)\b[^>]*?\b(?:href|src|srcset|action)=\"([^\"#]+)")


def kind(address: str) -> str | None:
    """What a few of are enough; None for a page of ours, of which every one is walked."""
    path, _, query = address.partition("?")
    parts = path.removeprefix("/en").strip("/").split("/")
    if query:
        keys = sorted({q.partition("=")[0] for q in query.split("&")})
        return f"{parts[:1]} {','.join(keys)}"
    if parts[0] in ("r", "charts", "static", "files"):
        return f"{parts[0]} {parts[-1].rpartition('.')[2]}"
    if parts[0] == "mingzhang" and len(parts) > 1:
        return f"mingzhang {len(parts)} {parts[-1].rpartition('.')[2] if '.' in parts[-1] else ''}"
    if "." in parts[-1]:
        return f"{parts[0]} {parts[-1].rpartition('.')[2]}"
    return None


def links(text: str, at: str) -> list[str]:
    found = []
    for link in LINK.findall(re.sub(r"(?s)<(pre|textarea)\b.*?</\1>", "", text)):
        address = urlsplit(urljoin(f"http://test{at}", html.unescape(link).split(" ")[0]))
        if address.netloc == "test" and address.scheme == "http":
            found.append(address.path + (f"?{address.query}" if address.query else ""))
    return found


async def walk(home: Path) -> tuple[dict[str, str], list[str]]:
    """Every page of ours by address, and what leads nowhere: `address (status), linked from page`."""
    site = Site(home, Pool(2))
    await site.start()
    pages: dict[str, str] = {}
    dead: list[str] = []
    counts: Counter[str] = Counter()
    waiting, known = [("/", "")], {"/"}
    begun = time.monotonic()
    transport = httpx.ASGITransport(app=site)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", timeout=60, follow_redirects=True
    ) as client:
        while waiting:
            assert time.monotonic() - begun < SECONDS, f"{len(waiting)} addresses are left of {len(known)}"
            address, found_on = waiting.pop()
            of = kind(address)
            if of is not None:
                counts[of] += 1
                if counts[of] > A_FEW:
                    continue
            answer = await client.get(address)
            for _ in range(10):  # a machine that is busy with other tests
                if answer.status_code not in (429, 503):
                    break
                await asyncio.sleep(1)
                answer = await client.get(address)
            if answer.status_code != 200:
                said = re.search(r"(?s)<main\b.*?</main>", answer.text)
                told = " ".join(words(said[0]).split())[:120] if said else answer.text[:120]
                dead.append(f"{address} ({answer.status_code}: {told}), linked from {found_on}")
            elif answer.headers["content-type"].startswith("text/html"):
                pages[address] = answer.text
                fresh = [a for a in dict.fromkeys(links(answer.text, address)) if a not in known]
                known.update(fresh)
                waiting += [(a, address) for a in fresh]
    await site.close()
    return pages, dead


@pytest.fixture(scope="module")
def walked(made_up: MadeUp) -> tuple[dict[str, str], list[str]]:
    return asyncio.run(walk(made_up.home))


def test_no_link_is_dead(walked: tuple[dict[str, str], list[str]]) -> None:
    assert walked[1] == []


def test_every_page_of_both_languages_was_walked(walked: tuple[dict[str, str], list[str]]) -> None:
    pages = walked[0]
    for lang in ("", "/en"):
        assert sum(re.fullmatch(rf"{lang}/claims/\w+", a) is not None for a in pages) == 65
        assert sum(re.fullmatch(rf"{lang}/claims/\w+/source", a) is not None for a in pages) > 50
        assert sum(re.fullmatch(rf"{lang}/datasets/\w+", a) is not None for a in pages) == 30
        assert sum(re.fullmatch(rf"{lang}/topics/\w+", a) is not None for a in pages) == 7
        assert sum(re.fullmatch(rf"{lang}/indicators/\w+", a) is not None for a in pages) > 150
        assert sum(re.fullmatch(rf"{lang}/indicators/\w+/\d{{4}}", a) is not None for a in pages) > 500


# 202,502年月, 202502 年月, 2,023年, 202,502 year and month
DATE_AS_NUMBER = re.compile(
    r"\b20\d,?\d(0[1-9]|1[0-2])\s*(年月|year and month)|\b[12],\d{3}\s*年(?!度)|\b20\d,\d(0[1-9]|1[0-2])\b"
)


def words(text: str) -> str:
    """What a page says, without its head, its code and its tables of raw values."""
    text = re.sub(r"(?s)<head>.*?</head>|<(pre|script|svg|style|textarea)\b.*?</\1>", " ", text)
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


@pytest.mark.parametrize(
    "text", ["202,502年月", "算得 202502 年月", "2,023年", "202,502 year and month", "首批 202,502"]
)
def test_the_look_for_dates_can_fail(text: str) -> None:
    assert DATE_AS_NUMBER.search(text)


def test_no_date_is_printed_as_a_number(walked: tuple[dict[str, str], list[str]]) -> None:
    found = {a: m[0] for a, text in walked[0].items() if (m := DATE_AS_NUMBER.search(words(text)))}
    assert found == {}
    start = walked[0]["/claims/timeshare_start"]
    assert "2025年2月" in words(start)
    assert "February 2025" in words(walked[0]["/en/claims/timeshare_start"])


def test_a_statement_of_several_years_shows_the_rows_of_all(walked: tuple[dict[str, str], list[str]]) -> None:
    """Six sales of five years: each is there, ticked, and the summed column has their total."""
    page = walked[0]["/claims/disposal_income/source"]
    body = re.search(r"(?s)<tbody>(?:(?!</tbody>).)*成交(?:(?!</tbody>).)*</tbody>", page)
    assert body is not None
    ticked = [r for r in re.findall(r"(?s)<tr\b.*?</tr>", page) if ">✓<" in r]
    assert len(ticked) == 6
    assert {re.search(r"DIS-(\d{4})", r)[1] for r in ticked} == {"2021", "2022", "2023", "2024", "2025"}  # type: ignore[index]
    foot = re.search(r"(?s)<tfoot>.*?</tfoot>", page)
    assert foot is not None and "267,000,000" in foot[0]


def test_the_citys_own_bodies_are_not_called_the_city(walked: tuple[dict[str, str], list[str]]) -> None:
    for address, own, whole in (
        ("/indicators/energy_per_capita", "市本级", "株洲市合计"),
        ("/en/indicators/energy_per_capita", "City-level bodies", "Zhuzhou City, total"),
    ):
        table = re.search(
            r'(?s)<table class="pivot">.*?</table>',
            walked[0][address].partition("District" if "/en" in address else "县市区")[2],
        )
        assert table is not None or own in walked[0][address]
        heads = re.findall(r'<th scope="row">(.*?)</th>', walked[0][address])
        plain = [re.sub(r"<[^>]+>", "", h) for h in heads]
        assert own in plain and whole in plain
        assert "株洲市" not in plain and "Zhuzhou City" not in plain
