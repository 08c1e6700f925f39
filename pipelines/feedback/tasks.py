"""Tasks of departments, one per error: 交办, 反馈, 督办, 销号, derived from the files received and their issues.

Belongs here: following an error from the file that opened it to the file that mends it. Not here: finding errors, or the
department's own dataset of tasks. Nothing is stored: the same tables and the same as-of date give the same tasks.

A thread is what answers to what: the files of one dataset, submitter and period; where one of these is not known, the
files of one address. Within a thread, in the order they were received, an error of a newer file is the same task as an
open one of the same code and column: first where it stands in the same row, else in the order of rows. What is left over
in the newer file is a new task; what is no longer wrong is closed (销号). A newer file of which no row was looked at is an
answer, but closes nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from pipelines.core.home import Home
from pipelines.core.settings import MEND_DAYS
from pipelines.records import tables
from pipelines.records.institutions import fold_name

ASSIGNED, ANSWERED, SUPERVISED, CLOSED = STATES = ("交办", "反馈", "督办", "销号")
COLUMNS = tuple(tables.TASKS)
_DATES = tuple(c for c, kind in tables.TASKS.items() if pa.types.is_date32(kind))


@dataclass
class _Task:
    task_id: str
    first_file: str
    code: str
    column: str | None
    file_id: str
    sheet: str
    row: int | None
    cell: str | None
    still_open: bool  # the issue that the task is open for now
    issue_closed_on: date | None
    assigned_on: date
    feedback_on: date | None = None
    closed_on: date | None = None
    answers: int = 0


@dataclass
class _FileState:
    file_id: str
    order: tuple[Any, ...]
    on: date
    examined: bool = False  # at least one of its rows was checked
    errors: list[Any] = field(default_factory=list)


def tasks(
    files: pd.DataFrame, sheets: pd.DataFrame, issues: pd.DataFrame, as_of: date, due_days: int = MEND_DAYS
) -> pd.DataFrame:
    """Return the tasks of a city: one row for each error ever found, with its state on `as_of`. Columns: `COLUMNS`.

    `files`, `sheets`, `issues` are intake's tables. A task is due `due_days` after the day its file was received and is
    supervised (督办) from the day after, until it is closed. Dates are of UTC. `feedback_on` is the day of the first newer
    file, `closed_on` that of the file that was right. Sorted by day, then task_id.
    """
    received = {f: _day(t) for f, t in zip(files["file_id"], files["received_at"], strict=True)}
    threads = _threads(files, sheets, issues, received)
    out = []
    for thread, found in threads.items():
        for t in _follow(thread, sorted(found.values(), key=lambda f: f.order)):
            # The records stage also closes an issue where a newer file has the row's key without the error.
            if t.closed_on is None and not t.still_open:
                t.closed_on = t.issue_closed_on or t.assigned_on
                t.feedback_on = t.feedback_on or t.closed_on
                t.answers = max(t.answers, 1)
            out.append(_row(t, thread, as_of, due_days))
    frame = pd.DataFrame(out, columns=list(COLUMNS)).sort_values(["assigned_on", "task_id"], ignore_index=True)
    for name in _DATES:
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return frame.astype({"row": "Int64", "answers": "Int64"})


def as_known_on(
    as_of: date, files: pd.DataFrame, sheets: pd.DataFrame, issues: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The same tables, in which what came after `as_of` came on that day: the same files then give the same tasks whenever they
    are read."""
    out = []
    for frame, column in ((files, "received_at"), (issues, "closed_at")):
        moment = pd.to_datetime(frame[column])
        out.append(
            frame.assign(**{column: moment.where(moment.isna() | (moment <= pd.Timestamp(as_of)), pd.Timestamp(as_of))})
        )
    return out[0], sheets, out[1]


def write_tasks(home: Home, as_of: date, due_days: int = MEND_DAYS) -> pd.DataFrame:
    """Write work/intake/tasks.parquet from the home's other intake tables, and return the tasks."""
    files, sheets, issues = (pd.read_parquet(home.table("intake", t)) for t in ("files", "sheets", "issues"))
    found = tasks(*as_known_on(as_of, files, sheets, issues), as_of, due_days)
    tables.write(home.table("intake", "tasks"), found, tables.TASKS)
    return found


def _row(t: _Task, thread: _Thread, as_of: date, due_days: int) -> tuple[Any, ...]:
    due_on = t.assigned_on + timedelta(days=due_days)
    late = (t.closed_on or as_of) > due_on and as_of > due_on
    supervised_on = due_on + timedelta(days=1) if late else None
    state = CLOSED if t.closed_on else SUPERVISED if supervised_on else ANSWERED if t.feedback_on else ASSIGNED
    return (
        t.task_id, thread.dataset, thread.submitter, thread.period, t.code, t.column, t.file_id, t.sheet, t.row, t.cell,
        state, t.assigned_on, due_on, t.feedback_on, supervised_on, t.closed_on, t.first_file, t.answers,
    )  # fmt: skip


