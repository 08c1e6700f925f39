"""Which indicators lead the home page and a topic's page is said by the release, not by the site."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import publish
from publish.site.pages.topics import STORIES, TOPICS, home_indicators, in_order

ROOT = Path(publish.__file__).resolve().parents[1]
SEED = ROOT / "dbt_project" / "seeds" / "seed_indicators.csv"


def indicator(name: str, theme: str, years: int = 2, kind: str = "flow", **places: int | None) -> dict[str, Any]:
    return {"indicator_id": name, "theme": theme, "kind": kind, "known": list(range(years)), **places}


def test_the_places_that_a_release_gives_decide() -> None:
    found = [
        indicator("b", "能源", home_order=2),
        indicator("a", "能源", home_order=1, years=1),
        indicator("c", "能源", home_order=None),
        indicator("sheep", "牧场", home_order=1),
        indicator("d", "资产", home_order=None),
    ]
    chosen = home_indicators(found)
    assert list(chosen) == ["energy"], (
        "a theme without a placed indicator, or that the site has no page for, is left out"
    )
    assert [i["indicator_id"] for i in chosen["energy"]][:2] == ["a", "b"]
    assert {i["indicator_id"] for i in chosen["energy"]} == {"a", "b", "c"}


def test_a_release_without_places_has_charts_of_its_first_topics() -> None:
    found = [indicator(f"{t}_{k}", theme, kind=k) for t, theme in TOPICS.items() for k in ("index", "ratio")]
    chosen = home_indicators(found)
    assert list(chosen) == list(TOPICS)[:STORIES]
    assert [of[0]["kind"] for of in chosen.values()] == ["ratio"] * STORIES
    assert home_indicators([]) == {} and in_order(found, "home_order") == []


def test_each_placed_indicator_of_the_profile_is_of_a_topic_and_no_place_is_given_twice() -> None:
    with SEED.open(encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    for column in ("home_order", "topic_order"):
        places = [(r["theme"], r[column]) for r in rows if r[column]]
        assert len(places) == len(set(places)) > 5 and {t for t, _ in places} <= set(TOPICS.values())


def test_the_pages_name_no_indicator() -> None:
    with SEED.open(encoding="utf-8", newline="") as f:
        ids = {r["indicator_id"] for r in csv.DictReader(f)}
    site = ROOT / "publish" / "site"
    files = [*(site / "pages").rglob("*.py"), *(site / "pages").rglob("*.toml"), site / "facts.py"]
    named = {
        f"{p.name}: {name}"
        for p in files
        for name in re.findall(r"""["']([a-z][a-z0-9_]+)["']""", p.read_text(encoding="utf-8"))
        if name in ids and "_" in name
    }
    assert files and not named
