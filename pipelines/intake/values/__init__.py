"""Cells to typed values: pure functions, one for each kind of column, and one that reads a whole column.

Belongs here: how people write numbers, dates, months, years, yes and no. Not here: which column a cell belongs to, and
any rule over values (ranges, lists, keys, empty cells): those are the suites'.

Each reader takes what calamine or a text file gives ('' or None, str, int, float, bool, date, datetime, time, timedelta)
and returns the value, None for a blank, `Bad` where it cannot be read, or `Doubt` for a value that is only approximate.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any

from expectations.contract import Column, header_key, unit_key
from expectations.expression import half_unit


@dataclass(frozen=True, slots=True)
class Bad:
    """A cell that cannot be read. `variant` picks the message `bad_type.<variant>`; '' is the plain one."""

    variant: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A value that was read although it says of itself that it is approximate."""

    value: Any


BAD = Bad()
Reader = Callable[[Any], Any]

# What people write where there is nothing to write. Compared after NFKC, without white space, in lower case.
_BLANK_TEXT = frozenset(
    [
        "-",
        "--",
        "---",
        "—",
        "——",
        "———",
        "–",
        "―",
        "ー",
        "一一",
        "/",
        "//",
        "\\",
        "无",
        "空",
        "n/a",
        "na",
        "#n/a",
        "nan",
        "null",
        "none",
        "nil",
        "暂无",
        "无数据",
        "未填",
        "未填报",
        "(空)",
        "(无)",
        "不适用",
    ]
) | {""}
_BLANK_NUMBER = _BLANK_TEXT | {
    "待定",
    "未知",
    "缺",
    "缺失",
    "…",
    "...",
    "..",
    ".",
    "·",
    "*",
    "**",
    "?",
    "无此项",
    "没有",
    "‥",
}
# Says that there is a value, only not which: nothing in a column that may be empty, unreadable in one that may not.
_PENDING = frozenset(
    ["待核实", "待核", "待查", "待补", "待定", "待填", "待确认", "不详", "未知", "未定", "核实中", "统计中", "待统计"]
)
PENDING = Bad("pending")
_BLANK_DATE = _BLANK_NUMBER | {"至今", "长期"}
# 〃 and its look-alikes: the same as the cell above.
DITTO = frozenset(["同上", "〃", "″", "''", '"', "“", "”", "＂", "同前", "ditto"])

_TRUE = frozenset(["是", "√", "✓", "✔", "☑", "有", "y", "yes", "true", "t", "1", "对", "v", "1.0"])
_FALSE = frozenset(
    ["否", "×", "✗", "✘", "✕", "x", "无", "n", "no", "false", "f", "0", "非", "没有", "不是", "☒", "╳", "0.0"]
)

