"""Warnings about values that differ implausibly from the same institution's in other years.

Belongs here: a value that is ten to ten thousand times its own of other years (or a tenth …), a stock that jumped, a submission
that repeats last year's figures. Not here: rules over one row and its neighbours (the contracts), or which columns are held
against other years (`Column.compare`). Every finding is a warning; the row is kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from expectations.contract import Column, Contract
from expectations.expression import SCOPE
from pipelines.intake.issues import EACH, finding
from pipelines.intake.messages import message_of, position_texts, shown

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
    finding: str


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
    frame["sheet"] = frame.groupby(["_file", "_table"], sort=True, observed=True).ngroup()
    if frame["year"].nunique() < 2:
        return []
    doubts = _Doubts(contract, rows.reset_index(drop=True), frame, names, where)
    out: list[Doubt] = []
    again: list[tuple[pd.DataFrame, pd.DataFrame]] = []
    for c in columns:
        values = rows[c.name].astype("float64").to_numpy()[frame.index]
        own = _Years(frame, values)
        found = list(doubts.slips(c, own))
        if not found and period.kind == "year":
            found = list(doubts.sums(c, values))
        out += found
        counts, same = own.repeated()
        again.append((counts.assign(column=c.name, flow=c.compare == "flow"), same.assign(column=c.name)))
    if not again:
        return out
    return out + list(doubts.repeats(*(pd.concat(parts, ignore_index=True) for parts in zip(*again, strict=True))))


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
        all_years, code = _coded(frame["year"].to_numpy().astype("int64"))
        there = np.bincount(code[at], minlength=len(all_years)) > 0
        self.years = all_years[there]
        year = (np.cumsum(there) - 1)[code[at]]
        self.line = frame["line"].to_numpy()[at]
        lines = int(frame["line"].max()) + 1 if len(frame) else 0
        self.values = np.full((lines, len(self.years)), np.nan)
        self.row = np.full((lines, len(self.years)), -1, dtype="int64")
        self.values[self.line, year] = values[at]
        self.row[self.line, year] = at

    def odd(self, compare: str, sums: bool = False) -> Iterator[tuple[int, int, int, int]]:
        """(line, year, other year, power) of each value that most of its own other years, and half of those before it, are that
        many powers of ten from; a first year, all of at least two. Of a stock the power is 1 or -1 for a jump up or down from
        the year before. Of a flow, a value at one power of ten that is usual is left out, unless they are `sums` of a year."""
        logs = np.log10(self.values)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numpy's of lines without a value
            apart = np.nanmax(logs, axis=1) - np.nanmin(logs, axis=1) if logs.size else np.zeros(0)
        # Few lines have two values as far apart as a doubt takes; each is judged by its own values alone.
        lines = np.flatnonzero(apart >= (np.log10(JUMP) if compare == "stock" else POWERS[0] - NEAR) - 1e-9)
        if not len(lines):
            return
        usual = self.usual()[lines] if compare == "flow" and not sums else None
        for line, a, b, k in self._odd(logs[lines], compare, usual):
            yield int(lines[line]), a, b, k

    def _odd(self, logs: np.ndarray, compare: str, usual: np.ndarray | None) -> Iterator[tuple[int, int, int, int]]:
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

    def things(self) -> np.ndarray:
        """The number of the thing that each line is of."""
        out = np.zeros(len(self.values), dtype="int64")
        out[self.frame["line"].to_numpy()] = _coded(self.frame["who"].to_numpy())[1]
        return out

    def usual(self) -> np.ndarray:
        """Whether each value (line by year) lies among those that the same thing had in any month of the years before (else of
        those after): small sums of meals or repairs move by ten times in the nature of things."""
        thing = self.things()
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

    def repeated(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """How many values have one of the year before them, and how many of these are `equal` to it, by the row's file, table and
        year; and each value that is, with the file of the other."""
        sheets = self.frame["sheet"].to_numpy()
        counts, same = [], []
        for a in range(1, len(self.years)):
            b = a - 1
            both = np.flatnonzero(~np.isnan(self.values[:, a]) & ~np.isnan(self.values[:, b]))
            of_sheet = sheets[self.row[both, a]]
            equal = self.values[both, a] == self.values[both, b]
            n = np.bincount(of_sheet)
            found = np.flatnonzero(n)
            n_equal = np.bincount(of_sheet[equal], minlength=len(n))
            of_year = {"year": self.years[a], "last": self.years[b]}
            counts.append(pd.DataFrame({"sheet": found, "n": n[found], "equal": n_equal[found], **of_year}))
            others = self.frame["_file"].array[self.row[both[equal], b]]
            value = self.values[both[equal], a]
            same.append(pd.DataFrame({"sheet": of_sheet[equal], "other": others, "value": value, **of_year}))
        none = pd.DataFrame(columns=["sheet", "n", "equal", "other", "value", "year", "last"])
        return (pd.concat(counts), pd.concat(same)) if counts else (none, none)


def _coded(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values in order, and the place of each value among them."""
    codes, found = pd.factorize(values, sort=True)
    return np.asarray(found), codes


