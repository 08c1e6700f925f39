"""Figures and phrases as people read them, in both languages."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from publish.site.bilingual import bare_link, beside, by_sentence, clauses, foreign, own_half, pick
from publish.site.facts import Label
from publish.site.numbers import change, compact, exact, number, places, scale
from publish.site.sql_errors import explain_sql
from publish.site.units import amount, amounts, figure, scaled_unit, unfinished, unit
from publish.site.vocabulary import CODES, allowed_values, breakdown, member, section, spell, yes


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
    assert [figure("zh", None, s) for s in "QO"] == ["已隐去", "缺"]
    assert [figure("en", None, s) for s in "QO"] == ["suppressed", "missing"]
    assert figure("zh", 12.0, "A") == "12"


def test_change_needs_something_to_change_from() -> None:
    assert change(200, 150) == "−25.0%"
    assert change(200, 200.01) == "0.0%" and unit("zh", "月") == "个月"
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
    [("元", "yuan"), ("次/辆月", "times per vehicle-month"), ("亿元", "100 million yuan"), ("", "")],
)  # fmt: skip
def test_units(zh: str, en: str) -> None:
    assert unit("zh", zh) == zh and unit("en", zh) == en


@pytest.mark.parametrize(
    ("symbol", "zh", "en"),
    [("kgce/人", "千克标准煤/人", "kg coal equivalent per person"), ("万㎡", "万平方米", "10,000 m²"), ("亿tce", "亿吨标准煤", "100 million t coal equivalent"),
     ("万kWh/年", "万千瓦时/年", "10,000 kWh per year"), ("%", "%", "%"), ("kgCO2/kWh", "千克二氧化碳/千瓦时", "kg CO₂ per kWh")],
)  # fmt: skip
def test_symbols_are_spelled_out(symbol: str, zh: str, en: str) -> None:
    assert (unit("zh", symbol), unit("en", symbol)) == (zh, en)


@pytest.mark.parametrize(
    ("values", "decimals", "of", "shown"),
    [([318.4067, 307.9922], 4, "kgce/人", 1), ([96380000.0, 5.5], 2, "元", 1), ([12.131, 11.97], 4, None, 2), ([3.0, 5.0], 4, None, 0),
     ([-0.1893], 4, "%", 2), ([0.0123], 4, None, 4), ([None, 0], 2, None, 0), ([12.345], 0, None, 0)],
)  # fmt: skip
def test_figures_that_stand_together_have_as_many_decimals(
    values: list[float | None], decimals: int, of: str | None, shown: int
) -> None:
    assert places(values, decimals, of) == shown


def test_figures_that_stand_together_have_one_scale() -> None:
    assert amounts("zh", [96_380_000, 52_490_000.0], "元", 2) == ["9,638万元", "5,249万元"]
    assert amounts("en", [96_380_000.0, 52_490_000.0], "元", 2) == [
        "96.38\u00a0million yuan",
        "52.49\u00a0million yuan",
    ]
    assert amounts("zh", [7.894, 23.94], "%", 4) == ["7.89%", "23.94%"] and scale("en", [None]) == (1.0, "")
    assert (
        scaled_unit("zh", "万", "元") == "万元" and scaled_unit("en", "million", "kgce") == "million kg coal equivalent"
    )


def test_a_year_takes_no_thousands_mark() -> None:
    assert (
        amount("zh", "2,023", "年") == "2023年"
        and amount("en", "2,023", "年") == "2023"
        and amount("zh", "3", "年") == "3年"
    )


def test_a_year_is_over_on_its_last_day() -> None:
    assert [unfinished("2025-12-31", y) for y in (2025, "2026", 2024)] == [False, True, False]


def test_members_of_breakdowns_have_names() -> None:
    names = {"430202": Label("荷塘区", "Hetang")}
    assert [member("zh", m, names) for m in ("all", "430202", "coal", "unknown", "土地")] == [
        "合计",
        "荷塘区",
        "煤炭",
        "不明",
        "土地",
    ]
    assert [member("en", m, names) for m in ("all", "430202", "coal", "unknown", "土地")] == [
        "Total",
        "Hetang",
        "Coal",
        "Not known",
        "Land",
    ]
    assert member("en", "新类别") == '<span lang="zh-CN">新类别</span>'


@pytest.mark.parametrize(
    ("dimension", "code", "zh", "en"),
    [("total", "all", "合计", "Total"), ("district", "430202", "县市区：荷塘区", "District: Hetang"), ("period", "2021-2025", "合计（2021-2025）", "Total (2021-2025)"),
     ("period/carrier", "2021-2025/coal", "能源品种：煤炭（2021-2025）", "Energy carrier: Coal (2021-2025)"), ("base", "2021", "合计（比 2021 年）", "Total (since 2021)"),
     ("base/district", "2021/430202", "县市区：荷塘区（比 2021 年）", "District: Hetang (since 2021)")],
)  # fmt: skip
def test_a_part_of_an_indicator_is_named(dimension: str, code: str, zh: str, en: str) -> None:
    names = {"430202": Label("荷塘区", "Hetang")}
    assert (breakdown("zh", dimension, code, names), breakdown("en", dimension, code, names)) == (zh, en)


def test_notes_of_years_are_said_once() -> None:
    notes = {2021: "系数：x。 Factor: x.", 2022: "缺 2 个月。 系数：x。 Missing: 2. Factor: x."}
    assert by_sentence("zh", notes) == [("", "系数：x。"), ("2022", "缺 2 个月。")]
    assert [y for y, _ in by_sentence("en", notes)] == ["", "2022"] and by_sentence("zh", {2021: "甲。"}) == [
        ("2021", "甲。")
    ]


def test_a_heading_breaks_between_its_clauses() -> None:
    assert clauses("甲<，乙") == '<span class="clause">甲&lt;，</span><span class="clause">乙</span>'


def test_small_things() -> None:
    assert [yes("zh", v) for v in (1, 0, True, None, "")] == ["是", "否", "是", "", ""]
    assert yes("en", "true") == "Yes"
    assert section("en", "三(二)") == "3(2)" and section("zh", "三(二)") == "三(二)"
    note = "报送不全：有 7 个单位·月未报。 Incomplete: institution-months missing: 7."
    assert own_half("zh", note) == "报送不全：有 7 个单位·月未报。"
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


def test_row_links_lose_their_long_key_only() -> None:
    assert bare_link(Markup('<a href="/x/1">1,2,3</a>'), "<open>") == '<a href="/x/1">&lt;open&gt;</a>'


@pytest.mark.parametrize(
    ("figure", "unit", "zh", "en"),
    [
        ("202,502", "年月", "2025年2月", "February 2025"),
        ("202502", "年月", "2025年2月", "February 2025"),
        ("202,412", "年月", "2024年12月", "December 2024"),
        ("2,023", "年", "2023年", "2023"),
        ("8", "年", "8年", "8\u00a0year"),
        ("202,513", "年月", "202,513年月", "202,513\u00a0year and month"),
    ],
)
def test_a_date_is_no_number(figure: str, unit: str, zh: str, en: str) -> None:
    assert amount("zh", figure, unit) == zh
    assert amount("en", figure, unit) == en


def test_a_date_among_figures_is_no_number() -> None:
    assert figure("zh", 202502.0, "A", 0, "年月") == "2025年2月"
    assert figure("en", 2023.0, "A", 0, "年") == "2023"
    assert figure("zh", 2023.0, "A", 0, "元") == "2,023"
    assert amounts("zh", [202411.0, 202502.0], "年月") == ["2024年11月", "2025年2月"]


@pytest.mark.parametrize(
    ("code", "en"),
    [
        ("超25万公里", "Over 250,000 km"),
        ("超30万公里或例外", "Over 300,000 km, or an exception"),
        ("全市不超10%", "At most 10 % of the city's"),
        ("单位不超8%", "At most 8 % of the institution's"),
        ("单位数量不限", "Any number of an institution"),
    ],
)
def test_the_limits_of_any_city_have_their_english(code: str, en: str) -> None:
    """Members of `rule` are called after the city's limits.csv: another city's limits are as readable as the first's."""
    assert member("en", code) == en