# A mark of a footnote behind a digit, which full width to half would make a digit of; and the apostrophe before what is
# to be kept as text, which some exports write as a character.
_MARKED = re.compile(r"\d\s*[\u00b2\u00b3\u00b9\u2070-\u2079\u2460-\u249b\u24ea-\u24ff\u2776-\u2793]")
_APOSTROPHES = "'’‘`"
_SPACES = re.compile(r"[\s\u200b\u2060\ufeff]+")
_PLAIN = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|[+-]?\.\d+")
_WRITTEN = re.compile(r"\d[\d,]*(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|\.\d+")  # the number in a cell that was read as one
_NUMBER = re.compile(rf"(?P<number>{_PLAIN.pattern})(?P<unit>[^\d.,]*[^\d.,\s]?[23]?)")
_BEFORE = re.compile(r"^(约为|大约|大概|近似|将近|接近|预计|估计|约|近|≈|~|超过|超|不足|逾)")
_AFTER = re.compile(r"(左右|上下|以上|以下|多|余|许|\+|有余)$")
_INSIDE = re.compile(r"(?<=[\d万亿千百])(余|多|来|几)(?=[^\d])")
_MINUS = str.maketrans({"−": "-", "–": "-", "﹣": "-", "－": "-", "，": ",", "٫": ".", "。": "."})
_COUNTERS = frozenset(
    [
        "个",
        "件",
        "台",
        "套",
        "辆",
        "张",
        "把",
        "组",
        "人",
        "次",
        "户",
        "栋",
        "幢",
        "座",
        "起",
        "家",
        "处",
        "宗",
        "项",
        "份",
        "只",
        "批",
        "期",
        "名",
        "位",
        "人次",
        "间",
        "本",
        "条",
        "例",
        "场",
        "学时",
        "课时",
    ]
)
_DATE = re.compile(
    r"(?P<y>\d{4})(?P<s1>[-./_年])(?P<m>\d{1,2})(?P<s2>[-./_月])(?P<d>\d{1,2})[日号]?"
    r"(?:\(?(?:星期|周)[一二三四五六日天]\)?)?(?:T?\d{1,2}[:时]\d{1,2}(?:[:分]\d{1,2}(?:\.\d+)?秒?)?分?(?:Z|\+\d\d:?\d\d)?)?"
)
_DATE8 = re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:\.0+)?")
_DATE_LAST_YEAR = re.compile(r"(?P<a>\d{1,2})[-./](?P<b>\d{1,2})[-./](?P<y>\d{4})")
_MONTH = re.compile(r"(?P<y>\d{4})[-./_年](?P<m>\d{1,2})(?:月份|月)?")
_MONTH6 = re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?:\.0+)?")
_MONTH_ALONE = re.compile(r"(?P<m>\d{1,2}|[一二三四五六七八九]|十[一二]?)(?:月份|月)")
_NOT_A_MONTH = re.compile(r"季|半年|全年|年度|[-—~至到、]\d{1,2}月|^\d{4}年?[-./]?[HhQq][1-4]$|^[HhQq][1-4]$")
_YEAR = re.compile(r"(?P<y>(?:19|20)\d{2})(?:年度|年份|年|\.0+)?")
_CN_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_CN_YEAR = re.compile(r"([一二][〇○零一二三四五六七八九]{3})年?度?")
_EPOCH_1900, _EPOCH_1904 = dt.date(1899, 12, 30), dt.date(1904, 1, 1)
_SERIALS = range(18264, 73051)  # 1950-01-01 to 2100-01-01 as day numbers of the 1900 system


def squeeze(text: str) -> str:
    """Full width to half, no white space at all."""
    if text.isascii():
        return _SPACES.sub("", text) if " " in text or not text.isprintable() else text
    return _SPACES.sub("", unicodedata.normalize("NFKC", text))


def read_number(value: Any, units: Mapping[str, Decimal], factor: Decimal | None, unit: str | None = None) -> Any:
    """A number in canonical units: float, None, Bad or Doubt.

    `units` are the spellings the column knows, `factor` what one of the sheet's units is in canonical ones (None: the
    sheet states none, so canonical), `unit` the canonical one. A unit in the cell counts only where it cannot be meant
    twice: 3.03万㎡ under a header in 万㎡ is Bad('unit').
    """
    kind = type(value)
    if kind is float or kind is int:
        if not isfinite(value):
            return BAD
        return scaled(value, factor)
    if kind is not str:
        return None if value is None else BAD  # a date or a yes in a column of numbers
    if (factor is None or factor == 1) and len(value) <= 18 and _PLAIN.fullmatch(value):
        return float(value.replace(",", ""))
    text = squeeze(value).translate(_MINUS).lstrip(_APOSTROPHES)
    if text.lower() in _BLANK_NUMBER:
        return None
    if text in _PENDING:
        return PENDING
    if text[0] == "=":
        return Bad("formula")
    if not value.isascii() and _MARKED.search(value):
        return Bad("marked")
    doubtful = False
    if not _PLAIN.fullmatch(text):
        cut = _BEFORE.sub("", text)
        cut = _AFTER.sub("", cut)
        cut = _INSIDE.sub("", cut)
        doubtful, text = cut != text, cut
    sign = ""
    if text[:1] == "(" and text[-1:] == ")":  # accountants' negative
        sign, text = "-", text[1:-1]
        if text[:1] in ("-", "+"):
            return BAD
    if text[:1] in ("¥", "￥", "$"):
        if unit != "元" or text[0] == "$":
            return BAD
        text = text[1:]
    found = _NUMBER.fullmatch(text)
    if not found:
        return BAD
    number = Decimal(sign + found["number"].replace(",", ""))
    if abs(number) > 10**18:
        return BAD
    tail = found["unit"]
    scale: Decimal | None = factor
    if tail:
        if _AFTER.search(tail):
            tail, doubtful = _AFTER.sub("", tail), True
        scale = _scale_in_cell(tail, units, factor, unit)
        if scale is None:
            return Bad("unit") if unit_key(tail) in units or tail in ("万", "亿", "千", "百") else BAD
    result = float(number if scale is None or scale == 1 else number * scale)
    return Doubt(result) if doubtful else result


