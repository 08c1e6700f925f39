"""Tasks through all their states: opened, answered, overdue, closed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.home import Home
from pipelines.feedback.tasks import STATES, as_known_on, tasks, write_tasks
from pipelines.records import tables

Error = tuple[str, int | None, str]  # code, row, column
BAD, EMPTY = ("bad_type", 5, "electricity"), ("missing_required", 7, "water")


class Ledger:
    """Files of one city as the records stage leaves them."""

    def __init__(self) -> None:
        self.files: list[dict[str, Any]] = []
        self.sheets: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []

    def file(
        self,
        name: str,
        day: str,
        *errors: Error,
        submitter: str | None = "甲局",
        period: str | None = "2025",
        dataset: str | None = "energy_use",
        rows: int = 12,
        status: str = "partial",
        closed: str | None = None,
        url: str | None = None,
        **over: Any,
    ) -> None:
        at = pd.Timestamp(day)
        self.files.append(
            {"file_id": name, "name": name, "source_url": url or f"file:{name}", "received_at": at, "status": status}
        )
        if dataset:
            self.sheets.append(
                {"file_id": name, "sheet": "S", "dataset": dataset, "submitter": submitter, "period": period,
                 "rows_accepted": rows, "rows_quarantined": 0}
            )  # fmt: skip
        for n, (code, row, column) in enumerate(errors):
            self.issues.append(
                {"issue_id": f"{name}-{n}", "file_id": name, "sheet": "S" if dataset else "", "row": row,
                 "column": column, "cell": f"C{row}" if row else None, "code": code, "severity": "error",
                 "responsibility": "department", "status": "closed" if closed else "open",
                 "closed_at": pd.Timestamp(closed) if closed else pd.NaT} | over
            )  # fmt: skip

    def tasks(self, as_of: str, **options: Any) -> pd.DataFrame:
        files = pd.DataFrame(self.files, columns=["file_id", "name", "source_url", "received_at", "status"])
        sheets = pd.DataFrame(
            self.sheets,
            columns=["file_id", "sheet", "dataset", "submitter", "period", "rows_accepted", "rows_quarantined"],
        )
        issues = pd.DataFrame(
            self.issues,
            columns=["issue_id", "file_id", "sheet", "row", "column", "cell", "code", "severity", "responsibility",
                     "status", "closed_at"],
        ).astype({"row": "Int64"})  # fmt: skip
        return tasks(files, sheets, issues, date.fromisoformat(as_of), **options)


def each(found: pd.DataFrame) -> list[Any]:
    return list(found.itertuples())


def day(value: Any) -> str | None:
    return None if pd.isna(value) else f"{value:%m-%d}"


# as of -> state, answered, supervised, closed; the first file is of 1 March, so due on the 16th
WRONG_ONCE = [("a", "2026-03-01", [BAD])]
TRANSITIONS = [
    ("just opened", WRONG_ONCE, "2026-03-01", ("交办", None, None, None)),
    ("due today", WRONG_ONCE, "2026-03-16", ("交办", None, None, None)),
    ("overdue", WRONG_ONCE, "2026-03-17", ("督办", None, "03-17", None)),
    ("answered, still wrong", [*WRONG_ONCE, ("b", "2026-03-05", [BAD])], "2026-03-10", ("反馈", "03-05", None, None)),
    ("answered, then overdue", [*WRONG_ONCE, ("b", "2026-03-05", [BAD])], "2026-03-20", ("督办", "03-05", "03-17", None)),
    ("answered late, still wrong", [*WRONG_ONCE, ("b", "2026-03-20", [BAD])], "2026-03-21", ("督办", "03-20", "03-17", None)),
    ("right at once", [*WRONG_ONCE, ("b", "2026-03-05", [])], "2026-03-10", ("销号", "03-05", None, "03-05")),
    ("right on the last day", [*WRONG_ONCE, ("b", "2026-03-16", [])], "2026-04-10", ("销号", "03-16", None, "03-16")),
    ("right after it was overdue", [*WRONG_ONCE, ("b", "2026-03-20", [])], "2026-04-10", ("销号", "03-20", "03-17", "03-20")),
    (
        "right at the second try",
        [*WRONG_ONCE, ("b", "2026-03-05", [BAD]), ("c", "2026-03-08", [])],
        "2026-03-10",
        ("销号", "03-05", None, "03-08"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("files", "as_of", "want"), [t[1:] for t in TRANSITIONS], ids=[t[0] for t in TRANSITIONS])
def test_a_task_passes_its_states(
    files: list[tuple[str, str, list[Error]]], as_of: str, want: tuple[str | None, ...]
) -> None:
    ledger = Ledger()
    for n, (name, on, errors) in enumerate(files):
        last = n == len(files) - 1
        ledger.file(
            name, on, *errors, status="partial" if last else "superseded", closed=None if last else files[n + 1][1]
        )
    [t] = each(ledger.tasks(as_of))
    assert (t.state, day(t.feedback_on), day(t.supervised_on), day(t.closed_on)) == want
    assert (day(t.assigned_on), day(t.due_on), t.first_file_id) == ("03-01", "03-16", "a")
    assert t.answers == len(files) - 1


def test_a_task_keeps_its_id_and_follows_its_error_to_the_newer_file() -> None:
    ledger = Ledger()
    ledger.file("a", "2026-03-01", BAD, EMPTY)
    before = ledger.tasks("2026-03-02").set_index("code")["task_id"]
    ledger.file("b", "2026-03-05", ("bad_type", 9, "electricity"), ("out_of_range", 3, "water"))
    after = ledger.tasks("2026-03-06").set_index("code")
    assert after.loc["bad_type", "task_id"] == before["bad_type"]
    assert (after.loc["bad_type", "file_id"], after.loc["bad_type", "row"], after.loc["bad_type", "cell"]) == (
        "b",
        9,
        "C9",
    )
    assert after["state"].to_dict() == {"bad_type": "反馈", "missing_required": "销号", "out_of_range": "交办"}
    assert after.loc["out_of_range", "assigned_on"] == pd.Timestamp("2026-03-05")


def test_errors_of_one_kind_are_matched_by_row_first() -> None:
    ledger = Ledger()
    ledger.file("a", "2026-03-01", ("bad_type", 5, "water"), ("bad_type", 8, "water"))
    first = ledger.tasks("2026-03-02").set_index("row")["task_id"]
    ledger.file("b", "2026-03-05", ("bad_type", 8, "water"))
    after = ledger.tasks("2026-03-06").set_index("task_id")["state"]
    assert after[first[5]] == "销号" and after[first[8]] == "反馈"


def test_what_was_closed_and_goes_wrong_again_is_a_new_task() -> None:
    ledger = Ledger()
    for name, on, errors in (("a", "2026-03-01", [BAD]), ("b", "2026-03-05", []), ("c", "2026-03-09", [BAD])):
        ledger.file(name, on, *errors)
    found = ledger.tasks("2026-03-10")
    assert list(found["state"]) == ["销号", "交办"] and found["task_id"].nunique() == 2


def test_a_newer_file_of_which_nothing_was_read_answers_but_closes_nothing() -> None:
    ledger = Ledger()
    ledger.file("a", "2026-03-01", BAD)
    ledger.file("b", "2026-03-05", ("missing_column", None, "water"), rows=0, status="rejected")
    states = ledger.tasks("2026-03-06").set_index("code")["state"]
    assert states.to_dict() == {"bad_type": "反馈", "missing_column": "交办"}


@pytest.mark.parametrize("other", [{"submitter": "乙局"}, {"period": "2024"}, {"dataset": "disposals"}])
def test_a_file_of_another_submission_answers_nothing(other: dict[str, Any]) -> None:
    ledger = Ledger()
    ledger.file("a", "2026-03-01", BAD)
    ledger.file("b", "2026-03-05", **other)
    assert list(ledger.tasks("2026-03-06")["state"]) == ["交办"]


def test_a_submitter_is_the_same_however_it_is_written() -> None:
    ledger = Ledger()
    ledger.file("a", "2026-03-01", BAD, submitter="市 教育局（盖章）")
    ledger.file("b", "2026-03-05", submitter="市教育局")
    assert list(ledger.tasks("2026-03-06")["state"]) == ["销号"]


def test_a_row_that_came_right_in_a_newer_file_of_another_submission_closes_its_task() -> None:
    ledger = Ledger()
    ledger.file("a", "2026-03-01", BAD, closed="2026-03-07")
    [t] = each(ledger.tasks("2026-03-10"))
    assert (t.state, day(t.feedback_on), day(t.closed_on), t.answers) == ("销号", "03-07", "03-07", 1)


def test_files_of_no_known_submission_are_followed_by_their_address() -> None:
    lost: Error = ("unknown_dataset", None, "")
    ledger = Ledger()
    ledger.file("a", "2026-03-01", lost, dataset=None, url="u", status="superseded", closed="2026-03-05")
    ledger.file("b", "2026-03-05", lost, dataset=None, url="u", status="rejected")
    ledger.file("other", "2026-03-05", lost, dataset=None, url="v", status="rejected")
    found = ledger.tasks("2026-03-06").set_index("first_file_id")
    assert found["state"].to_dict() == {"a": "反馈", "other": "交办"} and found.loc["a", "file_id"] == "b"
    ledger.issues[1] |= {"status": "closed", "closed_at": pd.Timestamp("2026-03-09")}
    ledger.file("c", "2026-03-09", url="u")
    assert ledger.tasks("2026-03-10").set_index("first_file_id")["state"].to_dict() == {"a": "销号", "other": "交办"}


def test_of_two_files_of_one_run_the_superseded_is_the_older() -> None:
    ledger = Ledger()
    ledger.file("z", "2026-03-01", BAD, status="superseded", closed="2026-03-01")
    ledger.file("a", "2026-03-01", status="accepted")
    assert list(ledger.tasks("2026-03-06")["state"]) == ["销号"]


def test_warnings_and_our_own_errors_are_no_tasks() -> None:
    ledger = Ledger()
    ledger.file("a", "2026-03-01", BAD, severity="warning")
    ledger.file("b", "2026-03-01", BAD, responsibility="bureau")
    assert ledger.tasks("2026-03-06").empty


def test_the_days_until_due_are_a_setting() -> None:
    ledger = Ledger()
    ledger.file("a", "2026-03-01", BAD)
    assert list(ledger.tasks("2026-03-04", due_days=2)["state"]) == ["督办"]
    assert list(ledger.tasks("2026-03-04", due_days=3)["state"]) == ["交办"]


def test_what_came_after_the_day_a_release_speaks_of_came_on_that_day() -> None:
    ledger = Ledger()
    ledger.file("a", "2026-03-01", BAD)
    ledger.file("b", "2026-04-05")
    late = (pd.DataFrame(getattr(ledger, name)) for name in ("files", "sheets", "issues"))
    files, _, _ = as_known_on(date(2026, 3, 20), *late)
    assert list(files["received_at"]) == [pd.Timestamp("2026-03-01"), pd.Timestamp("2026-03-20")]


def test_the_table_of_tasks_is_written_with_its_types_and_the_same_bytes_again(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    for name in ("files", "sheets", "issues"):
        tables.write(home.table("intake", name), pd.DataFrame(columns=list(tables.INTAKE[name])), tables.INTAKE[name])
    assert write_tasks(home, date(2026, 3, 1)).empty
    ledger = Ledger()
    ledger.file("a", "2026-03-01", BAD)
    for name in ("files", "sheets", "issues"):
        frame = pd.DataFrame(getattr(ledger, name)).reindex(columns=list(tables.INTAKE[name])).astype("object")
        frame = frame.where(frame.notna(), None)
        tables.write(home.table("intake", name), frame, tables.INTAKE[name])
    write_tasks(home, date(2026, 3, 1))
    first = home.table("intake", "tasks").read_bytes()
    write_tasks(home, date(2026, 3, 1))
    assert home.table("intake", "tasks").read_bytes() == first
    [row] = pq.read_table(home.table("intake", "tasks")).to_pylist()
    assert (row["state"], row["assigned_on"], row["due_on"], row["closed_on"]) == (
        "交办",
        date(2026, 3, 1),
        date(2026, 3, 16),
        None,
    )


errors = st.lists(
    st.tuples(st.sampled_from(["bad_type", "doubtful"]), st.integers(4, 7), st.sampled_from(["water", "coal"])),
    max_size=4, unique=True,
)  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 25), errors, st.booleans()), min_size=1, max_size=5), st.integers(1, 20))
def test_states_come_in_order_and_no_file_or_day_takes_one_back(
    history: list[tuple[int, list[Error], bool]], due_days: int
) -> None:
    start = date(2026, 3, 1)
    history = sorted(history, key=lambda h: h[0])
    ranks: dict[str, int] = {}
    for n in range(1, len(history) + 1):
        ledger = Ledger()
        for i, (offset, found, examined) in enumerate(history[:n]):
            ledger.file(f"f{i}", str(start + timedelta(offset)), *found, rows=12 if examined else 0)
        for as_of in sorted({history[n - 1][0], (history[n][0] if n < len(history) else 60)}):
            now = ledger.tasks(str(start + timedelta(as_of)), due_days=due_days)
            assert now["task_id"].is_unique
            open_now = sum(len(f) for _, f, _ in history[n - 1 : n])
            assert (now["state"] != "销号").sum() >= open_now
            for t in each(now):
                rank = STATES.index(str(t.state))
                assert ranks.get(str(t.task_id), 0) <= rank
                ranks[str(t.task_id)] = rank
                dates = [d for d in (t.assigned_on, t.feedback_on, t.closed_on) if not pd.isna(d)]
                assert dates == sorted(dates)
                assert pd.isna(t.closed_on) or not pd.isna(t.feedback_on)
                if not pd.isna(t.supervised_on):
                    assert t.supervised_on > t.due_on and (pd.isna(t.closed_on) or t.closed_on > t.due_on)
        assert set(ranks) <= set(now["task_id"])
