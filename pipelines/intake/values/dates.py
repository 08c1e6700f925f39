"""Parses cells as dates, months and years.

Belongs here: the spellings of a day by people and by programs, times and time zones behind it, day numbers of spreadsheets. Not
here: which days are possible in a column.

A text is read with the blanks between its digits (see `fold`): 2021/3/1 00:00 is no tenth of March. Where a time says its
offset from UTC, the day is the city's: midnight in China is 16:00 of the day before in UTC.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache, lru_cache
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.intake.values.results import BAD, NOUGHT, Bad, DoubtfulValue
from pipelines.intake.values.words import APOSTROPHES, BLANK_DATE, fold, instead, no_text
from pipelines.intake.vocabulary import vocabulary

_TIMES = vocabulary("times")
_HALVES: dict[str, bool] = _TIMES["halves"]
_MONTHS: dict[str, int] = {n: k for name, k in _TIMES["months"].items() for n in (name, name[:3])} | {"sept": 9}

_HALF = "|".join(re.escape(h) for h in sorted(_HALVES, key=len, reverse=True))
_NAME = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WEEKDAY = r"\(?(?:星期|周|礼拜)[一二三四五六日天]\)?"
_DAY_NAME = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[,.]? ?)"
_CLOCK = (
    rf"(?P<half>{_HALF})? ?(?P<h>\d{{1,2}})(?::(?P<min>\d{{1,2}})(?::(?P<s>\d{{1,2}})(?P<part>[.,]\d+)?)?"
    rf"|[时点](?:(?P<min2>\d{{1,2}})分?(?:(?P<s2>\d{{1,2}})秒?)?)?)(?P<half2>{_HALF})?"
)
_ZONE = r"(?P<zone>z|utc|gmt|cst)?(?P<offset>[+-]\d{1,2}(?::?\d{2})?)?(?:utc|gmt|cst|\([^\d]*\))?"
# The time is set off from the day by a blank, a comma, T, or by what closes the day: 日, a weekday, 上午.
_TIME = rf"(?:(?P<set>[ t,]|, |)?{_CLOCK}(?:{_ZONE}))?"
_DATE = re.compile(
    rf"(?P<y>\d{{4}})[-./_年] ?(?P<m>\d{{1,2}}) ?[-./_月] ?(?P<d>\d{{1,2}})(?P<closed>[日号]|)(?P<week>{_WEEKDAY})?{_TIME}"
)
_USUAL = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")  # of the same meaning, and most texts are so
_DATE8 = re.compile(rf"(?P<y>(?:19|20)\d{{2}})(?P<m>\d{{2}})(?P<d>\d{{2}})(?:\.0+|{_TIME})")
_DATE14 = re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?P<h>\d{2})(?P<min>\d{2})(?P<s>\d{2})")
_DATE_LAST_YEAR = re.compile(rf"(?P<a>\d{{1,2}})[-./](?P<b>\d{{1,2}})[-./](?P<y>\d{{4}}){_TIME}")
# 4-Aug-00, 4 August 2000, Aug 4, 2000; and what JavaScript and Java print: Mon Mar 01 2021 00:00:00 GMT+0800 (…),
# Mon Mar 01 00:00:00 CST 2021.
_NAMED = re.compile(
    rf"{_DAY_NAME}?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[-/. ,]*(?P<name>{_NAME})[-/., ]*(?P<y>\d{{4}}|\d{{2}}){_TIME}"
)
_NAME_WITHIN = re.compile(rf"(?P<y>\d{{4}})[-/. ]?(?P<name>{_NAME})[-/. ]?(?P<d>\d{{1,2}}){_TIME}")
_NAME_FIRST = re.compile(
    rf"{_DAY_NAME}?(?P<name>{_NAME})[-.]? ?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:, ?| )(?P<y>\d{{4}}){_TIME}"
)
_JAVA = re.compile(
    rf"{_DAY_NAME}(?P<name>{_NAME})(?P<d>\d{{2}}) (?P<h>\d{{2}}):(?P<min>\d{{2}}):(?P<s>\d{{2}})(?P<zone>cst|utc|gmt)(?P<y>\d{{4}})"
)
_MONTH = re.compile(r"(?P<y>\d{4})[-./_年Mm] ?(?P<m>\d{1,2})(?:月份|月)?")
_MONTH6 = re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?:\.0+)?")
_MONTH_FIRST = re.compile(r"(?P<m>\d{1,2})[-/.](?P<y>\d{4})")
# Mar-21 is how Excel shows a month that was typed as 2021-3; 21-Mar is a day of a year it does not show.
_MONTH_NAMED = re.compile(
    rf"(?P<name>{_NAME})(?:[-./, ]*(?P<y>\d{{4}})|-(?P<yy>\d{{2}}))|(?P<y2>\d{{4}})[-./ ]*(?P<name2>{_NAME})"
)
_MONTH_ALONE = re.compile(r"(?P<m>\d{1,2})(?:月份|月)")
_NOT_A_MONTH = re.compile(r"季|半年|全年|年度|[-—~至到、]\d{1,2}月|^\d{4}年?[-./]?[HhQq][1-4]$|^[HhQq][1-4]$")
_YEAR = re.compile(r"(?P<y>[12]\d{3})(?:年度|年份|年|\.0+)?")
_CN_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_CN_YEAR = re.compile(r"([一二][〇○零0一二三四五六七八九]{3})(?=年|$)")
_CN_MONTH = re.compile(r"元(?=月)|[一二三四五六七八九十]{1,3}(?=[月日号])")
_CN_ONES = {c: i for i, c in enumerate("一二三四五六七八九", 1)} | {"": 0}
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_DASHES = str.maketrans("−–—‐‑\n", "----- ")  # and a time may stand below its day

_FIRST_MONTH = 195001  # in six digits: 190101 is as well the first day of 2019, and nobody tells of January 1901
_EPOCH_1900, _EPOCH_1904 = dt.date(1899, 12, 30), dt.date(1904, 1, 1)
_SERIALS = range(18264, 73051)  # 1950-01-01 to 2100-01-01 as day numbers of the 1900 system
# And how programs write it, or a date that a database does not have: Excel, LibreOffice, MySQL, .NET.
_NO_DAY = re.compile(
    r"(?:1900[-/.]0?1[-/.]00?|1899[-/.]12[-/.]3[01]|0000[-/.]00[-/.]00|0001[-/.]0?1[-/.]0?1)(?: 0?0:00(?::00)?)?"
)
_NOUGHTS = (dt.date(1899, 12, 30), dt.date(1899, 12, 31))  # how libraries give the day number 0
# Day numbers 1900 to 2100, the first and the last that a year typed into a cell for dates can become.
YEARS_AS_DAYS = (dt.date(1905, 3, 14), dt.date(1905, 9, 30))
EARLY = dt.date(1950, 1, 1)
_FIRST_DAY = dt.date(1900, 1, 1)  # of the day numbers; SQL Server writes it for an empty text
_FIRST_YEAR = 1000  # a year of fewer digits is a slip
# JavaScript of 1900's local time in Shanghai writes midnight 43 seconds early (8:05:43 for 8:05).
_ALMOST = (dt.time(23, 59, 16, 500_000), dt.time(23, 59, 17, 500_000))


@cache
def _zone(name: str | None) -> ZoneInfo:
    from pipelines.core.clock import DEFAULT_ZONE  # brings YAML along, and hardly a file says UTC

    return ZoneInfo(name or DEFAULT_ZONE)


def read_date(value: Any, epoch_1904: bool = False, zone: str | None = None) -> Any:
    """A date from 2021.3.5, 2021年3月5日, 2021/3/5 9:15, 20210305, 5-Mar-2021, a date cell or a serial number; else None, Bad or
    Doubt. `zone`: the city's time zone, by its name in the IANA database.

    Bad('date_precision') where it says a month or a year only, Bad('date_order') for 03/04/2021.
    """
    kind = type(value)
    if kind is dt.date and value >= EARLY:
        return value
    if kind is dt.datetime or kind is dt.date or kind is dt.time:
        return _of_cell(value)
    if kind is float or kind is int:
        if not isfinite(value):
            return BAD
        whole = int(value)
        if whole == value and 19000101 <= whole <= 21001231:
            return _day(whole // 10000, whole // 100 % 100, whole % 100)
        if whole in _SERIALS:
            return _of_serial(value, epoch_1904)
        if 1900 <= whole <= 2100 or 190001 <= whole <= 210012:
            return Bad("date_precision")
        return BAD
    if kind is not str:
        return no_text(value)
    return _date_in(value, epoch_1904, zone)


def _of_cell(value: dt.datetime | dt.date | dt.time) -> Any:
    """The day of a cell for dates; Bad where it looks like a year, doubted where like a slip of a time zone."""
    if type(value) is dt.time:
        return NOUGHT if value == dt.time() else BAD
    day, time = (value.date(), value.time()) if isinstance(value, dt.datetime) else (value, dt.time())
    assert isinstance(day, dt.date)
    if day in _NOUGHTS:
        return NOUGHT if time == dt.time() else BAD
    found = _whole(day, time)
    return DoubtfulValue(found, "early") if type(found) is dt.date and found < EARLY else found


def _whole(day: dt.date, time: dt.time) -> Any:
    """The day of a moment, Bad where it looks like a year, doubted where like a midnight that a program wrote 43 seconds early."""
    if _ALMOST[0] <= time <= _ALMOST[1]:
        return DoubtfulValue(day + dt.timedelta(days=1), "almost_midnight")
    if YEARS_AS_DAYS[0] <= day <= YEARS_AS_DAYS[1]:
        return Bad("year_as_day")
    return DoubtfulValue(day, "early") if day == _FIRST_DAY else day


def _of_serial(value: float, epoch_1904: bool) -> Any:
    seconds = round(value % 1 * 86_400, 1)
    day = from_serial(value, epoch_1904)
    return _whole(day, _ALMOST[0]) if 86_356.5 <= seconds <= 86_357.5 else day


def from_serial(value: float, epoch_1904: bool = False) -> dt.date:
    """The date of a spreadsheet's day number; the 1900 system counts a 29 February 1900 that never was."""
    return (_EPOCH_1904 if epoch_1904 else _EPOCH_1900) + dt.timedelta(days=int(value))


