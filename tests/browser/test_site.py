"""The site in Debian's Chromium, on a phone and on a desk: nothing overflows, nothing is missing, nothing is blocked.

Pictures go to test-results/ for people to look at.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.browser.screenshots import ARGS, CHROMIUM, ROOT, served
from tests.site.conftest import FIRST, build_release, point_current

RESULTS = ROOT / "test-results"
AXE = Path(__file__).with_name("axe.min.js")  # axe-core 4.14.1 of Deque Systems, MPL-2.0 (axe.LICENSE)
PAGES = {
    "home": "/",
    "indicators": "/indicators",
    "indicator": "/indicators/energy_tce",
    "indicator-chosen": "/indicators/energy_tce?show=total&show=district/430202&show=district/430203&as=index",
    "indicator-ranking": "/en/indicators/energy_tce?view=ranking",
    "indicator-map": "/indicators/energy_tce?view=map&year=2024",
    "indicator-table": "/indicators/energy_tce?show=district/430202&show=district/430203&view=table",
    "claims": "/claims",
    "claim": "/claims/co2",
    "claims-sorted": "/claims?sort=difference&topic=energy",
    "claims-none": "/claims?size=10&topic=energy",
    "claim-source": "/claims/parking_spaces_opened/source",
    "datasets": "/datasets",
    "dataset": "/datasets/parking_lots",
    "about": "/about",
    "topic": "/topics/energy",
    "source": "/indicators/parking_spaces/2025",
    "quality": "/quality",
    "search": "/search?q=%E5%81%9C%E8%BD%A6%E4%BD%8D",
    "api": "/api",
    "releases": "/releases",
    "diff": "/releases/diff",
    "methods": "/methods",
    "secrecy": "/secrecy",
    "accessibility": "/accessibility",
    "report": "/report",
    "home-en": "/en/",
    "indicator-en": "/en/indicators/energy_per_capita",
    "claims-en": "/en/claims",
    "database": "/mingzhang",
    "table": "/mingzhang/parking_lots",
    "filtered": "/mingzhang/indicator_values?dimension__exact=district&_sort_desc=value",
    "query": "/mingzhang?sql=select+*+from+claims",
    "row": "/mingzhang/claims/co2",
    "query-error": "/mingzhang?sql=select+*+from+nosuch",
    "not-found": "/nosuch",
    "topic-en": "/en/topics/energy",
    "indicators-en": "/en/indicators",
    "source-en": "/en/indicators/parking_spaces/2025",
}

WIDTHS = (320, 345, 360, 390, 414, 480, 561, 600, 640, 700, 721, 820, 900, 1000, 1100, 1920)
DARK = (
    "home",
    "indicator-chosen",
    "indicator-ranking",
    "indicator-map",
    "report",
    "claims",
    "claim",
    "dataset",
    "quality",
    "query",
    "filtered",
    "releases",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}: apt-get install chromium fonts-noto-cjk"),
]


@pytest.fixture(scope="module")
def release() -> str:
    return FIRST


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("browser")
    build_release(home, FIRST)
    point_current(home, FIRST)
    with served(home) as base:
        yield base


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield browser
        browser.close()


def opened(browser: Any, width: int, **options: Any) -> tuple[Any, list[str]]:
    """A page of that width, and the list of everything that its console says is wrong."""
    page = browser.new_context(viewport={"width": width, "height": 800}, **options).new_page()
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.on("request", lambda r: complaints.append(f"asked {r.url}") if "127.0.0.1" not in r.url else None)
    return page, complaints


def faults(page: Any) -> list[str]:
    """What axe-core finds: rule and the first place."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [f"{v['id']}: {v['nodes'][0]['html'][:140]}" for v in found["violations"]]


# What stands outside the page's width, but in a box that scrolls (as the navigation of a phone does) or for screen readers alone.
OUTSIDE = """w => [...document.querySelectorAll('main *, header *, footer *')].filter(e =>
    e.getBoundingClientRect().right > w + 1 && !e.closest('.scroll, pre, .skip, .unseen, .top nav') && e.offsetParent).map(e => e.outerHTML.slice(0, 90))"""
