"""One dataset's rows, judged: which are accepted, which cells are lost, and every failure with its place and code.

Belongs here: names and codes put in the register's spelling, the suite run once per year (or its kept result), and the
policy over its failures. Not here: the suite itself (expectations/suite.py), words for the department (words.py), or which
submission is newer (build.py).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import expectations.suite as suites
from expectations import uscc
from expectations.contract import Contract
from expectations.expression import LIVE, SCOPE
from pipelines.core.home import whole_file
from pipelines.core.issue_codes import ISSUE_CODES
from pipelines.records.divisions import Divisions
from pipelines.records.institutions import Register
from pipelines.records.referenced import ReferencedRows, join
from pipelines.records.serials import number

# These put a row in quarantine whether or not its column must be filled in; other codes cost an optional column its cell.
ALWAYS = frozenset(name for name, code in ISSUE_CODES.items() if code.quarantines)
FAILURES = {**suites.FAILURES, "quarantines": "bool", "first": "Int64"}


@dataclass(frozen=True)
class SuiteRun:
    """One suite over one dataset and year; `year` 0 holds the rows that nothing dates. `kept`: the result is of an earlier
    run, whose rows, contract and register were the same."""

    dataset: str
    year: int
    rows: int
    kept: bool = field(compare=False)
    outcomes: list[suites.Outcome]


@dataclass
class Judged:
    """`rows` are a dataset's rows in order of file, table and row, as they become records; `read` the same as they were
    read. `accepted[i]` belongs to row i. `failures` has the columns of `FAILURES`: `position` is a row, `column` the one
    to blame (None for a key), `first` the row that a duplicate repeats. `unreadable` are (position, code) that reading put in
    quarantine."""

    contract: Contract
    rows: pd.DataFrame
    read: pd.DataFrame
    accepted: np.ndarray
    failures: pd.DataFrame
    unreadable: pd.DataFrame
    suites: list[SuiteRun] = field(default_factory=list)


def judge(
    contract: Contract,
    rows: pd.DataFrame,
    issues: pd.DataFrame,
    periods: pd.Series,
    register: Register | None,
    divisions: Divisions,
    folder: Path,
    referenced: ReferencedRows,
) -> Judged:
    """Judges all rows of one dataset.

    `rows` and `issues` are frames of `Readings`; `periods` is the period of each (file, table); `folder` keeps results of
    suites; `beside` holds what rules look at besides the row. Raises SuiteError or ContractError as `expectations.suite.check` does.

    Where a row is wrong in several ways: a row that reading or another rule put in quarantine is neither the first of
    its key nor called a duplicate; a rule over a row is not held against a row where a value it uses is itself wrong; a
    required cell that could not be read is not called empty besides.
    """
    read = _sorted(rows)
    spelt = number(contract, spell(contract, read, register, divisions), referenced.sent, referenced.tables)
    known: dict[str, Collection[str]] = {"divisions": divisions.codes}
    if register is not None:
        known["institutions"] = register.names
    runs = []
    found = []
    joined = join(contract, spelt, referenced)
    for year, at in _years(contract, spelt, periods):
        run, failures = _suite(contract, joined.iloc[at].reset_index(drop=True), year, known, folder)
        runs.append(run)
        if len(failures):
            found.append(failures.assign(position=at[failures["position"].to_numpy()]))
    failures = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(suites.FAILURES))
    failures = failures.astype(suites.FAILURES)
    unreadable, unread = _from_reading(spelt, issues)
    outside = unreadable["position"].unique()
    failures = _policy(contract, spelt, failures, outside, unread)
    accepted = np.ones(len(spelt), dtype=bool)
    accepted[outside] = False
    accepted[failures.loc[failures["quarantines"], "position"].to_numpy()] = False
    lost = failures[(failures["severity"] == "error") & ~failures["quarantines"] & failures["column"].notna()]
    for column, group in lost.groupby("column"):
        spelt.loc[group["position"].to_numpy(), column] = None
    return Judged(contract, spelt, read, accepted, failures, unreadable, runs)


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in order of file, table and row; no copy of them where they are so already, which they mostly are."""
    places = ["_file", "_table", "_row"]
    order = (
        rows[places].assign(_file=pd.factorize(rows["_file"], sort=True)[0]).sort_values(places, kind="stable").index
    )
    if (np.asarray(order) == np.arange(len(rows))).all() and isinstance(rows.index, pd.RangeIndex):
        return rows
    return rows.sort_values(places, kind="stable", ignore_index=True)