@lru_cache(maxsize=20_000)
def _date_in(value: str, epoch_1904: bool, zone: str | None) -> Any:
    found = _USUAL.fullmatch(value)
    if found and value[0] not in "01":
        return _moment(int(found[1]), int(found[2]), int(found[3]), {}, zone)
    found = instead(value, BLANK_DATE)
    if found != "":
        return found
    text = _in_digits(fold(value).translate(_DASHES).lstrip(APOSTROPHES))
    day = _day_in(text.lower(), zone)
    if day is not None:
        return day
    if any(p.fullmatch(text) for p in (_MONTH, _MONTH6, _MONTH_FIRST, _YEAR)) or _MONTH_NAMED.fullmatch(text.lower()):
        return Bad("date_precision")
    if text.isascii() and _SERIAL.fullmatch(text) and int(float(text)) in _SERIALS:
        return _of_serial(float(text), epoch_1904)
    return BAD


def _in_digits(text: str) -> str:
    """A date with its Chinese numerals as digits: 二〇二一年三月十五日 is 2021年3月15日, 元月 is 1月."""
    if text.isascii():
        return text
    text = _CN_YEAR.sub(lambda y: y[0].translate(_CN_DIGITS), text)
    return _CN_MONTH.sub(lambda n: "1" if n[0] == "元" else str(_below_hundred(n[0])), text)