# Bytes of a page and of all it asked for, as they are when unpacked.
WEIGHT = """() => ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind)).reduce((n, e) => n + e.decodedBodySize, 0)"""
# Text that its own box cuts off, or a cell so narrow that Chinese stands in it one character below the other.
CUT = """() => [...document.querySelectorAll('main p, main li, main td, main th, main dd, main h1, main h2, main h3')].filter(e => {
    if (!e.offsetParent || e.closest('.unseen, .stack thead, .listed thead') || !e.textContent.trim()) return false;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    const inner = e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return (style.overflow === 'hidden' && e.scrollWidth > e.clientWidth + 1)
        || (style.display !== 'inline' && e.textContent.trim().length > 8 && inner > 0 && inner < 3 * size);
}).map(e => e.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_is_light_and_says_what_it_must(browser: Any, address: str, release: str, name: str) -> None:
    """One visit on a phone, weighed and looked through by axe; then the same page wider. Nothing overflows, is cut or missing."""
    page, complaints = opened(browser, 375)
    page.goto(address + PAGES[name], wait_until="load")
    assert 0 < page.evaluate(WEIGHT) < 200_000
    RESULTS.mkdir(exist_ok=True)
    for width in (375, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(
            "Promise.allSettled([...document.images].map(i => i.decode()))"
        )  # a wider page shows another picture
        page.screenshot(path=RESULTS / f"{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("[...document.images].filter(i => !i.naturalWidth).map(i => i.src)") == []
        assert page.evaluate(OUTSIDE, width) == [] and page.evaluate(CUT) == [], width
        if width == 375:
            assert faults(page) == []
    fits_everywhere(page)
    made_up = "Made-up data" if "/en/" in PAGES[name] else "合成示例数据"
    assert page.locator(".banner").is_visible() and made_up in page.locator(".banner").inner_text()
    assert page.locator("footer").is_visible() and release in page.locator("footer").inner_text()
    assert page.locator("h1").count() == 1
    assert [c for c in complaints if "status of 40" not in c] == []
    page.goto(address + page.locator("a.language").get_attribute("href"))
    fits_everywhere(page)
    page.context.close()


def fits_everywhere(page: Any) -> None:
    """Hold a page against all WIDTHS."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (page.url, width)
        assert page.evaluate(OUTSIDE, width) == [], (page.url, width)


@pytest.mark.parametrize("path", ["/embed/indicators/energy_tce", "/en/embed/indicators/energy_tce?view=map"])
def test_a_framed_chart_fits_at_every_width(browser: Any, address: str, path: str) -> None:
    page, complaints = opened(browser, 375)
    page.goto(address + path)
    fits_everywhere(page)
    assert faults(page) == [] and complaints == []
    page.context.close()


def test_a_map_is_read_and_left_by_the_keyboard(browser: Any, address: str) -> None:
    page, _ = opened(browser, 1280, java_script_enabled=False)
    page.goto(address + "/indicators/energy_tce?view=map&year=2024")
    tiles = page.locator("figure.chart svg a:visible")
    assert tiles.count() == 2
    tiles.first.focus()
    assert "2024" in page.locator(":focus").get_attribute("aria-label")
    page.keyboard.press("Enter")
    page.wait_for_url("**/indicators/energy_tce?show=district/43020*")
    page.context.close()


def test_a_report_is_sent_without_javascript(browser: Any, address: str) -> None:
    page, complaints = opened(browser, 375, java_script_enabled=False)
    page.goto(address + "/en/report?about=/claims/co2")
    page.locator("#says").fill("The figure of 2024 is too low.")
    page.locator("form.report button").click()
    assert "Your report has the number" in page.locator(".message").inner_text() and complaints == []
    page.context.close()


@pytest.mark.parametrize("name", DARK)
def test_who_wants_it_dark_can_read_it(browser: Any, address: str, name: str) -> None:
    page, _ = opened(browser, 375, color_scheme="dark")
    page.goto(address + PAGES[name])
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(n) for n in re.findall(r"\d+", ground)[:3]) < 60
    assert faults(page) == []
    page.screenshot(path=RESULTS / f"{name}-dark-375.png", full_page=True)
    page.context.close()


def test_a_phone_shows_content_on_its_first_screen(browser: Any, address: str) -> None:
    page, _ = opened(browser, 375)
    for path in ("/", "/en/", "/indicators/energy_tce", "/en/claims"):
        page.goto(address + path)
        assert page.locator("h1").bounding_box()["y"] < 190, path
        assert page.evaluate("getComputedStyle(document.querySelector('.top nav')).overflowX") == "auto"
    page.context.close()


def test_a_wide_table_hints_that_it_scrolls_and_fits_on_paper(browser: Any, address: str) -> None:
    page, _ = opened(browser, 375)
    page.goto(address + "/mingzhang/parking_lots")
    hint = "e => getComputedStyle(e).backgroundAttachment"
    assert page.locator(".scroll").first.evaluate(hint) == "local, local, scroll, scroll"
    page.set_viewport_size({"width": 680, "height": 900})  # A4 within its margins
    page.emulate_media(media="print")
    assert page.evaluate("document.querySelector('.scroll table').scrollWidth") <= 680
    page.context.close()


