"""Text files: encodings and separators."""

from __future__ import annotations

import pytest

from pipelines.intake.formats import text
from tests.intake.make import text as make

SIMPLE = [["单位名称", "月份", "用电量"], ["甲示范局", "2021-01", "1,000"], ["乙示范局", "2021-02", "2"]]
TRADITIONAL = [["單位名稱", "月份", "用電量"], ["某機關辦公室", "2021-01", "1"], ["某學校資產處", "2021-02", "2"]]
WESTERN = [["Año", "Población"], ["1990", "señor"], ["1991", "niño"]]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gb18030"), ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32"), ("utf-32-le", "utf-32-le"),
        ("utf-32-be", "utf-32-be"),
    ],
)  # fmt: skip
def test_encodings_are_told_by_the_bytes(encoding: str, said: str) -> None:
    decoded = text.decode(make(SIMPLE, encoding))
    assert decoded is not None
    assert decoded[1] == said
    assert text.rows(decoded[0].lstrip("\ufeff")) == SIMPLE


def test_big5_is_not_taken_for_gb18030_nor_western_for_either() -> None:
    assert text.decode(make(TRADITIONAL, "big5")) == (make(TRADITIONAL, "utf-8").decode(), "big5")
    assert text.decode(make(WESTERN, "cp1252")) == (make(WESTERN, "utf-8").decode(), "cp1252")


def test_bytes_that_are_no_text_are_not_decoded() -> None:
    assert text.decode(bytes(range(256)) * 20) is None


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_separators(separator: str) -> None:
    assert text.rows(make(SIMPLE, separator=separator).decode()) == SIMPLE


def test_a_decimal_comma_does_not_beat_the_semicolon() -> None:
    assert text.rows("a;b;c\n1,5;2,5;3,5\n4,5;5,5;6,5\n")[1] == ["1,5", "2,5", "3,5"]


def test_a_tab_at_the_end_of_each_cell_is_no_separator() -> None:
    assert text.rows(make(SIMPLE, after="\t").decode()) == SIMPLE


def test_excels_hint_names_the_separator_and_is_no_row() -> None:
    assert text.rows("sep=|\r\na|b\r\n1|2\r\n") == [["a", "b"], ["1", "2"]]


def test_line_ends_of_all_kinds_and_breaks_inside_quotes() -> None:
    assert text.rows('a,"b\nc"\r1,2\r\n3,4\n') == [["a", "b\nc"], ["1", "2"], ["3", "4"]]


def test_a_quotation_mark_that_nobody_closed_does_not_swallow_the_file() -> None:
    lines = ["a,b", 'x,"oops', *[f"{i},{'y' * 60}" for i in range(200)]]
    assert len(text.rows("\n".join(lines))) == len(lines)


def test_a_constant_written_as_a_formula_is_what_it_holds_and_a_formula_stays() -> None:
    lines = 'a,b,c\n="0731",=SUM(A1:A2),"=""2021-01"""\n'
    assert text.rows(lines)[1] == ["0731", "=SUM(A1:A2)", "2021-01"]
    assert text.rows('a,b\n="x"&A1,="a""b"\n')[1][0] == '="x"&A1'


def test_spaces_before_quotation_marks_do_not_count() -> None:
    assert text.rows('"a" ,"b", "c,d"\n"1", "2","3"\n') == [["a", "b", "c,d"], ["1", "2", "3"]]


def test_the_wide_comma_separates_where_nothing_else_does() -> None:
    assert text.rows("甲，乙，丙\n1，2，3\n")[1] == ["1", "2", "3"]
    assert text.rows("甲,乙\n一，二，三,四\n")[1] == ["一，二，三", "四"]


def test_a_few_lost_bytes_do_not_change_the_encoding() -> None:
    data = "单位名称,月份,用电量（千瓦时）\n甲示范局,2021-01,5\n乙示范".encode() + b"\xe5\xb1,2021-01,6\n"
    decoded, encoding = text.decode(data) or ("", "")
    assert encoding == "utf-8"
    assert text.rows(decoded)[2] == ["乙示范\ufffd", "2021-01", "6"]


def test_a_quotation_mark_that_nobody_closed_swallows_no_row_of_a_short_file() -> None:
    assert text.rows('a,b\n"1,2\n3,4\n') == [["a", "b"], ['"1', "2"], ["3", "4"]]
    assert text.rows('a,b\n"1\n2",3\n') == [["a", "b"], ["1\n2", "3"]]


def test_texts_in_single_quotation_marks_are_read_without_them() -> None:
    assert text.rows("'a','b'\n'甲, 乙','2'\n'丙',3\n") == [["a", "b"], ["甲, 乙", "2"], ["丙", "3"]]
    assert text.rows("a,b\n'001,2\n") == [["a", "b"], ["'001", "2"]]
