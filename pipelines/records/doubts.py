"""What a person would doubt on seeing an institution's figures of several years side by side.

Belongs here: a value that is ten to ten thousand times its own of other years (or a tenth …), a stock that jumped, a submission
that repeats last year's figures. Not here: rules over one row and its neighbours (the contracts), or which columns are held
against other years (`Column.compare`). Every finding is a warning; the row is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from expectations.contract import Column, Contract
from expectations.expression import SCOPE
from pipelines.intake.issues import EACH
from pipelines.intake.messages import place, say, shown

POWERS = (1, 2, 3, 4)  # a slip of unit or decimal point is ten to these, or their inverse
NEAR = 0.2  # how far from such a power, in log10, the ratio of two years may be: 6.3 to 15.8 times for ten
BEYOND = (
    10**0.5
)  # a value ten times its own is doubted where it lies half of that way beyond all it had in any month before
JUMP = 5.0  # a stock that is this many times its other years, or this part of them
REPEATED = 0.9  # of a column's figures, so many must be last year's for it to be a copy
CELLS, DISTINCT, SHARE = (
    6,
    4,
    0.4,
)  # and of a sheet's: at least so many, of so many different values, and of all such a part

Where = Mapping[Any, tuple[str | None, str | None, str | None]]


@dataclass(frozen=True)
class Doubt:
    """One finding, in the words of an issue. `row` and `cell` are None where it is about a sheet's whole column; `entity` is the
    institution it is about, as the records call it, None for a sheet of several."""

    file: str
    table: int
    sheet: str
    row: int | None
    column: str
    cell: str | None
    value: float | None
    message_zh: str
    message_en: str


def find(contract: Contract, rows: pd.DataFrame, names: Mapping[str, str], where: Where) -> list[Doubt]:
    """The doubts about one dataset. `rows` are its records in force with `_file`, `_table`, `_sheet`, `_row` and SCOPE; `names`
    are the files' names; `where` gives letter, header and unit of a column by (file, table, column)."""
    columns = [c for c in contract.kept if c.compare is not None and c.access in ("L0", "L1")]
    period = contract.period
    if not columns or period is None or period.kind not in ("year", "month") or rows.empty:
        return []
    if contract.key and period.name not in contract.key:
        return []  # one row for each thing, whenever it was: no other year to look at
    who = _who(contract, rows, period)
    if who is None:
        return []
    when = rows[period.name].astype("str")
    frame = pd.DataFrame(
        {
            "who": who.to_numpy(),
            "year": pd.to_numeric(when.str.slice(0, 4), errors="coerce").to_numpy(),
            "month": when.str.slice(5, 7).to_numpy() if period.kind == "month" else "",
            "when": when.to_numpy(),
            "counted": (rows[SCOPE] != "").to_numpy(),
            **{n: rows[n].astype("category").array for n in ("_file", "_sheet")},
            **{n: rows[n].to_numpy() for n in ("_table", "_row")},
        }
    )
    frame = frame[rows[period.name].notna().to_numpy() & ~frame["counted"]].drop(columns="counted")
    frame["line"] = _lines(frame)
    if frame["year"].nunique() < 2:
        return []
    told = _Teller(contract, rows.reset_index(drop=True), frame, names, where)
    out: list[Doubt] = []
    again: list[pd.DataFrame] = []
    for c in columns:
        values = rows[c.name].astype("float64").to_numpy()[frame.index]
        own = _Years(frame, values)
        found = list(told.slips(c, own))
        if not found and period.kind == "year":
            found = list(told.sums(c, values))
        out += found
        if c.compare == "flow":
            again.append(own.repeated().assign(column=c.name))
    return out + list(told.repeats(pd.concat(again, ignore_index=True))) if again else out


def _who(contract: Contract, rows: pd.DataFrame, period: Column) -> pd.Series | None:
    """What a row is about, the same in every year: its key without the period, else all it says in words. None where that is a
    number alone, which nobody can follow."""
    names = [k for k in contract.key if k != period.name]
    if names and all(contract.column(k).kind in ("integer", "decimal") for k in names):
        return None
    if not contract.key:
        names = [c.name for c in contract.kept if c.kind in ("string", "enum")]
    if not names:
        return None
    who = rows[names].astype("object").fillna("").groupby(names, sort=False).ngroup()
    if contract.key:
        return who
    # Without a key one thing may stand twice in a year: its first row there is held against the first row of another year.
    return who * 1000 + rows.assign(_who=who).groupby(["_who", period.name], sort=False).cumcount().clip(upper=999)


