"""Both languages, whole: the catalogue has every phrase, and no page of either shows a word of the other unmarked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from babel.messages.pofile import read_po

from publish.site.app import Site
from publish.site.language import CATALOGUE, CHINESE_FIRST, HAN, ORDERS, Order, pair
from publish.site.pool import Pool
from tests.site.phrases import extracted

PLACEHOLDER = re.compile(r"%\((\w+)\)|\{(\d)\}")
# Names and formats that stand for themselves in Chinese: they are no words of English.
SAME = re.compile(
    r"\b(?:SQL|CSV|BibTeX|RIS|XLSX|JSON|SVG|PNG|PARQUET|API|Atom|Excel|JavaScript|Datasette|SHA256SUMS|SHA-256|WCAG|AA|SDMX|OBS_STATUS|Cookie|English|"
    r"GET|SELECT|GROUP BY|ORDER BY|LIMIT|OFFSET|Retry-After|axe-core|Mingzhang|Python|pandas|DuckDB|curl|R|GB/T|like|null|glob|"
    r"sha256sum -c|nosuch|rowid|kgce|tce|kWh|MJ|GJ|kW|MW|kgCO2|CO2|kg|km|m|h|L|t|min|csv|xlsx|json|parquet|HTML|SQLite)\b",
    re.A,
)
ENGLISH = re.compile(r"[A-Za-z]{3,}")


class Text(HTMLParser):
    """The words of a page that claim to be in its language: not code, not what is marked with another language."""

    QUIET = frozenset(("code", "pre", "script", "style", "textarea", "svg"))
    EMPTY = frozenset(("meta", "link", "img", "input", "br", "source"))
    SPOKEN = ("alt", "aria-label", "placeholder", "title", "data-label")

    def __init__(self) -> None:
        super().__init__()
        self.language = ""
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        if tag == "html":
            self.language = about["lang"] or ""
        foreign = about.get("lang", self.language) != self.language
        classes = (about.get("class") or "").split()
        quiet = tag in self.QUIET or foreign or bool({"code", "url", "cell", "release"} & set(classes))
        quiet = quiet or (bool(self.open) and self.open[-1][1])
        if not quiet:
            self.found += [v for k in self.SPOKEN if (v := about.get(k))]
            if tag == "input" and about.get("type") == "submit":
                self.found.append(about.get("value") or "")
        if tag not in self.EMPTY:
            self.open.append((tag, quiet))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not (self.open and self.open[-1][1]):
            self.found.append(data.strip())


def untranslated(html: str) -> list[str]:
    """What a page says in the other language without marking it."""
    page = Text()
    page.feed(html)
    if page.language == "en":
        return [t for t in page.found if HAN.search(t)]
    return [
        t
        for t in page.found
        if ENGLISH.search(re.sub(r"\S*[_./:=@-]\S*", " ", SAME.sub(" ", re.sub(r"\([a-z_0-9]+\)", " ", t))))
    ]


def links(html: str, at: str) -> Iterator[str]:
    for link in re.findall(r'<a [^>]*?href="([^"#]+)', html):
        address = urlsplit(urljoin(at, link.replace("&amp;", "&")))
        if address.netloc in ("", "test") and not re.search(
            r"^(/en|/zh)?/(files|charts|cite|static|openapi\.json)|\.(csv|json|xlsx|parquet|xml)$|/r/", address.path
        ):
            yield address.path + (f"?{address.query}" if address.query else "")


def kind(address: str, order: Order) -> str:
    """Pages of one kind say the same phrases: a few of each are looked at."""
    path, _, query = address.partition("?")
    parts = order.in_language(path, order.first).split("/")
    keys = ",".join(sorted(q.partition("=")[0] for q in query.split("&"))) if query else ""
    return f"{order.of_path(path)} {parts[1]} {len(parts)} {keys}"


def crawl(home: Path, order: Order, most_of_a_kind: int = 3) -> dict[str, str]:
    """Every kind of page that can be reached from the home pages, by address."""

    async def run() -> dict[str, str]:
        site = Site(home, Pool(2))
        await site.start()
        seen: dict[str, str] = {}
        counts: dict[str, int] = {}
        en, zh = order.prefix("en"), order.prefix("zh")
        waiting = [f"{zh}/", f"{en}/", f"{zh}/nosuch", f"{en}/nosuch", f"{zh}/mingzhang?sql=select+nosuch", f"{en}/mingzhang?sql=select+nosuch",
                   f"{zh}/mingzhang?sql=select+:x", f"{en}/mingzhang?sql=select+:x", f"{zh}/search?q=车", f"{en}/search?q=energy", f"{en}/search?q=zzzz",
                   f"{zh}/mingzhang/claims?section=x", f"{en}/mingzhang/claims?section=x&_sort=value"]  # fmt: skip
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=site), base_url="http://test", timeout=60
        ) as client:
            while waiting:
                address = waiting.pop(0)
                if address in seen or counts.get(kind(address, order), 0) >= most_of_a_kind:
                    continue
                counts[kind(address, order)] = counts.get(kind(address, order), 0) + 1
                answer = await client.get(address)
                for _ in range(5):  # a machine that is busy with other tests
                    if answer.status_code != 503:
                        break
                    await asyncio.sleep(2)
                    answer = await client.get(address)
                assert answer.status_code in (200, 400, 404), (address, answer.status_code)
                if answer.status_code == 200 or "nosuch" in address:
                    seen[address] = answer.text
                    waiting += links(answer.text, address)
        await site.close()
        return seen

    return asyncio.run(run())


@pytest.fixture(scope="module")
def pages(home: Path) -> dict[str, str]:
    return crawl(home, CHINESE_FIRST)


@pytest.fixture(scope="module")
def english_first(tmp_path_factory: pytest.TempPathFactory, make_release: Callable[..., Path]) -> Path:
    """A home whose city has English first."""
    home = tmp_path_factory.mktemp("english")
    city = {"languages": "en zh", "title_zh": "样例港的账", "title_en": "What Sampleport uses", "description_zh": "样例港申报的用能。",
        "description_en": "Energy that Sampleport reports.", "factor_sets": {"default": ["样例系数", "Sample factors"]}}  # fmt: skip
    (home / "current").symlink_to(make_release(home, "2025-12-31-0a1b2c3d", city=city))
    return home


def test_the_crawl_reaches_every_kind_of_page_in_both_languages(pages: dict[str, str]) -> None:
    order = CHINESE_FIRST
    firsts = {(order.of_path(a), order.in_language(a.partition("?")[0], "zh").split("/")[1]) for a in pages}
    for place in ("", "topics", "indicators", "claims", "datasets", "quality", "search", "api", "releases", "about", "methods", "secrecy", "accessibility", "report", "mingzhang"):  # fmt: skip
        assert {("zh", place), ("en", place)} <= firsts, place


def test_no_page_says_a_word_untranslated(pages: dict[str, str]) -> None:
    left = {address: found for address, html in pages.items() if (found := untranslated(html))}
    assert left == {}, "\n".join(f"{a}: {t[:4]}" for a, t in list(left.items())[:20])


def test_every_page_leads_to_itself_in_the_other_language(pages: dict[str, str]) -> None:
    _lead_to_each_other(pages, CHINESE_FIRST)


def _lead_to_each_other(pages: dict[str, str], order: Order) -> None:
    for address, html in pages.items():
        found = re.search(r'<a class="language" href="([^"]*)" hreflang="([^"]*)"', html)
        assert found, address
        other = found[1].replace("&amp;", "&").partition("?")[0]
        here = address.partition("?")[0]
        assert order.of_path(other) != order.of_path(here), address
        assert order.in_language(other, order.of_path(here)) == here


def test_a_city_with_english_first_has_it_at_the_plain_addresses(english_first: Path) -> None:
    order = ORDERS["en zh"]
    pages = crawl(english_first, order, most_of_a_kind=1)
    assert {order.of_path(a) for a in pages} == {"en", "zh"}
    for address, html in pages.items():
        chinese = address == "/zh" or address.startswith("/zh/")
        assert re.search(r'<html lang="([^"]*)"', html)[1] == ("zh-CN" if chinese else "en"), address  # type: ignore[index]
        asked = urlsplit(address)
        plain = re.search(r'hreflang="x-default" href="http://test([^"?]*)', html)
        assert plain and plain[1] == order.in_language(asked.path, "en"), address
        assert not re.search(r'"(?:http://test)?(?:/r/[^/"]+)?/en[/"]', html), address
    assert "<h1>" in pages["/"] and "What Sampleport uses" in pages["/"] and "样例港的账" in pages["/zh/"]
    for address, html in pages.items():  # no words of another kind of publisher
        assert "overnment offices" not in html and "public offices" not in html, address
    assert 'name="description" content="Made-up data: Energy that Sampleport reports."' in pages["/"]
    _lead_to_each_other(pages, order)
    assert {a: t for a, html in pages.items() if (t := untranslated(html))} == {}


def test_addresses_of_files_of_a_city_with_english_first(english_first: Path) -> None:
    async def run() -> dict[str, httpx.Response]:
        site = Site(english_first, Pool(1))
        await site.start()
        paths = ("/sitemap.xml", "/feed/indicators/energy_tce.xml", "/zh/feed/indicators/energy_tce.xml", "/en/claims?section=x",
                 "/r/2025-12-31-0a1b2c3d/en/", "/zh", "/cite/claims/parking_spaces_opened.ris", "/zh/cite/claims/parking_spaces_opened.ris")  # fmt: skip
        transport = httpx.ASGITransport(app=site)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
            got = {p: await client.get(p) for p in paths}
        await site.close()
        return got

    got = asyncio.run(run())
    assert "<loc>http://test/claims</loc>" in got["/sitemap.xml"].text
    assert 'hreflang="zh-CN" href="http://test/zh/claims"' in got["/sitemap.xml"].text
    assert "http://test/en/" not in got["/sitemap.xml"].text
    english, chinese = (got[p].text for p in ("/feed/indicators/energy_tce.xml", "/zh/feed/indicators/energy_tce.xml"))
    assert 'xml:lang="en"' in english and 'href="http://test/indicators/energy_tce"' in english
    assert 'xml:lang="zh-CN"' in chinese and 'href="http://test/zh/indicators/energy_tce"' in chinese
    for asked, there in (("/en/claims?section=x", "/claims?section=x"), ("/r/2025-12-31-0a1b2c3d/en/", "/r/2025-12-31-0a1b2c3d/"),
                         ("/zh", "/zh/")):  # fmt: skip
        assert (got[asked].status_code, got[asked].headers["location"]) == (301, there)
    cited = "http://test/r/2025-12-31-0a1b2c3d{}/claims/parking_spaces_opened"
    assert cited.format("") in got["/cite/claims/parking_spaces_opened.ris"].text
    assert cited.format("/zh") in got["/zh/cite/claims/parking_spaces_opened.ris"].text


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<html lang="en"><p>Energy <span lang="zh-CN">能耗</span></p>', []),
        ('<html lang="en"><p>Energy 能耗</p>', ["Energy 能耗"]),
        ('<html lang="en"><img alt="能耗"><code>能耗</code>', ["能耗"]),
        ('<html lang="zh-CN"><p>用 <code>select</code> 查询，保存为 CSV</p>', []),
        ('<html lang="zh-CN"><p>Run SQL</p>', ["Run SQL"]),
        ('<html lang="zh-CN"><input type="submit" value="Apply">', ["Apply"]),
        ('<html lang="zh-CN"><p><span lang="en">One row per car park</span></p>', []),
    ],
)
def test_the_look_for_untranslated_words_can_fail(html: str, found: list[str]) -> None:
    assert untranslated(html) == found


def test_the_catalogue_has_every_phrase_and_no_other() -> None:
    with CATALOGUE.open("rb") as f:
        catalogue = read_po(f, locale="zh")
    known = {m.id: m for m in catalogue if m.id}
    wanted = set(extracted())
    assert wanted - set(known) == set(), "phrases without their Chinese; add them to the catalogue"
    assert set(known) - wanted == set(), "phrases that nothing says any more; take them out of the catalogue"
    for english, m in known.items():
        said = m.string if isinstance(m.string, tuple) else (m.string,)
        plain = english if isinstance(english, str) else english[-1]
        assert all(said) and not m.fuzzy, english
        assert {tuple(x) for x in PLACEHOLDER.findall(said[0])} == {tuple(x) for x in PLACEHOLDER.findall(plain)}, (
            english
        )
        assert said[0].count("<b>") == plain.count("<b>") and said[0].count("<a") == plain.count("<a"), english


def test_a_phrase_in_both_languages() -> None:
    assert pair("Indicators") == ("指标", "Indicators")
    assert pair("nobody says this") == ("nobody says this", "nobody says this")


@pytest.mark.parametrize(
    ("zh", "en"),
    [("/", "/en/"), ("/claims", "/en/claims"), ("/r/2025-12-31-0a1b2c3d/", "/r/2025-12-31-0a1b2c3d/en/"),
     ("/r/2025-12-31-0a1b2c3d/claims/co2", "/r/2025-12-31-0a1b2c3d/en/claims/co2"), ("/english", "/en/english")],
)  # fmt: skip
def test_addresses_in_both_languages(zh: str, en: str) -> None:
    order = CHINESE_FIRST
    assert order.in_language(zh, "en") == en and order.in_language(en, "zh") == zh
    assert order.in_language(zh, "zh") == zh and order.in_language(en, "en") == en
    assert (order.of_path(zh), order.of_path(en)) == ("zh", "en")


@pytest.mark.parametrize("release", ["", "/r/2025-12-31-0a1b2c3d"])
@pytest.mark.parametrize("page", ["/", "/claims", "/english", "/zhuzhou"])
def test_addresses_where_english_is_first(release: str, page: str) -> None:
    order, en, zh = ORDERS["en zh"], f"{release}{page}", f"{release}/zh{page}"
    assert order.in_language(zh, "en") == en and order.in_language(en, "zh") == zh
    assert (order.of_path(zh), order.of_path(en)) == ("zh", "en")
    assert (order.superfluous(f"{release}/en{page}"), order.superfluous(en), order.superfluous(zh)) == (en, None, None)
