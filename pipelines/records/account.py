"""The account of every file, sheet and row, joined from the shares of all datasets: the tables of schema intake.

Belongs here: those tables, each in an order of its own that does not depend on the order of reading. Not here: what becomes of a
row (judge.py, settle.py), or a dataset's share of the account (build.py makes it, parts.py keeps it).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pandas as pd

from pipelines.intake.readings import Readings
from pipelines.records import words


def tables_of(readings: Readings, ages: pd.DataFrame, shares: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables of schema intake by name. `shares` are the tables of `parts.ACCOUNT`, each over all datasets in the order of
    the contracts; `ages` is by file."""
    sheets = _account(readings.sheets, shares["sheets"])
    files = _files(readings, ages, sheets)
    columns = readings.columns.merge(
        readings.sheets[["file_id", "table", "dataset"]], on=["file_id", "table"], how="left"
    )
    order = ["file_id", "sheet", "row"]
    issues = _issues(readings.issues, ages, shares, files)
    return {
        "files": files.sort_values("file_id"),
        "sheets": _by_sheet(sheets),
        "columns": columns.sort_values(["file_id", "table", "first_row", "letter"], kind="stable"),
        "issues": issues,
        "findings": _findings(issues, sheets),
        **{n: shares[n].sort_values(order, kind="stable") for n in ("quarantine", "superseded")},
    }