def test_a_cross_names_both() -> None:
    assert breakdown("zh", "period/level/method", "2021-2025/市/摘牌出售") == "级别、方式：市 · 摘牌出售（2021-2025）"
    assert breakdown("en", "level/method", "市/拍卖") == "Level, Method: City · Auction"
    assert breakdown("zh", "district", "430202") == "县市区：430202"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (182340980.0, "182,340,980"),
        (9600.25, "9,600.25"),
        (-1234, "−1,234"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (float("inf"), "inf"),
    ],
)
def test_a_cell_has_thousands_marks_and_all_its_digits(value: float, text: str) -> None:
    assert exact(value) == text


@pytest.mark.parametrize(
    ("figure", "of", "said"),
    [
        ("1.64", "亿tce", "164\u00a0million\u00a0t coal equivalent"),
        ("158.6", "万家", "1.586\u00a0million\u00a0institutions"),
        ("107", "亿m³", "10.7\u00a0billion\u00a0m³"),
        ("644.68", "万元/年", "6.4468\u00a0million\u00a0yuan per year"),
        ("−14.2", "万元", "−142,000\u00a0yuan"),
        ("1,887", "万kWh/年", "18.87\u00a0million\u00a0kWh per year"),
    ],
)
def test_english_counts_in_millions(figure: str, of: str, said: str) -> None:
    assert amount("en", figure, of) == said
    assert amount("zh", "1.64", "亿tce").startswith("1.64亿")


def test_scopes_bases_and_closed_lists_have_english_names() -> None:
    assert spell("en", "scope", "市直") == "Bodies directly under the city"
    assert spell("en", "basis", "当量值") == "Calorific value"
    assert str(allowed_values("en", "教育|卫生")).count("Education") == 1
    assert allowed_values("zh", "教育|卫生") == "教育、卫生"
