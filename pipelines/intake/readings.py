"""Many readings as a few data frames, for the cache and the records stage.

Belongs here: the joined shape, made from `FileReading`s, and joining two of them. Not here: reading, storing, or any rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from expectations.contract import Contract, Contracts, Kind
from expectations.expression import HALF
from pipelines.intake.model import FileReading, Issue
from pipelines.intake.packed import Packed

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
    "finding": "str",
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
_ARROW = {
    "str": pa.string(),
    "Int64": pa.int64(),
    "float64": pa.float64(),
    "boolean": pa.bool_(),
    "datetime64[s]": pa.date32(),
}
_PANDAS = {
    pa.string(): pd.StringDtype(na_value=float("nan")),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


class DatasetRows(MutableMapping[str, pd.DataFrame]):
    """The rows of each dataset, loaded on access and not kept: most runs use few datasets."""

    def __init__(self, datasets: Iterable[str], load: Callable[[str], pd.DataFrame]):
        self._datasets = list(datasets)
        self._load = load
        self._given: dict[str, pd.DataFrame] = {}

    def __getitem__(self, dataset: str) -> pd.DataFrame:
        if dataset not in self._datasets:
            raise KeyError(dataset)
        return self._given[dataset] if dataset in self._given else self._load(dataset)

    def __contains__(self, dataset: object) -> bool:
        return dataset in self._datasets

    def __setitem__(self, dataset: str, rows: pd.DataFrame) -> None:
        self._given[dataset] = rows
        if dataset not in self._datasets:
            self._datasets.append(dataset)

    def __delitem__(self, dataset: str) -> None:
        self._datasets.remove(dataset)
        self._given.pop(dataset, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._datasets)

    def __len__(self) -> int:
        return len(self._datasets)


@dataclass
class Readings:
    """The readings of a set of files.

    `files`, `sheets`, `columns`, `issues` have the fields of the model's dataclasses and `file_id`; where nothing is
    known a cell is missing. `table` counts the tables of a file from 0 (one sheet may hold several) and is missing in an
    issue of the whole file. `rows[dataset]` holds every data row of a dataset that could be kept: the contract's kept
    columns in its order and in canonical units, half a unit of the last digit written of those that a rule holds against each
    other (`<column>.half`, missing where not known), then `_file`, `_table`, `_sheet`, `_row`; a row that an issue with
    `quarantines` names is still in it. dtypes: see `DTYPES`. Every dataset of the contracts has a frame, if an empty one.
    `read_by` is the reader key that everything was read under, so that a file's readings are known by its id; '' where none was.
    """

    files: pd.DataFrame
    sheets: pd.DataFrame
    columns: pd.DataFrame
    issues: pd.DataFrame
    rows: MutableMapping[str, pd.DataFrame] = field(default_factory=dict)
    read_by: str = ""


def row_dtypes(contract: Contract) -> dict[str, str]:
    """Column -> dtype of `Readings.rows[contract.dataset]`, in the order of the columns."""
    return {c.name: DTYPES[c.kind] for c in contract.kept} | {n + HALF: "float64" for n in contract.exact} | KEYS


def tables(readings: Iterable[FileReading], contracts: Contracts) -> dict[str, pa.Table]:
    """Readings as Arrow tables, in the order given: files, sheets, columns, issues, and `rows-<dataset>` for each."""
    made = list(readings)
    ids = pa.array([r.file_id for r in made], pa.string())
    sheets = [(n, table, s) for n, r in enumerate(made) for table, s in enumerate(r.sheets)]
    at, numbers, every = _turned(sheets, 3)
    names = pa.array([s.sheet for s in every], pa.string())

    def keys_repeated(counts: list[int]) -> list[pa.Array]:
        """For as many rows of each sheet: the file, the table, and the sheet's name."""
        sheet = np.repeat(np.arange(len(every)), counts)
        place = pa.array(np.array(at, dtype="int64")[sheet])
        return [ids.take(place), pa.array(np.array(numbers, dtype="int64")[sheet]), names.take(pa.array(sheet))]

    one = [1] * len(every)
    file_of, table_of, name_of = keys_repeated(one)
    out = {
        "files": _table(
            FILES,
            [
                ids,
                [r.name for r in made],
                [r.status for r in made],
                [r.reason for r in made],
                [r.synthetic for r in made],
            ],
        ),
        "sheets": _table(
            SHEETS,
            [file_of, table_of, name_of, *([getattr(s, f) for s in every] for f in list(SHEETS)[3:])],
        ),
    }
    columns = [c for s in every for c in s.columns]
    out["columns"] = _table(
        COLUMNS,
        [
            *keys_repeated([len(s.columns) for s in every]),
            [c.column for c in columns],
            [c.header for c in columns],
            [c.letter for c in columns],
            [c.unit for c in columns],
            [c.first_row for c in columns],
            [c.last_row for c in columns],
        ],
    )
    issues: list[tuple[Any, ...]] = []
    for r in made:
        issues += [_issue(r.file_id, None, i) for i in r.issues]
        for n, s in enumerate(r.sheets):
            if s.issues:
                issues += [_issue(r.file_id, n, i) for i in s.issues]
    out["issues"] = _table(ISSUES, list(_turned(issues, len(ISSUES))))
    parts: dict[str, list[int]] = {d: [] for d in contracts}
    for k, s in enumerate(every):
        if s.rows and s.dataset is not None:
            parts[s.dataset].append(k)
    for dataset, found in parts.items():
        dtypes = row_dtypes(contracts[dataset])
        these = [every[k] for k in found]
        counts = [0] * len(every)
        for k in found:
            counts[k] = len(every[k].rows)
        cells: list[Any] = [
            _joined([s.values.get(name) or [None] * len(s.rows) for s in these], _ARROW[dtypes[name]])
            for name in dtypes
            if name not in KEYS
        ]
        cells += [*keys_repeated(counts), _joined([s.rows for s in these], pa.int64())] if found else [[], [], [], []]
        out[f"rows-{dataset}"] = _table(dtypes, cells)
    return out


