"""Figures and phrases as people read them."""

from __future__ import annotations

import pytest

from publish.site.facts import Label
from publish.site.words import CODES, bare_link, both, change, column_title, compact, explain_sql, figure, number, spell


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


def test_large_figures_are_said_in_wan_and_yi() -> None:
    assert [compact(v) for v in (99_999, 100_000, 41_000_000, 2.5e8)] == ["99,999", "10万", "4,100万", "2.5亿"]


def test_a_hidden_value_says_so() -> None:
    assert figure(None, "S") == "已隐去"
    assert figure(None, "M") == "缺"
    assert figure(12.0, "A") == "12"


def test_change_needs_something_to_change_from() -> None:
    assert change(200, 150) == "−25.0%"
    assert change(0, 5) == "" == change(None, 5) == change(5, None)


def test_texts_are_escaped_and_marked_with_their_language() -> None:
    assert both("<b>", "<i>") == '&lt;b&gt; <span class="en" lang="en">&lt;i&gt;</span>'


def test_an_unknown_code_stands_for_itself() -> None:
    assert spell("check_status", "match") == CODES["check_status"]["match"]
    assert spell("check_status", "novel") == ("novel", "")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("no such table: x", "没有名为 x 的表"),
        ("no such column: y", "没有名为 y 的列"),
        ('near "selec": syntax error', "“selec”附近有语法错误"),
        ("not authorized to use function: randomblob", "函数 randomblob 不对公众开放"),
        ("something else", "something else"),
    ],
)
def test_sql_errors_are_explained(message: str, words: str) -> None:
    assert words in explain_sql(message)[0]


def test_column_title_names_the_unit() -> None:
    assert column_title(Label("面积", "Area", "㎡")) == "面积（㎡） Area"


def test_row_links_lose_their_long_key_only() -> None:
    assert bare_link(both('a">b</a>')) == "a&#34;&gt;b&lt;/a&gt;"  # text that only looks like a link stays text