def test_the_looks_at_a_page_can_fail(browser: Any) -> None:
    page, _ = opened(browser, 375)
    page.set_content(
        "<html lang='zh-CN'><title>x</title><main><img src='data:,'><p style='color:#aaa;background:#fff'>faint</p>"
        "<p style='width:600px'>wide</p><div style='width:20px'><p>一字一行排成了一列</p></div>"
        "<p style='width:50px;overflow:hidden;white-space:nowrap'>cut off at the end of its box</p></main>"
    )
    assert {v.partition(":")[0] for v in faults(page)} >= {"image-alt", "color-contrast"}
    assert len(page.evaluate(OUTSIDE, 375)) == 1 and len(page.evaluate(CUT)) == 2
    page.context.close()


def test_a_phone_gets_letters_it_can_read(browser: Any, address: str) -> None:
    page, _ = opened(browser, 375)
    page.goto(address)
    drawn = page.locator("figure.chart svg:visible").first
    assert drawn.evaluate("s => s.getBoundingClientRect().width / s.viewBox.baseVal.width") >= 0.9
    assert page.locator("figure.chart .wide svg:visible").count() == 0
    page.context.close()


def test_to_a_statement_and_its_sql_by_keyboard_without_javascript(browser: Any, address: str, release: str) -> None:
    page, _ = opened(browser, 1280, java_script_enabled=False)
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text().startswith("跳到正文")
    for _ in range(60):
        if page.locator(":focus").get_attribute("href") == "/claims":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/claims")
    page.get_by_role("link", name="错时开放停车位").click()
    page.get_by_role("link", name="在本版数据上运行").click()
    assert "1,210" in page.locator("table.data").inner_text()
    assert release in page.locator("footer").inner_text()
    page.context.close()


def test_a_query_with_a_mistake_is_explained_and_kept(browser: Any, address: str) -> None:
    page, _ = opened(browser, 375)
    page.goto(address + "/mingzhang")
    page.locator("textarea").fill("select nosuch from claims")
    page.get_by_role("button", name="运行").click()
    assert "没有名为 nosuch 的列" in page.get_by_role("alert").inner_text()
    assert page.locator("textarea").input_value() == "select nosuch from claims"
    page.locator("textarea").fill("select count(*) as n from claims")
    page.get_by_role("button", name="运行").click()
    assert page.locator("table.data td").inner_text() == "5"
    page.context.close()


def test_a_table_can_be_filtered_and_sorted(browser: Any, address: str) -> None:
    page, _ = opened(browser, 1280)
    page.goto(address + "/mingzhang/claims")
    page.get_by_text("筛选").click()
    page.locator("select[name=_filter_column]").select_option("check_status")
    page.locator("input[name=_filter_value]").fill("mismatch")
    page.get_by_role("button", name="应用").click()
    for _ in range(10):  # a process for the visitor's own may be late where other tests run beside
        if page.locator("table.data").count():
            break
        page.reload()
    assert page.locator("table.data tbody tr").count() == 1
    page.goto(address + "/mingzhang/indicator_values")
    page.locator("thead a", has_text="年度").click()
    assert "按 年度 从小到大排列" in page.locator("main").inner_text()
    page.context.close()


def test_chinese_glyphs_are_really_drawn(browser: Any, address: str) -> None:
    """A font without Chinese draws the same box for every character."""
    if (
        shutil.which("fc-list") is None
        or not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=True).stdout
    ):
        pytest.skip("no Chinese font here: apt-get install fonts-noto-cjk")
    page, _ = opened(browser, 375)
    page.set_content("<p style='font-size:60px'><span id=a>明</span> <span id=b>账</span></p>")
    assert page.locator("#a").screenshot() != page.locator("#b").screenshot()
    page.context.close()


def test_a_citizen_on_a_phone_learns_whether_the_city_saves_energy(browser: Any, address: str) -> None:
    page, _ = opened(browser, 375, java_script_enabled=False)
    page.goto(address)
    story = page.locator("section", has=page.locator("#story-energy"))
    said = story.inner_text()
    assert (
        "人均综合能耗下降 6.9%：2021 年 152.3千克标准煤/人，2025 年 141.8千克标准煤/人。" in said
        and "向好的变化" not in said
    )
    assert "比全国平均（2020 年）低 57.0%" in said
    assert "全国平均 329.6（2020）" in (story.locator("svg:visible").get_attribute("aria-label") or "")
    page.context.close()


