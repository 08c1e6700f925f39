"""The topics of the site: the themes of a release's indicators, their addresses and order.

Belongs here: which themes have a page of their own, and which indicators lead it. Not here: which theme an indicator has, or its place
there: both are columns of the release (`theme`, `home_order`, `topic_order`), from the profile's list or the city's own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from publish.site.language import Pair

GROUPS: dict[str, list[list[str]]] = tomllib.loads(Path(__file__).with_name("groups.toml").read_text(encoding="utf-8"))

# address -> theme as contracts and indicators spell it, in the order of the site. A theme of a city's own has no page.
TOPICS: dict[str, str] = {
    "savings": "节约",
    "assets": "资产",
    "energy": "能源",
    "vehicles": "车辆",
    "offices": "办公用房",
    "services": "服务与改革",
    "base": "基础",
}
STORIES = 3  # charts on the home page of a release that gives no indicator a place there


def theme_order(theme: str | None) -> tuple[int, str]:
    """Return where a theme stands: in the order of the site, those of a city's own after them, what has none last."""
    themes = list(TOPICS.values())
    return (themes.index(theme), "") if theme in themes else (len(themes) + (not theme), theme or "")


def grouped(indicators: Sequence[dict[str, Any]]) -> list[tuple[Pair | None, list[dict[str, Any]]]]:
    """Return the indicators of one theme in groups with their names, in order; those of no group last, without a name."""
    left = list(indicators)
    found: list[tuple[Pair | None, list[dict[str, Any]]]] = []
    for zh, en, beginnings in GROUPS.get(indicators[0]["theme"], ()) if indicators else ():
        of = [i for i in left if i["indicator_id"].startswith(tuple(beginnings.split()))]
        left = [i for i in left if i not in of]
        found += [((zh, en), of)] if of else []
    return [*found, (None, left)] if left else found


def in_order(indicators: Sequence[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """Return the indicators that `column` gives a place, by it; none in a release without that column."""
    return sorted((i for i in indicators if i.get(column) is not None), key=lambda i: (i[column], i["indicator_id"]))


def home_indicators(indicators: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the topics of the home page with the indicators of which one is drawn, the preferred ones first."""
    by_topic = {t: [i for i in indicators if i["theme"] == theme] for t, theme in TOPICS.items()}
    placed = [t for t, of in by_topic.items() if in_order(of, "home_order")]
    topics = placed or [t for t, of in by_topic.items() if any(len(i["known"]) > 1 for i in of)][:STORIES]
    return {t: [*in_order(by_topic[t], "home_order"), *_usual(by_topic[t])] for t in topics}


def _usual(indicators: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(indicators, key=lambda i: i["kind"] not in ("flow", "stock", "ratio"))
