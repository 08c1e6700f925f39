"""The digest of all inputs of one dataset's records and of its share of the account.

Belongs here: everything that decides whether a row holds, what it becomes and what is told of it. Whatever build.py comes to look
at besides has to stand here too, or a dataset stays as it was: tests/records/test_again.py looks for what was forgotten. Not here:
what is the same for all datasets and computed anew in each run (account.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import pandas as pd

from expectations.contract import Contract, Contracts
from pipelines.core.fingerprint import STAGES, code_of
from pipelines.intake.readings import Readings
from pipelines.records.divisions import Divisions
from pipelines.records.institutions import Alias
from pipelines.sources.decisions import Decision

_LIBRARIES = ("great-expectations", "numpy", "pandas", "pyarrow")


def digest(*things: Any) -> str:
    """A digest of things by what they say of themselves: text, numbers, None, and lists, tuples and dictionaries of them."""
    return hashlib.sha256(repr(things).encode("utf-8", "surrogatepass")).hexdigest()


def code() -> str:
    """Changes with the files that a record runs through and the libraries that judge and write it."""
    return digest(code_of(*STAGES["records"]), [(n, version(n)) for n in _LIBRARIES])


def of_city(divisions: Divisions, aliases: Sequence[Alias]) -> str:
    """The digest of what a city says about places and names."""
    return digest(divisions.names, divisions.successor, divisions.root, [asdict(a) for a in aliases])


def of_referenced(
    contract: Contract, tables: Mapping[str, pd.DataFrame], limits: Mapping[str, float], shares: Mapping[str, str]
) -> str:
    """The digest of what the rules look at besides the dataset: the city's tables and limits, and other datasets' rows (`shares`
    are their digests)."""
    named = [r.table for r in contract.references]
    of_tables = {t: tables[t].to_dict("list") if t in tables else shares.get(t) for t in named}
    used = [n.removeprefix("city.") for n in contract.referenced if n.startswith("city.")]
    return digest(of_tables, {n: limits.get(n) for n in used})


def of_contracts(contract: Contract, contracts: Contracts) -> str:
    """The digest of the contract and of those that it refers to, whose names its issues say, and which ask for its rows."""
    referenced = [contracts[r.table].digest for r in contract.references if r.table in contracts]
    asking = [c.digest for c in contracts.values() if any(r.table == contract.dataset for r in c.references)]
    return digest(contract.digest, referenced, asking)


def of_readings(contract: Contract, readings: Readings, ages: pd.DataFrame, decided: Sequence[Decision]) -> str:
    """The digest of the files that have a table of this dataset: which, in what order they came, from where, what was read in
    them, and what the bureau decided about them (`decided`, as far as it holds)."""
    files = set(readings.sheets.loc[readings.sheets["dataset"] == contract.dataset, "file_id"])
    mine = ages[ages.index.isin(files)].sort_values("rank")
    decisions = [_about(d, files) for d in decided if _bears(d, contract.dataset, files)]
    came = list(zip(mine.index, mine["url"], mine["name"], strict=True))
    read = readings.read_by or _content(contract, readings, files)
    return digest(read, came, decisions)


def _bears(d: Decision, dataset: str, files: set[str]) -> bool:
    about = set(d.details.get("files") or d.details.get("late") or [d.details.get("file")])
    return d.details.get("dataset") in (None, dataset) and not about.isdisjoint(files)


def _about(d: Decision, files: set[str]) -> dict[str, Any]:
    """A decision as it bears on these files: of a final year's late files those alone."""
    written = asdict(d)
    if "late" in d.details:
        written["details"] = d.details | {"late": sorted(files.intersection(d.details["late"]))}
    return written


def _content(contract: Contract, readings: Readings, files: set[str]) -> str:
    """The digest of all that was read in these files, where no reader's key vouches for it."""
    frames = [f[f["file_id"].isin(files)] for f in (readings.sheets, readings.columns, readings.issues)]
    rows = readings.rows[contract.dataset]
    h = hashlib.sha256()
    for frame in [*frames, rows[rows["_file"].isin(files)]]:
        ordered = frame.sort_values(["file_id" if "file_id" in frame else "_file"], kind="stable")
        h.update(
            repr(list(ordered.columns)).encode() + pd.util.hash_pandas_object(ordered, index=False).to_numpy().tobytes()
        )
    return h.hexdigest()
