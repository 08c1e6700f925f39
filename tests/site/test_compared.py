"""A difference from a base year is told as less or more, never as a negative saving; definitions are in words of people."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from publish.site.compared import compared, overrun
from publish.site.language import Language

INDICATORS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds" / "seed_indicators.csv"
SAVED = {
    "name_zh": "电费水费比基年少支",
    "name_en": "Electricity and water cost less than in the base year",
    "unit": "元",
    "decimals": 2,
}
CHANGED = {
    "name_zh": "人均综合能耗较基年变化（可比口径）",
    "name_en": "Change of energy use per head since the base year, same institutions",
    "unit": "%",
    "decimals": 2,
}


@pytest.mark.parametrize(
    ("language", "indicator", "value", "said"),
    [
        ("zh", SAVED, -142000.0, "2025 年电费水费比 2021 年多支 14.2万元。"),
        ("zh", SAVED, 142000.0, "2025 年电费水费比 2021 年少支 14.2万元。"),
        ("zh", SAVED, 0.0, "2025 年电费水费同 2021 年一样。"),
        ("en", SAVED, -142000.0, "Electricity and water cost: 142,000 yuan more in 2025 than in 2021."),
        ("zh", CHANGED, -3.27, "2025 年人均综合能耗比 2021 年下降 3.27%（可比口径）。"),
        ("zh", CHANGED, 3.27, "2025 年人均综合能耗比 2021 年上升 3.27%（可比口径）。"),
        ("en", CHANGED, -3.27, "Energy use per head: 3.27% less in 2025 than in 2021, same institutions."),
    ],
)  # fmt: skip
def test_a_difference_is_told_as_less_or_more(
    language: Language, indicator: dict[str, object], value: float, said: str
) -> None:
    row = {"dimension": "base", "member": "2021", "year": 2025, "value": value}
    sentence = compared(language, indicator, row)
    assert sentence is not None
    assert sentence.striptags().replace("\xa0", " ") == said


def test_a_list_has_no_negative_saving_either() -> None:
    assert (
        overrun("zh", SAVED, -3.0, "3元") == "多支 <b>3元</b>"
        and overrun("en", SAVED, -3.0, "3 yuan") == "<b>3 yuan</b> more"
    )
    assert overrun("zh", SAVED, 3.0, "3元") is None and overrun("zh", CHANGED, -3.0, "3%") is None


def test_any_other_figure_has_the_usual_sentence() -> None:
    row = {"dimension": "base", "member": "2021", "year": 2025, "value": 1.0}
    assert compared("zh", SAVED, row | {"dimension": "total"}) is None
    assert compared("zh", SAVED, row | {"value": None}) is None
    assert compared("zh", SAVED, row | {"member": "all"}) is None
    assert compared("zh", SAVED | {"name_zh": "电费"}, row) is None


def test_definitions_use_no_name_of_the_database() -> None:
    with INDICATORS.open(encoding="utf-8-sig") as f:
        rows = list(csv.DictReader(f))
    assert len(rows) > 190
    for r in rows:
        assert not re.search(
            r"维度|成员|系数组|[a-z]+_[a-z]+|\b(default|national|newest|article)\b", r["definition_zh"]
        ), r["indicator_id"]
        assert not re.search(r"[a-z]+_[a-z]+|\bdimension\b|\bmember\b|\bdefault is\b", r["definition_en"]), r[
            "indicator_id"
        ]
