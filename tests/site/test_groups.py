"""The indicators of a topic stand in groups under subheads, each indicator once."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

from publish.site.pages.topics import GROUPS, TOPICS, grouped

INDICATORS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds" / "seed_indicators.csv"


def test_each_indicator_of_the_project_is_in_one_group() -> None:
    themes: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with INDICATORS.open(encoding="utf-8-sig") as f:
        for r in csv.DictReader(f):
            themes[r["theme"]].append(r)
    assert set(GROUPS) <= set(TOPICS.values())
    for theme, rows in themes.items():
        groups = grouped(rows)
        ids = [i["indicator_id"] for _, of in groups for i in of]
        assert sorted(ids) == sorted(i["indicator_id"] for i in rows), theme
        if theme in GROUPS:
            assert len(groups) == len(GROUPS[theme]) and all(name for name, _ in groups), (
                theme,
                [i["indicator_id"] for i in groups[-1][1]],
            )


def test_what_fits_no_group_comes_last_and_a_theme_of_a_city_has_none() -> None:
    energy = [{"indicator_id": i, "theme": "能源"} for i in ("bees", "pv_sites", "water")]
    assert [(name and name[1], [i["indicator_id"] for i in of]) for name, of in grouped(energy)] == [
        ("Water", ["water"]),
        ("Solar power", ["pv_sites"]),
        (None, ["bees"]),
    ]
    own = [{"indicator_id": "bees", "theme": "Bees"}]
    assert grouped(own) == [(None, own)] and grouped([]) == []
