"""Maps of equal tiles: classes, places, what has no figure, words for who cannot see it, one address for page, file and frame."""

from __future__ import annotations

import asyncio
import itertools
import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from publish.site.app import Site
from publish.site.drawing import COLOURS, WIDTHS
from publish.site.language import Language
from publish.site.pages import charting
from publish.site.pages.charting import Available, ChartChoice
from publish.site.pool import Pool
from publish.site.tilemap import CLASSES, Tile, TileMap, class_of, classes, colour_of, tilemap_svg
from tests.site.test_app import FIRST, talk

SVG = "{http://www.w3.org/2000/svg}"
ABOUT = {"indicator_id": "x", "name_zh": "指标", "name_en": "Indicator", "unit": "元", "decimals": 2}
DIVISIONS: list[dict[str, Any]] = [
    {"code": "0", "name_zh": "样例市", "name_en": "Example City", "level": "city"},
    {"code": "1", "name_zh": "一区", "name_en": "One District", "level": "district", "tile_column": 2, "tile_row": 1},
    {"code": "2", "name_zh": "二区", "name_en": "Two District", "level": "district", "tile_column": 1, "tile_row": 2},
    {"code": "3", "name_zh": "三县", "name_en": "Three County", "level": "county", "tile_column": 2, "tile_row": 2},
    {"code": "4", "name_zh": "四县", "name_en": "Four County", "level": "county", "tile_column": 2, "tile_row": 3},
    {"code": "5", "name_zh": "旧县", "name_en": "Old County", "level": "county", "successor": "4"},
]


def series(key: str, name: str, *points: tuple[int, float | None, str]) -> Available:
    return Available(
        key,
        "district",
        name,
        tuple({"year": y, "value": v, "status": s, "dimension": "district"} for y, v, s in points),
    )


SERIES = (
    Available("total", "total", "合计", ()),
    series("district/0", "市本级", (2022, 900.0, "A"), (2023, 800.0, "A")),
    series("district/1", "一区", (2022, 50.0, "A"), (2023, 60.0, "E")),
    series("district/2", "二区", (2022, None, "Q"), (2023, 12.0, "A")),
    series("district/3", "三县", (2022, 20.0, "A"), (2023, None, "Q")),
)


def made(choice: ChartChoice = ChartChoice(), language: Language = "zh", **about: Any) -> TileMap | None:  # noqa: B008 - it is frozen
    facts: Any = SimpleNamespace(release_id="r", as_of="2026-01-31", synthetic=True)
    found = charting.tile_map(language, facts, ABOUT | about, choice, SERIES, DIVISIONS)
    return found[0] if found else None


def drawn(of: TileMap, width: int = 700, file: bool = False) -> ET.Element:
    return ET.fromstring(tilemap_svg(of, width, "m", file))


def test_each_division_has_its_place_and_the_citys_own_bodies_have_none() -> None:
    of = made()
    assert of is not None
    places = {t.name: t.place for t in of.tiles}
    assert places == {"一区": (2, 1), "二区": (1, 2), "三县": (2, 2), "四县": (2, 3), "市本级": None}
    texts = ["".join(t.itertext()) for t in drawn(of).iter(f"{SVG}text")]
    assert "不在图上：" in texts and {"60", "12", "800", "已隐去", "没有记录"} <= set(texts)
    assert "合成示例数据 · 明账 · 发布版本 r" in texts and "一块代表一个县市区，不表示边界和面积。" in texts


def test_the_citys_own_bodies_do_not_leave_the_districts_one_colour() -> None:
    of = made()
    assert of is not None
    tiles = {a.get("aria-label", "").split()[0]: a for a in drawn(of).iter(f"{SVG}a")}
    fills = {name: next(iter(a.iter(f"{SVG}rect"))).get("fill") for name, a in tiles.items()}
    assert fills["一区"] != fills["二区"] and {fills["一区"], fills["二区"]} <= {
        COLOURS[f"t{n}"] for n in range(CLASSES)
    }
    assert fills["市本级"] == COLOURS["blank"]


