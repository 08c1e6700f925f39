"""Lays rows out as departments do: titles, units, totals, notes, and twenty ways to write one value.

Belongs here: from a draft to a sheet of cells, and the truth about that sheet. Not here: which values are wrong
(plant.py), bytes (formats.py). Headers, aliases and units come from the contract.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from expectations.contract import Column, Contract, unit_table
from pipelines.sample import MARK
from pipelines.sample.formats import Cell, Sheet
from pipelines.sample.world import Draft, Row, Value

LAYOUTS = ("plain", "title", "group", "padded", "total_first")
WEIGHTS = (15, 35, 20, 15, 15)
BLANKS = ("", "", "—", "/", "-", "无")
FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９．")
MONEY = "元"
BY_TEN_THOUSAND = {"元", "㎡", "kWh"}  # units that departments also write in 万
# Folded spellings that no department writes over a column, though the reader knows them.
ODD = {"万", "百分之", "百分点", "个百分点", "百分比", "¥", "^"}


@dataclass(frozen=True)
class Placed:
    """A column as one sheet has it: its header as written, its unit's factor, and where."""

    column: Column
    header: str
    factor: Decimal
    index: int


def lay_out(draft: Draft, contract: Contract, r: random.Random, name: str) -> tuple[Sheet, dict[str, Any]]:
    """The sheet of a draft and its entry for truth.json (without path and format; rows are 1-based)."""
    layout = draft.layout or r.choices(LAYOUTS, WEIGHTS)[0]
    titled = layout != "plain"
    years = {
        v for x in draft.rows for c in contract.columns if c.kind == "year" and (v := x.values.get(c.name)) is not None
    }
    stated_year = titled and years <= {draft.year}
    money = any(c.unit == MONEY for c in contract.columns)
    stated_unit = r.choice(["万元", "万元", MONEY]) if titled and money and r.random() < 0.4 else None
    columns = _columns(draft, contract, r, titled, stated_year)
    left = 1 if layout == "padded" else 0
    gap = left + 2 if layout == "padded" and len(columns) > 4 and r.random() < 0.4 else None  # a blank column
    placed = []
    for i, c in enumerate(columns):
        header, factor = _header(c, r, stated_unit)
        placed.append(Placed(c, header, factor, left + i + (1 if gap is not None and left + i >= gap else 0)))
    width = placed[-1].index + 1 + (1 if draft.unmapped else 0)
    cells: list[list[Cell]] = []
    merges: list[tuple[int, int, int, int]] = []

    def line(*at: tuple[int, Cell]) -> list[Cell]:
        row: list[Cell] = [None] * width
        for i, v in at:
            if i < width:
                row[i] = v
        cells.append(row)
        return row

    def wide(text: str) -> None:
        line((left, text))
        if width - left > 1:
            merges.append((len(cells) - 1, left, len(cells) - 1, width - 1))

    if titled:
        year = "" if not stated_year and r.random() < 0.3 else f"{draft.year}年{r.choice(['', '度'])}"
        wide(f"{year}{contract.title_zh}{r.choice(['表', '情况表', '', '统计表'])}")
        if r.random() < 0.5 or width - left < 5:
            wide(MARK)
            extra: list[Cell] = []
        else:
            extra = [MARK]
        said: list[Cell] = [f"填报日期：{_chinese_day(draft.sent)}"]
        if stated_unit:
            said.append(r.choice(["单位：", "金额单位："]) + stated_unit)
        who = f"{r.choice(['填报单位', '填报单位'])}：{draft.submitter}" if draft.submitter else None
        at = [who, *said, *extra]
        if left + 2 * len(at) <= width:
            line(*[(left + 2 * i, v) for i, v in enumerate(at)])
        else:  # too narrow for one line
            for v in at:
                line((left, v))
    else:
        line((0, MARK))
    if layout == "padded":
        line()
    if layout == "group" and len(placed) > 3:
        cut = placed[r.randint(1, len(placed) - 2)].index
        line((placed[0].index, "基本情况"), (cut, "具体数据"))
        merges += [
            (len(cells) - 1, a, len(cells) - 1, b)
            for a, b in ((placed[0].index, cut - 1), (cut, placed[-1].index))
            if a < b
        ]
    headers: list[tuple[int, Cell]] = [(p.index, p.header) for p in placed]
    if draft.unmapped:
        headers.append((width - 1, draft.unmapped))
    line(*headers)
    if layout == "group":
        line()  # headers merged over two rows
        merges += [(len(cells) - 2, p.index, len(cells) - 1, p.index) for p in placed]
    total_at = None
    if layout == "total_first":
        total_at = len(cells)
        line()
    again = len(draft.rows) // 2 if len(draft.rows) > 8 and r.random() < 0.25 else None
    blank = r.randrange(len(draft.rows)) if draft.rows and r.random() < 0.15 else None
    at_row: list[int] = []
    for i, row in enumerate(draft.rows):
        if i == again:
            line(*headers)
        if i == blank:
            line()
        written = [(p.index, _spell(row, p, r)) for p in placed]
        if draft.unmapped:
            written.append((width - 1, r.choice(["已核对", "待复核", ""])))
        line(*written)
        at_row.append(len(cells))
    totals = _totals(draft, placed, r)
    if total_at is not None:
        cells[total_at] = _total_line(totals, placed, width, r)
    elif titled and totals and len(draft.rows) > 1 and r.random() < 0.6:
        cells.append(_total_line(totals, placed, width, r))
    if titled and r.random() < 0.5:
        wide(
            r.choice(
                [
                    "注：1.数据截至填报日；2.金额以合同为准。",
                    "备注：本表一式两份，逾期不报按缺报处理。",
                    "说明：涉及多个年度的，按发生年度填列。",
                ]
            )
        )
    if titled and r.random() < 0.4:
        line((left, "填表人签字："), (left + 2, "审核："))
    return Sheet(name, cells, merges), _truth(draft, placed, at_row, layout, name)


