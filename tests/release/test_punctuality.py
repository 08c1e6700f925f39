"""Submissions on time: which periods can be judged, when a submission came, and that nothing is said where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from expectations.contract import ContractError, Contracts, load_contracts, read_contract
from tests.release.rendered import VARIABLES, make, put_catalog

SUBMIT_DAYS = VARIABLES["submit_days"]


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """Files began to come on 2026-01-10; the submissions of 2026-02 came on 03-05, 03-20 and 05-01, one of them twice."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema intake; create table intake.files (file_id varchar, received_at timestamp)")
        con.execute(
            "create table intake.sheets (file_id varchar, dataset varchar, submitter varchar, period varchar, status varchar)"
        )
        for file, day, submitter, period, status in (
            ("old", "2026-01-10", "甲", "2025-12", "accepted"),  # had ended before
            ("a1", "2026-03-05", "甲", "2026-02", "superseded"),
            ("a2", "2026-04-30", "甲", "2026-02", "accepted"),  # the newer one: it came on time with the first
            ("b0", "2026-03-01", "乙", "2026-02", "rejected"),  # nothing taken
            ("b1", "2026-03-20", "乙", "2026-02", "partial"),
            ("c", "2026-05-01", None, "2026-02", "accepted"),
            ("d", "2026-05-02", "甲", "2026-04", "accepted"),  # its due day is to come
            ("e", "2026-03-05", "甲", None, "accepted"),
        ):
            con.execute("insert into intake.files values (?, ?)", [file, day])
            con.execute(
                "insert into intake.sheets values (?, 'energy_use', ?, ?, ?)", [file, submitter, period, status]
            )
    return path


def judged(path: Path, as_of: date, contracts: Contracts) -> list[dict[str, object]]:
    with duckdb.connect(str(path)) as con:
        put_catalog(con, contracts, as_of)
        make(con, "punctuality")
        return con.sql("from marts.punctuality").to_arrow_table().to_pylist()  # type: ignore[no-any-return]


def test_only_what_can_be_judged_is(warehouse: Path) -> None:
    contracts = Contracts(replace(c, due_days=None) for c in load_contracts().values())
    found = judged(warehouse, date(2026, 5, 20), contracts)
    due = date(2026, 2, 28).toordinal() + SUBMIT_DAYS
    assert found == [
        {"dataset": "energy_use", "period": "2026-02", "due_on": date.fromordinal(due), "submissions": 3, "on_time": 2}
    ]
    assert judged(warehouse, date(2026, 3, 31), contracts) == []  # the due day itself: who is late is not known yet
    assert judged(warehouse, date(2026, 1, 10), contracts) == []


def test_the_energy_report_has_until_the_end_of_march() -> None:
    days = load_contracts(only=["energy_use"])["energy_use"].due_days
    assert days is not None
    assert date.fromordinal(date(2025, 12, 31).toordinal() + days) == date(2026, 3, 31)


def test_a_contract_says_how_many_days(warehouse: Path) -> None:
    fewer = Contracts(replace(c, due_days=5) if c.dataset == "energy_use" else c for c in load_contracts().values())
    assert [r["on_time"] for r in judged(warehouse, date(2026, 5, 20), fewer) if r["period"] == "2026-02"] == [1]
    never = Contracts(replace(c, frequency="event") for c in load_contracts().values())
    assert judged(warehouse, date(2026, 5, 20), never) == []


def test_files_that_all_came_at_once_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            "create schema intake; create table intake.files as select 'a' as file_id, timestamp '2026-11-24' as received_at"
        )
        con.execute(
            "create table intake.sheets as select 'a' as file_id, 'energy_use' as dataset, '甲' as submitter, '2025' as period, 'accepted' as status"
        )
    assert judged(path, date(2027, 6, 1), load_contracts()) == []


@pytest.mark.parametrize(
    ("period", "end"),
    [("2025", date(2025, 12, 31)), ("2024-02", date(2024, 2, 29)), ("2025-01/2025-06", date(2025, 6, 30)), ("2025-12", date(2025, 12, 31)),
     ("2025-03-04", date(2025, 3, 4)), ("2021..2023", date(2023, 12, 31)), ("2021-03..2021-05", date(2021, 5, 31)), ("2025/2025-13", None), ("2025-13", None), ("", None)],
)  # fmt: skip
def test_ends_of_periods(tmp_path: Path, period: str, end: date | None) -> None:
    """One file of 1990 and one of that period: it is judged by its end, or not at all where it names no date."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("""create schema intake; create table intake.files as select * from (values
            ('a', timestamp '1990-01-01'), ('b', timestamp '2025-01-01')) t(file_id, received_at)""")
        con.execute(
            "create table intake.sheets as select 'b' as file_id, 'energy_use' as dataset, '甲' as submitter, ? as period, 'accepted' as status",
            [period],
        )
    none = Contracts(replace(c, due_days=0) for c in load_contracts(only=["energy_use"]).values())
    assert [r["due_on"] for r in judged(path, date(2030, 1, 1), none)] == ([] if end is None else [end])


def test_days_that_are_no_number_are_refused(tmp_path: Path) -> None:
    source = Path(__file__).resolve().parents[2] / "expectations" / "contracts" / "parking_lots.yaml"
    text = source.read_text(encoding="utf-8")
    for stated, days in (("20", 20), ("soon", None)):
        folder = tmp_path / stated
        folder.mkdir()
        (folder / source.name).write_text(
            text.replace("slaProperties:\n", f"slaProperties:\n- {{property: latency, value: {stated}, unit: d}}\n"),
            encoding="utf-8",
        )
        if days is None:
            with pytest.raises(ContractError, match="whole number of days"):
                read_contract(folder / source.name)
        else:
            assert read_contract(folder / source.name).due_days == days


def test_no_days_at_all_are_days_that_a_contract_states(warehouse: Path) -> None:
    """0 days after the end of a period is its last day, not what holds where a contract says nothing."""
    none = Contracts(replace(c, due_days=0) for c in load_contracts().values())
    (found,) = [r for r in judged(warehouse, date(2026, 5, 20), none) if r["period"] == "2026-02"]
    assert (found["due_on"], found["on_time"]) == (date(2026, 2, 28), 0)
