"""The Parquet files of records and intake: their columns, types and bytes.

Belongs here: schemas and writing, so that the same rows give the same bytes. Not here: what the rows are (build.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations.arrow import TYPES
from expectations.contract import Column, Contract
from pipelines.core.home import Home, whole_file

Schema = dict[str, pa.DataType]
YEARS = (1900, 2100)  # records of other years lie with those that nothing dates

PLACE = {"_file": pa.string(), "_sheet": pa.string(), "_row": pa.int64()}
TEXT = pa.string()
_S, _I, _B, _T, _D = TEXT, pa.int64(), pa.bool_(), pa.timestamp("us"), pa.date32()
INTAKE: dict[str, Schema] = {
    "files": {
        "file_id": _S, "name": _S, "source_url": _S, "received_at": _T, "status": _S, "reason": _S, "synthetic": _B,
        "superseded_by": _S,
    },
    "sheets": {
        "file_id": _S, "sheet": _S, "dataset": _S, "submitter": _S, "period": _S, "status": _S, "reason": _S,
        "rows_read": _I, "rows_accepted": _I, "rows_quarantined": _I, "rows_explained": _I,
    },
    "columns": {
        "file_id": _S, "sheet": _S, "dataset": _S, "column": _S, "header": _S, "letter": _S, "unit": _S, "first_row": _I,
        "last_row": _I,
    },
    "issues": {
        "issue_id": _S, "file_id": _S, "sheet": _S, "row": _I, "column": _S, "cell": _S, "code": _S, "severity": _S,
        "responsibility": _S, "raw_value": _S, "message_zh": _S, "message_en": _S, "status": _S, "opened_at": _T,
        "closed_at": _T,
    },
    "quarantine": {"file_id": _S, "sheet": _S, "row": _I, "dataset": _S, "codes": _S, "values": _S},
    "superseded": {"file_id": _S, "sheet": _S, "row": _I, "dataset": _S, "superseded_by": _S},
    "findings": {
        "file_id": _S, "sheet": _S, "dataset": _S, "period": _S, "row": _I, "column": _S, "kind": _S, "facts": _S,
    },
}  # fmt: skip
# What pipelines/feedback/tasks.py makes of them, a further table of intake.
TASKS: Schema = {
    "task_id": _S, "dataset": _S, "submitter": _S, "period": _S, "code": _S, "column": _S, "file_id": _S, "sheet": _S,
    "row": _I, "cell": _S, "state": _S, "assigned_on": _D, "due_on": _D, "feedback_on": _D, "supervised_on": _D,
    "closed_on": _D, "first_file_id": _S, "answers": _I,
}  # fmt: skip

# What each table and column of schema intake means, for dbt's sources and whoever opens the warehouse.
TABLES = {
    "files": "One row per file received.",
    "sheets": "One row per sheet and dataset in it: what became of its rows.",
    "columns": "One row per header found: where a contract's column stands in a sheet.",
    "issues": "One row per thing wrong, open or closed by a newer file.",
    "quarantine": "One row per row that did not become a record, with its values of levels L0 and L1 as JSON.",
    "superseded": "One row per accepted row that a newer file replaced.",
    "findings": "One row per open issue that says something about the figures of a table.",
    "tasks": "One row per error there ever was: whether it is mended, on the as-of date.",
}
MEANINGS = {
    "answers": "How many newer files came while the error was open.",
    "assigned_on": "The day the file with the error came.",
    "closed_on": "The day the file came that has the error no more.",
    "due_on": "The last day to mend it.",
    "facts": "What it says as JSON, numbers in the contract's units; count: how many cells or rows it is about.",
    "feedback_on": "The day of the first newer file.",
    "first_file_id": "The file that first had the error.",
    "state": "交办 assigned, 反馈 answered, 督办 supervised, 销号 closed.",
    "supervised_on": "The day after due_on, where it was not mended by then.",
    "task_id": "Hash of the first error: the same in every run.",
    "cell": "Like C7; null for a whole row, sheet or file.",
    "closed_at": "When the file came that answered the issue, UTC.",
    "code": "One of the issue codes.",
    "codes": "The codes that put the row in quarantine, separated by commas.",
    "column": "The contract's name of the column; null where none is meant.",
    "dataset": "The contract's name of the dataset; null where none was recognised.",
    "file_id": "sha256 of the file's bytes.",
    "first_row": "First data row under the header, as a spreadsheet counts.",
    "header": "The header as the sheet writes it.",
    "issue_id": "Hash of the issue's place and code: the same in every run.",
    "kind": "What it says: a name of publish/wording.toml.",
    "last_row": "Last data row under the header.",
    "letter": "The spreadsheet's letter of the column.",
    "message_en": "What is wrong and what to do, in English.",
    "message_zh": "What is wrong and what to do, in Chinese, as the department is told.",
    "name": "Path below the inbox; a member of an archive as a.zip/b.xlsx.",
    "opened_at": "When the file came that has the issue, UTC.",
    "period": "2021, 2021-03, 2021-03..2021-05 or 2021..2023; null where unknown.",
    "raw_value": "What stood in the cell; never of a column of level L2 or L3.",
    "reason": "Why nothing, or not all, was taken: an issue code, or no_row_accepted.",
    "received_at": "When the file last came, UTC.",
    "responsibility": "department or bureau: who has to mend it.",
    "row": "1-based, as a spreadsheet shows it; null for a whole sheet or file.",
    "rows_accepted": "Rows that became records when read, those a newer file has replaced since included.",
    "rows_explained": "Titles, headers, totals, notes and blanks.",
    "rows_quarantined": "Rows that did not become records, refused ones included.",
    "rows_read": "rows_accepted + rows_quarantined + rows_explained.",
    "severity": "error or warning.",
    "sheet": "Name of the sheet; empty for a text file.",
    "source_url": "Where the file was found.",
    "status": "accepted, partial, rejected, superseded or ignored; of an issue open or closed.",
    "submitter": "The unit that sent it: named in the sheet, else its only institution.",
    "superseded_by": "The newer file.",
    "synthetic": "The file says that it is made-up.",
    "unit": "The unit as the sheet writes it.",
    "values": "Canonical values of levels L0 and L1 as JSON.",
}


def record_schema(contract: Contract) -> Schema:
    """Column -> type of records.<dataset>: the columns that may be kept, in the contract's order, then the place."""
    return {c.name: TYPES[c.kind] for c in contract.kept} | PLACE


