"""Where in a grid the tables are, and what each row of them is.

Belongs here: finding header rows, cutting a sheet into tables, telling data from titles, totals, notes and the rest.
Not here: values. A row is data unless there is a reason to say otherwise: nothing is dropped in silence.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from pipelines.intake.layout.headers import Choice, Headers
from pipelines.intake.layout.heading import Facts, read_heading, year_of_group
from pipelines.intake.layout.merges import Merges
from pipelines.intake.sheets import Grid
from pipelines.intake.values import Bad, column_reader, squeeze

_SCAN = 300  # rows looked at for a first header; a heading longer than that is not one
_DEEPEST = 4  # rows of a header

_NUMBERS = {float}
TOTAL, NOTE, AMONG, SECTION, CONTINUED, EXAMPLE, GROUP, HEADER = range(1, 9)
_TOTAL = re.compile(
    r"^.{0,14}?(?:合计|总计|小计|累计|共计|总合计|汇总|总额|总数)(?:数|额|值|金额|面积|数量)?(?:[(].{0,14}[)])?[:]?$|^共计?\d+[个项家处台套辆条户人件宗栋份笔次]$|^(?:sub)?-?total[:]?$|^grandtotal[:]?$"
)
_NOTE = re.compile(
    r"^(?:\*|※)?(?:注|备注|附注|说明|填表说明|填报说明|编制说明|指标说明)(?:[:;.、]|\d|[(]\d|$)|"
    r"^(?:填表|制表|填报|编制|审核|复核|统计|经办|报送|录入|校对|审批|分管|主管|单位|部门|财务|科室|联系|负责)"
    r"(?:人|人员|单位|部门|领导|负责人|责任人|日期|时间|电话|人电话|人及电话|方式|人签字|人签名|意见)*(?:[(].{0,8}[)])?[:]|"
    r"^(?:负责人|审核|复核|校对|制表|电话|手机|日期|时间)(?:[(].{0,8}[)])?[:]|"
    r"^(?:填报|填表|制表|审核|复核|经办|报送|编制|统计)(?:人|人员|日期|时间)(?:签[字名章])?$|^(?:单位|部门|统计)?负责人(?:签[字名章])?$|^(?:联系|填报人)电话$|"
    r"^(?:数据|资料)?来源[:]|^第\d+页|^共\d+页|^第.{1,3}页|^[(]?(?:盖章|公章|签章|单位盖章)[)]?$|^(?:打印|导出|生成)(?:日期|时间)|^——?以下空白|^以下空白|^source[:]|^note[s]?[:]"
)
_AMONG = re.compile(r"^(?:#|\*)?其中(?:[:、,]|.{0,12}$)")
_SECTION = re.compile(
    r"^(?:[一二三四五六七八九十]{1,3}[、.．]|[(][一二三四五六七八九十]{1,3}[)]|第[一二三四五六七八九十]{1,3}[部分章节类项]).{0,40}$"
)
_YEAR_SECTION = re.compile(
    r"^(?:[(]?[一二三四五六七八九十\d]{1,3}[)、.．])?((?:19|20)\d\d)年度?(?:情况|数据|部分)?[:]?$"
)
_EXAMPLE = re.compile(r"^[(]?(?:填[写报表])?(?:示例|样例|举例|例)(?:行)?[)]?[:]?$")
_GROUP = re.compile(r"^[(]?[一二三四五六七八九十]{1,3}[)、.．]?$")
_WHOLE_DATE = re.compile(r"^(?:19|20)\d\d[-./年]\d{1,2}[-./月]\d{1,2}日?$|^年月日?$")
_NOTHING = frozenset(["-", "--", "—", "——", "/", "\\", "无", "…", "……", "...", "......"])
_CONTINUED = re.compile(r"^[(]?(?:续表|接上表|续上表|上接|转下页|接上页|承上页|过次页|承前页|续)[)]?.{0,6}$")
_LETTERS = frozenset("甲乙丙丁戊己庚辛壬癸") | {"栏次", "—", "-", "序号", "行次", "abc"}
# A text without any of these characters is none of the above.
_TELLING = frozenset(
    "计总汇注备说明填示样例举制审核复统经报录校分主单部财科联负电手日时数资来第共盖公签打导生以下#其中续接转承过上一二三四五六七八九十(（*※章—sSnNtTgG"
)
_NO_UNIT = frozenset(
    ["-", "—", "——", "/", "无", "计量单位", "单位", "计量", "单位:"]
)  # in a row of units, where there is none
_WORDS = re.compile(r"[A-Za-z][A-Za-z0-9³² ,.'&/()%-]{2,}")
_NO_WORDS = frozenset(["n/a", "nan", "null", "none", "nil", "yes", "true", "false"])
_NUMBERLIKE = re.compile(r"^[+-]?[\d,]*\.?\d+%?$|^\d{4}[-./年]\d{1,2}")


@dataclass(slots=True)
class Table:
    """One table of a grid. Row numbers are 0-based in `grid.rows`.

    `first..last` are the rows it accounts for (its heading too), `data` its data rows, `totals` its total rows in order;
    `sections` rows that begin a new part; everything else in `first..last` is explained. `left..right`: its columns.
    """

    choice: Choice
    tied: tuple[Choice, ...]
    header: tuple[int, int]
    first: int
    last: int
    left: int
    right: int
    facts: Facts
    merges: Merges
    data: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    sections: list[int] = field(default_factory=list)
    noted: int = -1  # the last row that was a note
    foreign: tuple[int, int] | None = None  # the rows of another table below it whose header nobody understands
    own: tuple[int, ...] = ()  # of tables that share columns, one a year: those of this year alone
    covered: set[int] = field(default_factory=set)  # rows that merged cells reach down into
    named: set[int] = field(default_factory=set)  # places of its columns
    words: list[int] = field(default_factory=list)  # places of its columns of texts that every row must have
    counters: set[int] = field(default_factory=set)  # places of columns that only count the rows, as 序号 does
    beside: bool = False  # stands to the right of another table whose rows it shares
    columns: list[tuple[Any, ...]] = field(
        default_factory=list
    )  # the cells of most data rows, turned; [] where unknown
    types: list[set[type]] = field(default_factory=list)  # and what types each column holds


@dataclass(slots=True)
class Block:
    """A header that was found: its rows, and how it reads, best first."""

    first: int
    last: int
    choices: Sequence[Choice]
    units: Sequence[str | None] | None = None  # what stands under its texts


@dataclass(slots=True)
class Found:
    """The tables of a grid, or, where there are none, the header that came nearest to one."""

    tables: list[Table]
    nearest: Block | None = None
    facts: Facts = field(default_factory=Facts)


class Finder:
    """Finds tables in grids. Keeps what it learnt about texts, so one Finder reads many files."""

    def __init__(self, headers: Headers):
        self.headers = headers
        self._labels: dict[str, int] = {}

    # ---- headers

    def find(self, grid: Grid) -> Found:
        """Cuts a grid into tables."""
        rows = grid.rows
        width = max(map(len, rows), default=0)
        for r in rows:
            if len(r) < width:
                r.extend([""] * (width - len(r)))
        merges = Merges(grid)
        found = Found([])
        block = None
        for i in range(min(len(rows), _SCAN)):
            block = self._header_at(rows, i, 0, merges, found)
            if block:
                break
        if block is None:
            found.facts = read_heading(rows[:20], self.headers)
            return found
        begin = 0
        known: Facts | None = None
        while block:
            facts = read_heading(rows[begin : block.first], self.headers)
            if known:  # what the sheet's first heading states holds until another is given
                facts.submitter = facts.submitter or known.submitter
                facts.units = facts.units or known.units
                facts.year = facts.year or known.year
                facts.synthetic |= known.synthetic
                facts.texts += known.texts
            known = facts
            tables = self._tables(block, begin, width, facts, self._years(rows, begin, block, merges), rows, merges)
            end, block = self._rows(grid, tables, block, merges)
            found.tables += _by_sections(tables[0], rows) if len(tables) == 1 else tables
            begin = end
        return found

    def _header_at(
        self, rows: list[list[Any]], i: int, lowest: int, merges: Merges, found: Found | None
    ) -> Block | None:
        """The header whose main row is `i`, if one is there. `lowest`: rows above it are taken."""
        row = rows[i]
        cells = len(row) - row.count("")
        if cells == 0:
            return None
        texts = self.headers.texts(row)
        filled, hits = self.headers.counts(texts)
        numbers = cells - filled
        if not filled or numbers * 2 > filled:
            return None
        if hits == 0 and (filled < 2 or numbers or i + 1 >= len(rows)):
            return None
        if hits * 2 <= filled and i + 1 < len(rows):
            under = self.headers.choices(self.headers.texts(rows[i + 1]))
            if under and under[0].fits and not self._stands_alone(rows, i, under[0].dataset):
                return None  # a line of the heading, right above the header
            if hits == 0 and not self._headerlike(rows[i + 1]):
                return None
        choices = self.headers.choices(texts) if hits else ()
        if choices and hits == filled and choices[0].fits and not self._more_below(rows, i):
            return self._block(rows, i, i, choices, merges)
        best, at = choices, (i, i)
        best_units: Sequence[str | None] | None = None
        if hits != filled or not (choices and choices[0].fits) or self._more_below(rows, i):
            for a in range(i, max(lowest, i - 2) - 1, -1):
                for b in range(i, min(a + _DEEPEST, len(rows))):
                    if a == b:
                        continue
                    if b > i and not self._headerlike(rows[b]):
                        break
                    joined, units = self._joined(rows, a, b, merges)
                    other = self.headers.choices(joined, units)
                    if other and _better(other, best):
                        best, at, best_units = other, (a, b), units
        if not best:
            return None
        if at[1] > i:
            # Rows that add nothing are not header: where the rows below do as well alone, they are the header.
            below, units = self._joined(rows, at[0] + 1, at[1], merges)
            alone = self.headers.choices(below, units)
            if alone and not _better(best, alone):
                return None
        if best[0].fits:
            return self._block(rows, at[0], at[1], best, merges, best_units)
        if found is not None and (found.nearest is None or _better(best, found.nearest.choices)):
            found.nearest = Block(at[0], at[1], best)
        return None

    def _stands_alone(self, rows: list[list[Any]], i: int, dataset: str) -> bool:
        """Whether row `i` names a column where the header under it names none, as a cell merged down over both does."""
        return any(
            type(v) is str and v and under == "" and any(m.dataset == dataset for m in self.headers.resolve(v))
            for v, under in zip(rows[i], rows[i + 1], strict=True)
        )

    def _headerlike(self, row: list[Any]) -> bool:
        """Whether a row may belong to a header: texts only, none of them a number or a date."""
        filled = [v for v in row if v != "" and v is not None]
        return bool(filled) and all(
            type(v) is str and len(v) <= 60 and (v in ("²", "³", "2", "3") or not _NUMBERLIKE.match(squeeze(v)))
            for v in filled
        )

    def _more_below(self, rows: list[list[Any]], i: int) -> bool:
        """Whether the row under `i` looks like a further row of the same header."""
        if i + 1 >= len(rows):
            return False
        row = rows[i + 1]
        for v in row:  # most rows of data hold a number: the cheap way out
            if type(v) is float or type(v) is int or isinstance(v, dt.date):
                return False
        filled = [v for v in row if v != ""]
        if not filled or not self._headerlike(row):
            return False
        units = sum(1 for v in filled if self.headers.unit_alone(v))
        known = sum(1 for v in filled if self.headers.resolve(v))
        return known + units >= 0.5 * len(filled)

    def _is_units(self, row: list[Any]) -> bool:
        """Whether a row under a header holds its units, and a dash or the word 计量单位 where there is none."""
        units = 0
        for v in row:
            if v == "":
                continue
            if type(v) is not str:
                return False
            if squeeze(v) not in _NO_UNIT:
                if not self.headers.unit_alone(v):
                    return False
                units += 1
        return units > 0

    def _joined(self, rows: list[list[Any]], a: int, b: int, merges: Merges) -> tuple[list[str], list[str | None]]:
        """The header texts of rows `a..b` read down each column, and the units that stand under them."""
        resolve = self.headers.resolve
        texts: list[str] = []
        units: list[str | None] = []
        last = [""] * (b - a + 1)
        lines = [self.headers.texts(r) for r in rows[a : b + 1]]
        for j in range(len(rows[a])):
            own: list[str] = []
            spread: list[str] = []
            for k, r in enumerate(range(a, b + 1)):
                t = lines[k][j]
                if t:
                    last[k] = t
                else:
                    t = merges.over(r, j)
                if t:
                    if year_of_group(t, alone=True) is None or self.headers.is_name(
                        t
                    ):  # whose year it is stands apart from what it is: _years
                        own.append(t)
                        spread.append(t)
                elif r < b and last[k] and type(rows[b][j]) is str and rows[b][j]:
                    spread.append(last[k])  # without merges to go by: a group's name stands over its first column
            unit = None
            if len(own) > 1 and not resolve("".join(own)):  # 得 over 分 is no unit, and 单 over 位 none either
                unit = self.headers.unit_alone(own[-1])
                if squeeze(own[-1]) in _NO_UNIT and self._is_units(rows[b]):
                    own, spread, unit = own[:-1], spread[:-1], None
                elif unit and resolve(self._best_text(own[:-1], spread[:-1], resolve)):
                    own, spread = own[:-1], spread[:-1]
                else:  # 学时 under a group's name is a header that looks like a unit
                    unit = None
            texts.append(self._best_text(own, spread, resolve))
            units.append(unit)
        return texts, units

    @staticmethod
    def _best_text(own: list[str], spread: list[str], resolve: Any) -> str:
        if not own:
            alone = "".join(spread)  # over a year, and in no column of its own
            return alone if alone and resolve(alone) else ""
        options = ["".join(own), *("".join(own[k:]) for k in range(1, len(own)))]
        if len(own) > 2:
            options.append(own[0] + own[-1])
        if len(spread) > len(own):
            options += ["".join(spread), spread[0] + own[-1]]
        for o in options:
            if resolve(o):
                return o
        return own[-1]

    def _block(
        self,
        rows: list[list[Any]],
        first: int,
        last: int,
        choices: Sequence[Choice],
        merges: Merges,
        units: Sequence[str | None] | None = None,
    ) -> Block:
        """A header of rows `first..last`, with a row of units and one of column numbers under it where they stand."""
        if last + 1 < len(rows):
            below = rows[last + 1]
            filled = [v for v in below if v != ""] if float not in map(type, below) else []
            if len(filled) > 1 and all(year_of_group(v, alone=True) and not self.headers.is_name(v) for v in filled):
                last += 1  # each column's year: what is above it stands over more than one
                joined, units = self._joined(rows, first, last, merges)
                choices = self.headers.choices(joined, units) or choices
            elif self._is_units(below):
                units = tuple(self.headers.unit_alone(v) if v else None for v in below)
                choices = self.headers.choices(_texts(choices, len(below)), units)
                last += 1
        last = self._merged_down(first, last, choices[0], len(rows), merges)
        if last + 1 < len(rows) and _is_translation(rows[last + 1], choices[0]):
            last += 1
        if last + 1 < len(rows) and (
            _is_column_numbers(rows[last + 1]) or _numbers_two_columns(rows[last + 1], choices[0])
        ):
            last += 1
        return Block(first, last, choices, units)

    @staticmethod
    def _merged_down(first: int, last: int, choice: Choice, most: int, merges: Merges) -> int:
        """The last row of a header whose names are merged down beside others' names in two rows that nobody knows: 年 月 日."""
        if not merges.any_tall:
            return last
        ends = [max((merges.end(r, m.place) for r in range(first, last + 1)), default=last) for m in choice.mapped]
        below = [e for e in ends if e > last]
        return min(max(below), first + _DEEPEST - 1, most - 1) if 2 * len(below) >= len(ends) and below else last

    def _years(self, rows: list[list[Any]], begin: int, block: Block, merges: Merges) -> list[int | None]:
        """The year that each column's header says of itself, in its own text or in a group's above it."""
        out: list[int | None] = [None] * len(rows[block.first])
        for r in range(max(begin, block.first - 1), block.last + 1):
            last: int | None = None
            for j, v in enumerate(rows[r]):
                text = v if v != "" else merges.over(r, j)
                if text != "":
                    last = year_of_group(text, alone=r < block.first)
                    if last is not None and self.headers.is_name(text):
                        last = None  # a column of that name, not a group's year
                if last is not None:
                    out[j] = last
        return out

    def _by_year(self, block: Block, years: list[int | None]) -> list[tuple[int, Choice]]:
        """The tables of a header whose columns repeat, one a year, beside columns that all years share; [] if none."""
        best = block.choices[0]
        texts = _texts(block.choices, len(years))
        out = []
        for year in dict.fromkeys(y for y in years if y is not None):
            these = [t if y in (None, year) else "" for t, y in zip(texts, years, strict=True)]
            own = [c for c in self.headers.choices(these, block.units) if c.dataset == best.dataset and c.fits]
            if len(own) != 1 or all(years[m.place] is None for m in own[0].mapped):
                return []
            out.append((year, own[0]))
        return out if len(out) > 1 else []

    # ---- rows

    @staticmethod
    def _placed(c: Choice, block: Block, rows: list[list[Any]], merges: Merges) -> Choice:
        """A choice with each column where its values are: under a header merged over two columns not always in the first."""
        lines = merges.wide_rows(block.first, block.last)
        if not lines:
            return c
        taken = {m.place for m in c.mapped} | {p for p, _ in c.unmapped}
        below = rows[block.last + 1 : block.last + 21]
        out = []
        for m in c.mapped:
            place = m.place
            at = next((r for r in lines if merges.over(r, place + 1)), None)
            if at is not None and rows[at][place] == merges.over(at, place + 1) and m.header:
                j = place + 1
                while merges.over(at, j) and j not in taken:
                    here, there = [r[place] for r in below], [r[j] for r in below]
                    counted = m.column.institution == "name" and all(_is_count(v) for v in here)
                    if (all(v == "" for v in here) or counted) and any(v != "" for v in there):
                        m = m._replace(place=j)
                        break
                    j += 1
            out.append(m)
        return c if all(a is b for a, b in zip(out, c.mapped, strict=True)) else replace(c, mapped=tuple(out))

    def _tables(
        self,
        block: Block,
        begin: int,
        width: int,
        facts: Facts,
        years: list[int | None],
        rows: list[list[Any]],
        merges: Merges,
    ) -> list[Table]:
        best = block.choices[0]
        said = {y for y in years if y is not None}
        own = [self._placed(c, block, rows, merges) for c in block.choices if c.dataset == best.dataset and c.fits]
        own.sort(key=lambda c: c.mapped[0].place)
        rest = [c for c in block.choices if c.dataset != best.dataset and c.fits]
        if len(said) > 1 and len(own) == 1:
            shared = self._by_year(block, years)
            if shared:
                at = block.first, block.last
                return [
                    Table(
                        c, (), at, begin, begin, 0, width, replace(facts, year=y), merges, beside=k > 0,
                        own=tuple(m.place for m in c.mapped if years[m.place] == y),
                    )
                    for k, (y, c) in enumerate(shared)
                ]  # fmt: skip
        same = (len(best.mapped), len(best.unmapped))
        tied = tuple(c for c in rest if (len(c.mapped), len(c.unmapped)) == same)
        starts = [min([m.place for m in c.mapped] + [p for p, _ in c.unmapped]) for c in own]
        edges = [0, *starts[1:], width]
        tables = []
        for k, c in enumerate(own):
            mine = {years[m.place] for m in c.mapped} - {None}
            if len(mine) == 1 and (len(said) > 1 or facts.year is None):
                facts = replace(facts, year=mine.pop())
            at = block.first, block.last
            tables.append(Table(c, tied, at, begin, begin, edges[k], edges[k + 1], facts, merges, beside=k > 0))
        return tables

    def _rows(self, grid: Grid, tables: list[Table], block: Block, merges: Merges) -> tuple[int, Block | None]:
        """Sorts the rows under a header into its tables, up to the next header. Returns where that begins, and it."""
        rows, headers = grid.rows, self.headers
        first_chars = headers.first_chars
        firsts = [next((v for v in rows[r] if type(v) is str and v), "") for r in range(block.first, block.last + 1)]
        own_first = {squeeze(v) for v in firsts}
        own_keys: set[tuple[str, ...]] = set()
        i = block.last + 1
        following: Block | None = None
        lone = tables[0] if len(tables) == 1 else None
        place = min(m.place for m in tables[0].choice.mapped)
        beyond, fewest = place + 3, len(rows[0]) - 4
        plain = self._plain(lone, rows, i, place) if lone else range(0)
        for t in tables:
            t.covered = merges.covered({m.place for m in t.choice.mapped})
            t.named = {m.place for m in t.choice.mapped}
            t.words = [m.place for m in t.choice.mapped if m.column.required and m.column.kind == "string"]
            t.counters = {p for p, h in t.choice.unmapped if headers.is_serial(h)}
            t.counters |= {m.place for m in t.choice.mapped if headers.is_serial(m.header)}
        while i < len(rows):
            row = rows[i]
            if lone and i == plain.start and plain:
                lone.data += plain
                i = plain.stop
                continue
            if (
                lone
                and row[place] != ""
                and row.count("") <= fewest
                and float in map(type, row)
                and not self._tells(row[:beyond])
                and not self._has_total(row[beyond:])
            ):
                # Nearly every row: filled well, with a number in it, and none of its texts tells anything.
                lone.data.append(i)
                i += 1
                continue
            first = next((v for v in row if v != ""), None)
            if type(first) is str and len(first) <= 40:
                short = squeeze(first)
                if short in own_first:
                    own_keys = own_keys or {_key(rows[r]) for r in range(block.first, block.last + 1)}
                    if _key(row) in own_keys:
                        i += 1  # the header again, on a new page
                        if i < len(rows) and _is_column_numbers(rows[i]):
                            i += 1
                        continue
                if (short[:1].lower() in first_chars and self._may_be_header(row)) or self._may_be_cut(rows, i):
                    other = self._header_at(rows, i, self._top_of_header(rows, i, block), merges, None)
                    if other and self._same(other, block):
                        i = other.last + 1
                        continue
                    if other:
                        following = other
                        break
            if self._is_foreign_header(tables, rows, i):
                stop = i
                while i < len(rows) and following is None:
                    if self._may_be_header(rows[i]) or self._may_be_cut(rows, i):
                        following = self._header_at(rows, i, stop, merges, None)
                    i += 1
                until = following.first if following else len(rows)
                tables[0].foreign = (stop, until) if until > stop else None
                break
            for t in tables:
                self._sort_row(t, i, row, rows, merges)
            for v in row[:beyond]:
                if type(v) is str and v:
                    self.label(v)
            i += 1
        end = i
        if following:
            # The rows right above the next header are its heading: its title, 续表, its unit, a group's name.
            for t in tables:
                t.data = [r for r in t.data if r < following.first]
                while t.data and self._is_heading(rows[t.data[-1]], t):
                    t.data.pop()
            end = max([block.last + 1, *(r + 1 for t in tables for r in (*t.data[-1:], *t.totals[-1:]))])
            if tables[0].foreign:
                end = following.first
            for t in tables:
                t.sections = [s for s in t.sections if s < end]
        for t in tables:
            self._named_totals(t, rows)
            self._signed(t, rows)
            t.last = end - 1
        return end, following

    def _named_totals(self, t: Table, rows: list[list[Any]]) -> None:
        """Takes the rows that the contract calls totals by their name out of the data."""
        names = self.headers.contracts[t.choice.dataset].total_rows
        places = [m.place for m in t.choice.mapped if m.column.kind in ("string", "enum")] if names else []
        found = [i for i in t.data if any(squeeze(str(rows[i][p])).lower() in names for p in places)]
        if found:
            t.data = [i for i in t.data if i not in found]
            t.totals = sorted([*t.totals, *found])
            t.columns, t.types = [], []

    def _signed(self, t: Table, rows: list[list[Any]]) -> None:
        """Takes a lone date under the last row, with which a sheet is signed, out of the data, and an office's name above it.

        A narrow table may have a row of which nothing but a date was filled in: there it is a signature only where a blank
        row or a note stands between, where it stands in a column of texts, or where it is written as no other date is.
        """
        if len(t.data) < 2 or t.data[-1] in t.covered:
            return
        i = t.data[-1]
        cells = rows[i][t.left : t.right]
        if cells.count("") != len(cells) - 1:
            return
        place, v = next((p, v) for p, v in enumerate(cells, t.left) if v != "")
        text = squeeze(v) if type(v) is str else ""
        under = next((m.column for m in t.choice.mapped if m.place == place), None)
        if under is None or not (isinstance(v, dt.date) or _WHOLE_DATE.match(text)):
            return
        apart = t.data[-2] < i - 1
        others = [r[place] for r in (rows[k] for k in t.data[:-1])]
        alike = any(("年" in squeeze(o) if type(o) is str else False) == ("年" in text) for o in others if o != "")
        if len(t.choice.mapped) >= 4 or apart or under.kind not in ("date", "month") or not alike:
            t.columns = []
            t.data.pop()
            above = rows[t.data[-1]]
            alone = [w for w in above if w != ""]
            if (
                t.data[-1] == i - 1
                and len(t.data) > 1
                and t.data[-2] < i - 2
                and len(alone) == 1
                and type(alone[0]) is str
            ):
                t.data.pop()

    def _plain(self, t: Table, rows: list[list[Any]], first: int, place: int) -> range:
        """The rows from `first` or just below it of which columns show that each is plainly data: nearly all, mostly.

        That is: something at `place`, numbers all down some column, four columns without a gap, and no telling text.
        """
        none = range(0)
        last, beyond = len(rows), place + 3
        while last > first and (
            rows[last - 1][place] == ""
            or float not in map(type, rows[last - 1])
            or self._tells(rows[last - 1][:beyond])
        ):
            last -= 1
        while first < last and (float not in map(type, rows[first]) or self._tells(rows[first][:beyond])):
            first += 1
        if last - first < 3:
            return none
        columns = list(zip(*rows[first:last], strict=False))
        types = [set(map(type, c)) for c in columns]
        full = 0
        for c, kinds in zip(columns, types, strict=True):
            full += str not in kinds or "" not in c
            if full == 4:
                break
        if full < 4 or _NUMBERS not in types or (str in types[place] and "" in columns[place]):
            return none
        for c, kinds in zip(columns[:beyond], types, strict=False):
            if str in kinds and self._tells(set(c)):
                return none
        for c, kinds in zip(columns[beyond:], types[beyond:], strict=True):
            if str in kinds and self._has_total(set(c)):
                return none
        t.columns, t.types = columns, types
        return range(first, last)

    def _has_total(self, texts: Iterable[Any]) -> bool:
        """Whether one of some cells is a total's word."""
        for v in texts:  # noqa: SIM110 - asked of every text; any() takes twice as long
            if type(v) is str and ("计" in v or "otal" in v) and self.label(v) == TOTAL:
                return True
        return False

    def _tells(self, texts: Iterable[Any]) -> bool:
        """Whether one of some cells is a text that says its row is no data."""
        known = self._labels
        for v in texts:
            if type(v) is str and v:
                label = known.get(v)
                if label or (label is None and self.label(v)):
                    return True
        return False

    @staticmethod
    def _is_heading(row: list[Any], t: Table) -> bool:
        filled = [v for v in row if v != ""]
        return all(type(v) is str for v in filled) and len(filled) <= max(1, len(t.choice.mapped) // 3)

    def _may_be_header(self, row: list[Any]) -> bool:
        """Whether some of the first texts of a row are headers, and most of the row is text."""
        hits = seen = 0
        for v in row:
            if v == "":
                continue
            if type(v) is not str:
                return False
            seen += 1
            hits += bool(self.headers.resolve(v)) if len(v) <= 40 else 0
            if seen == 4 and hits < 2:
                return False
        return hits >= 2 and 2 * hits >= seen

    def _may_be_cut(self, rows: list[list[Any]], i: int) -> bool:
        """Whether rows `i` and the next may be a header cut in two: both full, all texts, no number or date in either."""
        if i + 1 >= len(rows):
            return False
        filled = len(rows[i]) - rows[i].count("")
        return (
            filled >= 3
            and 3 * filled >= 2 * len(rows[i])
            and self._headerlike(rows[i])
            and self._headerlike(rows[i + 1])
        )

    def _top_of_header(self, rows: list[list[Any]], i: int, block: Block) -> int:
        """The highest row that may be of the header whose main row is `i`: names merged down, groups above."""
        top = i
        while top > max(block.last + 1, i - 2) and self._headerlike(rows[top - 1]):
            top -= 1
        return top

    @staticmethod
    def _is_foreign_header(tables: list[Table], rows: list[list[Any]], i: int) -> bool:
        """Whether row `i` is the header of another table, in words nobody knows: different texts where this table has
        numbers and dates, none of them readable as one, and numbers right below."""
        row = rows[i]
        if i + 1 >= len(rows) or any(type(v) is not str for v in row):
            return False
        filled = [v for v in row if v != ""]
        if len(filled) < 2:
            return False
        if len(set(filled)) < len(filled) or max(map(len, filled)) > 200:
            return False
        under = next((r for r in rows[i + 1 : i + 4] if r.count("") < len(r)), [])
        lost = numbers = 0
        for m in (m for t in tables for m in t.choice.mapped):
            v = row[m.place]
            if v == "" or m.column.kind in ("string", "enum", "boolean"):
                continue
            if type(column_reader(m.column, None, None, False)(v)) is not Bad:
                return False  # a number, a date, or a word for nothing: data
            lost += 1
            numbers += bool(under) and type(under[m.place]) in (float, int)
        apart = rows[i - 1].count("") >= len(rows[i - 1]) - 1
        return numbers > 0 and (lost > 1 or apart)

    @staticmethod
    def _same(other: Block, block: Block) -> bool:
        a, b = other.choices[0], block.choices[0]
        return a.dataset == b.dataset and [(m.place, m.column.name) for m in a.mapped] == [
            (m.place, m.column.name) for m in b.mapped
        ]

    def label(self, text: str) -> int:
        """What a text says its row is: TOTAL, NOTE, AMONG, SECTION, CONTINUED, EXAMPLE, GROUP, HEADER, or 0."""
        known = self._labels.get(text)
        if known is None:
            if len(self._labels) > 50_000:
                self._labels.clear()
            known = 0 if _TELLING.isdisjoint(text) else _label(text)
            if known == 0 and len(text) <= 40 and self.headers.resolve(text):
                known = HEADER
            self._labels[text] = known
        return known

    def _sort_row(self, t: Table, i: int, row: list[Any], rows: list[list[Any]], merges: Merges) -> None:
        cells = row[t.left : t.right] if t.beside or t.right < len(row) else row
        filled = len(cells) - cells.count("")
        if not filled:
            return
        at = 0
        for at, v in enumerate(cells):  # noqa: B007 - the place of the first filled cell
            if v != "" and (type(v) is not str or not v.isspace()):
                break
        else:
            return  # only white space
        first = cells[at]
        label = self.label(first) if type(first) is str else 0
        if label == TOTAL:
            t.totals.append(i)
            return
        mapped = t.choice.mapped
        place = at + t.left if cells is not row else at
        if label in (AMONG, CONTINUED) or (label == EXAMPLE and place not in t.named):
            return
        if filled > 1:
            for p in t.words:
                v = row[p]
                if type(v) is str and "其中" in v and self.label(v) == AMONG:
                    return  # 1.1 其中：灯具
        if filled > 1:
            # 合计 behind numbers or a blank label
            for v in cells[at + 1 :]:
                if (
                    type(v) is str
                    and ("计" in v or "otal" in v)
                    and self.label(v) == TOTAL
                    and self._can_total(t, row, v)
                ):
                    t.totals.append(i)
                    return
        if i in t.covered:
            if any(row[m.place] != "" for m in mapped):
                t.data.append(i)  # what merged cells say of it stands above
            return
        if filled == 1 and place in t.counters and len(mapped) >= 3:
            return  # a line that was numbered beforehand and never filled in
        if type(first) is str:
            if label == GROUP and place in t.counters and self._counts_in_digits(t, rows, place):
                (t.totals if float in map(type, cells) else t.sections).append(
                    i
                )  # 一 市直单位, with its sums or without
                return
            texts = [v for v in cells if type(v) is str and v and not v.isspace()]
            if len(texts) == filled:
                if all(squeeze(v) in _NOTHING for v in texts) or (
                    "无" in texts and self._reports_nothing(t, row, texts)
                ):
                    return
                if filled <= 3:
                    if label == NOTE or (filled == 1 and t.noted == i - 1):
                        t.noted = i  # a remark may go on for some rows
                        return
                    if squeeze(first) in t.facts.texts:
                        return
                    if filled == 1 and self._is_section(t, i, first, place, label, merges):
                        t.sections.append(i)
                        return
            if label == NOTE:
                notes = sum(1 for v in texts if self.label(v) == NOTE)
                if filled <= 2 * notes:
                    return  # each with what is filled in behind it: a name, a date, a number to call
                required = [m for m in mapped if m.column.required]
                if sum(1 for m in required if row[m.place] != "") * 2 < len(required):
                    return
        if all(row[m.place] == "" for m in mapped) or (t.own and all(row[p] == "" for p in t.own)):
            return  # nothing under any of our headers, or nothing of this year's
        t.data.append(i)

    @staticmethod
    def _reports_nothing(t: Table, row: list[Any], texts: list[str]) -> bool:
        """Whether a row holds an institution's name and 无 beside it: it had nothing to report."""
        said = [m.column for m in t.choice.mapped if row[m.place] != "" and squeeze(row[m.place]) not in _NOTHING]
        return (
            len(said) == 1
            and said[0].institution is not None
            and 2 * sum(squeeze(v) in _NOTHING for v in texts) >= len(t.choice.mapped)
        )

    @staticmethod
    def _counts_in_digits(t: Table, rows: list[list[Any]], place: int) -> bool:
        """Whether a column counts the rows in digits, so that 一 or (二) in it names a group of them."""
        return any(
            type(v) is float or type(v) is int or (type(v) is str and v.strip().isdecimal())
            for v in (r[place] for r in rows[t.header[1] + 1 :])
        )

    @staticmethod
    def _can_total(t: Table, row: list[Any], text: str) -> bool:
        """A total's word past the first cell: not where it may be the value of a full row of data."""
        blank = False
        for m in t.choice.mapped:
            v = row[m.place]
            if v is text and m.column.kind in ("month", "date", "year", "enum"):
                return True
            if v is text and m.column.institution:
                return True
            blank |= v == "" and m.column.required
        return blank

    @staticmethod
    def _is_section(t: Table, i: int, text: Any, place: int, label: int, merges: Merges) -> bool:
        """Whether the only text of a row names a part of the table, or is a remark, rather than half a row of data."""
        if label in (SECTION, NOTE) or len(text) > 30:
            return True
        if merges.is_wide(i, place):
            return True
        under = next((m.column for m in t.choice.mapped if m.place == place), None)
        if under is None:
            return True
        if under.kind == "year" and _YEAR_SECTION.match(squeeze(text)):
            return len(t.choice.mapped) >= 4
        if under.kind == "string" or (under.kind in ("date", "month") and _WHOLE_DATE.match(squeeze(text))):
            # A name alone over the full width of a wide table: no clerk leaves nine of ten cells empty.
            return len(t.choice.mapped) >= 4
        # Prose where a number or a date belongs, and nothing beside it.
        value = column_reader(under, None, t.facts.year, False)(text)
        return len(t.choice.mapped) >= 3 and (
            type(value) is Bad or (under.kind == "enum" and value not in under.values)
        )


def _by_sections(t: Table, rows: list[list[Any]]) -> list[Table]:
    """A table as it is, or, where rows between its data say a year, a table for each of these years."""
    begins: list[tuple[int, int]] = []
    for i in t.sections:
        said = [v for v in rows[i] if v != ""]
        named = _YEAR_SECTION.match(squeeze(said[0])) if len(said) == 1 and type(said[0]) is str else None
        if named:
            begins.append((i, int(named[1])))
    if not begins:
        return [t]
    edges: list[tuple[int, int | None]] = [(t.first, t.facts.year), *begins, (t.last + 1, None)]
    out = []
    for (a, year), (b, _) in pairwise(edges):
        inside = range(a, b)
        part = replace(
            t,
            first=a,
            last=b - 1,
            facts=replace(t.facts, year=year),
            data=[i for i in t.data if i in inside],
            totals=[i for i in t.totals if i in inside],
            sections=[i for i in t.sections if i in inside and i != a],
            columns=[],
            types=[],
        )
        out.append(part)
    if not out[0].data and not out[0].totals:  # the heading and the header belong to the first year's
        out[1].first = t.first
        del out[0]
    return out


def _is_count(value: Any) -> bool:
    """Whether a cell is blank or a number that counts rows."""
    return (
        value == "" or type(value) is float or type(value) is int or (type(value) is str and value.strip().isdecimal())
    )


def _key(row: list[Any]) -> tuple[str, ...]:
    return tuple([squeeze(v) if type(v) is str else "" for v in row])


def _texts(choices: Sequence[Choice], width: int) -> list[str]:
    """The header texts that choices were made of, by place."""
    texts = [""] * width
    for c in choices:
        for m in c.mapped:
            texts[m.place] = m.header
        for place, header in c.unmapped:
            texts[place] = header
    return texts


def _better(a: Sequence[Choice], b: Sequence[Choice]) -> bool:
    """Whether the best of `a` fits better than the best of `b`."""
    if not b:
        return True

    def fit(c: Choice) -> tuple[bool, int, int, int]:
        return not c.missing, len(c.mapped), -len(c.missing), sum(m.match.unit is not None for m in c.mapped)

    return fit(a[0]) > fit(b[0])


def _label(text: str) -> int:
    plain = squeeze(text).lower()
    if _TOTAL.match(plain):
        return TOTAL
    if _NOTE.match(plain):
        return NOTE
    if _AMONG.match(plain):
        return AMONG
    if _CONTINUED.match(plain):
        return CONTINUED
    if _EXAMPLE.match(plain):
        return EXAMPLE
    if _GROUP.match(plain):
        return GROUP
    return SECTION if _SECTION.match(plain) else 0


def _is_column_numbers(row: Sequence[Any]) -> bool:
    """The row 甲 乙 1 2 3 that statistical forms have under their header."""
    numbers: list[int] = []
    letters = False
    for v in row:
        if v == "":
            continue
        text = squeeze(str(v)).removesuffix(".0").strip("()")
        if text in _LETTERS:
            letters = True
            continue
        if not text.isdigit() or len(text) > 2:
            return False
        numbers.append(int(text))
    return len(numbers) >= (2 if letters else 3) and all(b == a + 1 for a, b in pairwise(numbers))


def _is_translation(row: Sequence[Any], choice: Choice) -> bool:
    """The English names under a Chinese header: words alone, and some where only a number or a date can stand."""
    first = next((v for v in row if v != ""), None)
    if type(first) is not str or not first[0].isascii() or not first[0].isalpha():
        return False
    filled = [(j, v) for j, v in enumerate(row) if v != ""]
    if len(filled) < 2 or 2 * len(filled) < len(choice.mapped):
        return False
    if not all(type(v) is str and _WORDS.fullmatch(v) and squeeze(v).lower() not in _NO_WORDS for _, v in filled):
        return False
    said = {j for j, _ in filled}
    return any(
        m.place in said and m.column.kind in ("decimal", "integer", "date", "month", "year") for m in choice.mapped
    )


def _numbers_two_columns(row: Sequence[Any], choice: Choice) -> bool:
    """The row 1 2 under a header of two columns, where one of them is of a kind that holds no such number."""
    said = {j: squeeze(str(v)).removesuffix(".0") for j, v in enumerate(row) if v != ""}
    return [*said.values()] == ["1", "2"] and any(
        m.place in said and m.column.kind in ("date", "enum") and said[m.place] not in m.column.values
        for m in choice.mapped
    )
