"""Applies the bureau's decisions to the readings of every run: submissions withdrawn, cells patched.

Belongs here: applying those decisions to readings, and saying which of them changed nothing. Not here: the ledger
(pipelines/sources/decisions.py), the command (pipelines/correct.py), or published figures (publish/disclosure/corrections.py). The
archive and the readings kept stay as they were: a decision that is undone leaves no trace in the records.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from expectations.contract import Contracts
from expectations.expression import HALF
from pipelines.intake.readings import DatasetRows, Readings
from pipelines.intake.values import Bad, DoubtfulValue, column_reader
from pipelines.sources.decisions import Decision

WITHDRAW, CELL = "withdraw", "cell"  # kinds of decisions
WITHDRAWN = "withdrawn"  # the reason why nothing of a file is taken


def apply(
    readings: Readings, contracts: Contracts, decided: Sequence[Decision], on: date
) -> tuple[Readings, list[Decision]]:
    """The readings as the decisions leave them on the day `on`, and the decisions that changed nothing.

    A withdrawn submission counts as never received: what it replaced is in force again. A patched cell holds the value given,
    read as a cell of its column without a unit in the header, until the day the decision names; a newer file that replaces the row
    replaces the patch with it.
    """
    decided = [d for d in decided if d.kind in (WITHDRAW, CELL)]
    if not decided:
        return readings, []
    frames = {n: getattr(readings, n).copy() for n in ("files", "sheets", "issues")}
    rows = DatasetRows(readings.rows, readings.rows.__getitem__)
    out = Readings(columns=readings.columns, rows=rows, read_by=readings.read_by, **frames)
    unused = []
    for d in decided:
        used = _withdraw(out, d) if d.kind == WITHDRAW else holds(d, on) and _patch(out, contracts, d)
        if not used:
            unused.append(d)
    return out, unused


def holds(d: Decision, on: date) -> bool:
    """Whether a decision is to be applied on that day: a patch may be for some time only."""
    until = d.details.get("until")
    return until is None or on <= date.fromisoformat(until)


def _withdraw(out: Readings, d: Decision) -> bool:
    files, dataset = set(d.details["files"]), d.details.get("dataset")
    of_sheets = out.sheets["file_id"].isin(files)
    of_files = out.files["file_id"].isin(files)
    if dataset is not None:
        of_sheets &= (out.sheets["dataset"] == dataset).fillna(False)
    if not of_files.any():
        return False
    # Every row is explained: no row of it is data any more, so that it is no submission.
    out.sheets.loc[of_sheets, "rows_explained"] = out.sheets.loc[of_sheets, "rows_read"]
    out.sheets.loc[of_sheets, "refused"] = 0
    out.sheets.loc[of_sheets, ["status", "reason"]] = ["rejected", WITHDRAWN]
    gone = out.issues["file_id"].isin(files)
    if dataset is None:
        out.files.loc[of_files, ["status", "reason"]] = ["rejected", WITHDRAWN]
    else:
        tables = pd.MultiIndex.from_frame(out.sheets.loc[of_sheets, ["file_id", "table"]])
        gone &= pd.MultiIndex.from_frame(out.issues[["file_id", "table"]]).isin(tables)
    before = out.rows

    def rows(name: str) -> pd.DataFrame:
        found = before[name]
        left = ~found["_file"].isin(files) if dataset in (None, name) else None
        return found if left is None or left.all() else found[left].reset_index(drop=True)

    out.rows = DatasetRows(before, rows)
    zh = f"管理局已撤回这份报送：{d.why_zh}（{d.by}，自 {d.since}）。"
    en = f"The bureau has withdrawn this submission: {d.why_en} ({d.by}, since {d.since})."
    _message(out, out.issues[~gone], [_issue(f, zh, en) for f in sorted(out.files.loc[of_files, "file_id"].unique())])
    return True


def _patch(out: Readings, contracts: Contracts, d: Decision) -> bool:
    asked = d.details
    contract, rows = contracts.get(asked["dataset"]), out.rows.get(asked["dataset"])
    column = None if contract is None else contract.by_name.get(asked["column"])
    if rows is None or column is None:
        return False
    at = (rows["_file"] == asked["file"]) & (rows["_sheet"] == asked["sheet"]) & (rows["_row"] == asked["row"])
    if not at.any():
        return False
    value = read_value(column, asked["value"])
    rows = rows.copy()
    rows.loc[at, column.name] = value
    if column.name + HALF in rows.columns:
        rows.loc[at, column.name + HALF] = float("nan")  # written by the bureau now
    out.rows[asked["dataset"]] = rows
    i = out.issues
    answered = (i["file_id"] == asked["file"]) & (i["sheet"] == asked["sheet"]) & (i["row"] == asked["row"])
    answered &= (i["column"] == column.name).fillna(False)
    shown = column.access in ("L0", "L1")
    zh = f"管理局已将此格改为“{asked['value']}”" if shown else "管理局已更正此格"
    en = f"The bureau has set this cell to '{asked['value']}'" if shown else "The bureau has corrected this cell"
    until = asked.get("until")
    zh += f"：{d.why_zh}（{d.by}，自 {d.since}{f'，至 {until}' if until else ''}）。"
    en += f": {d.why_en} ({d.by}, since {d.since}{f', until {until}' if until else ''})."
    place = {"sheet": asked["sheet"], "row": asked["row"], "column": column.name, "cell": asked["cell"]}
    table = int(rows.loc[at, "_table"].iloc[0])
    _message(out, i[~answered.fillna(False)], [_issue(asked["file"], zh, en) | place | {"table": table}])
    return True


def read_value(column: Any, text: str) -> Any:
    """A value as a person types it, as the column keeps it; a number without a unit is in the contract's unit, and an empty text
    empties the cell. Raises ValueError where it cannot be read, or not without doubt."""
    found = column_reader(column, None, None, False)(text)
    if isinstance(found, Bad | DoubtfulValue) or (found is None and text.strip()):
        raise ValueError(f"'{text}' cannot be read as {column.header_zh} ({column.kind}).")
    return found


def described(d: Decision) -> str:
    """A decision that changed nothing, as the run's report says it."""
    what = "patch of" if d.kind == CELL else "withdrawal of"
    return (
        f"The {what} {d.target} ({d.by}, {d.since}) changed nothing: its day has passed, or no such row is read any more; "
        "'mingzhang correct list' shows it, 'mingzhang correct undo' takes it back."
    )


def _issue(file_id: str, zh: str, en: str) -> dict[str, Any]:
    return {
        "file_id": file_id, "table": None, "sheet": "", "row": None, "column": None, "cell": None, "code": "doubtful",
        "severity": "warning", "raw_value": None, "message_zh": zh, "message_en": en, "responsibility": "bureau",
        "quarantines": False,
    }  # fmt: skip


def _message(out: Readings, issues: pd.DataFrame, new: list[dict[str, Any]]) -> None:
    more = pd.DataFrame(new, columns=list(issues.columns)).astype(issues.dtypes.to_dict())
    out.issues = pd.concat([issues, more], ignore_index=True)
