"""What a chart says, before it is drawn: figures, zero, hidden years, source."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from publish.site.charts import draw, series, specification
from publish.site.facts import read_facts

BASE = {"indicator_id": "x", "name_zh": "指标", "name_en": "Indicator", "unit": "元"}


def spec(
    points: list[tuple[int, float | None, str]], width: int = 640, synthetic: bool = False
) -> tuple[dict[str, Any], str]:
    indicator = BASE | {"points": [{"year": str(y), "value": v, "status": s} for y, v, s in points]}
    made = specification(indicator, "2025-12-31-0a1b2c3d", synthetic, width)
    return made, json.dumps(made, ensure_ascii=False)


def test_bars_begin_at_zero_and_carry_their_figures() -> None:
    made, text = spec([(2021, 41_000_000.0, "A"), (2022, 250_000_000.0, "A")])
    assert '"zero": true' in text and "4,100万" in text and "2.5亿" in text
    assert "2025-12-31-0a1b2c3d" in text and "合成示例数据" not in text
    assert made["vconcat"][0]["width"] == 640


def test_a_hidden_year_stays_on_the_axis_and_says_so() -> None:
    _, text = spec([(2021, 5.0, "A"), (2022, None, "S"), (2023, None, "M")])
    assert '"text": "已隐去"' in text and '"text": "缺"' in text and '"year": "2022"' in text


def test_made_up_and_estimated_values_are_said() -> None:
    _, text = spec([(2021, 5.0, "A"), (2022, 6.0, "E")], synthetic=True)
    assert "合成示例数据" in text and "浅色" in text
    assert "浅色" not in spec([(2021, 5.0, "A")])[1]


def test_only_series_of_two_years_or_more_are_drawn(home: Path) -> None:
    conn = sqlite3.connect(home / "current" / "mingzhang.db")
    conn.row_factory = sqlite3.Row
    with conn:
        found = {s["indicator_id"]: [p["value"] for p in s["points"]] for s in series(conn)}
    conn.close()
    assert found["energy_tce"] == [6310.5, 6190.2, 6044.9, 5951.0, 5822.6]
    assert found["disposal_amount"][0] is None


def test_drawing_is_the_same_each_time(home: Path) -> None:
    facts = read_facts((home / "current").resolve())
    once, twice = (draw(facts.database, facts.release_id, facts.synthetic) for _ in range(2))
    assert once == twice and len(once) == 8
    assert "<script" not in "".join(once.values()) and "http://www.w3.org/2000/svg" in once["energy_tce.wide"]
