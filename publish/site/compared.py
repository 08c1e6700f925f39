"""The sentence of a figure that is set against a base year: how much less or more, in place of a negative saving.

Belongs here: indicators whose names say that they are such a difference (用电量比基年少用, 人均综合能耗较基年变化). Not here: sentences of
other figures (templates/_parts.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from publish.site.bilingual import foreign
from publish.site.language import Language
from publish.site.numbers import compact
from publish.site.units import amount

SAVED = re.compile(r"(?P<what>.+)比基年少(?P<verb>[支用])")
CHANGED = re.compile(r"(?P<what>.+)较基年变化(?P<how>（.+）)?")
SAVED_EN = re.compile(r"(?P<what>.+) less than in the base year")
CHANGED_EN = re.compile(r"Change of (?P<what>.+?) since the base year(?P<how>, .+)?")


VERBS = {"支": ("少支", "多支"), "用": ("少用", "多用")}  # of less and of more than in the base year


def compared(language: Language, indicator: Mapping[str, Any], row: Mapping[str, Any]) -> Markup | None:
    """Return the sentence of a value of dimension base; None for any other value, or an indicator of another name.

    `row` has dimension, member (the base year), year and value: 2025 年用电量比 2021 年多用 3 千瓦时。
    """
    base = str(row.get("member") or "")
    if row.get("dimension") != "base" or row.get("value") is None or not re.fullmatch(r"\d{4}", base):
        return None
    zh = language == "zh"
    name = str(indicator["name_zh"] if zh else indicator.get("name_en") or "")
    saved = (SAVED if zh else SAVED_EN).fullmatch(name)
    changed = (CHANGED if zh else CHANGED_EN).fullmatch(name)
    found = saved or changed
    if found is None:
        return None
    value = row["value"] if saved else -row["value"]
    size = amount(language, compact(language, abs(value)), indicator["unit"])
    what, how = found["what"], (changed["how"] or "") if changed else ""
    if zh:
        words = VERBS[saved["verb"]] if saved else ("下降", "上升")
        if not value:
            return Markup("{} 年{}同 {} 年一样{}。").format(row["year"], what, base, how)
        return Markup("{} 年{}比 {} 年{} <b>{}</b>{}。").format(row["year"], what, base, words[value < 0], size, how)
    what = what[0].upper() + what[1:]
    told = Markup("<b>{}</b> {}").format(size, "more" if value < 0 else "less") if value else Markup("the same")
    return Markup("{}: {} in {} {} in {}{}.").format(
        foreign(language, what), told, row["year"], "than" if value else "as", base, how
    )


def overrun(language: Language, indicator: Mapping[str, Any], value: float, size: str) -> Markup | None:
    """Return what a list has in place of a negative saving: 多用 3千瓦时, 3 kWh more. `size` is the value without its sign, in words.

    None for any other value, or an indicator of another name.
    """
    zh = language == "zh"
    saved = (SAVED if zh else SAVED_EN).fullmatch(str(indicator["name_zh"] if zh else indicator.get("name_en") or ""))
    if saved is None or value >= 0:
        return None
    return Markup("{} <b>{}</b>").format(VERBS[saved["verb"]][1], size) if zh else Markup("<b>{}</b> more").format(size)
