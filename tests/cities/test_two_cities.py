"""Two cities at once: each site under its own name, and nothing of one in the pages, search, feeds, API or catalogue of the other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import httpx
import pytest

from publish.site.app import Site
from publish.site.pool import Pool
from tests.cities.making import CITY, ROWS, TABLES, city_folder, inbox
from tests.conftest import mingzhang

pytestmark = pytest.mark.slow
# What the second city has in place of the first one's: names, dataset, definitions, rows.
WORDS = (
    ("9900001", "9900002"), ("Sampleport", "Otherton"), ("样例", "别样"), ("Sample ", "Local "), ("Ourland", "Theirland"), ("en zh", "zh en"),
    ("site_energy", "town_halls"), ("site-energy", "town-halls"), ("Energy use of sites", "Lodges"), ("场所能源消耗", "会馆用能"),
    ("pumping", "lantern"), ("pumps", "lanterns"), ("Pumping", "Lantern"), ("供排水", "灯塔"), ("Treatment", "Beacon"), ("Storage", "Larder"),
    ("Depot", "Granary"), ("High St", "Quay Rd"), ("Low St", "Mole Rd"), ("Far St", "Isle Rd"), ("Bay St", "Reef Rd"),
)  # fmt: skip
# What a visitor would notice of each: found on its own site, and nowhere on the other.
OF_FIRST = ("Sampleport", "样例港", "site_energy", "pumping_share", "供排水", "Depot", "High St", "9900001")
OF_SECOND = ("Otherton", "别样港", "town_halls", "lantern_share", "灯塔", "Granary", "Quay Rd", "9900002")
FILES = ("catalog.jsonld", "datapackage.json", "release.json")


def other(text: str) -> str:
    for one, another in WORDS:
        text = text.replace(one, another)
    return text


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    top = tmp_path_factory.mktemp("two")
    first = city_folder(top / "first")
    second = city_folder(top / "second", city=other(CITY), **{name: other(text) for name, text in TABLES.items()})
    for contract in (second / "contracts").iterdir():
        contract.write_text(other(contract.read_text(encoding="utf-8")), encoding="utf-8")
    rows = {y: [[other(c) if isinstance(c, str) else c for c in r] for r in of] for y, of in ROWS.items()}
    for city, files in ((first, inbox(top / "inbox of first")), (second, inbox(top / "inbox of second", rows))):
        done = mingzhang(
            "run", "--city", city, "--inbox", files, "--home", top / f"home of {city.name}", "--as-of", "2019-12-31"
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return top / "home of first", top / "home of second"


def starts(own: Iterable[str], others: Iterable[str]) -> list[str]:
    """Where a look at a site begins: its doors, and searches for the words of both cities."""
    fixed = ["/", "/en/", "/zh/", "/sitemap.xml", "/robots.txt", "/feed.xml", "/openapi.json", "/api/v1", "/api/v1/indicators", "/api/v1/claims",
             "/api/v1/datasets", "/api/v1/divisions", "/mingzhang.json?sql=select+name+from+sqlite_master&_shape=array",
             *(f"/files/{f}" for f in FILES)]  # fmt: skip
    return [*fixed, *(f"/search?q={quote(w)}" for w in (*own, *others))]


async def everything(client: httpx.AsyncClient, waiting: list[str], most: int = 150) -> dict[str, str]:
    """What can be reached, `most` addresses at the most: text by address."""
    seen: dict[str, str] = {}
    while waiting and len(seen) < most:
        address = waiting.pop(0)
        if address in seen:
            continue
        answer = await client.get(address, follow_redirects=True)
        assert answer.status_code in (200, 400, 404), (address, answer.status_code)
        seen[address] = answer.text
        for link in re.findall(r'<a [^>]*?href="([^"#]+)', answer.text):
            there = urlsplit(urljoin(address, link.replace("&amp;", "&")))
            if there.netloc == "" and not re.search(r"\.(png|svg|xlsx|parquet|db|gz|zst)$", there.path):
                waiting.append(there.path + (f"?{there.query}" if there.query else ""))
    return seen


@pytest.fixture(scope="module")
def seen(homes: tuple[Path, Path]) -> tuple[dict[str, str], dict[str, str]]:
    """Both sites in one process, looked at at the same time."""

    async def run() -> tuple[dict[str, str], dict[str, str]]:
        sites = [Site(home, Pool(1)) for home in homes]
        for site in sites:
            await site.start()
        clients = [
            httpx.AsyncClient(transport=httpx.ASGITransport(app=s), base_url="http://test", timeout=120) for s in sites
        ]
        a, b = await asyncio.gather(
            everything(clients[0], starts(OF_FIRST, OF_SECOND)), everything(clients[1], starts(OF_SECOND, OF_FIRST))
        )
        for client in clients:
            await client.aclose()
        for site in sites:
            await site.close()
        return a, b

    return asyncio.run(run())


def test_each_site_shows_its_own_city(seen: tuple[dict[str, str], dict[str, str]]) -> None:
    for pages, own in zip(seen, (OF_FIRST, OF_SECOND), strict=True):
        whole = "\n".join(text for address, text in pages.items() if not address.startswith("/search"))
        assert [w for w in own if w not in whole] == []
        assert len(pages) > 60


def test_nothing_of_one_city_is_on_the_site_of_the_other(seen: tuple[dict[str, str], dict[str, str]]) -> None:
    for pages, others in zip(seen, (OF_SECOND, OF_FIRST), strict=True):
        found = []
        for address, text in pages.items():
            asked = urlsplit(address)
            said = [w for w in others if w in text and w not in asked.query and quote(w) not in asked.query]
            found += [(address, w) for w in said]
        assert found == []


def test_each_has_the_order_of_its_own_languages(seen: tuple[dict[str, str], dict[str, str]]) -> None:
    first, second = seen
    assert '<html lang="en">' in first["/"] and '<html lang="zh-CN">' in first["/zh/"]
    assert '<html lang="zh-CN">' in second["/"] and '<html lang="en">' in second["/en/"]


def test_no_file_of_a_release_speaks_of_the_other_city(homes: tuple[Path, Path]) -> None:
    for home, others in zip(homes, (OF_SECOND, OF_FIRST), strict=True):
        files = [p for p in (home / "current").resolve().rglob("*") if p.is_file() and p.suffix != ".parquet"]
        found = [(p.name, w) for p in files for w in others if w.encode() in p.read_bytes()]
        assert len(files) > 20 and found == []
