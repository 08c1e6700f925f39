"""What arrives about a year after it was declared final waits and replaces nothing; the rest of the same file is taken."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from expectations.contract import load_contracts
from pipelines.core.home import Home
from pipelines.intake.model import FileReading
from pipelines.records.build import RecordsSummary, build
from pipelines.records.final_years import FINAL, with_late_files
from pipelines.sources.decisions import Decision
from pipelines.sources.ledger import Ledger, Receipt
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

CONTRACTS = load_contracts(only=["energy_use", "institutions", "vehicles"])
REGISTER = file("reg", sheet("institutions", [institution(n) for n in range(1, 4)], "机关事务中心", "2021"))
ON = date(2026, 3, 1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).create()


def final(year: int, *late: str) -> Decision:
    details = {"year": year, "received": 1, "late": list(late)}
    return Decision(
        FINAL, str(year), "王工", "年报已定稿", "The yearbook is out", "2026-02-28", "2026-02-28T00:00:00Z", details
    )


def run(home: Home, *files: FileReading, decided: tuple[Decision, ...] = ()) -> RecordsSummary:
    summary = build(joined(*files, contracts=CONTRACTS), CONTRACTS, home, None, receipts(*files), decided, ON)
    assert_every_row_is_accounted_for(home)
    return summary


def records(home: Home, dataset: str, *columns: str) -> set[tuple]:
    return set(pd.read_parquet(home.records(dataset))[["_file", *columns]].itertuples(index=False, name=None))


def of_a_year(name: str, year: int, amount: float) -> FileReading:
    rows = [energy(1, month=f"{year}-0{m}", electricity=amount) for m in (1, 2)]
    return file(name, sheet("energy_use", rows, "市示范局001", str(year)))


def test_a_late_submission_about_a_final_year_waits_and_replaces_nothing(home):
    old, late, other = of_a_year("a", 2023, 100.0), of_a_year("b", 2023, 900.0), of_a_year("c", 2024, 200.0)
    run(home, REGISTER, old, late, other)
    assert records(home, "energy_use", "electricity") == {("b", 900.0), ("c", 200.0)}
    summary = run(home, REGISTER, old, late, other, decided=(final(2023, "b", "c"),))
    assert records(home, "energy_use", "electricity") == {("a", 100.0), ("c", 200.0)}
    assert summary.waiting == {"2023": 2} and summary.unused == []
    # Nothing of it is lost, and who looks sees why it does not count.
    assert len(intake(home, "quarantine").query("file_id == 'b'")) == 2
    told = intake(home, "issues").query("file_id == 'b'")
    assert set(told["responsibility"]) == {"bureau"}
    assert all("2023 年的数据已由管理局定案（年报已定稿；王工，自 2026-02-28）" in m for m in told["message_zh"])
    assert pd.isna(intake(home, "files").set_index("file_id").loc["a", "superseded_by"])
    # What has no decision any more is taken.
    assert run(home, REGISTER, old, late, other).waiting == {}
    assert records(home, "energy_use", "electricity") == {("b", 900.0), ("c", 200.0)}


def test_of_a_late_file_the_rows_of_other_years_are_taken(home):
    def of_two_years(name: str, amount: float) -> FileReading:
        rows = [energy(1, month=m, electricity=amount) for m in ("2023-12", "2024-01")]
        return file(name, sheet("energy_use", rows, "市示范局001"))

    before, late = of_two_years("a", 100.0), of_two_years("b", 900.0)
    run(home, REGISTER, before, late, decided=(final(2023, "b"),))
    assert records(home, "energy_use", "month", "electricity") == {("a", "2023-12", 100.0), ("b", "2024-01", 900.0)}
    # A month that nobody had reported before waits as well.
    more = file("c", sheet("energy_use", [energy(2, month="2023-05")], "市示范局002"))
    summary = run(home, REGISTER, before, late, more, decided=(final(2023, "b", "c"),))
    assert summary.waiting == {"2023": 2}
    assert {m for _, m in records(home, "energy_use", "month")} == {"2023-12", "2024-01"}


def test_a_late_submission_that_replaces_another_period_leaves_its_rows_of_the_final_year(home):
    """The year's sheet of 2024 held December 2023; its newer state does not."""
    rows = [energy(1, month=m, electricity=100.0) for m in ("2023-12", "2024-01")]
    before = file("a", sheet("energy_use", rows, "市示范局001", "2024"))
    late = file("b", sheet("energy_use", [energy(1, month="2024-01", electricity=900.0)], "市示范局001", "2024"))
    run(home, REGISTER, before, late)
    assert records(home, "energy_use", "month") == {("b", "2024-01")}
    run(home, REGISTER, before, late, decided=(final(2023, "b"),))
    assert records(home, "energy_use", "month", "electricity") == {("a", "2023-12", 100.0), ("b", "2024-01", 900.0)}
    files = intake(home, "files").set_index("file_id")
    assert files.loc["a", "status"] == "accepted"


def test_what_had_been_replaced_before_the_year_was_final_stays_replaced(home):
    first, second, late = (of_a_year(n, 2023, a) for n, a in (("a", 1.0), ("b", 2.0), ("c", 3.0)))
    run(home, REGISTER, first, second, late, decided=(final(2023, "c"),))
    assert records(home, "energy_use", "electricity") == {("b", 2.0)}


def test_the_ledger_tells_what_arrived_since(tmp_path):
    ledger = Ledger(Home(tmp_path).create())

    def receive(day: int, **at: str) -> None:
        stamp = f"2026-02-{day:02d}T08:00:00.000000Z"
        ledger.add([Receipt(f, f"{url}.xlsx", f"file:///{url}.xlsx", "", stamp) for url, f in at.items()])

    receive(1, x="old", y="same")
    receive(2, x="newer")
    assert ledger.runs == 2 and ledger.late(2) == set()
    receive(3, x="late", z="more", y="between")
    assert ledger.late(2) == {"late", "more", "between"}
    # `same` is where it was when the year was declared final; `old` had been replaced by then and comes back.
    receive(4, y="same", x="old")
    assert ledger.late(2) == {"late", "more", "between", "old"} and Ledger(Home(tmp_path)).late(2) == ledger.late(2)
    (d,) = with_late_files([final(2023)], ledger)
    assert d.details["late"] == sorted(ledger.late(1))