class _Doubts:
    """Puts what was found in words, few of them: the months of a year as one, and many things of one column as one."""

    def __init__(
        self, contract: Contract, rows: pd.DataFrame, frame: pd.DataFrame, names: Mapping[str, str], where: Where
    ):
        self.contract, self.rows, self.frame, self.names, self.where = contract, rows, frame, names, where

    def slips(self, c: Column, own: _Years) -> Iterator[Doubt]:
        groups: dict[tuple[int, int, int, Any], list[tuple[int, int, float, float]]] = {}
        sheets, who = (self.frame[n].to_numpy() for n in ("sheet", "who"))
        for line, a, b, k in own.odd(str(c.compare)):
            n, m = int(own.row[line, a]), int(own.row[line, b])
            key = (int(sheets[n]), int(own.years[a]), k, who[n])
            groups.setdefault(key, []).append((n, m, own.values[line, a], own.values[line, b]))
        of_sheet: dict[tuple[int, int, int], list[list[tuple[int, int, float, float]]]] = {}
        for (sheet, year, k, _), cells in groups.items():
            of_sheet.setdefault((sheet, year, k), []).append(cells)
        for things in of_sheet.values():
            if len(things) > EACH:
                yield self._many(c, things)
            else:
                for cells in things:
                    yield self._one(c, cells)

    def _one(self, c: Column, cells: list[tuple[int, int, float, float]]) -> Doubt:
        """One thing's value, or the sum of its months of a year, beside its own of another year."""
        n = cells[0][0]
        zh, en = self._pair(c, cells)
        said = (f"：{zh}；请核对单位和小数点。", f"{en}; check the unit and the decimal point.")
        return self._doubt(c, n, *said, finding("slips"))

    def _pair(self, c: Column, cells: list[tuple[int, int, float, float]], whose: str | None = None) -> tuple[str, str]:
        n, m = cells[0][0], cells[0][1]
        value, other = sum(x[2] for x in cells), sum(x[3] for x in cells)
        whose = self._label(n) if whose is None else whose
        named, named_en = (f"“{whose}”", f"'{whose}'") if whose else ("表中各行", "the table")
        when, then = self._when([x[0] for x in cells]), self._when([x[1] for x in cells])
        unit = f" {c.unit}" if c.unit else ""
        ratio = value / other
        times = f"{ratio:.3g}" if ratio < 1 else f"{ratio:,.1f}".removesuffix(".0") if ratio < 100 else f"{ratio:,.0f}"
        file = shown(self.names.get(self.frame["_file"].iloc[m], ""))
        zh = f"{named}{when}为 {_plain(value)}{unit}，而{then}为 {_plain(other)}{unit}（见“{file}”），前者是后者的 {times} 倍"
        en = f"{named_en} has {_plain(value)}{unit} for {when} and {_plain(other)}{unit} for {then} ('{file}'): {times} times"
        return zh, en

    def _many(self, c: Column, things: list[list[tuple[int, int, float, float]]]) -> Doubt:
        things = sorted(things, key=lambda cells: -sum(x[2] for x in cells))
        zh, en = self._pair(c, things[0])
        first = things[0][0][0]
        text_zh = f"：这一列有 {len(things)} 项的数与往年相差很大，例如{zh}；请核对这一列的单位和小数点。"
        text_en = f"{len(things)} figures of this column are far from those of other years, e.g. {en}; check the column's unit."
        return self._doubt(c, first, text_zh, text_en, finding("slips", count=len(things)), whole=True)

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
        for line, a, b, _k in own.odd(str(c.compare), sums=True):
            i, j = int(own.row[line, a]), int(own.row[line, b])
            cells = [(int(at[i]), int(at[j]), float(own.values[line, a]), float(own.values[line, b]))]
            zh, en = self._pair(c, cells, self._sender(int(at[i])))
            whole = (
                f"：合计后，{zh}；请核对这一列的单位和各行。",
                f"added up, {en}; check the column's unit and its rows.",
            )
            value, other = (float(own.values[line, k]) for k in (a, b))
            years = {"year": int(own.years[a]), "other_year": int(own.years[b])}
            kind = "sums" if name is None else "sums_of_one"
            yield self._doubt(c, int(at[i]), *whole, finding(kind, value=value, other=other, **years), whole=True)

    def repeats(self, counts: pd.DataFrame, equal: pd.DataFrame) -> Iterator[Doubt]:
        """A sheet whose figures are, column by column, those of the year before. See `_Years.repeated`.

        Only flows say so, for stocks seldom change; then stocks that are the same are told with them.
        """
        counts["copied"] = counts["equal"] / counts["n"] >= REPEATED
        kept = (counts["copied"] & counts["flow"].astype("bool")).astype("int64")
        by_sheet = counts.assign(copies=counts["n"] * kept, same=counts["equal"] * kept).groupby(["sheet", "year"])
        sums = by_sheet[["n", "copies", "same"]].sum()
        sums = sums[(sums["same"] >= CELLS) & (sums["same"] >= SHARE * sums["n"])]
        for number, year in sums.index:
            told_of = counts[(counts["sheet"] == number) & (counts["year"] == year) & counts["copied"]]
            mine = told_of[told_of["flow"].astype("bool")]
            same = equal[(equal["sheet"] == number) & (equal["year"] == year) & equal["column"].isin(mine["column"])]
            if same["value"].nunique() < DISTINCT:
                continue
            copies = int(sums.loc[(number, year), "copies"])
            first = int(np.argmax(self.frame["sheet"].to_numpy() == number))
            file, table, sheet = self.frame[["_file", "_table", "_sheet"]].iloc[first]
            columns = [self.contract.column(n) for n in mine["column"]]
            last, other = int(same["last"].iloc[0]), str(same["other"].mode().iloc[0])
            named = "、".join(f"“{x.header_zh}”" for x in columns)
            named_en = ", ".join(x.title_en.lower() for x in columns)
            sample = same.iloc[0]
            c = self.contract.column(sample["column"])
            unit = f" {c.unit}" if c.unit else ""
            doubts = f"{_plain(sample['value'])}{unit}"
            where = shown(self.names.get(other, ""))
            zh = (
                f"：{year} 年{named}的 {copies} 个数中，有 {len(same)} 个与 {last} 年（“{where}”）完全相同"
                f"（例如两年都是 {doubts}），像是把上年的数又报了一遍；请核对后重新报送。"
            )
            en = (
                f"{len(same)} of {copies} figures of {year} ({named_en}) are exactly those of {last} ('{where}'; e.g. {doubts} "
                "in both years), as if last year's return had been sent again; check them."
            )
            spot = position_texts(None, None, None)
            text = message_of("doubtful", message=zh, message_en=en, **spot)
            parts = "|".join(
                f"{n}:{k}/{of}" for n, k, of in zip(told_of["column"], told_of["equal"], told_of["n"], strict=True)
            )
            about = finding("repeats", count=len(same), of=copies, year=int(year), other_year=last, columns=parts)
            yield Doubt(str(file), int(table), str(sheet), None, c.name, None, None, *text, about)

    def _sender(self, n: int) -> str:
        """The institution whose rows are added up: the row's own, else who the table says has sent it."""
        name = self.contract.institution_name or next((c for c in self.contract.kept if c.stated == "submitter"), None)
        value = None if name is None else self.rows[name.name].iloc[self.frame.index[n]]
        return shown(value) if isinstance(value, str) else ""

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
        if not parts and not self.contract.key:  # what is stated once for the table is the same in every row
            parts = [self.rows[c.name].iloc[at] for c in self.contract.kept if c.kind == "string" and not c.stated][:1]
        return " ".join(shown(p) for p in parts if isinstance(p, str))

    def _when(self, places: list[int]) -> str:
        """2023; 2023-03; 2023-01..2023-12 (12)."""
        whens = sorted(self.frame["when"].iloc[places])
        return whens[0] if len(whens) == 1 else f"{whens[0]}..{whens[-1]}"

    def _doubt(self, c: Column, n: int, zh: str, en: str, about: str, whole: bool = False) -> Doubt:
        f, t, s, row = self.frame[["_file", "_table", "_sheet", "_row"]].iloc[n]
        letter, header, _ = self.where.get((f, int(t), c.name), (None, None, None))
        row = None if whole else int(row)
        cell = f"{letter}{row}" if letter and row else None
        text = message_of("doubtful", message=zh, message_en=en, **position_texts(row, header or c.header_zh, cell))
        value = None if whole else float(self.rows[c.name].iloc[self.frame.index[n]])
        return Doubt(str(f), int(t), str(s), row, c.name, cell, value, *text, about)


def _plain(value: float) -> str:
    return f"{value:,.4f}".rstrip("0").rstrip(".")