def _account(sheets: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Tables with their rows accounted for: read = accepted + quarantined + explained.

    A row that a newer file replaced counts as accepted, which it was when it was read; a refused row as quarantined.
    """
    out = sheets.merge(shares, on=["file_id", "table"], how="left")
    out["rows_accepted"] = out["rows_accepted"].fillna(0).astype("int64")
    data = (out["rows_read"] - out["rows_explained"]).astype("int64")
    out["rows_quarantined"] = data - out["rows_accepted"]
    looked = out["status"].isin(["accepted", "partial"]) & (data > 0)
    status = out["status"].astype("object")
    status[looked & (out["rows_quarantined"] > 0)] = "partial"
    status[looked & (out["rows_accepted"] == 0)] = "rejected"
    out.loc[looked & (out["rows_accepted"] == 0) & out["reason"].isna(), "reason"] = "no_row_accepted"
    status[out["superseded_by"].notna()] = "superseded"
    out["status"] = status
    return out


def _by_sheet(sheets: pd.DataFrame) -> pd.DataFrame:
    """One line for each sheet and dataset in it; several tables of one dataset are added up."""
    keys, counts = ["file_id", "sheet", "dataset"], ["rows_read", "rows_accepted", "rows_quarantined", "rows_explained"]
    several = sheets.duplicated(keys, keep=False)
    alone = sheets[~several]
    if several.any():
        grouped = (
            sheets[several].sort_values(["file_id", "table"], kind="stable").groupby(keys, dropna=False, sort=True)
        )
        of_file: dict[str, Any] = {"submitter": _one, "period": _span, "status": _status, "reason": "first"}
        joined = grouped.agg({**of_file, **dict.fromkeys(counts, "sum")}).reset_index()
        alone = pd.concat([alone[list(joined.columns)], joined], ignore_index=True)
    return alone.sort_values(keys, kind="stable", na_position="last", ignore_index=True)


def _one(values: pd.Series) -> str | None:
    known = values.dropna().unique()
    return str(known[0]) if len(known) == 1 else None


def _span(values: pd.Series) -> str | None:
    """One period for several tables: theirs, or from the first year to the last."""
    known = sorted(set(values.dropna()))
    if len(known) < 2:
        return str(known[0]) if known else None
    first, last = known[0][:4], max(k.split("..")[-1][:4] for k in known)
    return first if first == last else f"{first}..{last}"


def _status(values: pd.Series) -> str:
    kinds = set(values) - ({"ignored"} if len(set(values)) > 1 else set())
    return str(kinds.pop()) if len(kinds) == 1 else "partial"


def _files(readings: Readings, ages: pd.DataFrame, sheets: pd.DataFrame) -> pd.DataFrame:
    out = readings.files.copy()
    out["source_url"] = ages["url"].reindex(out["file_id"]).to_numpy()
    out["received_at"] = ages["received_at"].reindex(out["file_id"]).to_numpy()
    looked = sheets[sheets["status"] != "ignored"]
    data = looked[(looked["rows_read"] - looked["rows_explained"]).astype("int64") > 0]
    rank = ages["rank"]
    data = data.assign(by=rank.reindex(data["superseded_by"]).to_numpy())
    # A file is superseded when each of its tables is, and then by the newest of those that did it.
    by_file = data.groupby("file_id").agg(
        accepted=("rows_accepted", "sum"),
        lost=("rows_quarantined", "sum"),
        tables=("table", "size"),
        old=("by", "count"),
        by=("by", "max"),
    )
    by_file = by_file.reindex(out["file_id"])
    accepted, lost = by_file["accepted"].to_numpy(), by_file["lost"].to_numpy()
    whole = (by_file["tables"].notna() & (by_file["tables"] == by_file["old"])).to_numpy()
    status, reason = out["status"].astype("object"), out["reason"].astype("object")
    read = (status != "rejected").to_numpy()
    status[read & (lost > 0)] = "partial"
    nothing = read & (accepted == 0)
    status[nothing] = "rejected"
    reason[nothing & reason.isna().to_numpy()] = "no_row_accepted"
    status[read & whole] = "superseded"
    out["status"], out["reason"] = status, reason
    by = np.full(len(out), None, dtype=object)
    by[read & whole] = ages.index.to_numpy()[by_file["by"].to_numpy()[read & whole].astype("int64")]
    out["superseded_by"] = by
    return _answered_at_source(out, ages)


def _answered_at_source(files: pd.DataFrame, ages: pd.DataFrame) -> pd.DataFrame:
    """A file of which nothing was taken names no submission; it is superseded when its address holds a newer file."""
    known = files[files["source_url"].notna()]
    rank = ages["rank"].reindex(known["file_id"]).to_numpy()
    # The members of an archive share its address.
    newest = pd.Series(rank, index=known.index).groupby([known["source_url"], known["name"]]).transform("max")
    old = known.index[(newest.to_numpy() > rank) & (known["status"] == "rejected").to_numpy()]
    files.loc[old, "superseded_by"] = ages.index.to_numpy()[newest[old].to_numpy()]
    files.loc[old, "status"] = "superseded"
    return files


def _issues(
    reading: pd.DataFrame, ages: pd.DataFrame, shares: dict[str, pd.DataFrame], files: pd.DataFrame
) -> pd.DataFrame:
    """All issues, of reading and of suites, open or closed by a newer file."""
    out = pd.concat([reading[words.FIELDS], shares["issues"]], ignore_index=True)
    table, row = ["file_id", "table"], ["file_id", "table", "row"]
    whole = shares["sheets"].dropna(subset=["superseded_by"])
    by_table = out[table].merge(whole[[*table, "superseded_by"]], on=table, how="left")["superseded_by"]
    by_row = out[row].merge(shares["answered"], on=row, how="left")["superseded_by"]
    by_file = out["file_id"].map(files.set_index("file_id")["superseded_by"])
    closed_by = by_table.fillna(by_row).fillna(by_file.astype(by_table.dtype))
    received = ages["received_at"]
    out["status"] = np.where(closed_by.isna(), "open", "closed")
    out["opened_at"] = received.reindex(out["file_id"]).to_numpy()
    out["closed_at"] = received.reindex(pd.Index(closed_by, dtype="object")).to_numpy()
    order = ["file_id", "table", "row", "column", "code", "cell"]
    out = out.sort_values(order, kind="stable", na_position="first", ignore_index=True)
    place = ["file_id", "sheet", "row", "column", "cell", "code"]
    seen = out.groupby(place, dropna=False).cumcount()
    texts: list[Any] = [out[n].astype("object").where(out[n].notna(), "").map(str) for n in place]
    out["issue_id"] = [
        hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16] for parts in zip(*texts, seen.map(str), strict=True)
    ]
    return out


def _findings(issues: pd.DataFrame, sheets: pd.DataFrame) -> pd.DataFrame:
    """What open issues say about the figures of a table, in the order of the issues. See `intake.issues.finding`."""
    out = issues[issues["finding"].notna() & (issues["status"] == "open")]
    out = out.merge(sheets[["file_id", "table", "dataset", "period"]], on=["file_id", "table"], how="inner")
    facts = [json.loads(text) for text in out["finding"]]
    out["kind"] = pd.Series([f.pop("kind") for f in facts], dtype="str")
    out["facts"] = pd.Series([json.dumps(f, sort_keys=True, ensure_ascii=False) for f in facts], dtype="str")
    return out