def _columns(draft: Draft, contract: Contract, r: random.Random, titled: bool, stated_year: bool) -> list[Column]:
    """The columns this sheet has: all but what its form did not have yet, what is stated once, and what is left out."""
    late = {a for v in contract.versions if v.valid_from > f"{draft.year}-12-31" for a in v.adds}
    dropped = {a for v in contract.versions if v.valid_from <= f"{draft.year}-12-31" for a in v.drops}
    out = []
    for c in contract.columns:
        stated = titled and (
            (c.stated == "year" and stated_year) or (c.stated == "submitter" and draft.org is not None)
        )
        empty = not c.required and all(x.values.get(c.name) is None and c.name not in x.spelled for x in draft.rows)
        if c.name in late | dropped | draft.omit or (empty and r.random() < 0.7) or (stated and r.random() < 0.6):
            continue
        if (
            c.name in draft.may_drop
            and not any((x.bad and x.bad[0] == c.name) or c.name in x.spelled for x in draft.rows)
            and r.random() < 0.3
        ):
            continue
        out.append(c)
    if r.random() < 0.25:
        r.shuffle(out)
    return out


def _header(c: Column, r: random.Random, stated_unit: str | None) -> tuple[str, Decimal]:
    """A header as a department writes it, and the factor of the unit it (or the sheet) gives."""
    text = c.header_zh if r.random() < 0.5 else r.choice(c.headers)
    if len(text) == 2 and r.random() < 0.08:
        text = text[0] + "\u3000" + text[1]
    elif len(text) >= 4 and r.random() < 0.12:
        text = text[:2] + "\n" + text[2:]
    if c.unit is None:
        return text, Decimal(1)
    if c.unit == MONEY and stated_unit and r.random() < 0.75:
        return text, unit_table()[MONEY][stated_unit]
    if r.random() < 0.35 and not (c.unit == MONEY and stated_unit):
        return text, Decimal(1)
    unit = r.choice(_spellings(c))
    form = r.choice(["{}（{}）", "{}({})", "{}/{}", "{}\n({})"])
    return form.format(text, unit), Decimal(1) if unit == c.unit else c.units[unit]


def _spellings(c: Column) -> list[str]:
    """How a column's unit is written by hand: the unit, its Chinese names, and 万 of it where that is usual."""
    assert c.unit is not None
    factors = {s: f for s, f in c.units.items() if s not in ODD and not s.isascii()}
    same = [s for s, f in factors.items() if f == 1]
    many = [s for s, f in factors.items() if f == 10000 and s.startswith("万") and c.unit in BY_TEN_THOUSAND]
    return [c.unit] * 2 + same[:3] + many * (2 if c.unit == MONEY else 1)