def test_what_is_suppressed_differs_from_what_is_absent_by_pattern_and_in_words() -> None:
    of = made()
    assert of is not None
    root = drawn(of)
    inside = {a.get("aria-label"): a for a in root.iter(f"{SVG}a")}
    hidden = next(a for said, a in inside.items() if said and said.startswith("三县"))
    assert hidden.get("aria-label") == "三县 已隐去, 2023"
    assert any(g.get("fill") == "url(#m-Q)" for g in hidden.iter(f"{SVG}g"))
    texts = ["".join(t.itertext()) for t in root.iter(f"{SVG}text")]
    assert texts.count("已隐去") == 2 and "没有数字" in texts  # in the tile and in the legend


def test_all_of_a_map_is_in_words_and_every_tile_is_reached_by_the_keyboard() -> None:
    of = made()
    assert of is not None
    root = drawn(of)
    links = list(root.iter(f"{SVG}a"))
    assert root.get("role") == "group" and links[0].get("href") == "?show=district/1#view"
    assert len(links) == 4  # the one without a record has no years to show
    assert all(a.get("aria-label") for a in links)
    for t in of.tiles:
        assert t.label in str(root.get("aria-label"))
    file = drawn(of, file=True)
    assert file.get("role") == "img" and not list(file.iter(f"{SVG}a"))


def test_a_year_is_chosen_and_one_language_is_spoken() -> None:
    of = made(ChartChoice(view="map", year=2022), "en")
    assert of is not None and of.subtitle.startswith("2022")
    texts = "".join("".join(t.itertext()) for t in drawn(of).iter(f"{SVG}text"))
    assert "suppressed" in texts and "Not on the map:" in texts and "Four County" in texts


def test_a_name_that_has_no_english_is_marked_as_chinese() -> None:
    of = made(language="en")
    assert of is not None
    marked = {
        g.get("lang") for g in (*drawn(of).iter(f"{SVG}a"), *drawn(of).iter(f"{SVG}g")) if "区" in "".join(g.itertext())
    }
    assert marked == {"zh-CN"}
    chinese = made()
    assert chinese is not None and not any(e.get("lang") for e in drawn(chinese).iter())


def test_without_places_or_figures_to_compare_there_is_no_map() -> None:
    facts: Any = SimpleNamespace(release_id="r", as_of="2026-01-31", synthetic=False)
    unplaced = [{k: v for k, v in d.items() if not k.startswith("tile")} for d in DIVISIONS]
    assert charting.tile_map("zh", facts, ABOUT, ChartChoice(), SERIES, unplaced) is None
    assert charting.tile_map("zh", facts, ABOUT, ChartChoice(), SERIES[:2], DIVISIONS) is None
    assert made(unit="年月") is None


@pytest.mark.parametrize(
    "values",
    [
        [3.0],
        [-5.0, 0.0, 7.5],
        [1.0, 1.0],
        [1.0, 2.0],
        [0.0, 3.0],
        [0.001, 0.0011],
        [12.0, 1e9],
        list(map(float, range(12))),
    ],
)
def test_classes_are_few_round_and_hold_every_value(values: list[float]) -> None:
    bounds = classes(values)
    assert 2 <= len(bounds) <= CLASSES + 1 and bounds == sorted(bounds)
    assert any(v % 1 for v in values) or not any(b % 1 for b in bounds)
    for v in values:
        n = class_of(v, bounds)
        assert bounds[n] <= v <= bounds[n + 1]
    colours = [colour_of(n, len(bounds) - 1) for n in range(len(bounds) - 1)]
    assert len(set(colours)) == len(colours) and colours == sorted(colours)