@dataclass(frozen=True)
class _Thread:
    """`submitter_key`: that of the submitter: its folded name, or the address where there is no whole submission."""

    dataset: str | None
    submitter_key: str
    submitter: str | None = field(compare=False)
    period: str | None = None


def _threads(
    files: pd.DataFrame, sheets: pd.DataFrame, issues: pd.DataFrame, received: dict[str, date]
) -> dict[_Thread, dict[str, _FileState]]:
    address = {f: (u if isinstance(u, str) else f) for f, u in zip(files["file_id"], files["source_url"], strict=True)}
    at = {}
    for f, name, when, status in files[["file_id", "name", "received_at", "status"]].itertuples(index=False):
        # Of two files received in one run, the replaced one is the older.
        at[f] = (pd.Timestamp(when).value if pd.notna(when) else -1, status != "superseded", name, f)
    threads: dict[_Thread, dict[str, _FileState]] = defaultdict(dict)
    of_sheet: dict[tuple[str, str], _Thread] = {}

    def join(thread: _Thread, file_id: str) -> _FileState:
        return threads[thread].setdefault(file_id, _FileState(file_id, at[file_id], received[file_id]))

    named = ["file_id", "sheet", "dataset", "submitter", "period", "rows_accepted", "rows_quarantined"]
    for f, sheet, dataset, submitter, period, accepted, quarantined in sheets[named].itertuples(index=False):
        if not isinstance(dataset, str) or f not in at:
            continue
        if isinstance(submitter, str) and isinstance(period, str):
            thread = _Thread(dataset, fold_name(submitter), submitter, period)
        else:
            thread = _Thread(
                dataset,
                address[f],
                submitter if isinstance(submitter, str) else None,
                period if isinstance(period, str) else None,
            )
        of_sheet.setdefault((f, _text(sheet) or ""), thread)
        file = join(thread, f)
        file.examined = file.examined or int(accepted) + int(quarantined) > 0
    mine = issues[(issues["severity"] == "error") & (issues["responsibility"] == "department")]
    i: Any
    for i in mine.sort_values(["file_id", "issue_id"]).itertuples(index=False):
        if i.file_id not in at:
            continue
        known = of_sheet.get((i.file_id, _text(i.sheet) or ""))
        join(known or _Thread(None, address[i.file_id], None), i.file_id).errors.append(i)
    return threads


def _follow(thread: _Thread, files: list[_FileState]) -> list[_Task]:
    """The tasks of one thread; `files` from old to new."""
    done: list[_Task] = []
    live: list[_Task] = []
    for f in files:
        for t in live:
            t.feedback_on = t.feedback_on or f.on
            t.answers += 1
        again = _pairs(live, f.errors)
        for t in live:
            i = again.get(id(t))
            if i is not None:
                _move_to(t, i)
            elif f.examined:
                t.closed_on = f.on
        done += [t for t in live if t.closed_on]
        live = [t for t in live if not t.closed_on]
        taken = {id(i) for i in again.values()}
        live += [_open(thread, f, i) for i in f.errors if id(i) not in taken]
    return done + live


def _pairs(live: list[_Task], errors: list[Any]) -> dict[int, Any]:
    """id of an open task -> the same error in the newer file, where it is still there."""
    waiting: dict[tuple[str, str | None], list[_Task]] = defaultdict(list)
    for t in live:
        waiting[t.code, t.column].append(t)
    found: dict[int, Any] = {}
    late = []
    for i in errors:
        group = waiting[i.code, _text(i.column)]
        place = (_text(i.sheet) or "", _number(i.row))
        same = next((t for t in group if (t.sheet, t.row) == place), None)
        if same is None:
            late.append(i)
        else:
            group.remove(same)
            found[id(same)] = i
    for i in sorted(late, key=lambda i: (_text(i.sheet) or "", _number(i.row) or 0)):
        group = waiting[i.code, _text(i.column)]
        if group:
            first = min(group, key=lambda t: (t.sheet, t.row or 0))
            group.remove(first)
            found[id(first)] = i
    return found


def _open(thread: _Thread, f: _FileState, issue: Any) -> _Task:
    name = "\0".join((thread.dataset or "", thread.submitter_key, thread.period or "", issue.issue_id))
    task_id = hashlib.sha256(name.encode()).hexdigest()[:16]
    t = _Task(task_id, f.file_id, issue.code, _text(issue.column), f.file_id, "", None, None, True, None, f.on)
    _move_to(t, issue)
    return t


def _move_to(t: _Task, issue: Any) -> None:
    """Move a task to the present position of its error."""
    t.file_id, t.sheet = issue.file_id, _text(issue.sheet) or ""
    t.row, t.cell = _number(issue.row), _text(issue.cell)
    t.still_open = issue.status == "open"
    t.issue_closed_on = _day(issue.closed_at) if pd.notna(issue.closed_at) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _day(moment: Any) -> date:
    # A file without a receipt is older than any with.
    return date(1970, 1, 1) if pd.isna(moment) else pd.Timestamp(moment).date()