def _below_hundred(text: str) -> int:
    """十五 is 15, 三十 is 30; 0 for what is no number."""
    tens, ten, unit = text.rpartition("十")
    return (_CN_ONES.get(tens or "一", 0) * 10 if ten else 0) + _CN_ONES.get(unit, 0)


def _day_in(text: str, zone: str | None) -> Any:
    """The date in a folded text in lower case, Bad where there is no such date, None where the text states none to the day."""
    if text[0] in "01" and _NO_DAY.fullmatch(text):
        return NOUGHT
    for pattern in (_DATE, _DATE8, _DATE14, _JAVA, _NAME_FIRST, _NAME_WITHIN):
        found = pattern.fullmatch(text)
        if found:
            parts = found.groupdict()
            month = _MONTHS[parts["name"]] if "name" in parts else int(parts["m"])
            return _moment(int(parts["y"]), month, int(parts["d"]), parts, zone)
    found = _NAMED.fullmatch(text)
    if found:
        parts = found.groupdict()
        year = _of_century(parts["y"])
        return BAD if year is None else _moment(year, _MONTHS[parts["name"]], int(parts["d"]), parts, zone)
    found = _DATE_LAST_YEAR.fullmatch(text)
    if found:
        parts = found.groupdict()
        a, b, y = int(parts["a"]), int(parts["b"]), int(parts["y"])
        if a > 12 >= b or a == b:
            return _moment(y, b, a, parts, zone)
        return _moment(y, a, b, parts, zone) if b > 12 >= a else Bad("date_order")
    return None


