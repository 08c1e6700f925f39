"""Both languages, whole: the catalogue has every phrase, and no page of either shows a word of the other unmarked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from babel.messages.pofile import read_po

from publish.site.app import Site
from publish.site.language import CATALOGUE, HAN, in_language, of_path, pair
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
    EMPTY = frozenset(("meta", "link", "img", "input", "br", "source", "rect"))
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
            r"^(/en)?/(files|charts|cite|static|openapi\.json)|\.(csv|json|xlsx|parquet|xml)$|/r/", address.path
        ):
            yield address.path + (f"?{address.query}" if address.query else "")


def kind(address: str) -> str:
    """Pages of one kind say the same phrases: a few of each are looked at."""
    path, _, query = address.partition("?")
    parts = path.removeprefix("/en").split("/")
    keys = ",".join(sorted(q.partition("=")[0] for q in query.split("&"))) if query else ""
    return f"{of_path(path)} {parts[1]} {len(parts)} {keys}"


def crawl(home: Path, most_of_a_kind: int = 3) -> dict[str, str]:
    """Every kind of page that can be reached from the home pages, by address."""

    async def run() -> dict[str, str]:
        site = Site(home, Pool(2))
        await site.start()
        seen: dict[str, str] = {}
        counts: dict[str, int] = {}
        waiting = ["/", "/en/", "/nosuch", "/en/nosuch", "/mingzhang?sql=select+nosuch", "/en/mingzhang?sql=select+nosuch",
                   "/mingzhang?sql=select+:x", "/en/mingzhang?sql=select+:x", "/search?q=车", "/en/search?q=energy", "/en/search?q=zzzz",
                   "/mingzhang/claims?section=x", "/en/mingzhang/claims?section=x&_sort=value"]  # fmt: skip
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=site), base_url="http://test", timeout=60
        ) as client:
            while waiting:
                address = waiting.pop(0)
                if address in seen or counts.get(kind(address), 0) >= most_of_a_kind:
                    continue
                counts[kind(address)] = counts.get(kind(address), 0) + 1
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
    return crawl(home)


def test_the_crawl_reaches_every_kind_of_page_in_both_languages(pages: dict[str, str]) -> None:
    firsts = {(of_path(a), a.partition("?")[0].removeprefix("/en").split("/")[1]) for a in pages}
    for place in ("", "topics", "indicators", "claims", "datasets", "quality", "search", "api", "releases", "about", "methods", "secrecy", "accessibility", "report", "mingzhang"):  # fmt: skip
        assert {("zh", place), ("en", place)} <= firsts, place


def test_no_page_says_a_word_untranslated(pages: dict[str, str]) -> None:
    left = {address: found for address, html in pages.items() if (found := untranslated(html))}
    assert left == {}, "\n".join(f"{a}: {t[:4]}" for a, t in list(left.items())[:20])


def test_every_page_leads_to_itself_in_the_other_language(pages: dict[str, str]) -> None:
    for address, html in pages.items():
        found = re.search(r'<a class="language" href="([^"]*)" hreflang="([^"]*)"', html)
        assert found, address
        other = found[1].replace("&amp;", "&").partition("?")[0]
        here = address.partition("?")[0]
        assert of_path(other) != of_path(here) and in_language(other, of_path(here)) == here


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
    assert in_language(zh, "en") == en and in_language(en, "zh") == zh
    assert in_language(zh, "zh") == zh and in_language(en, "en") == en
    assert (of_path(zh), of_path(en)) == ("zh", "en")