def _scale_in_cell(tail: str, units: Mapping[str, Decimal], factor: Decimal | None, unit: str | None) -> Decimal | None:
    """What a unit written in the cell makes of its number; None where that is unclear."""
    stated = Decimal(1) if factor is None else factor
    if tail == "%" and unit != "%":
        return None
    big = {"万": Decimal(10_000), "亿": Decimal(100_000_000)}.get(tail)
    if big is not None:
        return big if stated == 1 else None
    if unit is None:
        return Decimal(1) if tail in _COUNTERS else None
    own = units.get(unit_key(tail))
    if own is None:
        return None
    if own == stated and tail[:1] not in "万亿百千":
        return stated
    # 5万元 where the sheet says nothing, or says 元: clear. 5元 or 5万元 where it says 万元: which one is meant?
    return own if stated == 1 else None


def scaled(value: float | int, factor: Decimal | None) -> float:
    """A number times a unit's factor, in decimal arithmetic on the 15 digits a spreadsheet keeps."""
    if factor is None or factor == 1:
        return float(value)
    digits = f"{value:.15g}"
    power = _POWERS.get(factor)
    if power is not None and "e" not in digits:
        return float(digits + power)  # the same as the product below, without making decimals
    return float(Decimal(digits) * factor)


_POWERS = {Decimal(10) ** n: f"e{n}" for n in (*range(-6, 0), *range(1, 9))}


def written_to(raw: Any, value: float | None, factor: Decimal | None) -> float | None:
    """Half a unit of the last digit that a cell's number is written with, in canonical units: 610.808 under 万元 is known to 5 元.

    `value` is what `raw` was read as, `factor` the header's: 0.00 has no ratio to tell a unit in the cell by. A number cell has
    the digits that the file keeps of it, at most 15. None where the cell holds no number.
    """
    digits = f"{raw:.15g}" if type(raw) in (float, int) else ""
    if type(raw) is str and (found := _WRITTEN.search(squeeze(raw).translate(_MINUS))):
        digits = found[0].replace(",", "")
    if value is None or not digits:
        return None
    number = float(digits)
    return half_unit(digits) * (abs(value / number) if number else float(factor or 1))


def read_integer(value: Any, units: Mapping[str, Decimal], factor: Decimal | None, unit: str | None = None) -> Any:
    """As `read_number`, but a whole number, as int."""
    result = read_number(value, units, factor, unit)
    if type(result) is float:
        return int(result) if result.is_integer() else BAD
    if type(result) is Doubt:
        return Doubt(int(result.value)) if result.value.is_integer() else BAD
    return result


def read_year(value: Any) -> Any:
    """2021, 2021年, 2021年度, 2021.0, 二〇二一年, or any date of that year."""
    kind = type(value)
    if kind is float or kind is int:
        return int(value) if 1900 <= value <= 2100 and int(value) == value else BAD
    if kind is dt.date or kind is dt.datetime:
        return value.year
    if kind is not str:
        return None if value is None else BAD
    text = squeeze(value).lstrip(_APOSTROPHES)
    if text.lower() in _BLANK_DATE:
        return None
    if text in _PENDING:
        return PENDING
    if text[0] == "=":
        return Bad("formula")
    if not value.isascii() and _MARKED.search(value):
        return Bad("marked")
    found = _YEAR.fullmatch(text)
    if found:
        return int(found["y"])
    spelt = _CN_YEAR.fullmatch(text)
    if spelt:
        return int(spelt[1].translate(_CN_DIGITS))
    return BAD


