"""Figures and phrases as people read them, in both languages."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from publish.site.facts import Label
from publish.site.words import (
    CODES,
    bare_link,
    beside,
    change,
    column_title,
    compact,
    explain_sql,
    figure,
    foreign,
    number,
    own_half,
    pick,
    section,
    spell,
    unit,
    yes,
)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, None, ""),
        (6310.5, 3, "6,310.500"),
        (1234567.8, None, "1,234,568"),
        (6.92, None, "6.92"),
        (0.0212345, None, "0.02123"),
        (0.9999999, None, "1"),
        (-3.27, None, "−3.27"),
        (0, None, "0"),
        (100, None, "100"),
    ],
)
def test_number(value: float | None, decimals: int | None, text: str) -> None:
    assert number(value, decimals) == text


def test_large_figures_are_said_as_each_language_counts() -> None:
    assert [compact("zh", v) for v in (99_999, 100_000, 41_000_000, 2.5e8)] == ["99,999", "10万", "4,100万", "2.5亿"]
    said = [compact("en", v).replace("\u00a0", " ") for v in (999_999, 41_000_000, 2.5e9)]
    assert said == ["999,999", "41 million", "2.5 billion"]


def test_a_hidden_value_says_so() -> None:
    assert [figure("zh", None, s) for s in "SM"] == ["已隐去", "缺"]
    assert [figure("en", None, s) for s in "SM"] == ["suppressed", "missing"]
    assert figure("zh", 12.0, "A") == "12"


def test_change_needs_something_to_change_from() -> None:
    assert change(200, 150) == "−25.0%"
    assert change(0, 5) == "" == change(None, 5) == change(5, None)


def test_texts_of_the_data_are_escaped_and_marked_with_their_language() -> None:
    assert beside("zh", "<b>", "<i>") == '&lt;b&gt; <span class="beside" lang="en">&lt;i&gt;</span>'
    assert beside("en", "能耗", "Energy") == 'Energy <span class="beside" lang="zh-CN">能耗</span>'
    assert foreign("en", "荷塘<区>") == '<span lang="zh-CN">荷塘&lt;区&gt;</span>'
    assert foreign("zh", "One row per car park") == '<span lang="en">One row per car park</span>'
    assert foreign("en", "kgce") == "kgce" and foreign("zh", "荷塘区") == "荷塘区" and foreign("zh", None) == ""
    assert foreign("en", Markup("<a>荷塘</a>")) == '<span lang="zh-CN"><a>荷塘</a></span>'
    assert pick("en", "能耗", None) == '<span lang="zh-CN">能耗</span>' and pick("en", "能耗", "Energy") == "Energy"


@pytest.mark.parametrize(
    ("zh", "en"),
    [("元", "yuan"), ("kgce/人", "kgce/person"), ("次/辆月", "times/vehicle-month"), ("亿元", "100 million yuan"), ("万㎡", "10,000 ㎡"), ("tce", "tce"), ("万kWh/年", "10,000 kWh/year"), ("", "")],
)  # fmt: skip
def test_units(zh: str, en: str) -> None:
    assert unit("zh", zh) == zh and unit("en", zh) == en


def test_small_things() -> None:
    assert [yes("zh", v) for v in (1, 0, True, None, "")] == ["是", "否", "是", "", ""]
    assert yes("en", "true") == "Yes"
    assert section("en", "三(二)") == "3(2)" and section("zh", "三(二)") == "三(二)"
    note = "报送不全：缺 7 个机构月。 Incomplete: institution-months missing: 7."
    assert own_half("zh", note) == "报送不全：缺 7 个机构月。"
    assert own_half("en", note) == "Incomplete: institution-months missing: 7."
    assert own_half("en", "只有中文") == '<span lang="zh-CN">只有中文</span>'


def test_an_unknown_code_stands_for_itself() -> None:
    assert spell("zh", "check_status", "match") == CODES["check_status"]["match"][0]
    assert spell("en", "check_status", "match") == "Match"
    assert spell("zh", "check_status", "novel") == '<span lang="en">novel</span>'


@pytest.mark.parametrize(
    ("message", "words", "english"),
    [
        ("no such table: x", "没有名为 x 的表", "There is no table named x"),
        ("no such column: y", "没有名为 y 的列", "There is no column named y"),
        ('near "selec": syntax error', "“selec”附近有语法错误", "syntax error near “selec”"),
        ("not authorized to use function: randomblob", "函数 randomblob 不对公众开放", "The function randomblob"),
        ("something else", "something else", "something else"),
    ],
)
def test_sql_errors_are_explained(message: str, words: str, english: str) -> None:
    zh, en = explain_sql(message)
    assert words in zh and english in en


def test_column_title_names_the_unit() -> None:
    assert column_title(Label("面积", "Area", "㎡")) == "面积（㎡）"
    assert column_title(Label("金额", "Amount", "元", "含税"), "en") == "Amount (yuan): 含税"


def test_row_links_lose_their_long_key_only() -> None:
    assert bare_link(Markup('<a href="/x/1">1,2,3</a>'), "<open>") == '<a href="/x/1">&lt;open&gt;</a>'
