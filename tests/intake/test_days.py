"""Every day of several years, at many hours, in the spellings of common programs: read right, or said to be unreadable.

`MUST` are spellings that have to be read; `MAY` may be refused, for month and day cannot be told apart, but never be read wrong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.contract import Contracts, load_contracts
from pipelines.intake.key import key
from pipelines.intake.values import Bad, DoubtfulValue, column_reader, read_date, read_month, read_year

CITIES = Path(__file__).parents[2] / "cities"

Spell = Callable[[dt.datetime], str]
ZH = "一二三四五六日"
EN = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
SUMMER_TIME_ENDED = dt.datetime(1992, 1, 1)  # until then China was at times nine hours before UTC
DIGITS = "〇一二三四五六七八九"
HOUR12 = {True: "下午", False: "上午"}


def am_pm(t: dt.datetime) -> str:
    return f"{t.hour % 12 or 12}:{t:%M:%S} {'PM' if t.hour >= 12 else 'AM'}"


def in_words(n: int) -> str:
    """A number below a hundred in Chinese."""
    tens, ones = divmod(n, 10)
    return f"{DIGITS[tens] if tens > 1 else ''}{'十' if tens else ''}{DIGITS[ones] if ones else ''}"


def year_in_words(n: int) -> str:
    return "".join(DIGITS[int(d)] for d in str(n))


def serial(t: dt.datetime) -> float:
    return (t - dt.datetime(1899, 12, 30)).total_seconds() / 86_400


MUST: dict[str, Spell] = {
    "JavaScript zh-CN": lambda t: f"{t.year}/{t.month}/{t.day} {t:%H:%M:%S}",
    "LibreOffice": lambda t: f"{t.year}/{t.month}/{t.day} {t.hour}:{t:%M}",
    "dashes": lambda t: f"{t.year}-{t.month}-{t.day} {t.hour}:{t:%M:%S}",
    "dots": lambda t: f"{t.year}.{t.month}.{t.day} {t.hour}:{t:%M}",
    "dots and blanks": lambda t: f"{t.year}. {t.month}. {t.day}",
    "zeros": lambda t: f"{t:%Y-%m-%d %H:%M:%S}",
    "Java": lambda t: f"{t:%Y-%m-%d %H:%M:%S}.0",
    "T": lambda t: f"{t:%Y-%m-%dT%H:%M:%S}",
    "offset": lambda t: f"{t:%Y-%m-%dT%H:%M:%S}+08:00",
    "UTC": lambda t: f"{t - dt.timedelta(hours=8):%Y-%m-%dT%H:%M:%S}.000Z",
    "UTC by offset": lambda t: f"{t - dt.timedelta(hours=8):%Y-%m-%dT%H:%M:%S}+00:00",
    "Go": lambda t: f"{t - dt.timedelta(hours=8):%Y-%m-%d %H:%M:%S} +0000 UTC",
    "HTTP": lambda t: (
        (u := t - dt.timedelta(hours=8)) and f"{EN[u.weekday()]}, {u:%d} {MONTHS[u.month - 1]} {u:%Y %H:%M:%S} GMT"
    ),
    "line break": lambda t: f"{t.year}/{t.month}/{t.day}\n{t.hour}:{t:%M}",
    "no-break blank": lambda t: f"{t.year}/{t.month}/{t.day}\u00a0{t.hour}:{t:%M}",
    "narrow blank": lambda t: f"{t.year}/{t.month}/{t.day}\u202f{t.hour}:{t:%M}",
    "ideographic blank": lambda t: f"{t.year}/{t.month}/{t.day}\u3000{t.hour}:{t:%M}",
    "full width": lambda t: f"{t.year}／{t.month}／{t.day}　{t.hour}：{t:%M}",
    "年月日": lambda t: f"{t.year}年{t.month}月{t.day}日 {t.hour}时{t.minute}分",
    "年月日 closed": lambda t: f"{t.year}年{t.month}月{t.day}日{t.hour}:{t:%M}",
    "年 月 日": lambda t: f"{t.year} 年 {t.month} 月 {t.day} 日",
    "上午": lambda t: f"{t.year}/{t.month}/{t.day} {HOUR12[t.hour >= 12]}{t.hour % 12 or 12}:{t:%M:%S}",
    "上午 before blank": lambda t: f"{t.year}-{t.month}-{t.day} {HOUR12[t.hour >= 12]} {t.hour % 12 or 12}:{t:%M}",
    "AM": lambda t: f"{t.year}-{t.month}-{t.day} {am_pm(t)}",
    "星期": lambda t: f"{t.year}/{t.month}/{t.day} 星期{ZH[t.weekday()]} {t.hour}:{t:%M:%S}",
    "8 digits": lambda t: f"{t:%Y%m%d %H:%M}",
    "14 digits": lambda t: f"{t:%Y%m%d%H%M%S}",
    "named month": lambda t: f"{t.day}-{MONTHS[t.month - 1]}-{t.year}",
    "two digits": lambda t: f"{t.day:02}-{MONTHS[t.month - 1]}-{t:%y}",
    "US": lambda t: f"{MONTHS[t.month - 1]} {t.day}, {t.year}",
    "JavaScript toString": lambda t: (
        f"{EN[t.weekday()]} {MONTHS[t.month - 1]} {t:%d %Y %H:%M:%S} GMT+0800 (中国标准时间)"
    ),
    "Java toString": lambda t: f"{EN[t.weekday()]} {MONTHS[t.month - 1]} {t:%d %H:%M:%S} CST {t.year}",
    "Chinese numerals": lambda t: f"{year_in_words(t.year)}年{in_words(t.month)}月{in_words(t.day)}日",
    "Chinese month and day": lambda t: f"{t.year}年{in_words(t.month)}月{in_words(t.day)}日 {t.hour}:{t:%M}",
    "Go in China": lambda t: f"{t:%Y-%m-%d %H:%M:%S} +0800 CST",
    "microseconds": lambda t: f"{t:%Y-%m-%d %H:%M:%S}.000123",
    "day number": lambda t: f"{serial(t):.8f}",
    "whole day number": lambda t: f"{int(serial(t))}.0",
    "year first, name": lambda t: f"{t.year}-{MONTHS[t.month - 1]}-{t.day:02}",
    "bracketed 星期": lambda t: f"{t.year}年{t.month}月{t.day}日（星期{ZH[t.weekday()]}）",
    "carriage return": lambda t: f"{t.year}/{t.month}/{t.day}_x000D_\n{t.hour}:{t:%M}",
    "left by a page": lambda t: f"{t.year}-{t.month}-{t.day}&nbsp;{t.hour}:{t:%M}",
    "unseen": lambda t: f"\u200e{t.year}/\u200e{t.month}/\u200e{t.day}",
    "hour alone": lambda t: f"{t.year}-{t.month}-{t.day} {t.hour}时",
}
MAY: dict[str, Spell] = {
    "German": lambda t: f"{t.day}.{t.month}.{t.year}",
    "two digits of the year": lambda t: f"{t:%y}.{t.month}.{t.day}",
    "two digits behind": lambda t: f"{t.month}/{t.day}/{t:%y}",
    "without its year": lambda t: f"{t.month}月{t.day}日",
    "day and name": lambda t: f"{t.day}-{MONTHS[t.month - 1]}",
    "month and year": lambda t: f"{MONTHS[t.month - 1]}-{t:%y}",
    "from to": lambda t: f"{t.year}.{t.month}.{t.day}-{t.year}.{t.month}.{t.day}",
    "six digits": lambda t: f"{t:%y%m%d}",
    "seven digits": lambda t: f"{t.year}{t.month}{t.day:02}",
    "Minguo": lambda t: f"{t.year - 1911}年{t.month}月{t.day}日",
    "week": lambda t: f"{t:%G-W%V-%u}",
    "day of the year": lambda t: f"{t:%Y-%j}",
    "raised": lambda t: f"{t.year}年{t.month}月{t.day}日①",
    "basic": lambda t: f"{t:%Y%m%dT%H%M%S}",
    "12 digits": lambda t: f"{t:%Y%m%d%H%M}",
    "list": lambda t: f"{t.year}、{t.month}、{t.day}",
    "before": lambda t: f"{t.year}年{t.month}月{t.day}日前",
    "JavaScript en-US": lambda t: f"{t.month}/{t.day}/{t.year}, {am_pm(t)}",
    "JavaScript en-GB": lambda t: f"{t:%d/%m/%Y}, {t:%H:%M:%S}",
    "nothing between": lambda t: f"{t.year}/{t.month}/{t.day}{t.hour}:{t:%M}",
    "hour without colon": lambda t: f"{t.year}/{t.month}/{t.day} {t.hour}",
    "times from to": lambda t: f"{t.year}-{t.month}-{t.day} {t:%H:%M}-{t:%H:%M}",
    "two days": lambda t: f"{t.year}-{t.month}-{t.day} {t.year}-{t.month}-{t.day}",
    "blanks alone": lambda t: f"{t.year} {t.month} {t.day}",
    "year at the end": lambda t: f"{t.month} {t.day} {t.year}",
    "cut short": lambda t: f"{t.year}/{t.month}/{t.day} {t.hour}:",
}


def moments() -> Iterator[dt.datetime]:
    """Every day of three years, a leap year among them, at an hour of each kind in turn, every hour of some days."""
    clocks = [
        dt.time(0),
        dt.time(9, 15),
        dt.time(10, 5),
        dt.time(16),
        dt.time(23, 59, 59),
        dt.time(12),
        dt.time(1, 2, 3),
    ]
    for year in (2004, 2021, 2024):
        day = dt.date(year, 1, 1)
        while day.year == year:
            yield dt.datetime.combine(day, clocks[day.toordinal() % len(clocks)])
            if day.day in (1, 3, 11, 12, 30):
                yield from (dt.datetime.combine(day, dt.time(h, 30)) for h in range(24))
            day += dt.timedelta(days=1)


ALL = list(moments())


@pytest.mark.parametrize("name", MUST)
def test_a_day_with_its_time_is_that_day(name: str) -> None:
    wrong = [(MUST[name](t), got) for t in ALL if (got := read_date(MUST[name](t))) != t.date()]
    assert wrong[:5] == []


@pytest.mark.parametrize("name", MUST)
def test_and_its_month_is_that_month(name: str) -> None:
    wrong = [(MUST[name](t), got) for t in ALL[::7] if (got := read_month(MUST[name](t))) != f"{t:%Y-%m}"]
    assert wrong[:5] == []


@pytest.mark.parametrize("name", MAY)
def test_what_can_be_taken_for_two_days_is_never_taken_for_the_wrong_one(name: str) -> None:
    read = [(MAY[name](t), read_date(MAY[name](t)), t.date()) for t in ALL]
    assert [r for r in read if not isinstance(r[1], Bad) and r[1] != r[2]][:5] == []


@pytest.mark.parametrize("name", MUST)
@given(t=st.datetimes(SUMMER_TIME_ENDED, dt.datetime(2049, 12, 31)).map(lambda t: t.replace(microsecond=0)))
def test_any_moment_is_its_day_and_its_month(name: str, t: dt.datetime) -> None:
    if t.time() >= dt.time(23, 59, 16) or (name == "two digits" and t.year >= 2030):
        return  # midnight 43 seconds early is doubted; nobody knows the century of 04-Aug-35
    text = MUST[name](t)
    assert (read_date(text), read_month(text)) == (t.date(), f"{t:%Y-%m}")


@pytest.mark.parametrize("name", MAY)
@given(t=st.datetimes(dt.datetime(1951, 1, 1), dt.datetime(2049, 12, 31)))
def test_no_moment_is_taken_for_another_day(name: str, t: dt.datetime) -> None:
    text = MAY[name](t)
    got, month, year = read_date(text), read_month(text), read_year(text)
    assert isinstance(got, Bad) or got == t.date()
    if not (name == "six digits" and t.year == 2020):  # 200901 in a column of months is one, and not a day of 2020
        assert isinstance(month, Bad) or month == f"{t:%Y-%m}"
    assert isinstance(year, Bad) or year == t.year


@pytest.mark.parametrize("text", ["190101", "191231", "190101.0", 190101.0])
def test_six_digits_that_may_be_a_day_of_2019_are_no_month_of_long_ago(text: str | float) -> None:
    assert isinstance(read_month(text), Bad)
    assert read_month("195001") == "1950-01" and read_month(202103.0) == "2021-03"


MONTH: dict[str, Callable[[int, int], str]] = {
    "年月": lambda y, m: f"{y}年{m}月",
    "年月份": lambda y, m: f"{y}年 {m:02} 月份",
    "dash": lambda y, m: f"{y}-{m:02}",
    "slash": lambda y, m: f"{y}/{m}",
    "point": lambda y, m: f"{y}.{m:02}",
    "six digits": lambda y, m: f"{y}{m:02}",
    "words": lambda y, m: f"{year_in_words(y)}年{in_words(m)}月",
    "month in words": lambda y, m: f"{y}年{in_words(m)}月份",
    "name": lambda y, m: f"{MONTHS[m - 1]} {y}",
    "name behind": lambda y, m: f"{y}-{MONTHS[m - 1]}",
    "statistics": lambda y, m: f"{y}M{m:02}",
    "year behind": lambda y, m: f"{m:02}/{y}",
    "full width": lambda y, m: f"{y}年{m}月".translate({ord(a): ord(a) + 0xFEE0 for a in "0123456789"}),
}
NO_MONTH: dict[str, Callable[[int, int], str]] = {
    "quarter": lambda y, m: f"{y}年第{(m + 2) // 3}季度",
    "Q": lambda y, m: f"{y}Q{(m + 2) // 3}",
    "half": lambda y, m: f"{y}年{'上下'[m > 6]}半年",
    "from January": lambda y, m: f"{y}年1-{m}月",
    "from to": lambda y, m: f"{y}.1-{y}.{m}",
    "two": lambda y, m: f"{y}年{m}月、{m % 12 + 1}月",
    "year": lambda y, m: f"{y}年",
    "of two digits": lambda y, m: f"{y % 100}-{m}",
    "too large": lambda y, m: f"{y}年{m + 12}月",
    "raised": lambda y, m: f"{y}年{m}月①",
}


@pytest.mark.parametrize("name", MONTH)
def test_every_month_is_that_month(name: str) -> None:
    wrong = [
        (t, got)
        for y in range(1950, 2100)
        for m in range(1, 13)
        if (got := read_month(t := MONTH[name](y, m))) != f"{y}-{m:02}"
    ]
    assert wrong[:5] == []


@pytest.mark.parametrize("name", NO_MONTH)
def test_what_is_more_or_less_than_a_month_is_none(name: str) -> None:
    read = [(t, read_month(t, 2021)) for y in range(1950, 2100) for m in range(1, 13) if (t := NO_MONTH[name](y, m))]
    assert [r for r in read if not isinstance(r[1], Bad)][:5] == []


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2021/3/1 00:00:00", dt.date(2021, 3, 1)),
        ("2021/3/3 09:15", dt.date(2021, 3, 3)),
        ("2021-3-1 23:59:59", dt.date(2021, 3, 1)),
        ("2021-02-28T16:00:00.000Z", dt.date(2021, 3, 1)),
        ("2021-02-28T15:59:59Z", dt.date(2021, 2, 28)),
        ("2021-03-01T00:00:00-05:00", dt.date(2021, 3, 1)),
        ("2021-03-01T12:00:00-05:00", dt.date(2021, 3, 2)),
        ("04-Aug-00", dt.date(2000, 8, 4)),
        ("31-DEC-98", dt.date(1998, 12, 31)),
        ("March 5th, 2021", dt.date(2021, 3, 5)),
        ("Mar. 5, 2021", dt.date(2021, 3, 5)),
        ("2021-Mar-05", dt.date(2021, 3, 5)),
        ("二〇二一年三月五日", dt.date(2021, 3, 5)),
        ("二○二一年十二月三十一日", dt.date(2021, 12, 31)),
        ("2021年三月十五日", dt.date(2021, 3, 15)),
        ("2021年元月5日 上午8时", dt.date(2021, 1, 5)),
        ("44260.0", dt.date(2021, 3, 5)),
        ("44260.395", dt.date(2021, 3, 5)),
        ("2021-03-05 00:00:00 +0800 CST", dt.date(2021, 3, 5)),
    ],
)
def test_days_that_were_read_as_another(cell: str, day: dt.date) -> None:
    assert read_date(cell) == day


def test_a_moment_is_of_the_day_that_the_city_has_then() -> None:
    """Half an hour after midnight of a UTC clock it is still the evening before in Toronto, and morning in China."""
    there, here = load_contracts(city=CITIES / "toronto"), load_contracts(city=CITIES / "zhuzhou")
    day = replace(there["site_energy"].column("address"), kind="date")
    month, year = replace(day, kind="month"), replace(day, kind="year")
    usual = next(c for contract in here.values() for c in contract.columns if c.kind == "date")
    for cell, in_toronto, in_china in (
        ("2021-03-01T00:30:00Z", dt.date(2021, 2, 28), dt.date(2021, 3, 1)),
        ("2021-03-01T05:00:00Z", dt.date(2021, 3, 1), dt.date(2021, 3, 1)),
        ("2021-02-28T16:00:00+00:00", dt.date(2021, 2, 28), dt.date(2021, 3, 1)),
    ):
        assert column_reader(day, None, None, False)(cell) == in_toronto
        assert column_reader(month, None, None, False)(cell) == f"{in_toronto:%Y-%m}"
        assert column_reader(usual, None, None, False)(cell) == in_china
    assert column_reader(year, None, None, False)("2021-01-01T00:00:00Z") == 2020
    assert key(there) != key(Contracts(there.values())), (
        "what was read in another time zone would be taken from the cache"
    )


@pytest.mark.parametrize(
    "cell",
    [
        "2021/3/1 25:00", "2021/3/1 10:60", "2021-3-110:30", "2021/3/1 2021/3/2", "2021-03-05 09:00-11:30", "04-Aug-35", "31-Feb-2021",
        "2021-03-01T00:00:00+99:00", "Aug-21", "2021/3/1 5", "2021-03-01 上午13:00", "2021 3 5", "2021/3/1\n2", "2021年十三月五日", "二〇二一年二月三十日", "2021年三四月五日", "Mar-21", "21-Mar", "2021年三月", "05/2021",
    ],
)  # fmt: skip
def test_what_is_no_day_at_a_time_is_unreadable(cell: str) -> None:
    assert isinstance(read_date(cell), Bad)


@pytest.mark.parametrize(
    "cell", [dt.datetime(2021, 2, 28, 23, 59, 17), "2021-02-28 23:59:17", "2021/2/28 23:59:17", 44255 + 86357 / 86400]
)
def test_a_midnight_written_43_seconds_early_is_doubted(cell: object) -> None:
    assert read_date(cell) == DoubtfulValue(dt.date(2021, 3, 1), "almost_midnight")


def test_the_last_second_of_a_day_is_of_that_day() -> None:
    assert read_date(dt.datetime(2021, 2, 28, 23, 59, 59)) == dt.date(2021, 2, 28)
    assert read_date(dt.datetime(2021, 3, 1, 0, 0, 43)) == dt.date(2021, 3, 1)


@pytest.mark.parametrize(
    "cell",
    ["2021年三月", "二〇二一年三月份", "Mar-21", "Mar-2021", "March 2021", "2021-Mar", "3/2021", "03-2021", "2021M3", "2021M03", "44260.5", "2021年 3"],
)  # fmt: skip
def test_a_month_in_the_spellings_of_programs(cell: str) -> None:
    assert read_month(cell) == "2021-03"


@pytest.mark.parametrize(
    "cell", ["21-Mar", "Mar-35", "Mar", "13/2021", "2021M13", "2021年十三月", "一月至三月", "三四月", "2021年一、二月"]
)
def test_what_is_no_one_month(cell: str) -> None:
    assert isinstance(read_month(cell, 2021), Bad)