def _of_century(year: str) -> int | None:
    """A year of two digits or four; None where the century is ambiguous."""
    y = int(year)
    if len(year) == 4:
        return y
    return None if 30 <= y < 50 else y + (2000 if y < 30 else 1900)


def _moment(y: int, m: int, d: int, parts: dict[str, str | None], city: str | None) -> Any:
    """The day of a date and the time behind it, in the city's time zone; Bad where one of them is not possible."""
    day = _day(y, m, d)
    if type(day) is Bad:
        return day
    if parts.get("h") is None:
        return _whole(day, dt.time())
    if "set" in parts and not (parts["set"] or parts.get("closed") or parts.get("week") or parts["half"]):
        return BAD  # 2021-3-110:30
    hour, minute, second = (int(parts.get(k) or parts.get(k + "2") or 0) for k in ("h", "min", "s"))
    half = parts.get("half") or parts.get("half2")
    if half:
        if hour > 12 and not (_HALVES[half] and hour <= 24):
            return BAD
        hour = hour % 12 + (12 if _HALVES[half] else 0) if hour <= 12 else hour
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and minute + second > 0):
        return BAD
    zone, offset = parts.get("zone"), parts.get("offset")
    if zone in (None, "cst") and not offset:
        part = int((parts.get("part") or ".0")[1:7].ljust(6, "0"))
        return _whole(day, dt.time() if hour == 24 or second == 60 else dt.time(hour, minute, second, part))
    away = dt.timedelta()
    if offset:
        if zone is None and not (parts["set"] == "t" or parts["s"]):
            return BAD  # 2021-03-05 09:00-11:30 are two times
        digits = offset[1:].replace(":", "")
        hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
        if hours > 14 or minutes > 59:
            return BAD
        away = dt.timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)
    try:
        moment = dt.datetime(y, m, d, tzinfo=dt.timezone(away)) + dt.timedelta(
            hours=hour, minutes=minute, seconds=second
        )
        local = moment.astimezone(_zone(city))
    except OverflowError:
        return BAD
    return _whole(local.date(), local.time())


def _day(y: int, m: int, d: int) -> Any:
    try:
        return dt.date(y, m, d) if y >= _FIRST_YEAR else BAD
    except ValueError:
        return BAD