def _lines(frame: pd.DataFrame) -> np.ndarray:
    """The number of the thing and month that each row is about."""
    return frame.groupby(["who", "month"], sort=False).ngroup().to_numpy()


class _Years:
    """A column's values by thing and month (a line) and year, as far as they are above zero; and the row of each."""

    def __init__(self, frame: pd.DataFrame, values: np.ndarray):
        self.frame = frame
        at = np.flatnonzero(np.isfinite(values) & (values > 0))
        _, self.line = np.unique(frame["line"].to_numpy()[at], return_inverse=True)
        years, year = np.unique(frame["year"].to_numpy()[at].astype("int64"), return_inverse=True)
        self.years = years
        lines = int(self.line.max()) + 1 if len(at) else 0
        self.values = np.full((lines, len(years)), np.nan)
        self.row = np.full((lines, len(years)), -1, dtype="int64")
        self.values[self.line, year] = values[at]
        self.who = np.zeros(lines, dtype=object)
        self.who[self.line] = frame["who"].to_numpy()[at]
        self.row[self.line, year] = at

    def odd(self, compare: str, usual: np.ndarray | None = None) -> Iterator[tuple[int, int, int, int]]:
        """(line, year, other year, power) of each value that most of its own other years, and half of those before it, are that
        many powers of ten from; a first year, all of at least two. Of a stock the power is 1 or -1 for a jump up or down from
        the year before. A value at one power of ten that is `usual` is left out."""
        logs = np.log10(self.values)
        there = ~np.isnan(logs)
        others = there.sum(axis=1)
        for a in range(len(self.years)):
            gap = logs[:, [a]] - logs
            if compare == "stock":
                power = np.where(np.abs(gap) >= np.log10(JUMP), np.sign(gap), 0)
            else:
                nearest = np.round(gap)
                power = np.where((np.abs(gap - nearest) <= NEAR) & (np.abs(nearest) <= POWERS[-1]), nearest, 0)
            power = np.where(np.isnan(power), 0, power)
            before = there[:, :a].sum(axis=1)
            for k in (p * s for p in (POWERS if compare == "flow" else (1,)) for s in (1, -1)):
                same = power == k
                of_all, of_before = same.sum(axis=1), same[:, :a].sum(axis=1)
                most = of_all * 2 > others - 1
                firm = np.where(before > 0, of_before * 2 >= before, (of_all == others - 1) & (of_all >= 2))
                odd = there[:, a] & (others > 1) & most & firm & (of_all > 0)
                if usual is not None and abs(k) == 1:
                    odd &= ~usual[:, a]
                for line in np.flatnonzero(odd):
                    back = np.flatnonzero(same[line])
                    earlier, last = back[back < a], np.flatnonzero(there[line, :a])[-1:]
                    if compare == "stock" and len(last) and last[0] not in earlier:
                        continue  # what stood already last year is no jump of this one
                    yield int(line), a, int(earlier[-1] if len(earlier) else back[0]), int(k)

    def usual(self) -> np.ndarray:
        """Whether each value (line by year) lies among those that the same thing had in any month of the years before (else of
        those after): small sums of meals or repairs move by ten times in the nature of things."""
        _, thing = np.unique(self.who.astype("int64"), return_inverse=True)
        nothing = np.full((int(thing.max()) + 1 if len(thing) else 0, len(self.years)), np.nan)
        bounds = []
        for extreme in (np.fmin, np.fmax):  # which pass over what is missing
            of_thing = nothing.copy()
            extreme.at(of_thing, thing, self.values)
            before, after = nothing.copy(), nothing.copy()
            before[:, 1:] = extreme.accumulate(of_thing, axis=1)[:, :-1]
            after[:, :-1] = extreme.accumulate(of_thing[:, ::-1], axis=1)[:, ::-1][:, 1:]
            bounds.append(np.where(np.isnan(before), after, before)[thing])
        low, high = bounds
        return (low / BEYOND <= self.values) & (self.values <= high * BEYOND)

    def repeated(self) -> pd.DataFrame:
        """One row for each value that has one of the year before it: file, table, sheet, years, value, whether they are equal."""
        parts = []
        for a in range(1, len(self.years)):
            b = a - 1
            both = np.flatnonzero(~np.isnan(self.values[:, a]) & ~np.isnan(self.values[:, b]))
            mine = self.frame.iloc[self.row[both, a]]
            value, last = self.values[both, a], self.values[both, b]
            parts.append(
                mine[["_file", "_table", "_sheet"]].assign(
                    year=self.years[a],
                    last=self.years[b],
                    other=self.frame["_file"].array[self.row[both, b]],
                    value=value,
                    equal=value == last,
                )
            )
        columns = ["_file", "_table", "_sheet", "year", "last", "other", "value", "equal"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


class _Teller:
    """Puts what was found in words, few of them: the months of a year as one, and many things of one column as one."""

    def __init__(
        self, contract: Contract, rows: pd.DataFrame, frame: pd.DataFrame, names: Mapping[str, str], where: Where
    ):
        self.contract, self.rows, self.frame, self.names, self.where = contract, rows, frame, names, where

    def slips(self, c: Column, own: _Years) -> Iterator[Doubt]:
        groups: dict[tuple[Any, ...], list[tuple[int, int, float, float]]] = {}
        frame = self.frame
        files, tables, who = (frame[n].to_numpy() for n in ("_file", "_table", "who"))
        for line, a, b, k in own.odd(str(c.compare), own.usual() if c.compare == "flow" else None):
            n, m = int(own.row[line, a]), int(own.row[line, b])
            key = (files[n], int(tables[n]), int(own.years[a]), k, who[n])
            groups.setdefault(key, []).append((n, m, own.values[line, a], own.values[line, b]))
        tables_of: dict[tuple[Any, ...], list[list[tuple[int, int, float, float]]]] = {}
        for (file, table, year, k, _), cells in groups.items():
            tables_of.setdefault((file, table, year, k), []).append(cells)
        for (file, table, _year, _k), things in tables_of.items():
            if len(things) > EACH:
                yield self._many(c, file, table, things)
            else:
                for cells in things:
                    yield self._one(c, cells)

    def _one(self, c: Column, cells: list[tuple[int, int, float, float]]) -> Doubt:
        """One thing's value, or the sum of its months of a year, beside its own of another year."""
        n, m = cells[0][0], cells[0][1]
        zh, en = self._pair(c, cells)
        return self._doubt(c, n, f"：{zh}；请核对单位和小数点。", f"{en}; check the unit and the decimal point.", m)

    def _pair(self, c: Column, cells: list[tuple[int, int, float, float]]) -> tuple[str, str]:
        n, m = cells[0][0], cells[0][1]
        value, other = sum(x[2] for x in cells), sum(x[3] for x in cells)
        whose = self._label(n)
        when, then = self._when([x[0] for x in cells]), self._when([x[1] for x in cells])
        unit = f" {c.unit}" if c.unit else ""
        ratio = value / other
        times = f"{ratio:.3g}" if ratio < 1 else f"{ratio:,.1f}".removesuffix(".0") if ratio < 100 else f"{ratio:,.0f}"
        file = shown(self.names.get(self.frame["_file"].iloc[m], ""))
        zh = f"“{whose}”{when}为 {_plain(value)}{unit}，而{then}为 {_plain(other)}{unit}（见“{file}”），前者是后者的 {times} 倍"
        en = f"'{whose}' has {_plain(value)}{unit} for {when} and {_plain(other)}{unit} for {then} ('{file}'): {times} times"
        return zh, en

    def _many(self, c: Column, file: str, table: int, things: list[list[tuple[int, int, float, float]]]) -> Doubt:
        things = sorted(things, key=lambda cells: -sum(x[2] for x in cells))
        zh, en = self._pair(c, things[0])
        first = things[0][0][0]
        text_zh = f"：这一列有 {len(things)} 项的数与往年相差很大，例如{zh}；请核对这一列的单位和小数点。"
        text_en = f"{len(things)} figures of this column are far from those of other years, e.g. {en}; check the column's unit."
        return self._doubt(c, first, text_zh, text_en, None, whole=True)

    def sums(self, c: Column, values: np.ndarray) -> Iterator[Doubt]:
        """An institution's sum of a year over several rows, beside its own of other years."""
        name = self.contract.institution_name or self.contract.institution_code
        whose = self.rows[name.name].to_numpy(dtype=object)[self.frame.index] if name is not None else None
        frame = self.frame.assign(value=values, whose="" if whose is None else whose)
        frame = frame[frame["value"].notna() & frame["whose"].notna()]
        added = frame.groupby(["whose", "year"], sort=False).agg(
            value=("value", "sum"), n=("value", "size"), first=("_row", "idxmin")
        )
        added = added.reset_index()
        if added.empty or added["n"].max() < 2:
            return
        several = added.groupby("whose")["n"].transform("max") > 1
        added = added[several]
        at = self.frame.index.get_indexer(pd.Index(added["first"]))
        added = added.assign(who=added["whose"], month="").reset_index(drop=True)
        own = _Years(added.assign(line=_lines(added)), added["value"].to_numpy())
        for line, a, b, _k in own.odd(str(c.compare)):
            i, j = int(own.row[line, a]), int(own.row[line, b])
            cells = [(int(at[i]), int(at[j]), float(own.values[line, a]), float(own.values[line, b]))]
            zh, en = self._pair(c, cells)
            whole = (
                f"：合计后，{zh}；请核对这一列的单位和各行。",
                f"added up, {en}; check the column's unit and its rows.",
            )
            yield self._doubt(c, int(at[i]), *whole, None, whole=True)

    def repeats(self, cells: pd.DataFrame) -> Iterator[Doubt]:
        """A sheet whose figures are, column by column, those of the year before."""
        for _, of_sheet in cells.groupby(["_file", "_table", "year"], sort=True, observed=True):
            by_column = of_sheet.groupby("column")["equal"].mean()
            copied = of_sheet[of_sheet["column"].isin(by_column[by_column >= REPEATED].index)]
            same = copied[copied["equal"]]
            if len(same) < CELLS or same["value"].nunique() < DISTINCT or len(same) < SHARE * len(of_sheet):
                continue
            file, table, sheet, year = of_sheet[["_file", "_table", "_sheet", "year"]].iloc[0]
            columns = [self.contract.column(n) for n in copied["column"].drop_duplicates()]
            last, other = int(same["last"].iloc[0]), str(same["other"].mode().iloc[0])
            named = "、".join(f"“{x.header_zh}”" for x in columns)
            named_en = ", ".join(x.title_en.lower() for x in columns)
            sample = same.iloc[0]
            c = self.contract.column(sample["column"])
            unit = f" {c.unit}" if c.unit else ""
            told = f"{_plain(sample['value'])}{unit}"
            where = shown(self.names.get(other, ""))
            zh = (
                f"：{year} 年{named}的 {len(copied)} 个数中，有 {len(same)} 个与 {last} 年（“{where}”）完全相同"
                f"（例如两年都是 {told}），像是把上年的数又报了一遍；请核对后重新报送。"
            )
            en = (
                f"{len(same)} of {len(copied)} figures of {year} ({named_en}) are exactly those of {last} ('{where}'; e.g. {told} "
                "in both years), as if last year's return had been sent again; check them."
            )
            spot = place(None, None, None)
            text = say("doubtful", message=zh, message_en=en, **spot)
            yield Doubt(str(file), int(table), str(sheet), None, c.name, None, None, *text)

    def _label(self, n: int) -> str:
        """The institution a row is about and, where the key says more, what of it."""
        at = self.frame.index[n]
        name = self.contract.institution_name
        parts = [] if name is None else [self.rows[name.name].iloc[at]]
        period = self.contract.period
        for k in self.contract.key:
            column = self.contract.column(k)
            if period is not None and k != period.name and not column.institution:
                parts.append(self.rows[k].iloc[at])
        if not parts and not self.contract.key:
            parts = [self.rows[c.name].iloc[at] for c in self.contract.kept if c.kind == "string"][:1]
        return " ".join(shown(p) for p in parts if isinstance(p, str))

    def _when(self, places: list[int]) -> str:
        """2023; 2023-03; 2023-01..2023-12 (12)."""
        whens = sorted(self.frame["when"].iloc[places])
        return whens[0] if len(whens) == 1 else f"{whens[0]}..{whens[-1]}"

    def _doubt(self, c: Column, n: int, zh: str, en: str, other: int | None, whole: bool = False) -> Doubt:
        f, t, s, row = self.frame[["_file", "_table", "_sheet", "_row"]].iloc[n]
        letter, header, _ = self.where.get((f, int(t), c.name), (None, None, None))
        row = None if whole else int(row)
        cell = f"{letter}{row}" if letter and row else None
        text = say("doubtful", message=zh, message_en=en, **place(row, header or c.header_zh, cell))
        value = None if whole else float(self.rows[c.name].iloc[self.frame.index[n]])
        return Doubt(str(f), int(t), str(s), row, c.name, cell, value, *text)


def _plain(value: float) -> str:
    return f"{value:,.4f}".rstrip("0").rstrip(".")
