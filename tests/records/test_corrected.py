"""What the bureau withdraws counts as never received, what it patches counts as patched; nothing of it touches what came."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from expectations.contract import load_contracts
from pipelines.core.home import Home
from pipelines.intake.model import FileReading, Issue
from pipelines.records.build import RecordsSummary, build
from pipelines.records.corrected import CELL, WITHDRAW, read_value
from pipelines.sources.decisions import Decision
from tests.records.making import (
    assert_every_row_is_accounted_for,
    energy,
    file,
    institution,
    intake,
    joined,
    receipts,
    sheet,
)

CONTRACTS = load_contracts(only=["energy_use", "institutions", "retrofit_funds"])
REGISTER = file("reg", sheet("institutions", [institution(n) for n in range(1, 4)], "机关事务中心", "2023"))
ON = date(2026, 3, 1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).create()


def decision(kind: str, **details: Any) -> Decision:
    return Decision(kind, "x", "王工", "多写一个零", "One zero too many", "2026-02-28", "2026-02-28T00:00:00Z", details)


def patch(value: str, row: int = 4, **more: Any) -> Decision:
    place = {"file": "b", "sheet": "Sheet1", "row": row, "cell": f"D{row}", "dataset": "energy_use"}
    return decision(CELL, **(place | {"column": "electricity", "value": value} | more))


def run(home: Home, *files: FileReading, decided: list[Decision] = [], on: date = ON) -> RecordsSummary:  # noqa: B006
    found = joined(*files, contracts=CONTRACTS)
    before = found.rows["energy_use"].copy()
    summary = build(found, CONTRACTS, home, None, receipts(*files), decided, on)
    pd.testing.assert_frame_equal(found.rows["energy_use"], before)
    assert_every_row_is_accounted_for(home)
    return summary


def electricity(home: Home) -> dict[tuple[str, int], float]:
    found = pd.read_parquet(home.records("energy_use"))
    return {(f, r): v for f, r, v in zip(found["_file"], found["_row"], found["electricity"], strict=True)}


def submission(name: str, amount: float, **how: Any) -> FileReading:
    rows = [energy(1, month=f"2023-0{m}", electricity=amount) for m in (1, 2)]
    return file(name, sheet("energy_use", rows, "单位1", "2023", **how))


def test_a_withdrawn_submission_counts_as_never_received_and_what_it_replaced_holds_again(home):
    old, wrong = submission("a", 100.0), submission("b", 1000.0)
    run(home, REGISTER, old, wrong)
    assert set(electricity(home).values()) == {1000.0}
    summary = run(home, REGISTER, old, wrong, decided=[decision(WITHDRAW, files=["b"])])
    assert electricity(home) == {("a", 4): 100.0, ("a", 5): 100.0} and summary.unused == []
    files = intake(home, "files").set_index("file_id")
    assert files.loc["b", "status"] == "rejected" and files.loc["b", "reason"] == "withdrawn"
    assert files.loc["a", "status"] == "accepted" and pd.isna(files.loc["a", "superseded_by"])
    told = intake(home, "issues").query("file_id == 'b'").iloc[0]
    assert (
        told["responsibility"] == "bureau"
        and "管理局已撤回这份报送：多写一个零（王工，自 2026-02-28）" in told["message_zh"]
    )
    # A newer file is taken as ever.
    run(home, REGISTER, old, wrong, submission("c", 110.0), decided=[decision(WITHDRAW, files=["b"])])
    assert {f for f, _ in electricity(home)} == {"c"}


def test_of_a_file_of_several_datasets_one_can_be_withdrawn(home):
    funds = sheet(
        "retrofit_funds", [{"fiscal_year": 2023, "planned_amount": 5.0, "seq": 1}], "单位1", "2023", name="资金"
    )
    both = submission("b", 1000.0)
    both.sheets.append(funds)
    run(home, REGISTER, both, decided=[decision(WITHDRAW, files=["b"], dataset="energy_use")])
    assert electricity(home) == {}
    account = intake(home, "sheets").query("file_id == 'b'").set_index("dataset")
    assert account.loc["energy_use", "reason"] == "withdrawn" and account.loc["retrofit_funds", "reason"] != "withdrawn"


def test_a_patched_cell_counts_as_its_new_value_until_its_day_or_a_newer_file(home):
    wrong = submission("b", 1000.0)
    run(home, REGISTER, wrong, decided=[patch("0.01万千瓦时")])
    assert electricity(home) == {("b", 4): 100.0, ("b", 5): 1000.0}
    told = intake(home, "issues").query("file_id == 'b' and code == 'doubtful' and responsibility == 'bureau'").iloc[0]
    assert (
        told["cell"] == "D4"
        and "管理局已将此格改为“0.01万千瓦时”：多写一个零（王工，自 2026-02-28）" in told["message_zh"]
    )
    # Its last day counts; after it the cell is as it came, and the run says so.
    until = patch("100", until="2026-03-01")
    assert run(home, REGISTER, wrong, decided=[until]).unused == [] and electricity(home)["b", 4] == 100.0
    (sentence,) = run(home, REGISTER, wrong, decided=[until], on=date(2026, 3, 2)).unused
    assert "changed nothing" in sentence and electricity(home)["b", 4] == 1000.0
    # A newer file replaces the row and the patch with it.
    run(home, REGISTER, wrong, submission("c", 110.0), decided=[patch("100")])
    assert set(electricity(home).values()) == {110.0}


def test_a_patch_answers_what_reading_found_wrong_in_the_cell(home):
    bad = Issue(
        "Sheet1", 4, "electricity", "D4", "bad_type", "error", "约一百", "读不成", "unreadable", quarantines=True
    )
    wrong = submission("b", 1000.0, issues=[bad])
    run(home, REGISTER, wrong)
    assert set(electricity(home)) == {("b", 5)}
    run(home, REGISTER, wrong, decided=[patch("100")])
    assert electricity(home) == {("b", 4): 100.0, ("b", 5): 1000.0}
    assert "bad_type" not in set(intake(home, "issues").query("file_id == 'b'")["code"])


def test_a_patch_of_a_row_that_is_not_there_is_told(home):
    summary = run(home, REGISTER, submission("b", 1000.0), decided=[patch("1", row=99), patch("1", dataset="meetings")])
    assert len(summary.unused) == 2 and set(electricity(home).values()) == {1000.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,234.5", 1234.5), ("0.5万千瓦时", 5000.0), ("", None), ("约100", ValueError), ("abc", ValueError)],
)
def test_a_value_is_read_as_a_cell_is_and_never_with_doubt(text, value):
    column = CONTRACTS["energy_use"].by_name["electricity"]
    if value is ValueError:
        with pytest.raises(ValueError, match="cannot be read as"):
            read_value(column, text)
    else:
        assert read_value(column, text) == value
