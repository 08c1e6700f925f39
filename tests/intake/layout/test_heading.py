"""What the rows above a table state once."""

from __future__ import annotations

from expectations.contract import load_contracts
from tests.intake.layout.trial import sheet


def test_the_body_stated_once_in_english_is_read() -> None:
    rows = [["Organization Name", "City of Toronto"], ["月份", "用电量", "用水量"], ["2021-01", 5.0, 6.0]]
    read = sheet(load_contracts(only=["energy_use"]), rows)
    assert (read.submitter, read.values["org_name"]) == ("City of Toronto", ["City of Toronto"])