@pytest.mark.parametrize("width", WIDTHS.values())
@pytest.mark.parametrize("across", [1, 3, 9, 16])
def test_tiles_stay_inside_the_picture_and_apart(width: int, across: int) -> None:
    tiles = tuple(
        Tile("某某自治县的名字", "1,234,567.89", float(c), "x", (c, r))
        for c, r in itertools.product(range(1, across + 1), (1, 2))
    )
    of = TileMap("题", "2024", (*tiles, Tile("市本级", "1", 1.0, "y")), "不在图上：", ("a", "b"), ("n",), "l")
    root = drawn(of, width)
    boxes = [
        tuple(float(r.get(k) or 0) for k in ("x", "y", "width", "height"))
        for r in root.iter(f"{SVG}rect")
        if r.get("rx")
    ]
    assert all(x >= 0 and x + w <= width + 0.2 and y + h <= float(str(root.get("height"))) for x, y, w, h in boxes)
    for (ax, ay, aw, ah), (bx, by, bw, bh) in itertools.combinations(boxes, 2):
        assert ax + aw <= bx + 0.2 or bx + bw <= ax + 0.2 or ay + ah <= by + 0.2 or by + bh <= ay + 0.2


def contrast(one: str, other: str) -> float:
    """The ratio of two colours by WCAG 2."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_words_on_a_tile_can_be_read() -> None:
    for n in range(CLASSES):
        ink = COLOURS["on-dark" if n >= 4 else "on-light"]
        assert contrast(ink, COLOURS[f"t{n}"]) >= 4.5
    assert contrast(COLOURS["on-blank"], COLOURS["blank"]) >= 4.5


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


def test_a_map_is_a_view_with_an_address_beside_chart_and_table(get: Callable[[str], httpx.Response]) -> None:
    text = get("/indicators/energy_tce?view=map&year=2024").text
    tabs = re.search(r'<nav class="tabs".*?</nav>', text, re.S)
    assert tabs and re.search(r'view=map&amp;year=2024#view" aria-current="true">地图<', tabs[0])
    assert 'role="group"' in text and 'aria-label="荷塘区 ' in text
    table = re.search(r'<table class="ranking">.*?</table>', text, re.S)
    assert table and "荷塘区" in table[0]  # the same in words
    assert "/charts/energy_tce.wide.svg?view=map&amp;year=2024" in text and "view=map&amp;year=2022#view" in text
    plain = get("/indicators/energy_tce").text
    assert ">地图</a>" in plain and 'role="group"' not in plain


def test_a_map_is_a_file_and_can_be_framed(get: Callable[[str], httpx.Response], home: Path) -> None:
    release = (home / "current").resolve().name
    said = "".join(
        "".join(t.itertext())
        for t in ET.fromstring(get("/charts/energy_tce.wide.svg?view=map").text).iter(f"{SVG}text")
    )
    assert f"http://test/r/{release}/indicators/energy_tce?view=map" in said and "合成示例数据" in said
    framed = get("/en/embed/indicators/energy_tce?view=map&year=2022")
    assert framed.status_code == 200 and "/en/indicators/energy_tce?view=map&amp;year=2022" in framed.text
    assert get("/charts/disposal_amount.wide.svg?view=map").status_code == 200


def test_an_address_of_a_map_that_is_not_there_says_so(get: Callable[[str], httpx.Response]) -> None:
    answer = get("/charts/nosuch.wide.svg?view=map")
    assert answer.status_code == 404


def test_districts_are_shown_where_all_totals_are_suppressed(make_release: Any, switch: Any, tmp_path: Path) -> None:
    folder = make_release(tmp_path, FIRST)
    with sqlite3.connect(folder / "mingzhang.db") as conn:
        conn.execute("update indicator_values set value = null, status = 'Q' where dimension = 'total'")
    conn.close()
    switch(tmp_path, FIRST)

    async def ask(client: httpx.AsyncClient, _: object) -> None:
        text = (await client.get("/indicators/energy_tce?view=map&year=2024")).text
        assert 'aria-label="荷塘区 ' in text and ">排名</a>" in text and 'class="big"' not in text

    talk(tmp_path, ask, workers=1)
