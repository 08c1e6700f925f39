"""Values that a sheet states once: its submitter, units, year, and the mark of made-up data.

Belongs here: the words in the rows above a table (and the names of the sheet and the file). Not here: the table itself.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from expectations.contract import header_key
from pipelines.core.text import squeeze
from pipelines.intake.issues import as_shown as text_of
from pipelines.intake.layout.headers import Headers
from pipelines.intake.sheets import MARK
from pipelines.intake.vocabulary import vocabulary

_LABELS = vocabulary("heading")["submitter"]
_SEALS = "|".join(map(re.escape, _LABELS["seals"]))
_ENGLISH_SUBMITTER = re.compile(r"(?:reporting |submitting )?organi[sz]ation(?: name)?:?", re.IGNORECASE)
_UNIT = re.compile(r"(?:金额|计量|货币|数据|面积|数量)?单位[:为是]\(?([^,;。\s()]{1,20}(?:[、,/][^,;。\s()]{1,8})*)")
_YEAR_LABEL = re.compile(r"^(?:统计|填报|报告|所属|数据|报表)?(?:年度|年份|年)[:]?$")
_YEAR_STATED = re.compile(
    r"^(?:统计|填报|报告|所属|数据|报表)?(?:年度|年份|期间|时期|报告期|所属期|统计期)[:]((?:19|20)\d\d)"
)
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)\s*(?=年)(?!年\d{1,2}月\d{1,2}日)")
_YEARS_FROM = re.compile(r"(?<!\d)((?:19|20)\d\d)年?\s*(?:[-—–~至到、和及/]|——)\s*(?=(?:19|20)\d\d年)")
_YEAR_IN_ENGLISH = re.compile(
    r"\b(?:for|year|FY)\s*(?:the\s+)?(?:(?:calendar|reporting|fiscal)\s+)?(?:year\s*)?[:\s]?\s*((?:19|20)\d\d)(?![\d/.-])",
    re.IGNORECASE,
)
_YEAR_OF_A_REPORT = re.compile(
    r"\s*((?:19|20)\d\d)\s+(?=[A-Za-z]).*\b(?:annual|report|return|data|survey|inventory|statistics|consumption|emissions|list|summary|results)\b",
    re.IGNORECASE,
)
_YEAR_ENDED = re.compile(r"\byear\s+end(?:ed|ing)\s+[a-z]+\.?\s+\d{1,2},?\s+((?:19|20)\d\d)\b", re.IGNORECASE)
_MONTH_IN_ENGLISH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_MONTHS_OF_A_YEAR = re.compile(
    rf"{_MONTH_IN_ENGLISH}[\s/-]*((?:19|20)\d\d)\s*(?:[-–—]|to|until|through)\s*{_MONTH_IN_ENGLISH}[\s/-]*\1",
    re.IGNORECASE,
)
_YEAR_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_ANY_DATE = re.compile(r"(?:19|20)\d\d[-./年]\d{1,2}[-./月]\d{1,2}日?")
_DATED = re.compile(r"日期|时间|打印|截至|截止|发文|印发")
_NEXT_LABEL = re.compile(
    r"(?:填报|填表|报送|制表|统计|上报)?(?:日期|时间|年度|年份|人|负责人)[:]|(?:金额|计量|货币)?单位[:]|金额单位|联系|电话"
)
_SEVERAL = re.compile(r"[、,/;和及]")
_COLON, _GAP = re.compile(r"[:：]"), re.compile(r"\s{2,}|[\u3000\t\n]")
_SEAL = re.compile(rf"\((?:{_SEALS})\)$")


@dataclass(slots=True)
class HeadingFacts:
    """The values stated: `units` as written; `texts` all the heading's text squeezed, for hints and for repeats; `labelled` what
    stands behind labels that contracts name, by label."""

    submitter: str | None = None
    units: list[str] = field(default_factory=list)
    year: int | None = None
    month: int | None = None
    synthetic: bool = False
    texts: list[str] = field(default_factory=list)
    labelled: dict[str, str] = field(default_factory=dict)


def read_heading(rows: Sequence[Sequence[Any]], headers: Headers) -> HeadingFacts:
    """The values stated in a table's heading rows, top down; the first cell that states one counts."""
    facts = HeadingFacts()
    years: set[str] = set()
    for row in rows:
        if row.count("") == len(row):
            continue
        cells = [v for v in row if v != "" and v is not None]
        for i, v in enumerate(cells):
            if type(v) is not str:
                continue
            stated = _stated(v, cells[i + 1] if i + 1 < len(cells) else None, headers)
            facts.texts.append(stated.text)
            if headers.labels:
                _labelled(facts, v, cells[i + 1] if i + 1 < len(cells) else None, headers)
            facts.synthetic |= MARK in stated.text
            facts.submitter = facts.submitter or stated.submitter
            facts.units += stated.units
            if facts.year is None:
                facts.year = stated.year
            years.update(stated.years)
    if facts.year is None and len(years) == 1:
        facts.year = int(years.pop())
    return facts


