"""Rows that sum up others by a name of their own."""

from __future__ import annotations

from pathlib import Path

from tests.intake.layout.trial import column, contracts, sheet


def test_total_rows_that_a_contract_names_are_no_data(tmp_path: Path) -> None:
    own = column("place", "地区", key=1), column("amount", "数额", "number", unit="元")
    found = contracts(tmp_path, *own, totalRows=["全国", "National Total"])
    rows = [["地区", "数额"], ["全  国", 3.0], ["甲", 1.0], ["乙", 2.0], ["National total", 40.0]]
    read = sheet(found, rows)
    assert read.values["amount"] == [1.0, 2.0]
    assert [(i.code, i.row) for i in read.issues] == [("total_mismatch", 5)]


def test_a_row_that_is_the_sum_of_the_others_is_doubted(tmp_path: Path) -> None:
    """全国 and National Total are no word for a total that anybody could list."""
    own = (
        column("place", "地区", key=1),
        column("amount", "数额", "number", unit="元"),
        column("area", "面积", "number", unit="㎡"),
    )
    found = contracts(tmp_path, *own)
    head, parts = ["地区", "数额", "面积"], [["甲", 10.5, 7.0], ["乙", 20.0, 8.0], ["丙", 30.25, 9.5]]
    whole = ["全国", 60.75, 24.5]
    for rows, at in (([whole, *parts], 2), ([*parts, whole], 5)):
        read = sheet(found, [head, *rows])
        assert [(i.code, i.severity, i.row, i.cell) for i in read.issues] == [("doubtful", "warning", at, f"B{at}")]
        assert len(read.rows) == 4
    # With subtotals between, each figure counts three times.
    read = sheet(found, [head, whole, ["东部", 30.5, 15.0], *parts[:2], ["西部", 30.25, 9.5], parts[2]])
    assert [(i.code, i.row) for i in read.issues] == [("doubtful", 2)]
    assert sheet(found, [head, *parts, ["丁", 60.75, 24.0]]).issues == []


def test_values_under_no_header_are_told(tmp_path: Path) -> None:
    own = column("place", "地区", key=1), column("amount", "数额", "number", unit="元")
    found = contracts(tmp_path, *own)
    rows = [["", "地区", "数额", ""], [1.0, "甲", 10.5, ""], [2.0, "乙", 20.0, 600.0], [3.0, "丙", 5.0, 700.0]]
    (told,) = sheet(found, rows).issues
    assert (told.code, told.severity, told.cell, told.raw_value) == ("unmapped_column", "warning", "D3", None)
    assert told.message_zh.startswith("D 列有数据（第一个在 D3），但没有表头")
    assert sheet(found, [r[:3] for r in rows]).issues == []
