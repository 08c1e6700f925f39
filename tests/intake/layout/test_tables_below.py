"""A second table below the first one, under another header: read where it is understood, else left out and told."""

from __future__ import annotations

from typing import Any

import pytest

from expectations.contract import load_contracts
from pipelines.intake.file_reader import FileReader
from pipelines.intake.model import FileReading
from tests.intake.layout.trial import reading

CONTRACTS = load_contracts(only=["energy_use"])
FIRST: list[list[Any]] = [
    ["单位名称", "月份", "用电量（千瓦时）", "用水量（立方米）"],
    ["甲示范局", "2021-01", 1000.0, 20.0],
    ["甲示范局", "2021-02", 1100.0, 21.0],
]
UNKNOWN: list[list[Any]] = [["名称", "时段", "自来水量多少", "耗电情况"], ["乙示范局", "2021-01", 30.0, 2000.0]]


def taken(read: FileReading) -> list[tuple[Any, ...]]:
    found = [s.values for s in read.sheets if s.dataset]
    return [x for v in found for x in zip(v["org_name"], v["month"], v["electricity"], v["water"], strict=True)]


TWO = [("甲示范局", "2021-01", 1000.0, 20.0), ("甲示范局", "2021-02", 1100.0, 21.0)]


@pytest.mark.parametrize("between", [[], [[]], [[], ["续表"]]])
def test_rows_under_a_header_that_nobody_knows_are_not_taken_and_it_is_told(between: list[list[Any]]) -> None:
    read = reading(CONTRACTS, [*FIRST, *between, *UNKNOWN, ["乙示范局", "2021-02", 31.0, 2100.0]])
    assert taken(read) == TWO
    assert read.status == "partial"
    (told,) = [i for s in read.sheets for i in s.issues if i.code == "unknown_dataset"]
    assert told.row == len(FIRST) + len(between) + 1


def test_what_follows_the_unknown_table_under_a_known_header_is_read() -> None:
    last = [FIRST[0][:2] + FIRST[0][:1:-1], ["丙示范局", "2021-03", 5.0, 700.0]]
    read = reading(CONTRACTS, [*FIRST, [], *UNKNOWN, [], *last])
    assert taken(read) == [*TWO, ("丙示范局", "2021-03", 700.0, 5.0)]


def test_a_row_of_words_for_what_is_not_known_yet_is_data() -> None:
    read = reading(CONTRACTS, [*FIRST, ["甲示范局", "2021-03", "待核实", "不详"], ["甲示范局", "2021-04", 9.0, 8.0]])
    assert [r[1] for r in taken(read)] == ["2021-01", "2021-02", "2021-03", "2021-04"]


def test_a_later_header_of_two_rows_with_names_merged_down_is_read() -> None:
    below = [
        ["单位名称", "月份", "能源消耗", ""],
        ["", "", "用水量（立方米）", "用电量（千瓦时）"],
        ["乙示范局", "2021-01", 30.0, 2000.0],
    ]
    n = len(FIRST) + 1
    merges = [(n, 0, n + 1, 0), (n, 1, n + 1, 1), (n, 2, n, 3)]
    assert taken(reading(CONTRACTS, [*FIRST, [], *below], merges)) == [*TWO, ("乙示范局", "2021-01", 2000.0, 30.0)]


def test_a_row_of_a_text_file_that_is_wider_than_its_header_is_refused() -> None:
    text = "单位名称,月份,用电量,用水量\n甲局,2021-01,1,234,20\n甲局,2021-02,900,21\n甲局,2021-03,950,22\n"
    (sheet,) = FileReader(CONTRACTS).read(text.encode(), "a.csv").sheets
    assert [(i.code, i.row, i.quarantines) for i in sheet.issues] == [("bad_type", 2, True)]


def test_rows_of_a_text_file_under_a_header_that_nobody_knows_are_not_taken() -> None:
    rows = [*FIRST, *UNKNOWN, ["乙示范局", "2021-02", 31.0, 2100.0]]
    text = "\n".join(",".join(map(str, r)) for r in rows)
    read = FileReader(CONTRACTS).read(text.encode(), "a.csv")
    assert taken(read) == TWO and read.status == "partial"
    assert [(i.code, i.row) for s in read.sheets for i in s.issues] == [("unknown_dataset", 4)]