def read_month(value: Any, year: int | None = None, epoch_1904: bool = False, zone: str | None = None) -> Any:
    """'YYYY-MM' from 2021年3月, 2021-03, 2021.3, 202103, 2021-03-05, a date, a serial; 3月 where the sheet states `year`. `zone`: as
    for `read_date`."""
    kind = type(value)
    if (kind is dt.date or kind is dt.datetime) and value.year >= EARLY.year and (kind is dt.date or value.hour < 23):
        return f"{value.year:04d}-{value.month:02d}"
    if kind is dt.date or kind is dt.datetime or kind is dt.time:
        return _month_of(_of_cell(value))
    if kind is float or kind is int:
        if not isfinite(value):
            return BAD
        if int(value) == value:
            if _FIRST_MONTH <= value <= 210012:
                return _month(int(value) // 100, int(value) % 100)
            if 19000101 <= value <= 21001231:
                return _month_of(_day(int(value) // 10000, int(value) // 100 % 100, int(value) % 100))
            if int(value) in _SERIALS:
                return _month_of(from_serial(value, epoch_1904))
            if year is not None and 1 <= value <= 12:
                return _month(year, int(value))
            return Bad("month_precision") if 1900 <= value <= 2100 else BAD
        if 1900 < value < 2101:
            y, part = f"{value:.4f}".rstrip("0").split(".")
            # 2021.1 may have been 2021.10 before the spreadsheet took it for a number.
            return BAD if part == "1" or len(part) > 2 else _month(int(y), int(part))
        return BAD
    if kind is not str:
        return no_text(value)
    return _month_in(value, year, epoch_1904, zone)


@lru_cache(maxsize=20_000)
def _month_in(value: str, year: int | None, epoch_1904: bool, zone: str | None) -> Any:
    found = _MONTH.fullmatch(value)
    if found:
        return _month(int(found["y"]), int(found["m"]))
    found = instead(value, BLANK_DATE)
    if found != "":
        return found
    text = _in_digits(fold(value).translate(_DASHES).lstrip(APOSTROPHES))
    found = _MONTH.fullmatch(text) or _MONTH6.fullmatch(text) or _MONTH_FIRST.fullmatch(text)
    if found and found.re is _MONTH6 and int(found["y"] + found["m"]) < _FIRST_MONTH:
        return BAD
    if found:
        return _month(int(found["y"]), int(found["m"]))
    day = _day_in(text.lower(), zone)
    if day is not None:
        return _month_of(day)
    found = _MONTH_NAMED.fullmatch(text.lower())
    if found:
        y = _of_century(found["y"] or found["y2"] or found["yy"])
        return BAD if y is None else _month(y, _MONTHS[found["name"] or found["name2"]])
    found = _MONTH_ALONE.fullmatch(text)
    if year is not None and (found or (text.isdigit() and len(text) <= 2)):
        return _month(year, int(found["m"] if found else text))
    if text.isascii() and _SERIAL.fullmatch(text) and int(float(text)) in _SERIALS:
        return _month_of(_of_serial(float(text), epoch_1904))
    return Bad("month_precision") if _NOT_A_MONTH.search(text) or _YEAR.fullmatch(text) else BAD


def _month_of(day: Any) -> Any:
    """The month of what was read as a day; Bad stays Bad."""
    if type(day) is DoubtfulValue:
        return DoubtfulValue(_month_of(day.value), day.variant)
    return f"{day.year:04d}-{day.month:02d}" if type(day) is dt.date else day


def _month(y: int, m: int) -> Any:
    return f"{y:04d}-{m:02d}" if 1 <= m <= 12 and 1900 <= y <= 2100 else BAD


def read_year(value: Any, zone: str | None = None) -> Any:
    """2021, 2021年, 2021年度, 2021.0, 二〇二一年, or any date of that year; what years may stand is the contract's to say. `zone`: as for
    `read_date`."""
    kind = type(value)
    if kind is float or kind is int:
        return int(value) if _FIRST_YEAR <= value <= 2999 and int(value) == value else BAD
    if kind is dt.date or kind is dt.datetime or kind is dt.time:
        return _year_of(_of_cell(value))
    if kind is not str:
        return no_text(value)
    found = instead(value, BLANK_DATE)
    if found != "":
        return found
    text = _in_digits(fold(value).lstrip(APOSTROPHES))
    found = _YEAR.fullmatch(text)
    if found:
        return int(found["y"])
    day = _day_in(text.lower(), zone)
    return BAD if day is None or day == Bad("date_order") else _year_of(day)


def _year_of(day: Any) -> Any:
    """The year of what was read as a day; Bad stays Bad."""
    if type(day) is DoubtfulValue:
        return DoubtfulValue(day.value.year, day.variant)
    return day.year if type(day) is dt.date else day
