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
