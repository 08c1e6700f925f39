"""Values: the spellings that people use, and properties that hold for all of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.contract import Column, unit_table
from pipelines.intake.sheets import Fault
from pipelines.intake.values import (
    BAD,
    PENDING,
    Bad,
    DoubtfulValue,
    from_serial,
    read_boolean,
    read_choice,
    read_column,
    read_date,
    read_integer,
    read_month,
    read_name,
    read_number,
    read_text,
    read_year,
    scaled,
)
from pipelines.intake.vocabulary import vocabulary

YUAN = unit_table()["元"]
AREA = unit_table()["㎡"]


def yuan(v: object, factor: int | None = None) -> object:
    return read_number(v, YUAN, None if factor is None else Decimal(factor), "元")


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("１２３４．５", 1234.5), ("1,234.5", 1234.5), ("1，234", 1234.0), (" 2 104.4 ", 2104.4), ("(1,234)", -1234.0),
        ("（1,234）", -1234.0), ("−5", -5.0), ("－5", -5.0), ("+5", 5.0), ("¥100", 100.0), ("1e3", 1000.0), ("3万", 30000.0),
        ("1.2亿", 120000000.0), ("5元", 5.0), ("5万元", 50000.0), ("0", 0.0), (0, 0.0), (7, 7.0), (".5", 0.5),
    ],
)  # fmt: skip
def test_numbers(cell: object, value: float) -> None:
    assert yuan(cell) == value


@pytest.mark.parametrize(
    "cell",
    [
        "\\N",
        "(null)",
        "NaT",
        "undefined",
        "",
        " ",
        "-",
        "—",
        "——",
        "/",
        "无",
        "空",
        "N/A",
        "n/a",
        "暂无",
        "…",
        None,
        "　",
    ],
)
def test_blanks_are_nothing_and_not_zero(cell: object) -> None:
    assert yuan(cell) is None
    assert read_date(cell) is None
    assert read_month(cell) is None


@pytest.mark.parametrize(
    "cell", ["abc", "1,2", "12,34", "1.2.3", "2021-03-05", "见附件", "5个", "5%", "二十", True, "1-2", "$5"]
)
def test_what_is_no_number_is_said_to_be_none(cell: object) -> None:
    assert yuan(cell) == BAD


@pytest.mark.parametrize("cell", ["12以上", "12万以下", "12+", "12元以上", "30以内", "100人以上"])
def test_where_a_number_begins_or_ends_is_no_number(cell: str) -> None:
    assert read_number(cell, YUAN | {"人": Decimal(1)}, None, "元") == Bad("bound")


@pytest.mark.parametrize("cell", ["0,500", "-0,5", "00,123", "100，200", "1200，800"])
def test_a_comma_that_parts_no_thousands_makes_no_number(cell: str) -> None:
    assert yuan(cell) == BAD


def test_a_whole_number_in_brackets_is_one_of_a_list() -> None:
    assert read_integer("(3)", {}, None) == read_integer("（3）", {}, None) == BAD
    assert yuan("(3)") == -3.0


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("约120", 120),
        ("120余", 120),
        ("近3万", 30000),
        ("1200多", 1200),
        ("3万多元", 30000),
        ("大约5", 5),
        ("100左右", 100),
    ],
)
def test_approximate_numbers_are_read_and_doubted(cell: str, value: float) -> None:
    assert yuan(cell) == DoubtfulValue(value)


@pytest.mark.parametrize("cell", ["5万", "5万元", "5元", "3.03亿"])
def test_a_unit_in_the_cell_under_a_unit_in_the_header_is_ambiguous(cell: str) -> None:
    assert yuan(cell, 10_000) == Bad("unit")


def test_a_unit_in_the_cell_that_repeats_the_header_without_a_multiple_is_clear() -> None:
    assert read_number("5平方米", AREA, Decimal(1), "㎡") == 5
    assert read_number("3.03万㎡", AREA, Decimal(10_000), "㎡") == Bad("unit")


def test_units_apply_exactly() -> None:
    assert yuan(249.8, 10_000) == 2498000.0
    assert yuan("249.8", 10_000) == 2498000.0
    assert scaled(2.09798, Decimal(10_000)) == 20979.8


@given(st.decimals(-(10**9), 10**9, places=6), st.sampled_from(sorted(set(YUAN.values()))))
def test_a_number_and_its_text_give_the_same_exact_product(number: Decimal, factor: Decimal) -> None:
    text = f"{number:f}"
    want = float(number * factor)
    assert read_number(text, YUAN, factor, "元") == want
    assert scaled(float(number), factor) == pytest.approx(want, rel=1e-14, abs=1e-12)


@given(st.integers(-(10**12), 10**12))
def test_thousands_marks_and_width_do_not_matter(number: int) -> None:
    wide = f"{number:,}".translate({ord(a): chr(ord(a) + 0xFEE0) for a in "0123456789,.-"})
    assert yuan(f"{number:,}") == yuan(wide) == yuan(str(number)) == float(number)


@given(st.text(max_size=30))
def test_any_text_is_a_value_nothing_or_bad(text: str) -> None:
    for read in (yuan, read_year, read_month, read_date, read_boolean, read_text):
        result = read(text)  # type: ignore[operator]
        assert result is None or isinstance(result, (float, int, str, dt.date, Bad, DoubtfulValue))


@given(st.floats())
def test_any_float_is_a_value_or_bad(number: float) -> None:
    for read in (yuan, read_year, read_month, read_date, read_boolean, read_text):
        result = read(number)  # type: ignore[operator]
        assert isinstance(result, (float, int, str, dt.date, Bad))
        assert not (isinstance(result, float) and result != result), "NaN is no value"


@given(st.dates(dt.date(1950, 1, 1), dt.date(2099, 12, 31)))
def test_a_date_reads_the_same_in_every_spelling(day: dt.date) -> None:
    y, m, d = day.year, day.month, day.day
    spellings = [
        f"{y}.{m}.{d}", f"{y}-{m:02}-{d:02}", f"{y}/{m}/{d}", f"{y}_{m:02}_{d:02}", f"{y}{m:02}{d:02}", f"{y}年{m}月{d}日",
        f" {y} 年 {m} 月 {d} 日 ", f"{y}-{m:02}-{d:02} 00:00:00", float(f"{y}{m:02}{d:02}"), (day - dt.date(1899, 12, 30)).days,
        day, dt.datetime(y, m, d, 13, 30),
    ]  # fmt: skip
    assert {read_date(s) for s in spellings} == {day}
    assert {read_month(s) for s in spellings} == {f"{y:04}-{m:02}"}
    assert read_date((day - dt.date(1904, 1, 1)).days, epoch_1904=True) in (day, BAD, Bad("date_precision"))


def test_serials_of_both_systems() -> None:
    assert from_serial(44260) == dt.date(2021, 3, 5)
    assert read_date(44260.5) == dt.date(2021, 3, 5)
    assert read_date("44260") == dt.date(2021, 3, 5)
    assert read_date(42798, epoch_1904=True) == dt.date(2021, 3, 5)


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("2021-03", "date_precision"), ("2021年", "date_precision"), (2021.0, "date_precision"), ("202103", "date_precision"),
        ("03/04/2021", "date_order"), ("2021-02-30", ""), ("2021-13-01", ""), ("昨天", ""), (5, ""), (True, ""),
    ],
)  # fmt: skip
def test_dates_that_are_none(cell: object, why: str) -> None:
    assert read_date(cell) == Bad(why)


def test_a_day_past_the_twelfth_tells_the_order() -> None:
    assert read_date("25/12/2021") == read_date("12/25/2021") == dt.date(2021, 12, 25)


@pytest.mark.parametrize(
    "cell",
    [
        "2021年3月",
        "2021-03",
        "2021.3",
        "2021.03",
        "2021/3",
        "202103",
        202103.0,
        2021.03,
        "2021年03月份",
        "二〇二一年三月",
        "2021_3",
    ],
)
def test_months(cell: object) -> None:
    assert read_month(cell) == "2021-03"


@pytest.mark.parametrize("cell", ["3月", "03月", "三月", "3", 3.0, "3月份"])
def test_a_month_without_its_year_needs_the_sheet_to_state_one(cell: object) -> None:
    assert read_month(cell, 2021) == "2021-03"
    assert read_month(cell) == BAD


@pytest.mark.parametrize("cell", ["2021年第一季度", "2021上半年", "2021年1-3月", "1月至3月", "2021年", 2021.0])
def test_longer_than_a_month_is_no_month(cell: object) -> None:
    assert read_month(cell, 2021) == Bad("month_precision")


def test_a_month_that_a_spreadsheet_may_have_shortened_is_not_guessed() -> None:
    assert read_month(2021.1) == BAD  # January, or October shown as 2021.10
    assert read_month("2021.1") == "2021-01"
    assert read_month("2021-13") == BAD


@pytest.mark.parametrize(
    "cell", ["2021", "2021年", "2021年度", 2021, 2021.0, "２０２１", dt.date(2021, 5, 1), "二〇二一年"]
)
def test_years(cell: object) -> None:
    assert read_year(cell) == 2021


def test_a_day_in_a_column_of_years_is_of_its_year() -> None:
    assert read_year("2021-03-05") == read_year("2020-12-31T16:00:00Z") == read_year("2021/3/5 9:15") == 2021
    assert read_year("2021-02-30") == BAD


@pytest.mark.parametrize("cell", ["21", "2021-2022", 2021.5, 12.0, "去年"])
def test_years_that_are_none(cell: object) -> None:
    assert read_year(cell) == BAD


@pytest.mark.parametrize("cell", ["是", "√", "✓", "有", "Y", "y", "yes", "TRUE", "1", 1.0, True, " 是 "])
def test_yes(cell: object) -> None:
    assert read_boolean(cell) is True


@pytest.mark.parametrize("cell", ["否", "×", "✗", "无", "N", "no", "false", "0", 0.0, False])
def test_no(cell: object) -> None:
    assert read_boolean(cell) is False


def test_neither_yes_nor_no() -> None:
    assert read_boolean("说不清") == BAD
    assert read_boolean(2.0) == BAD
    assert read_boolean("—") is None


def test_text_keeps_what_is_inside_and_codes_keep_their_digits() -> None:
    assert read_text("　某 局\n分部 ") == "某 局\n分部"
    assert read_text(12.0) == "12"
    assert read_text(1.5) == "1.5"
    assert read_text(430200) == "430200"
    assert read_text(114302002914177712.0) == Bad("digits_lost")
    assert read_text(dt.date(2021, 3, 5)) == "2021-03-05"


def test_choices_are_folded_to_the_list_and_others_kept_for_the_suite() -> None:
    folded = {"正局(处)级": "正局(处)级", "是": "是"}
    assert read_choice(" 正局（处）级　", folded) == "正局(处)级"
    assert read_choice("副局级", folded) == "副局级"
    assert read_choice("—", folded) is None


def test_whole_numbers() -> None:
    assert read_integer("1,200", {}, None) == 1200
    assert read_integer(3.0, {}, None) == 3
    assert read_integer(3.5, {}, None) == BAD
    assert read_integer("12辆", {}, None) == 12
    assert read_integer("约3", {}, None) == DoubtfulValue(3)


def column(kind: str, required: bool = False) -> Column:
    return Column("c", "列", "C", kind, "L0", required=required)  # type: ignore[arg-type]


def test_pending_is_nothing_where_nothing_may_stand_and_unreadable_where_something_must() -> None:
    assert read_column(["待核实", 1.0], column("decimal"), None) == ([None, 1.0], [])
    assert read_column(["待核实", 1.0], column("decimal", True), None) == ([None, 1.0], [(0, PENDING)])


@given(
    st.lists(st.one_of(st.none(), st.just(""), st.floats(allow_nan=False), st.text(max_size=8), st.dates()), max_size=8)
)
def test_a_column_reads_as_its_cells_do(cells: list[object]) -> None:
    for kind, one in (("decimal", lambda v: read_number(v, {}, None)), ("date", read_date), ("string", read_text)):
        values, odd = read_column(cells, column(kind), None)
        assert len(values) == len(cells)
        at = dict(odd)
        for k, cell in enumerate(cells):
            want = one(cell)
            if want is PENDING:
                want = None
            if isinstance(want, (Bad, DoubtfulValue)):
                assert at[k] == want
            else:
                assert values[k] == want
                assert k not in at


@pytest.mark.parametrize("cell", ["2①", "3.5²", "1,200⑴", "7 ③"])
def test_the_mark_of_a_footnote_is_no_digit(cell: str) -> None:
    assert yuan(cell) == Bad("marked")
    assert read_number("30m²", AREA, None, "㎡") == 30  # and a unit's is no mark


@pytest.mark.parametrize("cell", ["1①", "2021年1①月", "2021-03-05②"])
def test_nor_is_it_one_of_a_month_or_a_day(cell: str) -> None:
    for read in (lambda v: read_month(v, 2021), read_date):
        assert isinstance(read(cell), Bad)


def test_the_apostrophe_that_keeps_a_cell_text_is_no_part_of_it() -> None:
    assert yuan("'1,234.5") == yuan("’1234.5") == 1234.5
    assert read_month("'2021-03") == "2021-03"
    assert read_date("'20210305") == dt.date(2021, 3, 5)
    assert read_text("'11430200291417717A") == "11430200291417717A"
    assert read_text("‘两个’字") == "‘两个’字"


def test_a_formula_is_no_number_and_no_day() -> None:
    assert yuan("=B2*10000") == read_date("=TODAY()") == read_month("=A1", 2021) == Bad("formula")


@pytest.mark.parametrize(
    "cell",
    [
        "100\n200", "100\r\n200", "1200\n800", "100 200", "1 200\n800", "100\t200", "5 -3", "5 .5", "12 34", "1 200 30", "1, 200", "1 2",
        "1e400", "9e99", "-1e400", "100　200", "100\u00a0200", "12\u00a0000\n5",
    ],
)  # fmt: skip
@pytest.mark.parametrize("factor", [None, 10_000])
def test_two_numbers_in_a_cell_are_none(cell: str, factor: int | None) -> None:
    assert yuan(cell, factor) == BAD


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1 200", 1200), ("1 234 567", 1234567), ("12 345.6", 12345.6), ("-1 200", -1200), ("1\u00a0234\u00a0567", 1234567),
        ("1　200", 1200), ("123\u2009456", 123456), ("123\u202f456,5", None), ("987\u202f654.5", 987654.5), (" 100 ", 100), ("100\n", 100),
        ("约 1 200 元", 1200), ("1 200\n元", 1200), ("5 万 元", 50000), ("¥ 1 200", 1200), ("100\u200b200", 100200), ("\u202a1200\u202c", 1200),
        ("\u202a1200\u202c", 1200),
    ],
)  # fmt: skip
def test_groups_of_three_are_one_number(cell: str, value: float | None) -> None:
    got = yuan(cell)
    assert (got.value if isinstance(got, DoubtfulValue) else got) == (BAD if value is None else value)


@given(st.integers(0, 999_999), st.integers(0, 999_999), st.sampled_from(["\n", " ", "\r\n", "\t", "  ", "\n\n"]))
def test_numbers_side_by_side_are_never_joined_but_in_groups_of_three(a: int, b: int, gap: str) -> None:
    got = yuan(f"{a}{gap}{b}")
    grouped = "\n" not in gap and gap != "\t" and a < 100 and len(str(b)) == 3
    assert got == (float(f"{a}{b}") if grouped else BAD)


@pytest.mark.parametrize(
    "cell", ["#REF!", "#NAME?", "#DIV/0!", "#VALUE!", "#N/A", "#ref!", "Err:502", "#####", Fault("error", "#REF!")]
)
def test_an_error_is_no_value_of_any_kind(cell: object) -> None:
    for read in (yuan, read_year, read_month, read_date, read_boolean, read_text, read_name):
        assert read(cell) == Bad("error"), read  # type: ignore[operator]
    assert read_choice(cell, {"是": "是"}) == Bad("error")


@pytest.mark.parametrize(
    "cell",
    [
        "#WERT!", "#BEZUG!", "#NAAM?", "#NOME?", "#¿NOMBRE?", "#¡REF!", "#DIV/0 !", "#DZIEL/0!", "#ССЫЛКА!", "#ИМЯ?", "#DEĞER!",
        "#VÄRDEFEL!", "#NV", "#N/D", "#Н/Д", "#REF", "＃REF！", "##", "Err：508", "错误:502", "#N/A N/A",
    ],
)  # fmt: skip
def test_an_error_in_another_language_is_one(cell: str) -> None:
    assert read_text(cell) == read_name(cell) == yuan(cell) == read_date(cell) == Bad("error")


@pytest.mark.parametrize("kind", ["error", "formula", "picture", "struck", "marked"])
@pytest.mark.parametrize("of", ["decimal", "integer", "year", "month", "date", "boolean", "string", "enum"])
def test_a_cell_at_fault_is_lost_and_told_in_a_column_of_any_kind(of: str, kind: str) -> None:
    fault = Fault(kind, "1500")  # type: ignore[arg-type]
    assert read_column([fault], column(of), None) == ([None], [(0, Bad(kind))])


@pytest.mark.parametrize(
    "cell",
    [
        '=C2&"二期"', "=SUM(A1:A3)", "=A1", "=表1!B2*0.6", "='用 电'!$B$2", "=-A1", '="甲"&"乙"', "=IF(A1>0,TRUE,FALSE)",
        "=VLOOKUP(A2,Sheet2!A:B,2,0)", "=1+1", "=单价*数量", "=@A1", "=[1]Sheet1!A1", "=R[-1]C*2", "=表1[[#此行],[金额]]", "=[@金额]",
        "=SUM([.A1:.B2])", "{=SUM(A1:A3)}", "={1,2}",
    ],
)  # fmt: skip
def test_a_formula_is_no_text(cell: str) -> None:
    assert read_text(cell) == Bad("formula")


@pytest.mark.parametrize("cell", ['=DISPIMG("ID_2F6A",1)', '=_xlfn.DISPIMG("ID_2F6A",1)', '=IMAGE("http://a/b.png")'])
def test_a_picture_is_no_text(cell: str) -> None:
    assert read_text(cell) == Bad("picture")


@pytest.mark.parametrize(
    "cell",
    [
        "#3楼",
        "#",
        "＃1",
        "#A座",
        "#1!",
        "#重要！",
        "{甲}",
        "=甲-乙",
        "错别字",
        "=同上年",
        "=> 见附件",
        "==重点==",
        "=A座三层",
        "#1 主变",
        "E栋",
        "Err",
        "=1号楼",
        "#N/A号",
    ],
)
def test_texts_that_begin_like_one_are_texts(cell: str) -> None:
    assert read_text(cell) == cell


@pytest.mark.parametrize("cell", ["2.0211E+11", "1.14302E+17", "4.3e+17", "1E+10"])
def test_a_code_in_scientific_notation_has_lost_its_digits(cell: str) -> None:
    assert read_text(cell) == read_name(cell) == Bad("digits_lost")
    assert yuan(cell) == float(cell), "a number is what it says"


@pytest.mark.parametrize("cell", ["2.0211E11", "1.0E15", "4.3e17"])
def test_so_has_one_as_java_writes_it(cell: str) -> None:
    assert read_text(cell) == Bad("digits_lost")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("甲\r\n乙", "甲\n乙"), ("甲_x000D_\n乙", "甲\n乙"), ("甲_x000D_", "甲"), ("甲&amp;乙", "甲&乙"), ("a&nbsp;b", "a b"), ("&nbsp;", None),
        ("A&#66;", "AB"), ("HT\u200b-1", "HT-1"), ("\ufeffHT-1", "HT-1"), ("HT\x00-1\x07", "HT-1"), ("HT\u00ad-1", "HT-1"), ("a\u00a0b", "a b"),
        ("AT&T", "AT&T"), ("R&D;费", "R&D;费"), ("👨\u200d👩", "👨\u200d👩"), ("一　二", "一　二"), ('="001"', "001"), ("'001", "001"), ("’9", "9"),
    ],
)  # fmt: skip
def test_a_text_is_what_is_seen_of_it(cell: str, text: str | None) -> None:
    assert read_text(cell) == text


@pytest.mark.parametrize("cell", ["\ufffd\ufffd局", "甲\ufffd", "锟斤拷局"])
def test_what_was_lost_in_an_encoding_is_no_text(cell: str) -> None:
    assert read_text(cell) == Bad("garbled")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (True, "TRUE"), (False, "FALSE"), (dt.time(8, 30), "8:30"), (dt.time(18, 0, 5), "18:00:05"), (dt.timedelta(hours=30), "30:00"),
        (0.1 + 0.2, "0.3"), (100.1, "100.1"),
    ],
)  # fmt: skip
def test_a_value_among_texts_is_what_is_seen_of_it(cell: object, text: str) -> None:
    assert read_text(cell) == text
    assert read_choice(True, {"是": "是", "否": "否"}) == "是"


def test_what_a_program_left_of_its_writing_hides_no_number() -> None:
    assert yuan("1,200&nbsp;") == yuan("1200_x000D_") == 1200
    assert read_date("2021-3-1&nbsp;") == read_date("2021-3-1_x000D_\n") == dt.date(2021, 3, 1)


@pytest.mark.parametrize("cell", ["0E+10", "2E楼", "12E+11", "1.2E3"])
def test_other_codes_with_an_e_are_kept(cell: str) -> None:
    assert read_text(cell) == cell


def test_none_in_capitals_is_a_value_and_not_available_is_none() -> None:
    assert read_text("NONE") == "NONE"
    assert read_text("None") is None  # what a program in Python writes for nothing
    for cell in ("Not Available", "not available", "Not Applicable", "Not Applicable: Standalone Property", "N/A"):
        for read in (yuan, read_year, read_month, read_date, read_boolean, read_text):
            assert read(cell) is None, (cell, read)  # type: ignore[operator]
    assert read_text("Nothing to declare") == "Nothing to declare"
    assert read_text("Not Applicability") == "Not Applicability"
    assert yuan("NONE") is None


def test_a_column_has_words_for_nothing_of_its_own() -> None:
    own = replace(column("decimal"), missing=("0", "不掌握"))
    assert read_column([0.0, "0", "不掌握", 5.0, 0], own, None) == ([None, None, None, 5.0, None], ())
    assert read_column([0.0, 5.0], column("decimal"), None)[0] == [0.0, 5.0]
    text = replace(column("string"), missing=("NONE",))
    assert read_column(["NONE", "无", "有"], text, None) == ([None, None, "有"], ())
    year = replace(column("year"), missing=("0",))
    assert read_column([0.0, 2021.0], year, None) == ([None, 2021], ())


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("北    京", "北京"),
        ("吉 林", "吉林"),
        ("吉　林", "吉林"),
        ("A 座 东 区", "A 座东区"),
        ("甲局 2 部", "甲局 2 部"),
    ],
)
def test_white_space_inside_a_name_fills_its_column_only(cell: str, name: str) -> None:
    assert read_name(cell) == name
    for of in (
        replace(column("string"), institution="name"),
        replace(column("string"), codelist="divisions"),
        column("enum"),
    ):
        assert read_column([cell], of, None)[0] == [name]
    assert read_column([cell], column("string"), None)[0] == [cell], "a text may hold what it likes"


@pytest.mark.parametrize("cell", [1828, 1828.0, "1828", "1828年", "一八二八年"])
def test_what_years_are_possible_is_the_contracts_to_say(cell: object) -> None:
    assert read_year(cell) == 1828


def test_a_year_typed_into_a_cell_for_dates_is_no_day() -> None:
    for read in (read_date, read_month, read_year):
        assert read(dt.date(1905, 7, 7)) == read("1905/7/7") == Bad("year_as_day")  # type: ignore[operator]
    assert read_date(dt.date(1949, 10, 1)) == DoubtfulValue(dt.date(1949, 10, 1), "early")
    assert read_date("1949-10-01") == dt.date(1949, 10, 1), "whoever writes it out means it"
    cells = [dt.date(2021, 3, 5), dt.date(1905, 7, 7)]
    assert read_column(cells, column("date"), None) == ([cells[0], None], [(1, Bad("year_as_day"))])


@pytest.mark.parametrize(
    "cell",
    [
        dt.time(),
        dt.date(1899, 12, 31),
        dt.datetime(1899, 12, 30),
        "1900/1/0",
        "1900-01-00",
        "1899-12-30",
        "1899/12/30 0:00:00",
        "0000-00-00",
        "0001/1/1 0:00:00",
    ],
)
def test_nought_in_a_cell_for_dates_is_nothing_where_nothing_may_stand(cell: object) -> None:
    for kind in ("date", "month", "year"):
        assert read_column([cell], column(kind), None) == ([None], [])
        (_, [(_, why)]) = read_column([cell], column(kind, True), None)
        assert isinstance(why, Bad)


def test_the_sign_of_a_currency_counts_where_it_is_the_columns_unit() -> None:
    dollars = {"$": Decimal(1), "usd": Decimal(1)}
    assert read_number("$14,190.13", dollars, None, "$") == 14190.13
    assert read_number("-$5", dollars, None, "$") == read_number("($5)", dollars, None, "$") == -5
    assert yuan("$5") == BAD and yuan("€5") == BAD and read_number("¥5", dollars, None, "$") == BAD
    assert yuan("¥-5") == yuan("-¥5") == -5


@pytest.mark.parametrize("cell", ["⑴", "①", "12₁", "¹", "²", " ³5"])
def test_a_mark_alone_is_no_number(cell: str) -> None:
    assert yuan(cell) == Bad("marked")


def test_no_word_for_nothing_begins_with_a_digit() -> None:
    words = [w for ws in vocabulary("nothing").values() for w in ws]
    assert [w for w in words if w[:1].isdigit()] == [], "values/words.py passes over texts that do"