def _spell(row: Row, p: Placed, r: random.Random) -> Cell:
    """One value as somebody types it."""
    c = p.column
    if c.name in row.spelled:
        return row.spelled[c.name]
    v = row.values.get(c.name)
    if v is None:
        return "" if c.kind in ("boolean", "string", "enum") or c.required else r.choice(BLANKS)
    match c.kind:
        case "integer" | "decimal":
            return _number(Decimal(str(v)) / p.factor, r)
        case "boolean":
            return r.choice([("是", "否"), ("√", "×"), ("有", "无"), ("Y", "N"), ("是", "否")])[0 if v else 1]
        case "year":
            written: list[Cell] = [int(str(v)), str(v), f"{v}年", f"{v}年度"]
            return r.choice(written)
        case "month":
            year, month = (int(x) for x in str(v).split("-"))
            months: list[Cell] = [str(v), f"{year}年{month}月", f"{year}.{month:02d}", f"{year}{month:02d}"]
            return r.choice([*months, dt.date(year, month, 1)])
        case "date":
            assert isinstance(v, dt.date)
            return _date(v, r)
        case _:
            text = str(v)
            return f" {text}\u3000" if c.values and r.random() < 0.15 else text


def _number(v: Decimal, r: random.Random) -> Cell:
    v = v.normalize()
    text = format(v, "f")
    chance = r.random()
    if chance < 0.06:
        return text.translate(FULL_WIDTH) if v >= 0 else text
    if chance < 0.12:
        return format(v, ",f")
    if chance < 0.16:
        return f" {text} "
    if chance < 0.26:
        return text
    return float(v)


def _date(v: dt.date, r: random.Random) -> Cell:
    forms: tuple[Cell, ...] = (
        v.isoformat(), f"{v.year}/{v.month}/{v.day}", f"{v.year}.{v.month}.{v.day}", f"{v.year}年{v.month}月{v.day}日",
        v.strftime("%Y%m%d"), v.strftime("%Y_%m_%d"), v, v,
    )  # fmt: skip
    return r.choice(forms)


def _chinese_day(v: dt.date) -> str:
    return f"{v.year}年{v.month}月{v.day}日"


def _totals(draft: Draft, placed: list[Placed], r: random.Random) -> dict[int, float]:
    """The sums a department writes under its table, in the sheet's own units: all rows it shows but refused ones."""
    out = {}
    for p in placed:
        if p.column.unit in (None, "%", "分") or p.column.kind not in ("integer", "decimal"):
            continue
        values = [x for row in draft.rows if (x := _shown(row, p)) is not None]
        if values:
            out[p.index] = float(sum(values, Decimal(0)))
    if draft.wrong_total and out:
        at = r.choice(sorted(out))
        out[at] = round(out[at] * 1.1, 4) or 1.0
    return out


def _shown(row: Row, p: Placed) -> Decimal | None:
    if row.bad and row.bad[1] == "classified_refused":
        return None
    v: Value | str | float = row.spelled.get(p.column.name, row.values.get(p.column.name))
    if isinstance(v, int | float | Decimal):
        return Decimal(str(v)) if p.column.name in row.spelled else Decimal(str(v)) / p.factor
    return None


def _total_line(totals: dict[int, float], placed: list[Placed], width: int, r: random.Random) -> list[Cell]:
    row: list[Cell] = [None] * width
    for i, v in totals.items():
        row[i] = v
    row[placed[0].index] = r.choice(["合计", "合 计", "总计", "小计"])
    return row


def _truth(draft: Draft, placed: list[Placed], at_row: list[int], layout: str, sheet: str) -> dict[str, Any]:
    kept = [x for x in draft.rows if x.counts]
    here = {p.column.name for p in placed}
    sums = {}
    for p in placed:
        if p.column.kind in ("integer", "decimal") and p.column.kept:
            values = [Decimal(str(v)) for x in kept if (v := x.values.get(p.column.name)) is not None]
            if values:
                sums[p.column.name] = float(sum(values, Decimal(0)))
    marks = [(n, x) for n, x in zip(at_row, draft.rows, strict=True)]
    return {
        "dataset": draft.dataset,
        "year": draft.year,
        "org": draft.org,
        "sheet": sheet,
        "layout": layout,
        "rows": len(kept),
        "bad": [{"row": n, "column": x.bad[0], "code": x.bad[1]} for n, x in marks if x.bad],
        "warned": [
            {"row": n, "column": x.warned[0], "code": x.warned[1]}
            for n, x in marks
            if x.warned and x.counts and x.warned[0] in here
        ],
        "sums": sums,
        "columns": [p.column.name for p in placed],
    }
