"""What a number format tells of a number: a percentage, a scale, a unit, zeros before it."""

from __future__ import annotations

import pytest

from pipelines.intake.formats import number_format
from pipelines.intake.sheets import Format

PERCENT = {
    "0%": True,
    "0.00%": True,
    "0.00%;-0.00%": True,
    "#,##0.00%_);[Red](#,##0.00%)": True,
    '0.0" "%': True,
    "% 0": True,
    '0"%"': False,
    "0\\%": False,
    "0!%": False,
    "General": False,
    '"100%"0': False,
    "0_%": False,
}


@pytest.mark.parametrize(("code", "shows"), PERCENT.items())
def test_a_percent_sign_counts_outside_quotes_and_escapes(code: str, shows: bool) -> None:
    told = number_format.of(code, 0.85)
    assert bool(told and told.percent) is shows


@pytest.mark.parametrize(
    ("code", "value", "shows"),
    [
        ("[<1]0.00%;0.00", 0.155, True),
        ("[<1]0.00%;0.00", 15.5, False),
        ("[<=1]0%;[>100]0;0.0", 1, True),
        ("[<=1]0%;[>100]0;0.0", 50, False),
        ("[=0]0;0%", 0.5, True),
        ("[=0]0;0%", 0, False),
        ("[<>0]0%;0", 0.5, True),
        ("[Red][>=0.9]0%;[Blue]0.0%", 0.5, True),
        ("0.0;0.0%", 0.5, False),
        ("0.0;0.0%", -0.5, True),
        ("0%;-0%;0", 0, False),
        ('0%;-0%;"-"', 0.5, True),
    ],
)
def test_the_section_that_shows_the_number_counts(code: str, value: float, shows: bool) -> None:
    told = number_format.of(code, value)
    assert bool(told and told.percent) is shows


@pytest.mark.parametrize(
    ("code", "power", "unit"),
    [
        ("#,##0,", 3, None),
        ("#,##0.00,", 3, None),
        ("0.0,,", 6, None),
        ("#,##0,.00", 3, None),
        ("0!.0000", 4, None),
        ("0\\.0000", 4, None),
        ('0"."0000', 4, None),
        ("0!.0,", 4, None),
        ("0\\.0,", 4, None),
        ("#!.0000_ ", 4, None),
        ("0!.00,", 5, None),
        ("0!.0,,", 7, None),
        ('0!.0,"万元"', 4, "万元"),
        ("0\\.0,万", 4, "万"),
        ('0\\.0000"万元"', 4, "万元"),
        ('#,##0.00,"千元"', 3, "千元"),
        ('0.00"万元"', 0, "万元"),
        ('0.00"（万元）"', 0, "万元"),
        ("0.00\\万\\元", 0, "万元"),
        ('#,##0.00_ "元"', 0, "元"),
        ("0.0[$kWh]", 0, "kWh"),
        ("#,##0.00[$€-407]", 0, "€"),
        ('0.0" ㎡"', 0, "㎡"),
        ('General"元"', 0, "元"),
        ('G/通用格式"亿元"', 0, "亿元"),
        ('[>=10000]0!.0,"万元";0"元"', 4, "万元"),
        ('_ * #,##0.00"万元"_ ;_ * -#,##0.00"万元"_ ', 0, "万元"),
        ('0.00"%"', 0, "%"),
    ],
)
def test_a_scale_and_a_unit_are_read(code: str, power: int, unit: str | None) -> None:
    assert number_format.of(code, 123456) == Format(code, power=power, unit=unit)


@pytest.mark.parametrize(
    ("code", "zeros"),
    [("000000", 6), ("00", 2), ("#000", 3), ("[Red]0000", 4), ('000"号"', 3)],
)  # fmt: skip
def test_zeros_before_a_whole_number_are_read(code: str, zeros: int) -> None:
    told = number_format.of(code, 123)
    assert told is not None and told.zeros == zeros


PLAIN = [
    "General", "G/通用格式", "0", "0.00", "#,##0", "#,##0.00", "#,##0.00_);[Red](#,##0.00)", "0.00E+00", "##0.0E+0", "# ?/?",
    "yyyy-mm-dd", 'yyyy"年"m"月"d"日"', "[$-F800]dddd, mmmm dd, yyyy", "h:mm:ss", "[h]:mm", "mm:ss.0", "@", "[DBNum1]0", "[红色]0.00",
    '_ "¥"* #,##0.00_ ;_ "¥"* -#,##0.00_ ;_ "¥"* "-"??_ ;_ @_ ', "", ";;;", '0.00;[Red]-0.00;"-"', '"¥"#,##0.00',
    "e", "aaaa", "[<1]0;0.0",
]  # fmt: skip


@pytest.mark.parametrize("code", PLAIN)
def test_what_shows_a_number_as_it_is_tells_nothing(code: str) -> None:
    assert number_format.of(code, 123456.5) is None


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ('"HT-"000', 12, "HT-012"), ('0"号"', 12, "12号"), ('"第"0"号"', 12, "第12号"), ("000000", 123, "000123"), ("0000-00", 202103, "2021-03"),
        ('"("000")"0000', 7311234, "(731)1234"), ("0!.0000", 123456, "12.3456"), ("0.0%", 0.853, "85.3%"), ('0.00"万元"', 12.5, "12.50万元"),
        ('General"号"', 7, "7号"), ('#,##0.00,"千元"', 123456, "123.46千元"), ('0"号";"负"0', -3, "负3"), ('0"号"', -3, "-3号"),
        ('[>=10000]0!.0,"万";0"元"', 123456, "12.3万"), ('[>=10000]0!.0,"万";0"元"', 12, "12元"), ('yyyy"年"', 44256, None), ("# ?/?", 0.5, None),
        ('"HT-"0000000', 123456789, "HT-123456789"), ("[$€-2] 0", 5, "€ 5"),
    ],
)  # fmt: skip
def test_a_number_is_shown_as_its_format_shows_it(code: str, value: float, text: str | None) -> None:
    assert number_format.shown(code, value) == text


@pytest.mark.parametrize(
    ("code", "unit"),
    [("$#,##0.00", "$"), ("[$$-409]#,##0", "$"), ("[$€-2] #,##0", "€"), ('"USD "0.00', "USD"), ('"¥"#,##0.00', None), ('_ "￥"* #,##0.00_ ', None)],
)  # fmt: skip
def test_the_sign_of_other_money_is_told_as_a_unit(code: str, unit: str | None) -> None:
    found = number_format.of(code, 5)
    assert (found.unit if found else None) == unit
