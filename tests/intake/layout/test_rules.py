"""Each rule by which a row is no data, by itself; and that the short way for rows that are plainly data gives what the rules give."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.contract import load_contracts
from pipelines.intake.file_reader import FileReader
from pipelines.intake.layout import Finder, SheetTable
from pipelines.intake.layout.ends import ENDS
from pipelines.intake.layout.headers import Headers
from pipelines.intake.layout.plain import Plain
from pipelines.intake.layout.rules import LAST, RULES
from pipelines.intake.sheets import Book, Grid
from tests.intake.cases import CASES
from tests.intake.layout.trial import Merges, column, contracts

HEAD = ["序号", "单位名称", "项目", "月份", "数额", "备注"]
ROWS: list[list[Any]] = [
    [1.0, "甲局", "灯具", "2021-01", 10.0, ""],
    [2.0, "甲局", "空调", "2021-02", 20.0, ""],
    [3.0, "乙局", "灯具", "2021-01", 5.0, ""],
]


class Case(NamedTuple):
    """Rows under the header and ROWS; `at`: which of them the rule answers for, counted from the end."""

    rows: list[list[Any]]
    at: int = -1
    merges: Merges | None = None
    narrow: bool = False  # three columns: unit, date, amount
    sectioned: bool = False  # and a fourth that names of sections fill


def _date(*cells: Any) -> list[Any]:
    return ["", "", "", *cells, "", ""]


ONE_EACH = {
    "header_again": Case([HEAD, [4.0, "丙局", "灯具", "2021-01", 5.0, ""]], -2),
    "other_header": Case([["项目", "数额", "单位名称", "月份"], ["灯具", 7.0, "丙局", "2021-01"]], -2),
    "header_of_no_table": Case(
        [["序号", "单位名称", "事由", "月份", "月份"], [4.0, "丙局", "灯具", "2021-01", 8.0]], -2
    ),
    "unknown_header": Case([["行", "哪家", "何物", "何时", "多少"], [4.0, "丙局", "灯具", "2021-01", 8.0]], -2),
    "blank": Case([["", " ", "", "　", ""]]),
    "total": Case([["", "一季度合计", "", "", 35.0]]),
    "among": Case([["", "其中：甲局", "", "", 30.0]]),
    "continued": Case([["续表"], [4.0, "丙局", "灯具", "2021-01", 5.0]], -2),
    "example": Case([["示例", "某局", "灯具", "2021-01", 1.0]]),
    "example_by_text": Case([[1.0, "某局", "所报项目的名称", "2021-01", 1.0]]),
    "among_in_name": Case([[4.0, "甲局", "其中：灯具", "2021-01", 5.0]]),
    "total_further_right": Case([[4.0, "", "合计", "", 35.0]]),
    "total_by_name": Case([[4.0, "全市", "各项", "2021-01", 35.0]]),
    "merged_down": Case([[4.0, "丙局", "灯具", "2021-01", 5.0], [5.0, "", "", "", ""]], -1, [(4, 1, 5, 1)]),
    "numbered_beforehand": Case([[4.0, "", "", "", ""]]),
    "numbered_group": Case([["二", "区属单位", "", "", ""]]),
    "nothing_reported": Case([["", "丙局", "无", "无", "—"]]),
    "note": Case([["注：以上为初步数"]]),
    "signature": Case([["填表人：王某", "", "审核人：李某"]]),
    "heading_again": Case([["2021年各单位数额"], [4.0, "丙局", "灯具", "2021-01", 5.0]], -2),
    "section": Case([["", "（二）区属单位"], [4.0, "丙局", "灯具", "2021-01", 5.0]], -2),
    "published_figure": Case([["", "项目共", "4", "项"]]),
    "section_of_its_contract": Case([["区属"], ["丙局", "2021-01-09", 5.0]], -2, narrow=True, sectioned=True),
    "note_filled_in": Case([["填表人：", "王某", "联系电话：", "12345"]]),
    "beside_the_columns": Case([["甲", "", "", "", "", "见附件"]]),
    "below_signatures": Case([["填表人：王某"], ["", "", "", "", 35.0]]),
    "signing_date": Case([_date(dt.date(2021, 12, 31))]),
    "signing_office": Case([[], ["市机关事务局"], ["", "2021年12月31日"]], -2, narrow=True),
}


def tables(tmp_path: Path, case: Case) -> tuple[list[SheetTable], int]:
    """The tables of a sheet with a case's rows, and the row that the case is about."""
    heading = ["2021年各单位数额"]
    org = column("org", "单位名称", key=1, institution="name")
    amount = column("amount", "数额", "number", unit="元")
    if case.narrow:
        part = [column("part", "分部", statedOnce="section")] if case.sectioned else []
        found = contracts(tmp_path, org, column("paid_on", "日期", "date", key=2), amount, *part)
        above = [heading, ["单位名称", "日期", "数额"], *([r[1], f"2021-01-0{n}", r[4]] for n, r in enumerate(ROWS, 1))]
    else:
        item = column("item", "项目", required=True)
        controls = [{"text": "项目共{n}项", "of": "rows"}]
        own = {"totalRows": ["全市"], "exampleRows": [{"item": "所报项目的名称"}], "controls": controls}
        found = contracts(tmp_path, org, item, column("month", "月份", "month", key=2), amount, **own)
        above = [heading, HEAD, *ROWS]
    rows: list[list[Any]] = [*above, *case.rows]
    merges = [(a + 1, b, c + 1, d) for a, b, c, d in case.merges or ()]
    grid = Grid("表", [[*r, *[""] * (6 - len(r))] for r in rows], merges=merges)
    return Finder(Headers(found)).find(grid).tables, len(rows) + case.at