def _labelled(facts: HeadingFacts, cell: str, after: Any, headers: Headers) -> None:
    """Enter what stands behind a label, in its own cell or in the next: Sector: Municipality."""
    label, _, behind = cell.replace("：", ":").partition(":")
    folded = header_key(label)
    if folded not in headers.labels:
        return
    value = behind.strip() or (text_of(after) if after is not None else "")
    if value:
        facts.labelled.setdefault(folded, value)


class _Stated(NamedTuple):
    """The values stated in one cell of a heading; `years`: those it names without calling one the sheet's."""

    text: str
    submitter: str | None = None
    units: tuple[str, ...] = ()
    year: int | None = None
    years: tuple[str, ...] = ()


@lru_cache(maxsize=20_000)
def _stated(cell: str, after: Any, headers: Headers) -> _Stated:
    """Parse a cell, which may be a label for the next one. Cached, because most headings recur in other files."""
    text = squeeze(cell)
    years = _years(text) if "年" in text else _english_years(cell)
    if len(text) <= 14:
        alone = headers.unit_alone(text)
        if alone:
            return _Stated(text, units=(alone,), years=years)
    rest, submitter, year = text, None, None
    if _ENGLISH_SUBMITTER.fullmatch(cell.strip()) and isinstance(after, str):
        submitter = after.strip() or None
    if ":" in text:
        named = _submitter(headers).match(text)
        if named:
            who = _cut(cell, named, text)
            if not who and isinstance(after, str) and ":" not in squeeze(after):
                who = _SEAL.sub("", after.strip())
            if who and headers.unit_alone(who) is None and not _units(who, headers):
                submitter = who
                rest = text[named.end() + len(squeeze(who)) :] if who in cell else ""
    units = [u for found in _UNIT.finditer(rest) for u in _units(found[1], headers)] if "单位" in rest else []
    if "年" in rest:
        stated = _YEAR_STATED.match(rest)
        if stated:
            year = int(stated[1])
        elif _YEAR_LABEL.match(rest) and after is not None:
            year = _as_year(after)
    return _Stated(text, submitter, tuple(units), year, years)


@lru_cache(maxsize=8)
def _submitter(headers: Headers) -> re.Pattern[str]:
    """The pattern of labels before the submitter's name, with the labels that the city adds."""
    labels = [*_LABELS["labels"], *headers.contracts.words.get("submitter", ())]
    names = "|".join(re.escape(squeeze(w)) for w in sorted(labels, key=len, reverse=True))
    return re.compile(rf"^(?:{names})(?:\((?:{_SEALS}|全称)\))?[:]")


def _years(text: str) -> tuple[str, ...]:
    """The years named in a heading's text, without those of dates and of filling in."""
    if _DATED.search(text):
        return ()
    text = _ANY_DATE.sub("", text)
    return (*_YEARS_FROM.findall(text), *_YEAR.findall(text))


def _english_years(cell: str) -> tuple[str, ...]:
    """The years that an English heading names: for 2015, Reporting year 2015, Jan/2015 - Dec/2015; not those of two calendar years."""
    if "19" not in cell and "20" not in cell:
        return ()
    patterns = (_YEAR_IN_ENGLISH, _MONTHS_OF_A_YEAR, _YEAR_ENDED)
    named = [y for pattern in patterns for y in pattern.findall(cell)]
    return (*named, *(m[1] for m in [_YEAR_OF_A_REPORT.match(cell)] if m))


def _cut(cell: str, named: re.Match[str], text: str) -> str:
    """The name after 填报单位：, as written, up to the next label or a wide gap in the same cell."""
    # Found again in the unsqueezed cell, so that a gap after the name still shows.
    _, *behind = _COLON.split(cell, maxsplit=1)
    rest = behind[0].strip() if behind else text[named.end() :]
    rest = _GAP.split(rest, maxsplit=1)[0]
    label = _NEXT_LABEL.search(rest.replace("：", ":"))
    rest = rest[: label.start()] if label else rest
    folded = rest.replace("（", "(").replace("）", ")")
    seal = _SEAL.search(folded)
    return (rest[: seal.start()] if seal else rest).strip(" ,，;；")


def _units(text: str, headers: Headers) -> list[str]:
    alone = headers.unit_alone(text)
    if alone:
        return [alone]
    parts = [headers.unit_alone(p) for p in _SEVERAL.split(text) if p]
    return [] if None in parts else [p for p in parts if p]


def _as_year(value: Any) -> int | None:
    if isinstance(value, dt.date):
        return value.year
    found = re.match(r"((?:19|20)\d\d)(?:\.0+)?(?:年|$)", squeeze(str(value)))
    return int(found[1]) if found else None


def year_in_name(name: str) -> int | None:
    """The year in the name of a sheet or file, where it holds exactly one."""
    years = set(_YEAR_IN_NAME.findall(name))
    return int(years.pop()) if len(years) == 1 else None