def _joined(parts: Sequence[Sequence[Any]], kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    """A column of several sheets as one; those of large sheets, which Arrow holds, are not copied."""
    chunks: list[pa.Array] = []
    for large, these in groupby(parts, lambda p: type(p) in (Packed, range)):
        if not large:
            chunks.append(pa.array(list(chain.from_iterable(these)), kind))
            continue
        for part in these:
            numbers = np.arange(part.start, part.stop) if isinstance(part, range) else None
            chunks.append(pa.array(numbers) if numbers is not None else cast("Packed", part).array.cast(kind))
    return chunks[0] if len(chunks) == 1 else pa.chunked_array(chunks, kind)


def frame(table: pa.Table, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """An Arrow table of these as a data frame of `dtypes`."""
    found = table.to_pandas(types_mapper=_PANDAS.get, date_as_object=False)
    # Days, not nanoseconds: dates far outside those (a typing error such as 0202-01-01) must survive.
    dates = [c for c, t in dtypes.items() if t == "datetime64[s]"]
    return found.astype(dict.fromkeys(dates, "datetime64[s]")) if dates else found


def schema(dtypes: Mapping[str, str]) -> pa.Schema:
    """The Arrow types of `dtypes`."""
    return pa.schema([(c, _ARROW[t]) for c, t in dtypes.items()])


def from_file_readings(readings: Iterable[FileReading], contracts: Contracts) -> Readings:
    """Join readings, in the order given. The contracts say the type of each column."""
    made = tables(readings, contracts)
    files, sheets, columns, issues = (
        frame(made[n], t) for n, t in (("files", FILES), ("sheets", SHEETS), ("columns", COLUMNS), ("issues", ISSUES))
    )
    rows = {d: frame(made[f"rows-{d}"], row_dtypes(c)) for d, c in contracts.items()}
    return Readings(files, sheets, columns, issues, rows)


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
        i.finding,
    )


def _turned(rows: list[tuple[Any, ...]], width: int) -> Iterable[Sequence[Any]]:
    return zip(*rows, strict=True) if rows else ((),) * width


def _table(dtypes: Mapping[str, str], cells: Sequence[Any]) -> pa.Table:
    fields = schema(dtypes)
    return pa.Table.from_arrays(
        [
            c if isinstance(c, pa.Array | pa.ChunkedArray) else pa.array(c, t)
            for c, t in zip(cells, fields.types, strict=True)
        ],
        schema=fields,
    )


def to_dates(column: pd.Series) -> list[dt.date | None]:
    """A date column of `Readings.rows` as Python dates, None where missing."""
    return [None if v is None else v for v in column.to_numpy().astype("datetime64[D]").tolist()]
