"""Files that are wrong as a whole, one for each code a whole file can get.

Belongs here: their bytes. Not here: wrong rows in a right file (plant.py). There is none that is too large: a
demonstration should not fill a disk.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import combinations

from expectations.contract import Contract
from pipelines.sample import MARK
from pipelines.sample.formats import Cell, Sheet, delimited, xlsx, xml_2003
from pipelines.sample.layout import lay_out
from pipelines.sample.world import Draft, Row, World


def wrong_files(w: World) -> Iterator[tuple[str, str, bytes]]:
    """Path, code and bytes of each file that must be rejected."""
    year = w.years[-1]
    sheet = Sheet(
        "Sheet1",
        [
            [f"{year}年网站栏目访问情况"],
            [MARK],
            ["栏目", "点击量", "转载量"],
            ["示范栏目甲", 120, 4],
            ["示范栏目乙", 75, 9],
        ],
    )
    yield f"{year}/网站栏目访问情况.xlsx", "unknown_dataset", xlsx([sheet])
    yield f"{year}/网站栏目访问情况（传输中断）.xlsx", "unreadable", xlsx([sheet])[:1500]
    yield f"{year}/空表.csv", "empty", b""
    page = (
        xml_2003([sheet]).decode().replace("<Workbook", "<!DOCTYPE Workbook [<!ELEMENT Workbook ANY>]>\n<Workbook", 1)
    )
    yield f"{year}/网站栏目访问情况（含文档类型声明）.xls", "unsafe", page.encode()
    if w.contracts.register is not None:
        yield f"{year}/名录缺列.xlsx", "missing_column", _without_a_column(w, year)
    pair = _two_alike(w)
    if pair:
        headers = list(dict.fromkeys(c.header_zh for p in pair for c in p.columns))
        rows: list[list[Cell]] = [[MARK], list(headers)]
        rows += [[f"{h}{n}" for h in headers] for n in (1, 2)]
        yield f"{year}/综合情况.csv", "ambiguous_dataset", delimited([Sheet("", rows)], "utf-8-sig")


def _two_alike(w: World) -> tuple[Contract, Contract] | None:
    """Two datasets with as many columns, neither of which is part of the other: a sheet with both sets fits either."""
    for a, b in combinations((c for c in w.contracts.values() if not c.register), 2):
        ours, theirs = ({c.header_zh for c in x.columns if c.required} for x in (a, b))
        if len(a.columns) == len(b.columns) and ours - theirs and theirs - ours:
            return a, b
    return None


def _without_a_column(w: World, year: int) -> bytes:
    """The register of a place, without its last required column."""
    contract = w.contracts.register
    assert contract is not None
    r = w.chance("wrong")
    rows = [Row(w.fill(contract.dataset, year, 99000 + n, r, {})) for n in range(3)]
    missing = [c.name for c in contract.columns if c.required][-1]
    draft = Draft(
        contract.dataset,
        year,
        "",
        rows,
        w.bureau("示范园区"),
        dt.date(year, 12, 31),
        layout="title",
        omit=frozenset({missing}),
    )
    return xlsx([lay_out(draft, contract, r, "Sheet1")[0]])
