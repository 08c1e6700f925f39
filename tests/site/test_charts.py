"""What a chart shows and how it is drawn: figures, zero, hidden years, marks by shape, lines, several series; PNG; embedding."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from datasette.utils import MultiParams

from publish.site import charts, drawing
from publish.site.app import Site
from publish.site.charts import PngRenderer
from publish.site.drawing import Chart, Point, Series, apart, svg, ticks, wrapped
from publish.site.language import Language
from publish.site.pages import charting
from publish.site.pages.charting import Available, ChartChoice, chosen, chosen_from
from publish.site.pool import Busy, Pool
from publish.site.totals import lines_of

BASE = {"indicator_id": "x", "name_zh": "指标", "name_en": "Indicator", "unit": "元", "decimals": 2}
SVG = "{http://www.w3.org/2000/svg}"
STATIC = Path(drawing.__file__).parent / "static"


def rows(*points: tuple[int, float | None, str], **more: Any) -> tuple[dict[str, Any], ...]:
    return tuple({"year": y, "value": v, "status": s, "dimension": "total"} | more for y, v, s in points)


def made(
    *points: tuple[int, float | None, str],
    language: Language = "zh",
    synthetic: bool = False,
    lines: list[dict[str, Any]] | None = None,
    **more: Any,
) -> Chart:
    facts: Any = SimpleNamespace(release_id="2025-12-31-0a1b2c3d", as_of="2025-12-31", synthetic=synthetic)
    return charting.total_chart(language, facts, BASE, rows(*points, **more), lines or [])


def texts(chart: Chart, width: int = 700) -> list[str]:
    return ["".join(t.itertext()) for t in ET.fromstring(svg(chart, width, "c")).iter(f"{SVG}text")]


def bars(chart: Chart) -> list[ET.Element]:
    return [
        r for r in ET.fromstring(svg(chart, 700, "c")).iter(f"{SVG}rect") if r.get("height") and not r.get("data-said")
    ]


def test_bars_begin_at_zero_and_carry_their_figures() -> None:
    chart = made((2021, 41_000_000.0, "A"), (2022, 250_000_000.0, "A"))
    assert {"0", "4,100", "25,000", "单位：万元", "2021", "2022"} <= set(texts(chart))
    heights = [float(b.get("height") or 0) for b in bars(chart)]
    assert heights[1] / heights[0] == pytest.approx(25_000 / 4_100, rel=0.01)
    assert "2022\n250,000,000.00元" in svg(chart, 700, "c").replace("&#10;", "\n")  # who points gets every digit
    assert "发布版本 2025-12-31-0a1b2c3d" in chart.notes[0] and "合成示例数据" not in chart.notes[0]


@pytest.mark.parametrize("width", [343, 700])
@pytest.mark.parametrize("years", [5, 10, 20])
def test_of_many_years_no_label_lies_upon_another(years: int, width: int) -> None:
    """A second plan doubles the years: then every second has its figure and its name, the last always, and all have their words."""
    points = [(2021 + n, 31_840.0, "A") for n in range(years)]
    root = ET.fromstring(svg(made(*points), width, "c"))
    middles = [t for t in root.iter(f"{SVG}text") if t.get("text-anchor") == "middle"]
    for y in {t.get("y") for t in middles}:
        row = [
            (float(t.get("x") or 0), "".join(t.itertext()), float(t.get("font-size") or 0))
            for t in middles
            if t.get("y") == y
        ]
        for (x, text, size), (then, following, _) in itertools.pairwise(sorted(row)):
            assert x + drawing.measure(text, size) / 2 <= then - drawing.measure(following, size) / 2 + 0.5, (
                text,
                following,
            )
    named = ["".join(t.itertext()) for t in middles]
    assert str(2020 + years) in named
    assert years > 5 or {str(2021 + n) for n in range(years)} <= set(named)
    assert len([r for r in root.iter(f"{SVG}rect") if r.get("data-said")]) == years


def test_a_fall_below_zero_hangs_from_zero() -> None:
    chart = made((2021, 50.0, "A"), (2022, -20.0, "A"))
    rise, fall = bars(chart)
    assert float(rise.get("y") or 0) + float(rise.get("height") or 0) == pytest.approx(
        float(fall.get("y") or 0), abs=0.2
    )
    assert "−20" in texts(chart)


def test_a_chart_speaks_one_language() -> None:
    drawn = svg(made((2021, 41_000_000.0, "A"), (2022, 5.0, "E"), language="en", synthetic=True), 343, "c")
    told = [
        t
        for t in ("Indicator", "Unit: million yuan", "Made-up data", "Release", ">41.00<", "Estimated")
        if t not in drawn
    ]
    assert told == []
    assert not [c for c in drawn if "\u4e00" <= c <= "\u9fff"]


def test_a_hidden_year_stays_on_the_axis_and_says_so() -> None:
    chart = made((2021, 5.0, "A"), (2022, None, "Q"), (2023, None, "O"))
    assert {"已隐去", "缺", "2022", "2023"} <= set(texts(chart)) and len(bars(chart)) == 1
    assert "2022 已隐去" in chart.label


@pytest.mark.parametrize(("status", "name"), [("E", "估算"), ("F", "预测"), ("P", "暂定")])
def test_what_is_not_final_differs_by_pattern_and_is_named(status: str, name: str) -> None:
    chart = made((2021, 5.0, "A"), (2022, 6.0, status))
    drawn = svg(chart, 700, "c")
    assert f'<pattern id="c-{status}"' in drawn and f'fill="url(#c-{status})"' in drawn
    assert name in texts(chart) and f"2022 6 ({name})" in chart.label
    assert "<pattern" not in svg(made((2021, 5.0, "A"), (2022, 6.0, "A")), 700, "c")
    assert len({drawing.PATTERNS[m] for m in "EFP"}) == 3


def test_a_year_that_is_not_over_is_an_open_frame() -> None:
    chart = made((2025, 5.0, "A"), (2026, 5.0, "A"))  # the release speaks of the end of 2025
    assert [m for m, _ in chart.legend] == ["U"] and "stroke-dasharray" in svg(chart, 700, "c")
    assert "当年未完" in "".join(texts(chart)) or "未" in "".join(n for _, n in chart.legend)
    assert made((2024, 5.0, "A"), (2025, 5.0, "A")).legend == ()


def test_a_corrected_figure_has_an_r() -> None:
    chart = made((2021, 5.0, "A"), (2022, 6.0, "A"), revised="replaced")
    assert "5r" in texts(chart) and ("r", "首次公布后已更正") in chart.legend


def test_figures_of_one_chart_are_written_alike() -> None:
    found = texts(made((2021, 318.4067, "A"), (2022, 307.9922, "A"), (2023, 0.0, "A")))
    assert {"318.4", "308.0", "0.0"} <= set(found)


def benchmark(name: str, value: float, **more: Any) -> dict[str, Any]:
    return (
        {"benchmark_id": name, "name_zh": name, "name_en": "", "indicator_id": "x", "unit": "元", "year": 2020}
        | more
        | {"value": value}
    )


def test_averages_and_targets_are_lines_with_their_names() -> None:
    found = lines_of(
        [
            benchmark("全国", 300.0),
            benchmark("目标", 250.0, comparison="target", year=2025),
            benchmark("other unit", 1.0, unit="%"),
            benchmark("other indicator", 1.0, indicator_id="y"),
            benchmark("one kind", 1.0, dimension="org_type"),
        ],
        BASE,
    )
    assert [(h["value"], h["target"]) for h in found] == [(300.0, False), (250.0, True)]
    chart = made((2021, 5.0, "A"), (2022, 6.0, "A"), lines=found)
    assert {"全国平均", "300（2020）", "目标", "250（2025）"} <= set(
        texts(chart)
    ) and "全国平均 300（2020）" in chart.label
    assert "National average\n300 (2020)" in made((2021, 5.0, "A"), lines=found, language="en").rules[0].name


@pytest.mark.parametrize("places", [[10.0, 10.0, 10.0], [0.0, 99.0, 98.0], [50.0], [], [100.0, 100.0, 0.0]])
def test_names_beside_lines_stand_apart_and_inside(places: list[float]) -> None:
    found = apart(places, 15, 0, 100)
    ordered = sorted(found)
    assert all(b - a >= 15 - 1e-9 for a, b in itertools.pairwise(ordered))
    assert all(0 <= p <= 100 for p in found)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 318.4), (-17.3, 6.9), (91, 108), (0, 9638e4), (0, 0)])
def test_ticks_are_round_and_hold_all(low: float, high: float) -> None:
    found = ticks(low, high)
    assert found[0] <= low and found[-1] >= high and 2 <= len(found) <= 8
    steps = {round(b - a, 9) for a, b in itertools.pairwise(found)}
    assert len(steps) == 1 and str(steps.pop()).replace(".", "").replace("0", "")[:2] in {"1", "2", "5", "25"}


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 2), (0, 7), (-3, 2), (0, 13), (0, 26), (0, 9638)])
@pytest.mark.parametrize("wanted", [1, 2, 3, 4, 5])
def test_what_is_counted_has_no_mark_between_two_counts(low: float, high: float, wanted: int) -> None:
    found = ticks(low, high, wanted, counted=True)
    assert all(t % 1 == 0 for t in found) and found[0] <= low and found[-1] >= high and len(found) <= 8
    assert "0.5" not in texts(made((2021, 1.0, "A"), (2022, 2.0, "A"))) and "0.5" in texts(made((2021, 1.5, "A")))


def test_long_texts_break_and_lose_nothing() -> None:
    address = "https://example.org/r/2025-12-31-0a1b2c3d/indicators/energy_per_capita?show=district/430202"
    found = wrapped(address, 11, 200)
    assert len(found) > 1 and "".join(found) == address and max(drawing.measure(t, 11) for t in found[:-1]) < 260


# --- what a reader chooses ---

DISTRICTS = (
    Available("total", "total", "合计", rows((2021, 100.0, "A"), (2022, 110.0, "A"))),
    Available("district/1", "district", "一区", rows((2021, None, "Q"), (2022, 50.0, "A"), (2023, 60.0, "E"))),
    Available("district/2", "district", "二区", rows((2021, 10.0, "A"), (2022, 20.0, "A"), (2023, 10.0, "A"))),
)


def pick(choice: ChartChoice, lines: list[dict[str, Any]] | None = None, **about: Any) -> charting.Chosen:
    facts: Any = SimpleNamespace(release_id="r", as_of="2026-01-31", synthetic=False)
    return chosen("zh", facts, BASE | about, choice, DISTRICTS, lines or [], {})


def test_several_series_are_lines_told_apart_without_colour() -> None:
    picked = pick(ChartChoice(show=("district/1", "district/2")))
    root = ET.fromstring(svg(picked.chart, 700, "c"))
    dashes = [p.get("stroke-dasharray") for p in root.iter(f"{SVG}polyline")]
    assert len(dashes) == 2 and len(set(dashes)) == 2
    assert {"一区 60", "二区 10"} <= set(texts(picked.chart)) and "一区: 2021 已隐去" in picked.chart.label
    assert len({(m, d) for m, d in zip(drawing.MARKERS, drawing.DASHES, strict=True)}) == drawing.MOST_SERIES


def test_indexed_figures_are_per_cent_of_the_first_year_that_all_have() -> None:
    picked = pick(ChartChoice(show=("district/1", "district/2"), indexed=True))
    assert picked.base == 2022
    drawn = {s.name: {p.year: p.value for p in s.points} for s in picked.chart.series}
    assert drawn["一区"] == {"2021": None, "2022": 100.0, "2023": 120.0}
    assert drawn["二区"] == {"2021": 50.0, "2022": 100.0, "2023": 50.0}
    assert picked.chart.subtitle == "2022 年＝100"
    assert pick(ChartChoice(indexed=True), unit="年月").base is None


def test_a_line_to_hold_against_belongs_to_absolute_totals_alone() -> None:
    lines = lines_of([benchmark("全国", 300.0)], BASE)
    assert pick(ChartChoice(), lines).chart.rules
    assert not pick(ChartChoice(indexed=True), lines).chart.rules
    assert not pick(ChartChoice(show=("district/1",)), lines).chart.rules


def test_a_choice_and_its_address_are_the_same() -> None:
    args = MultiParams({"show": ["district/2", "nosuch", "district/2"], "as": ["index"], "view": ["table"]})
    choice = chosen_from(args, [a.key for a in DISTRICTS])
    assert choice == ChartChoice(("district/2",), True, "table", ("nosuch",))
    assert (
        choice.query() == "?show=district/2&as=index&view=table"
        and choice.query(view="chart") == "?show=district/2&as=index"
    )
    assert ChartChoice().query() == "" and ChartChoice(("total",)).query() == ""


def test_of_many_series_eight_are_drawn_and_the_rest_is_said() -> None:
    many = tuple(
        Available(f"d/{n}", "d", f"区{n}", rows((2021, n + 1.0, "A"), (2022, n + 2.0, "A"))) for n in range(11)
    )
    facts: Any = SimpleNamespace(release_id="r", as_of="2026-01-31", synthetic=False)
    picked = chosen("zh", facts, BASE, ChartChoice(show=tuple(a.key for a in many)), many, [], {})
    assert len(picked.chart.series) == 8 and picked.left_out == 3


# --- on the site ---


@pytest.fixture(scope="module")
def get(home: Path) -> Iterator[Callable[[str], httpx.Response]]:
    loop = asyncio.new_event_loop()
    site = Site(home, Pool(1))
    loop.run_until_complete(site.start())
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://test", timeout=90)
    yield lambda path: loop.run_until_complete(client.get(path))
    loop.run_until_complete(client.aclose())
    loop.run_until_complete(site.close())
    loop.close()


CHOSEN = "show=district/430202&show=district/430203&as=index"


def test_a_link_opens_the_same_view_without_a_script(get: Callable[[str], httpx.Response]) -> None:
    text = get(f"/indicators/energy_tce?{CHOSEN}").text
    drawn = re.search(r'<figure class="chart">.*?</figure>', text, re.S)
    assert drawn and "荷塘区" in drawn[0] and "芦淞区" in drawn[0] and "2021 年＝100" in drawn[0]
    assert re.search(r'value="district/430202" checked', text) and not re.search(r'value="total" checked', text)
    table = get(f"/indicators/energy_tce?{CHOSEN}&view=table").text
    assert re.search(r"<td class=\"num hidden\">已隐去", table) and "芦淞区</th>" in table
    plain = get("/indicators/energy_tce").text
    assert re.search(r'value="total" checked', plain) and "<script" in plain


def test_an_unknown_series_in_an_address_is_said(get: Callable[[str], httpx.Response]) -> None:
    text = get("/indicators/energy_tce?show=district/999").text
    assert "本版没有：" in text and "district/999" in text


def test_no_chart_shows_a_suppressed_value(get: Callable[[str], httpx.Response]) -> None:
    """The share of 430203 in 2023 is suppressed: no figure, height or text of it may be in any view."""
    hidden = 6044.9 * 0.4
    for address in (f"/indicators/energy_tce?{CHOSEN}", "/indicators/energy_tce?show=district/430203",
                    f"/charts/energy_tce.wide.svg?{CHOSEN}", f"/embed/indicators/energy_tce?{CHOSEN}"):  # fmt: skip
        text = get(address).text
        for shown in (f"{hidden:,.1f}", f"{hidden:,.0f}"):
            assert shown not in re.sub(r'(points|x|y|x1|x2|y1|y2|cx|cy|height|width)="[^"]*"', "", text), (
                address,
                shown,
            )
        assert re.search(r"2022 [\d.,]+, 2023 已隐去, 2024 [\d.,]+", text)


def test_a_picture_names_release_address_and_whether_it_is_made_up(
    get: Callable[[str], httpx.Response], home: Path
) -> None:
    answer = get(f"/charts/energy_tce.wide.svg?{CHOSEN}")
    assert answer.headers["content-type"] == "image/svg+xml" and "script" not in answer.text
    said = "".join("".join(t.itertext()) for t in ET.fromstring(answer.text).iter(f"{SVG}text"))
    release = (home / "current").resolve().name
    assert f"http://test/r/{release}/indicators/energy_tce?show=district/430202" in said and "合成示例数据" in said
    assert get("/charts/nosuch.wide.svg").status_code == 404 and get("/charts/energy_tce.huge.svg").status_code == 404


def test_a_chart_may_be_framed_and_no_other_page(get: Callable[[str], httpx.Response]) -> None:
    framed = get(f"/en/embed/indicators/energy_tce?{CHOSEN}")
    assert "frame-ancestors *" in framed.headers["content-security-policy"] and "x-frame-options" not in framed.headers
    assert "Made-up data" in framed.text and "/en/indicators/energy_tce?show=district/430202" in framed.text
    for path in ("/", "/indicators/energy_tce", "/claims", "/embed/indicators/nosuch"):
        other = get(path)
        assert other.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in other.headers["content-security-policy"]


def test_the_scripts_are_small() -> None:
    assert sum(len(gzip.compress(p.read_bytes())) for p in STATIC.glob("*.js")) < 25_000


@pytest.mark.skipif(not charts.draws_chinese(), reason="no Chinese font here: apt-get install fonts-noto-cjk")
def test_a_png_is_drawn_and_really_shows_chinese(get: Callable[[str], httpx.Response]) -> None:
    """A font without Chinese draws the same box for every character."""
    answer = get("/charts/energy_tce.narrow.png")
    assert answer.status_code == 200 and answer.content.startswith(b"\x89PNG")

    async def draw() -> list[bytes | None]:
        renderer = PngRenderer()
        chart = [Chart(t, "", (Series("", (Point("2021", 1.0, "1", "1"),)),)) for t in "明账明"]
        try:
            return [await renderer.png(svg(c, 343, "c", file=True).encode()) for c in chart]
        finally:
            await renderer.close()

    first, second, third = asyncio.run(draw())
    assert first != second and first == third


def test_a_renderer_that_dies_or_is_wanted_too_often_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def no_child() -> Any:
        raise OSError("no more processes")

    monkeypatch.setattr(charts, "_child", no_child)

    async def ask() -> None:
        renderer = PngRenderer()
        assert await renderer.png(b"<svg/>") is None
        renderer._waiting = charts.WAITING
        with pytest.raises(Busy):
            await renderer.png(b"<svg/>")
        await renderer.close()

    asyncio.run(ask())
    assert "could not be rendered" in caplog.text


def test_a_png_needs_a_chinese_font(get: Callable[[str], httpx.Response], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "draws_chinese", lambda: False)
    assert get("/charts/energy_tce.wide.png").status_code == 404


# --- rankings ---


def rank(choice: ChartChoice = ChartChoice(), **about: Any) -> charting.Ranking | None:  # noqa: B008 - it is frozen
    series = (
        *DISTRICTS,
        Available("district/0", "district", "市本级", rows((2022, 30.0, "A"), (2023, 70.0, "A"))),
        Available("level/市", "level", "市", rows((2022, 5.0, "A"))),
        Available("level/县", "level", "县", rows((2022, -4.0, "A"))),
    )
    facts: Any = SimpleNamespace(release_id="r", as_of="2026-01-31", synthetic=False)
    return charting.ranking("zh", facts, BASE | about, choice, series, frozenset({"district/0"}))


def test_districts_are_ranked_the_citys_own_bodies_apart_and_the_suppressed_named() -> None:
    found = rank()
    assert found and (found.dimension, found.year, found.years) == ("district", 2023, (2022, 2023))
    assert [(r.name, r.text, r.mark) for r in found.rows] == [("一区", "60", "估算"), ("二区", "10", "")]
    assert [r.name for r in found.apart] == ["市本级"] and found.apart[0].share == 100.0
    assert found.rows[0].share == pytest.approx(60 / 70 * 100)
    assert rank(ChartChoice(view="ranking", by="level", year=2022)) is not None
    lone = rank(ChartChoice(year=2021))
    assert lone and lone.year == 2023  # in 2021 one alone has a value


def test_bars_that_would_mislead_are_left_out() -> None:
    found = rank(ChartChoice(by="level", year=2022))
    assert found and [r.share for r in found.rows] == [None, None]
    assert rank(unit="年月") is None


def test_a_ranking_is_a_view_with_an_address(get: Callable[[str], httpx.Response]) -> None:
    text = get("/indicators/energy_tce?view=ranking&by=district&year=2024").text
    table = re.search(r'<table class="ranking">.*?</table>', text, re.S)
    assert table and table[0].index("荷塘区") < table[0].index("芦淞区") and "5,951" in table[0]
    assert 'href="/indicators/energy_tce?view=ranking&amp;by=district&amp;year=2022#view"' in text
    assert "year=2023" not in text.replace("/2023", "")  # one of two is suppressed: nothing to rank
