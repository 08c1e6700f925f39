"""Whether submissions came on time: counts by dataset and period, from the days on which files were received.

Belongs here: what can be said about it for certain. Not here: the days a dataset has (its contract, sla property `latency`).

A file that was in the inbox when files were first received says nothing of when it was first sent. So only periods count that
ended on that day or later, and whose due day is over on the day of which the release speaks. A release of files collected
afterwards has no such period, and its table is empty.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa

from expectations.contract import Contracts
from publish.release.tables import Warehouse, empty, from_rows
from publish.schema import OWN

SUBMIT_DAYS = 31  # after the end of the period, where the contract states none: ours, no public rule was found
PERIODIC = ("monthly", "quarterly", "annual")
DAY = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")
TABLE = next(t for t in OWN if t.name == "punctuality")


def period_end(period: str) -> date | None:
    """The last day of a period as intake names it: '2025', '2025-03', or from one to another; None where it names no date."""
    ends = []
    for year, month, day in DAY.findall(period):
        try:
            if day:
                ends.append(date(int(year), int(month), int(day)))
            elif month:
                ends.append((date(int(year), int(month), 1) + timedelta(days=32)).replace(day=1) - timedelta(days=1))
            else:
                ends.append(date(int(year), 12, 31))
        except ValueError:
            return None
    return max(ends, default=None)


def punctuality(w: Warehouse, contracts: Contracts, as_of: date) -> pa.Table:
    """One row for each dataset and period that can be judged: the due day, how many submissions came, how many by that day.

    A submission is a dataset, submitter and period of which anything was taken; it came with its first such file. A file that
    came after `as_of` counts as come on that day, so that the same files give the same counts whenever they are read.
    """
    w.require("intake", "files", "received_at")
    w.require("intake", "sheets")
    received = w.frame(
        "select file_id, cast(received_at as date) as day from intake.files where received_at is not null"
    )
    if received.empty:
        return empty(TABLE)
    came, until = pd.to_datetime(received["day"]), pd.Timestamp(as_of)
    received["day"] = came.where(came <= until, until)
    since = received["day"].min().date()
    sheets = w.frame(
        """select file_id, dataset, coalesce(submitter, file_id) as submitter, period from intake.sheets
        where dataset is not null and period is not null and status in ('accepted', 'partial', 'superseded')"""
    ).merge(received, on="file_id")
    first = sheets.groupby(["dataset", "submitter", "period"], as_index=False)["day"].min()
    rows = []
    for (dataset, period), found in first.groupby(["dataset", "period"]):
        contract, end = contracts.get(str(dataset)), period_end(str(period))
        if contract is None or contract.frequency not in PERIODIC or end is None or end < since:
            continue
        due = end + timedelta(days=SUBMIT_DAYS if contract.due_days is None else contract.due_days)
        if due < as_of:
            on_time = int((found["day"] <= pd.Timestamp(due)).sum())
            rows.append(
                {"dataset": dataset, "period": period, "due_on": due, "submissions": len(found), "on_time": on_time}
            )
    return from_rows(rows, TABLE)
