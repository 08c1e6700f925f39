"""Cache of readings between runs: a file is read once per reader key.

Belongs here: writing and loading readings under work/readings, by file and reader key. Not here: which files are in
force, or what is made of readings. What was read under another key (key.py) is as good as not read.

A batch is a set of Parquet files `<key>.<batch>.<table>.parquet`, its name a number or a number and a digest, one for each table that has rows; its `files` comes last,
and without it the batch does not exist. Batches are only added; many small ones are joined into one from time to time.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise, repeat
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations.contract import Contracts
from pipelines.core.home import Home, whole_file
from pipelines.intake.key import key
from pipelines.intake.model import FileReading
from pipelines.intake.readings import (
    COLUMNS,
    FILES,
    ISSUES,
    SHEETS,
    DatasetRows,
    Readings,
    frame,
    row_dtypes,
    schema,
    tables,
)

MOST_BATCHES = 40
BESIDE = ".part-"  # of folders in which a batch is written that may be written twice at once
_LONG = 1000  # rows of a file that are better moved together than one by one
_TABLES = {"files": FILES, "sheets": SHEETS, "columns": COLUMNS, "issues": ISSUES}


def known(home: Home, contracts: Contracts) -> set[str]:
    """The file_ids that were read under the key in force."""
    out: set[str] = set()
    for batch in _batches(home, contracts):
        out.update(pq.read_table(_path(home, contracts, batch, "files"), columns=["file_id"])["file_id"].to_pylist())
    return out


def append(home: Home, contracts: Contracts, readings: Iterable[FileReading]) -> None:
    """Store readings; of a file kept before, the new one counts. Readings under other keys are thrown away."""
    made = sorted(readings, key=lambda r: r.file_id)  # as they are loaded
    if made:
        _store(home, contracts, tables(made, contracts))


def _store(home: Home, contracts: Contracts, found: Mapping[str, pa.Table]) -> None:
    """Store tables as a batch."""
    _write(home, contracts, f"{next_batch(home, contracts):08d}", found)
    join_many(home, contracts)


def next_batch(home: Home, contracts: Contracts) -> int:
    """The number of the batch behind the last one. Readings under other keys are thrown away."""
    home.readings.mkdir(parents=True, exist_ok=True)
    batches = list(_batches(home, contracts))
    if not batches:
        _remove(p for p in home.readings.glob("*.parquet") if not p.name.startswith(key(contracts)))
    return int(batches[-1].split("-")[0]) + 1 if batches else 1


def write_once(home: Home, contracts: Contracts, number: int, readings: Iterable[FileReading]) -> None:
    """Store readings as one batch, called by its number and the files in it: done twice, at once or on two machines, it leaves that one
    batch, and it never takes the place of another."""
    made = sorted(readings, key=lambda r: r.file_id)
    files = hashlib.sha256("".join(r.file_id for r in made).encode()).hexdigest()[:16]
    with tempfile.TemporaryDirectory(prefix=BESIDE, dir=home.readings) as folder:
        beside = Home(Path(folder))
        beside.readings.mkdir(parents=True)
        _write(beside, contracts, f"{number:08d}-{files}", tables(made, contracts))
        # As in _write, `files` comes last: without it the rest is no batch.
        for path in sorted(beside.readings.iterdir(), key=lambda p: p.name.endswith(".files.parquet")):
            path.replace(home.readings / path.name)


def clear_beside(home: Home) -> None:
    """Remove what processes left that were killed while they wrote a batch."""
    for folder in home.readings.glob(f"{BESIDE}*"):
        shutil.rmtree(folder, ignore_errors=True)


def join_many(home: Home, contracts: Contracts) -> None:
    """Make one batch of all, where there are many."""
    if len(list(_batches(home, contracts))) > MOST_BATCHES:
        _join(home, contracts)


def adopt(home: Home, contracts: Contracts, others: Iterable[Home]) -> None:
    """Store what other homes keep, as one batch; they stay as they are. What they read under another key is left."""
    found: dict[str, list[pa.Table]] = {}
    for other in others:
        for batch in _batches(other, contracts):
            for name in (*_TABLES, *(f"rows-{d}" for d in contracts)):
                path = _path(other, contracts, batch, name)
                if path.exists():
                    found.setdefault(name, []).append(pq.read_table(path))
    if found:
        by = {name: "_file" if name.startswith("rows-") else "file_id" for name in found}
        _store(home, contracts, {name: _by_file(parts, by[name]) for name, parts in found.items()})


def load(home: Home, contracts: Contracts, file_ids: Iterable[str]) -> Readings:
    """The readings of these files, joined; a file that was not read is not in it. Order: file_id, then as read. Rows are loaded
    when they are asked for, which has to be before anything is appended."""
    batches = list(_batches(home, contracts))
    of_batch = _latest(home, contracts, batches, pa.array(sorted(set(file_ids)), pa.string()))
    found = {n: _whole(home, contracts, batches, n, t, "file_id", of_batch) for n, t in _TABLES.items()}
    files, sheets, columns, issues = (frame(found[n], _TABLES[n]) for n in ("files", "sheets", "columns", "issues"))

    def rows(dataset: str) -> pd.DataFrame:
        return frame(_rows(home, contracts, batches, dataset, of_batch), row_dtypes(contracts[dataset]))

    return Readings(files, sheets, columns, issues, DatasetRows(contracts, rows), key(contracts))


def _rows(
    home: Home, contracts: Contracts, batches: list[str], dataset: str, files: dict[str, set[str]] | None
) -> pa.Table:
    return _whole(home, contracts, batches, f"rows-{dataset}", row_dtypes(contracts[dataset]), "_file", files)


def clear(home: Home) -> None:
    """Delete every reading."""
    _remove(home.readings.glob("*.parquet"))


def _batches(home: Home, contracts: Contracts) -> Iterator[str]:
    for p in sorted(home.readings.glob(f"{key(contracts)}.*.files.parquet")):
        yield p.name.split(".")[1]


def _path(home: Home, contracts: Contracts, batch: str, table: str) -> Path:
    return home.readings / f"{key(contracts)}.{batch}.{table}.parquet"


def _remove(paths: Iterable[Path]) -> None:
    # A batch's `files` goes first: without it the rest is no batch.
    for p in sorted(paths, key=lambda p: not p.name.endswith(".files.parquet")):
        p.unlink(missing_ok=True)


def _write(home: Home, contracts: Contracts, batch: str, found: Mapping[str, pa.Table]) -> None:
    for name in [*(n for n in found if n != "files"), "files"]:
        _write_table(home, contracts, batch, name, found[name])


def _write_table(home: Home, contracts: Contracts, batch: str, name: str, found: pa.Table) -> None:
    if len(found) or name == "files":
        with whole_file(_path(home, contracts, batch, name)) as part:
            pq.write_table(found, part, compression="zstd")


def _latest(home: Home, contracts: Contracts, batches: list[str], wanted: pa.Array) -> dict[str, set[str]] | None:
    """The files to take from each batch; None for all of them, where each is wanted and stored once."""
    ids = {b: pq.read_table(_path(home, contracts, b, "files"), columns=["file_id"])["file_id"] for b in batches}
    every = [i for column in ids.values() for i in column.to_pylist()]
    want = set(wanted.to_pylist())
    if len(every) == len(set(every)) and want.issuperset(every):
        return None
    last: dict[str, str] = {}
    for b, column in ids.items():
        last.update(dict.fromkeys(column.to_pylist(), b))
    out: dict[str, set[str]] = {b: set() for b in batches}
    for i, b in last.items():
        if i in want:
            out[b].add(i)
    return out


def _whole(
    home: Home,
    contracts: Contracts,
    batches: list[str],
    table: str,
    dtypes: dict[str, str],
    by: str,
    files: dict[str, set[str]] | None,
) -> pa.Table:
    wanted = schema(dtypes)
    parts = [wanted.empty_table()]
    for b in batches:
        path = _path(home, contracts, b, table)
        if not path.exists():
            continue
        part = pq.read_table(path).select(wanted.names).cast(wanted)
        if files is not None:
            part = part.filter(pc.is_in(part[by], pa.array(sorted(files[b]), pa.string())))
        parts.append(part)
    return _by_file(parts, by)


def _by_file(parts: list[pa.Table], by: str) -> pa.Table:
    """Tables as one, sorted by file: a file's rows stay in the order in which they were read, and batches do not matter."""
    runs: list[tuple[str, int, int, int]] = []  # file, part, its first row and the one behind its last
    for n, part in enumerate(parts):
        encoded = pc.run_end_encode(part[by].combine_chunks())
        ends = encoded.run_ends.to_pylist()
        runs += zip(encoded.values.to_pylist(), repeat(n), [0, *ends], ends, strict=False)
    whole = pa.concat_tables(parts)
    if all(a <= b for a, b in pairwise(runs)):
        return whole
    if len(runs) * _LONG < len(whole):
        return pa.concat_tables([parts[n].slice(a, b - a) for _, n, a, b in sorted(runs)])
    order = pc.sort_indices(
        pa.table({"by": whole[by], "n": pa.array(range(len(whole)))}), [("by", "ascending"), ("n", "ascending")]
    )
    return whole.take(order)


def _join(home: Home, contracts: Contracts) -> None:
    """Make one batch of all."""
    batches = list(_batches(home, contracts))
    files = _latest(home, contracts, batches, pa.array(sorted(known(home, contracts)), pa.string()))
    new = f"{next_batch(home, contracts):08d}"
    for dataset in contracts:  # a table at a time, and `files` last
        _write_table(home, contracts, new, f"rows-{dataset}", _rows(home, contracts, batches, dataset, files))
    for name, dtypes in reversed(_TABLES.items()):
        _write_table(home, contracts, new, name, _whole(home, contracts, batches, name, dtypes, "file_id", files))
    _remove(p for b in batches for p in home.readings.glob(f"{key(contracts)}.{b}.*.parquet"))