def read_month(value: Any, year: int | None = None, epoch_1904: bool = False) -> Any:
    """'YYYY-MM' from 2021年3月, 2021-03, 2021.3, 202103, 2021-03-05, a date, a serial; 3月 where the sheet states `year`."""
    kind = type(value)
    if kind is dt.date or kind is dt.datetime:
        return f"{value.year:04d}-{value.month:02d}"
    if kind is float or kind is int:
        if not isfinite(value):
            return BAD
        if int(value) == value:
            if 190001 <= value <= 210012:
                return _month(int(value) // 100, int(value) % 100)
            if 19000101 <= value <= 21001231:
                day = _day(int(value) // 10000, int(value) // 100 % 100, int(value) % 100)
                return day if day is BAD else f"{day.year:04d}-{day.month:02d}"
            if int(value) in _SERIALS:
                day = from_serial(value, epoch_1904)
                return f"{day.year:04d}-{day.month:02d}"
            if year is not None and 1 <= value <= 12:
                return _month(year, int(value))
            return Bad("month_precision") if 1900 <= value <= 2100 else BAD
        if 1900 < value < 2101:
            y, part = f"{value:.4f}".rstrip("0").split(".")
            # 2021.1 may have been 2021.10 before the spreadsheet took it for a number.
            return BAD if part == "1" or len(part) > 2 else _month(int(y), int(part))
        return BAD
    if kind is not str:
        return None if value is None else BAD
    return _month_in(value, year, epoch_1904)


@lru_cache(maxsize=20_000)
def _month_in(value: str, year: int | None, epoch_1904: bool) -> Any:
    text = squeeze(value).lstrip(_APOSTROPHES)
    if text.lower() in _BLANK_DATE:
        return None
    if text in _PENDING:
        return PENDING
    if text[0] == "=":
        return Bad("formula")
    if not value.isascii() and _MARKED.search(value):
        return Bad("marked")
    found = _MONTH.fullmatch(text) or _MONTH6.fullmatch(text)
    if found:
        return _month(int(found["y"]), int(found["m"]))
    found = _DATE.fullmatch(text) or _DATE8.fullmatch(text)
    if found:
        day = _day(int(found["y"]), int(found["m"]), int(found["d"]))
        return day if type(day) is Bad else f"{day.year:04d}-{day.month:02d}"
    found = _MONTH_ALONE.fullmatch(text)
    if found and year is not None:
        m = found["m"]
        return _month(year, int(m) if m.isdigit() else _CN_MONTHS[m])
    if year is not None and text.isdigit() and len(text) <= 2:
        return _month(year, int(text))
    spelt = _CN_YEAR.match(text)
    if spelt:
        found = _MONTH_ALONE.fullmatch(text[spelt.end() :])
        if found:
            m = found["m"]
            return _month(int(spelt[1].translate(_CN_DIGITS)), int(m) if m.isdigit() else _CN_MONTHS[m])
    if text.isascii() and text.isdigit() and len(text) == 5 and int(text) in _SERIALS:
        return read_month(int(text), year, epoch_1904)
    return Bad("month_precision") if _NOT_A_MONTH.search(text) or _YEAR.fullmatch(text) else BAD


_CN_MONTHS = {
    m: i for i, m in enumerate(["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"], 1)
}


def read_date(value: Any, epoch_1904: bool = False) -> Any:
    """A date from 2021.3.5, 2021年3月5日, 2021/3/5, 2021_03_05, 20210305, a date cell or a serial number.

    Bad('date_precision') where it says a month or a year only, Bad('date_order') for 03/04/2021.
    """
    kind = type(value)
    if kind is dt.datetime:
        return value.date()
    if kind is dt.date:
        return value
    if kind is float or kind is int:
        if not isfinite(value):
            return BAD
        whole = int(value)
        if whole == value and 19000101 <= whole <= 21001231:
            return _day(whole // 10000, whole // 100 % 100, whole % 100)
        if whole in _SERIALS:
            return from_serial(value, epoch_1904)
        if 1900 <= whole <= 2100 or 190001 <= whole <= 210012:
            return Bad("date_precision")
        return BAD
    if kind is not str:
        return None if value is None else BAD
    return _date_in(value, epoch_1904)


@lru_cache(maxsize=20_000)
def _date_in(value: str, epoch_1904: bool) -> Any:
    text = squeeze(value).lstrip(_APOSTROPHES)
    if text.lower() in _BLANK_DATE:
        return None
    if text in _PENDING:
        return PENDING
    if text[0] == "=":
        return Bad("formula")
    if not value.isascii() and _MARKED.search(value):
        return Bad("marked")
    found = _DATE.fullmatch(text) or _DATE8.fullmatch(text)
    if found:
        return _day(int(found["y"]), int(found["m"]), int(found["d"]))
    found = _DATE_LAST_YEAR.fullmatch(text)
    if found:
        a, b, y = int(found["a"]), int(found["b"]), int(found["y"])
        if a > 12 >= b:
            return _day(y, b, a)
        if b > 12 >= a:
            return _day(y, a, b)
        return _day(y, a, b) if a == b else Bad("date_order")
    if _MONTH.fullmatch(text) or _MONTH6.fullmatch(text) or _YEAR.fullmatch(text):
        return Bad("date_precision")
    spelt = _CN_YEAR.match(text)
    if spelt:
        return _spelt_date(spelt[1].translate(_CN_DIGITS), text[spelt.end() :])
    if text.isascii() and text.isdigit() and len(text) == 5 and int(text) in _SERIALS:
        return from_serial(int(text), epoch_1904)
    return BAD


def _spelt_date(year: str, rest: str) -> Any:
    """二〇二一年三月五日, its year already in digits."""
    found = re.fullmatch(r"([一二三四五六七八九十]+)月([一二三四五六七八九十]+)日", rest)
    if not found:
        return BAD
    ones = {c: i for i, c in enumerate("一二三四五六七八九", 1)}

    def small(text: str) -> int:
        tens, ten, unit = text.rpartition("十")
        return (ones.get(tens, 1) * 10 if ten else 0) + ones.get(unit, 0)

    return _day(int(year), small(found[1]), small(found[2]))


def from_serial(value: float, epoch_1904: bool = False) -> dt.date:
    """The date of a spreadsheet's day number; the 1900 system counts a 29 February 1900 that never was."""
    return (_EPOCH_1904 if epoch_1904 else _EPOCH_1900) + dt.timedelta(days=int(value))


def _day(y: int, m: int, d: int) -> Any:
    try:
        return dt.date(y, m, d)
    except ValueError:
        return BAD


def _month(y: int, m: int) -> Any:
    return f"{y:04d}-{m:02d}" if 1 <= m <= 12 and 1900 <= y <= 2100 else BAD


def read_boolean(value: Any, yes: frozenset[str] = _TRUE, no: frozenset[str] = _FALSE) -> Any:
    """是/否/√/×/有/无/Y/N/true/false/1/0. `yes` and `no` are the words known, folded."""
    kind = type(value)
    if kind is bool:
        return value
    if kind is float or kind is int:
        return bool(value) if value in (0, 1) else BAD
    if kind is not str:
        return None if value is None else BAD
    text = squeeze(value).lower()
    if text in yes:
        return True
    if text in no:
        return False
    if text in _PENDING:
        return PENDING
    return None if text in _BLANK_TEXT else BAD


def read_text(value: Any) -> Any:
    """Text as it stands but for the white space around it; a code that became a number gets its digits back."""
    kind = type(value)
    if kind is str:
        text = value.strip(_AROUND)
        if len(text) <= 5:
            folded = squeeze(text).lower()
            return None if folded in _BLANK_TEXT or folded in _PENDING else text
        if text[0] in _APOSTROPHES and text[1:].isascii() and text[1:].isalnum():
            return text[1:]  # a code
        return text
    if kind is float:
        if not abs(value) < 1e15:  # a spreadsheet keeps 15 digits
            return Bad("digits_lost") if isfinite(value) else BAD
        return str(int(value)) if value.is_integer() else repr(value)
    if kind is int:
        return str(value) if abs(value) < 10**15 else Bad("digits_lost")
    if kind is bool:
        return "是" if value else "否"
    if kind is dt.datetime:
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if kind is dt.date or kind is dt.time:
        return value.isoformat()
    return None if value is None else str(value)


_AROUND = " \t\r\n\f\v\u3000\u00a0\u200b\u2060\ufeff\u2002\u2003\u2009"


def read_choice(value: Any, folded: Mapping[str, str]) -> Any:
    """One of a closed list, as the list spells it; text not in the list is kept for the suite to judge."""
    text = value
    if type(value) is not str:
        text = read_text(value)
        if type(text) is not str:
            return text
    known = folded.get(text)
    if known is not None:
        return known
    return folded.get(header_key(text)) or read_text(text)


def column_reader(column: Column, factor: Decimal | None, year: int | None, epoch_1904: bool) -> Reader:
    """The function that reads one cell of this column. `factor`: see `read_number`; `year`: the sheet's, if it states one."""
    kind = column.kind
    if kind == "decimal":
        return lambda v: read_number(v, column.units, factor, column.unit)
    if kind == "integer":
        return lambda v: read_integer(v, column.units, factor, column.unit)
    if kind == "year":
        return read_year
    if kind == "month":
        return lambda v: read_month(v, year, epoch_1904)
    if kind == "date":
        return lambda v: read_date(v, epoch_1904)
    if kind == "boolean":
        yes, no = _yes_no(column)
        return lambda v: read_boolean(v, yes, no)
    if kind == "enum":
        folded = _choices(column.values)
        return lambda v: read_choice(v, folded)
    return read_text


@lru_cache(maxsize=1024)
def _choices(values: tuple[str, ...]) -> dict[str, str]:
    return {header_key(v): v for v in values} | {v: v for v in values}


@lru_cache(maxsize=1024)
def _stem_words(headers: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    stems = {header_key(h).removeprefix("是否") for h in headers}
    stems = {s.removesuffix("单位") for s in stems} | stems
    no = {p + s for s in stems for p in ("未", "不", "非", "没有", "无")}
    yes = {s for s in stems if s} | {p + s for s in stems for p in ("已", "是")}
    return _TRUE | (yes - no), _FALSE | no


def _yes_no(column: Column) -> tuple[frozenset[str], frozenset[str]]:
    """A column 是否开放 is also answered by 开放, 已开放, 未开放, 不开放."""
    return _stem_words(column.headers)


_FLOATS, _DATES, _TEXTS = {float}, {dt.date}, {str}
_MOST_TEXTS = 500  # texts a column's reader keeps in mind


class ColumnReader(dict[str, Any]):
    """Reads whole columns of one kind; as a mapping, what each text met reads as, since most texts come again.

    `factor`, `year` and `epoch_1904` as for `column_reader`.
    """

    def __init__(self, column: Column, factor: Decimal | None, year: int | None = None, epoch_1904: bool = False):
        super().__init__()
        self.column, self.factor = column, None if factor == 1 else factor
        self._scale = float(factor) if factor is not None and factor > 1 and factor in _POWERS else None
        self._read = column_reader(column, factor, year, epoch_1904)

    def __missing__(self, text: str) -> Any:
        if len(self) >= _MOST_TEXTS:
            self.clear()
        value = self[text] = self._read(text)
        return value

    def read(
        self, cells: Sequence[Any], types: set[type] | None = None
    ) -> tuple[list[Any], Sequence[tuple[int, Bad | Doubt]]]:
        """A column's cells as values, and for each cell that was bad or doubtful its index and why.

        `types` are the cells' types, where somebody has looked already.
        """
        if types is None:
            types = set(map(type, cells))
        kind = self.column.kind
        values: list[Any]
        if types == _TEXTS:
            values = list(map(self.__getitem__, cells))
        elif kind == "decimal" and float in types:
            # Finite as a whole, so finite one by one.
            if types == _FLOATS and isfinite(sum(cells)):
                return (list(cells) if self.factor is None else self._scaled(cells)), ()
            if types == _FLOATS or not isfinite(sum([v for v in cells if type(v) is float])):
                values = list(map(self._cell, cells))
            elif self.factor is None:
                values = [v if type(v) is float else self[v] if type(v) is str else self._read(v) for v in cells]
            else:
                values = self._scaled(cells)
        elif types == _DATES and kind == "date":
            return list(cells), ()
        else:
            values = list(map(self._cell, cells))
        kinds = set(map(type, values))
        return (values, ()) if Bad not in kinds and Doubt not in kinds else self._odd(values)

    def _scaled(self, cells: Sequence[Any]) -> list[Any]:
        """The cells read, all finite floats among them times the factor."""
        factor, scale = self.factor, self._scale
        if scale is None:
            return [scaled(v, factor) if type(v) is float else self._cell(v) for v in cells]
        return [
            # A whole number below 1e14 is the exact product: one of 15 digits is no nearer to another.
            (w if (w := v * scale).is_integer() and -1e14 < w < 1e14 else scaled(v, factor))
            if type(v) is float
            else self._cell(v)
            for v in cells
        ]

    def _cell(self, value: Any) -> Any:
        return self[value] if type(value) is str else self._read(value)

    def _odd(self, values: list[Any]) -> tuple[list[Any], list[tuple[int, Bad | Doubt]]]:
        odd: list[tuple[int, Bad | Doubt]] = []
        for k, v in enumerate(values):
            if type(v) is Doubt:
                values[k] = v.value
                odd.append((k, v))
            elif type(v) is Bad:
                values[k] = None
                if v is not PENDING or self.column.required:
                    odd.append((k, v))
        return values, odd


def read_column(
    cells: Sequence[Any], column: Column, factor: Decimal | None, year: int | None = None, epoch_1904: bool = False
) -> tuple[list[Any], Sequence[tuple[int, Bad | Doubt]]]:
    """A column's cells as values, and what was odd about them: see `ColumnReader.read`."""
    return ColumnReader(column, factor, year, epoch_1904).read(cells)
