"""What a chart says, before it is drawn: figures, zero, hidden years, lines to hold against, source; and who may ask for it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from publish.site import chart_spec, charts
from publish.site.chart_spec import _apart, lines_of, series, specification
from publish.site.charts import Charts, draw, names, wanted
from publish.site.facts import read_facts
from publish.site.language import Language

BASE = {"indicator_id": "x", "name_zh": "指标", "name_en": "Indicator", "unit": "元", "decimals": 2}


def spec(
    points: list[tuple[int, float | None, str]],
    width: int = 640,
    synthetic: bool = False,
    language: Language = "zh",
    lines: list[dict[str, Any]] | None = None,
) -> tuple[dict[str, Any], str]:
    indicator = BASE | {"points": [{"year": str(y), "value": v, "status": s} for y, v, s in points], "lines": lines}
    made = specification(indicator, "2025-12-31-0a1b2c3d", synthetic, width, language)
    return made, json.dumps(made, ensure_ascii=False)


def test_bars_begin_at_zero_and_carry_their_figures() -> None:
    made, text = spec([(2021, 41_000_000.0, "A"), (2022, 250_000_000.0, "A")])
    assert '"zero": true' in text and '"domain": [0.0, 25000.0]' in text and '"4,100"' in text and '"25,000"' in text
    assert (
        "单位：万元" in text and '"41,000,000.00"' in text
    )  # the scale stands once, at the unit; who points gets every digit
    assert "2025-12-31-0a1b2c3d" in text and "合成示例数据" not in text
    assert made["vconcat"][0]["width"] == 640


def test_a_chart_speaks_one_language() -> None:
    _, text = spec([(2021, 41_000_000.0, "A"), (2022, 5.0, "E")], language="en", synthetic=True)
    told = [t for t in ("Indicator", "Unit: million yuan", "Made-up data", "Release", '"41.00"') if t not in text]
    assert told == []
    assert not [c for c in text if "\u4e00" <= c <= "\u9fff"]


def test_a_hidden_year_stays_on_the_axis_and_says_so() -> None:
    _, text = spec([(2021, 5.0, "A"), (2022, None, "Q"), (2023, None, "O")])
    assert '"text": "已隐去"' in text and '"text": "缺"' in text and '"year": "2022"' in text


def test_made_up_and_estimated_values_are_said() -> None:
    _, text = spec([(2021, 5.0, "A"), (2022, 6.0, "E")], synthetic=True)
    assert "合成示例数据" in text and "浅色" in text
    assert "浅色" not in spec([(2021, 5.0, "A"), (2025, 5.0, "A")])[1]
    assert "浅色" in spec([(2021, 5.0, "A"), (2026, 5.0, "A")])[1]  # the release speaks of the end of 2025


def test_figures_of_one_chart_are_written_alike() -> None:
    _, text = spec([(2021, 318.4067, "A"), (2022, 307.9922, "A"), (2023, 0.0, "A")])
    assert [f'"text": "{t}"' in text for t in ("318.4", "308.0", "0.0")] == [True, True, True]


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
    _, text = spec([(2021, 5.0, "A"), (2022, 6.0, "A")], lines=found)
    assert r"全国平均\n300（2020）" in text and r"目标\n250（2025）" in text and '"domain": [0.0, 300.0]' in text
    assert r"National average\n300 (2020)" in spec([(2021, 5.0, "A")], lines=found, language="en")[1]


def test_names_of_lines_stand_apart_and_beside_the_bars() -> None:
    assert _apart([300.0, 299.0], 1.0, 30) == [-14.5, 14.5] and _apart([299.0, 300.0], 1.0, 30) == [14.5, -14.5]
    assert _apart([300.0, 200.0], 1.0, 30) == [0.0, 0.0] and _apart([300.0], 1.0, 30) == [0.0]
    held = lines_of([benchmark("全国", 300.0)], BASE)
    assert spec([(2021, 310.0, "A")], lines=held)[0]["vconcat"][0]["width"] < 640


def test_only_series_of_two_years_or_more_are_drawn(home: Path) -> None:
    conn = sqlite3.connect(home / "current" / "mingzhang.db")
    conn.row_factory = sqlite3.Row
    with conn:
        found = {s["indicator_id"]: [p["value"] for p in s["points"]] for s in series(conn)}
        assert len(names(conn)) == 4 * len(found)
    conn.close()
    assert found["energy_tce"] == [6310.5, 6190.2, 6044.9, 5951.0, 5822.6]
    assert found["disposal_amount"][0] is None


def test_drawing_is_the_same_each_time(home: Path) -> None:
    facts = read_facts((home / "current").resolve())
    once, twice = (draw(facts.database, facts.release_id, facts.synthetic, "energy_tce.zh.wide.svg") for _ in range(2))
    assert once == twice and once and b"<script" not in once and b"http://www.w3.org/2000/svg" in once
    assert draw(facts.database, facts.release_id, facts.synthetic, "nosuch.zh.wide.svg") is None
    library = draw(facts.database, facts.release_id, facts.synthetic, charts.LIBRARY)
    assert library and b"window.vegaEmbed" in library


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("energy_tce.wide.svg", "energy_tce.en.wide.svg"),
        ("energy_tce.narrow.json", "energy_tce.en.narrow.json"),
        ("vega.js", "vega.js"),
        ("energy_tce.huge.svg", None),
        ("energy_tce.wide.exe", None),
        ("../x.wide.svg", None),
        ("energy_tce", None),
        ("", None),
    ],
)
def test_addresses_of_charts(address: str, name: str | None) -> None:
    assert wanted(address, "en") == name


def test_a_png_needs_a_chinese_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "draws_chinese", lambda: False)
    assert wanted("energy_tce.wide.png", "zh") is None
    monkeypatch.setattr(charts, "draws_chinese", lambda: True)
    assert wanted("energy_tce.wide.png", "zh") == "energy_tce.zh.wide.png"


@pytest.mark.skipif(not charts.draws_chinese(), reason="no Chinese font here: apt-get install fonts-noto-cjk")
def test_a_png_really_shows_chinese() -> None:
    """A font without Chinese draws the same box for every character."""
    import vl_convert

    def picture(text: str) -> bytes:
        mark = {
            "mark": {"type": "text", "fontSize": 60, "font": chart_spec.FONTS},
            "encoding": {"text": {"value": text}},
        }
        return bytes(vl_convert.vegalite_to_png({"data": {"values": [{}]}} | mark))

    assert picture("明") != picture("账") and picture("明") == picture("明")


def test_only_charts_that_there_are_reach_the_drawing_process(home: Path) -> None:
    facts = read_facts((home / "current").resolve())

    async def ask() -> None:
        made = Charts()
        try:
            assert await made.get(facts, "nosuch.zh.wide.svg") is None
            drawer = made._drawers[facts.release_id]
            assert drawer._work is None and not drawer._made
            svg = await made.get(facts, "energy_tce.en.narrow.svg")
            assert svg is not None and b"Energy use" in svg
            assert await made.get(facts, "energy_tce.en.narrow.svg") is svg
        finally:
            await made.close()

    asyncio.run(ask())


def test_a_drawing_process_that_dies_leaves_tables(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    facts = read_facts((home / "current").resolve())

    async def no_child(_: Any) -> Any:
        raise OSError("no more processes")

    monkeypatch.setattr(charts, "_child", no_child)

    async def ask() -> None:
        made = Charts()
        assert await made.get(facts, "energy_tce.zh.wide.svg") is None
        await made.close()

    asyncio.run(ask())
    assert "its pages show tables only" in caplog.text
