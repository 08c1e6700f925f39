"""Lays one table out in the many ways that departments do, and says what must come of reading each.

Belongs here: from a contract and a seed to right rows, and to bytes in some layout. Not here: reading, or wrong values. Every
choice comes from the seed, so a layout that is not read can be made again.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from expectations.contract import Column, Contract
from tests.intake.make import html, text, xlsx

Row = list[Any]
YEAR = 2023


@dataclass
class Laid:
    """A file, and the values its rows must give, row by row in the order of the file; `ways` names the layout."""

    data: bytes
    want: list[dict[str, Any]]
    ways: list[str] = field(default_factory=list)


def lay(contract: Contract, seed: int) -> Laid:
    """One layout of one table of the contract."""
    return _Layout(contract, seed).file()


class _Layout:
    def __init__(self, contract: Contract, seed: int):
        self.contract, self.r = contract, random.Random(f"{contract.dataset} {seed}")
        self.ways: list[str] = []
        self.scale, self.top = 1, 0

    def may(self, way: str, chance: float) -> bool:
        """Whether this layout has something, noted for the reader of a failure."""
        if self.r.random() < chance:
            self.ways.append(way)
            return True
        return False

    def file(self) -> Laid:
        kept = list(self.contract.kept)
        columns = [c for c in kept if c.required or self.r.random() < 0.6]
        if self.may("columns in another order", 0.3):
            self.r.shuffle(columns)
        numbers = any(c.kind in ("decimal", "integer") for c in columns)
        years = sorted({YEAR, YEAR - 1}) if self.may("a sheet a year", 0.15) else [YEAR]
        alike = {c.name for c in columns if _may_repeat(c)}
        own = [c for c in columns if c.name not in alike and not c.refuse and c.kind not in ("boolean", "year")]
        merged = alike if own and len(years) == 1 and self.may("merged down", 0.25) else set()
        ditto = alike if not merged and self.may("同上", 0.25) else set()
        count = self.r.randint(2, 14)
        want = [self.values(columns, n, bool(merged or ditto)) for n in range(count)]
        for n, w in enumerate(want):
            if merged and all(w[c.name] is None for c in own):  # a row that says nothing of its own is a blank one
                w[own[0].name] = self.value(own[0], n, must=True)
        stated = [c for c in columns if c.kind == "year" and c.stated and self.r.random() < 0.5]
        fmt = self.r.choice(["xlsx", "xlsx", "csv", "html"]) if len(years) == 1 else "xlsx"
        self.ways.append(fmt)
        sheets: list[tuple[str, list[Row]]] = []
        merges: list[tuple[int, int, int, int]] = []
        said: list[dict[str, Any]] = []
        for year in years:
            these = [dict(w) for w in want]
            for w in these:
                for c in columns:
                    if c.kind == "year":
                        w[c.name] = year
                    elif c.kind == "month":
                        w[c.name] = f"{year}{w[c.name][4:]}"
            spread = merged if fmt != "csv" else set()
            beside = len(years) == 1 and not merged and not ditto and len(columns) > 3 and self.may("side by side", 0.1)
            halves = [these[: (count + 1) // 2], these[(count + 1) // 2 :]] if beside else [these]
            rows, spans = self.sheet(columns, halves[0], year, stated, spread, ditto, numbers, plain=beside)
            if beside:
                rows, spans = self.beside(rows, columns, halves[1], stated), []
            merges = merges or spans
            sheets.append((f"{year}年" if len(years) > 1 else "Sheet1", rows))
            said += these
        return Laid(self.write(fmt, sheets, merges if len(years) == 1 else []), said, self.ways)

    # ---- values

    def values(self, columns: list[Column], n: int, repeat: bool) -> dict[str, Any]:
        return {c.name: self.value(c, n // 3 if repeat and _may_repeat(c) else n) for c in columns}

    def value(self, c: Column, n: int, must: bool = False) -> Any:
        r = random.Random(f"{self.contract.dataset} {c.name} {n}")
        if not must and not c.required and not _may_repeat(c) and r.random() < 0.2 and not c.refuse:
            return None
        if c.kind == "boolean":
            return False if c.refuse else r.random() < 0.5
        if c.values and not c.subset:
            return r.choice(c.values)
        if c.kind in ("integer", "decimal"):
            low = float(c.minimum if c.minimum is not None else c.exclusive_minimum or 0)
            high = min(float(c.maximum) if c.maximum is not None else 9000.0, low + 9000.0)
            span = high - low
            return int(low + 1 + r.random() * (span - 1)) if c.kind == "integer" else round(low + span * r.random(), 2)
        if c.kind == "year":
            return YEAR
        if c.kind == "month":
            return f"{YEAR}-{n % 12 + 1:02d}"
        if c.kind == "date":
            return dt.date(YEAR, n % 12 + 1, r.randint(1, 28))
        if c.subset:
            return "、".join(c.values[:2])
        return f"{'示范'}{'甲乙丙丁'[n % 4]}{c.header_zh[:2]}{n + 101}号"

    # ---- layout

    def sheet(
        self,
        columns: list[Column],
        want: list[dict[str, Any]],
        year: int,
        stated: list[Column],
        merged: set[str],
        ditto: set[str],
        numbers: bool,
        plain: bool,
    ) -> tuple[list[Row], list[tuple[int, int, int, int]]]:
        """Rows of cells and the merged areas among them."""
        shown = [c for c in columns if c not in stated]
        left = 0 if plain else self.r.choice([0, 0, 0, 1, 2])
        rows: list[Row] = []
        spans: list[tuple[int, int, int, int]] = []
        if left or self.may("blank rows first", 0.2):
            rows += [[]] * self.r.randint(0, 2)
        titled = bool(stated) or self.may("title", 0.7)
        if titled:
            rows.append([""] * left + [f"{year}年度{self.contract.title_zh}"])
            if self.may("who and when above", 0.5):
                rows.append([""] * left + ["填报单位：示范局", "", f"填报日期：{year}年12月20日"])
        money = (
            titled and not plain and any(c.unit == "元" for c in shown) and self.may("money in 万元, said once", 0.3)
        )
        self.scale = 10_000 if money else 1
        if money:
            rows.append([""] * left + [self.r.choice(["金额单位：万元", "单位：万元"])])
        header, units = ([[c.header_zh for c in shown]], None) if plain else self.header(shown, left)
        self.top = len(rows)
        begin = len(rows)
        if plain:
            return [*rows, *header, *([self.spelled(c, w[c.name]) for c in shown] for w in want)], spans
        if self.may("groups above", 0.25) and len(shown) > 4 and len(header) == 1:
            cut = self.r.randint(2, len(shown) - 2)
            group = [""] * left + ["基本情况"] + [""] * (cut - 1) + ["详细情况"] + [""] * (len(shown) - cut - 1)
            rows.append(group)
            spans += [(begin, left, begin, left + cut - 1), (begin, left + cut, begin, left + len(shown) - 1)]
        rows += header
        if units:
            rows.append(units)
        total = numbers and self.may("total first", 0.15)
        sums = self.total(shown, want, left, "总计")
        if total:
            rows.append(sums)
        sections = self.may("sections", 0.25) and not merged and not ditto
        again = len(want) // 2 if len(want) > 3 and self.may("header again", 0.25) else None
        continued = again is not None and self.may("续表", 0.4)
        above: dict[str, Any] = {}
        for n, w in enumerate(want):
            if sections and n in (0, len(want) // 2):
                rows.append([""] * left + [["一、市直单位", "二、县区单位"][n > 0]])
            if n == again:
                rows += [[""] * left + ["续表"]] * continued
                rows += header
                rows += [units] if units else []
                above = {}
            line: Row = [""] * left
            for c in shown:
                v = w[c.name]
                at = (len(rows), left + len(line) - left)
                if c.name in ditto and above.get(c.name) == v and v is not None:
                    line.append(self.r.choice(["同上", "〃"]))
                elif c.name in merged and above.get(c.name) == v and v is not None:
                    line.append("")
                    top = next((k for k, s in enumerate(spans) if s[1] == at[1] and s[2] == at[0] - 1), None)
                    if top is None:
                        spans.append((at[0] - 1, at[1], at[0], at[1]))
                    else:
                        spans[top] = (spans[top][0], at[1], at[0], at[1])
                else:
                    line.append(self.spelled(c, v))
                above[c.name] = v
            rows.append(line)
            if sections and n in (len(want) // 2 - 1, len(want) - 1) and numbers:
                part = want[: len(want) // 2] if n < len(want) // 2 else want[len(want) // 2 :]
                rows.append(self.total(shown, part, left, "小计"))
                above = {}
        if not total and numbers and self.may("total last", 0.4):
            rows.append(sums)
        if self.may("notes", 0.4):
            rows.append([""] * left + ["注：1.数据截至填报日；2.以合同为准。"])
            rows.append([""] * left + ["填表人：某某", "审核：某某"])
        return rows, spans

    def beside(
        self, rows: list[Row], columns: list[Column], want: list[dict[str, Any]], stated: list[Column]
    ) -> list[Row]:
        """The second half of a table to the right of the first, under the same headers."""
        shown = [c for c in columns if c not in stated]
        width = len(rows[self.top])
        more = [rows[self.top], *([self.spelled(c, w[c.name]) for c in shown] for w in want)]
        return [
            (r + [""] * (width - len(r)) + [""] + more[k - self.top]) if 0 <= k - self.top < len(more) else r
            for k, r in enumerate(rows)
        ]

    def header(self, shown: list[Column], left: int) -> tuple[list[Row], Row | None]:
        texts = [self.r.choice([c.header_zh, c.header_zh, *c.aliases]) for c in shown]
        lead: Row = [""] * left
        if self.scale == 1 and any(c.unit for c in shown) and self.may("row of units", 0.2):
            return [lead + texts], lead + [c.unit or "" for c in shown]
        texts = [
            f"{t}（{c.unit}）" if c.unit and not self.by_the_ten_thousand(c) and self.r.random() < 0.6 else t
            for t, c in zip(texts, shown, strict=True)
        ]
        if self.may("header cut over two rows", 0.2):
            cuts = [self.r.randint(1, len(t) - 1) if len(t) > 1 else 1 for t in texts]
            return [
                lead + [t[:k] for t, k in zip(texts, cuts, strict=True)],
                lead + [t[k:] for t, k in zip(texts, cuts, strict=True)],
            ], None
        return [lead + texts], None

    def by_the_ten_thousand(self, c: Column) -> bool:
        return c.unit == "元" and self.scale != 1

    def total(self, shown: list[Column], want: list[dict[str, Any]], left: int, word: str) -> Row:
        out: Row = [""] * left
        for c in shown:
            numbers = [w[c.name] for w in want if w[c.name] is not None]
            summed = c.kind in ("integer", "decimal") and c.unit not in ("%", "分") and numbers
            sums = round(sum(numbers), 2) if summed else ""
            out.append(round(sums / 10_000, 6) if summed and self.by_the_ten_thousand(c) else sums)
        place = next((k for k, v in enumerate(out) if k >= left and v == ""), None)
        if place is None:
            return []
        out[place] = word
        return out

    def spelled(self, c: Column, v: Any) -> Any:
        if v is None:
            return "" if c.kind in ("boolean", "string", "enum") else self.r.choice(["", "—", "/"])
        if c.kind == "boolean":
            return self.r.choice(["是", "√"]) if v else self.r.choice(["否", "×"])
        if c.kind == "date":
            return self.r.choice([v, v.isoformat(), f"{v.year}.{v.month}.{v.day}", f"{v.year}年{v.month}月{v.day}日"])
        if c.kind == "month":
            return self.r.choice([v, f"{v[:4]}年{int(v[5:])}月"])
        if self.by_the_ten_thousand(c):
            return round(v / 10_000, 6)
        if c.kind == "decimal":
            return self.r.choice([v, v, v, f"{v:,}", f" {v} "])
        return v

    # ---- bytes

    def write(self, fmt: str, sheets: list[tuple[str, list[Row]]], merges: list[tuple[int, int, int, int]]) -> bytes:
        rows = sheets[0][1]
        if fmt == "csv":
            return text(rows, self.r.choice(["utf-8-sig", "gb18030"]))
        if fmt == "html":
            covered = {
                (r, c) for a, b, e, d in merges for r in range(a, e + 1) for c in range(b, d + 1) if (r, c) != (a, b)
            }
            big = {(a, b): (d - b + 1, e - a + 1) for a, b, e, d in merges}
            width = max(map(len, rows))
            out, spans = [], {}
            for r, row in enumerate(rows):
                line: Row = []
                for c in range(width):
                    if (r, c) in covered:
                        continue
                    if (r, c) in big:
                        spans[r, len(line)] = big[r, c]
                    line.append(row[c] if c < len(row) else "")
                out.append(line)
            return html(out, "utf-8", spans)
        return xlsx(*sheets, merges=[f"{_letter(b)}{a + 1}:{_letter(d)}{e + 1}" for a, b, e, d in merges if b < 26])


def _may_repeat(c: Column) -> bool:
    return c.kind in ("string", "enum") and not c.subset


def _letter(column: int) -> str:
    return chr(65 + column) if column < 26 else chr(64 + column // 26) + chr(65 + column % 26)
