"""Many readings as a handful of data frames: what the cache keeps and what the records stage works on.

Belongs here: the joined shape, made from `FileReading`s, and joining two of them. Not here: reading, storing, or any rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import numpy as np
import pandas as pd

from expectations.contract import Contract, Contracts, Kind
from pipelines.intake.model import FileReading, Issue

FILES = {"file_id": "str", "name": "str", "status": "str", "reason": "str", "synthetic": "boolean"}
SHEETS = {
    "file_id": "str",
    "table": "Int64",
    "sheet": "str",
    "dataset": "str",
    "submitter": "str",
    "period": "str",
    "status": "str",
    "reason": "str",
    "rows_read": "Int64",
    "rows_explained": "Int64",
    "refused": "Int64",
}
COLUMNS = {
    "file_id": "str",
    "table": "Int64",
    "sheet": "str",
    "column": "str",
    "header": "str",
    "letter": "str",
    "unit": "str",
    "first_row": "Int64",
    "last_row": "Int64",
}
ISSUES = {
    "file_id": "str",
    "table": "Int64",
    "sheet": "str",
    "row": "Int64",
    "column": "str",
    "cell": "str",
    "code": "str",
    "severity": "str",
    "raw_value": "str",
    "message_zh": "str",
    "message_en": "str",
    "responsibility": "str",
    "quarantines": "boolean",
}
KEYS = {"_file": "str", "_table": "Int64", "_sheet": "str", "_row": "Int64"}
DTYPES: dict[Kind, str] = {
    "string": "str",
    "enum": "str",
    "month": "str",
    "decimal": "float64",
    "integer": "Int64",
    "year": "Int64",
    "boolean": "boolean",
    "date": "datetime64[s]",
}


@dataclass
class Readings:
    """What a set of files gave.

    `files`, `sheets`, `columns`, `issues` have the fields of the model's dataclasses and `file_id`; where nothing is
    known a cell is missing. `table` counts the tables of a file from 0 (one sheet may hold several) and is missing in an
    issue of the whole file. `rows[dataset]` holds every data row of a dataset that could be kept: the contract's kept
    columns in its order and in canonical units, then `_file`, `_table`, `_sheet`, `_row`; a row that an issue with
    `quarantines` names is still in it. dtypes: see `DTYPES`. Every dataset of the contracts has a frame, if an empty one.
    """

    files: pd.DataFrame
    sheets: pd.DataFrame
    columns: pd.DataFrame
    issues: pd.DataFrame
    rows: dict[str, pd.DataFrame] = field(default_factory=dict)


def row_dtypes(contract: Contract) -> dict[str, str]:
    """Column -> dtype of `Readings.rows[contract.dataset]`, in the order of the columns."""
    return {c.name: DTYPES[c.kind] for c in contract.kept} | KEYS


def from_file_readings(readings: Iterable[FileReading], contracts: Contracts) -> Readings:
    """Joins readings, in the order given. The contracts say the type of each column."""
    readings = list(readings)
    files = [(r.file_id, r.name, r.status, r.reason, r.synthetic) for r in readings]
    sheets: list[tuple[Any, ...]] = []
    columns: list[tuple[Any, ...]] = []
    issues: list[tuple[Any, ...]] = []
    parts: dict[str, list[tuple[str, int, Any]]] = {d: [] for d in contracts}
    for r in readings:
        issues += [_issue(r.file_id, None, i) for i in r.issues]
        for table, s in enumerate(r.sheets):
            sheets.append(
                (
                    r.file_id,
                    table,
                    s.sheet,
                    s.dataset,
                    s.submitter,
                    s.period,
                    s.status,
                    s.reason,
                    s.rows_read,
                    s.rows_explained,
                    s.refused,
                )
            )
            columns += [
                (r.file_id, table, s.sheet, c.column, c.header, c.letter, c.unit, c.first_row, c.last_row)
                for c in s.columns
            ]
            if s.issues:
                issues += [_issue(r.file_id, table, i) for i in s.issues]
            if s.rows and s.dataset is not None:
                parts[s.dataset].append((r.file_id, table, s))
    rows = {}
    for dataset, found in parts.items():
        data = {}
        for name, dtype in row_dtypes(contracts[dataset]).items():
            if name not in KEYS:
                data[name] = _series(
                    list(chain.from_iterable(s.values.get(name) or repeat(None, len(s.rows)) for _, _, s in found)),
                    dtype,
                )
        data["_file"] = _series([f for f, _, s in found for _ in s.rows], "str")
        data["_table"] = _series([t for _, t, s in found for _ in s.rows], "Int64")
        data["_sheet"] = _series([s.sheet for _, _, s in found for _ in s.rows], "str")
        data["_row"] = _series([n for _, _, s in found for n in s.rows], "Int64")
        rows[dataset] = pd.DataFrame(data)
    return Readings(
        _frame(files, FILES), _frame(sheets, SHEETS), _frame(columns, COLUMNS), _frame(issues, ISSUES), rows
    )


def concat(parts: Sequence[Readings], contracts: Contracts) -> Readings:
    """Several Readings as one, in the order given; no part at all gives empty frames."""
    if not parts:
        return from_file_readings([], contracts)
    if len(parts) == 1:
        return parts[0]

    def join(frames: list[pd.DataFrame]) -> pd.DataFrame:
        full = [f for f in frames if len(f)]
        return pd.concat(full, ignore_index=True) if full else frames[0]

    return Readings(
        join([p.files for p in parts]),
        join([p.sheets for p in parts]),
        join([p.columns for p in parts]),
        join([p.issues for p in parts]),
        {d: join([p.rows[d] for p in parts]) for d in contracts},
    )


def _issue(file_id: str, table: int | None, i: Issue) -> tuple[Any, ...]:
    return (
        file_id,
        table,
        i.sheet,
        i.row,
        i.column,
        i.cell,
        i.code,
        i.severity,
        i.raw_value,
        i.message_zh,
        i.message_en,
        i.responsibility,
        i.quarantines,
    )


def _frame(rows: list[tuple[Any, ...]], dtypes: dict[str, str]) -> pd.DataFrame:
    cells: Iterable[Any] = zip(*rows, strict=True) if rows else repeat((), len(dtypes))
    return pd.DataFrame({n: _series(list(v), t) for (n, t), v in zip(dtypes.items(), cells, strict=True)})


def _series(values: list[Any], dtype: str) -> pd.Series:
    if dtype == "datetime64[s]":
        # Through numpy days: dates far outside pandas' nanoseconds (a typing error such as 0202-01-01) must survive.
        return pd.Series(np.array(values, dtype="datetime64[D]").astype("datetime64[s]"))
    if dtype == "float64":
        return pd.Series(np.array(values, dtype="float64"))  # None becomes NaN
    return pd.Series(values, dtype=dtype)


def to_dates(column: pd.Series) -> list[dt.date | None]:
    """A date column of `Readings.rows` as Python dates, None where missing."""
    return [None if v is None else v for v in column.to_numpy().astype("datetime64[D]").tolist()]