def test_a_journalist_gets_from_home_to_the_cell_in_three_steps(browser: Any, address: str, release: str) -> None:
    page, _ = opened(browser, 1280)
    page.goto(address)
    page.locator("#home-q").fill("錯時開放停車位有多少個？")
    page.locator("#home-q").press("Enter")
    page.get_by_role("link", name="错时开放停车位数").first.click()
    page.get_by_role("link", name="文件和单元格 2025").click()
    text = page.locator("main").inner_text()
    assert "1,210个" in text and "示例0" in text and f"/r/{release}/indicators/parking_spaces/2025" in text
    assert re.search(r"D2020|D20\d\d", page.locator(".cell").first.inner_text()) and "全部计入" in text
    page.get_by_role("link", name="在本版数据上运行").click()
    assert "1,210" in page.locator("table.data").inner_text()
    page.context.close()


def test_the_other_language_is_the_same_page(browser: Any, address: str) -> None:
    page, _ = opened(browser, 375)
    page.goto(address + "/claims?status=mismatch")
    page.get_by_role("link", name="English").click()
    assert page.url.endswith("/en/claims?status=mismatch") and "CO2 avoided" in page.locator("main").inner_text()
    page.get_by_role("link", name="中文").click()
    assert page.url.endswith("/claims?status=mismatch") and "/en/" not in page.url
    page.context.close()


@pytest.mark.parametrize("width", [375, 1280])
def test_a_chart_answers_to_pointing_touch_and_keys(browser: Any, address: str, width: int) -> None:
    """One slider of years does all; the picture keeps its name."""
    page, complaints = opened(browser, width, has_touch=True)
    page.goto(address + "/indicators/energy_per_capita", wait_until="load")
    said = page.locator("figure.chart output:visible")
    assert "2025" in said.inner_text()
    column = page.locator("figure.chart svg:visible .column").nth(2)
    (column.hover if width == 1280 else column.tap)()
    assert "2023" in said.inner_text() and "146.0500千克标准煤/人" in said.inner_text()
    slider = page.get_by_role("slider", name="看哪一年")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert "2022" in said.inner_text() and "2022，149.2" in (slider.get_attribute("aria-valuetext") or "")
    assert "2021 152.3" in (page.locator("figure.chart svg:visible").get_attribute("aria-label") or "")
    assert [c for c in complaints if "status of 40" not in c] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_a_choice_is_drawn_at_once_and_is_in_the_address(browser: Any, address: str) -> None:
    page, complaints = opened(browser, 1280)
    page.goto(address + "/indicators/energy_tce")
    page.get_by_text("选择要比较的内容").click()
    page.get_by_role("checkbox", name="荷塘区").check()
    page.locator("figure.chart svg:visible", has_text="荷塘区").wait_for()
    page.locator("form").get_by_label("首年＝100").check()
    page.locator("figure.chart svg:visible", has_text="2021 年＝100").wait_for()
    assert page.url.endswith("?show=total&as=index&show=district/430202")
    assert (
        page.get_by_role("slider", name="看哪一年").count() == 1
        and page.get_by_role("checkbox", name="荷塘区").is_checked()
    )
    shown = page.locator("figure.chart svg:visible").get_attribute("aria-label")
    page.goto(page.url)
    assert page.locator("figure.chart svg:visible").get_attribute("aria-label") == shown
    assert [c for c in complaints if "status of 40" not in c] == []
    page.context.close()


def test_a_chart_in_a_frame_of_another_site(browser: Any, address: str, tmp_path: Path) -> None:
    page, _ = opened(browser, 600)
    (tmp_path / "index.html").write_text(
        f'<iframe title="x" width="600" height="520" src="{address}/embed/indicators/energy_tce"></iframe>'
    )
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as other:
        Thread(target=other.serve_forever, daemon=True).start()
        page.goto(f"http://127.0.0.1:{other.server_port}/")
        page.frame_locator("iframe").locator("figure.chart svg:visible").wait_for()
        other.shutdown()
    page.goto(f"{address}/embed/indicators/energy_tce")
    assert faults(page) == []
    page.context.close()


@pytest.mark.parametrize("name", ["home", "indicator", "claims", "source", "query"])
def test_print_shows_the_matter_and_no_controls(browser: Any, address: str, name: str) -> None:
    page, _ = opened(browser, 800)
    page.goto(address + PAGES[name])
    page.emulate_media(media="print")
    RESULTS.mkdir(exist_ok=True)
    page.pdf(path=RESULTS / f"{name}.pdf", format="A4")
    assert not page.locator("header.top").is_visible() and page.locator("h1").is_visible()
    assert page.locator(".banner").is_visible() and page.locator("footer").is_visible()
    assert page.evaluate(
        "[...document.querySelectorAll('.scroll')].every(e => getComputedStyle(e).overflowX === 'visible')"
    )
    page.context.close()
