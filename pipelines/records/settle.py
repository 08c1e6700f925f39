"""Decides which submission is newer and what it replaces: whole submissions first, then single rows by key.

Belongs here: the age of files, later states of the same submission or list, and the rows in force. Not here: whether a row
holds (judge.py), or what is told of those replaced (part.py, account.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from expectations.contract import Contract
from expectations.expression import SCOPE
from pipelines.records.institutions import Register
from pipelines.records.judge import Judged
from pipelines.records.serials import submitter
from pipelines.sources.ledger import Receipt


@dataclass
class Settled:
    """A judged dataset with newer put for older. Arrays belong to the rows of `judged`: `replaced_by` is the file that
    replaces the row ('' for none), `answered_by` the newer file that has an accepted row of the same key, or the whole
    submission. `sheets` maps (file, table) to the file that replaces the submission."""

    judged: Judged
    records: np.ndarray
    replaced_by: np.ndarray
    answered_by: np.ndarray
    sheets: dict[tuple[str, int], str]


def ages_of(files: pd.DataFrame, receipts: Mapping[str, Receipt]) -> pd.DataFrame:
    """By file: rank (higher is newer), received_at, url, name."""
    rows = []
    for file_id, name in zip(files["file_id"], files["name"], strict=True):
        r = receipts.get(file_id)
        age = (-1, "", "", name, file_id) if r is None else (*r.age, file_id)
        rows.append((age, file_id, r.received_at if r else None, r.url if r else None, name))
    rows.sort(key=lambda r: r[0])
    received = np.array([None if r[2] is None else _moment(r[2]) for r in rows], dtype="datetime64[us]")
    return pd.DataFrame(
        {
            "rank": np.arange(len(rows)),
            "received_at": received,
            "url": pd.Series([r[3] for r in rows], dtype="str").to_numpy(),
            "name": pd.Series([r[4] for r in rows], dtype="str").to_numpy(),
        },
        index=pd.Index([r[1] for r in rows], dtype="str"),
    )


def _moment(text: str) -> datetime:
    """UTC without a zone, as DuckDB's timestamp has it."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at


def settle(
    judged: Judged,
    by_sheet: dict[tuple[str, int], str],
    ages: pd.DataFrame,
    final: Sequence[tuple[np.ndarray, dict[tuple[str, int], str]]] = (),
) -> Settled:
    """Puts newer for older: whole submissions first (`by_sheet`), then single rows by key.

    A table without any data row is no submission and replaces nothing. A row in quarantine replaces nothing; a row whose
    key comes accepted in a newer file is answered, be it accepted or in quarantine. `final` has, for each final year, which rows are
    about it and what had replaced which submission when it was declared final: that holds for those rows.
    """
    contract, rows = judged.contract, judged.rows
    ranks = ages["rank"].reindex(rows["_file"]).fillna(-1).to_numpy().astype("int64")
    ids = ages.index.to_numpy()
    whole = _of_tables(rows, by_sheet)
    for of_year, then in final:
        kept = of_year & (whole != "")
        whole[kept] = _of_tables(rows, then)[kept]
    if final:  # a list of which some rows stay in force is not replaced as a whole
        stays = rows.loc[whole == "", ["_file", "_table"]].drop_duplicates()
        tables = {(str(f), int(t)) for f, t in stays.itertuples(index=False)}
        by_sheet = {at: by for at, by in by_sheet.items() if at not in tables}
    in_force = judged.accepted & (whole == "")
    answered = whole.copy()
    replaced = np.full(len(rows), "", dtype=object)
    if contract.key and len(rows):
        keyed = rows[list(contract.key)].notna().all(axis=1).to_numpy()
        keys = [SCOPE, *contract.key]
        key = rows[keys].groupby(keys, dropna=False, sort=False).ngroup().to_numpy()
        newest = np.full(key.max() + 1, -1, dtype="int64")
        live = in_force & keyed
        np.maximum.at(newest, key[live], ranks[live])
        beaten = keyed & (whole == "") & (newest[key] > ranks)
        answered[beaten] = ids[newest[key[beaten]]]
        replaced[beaten & judged.accepted] = answered[beaten & judged.accepted]
    replaced = np.where(judged.accepted & (whole != ""), whole, replaced)
    return Settled(judged, judged.accepted & (replaced == ""), replaced, answered, by_sheet)