def spell(contract: Contract, rows: pd.DataFrame, register: Register | None, divisions: Divisions) -> pd.DataFrame:
    """A copy with codes folded, divisions as today's codes, and institutions by the register's names. What cannot be
    resolved stays as it is. In the register itself each code gets the name of its latest year."""
    out = rows.copy(deep=False)  # pandas writes to no column that it shares
    for c in contract.kept:
        if c.check == "uscc":
            out[c.name] = _mapped(out[c.name], register.full_code if register else uscc.fold)
        elif c.codelist == "divisions" and divisions.names:
            out[c.name] = _mapped(out[c.name], lambda text: divisions.code(text) or text)
    name, code = contract.institution_name, contract.institution_code
    if register is None or name is None:
        return out
    by_code = None if code is None else _mapped(out[code.name], register.name_of)
    if contract.register and by_code is not None:
        out[name.name] = by_code.where(by_code.notna(), out[name.name])
        return out
    out[name.name] = _mapped(out[name.name], lambda text: register.resolve(text) or text)
    if by_code is not None:
        out[name.name] = out[name.name].where(out[name.name].notna(), by_code)
    return out


def _mapped(column: pd.Series, function: Callable[[str], str | None]) -> pd.Series:
    """The function over each distinct text; null stays null."""
    at, texts = pd.factorize(column)
    values = np.array([*(function(str(t)) for t in texts), None], dtype=object)
    return pd.Series(values[at], index=column.index, dtype="str")


def _years(contract: Contract, rows: pd.DataFrame, periods: pd.Series) -> Iterator[tuple[int, np.ndarray]]:
    """(year, positions of its rows), so that a file is in one year whole: a key may be used twice across its years.

    A file's year is the latest among its rows, else that of its sheet's period, else 0.
    """
    if rows.empty:
        return
    files, names = pd.factorize(rows["_file"])
    latest = np.zeros(len(names), dtype="int64")
    column = contract.period
    if column is not None:
        values = rows[column.name]
        if column.kind == "month":
            years = pd.to_numeric(values.str.slice(0, 4), errors="coerce")
        elif column.kind == "date":
            years = values.dt.year
        else:
            years = values
        np.maximum.at(latest, files, years.astype("float64").fillna(0).to_numpy().astype("int64"))
    if len(periods):
        stated = pd.to_numeric(periods.str.slice(0, 4), errors="coerce").groupby(level=0).max()
        fallback = stated.reindex(names).fillna(0).to_numpy().astype("int64")
        latest = np.where(latest > 0, latest, fallback)
    of_row = latest[files]
    for year in np.unique(of_row):
        yield int(year), np.flatnonzero(of_row == year)


@lru_cache(maxsize=1)
def _code_digest() -> str:
    """Changes when a kept result might come out otherwise: our compiler, or Great Expectations, is another one."""
    h = hashlib.sha256(importlib.metadata.version("great_expectations").encode())
    for name in ("suite.py", "custom.py", "expression.py", "uscc.py"):
        h.update((Path(suites.__file__).parent / name).read_bytes())
    return h.hexdigest()


def _digest(contract: Contract, rows: pd.DataFrame, known: Mapping[str, Collection[str]]) -> str:
    h = hashlib.sha256(_code_digest().encode() + contract.digest.encode())
    for name in sorted(known):
        h.update(name.encode() + b"\0" + "\0".join(sorted(known[name])).encode() + b"\n")
    for name in [
        *(c.name for c in contract.kept),
        "_file",
        *(n for n in rows.columns if "." in n or n in (LIVE, SCOPE)),
    ]:
        h.update(name.encode() + pd.util.hash_pandas_object(rows[name], index=False).to_numpy().tobytes())
    return h.hexdigest()


def _suite(
    contract: Contract, rows: pd.DataFrame, year: int, known: Mapping[str, Collection[str]], folder: Path
) -> tuple[SuiteRun, pd.DataFrame]:
    """Runs a suite, or takes the kept result where nothing that went into it has changed."""
    path = folder / f"{contract.dataset}-{year}.parquet"
    digest = _digest(contract, rows, known)
    if path.exists():
        kept = pq.read_table(path)
        meta = kept.schema.metadata or {}
        if meta.get(b"digest") == digest.encode():
            outcomes = [suites.Outcome(**o) for o in json.loads(meta[b"outcomes"])]
            return SuiteRun(contract.dataset, year, len(rows), True, outcomes), kept.to_pandas().astype(suites.FAILURES)
    checked = suites.check(contract, rows, known)
    folder.mkdir(parents=True, exist_ok=True)
    meta = {"digest": digest, "outcomes": json.dumps([asdict(o) for o in checked.outcomes])}
    table = pa.Table.from_pandas(checked.failures, preserve_index=False).replace_schema_metadata(meta)
    with whole_file(path) as part:
        pq.write_table(table, part, compression="zstd")
    return SuiteRun(contract.dataset, year, len(rows), False, checked.outcomes), checked.failures