def arrow(frame: pd.DataFrame, schema: Schema) -> pa.Table:
    """The columns of `schema` as Arrow."""
    arrays = []
    for name, kind in schema.items():
        column = frame[name]
        if pa.types.is_date32(kind):
            # By way of days: a slip such as the year 202 is outside what pandas keeps in nanoseconds.
            arrays.append(pa.array(column.to_numpy().astype("datetime64[D]"), type=kind))
        else:
            arrays.append(pa.Array.from_pandas(column, type=kind))
    return pa.Table.from_arrays(
        [a.combine_chunks() if isinstance(a, pa.ChunkedArray) else a for a in arrays], names=list(schema)
    )


def write(path: Path, frame: pd.DataFrame, schema: Schema) -> None:
    """Writes the columns of `schema` as Parquet (zstd), unless they are what the file has already. Nothing in the file depends
    on the time or the machine."""
    _write(path, arrow(frame, schema))


def write_years(folder: Path, records: pd.DataFrame, schema: Schema, period: Column | None) -> None:
    """Writes records as one Parquet file for each year in the column `period`, and takes away those of years that have none.

    A file whose rows are the same stays as it is. `none.parquet` holds the rows that nothing dates, and is all there is of a
    dataset without rows: the folder always says which columns there are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = arrow(records, schema)
    of_row = _years(whole[period.name], period) if period is not None else np.zeros(len(whole), dtype="int64")
    wanted = set()
    for year in np.unique(of_row).tolist() or [0]:
        path = folder / (f"{year}.parquet" if year else "none.parquet")
        wanted.add(path)
        _write(path, whole if not len(whole) else whole.take(pa.array(np.flatnonzero(of_row == year))))
    for path in folder.iterdir():
        if path not in wanted:
            path.unlink()


def _years(column: pa.ChunkedArray, period: Column) -> np.ndarray:
    """The year of each row, 0 for none; a slip such as the year 202 is none: each would be a file of its own."""
    if period.kind == "month":
        years = pc.cast(pc.utf8_slice_codeunits(column, 0, 4), pa.int64())
    else:
        years = pc.year(column) if period.kind == "date" else column
    found = pc.fill_null(years, 0).to_numpy()
    return np.where((found >= YEARS[0]) & (found <= YEARS[1]), found, 0)


def _write(path: Path, table: pa.Table) -> None:
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    made = buffer.getvalue()
    # What is there is compared and not looked up in a note: whoever changed it, it is right again after this.
    if path.is_file() and path.stat().st_size == made.size and path.read_bytes() == made.to_pybytes():
        return
    with whole_file(path) as part:
        part.write_bytes(made)


def sources(home: Home) -> dict[str, list[Path]]:
    """The internal tables of records and intake that are on the disk, `schema.table` -> the Parquet files that together are it,
    in order."""
    found = {f"records.{d.name}": sorted(d.glob("*.parquet")) for d in home.records("_").parent.iterdir() if d.is_dir()}
    found |= {f"intake.{p.stem}": [p] for p in home.table("intake", "_").parent.glob("[!.]*.parquet")}
    return dict(sorted(found.items()))


def version(files: Iterable[Path]) -> str:
    """A digest of the rows of an internal table, from its Parquet files: the same rows have the same bytes."""
    h = hashlib.sha256()
    for path in files:
        h.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return h.hexdigest()
