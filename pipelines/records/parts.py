"""The shares of each dataset in the account, kept between runs.

A dataset none of whose inputs changed is not judged again.

Belongs here: keeping and finding those shares (work/parts/<dataset>), each under the digest of all it was made from. Not here:
what goes into that digest (inputs.py), or joining the shares (account.py).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.suite import Outcome
from pipelines.core.home import Home, sync, whole_file
from pipelines.records import tables
from pipelines.records.judge import SuiteRun

_S, _I = pa.string(), pa.int64()
# The tables of a share. `sheets` are its tables of files: rows accepted, and the file that replaced the whole; `answered` are
# the rows with an issue that a newer file answered; `register` are the names and codes it adds to the register, in order;
# `rows` are its records as other datasets' references look at them, which has columns of its own.
SCHEMAS: dict[str, tables.Schema] = {
    "sheets": {"file_id": _S, "table": _I, "rows_accepted": _I, "superseded_by": _S},
    "answered": {"file_id": _S, "table": _I, "row": _I, "superseded_by": _S},
    "issues": {
        "file_id": _S, "table": _I, "sheet": _S, "row": _I, "column": _S, "cell": _S, "code": _S, "severity": _S,
        "raw_value": _S, "message_zh": _S, "message_en": _S, "responsibility": _S,
        "finding": _S,
    },
    "quarantine": tables.INTAKE["quarantine"],
    "superseded": tables.INTAKE["superseded"],
    "register": {"name": _S, "code": _S},
}  # fmt: skip
ACCOUNT = ("sheets", "answered", "issues", "quarantine", "superseded")
_NOTE = "part.json"
_PANDAS: dict[pa.DataType, Any] = {
    _S: pd.StringDtype(na_value=float("nan")),
    _I: pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


@dataclass(frozen=True)
class Part:
    """A dataset's share. `inputs_digest` is the digest of what it was made from, `version` that of its records, `records` how many,
    `superseded` how many a newer file replaced; `digests` are those of its tables, by name; `institutions` counts the names of
    the register that it is, None for any other dataset; `waiting` the rows, by year, that wait because the year is final."""

    inputs_digest: str
    version: str
    records: int
    superseded: int
    institutions: int | None
    suites: list[SuiteRun]
    digests: dict[str, str]
    waiting: dict[str, int] = field(default_factory=dict)


class Parts:
    """The shares of a home's datasets."""

    def __init__(self, home: Home):
        self._home = home
        self._root = home.work / "parts"

    def kept(self, dataset: str, inputs_digest: str) -> Part | None:
        """The share that was made from just this, with its records as they were left; else None."""
        try:
            noted = json.loads((self._root / dataset / _NOTE).read_text(encoding="utf-8"))
            suites = [
                SuiteRun(**s | {"kept": True, "outcomes": [Outcome(**o) for o in s["outcomes"]]})
                for s in noted.pop("suites")
            ]
            part = Part(**noted, suites=suites)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        records = sorted(self._home.records(dataset).glob("*.parquet"))
        whole = all(self._path(dataset, t).is_file() for t in part.digests)
        return (
            part if part.inputs_digest == inputs_digest and whole and tables.version(records) == part.version else None
        )

    def forget(self, dataset: str) -> None:
        """To be called before records are written: should the run die while they are, the share is not about them."""
        (self._root / dataset / _NOTE).unlink(missing_ok=True)

    def keep(self, dataset: str, part: Part, made: Mapping[str, tuple[pd.DataFrame, tables.Schema]]) -> Part:
        """Keeps a share with its tables; the records are written already. Returns it with the version and digests filled in."""
        folder = self._root / dataset
        folder.mkdir(parents=True, exist_ok=True)
        records = sorted(self._home.records(dataset).glob("*.parquet"))
        digests = {}
        for name, (frame, schema) in made.items():
            path = self._path(dataset, name)
            tables.write(path, frame, schema)
            digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        part = replace(part, version=tables.version(records), digests=digests)
        for path in [*records, *(self._path(dataset, t) for t in digests), self._home.records(dataset), folder]:
            sync(path)  # before the note that says so
        with whole_file(folder / _NOTE, durable=True) as note:
            note.write_text(json.dumps(asdict(part), ensure_ascii=False), encoding="utf-8")
        return part

    def table(self, dataset: str, name: str) -> pd.DataFrame:
        """A table of a share, in the dtypes of `Readings`."""
        found = pq.read_table(self._path(dataset, name)).to_pandas(types_mapper=_PANDAS.get, date_as_object=False)
        return found.astype({n: "datetime64[s]" for n, t in found.dtypes.items() if t.kind == "M"})

    def joined(self, name: str, datasets: Collection[str]) -> pd.DataFrame:
        """A table of the account over these datasets, in the order given."""
        schema = pa.schema(list(SCHEMAS[name].items()))
        parts = [pq.read_table(self._path(d, name)) for d in datasets]
        return pa.concat_tables([schema.empty_table(), *parts]).to_pandas(types_mapper=_PANDAS.get)

    def drop_others(self, datasets: Collection[str]) -> None:
        """Forgets the shares of all other datasets."""
        if self._root.is_dir():
            for folder in self._root.iterdir():
                if folder.name not in datasets:
                    shutil.rmtree(folder)

    def _path(self, dataset: str, table: str) -> Path:
        return self._root / dataset / f"{table}.parquet"
