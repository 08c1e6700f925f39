"""A required column that only some versions of a form have: required of the periods of these versions alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.contract import ContractError, Contracts
from tests.intake.layout.trial import column, contracts, reading
from tests.records.making import issues_of

NEW = {"name": "2018", "validFrom": "2018-01-01", "adds": ["hours"], "drops": ["code"]}


def form(folder: Path, kind: str, **own: Any) -> Contracts:
    return contracts(
        folder,
        column("site", "Site", required=True),
        column("period", "Period", kind, required=own.get("dated", True)),
        column("hours", "Hours", "number", required=True),
        column("code", "Code", required=True),
        column("power", "Power", "number", unit="kWh"),
        versions=[NEW],
    )


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [("year", 2017.0, 2018.0), ("month", "2017-12", "2018-01"), ("date", "2017-12-31", "2018-01-01")],
)
def test_a_column_is_required_in_its_versions_alone(tmp_path: Path, kind: str, old: Any, new: Any) -> None:
    found = form(tmp_path, kind)
    header = ["Site", "Period", "Hours", "Code", "Power"]
    rows = [
        ["A", old, "", "x", 1.0],
        ["B", old, 5.0, "", 2.0],
        ["C", new, 5.0, "", 3.5],
        ["D", new, "", "x", 7.0],
        ["E", new, 5.0, "x", 9.0],
    ]
    told = issues_of(tmp_path, found, reading(found, [header, *rows]))
    told = told[told["code"] == "missing_required"]
    assert list(zip(told["row"], told["column"], strict=True)) == [(3, "code"), (5, "hours")]


def test_a_form_of_before_is_read_without_the_column_that_came_later(tmp_path: Path) -> None:
    found = form(tmp_path, "year")
    old = reading(found, [["Site", "Period", "Code", "Power"], ["A", 2016.0, "x", 1.0], ["B", 2016.0, "y", 2.0]])
    assert (old.status, len(old.sheets[0].rows)) == ("accepted", 2)
    assert issues_of(tmp_path, found, old).empty


def test_a_required_column_that_changes_needs_a_date(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="'hours' is required and only some versions"):
        form(tmp_path, "year", dated=False)
