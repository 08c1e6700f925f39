"""Joins each row with the rows and limits that its rules refer to: other years, other datasets, the city's tables.

Belongs here: the same key's row of the period before, the row of another dataset or of a city's table that a reference
leads to, the city's limits, and whether a row is in force. Not here: the rules (the contracts), how they are computed
(expectations), or which submission is newer (build.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from expectations.contract import Column, Contract, Contracts
from expectations.expression import LIVE, SCOPE
from pipelines.core.city import read_limits, read_own
from pipelines.intake.readings import DTYPES
from pipelines.records.serials import Sent


@dataclass
class ReferencedRows:
    """`tables` by name: the records in force of each dataset judged so far, and the city's as `city.<name>`; `limits` are
    the city's; `rank` says how new a file is (higher is newer); `gone` are the (file, table) replaced whole; `sent` is what is
    known of the tables of the dataset in hand."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    rank: pd.Series = field(default_factory=lambda: pd.Series(dtype="int64"))
    replaced: Mapping[tuple[str, int], str] = field(default_factory=dict)
    sent: Sent = field(default_factory=Sent)


def load_city_tables(contracts: Contracts, city: Path | None) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """The tables of a city's folder that a contract refers to, and its limits (`limits.csv`: name, value).

    A city that lacks a file has no such rule. Raises CityError where a file is there and cannot be used.
    """
    if city is None:
        return {}, {}
    wanted = {r.table for c in contracts.values() for r in c.references if r.table.startswith("city.")}
    tables = {}
    for name in sorted(wanted):
        if rows := read_own(city, name.removeprefix("city.")):
            tables[name] = pd.DataFrame({c: _column([r[c] for r in rows]) for c in rows[0]})
    return tables, {r["name"]: r["value"] for r in read_limits(city)}


def _column(values: list[Any]) -> pd.Series:
    return pd.Series(values, dtype="str" if any(isinstance(v, str) for v in values) else "float64")


def join(contract: Contract, rows: pd.DataFrame, referenced: ReferencedRows) -> pd.DataFrame:
    """The rows (any index, one after another in order of file, table and row) with a column for each thing their rules
    name beside them, and `_live` where a rule counts rows. A thing that is not there is null, and such a rule passes."""
    extra: dict[str, pd.Series] = {}
    names = contract.referenced
    for r in contract.references:
        table = referenced.tables.get(r.table)
        if table is None or table.empty or r.target not in table.columns:
            continue
        column = rows[r.column]
        # A dataset's rows come older first: the latest speaks.
        last = table.dropna(subset=[r.target]).drop_duplicates(r.target, keep="last").set_index(r.target)
        if not r.table.startswith("city."):
            extra[f"{r.column}.known"] = column.isin(last.index).astype("float64").where(column.notna())
        for name in names:
            step, _, target = name.partition(".")
            if step == r.name and target in last.columns:
                extra[name] = last[target].reindex(column).set_axis(rows.index)
    for name in names:
        step, _, target = name.partition(".")
        if step == "city" and target in referenced.limits:
            extra[name] = pd.Series(referenced.limits[target], index=rows.index)
    before = [n for n in names if n.startswith("previous.")]
    if before or any(r.parsed.counts for r in contract.rules):
        live = _live(contract, rows, referenced)
        extra[LIVE] = pd.Series(live, index=rows.index)
        if before:
            extra |= _previous(contract, rows, live, before)
    return rows.assign(**extra) if extra else rows


def _live(contract: Contract, rows: pd.DataFrame, referenced: ReferencedRows) -> np.ndarray:
    """Rows that no newer file replaced, as far as can be known before they are judged; of one key in one file the first."""
    replaced = np.array(
        [(f, int(t)) in referenced.replaced for f, t in zip(rows["_file"], rows["_table"], strict=True)], dtype=bool
    )
    if not contract.key:
        return ~replaced
    key = [SCOPE, *contract.key]
    rank = referenced.rank.reindex(rows["_file"]).fillna(-1).to_numpy()
    at = rows[key].assign(rank=np.where(replaced, -2, rank), at=np.arange(len(rows))).reset_index(drop=True)
    best = at.sort_values(["rank", "at"], ascending=[False, True], kind="stable").drop_duplicates(key)["at"].to_numpy()
    live = np.zeros(len(rows), dtype=bool)
    live[best] = True
    return (live | rows[key].isna().any(axis=1).to_numpy()) & ~replaced


def _previous(contract: Contract, rows: pd.DataFrame, live: np.ndarray, names: list[str]) -> dict[str, pd.Series]:
    """The values of the same key in the nearest earlier period that has a row in force."""
    period = next(c for c in _period_of_key(contract))
    keys = [SCOPE, *contract.key]
    rest = [k for k in keys if k != period.name]
    wanted = list(dict.fromkeys(n.split(".")[1] for n in names))
    whole = rows[list(contract.key)].notna().all(axis=1).to_numpy()
    first = rows.loc[live & whole, list(dict.fromkeys([*keys, *wanted]))].sort_values(keys, kind="stable")
    first = first.sort_values([*rest, period.name], kind="stable")
    shifted = first.groupby(rest, sort=False)[wanted].shift(1).set_axis([f"previous.{w}" for w in wanted], axis=1)
    found = pd.concat([first[keys], shifted], axis=1)
    out = rows[keys].merge(found, on=keys, how="left").set_index(rows.index)
    return {n: out[n].where(whole) for n in names}


def _period_of_key(contract: Contract) -> list[Column]:
    return [c for c in map(contract.column, contract.key) if c.kind in ("year", "month")]


def in_order(contract: Contract, records: pd.DataFrame, rank: pd.Series) -> pd.DataFrame:
    """A dataset's records, older first: by period, then by the age of the file. For `Beside.tables`."""
    by = records[[]].assign(rank=rank.reindex(records["_file"]).fillna(-1).to_numpy(), row=records["_row"].to_numpy())
    period = contract.period
    by["period"] = (
        records[period.name].astype("str" if DTYPES[period.kind] == "str" else "float64")
        if (period is not None and period.kind != "date")
        else 0
    )
    return records.loc[by.sort_values(["period", "rank", "row"], kind="stable").index]