def _from_reading(rows: pd.DataFrame, issues: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(position, code) of rows that reading put in quarantine, and (position, column) of cells it could not read."""
    errors = issues[(issues["severity"] == "error") & issues["row"].notna() & issues["table"].notna()]
    errors = errors[["file_id", "table", "row", "column", "code", "quarantines"]]
    places = ["_file", "_table", "_row"]
    mine = rows.loc[rows["_file"].isin(errors["file_id"].unique()), places].reset_index(names="position")
    at = mine.merge(errors, left_on=places, right_on=["file_id", "table", "row"])
    held = at["quarantines"].fillna(False).astype(bool)
    dark = (at["code"] == "bad_type") & at["column"].notna()
    return at.loc[held, ["position", "code"]], at.loc[dark, ["position", "column"]]


def _policy(
    contract: Contract, rows: pd.DataFrame, failures: pd.DataFrame, outside: np.ndarray, unread: pd.DataFrame
) -> pd.DataFrame:
    """What each failure of the suite means, see `judge`."""
    rules = {r.name: r for r in contract.rules}
    keys = failures[failures["rule"] == "key"]
    out = failures[failures["rule"] != "key"].copy()
    keep = np.ones(len(out), dtype=bool)
    cells = out[out["column"].notna() & (out["severity"] == "error")]
    for c in contract.kept:
        dark = unread.loc[unread["column"] == c.name, "position"]
        if len(dark):
            missing = (out["code"] == "missing_required") & (out["column"] == c.name)
            keep &= ~(missing & out["position"].isin(dark)).to_numpy()
    for name, rule in rules.items():
        wrong = cells.loc[cells["column"].isin(rule.columns), "position"]
        of_rule = (out["rule"] == name) & out["column"].isna()
        keep &= ~(of_rule & out["position"].isin(wrong)).to_numpy()
        out.loc[of_rule, "column"] = rule.blamed
    must = [c.name for c in contract.kept if c.required]
    over_row = out["rule"].isin(list(rules))
    out["quarantines"] = (out["severity"] == "error") & (
        over_row | out["column"].isin(must) | out["code"].isin(list(ALWAYS))
    )
    out["first"] = pd.array([pd.NA] * len(out), dtype="Int64")
    out = _repeats(contract, rows, out[keep])
    bad = np.union1d(outside, out.loc[out["quarantines"], "position"].to_numpy())
    keys = keys[~keys["position"].isin(bad)]
    if len(keys):
        firsts = _firsts(rows, keys["position"].to_numpy(), ["_file", SCOPE, *contract.key])
        keys = keys.assign(quarantines=True, first=pd.array(firsts, dtype="Int64"))
        out = pd.concat([out, keys[keys["position"].to_numpy() != firsts]], ignore_index=True)
    return out.sort_values("position", kind="stable", ignore_index=True)[list(FAILURES)].astype(FAILURES)


def _firsts(rows: pd.DataFrame, at: np.ndarray, columns: list[str]) -> np.ndarray:
    """For each of the positions `at` the first of them whose row has the same values in these columns."""
    groups = rows.loc[at, columns].reset_index(drop=True)
    group = groups.groupby(columns, dropna=False, sort=False).ngroup()
    return np.asarray(pd.Series(at).groupby(group).transform("min"))


def _repeats(contract: Contract, rows: pd.DataFrame, failures: pd.DataFrame) -> pd.DataFrame:
    """The failures without the first row of each value that a column has again; the others name that row."""
    for p in suites.plan(contract):
        if not p.rule.endswith(suites.REPEATED):
            continue
        of_rule = failures["rule"] == p.rule
        at = failures.loc[of_rule, "position"].to_numpy()
        firsts = _firsts(rows, at, p.arguments["column_list"])
        failures.loc[of_rule, "first"] = pd.array(firsts, dtype="Int64")
        failures = failures[~of_rule | (failures["first"] != failures["position"]).fillna(True)].copy()
    return failures
