"""The Parquet files of records and intake: their columns, types and bytes.

Belongs here: schemas and writing, so that the same rows give the same bytes. Not here: what the rows are (build.py).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.contract import Contract, Kind
from pipelines.home import whole_file

TYPES: dict[Kind, pa.DataType] = {
    "string": pa.string(),
    "enum": pa.string(),
    "month": pa.string(),
    "decimal": pa.float64(),
    "integer": pa.int64(),
    "year": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
PLACE = {"_file": pa.string(), "_sheet": pa.string(), "_row": pa.int64()}
_S, _I, _B, _T = pa.string(), pa.int64(), pa.bool_(), pa.timestamp("us")
INTAKE: dict[str, dict[str, pa.DataType]] = {
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
}  # fmt: skip


def record_schema(contract: Contract) -> dict[str, pa.DataType]:
    """Column -> type of records.<dataset>: the columns that may be kept, in the contract's order, then the place."""
    return {c.name: TYPES[c.kind] for c in contract.kept} | PLACE


def write(path: Path, frame: pd.DataFrame, schema: dict[str, pa.DataType]) -> None:
    """Writes the columns of `schema` as Parquet (zstd). Nothing in the file depends on the time or the machine."""
    arrays = []
    for name, kind in schema.items():
        column = frame[name]
        if pa.types.is_date32(kind):
            # By way of days: a slip such as the year 202 is outside what pandas keeps in nanoseconds.
            arrays.append(pa.array(column.to_numpy().astype("datetime64[D]"), type=kind))
        else:
            arrays.append(pa.Array.from_pandas(column, type=kind))
    table = pa.Table.from_arrays(
        [a.combine_chunks() if isinstance(a, pa.ChunkedArray) else a for a in arrays], names=list(schema)
    )
    with whole_file(path) as part:
        pq.write_table(table, part, compression="zstd")