def newer_submissions(
    dataset: str, sheets: pd.DataFrame, ages: pd.DataFrame, register: Register | None
) -> dict[tuple[str, int], str]:
    """(file, table) -> the newest file with a submission of the same dataset, submitter and period."""
    mine = sheets[(sheets["dataset"] == dataset) & sheets["submitter"].notna() & sheets["period"].notna()]
    mine = mine[(mine["rows_read"] - mine["rows_explained"]).fillna(0) > 0]
    if mine.empty:
        return {}
    names = {s: submitter(s, register) for s in mine["submitter"].unique()}
    who = mine["submitter"].map(names)
    rank = ages["rank"].reindex(mine["file_id"]).fillna(-1).to_numpy().astype("int64")
    newest = pd.Series(rank, index=mine.index).groupby([who, mine["period"]]).transform("max").to_numpy()
    old = newest > rank
    ids = ages.index.to_numpy()
    return {
        (f, int(t)): str(ids[n]) for f, t, n in zip(mine["file_id"][old], mine["table"][old], newest[old], strict=True)
    }


def newer_lists(
    contract: Contract, rows: pd.DataFrame, sheets: pd.DataFrame, ages: pd.DataFrame, register: Register | None
) -> dict[tuple[str, int], str]:
    """(file, table) -> the newest file of the same submitter that is a later state of this list, where neither says a period.

    That it is one shows in the keys: at least half of the older list's come again. A part of a list, or another list, does not
    replace it, and neither does one whose rows are only counted (1, 2, 3, …).
    """
    mine = sheets[(sheets["dataset"] == contract.dataset) & sheets["submitter"].notna() & sheets["period"].isna()]
    if mine["file_id"].nunique() < 2:
        return {}
    key = list(contract.key)
    whole = rows[rows["_file"].isin(mine["file_id"]) & rows[key].notna().all(axis=1)]
    keys: dict[tuple[str, int], set[tuple[str, ...]]] = {}
    for found, part in whole.groupby(["_file", "_table"], sort=False):
        f, t = str(found[0]), int(str(found[1]))
        names = list(part[key].astype("str").itertuples(index=False, name=None))
        if len(key) > 1 or [n for (n,) in names] != [str(n) for n in range(1, len(names) + 1)]:
            keys[f, t] = set(names)
    names_of = {s: submitter(s, register) for s in mine["submitter"].unique()}
    out: dict[tuple[str, int], str] = {}
    for _, lists in mine.groupby(mine["submitter"].map(names_of), sort=False):
        have = [(f, int(t)) for f, t in zip(lists["file_id"], lists["table"], strict=True) if (f, int(t)) in keys]
        keys_of: dict[str, set[tuple[str, ...]]] = {}  # file -> the keys of all its tables
        for at in have:
            keys_of.setdefault(at[0], set()).update(keys[at])
        newest_first = sorted(keys_of, key=lambda f: -int(ages["rank"].get(f, -1)))
        for at in have:
            for f in newest_first[: newest_first.index(at[0])]:
                if 2 * len(keys[at] & keys_of[f]) >= len(keys[at]):
                    out[at] = f
                    break
    return out


def _of_tables(rows: pd.DataFrame, by_sheet: dict[tuple[str, int], str]) -> np.ndarray:
    out = np.full(len(rows), "", dtype=object)
    if not by_sheet:
        return out
    maybe = np.flatnonzero(rows["_file"].isin({f for f, _ in by_sheet}).to_numpy())
    files, which = rows["_file"].to_numpy()[maybe], rows["_table"].to_numpy()[maybe]
    out[maybe] = [by_sheet.get((f, int(t)), "") for f, t in zip(files, which, strict=True)]
    return out