@pytest.mark.parametrize("rule", [r.__name__ for r in (*ENDS, *RULES, *LAST)])
def test_each_rule_answers_for_its_own_kind_of_row(rule: str, tmp_path: Path) -> None:
    found, row = tables(tmp_path, ONE_EACH[rule])
    first = found[0]
    assert first.reasons.get(row, first.ended) == rule
    kept = [r for t in found for r in t.data]
    assert row not in kept and set(kept) >= {2, 3, 4}, "the row alone is taken out"


def test_a_row_that_no_rule_knows_is_data(tmp_path: Path) -> None:
    found, row = tables(tmp_path, Case([[4.0, "丙局", "说明书印制", "2021-01", "", "合计见附件"]]))
    assert found[0].data[-1] == row and row not in found[0].reasons


def _without_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plain, "block", lambda self, first: range(0))
    monkeypatch.setattr(Plain, "is_data", lambda self, row: False)


def test_the_short_way_gives_what_the_rules_give(monkeypatch: pytest.MonkeyPatch) -> None:
    known = load_contracts()
    made = {name: build() for name, build in CASES.items()}
    short = {name: asdict(FileReader(known).read(data, name, "0")) for name, data in made.items()}
    _without_the_short_way(monkeypatch)
    for name, data in made.items():
        assert asdict(FileReader(known).read(data, name, "0")) == short[name], name


ENERGY = load_contracts(only=["energy_use"])
TELLING = st.sampled_from(
    ["合计", "其中：空调", "注：", "填表人：", "续表", "单位名称", "一", "无", "全年用电小计", "", "甲局"]
)
CELLS = st.one_of(st.floats(0, 1e6, width=32), st.integers(1, 9).map(lambda n: f"2021-0{n}"), TELLING)


@given(
    st.lists(st.tuples(TELLING | st.just("甲局"), CELLS, CELLS, CELLS, CELLS, CELLS), min_size=4, max_size=12),
    st.booleans(),
)
def test_the_short_way_gives_what_the_rules_give_on_any_rows(rows: list[tuple[Any, ...]], as_text: bool) -> None:
    head = ["单位名称", "月份", "用电量", "用水量", "天然气用量", "其他"]
    plainly = [["甲局", f"2021-0{n}", 10.0 * n, 5.0, 1.0, 2.0] for n in range(1, 5)]
    below = [*plainly, *map(list, rows), *plainly]
    if as_text:  # as a text file has them
        below = [[str(v) for v in row] for row in below]

    def read() -> dict[str, Any]:
        grid = Grid("表", [list(r) for r in [head, *below]])
        return asdict(FileReader(ENERGY).read_book(Book([grid]), "表.xlsx", "0"))

    short = read()
    with pytest.MonkeyPatch.context() as patch:
        _without_the_short_way(patch)
        assert read() == short
