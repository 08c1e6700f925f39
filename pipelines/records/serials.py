"""Keys that only count the rows of a sheet, and what such rows are called instead.

A number that counts rows (序号, or 1, 2, 3, … under any header) names a row inside its own submission and nowhere else: the
first row of one office's list is not the first row of another's. Belongs here: telling such a column from an identifier, and
giving its rows a name of their own, so that no stage after this one can take two of them for one. Not here: which submission
replaces which (build.py), or what the headers of a counter are (pipelines/intake/layout/names.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from expectations.contract import Column, Contract
from expectations.expression import SCOPE
from pipelines.intake.layout.names import is_serial
from pipelines.records.institutions import Register, fold_name

SERIAL = "_serial"  # the number as the sheet has it, where it only counts rows; null elsewhere
WHO = "_who"  # who sent such a row, folded; null where nobody knows
_PLAIN = r"0*([1-9]\d{0,5})"


@dataclass
class Sent:
    """What is known of each table beside its rows, by (file, table): who sent it for which period, and by (file, table, column)
    the header over a column. `address` is where a file was found, `rank` says how new it is (higher is newer), by file."""

    who: Mapping[tuple[str, int], str | None] = field(default_factory=dict)
    period: Mapping[tuple[str, int], str | None] = field(default_factory=dict)
    headers: Mapping[tuple[str, int, str], str] = field(default_factory=dict)
    address: Mapping[str, str] = field(default_factory=dict)
    rank: pd.Series = field(default_factory=lambda: pd.Series(dtype="int64"))


def sent(
    contract: Contract, sheets: pd.DataFrame, columns: pd.DataFrame, ages: pd.DataFrame, register: Register | None
) -> Sent:
    """Of the tables of one dataset. `sheets` and `columns` are frames of `Readings`, `ages` is by file."""
    mine = sheets[sheets["dataset"] == contract.dataset]
    at = [(f, int(t)) for f, t in zip(mine["file_id"], mine["table"], strict=True)]
    of_key = columns[columns["column"].isin(contract.key) & columns["file_id"].isin(mine["file_id"].unique())]
    headers = {
        (f, int(t), c): str(h)
        for f, t, c, h in of_key[["file_id", "table", "column", "header"]].itertuples(index=False)
        if not pd.isna(t)
    }
    names = {s: submitter(s, register) for s in mine["submitter"].dropna().unique()}
    known = ages["url"].reindex(mine["file_id"].unique()).dropna()
    address = {str(f): f"{url}\n{ages['name'].get(f)}" for f, url in known.items()}
    return Sent(
        dict(zip(at, mine["submitter"].map(names, na_action="ignore"), strict=True)),
        dict(zip(at, mine["period"], strict=True)),
        headers,
        address,
        ages["rank"],
    )


def submitter(name: str, register: Register | None) -> str:
    """A submitter's name as it is compared: the register's, else folded."""
    return (register.resolve(name) if register else None) or fold_name(name)


def number(contract: Contract, rows: pd.DataFrame, sent: Sent, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The rows (in order of file, table and row, any index) with what names each of them once.

    Where a column of the key only counts rows, it gets the name `<submission>-<number>` (text) or stays (a whole number), and
    `SCOPE` holds the submission: submitter and period; where either is not known, the file at its address. The submission is
    called by the first characters of its oldest file's id, so that a corrected file keeps the names. A key with a year or
    month of its own, under a header that is no counter's, is numbered by submitter and year. References to such rows
    (`tables`: datasets judged before) lead to the row of the same submitter. SCOPE is '' in all other rows.
    """
    out = rows.assign(**{SCOPE: "", SERIAL: pd.Series([None] * len(rows), index=rows.index, dtype="object"), WHO: None})
    if rows.empty:
        return out
    _follow(contract, out, sent, tables)
    dated = next((contract.column(k) for k in contract.key if contract.column(k).kind in ("year", "month")), None)
    for column in _may_count(contract):
        found = list(_counters(contract, column, out, sent, dated is not None))
        if found:
            _name(column, out, found, sent, None if dated is None else dated.name)
            break  # one counter names the row
    return out


def _may_count(contract: Contract) -> list[Column]:
    """The columns of the key that a counter may be mapped to: numbers or text that nothing else gives a meaning."""
    return [
        c
        for c in map(contract.column, contract.key)
        if c.kind in ("string", "integer") and not (c.institution or c.values or c.codelist or c.check)
    ]


@dataclass(frozen=True)
class _Counter:
    """A table whose key only counts its rows: their positions, their numbers, and whether its header says so."""

    file: str
    table: int
    at: np.ndarray
    numbers: np.ndarray
    named: bool


def _counters(contract: Contract, column: Column, rows: pd.DataFrame, sent: Sent, dated: bool) -> Iterator[_Counter]:
    """The tables in which `column` only counts rows. By header: whole numbers under 序号 and its like. By values: 1, 2, 3, …
    in the order of the rows, each as often as it likes; not where the key names an institution, which scopes it already."""
    text = rows[column.name].astype("str").str.strip().str.extract(f"^{_PLAIN}$")[0]
    empty = rows[column.name].isna()
    at = pd.DataFrame({"file": rows["_file"].to_numpy(), "table": rows["_table"].to_numpy()})
    plain = (text.notna() | empty).to_numpy()
    candidates = (
        pd.Series(plain).groupby([at["file"], at["table"]]).transform("all").to_numpy() & text.notna().to_numpy()
    )
    by_value = not any(contract.column(k).institution for k in contract.key)
    for index in at[candidates].groupby(["file", "table"], sort=False).groups.values():
        places = index.to_numpy()
        file, table = str(at["file"].iloc[places[0]]), int(at["table"].iloc[places[0]])
        numbers = text.to_numpy()[places].astype("int64")
        named = is_serial(sent.headers.get((file, table, column.name), ""))
        if named or (by_value and _counts(numbers, rows["_row"].to_numpy()[places])):
            yield _Counter(file, table, places, numbers, named)


def _counts(numbers: np.ndarray, rows: np.ndarray) -> bool:
    """Whether numbers come as 1, 2, 3, …, or would if rows that were left out were there."""
    first = pd.unique(numbers)
    if (first == np.arange(1, len(first) + 1)).all():
        return True
    steps = numbers - rows
    return bool(numbers[0] == 1 and len(numbers) > 1 and (steps == steps[0]).all())


def _name(column: Column, rows: pd.DataFrame, found: list[_Counter], sent: Sent, dated: str | None) -> None:
    """Writes SCOPE, SERIAL and WHO of the rows found, and a name of its own into a column of text."""
    units: dict[tuple[Any, ...], list[tuple[str, np.ndarray]]] = {}  # a submission's part -> (file, rows) of it
    seen: dict[tuple[Any, ...], int] = {}
    key_of: dict[int, tuple[Any, ...]] = {}
    serial, who_of = (rows[n].to_numpy(dtype=object, copy=True) for n in (SERIAL, WHO))
    content = [c for c in rows.columns if not c.startswith("_")]
    for c in found:
        who, period = sent.who.get((c.file, c.table)), sent.period.get((c.file, c.table))
        who, period = (None if pd.isna(v) else v for v in (who, period))
        serial[c.at], who_of[c.at] = [str(n) for n in c.numbers], who
        if dated is not None and not c.named and who is not None:
            years = rows[dated].astype("str").str.slice(0, 4).to_numpy()[c.at]
            parts = [((who, year), c.at[years == year]) for year in pd.unique(years)]
        else:
            whole = (who, period) if who is not None and period is not None else (sent.address.get(c.file, c.file),)
            n = seen[c.file, whole] = seen.get((c.file, whole), -1) + 1  # its sheets are numbered each by itself
            sections = _sections(rows[content], c) if dated is None else np.zeros(len(c.at), dtype="int64")
            parts = [((*whole, n, int(s)), c.at[sections == s]) for s in np.unique(sections)]
        for unit, at in parts:
            units.setdefault(unit, []).append((c.file, at))
            key_of.update(dict.fromkeys(at.tolist(), unit))
    names = _names(units, sent)
    scope, values = (rows[n].to_numpy(dtype=object, copy=True) for n in (SCOPE, column.name))
    for n, unit in key_of.items():
        scope[n] = names[unit]
        if column.kind == "string":
            values[n] = f"{names[unit]}-{serial[n]}"
    rows[SCOPE], rows[SERIAL], rows[WHO] = scope, serial, who_of
    if column.kind == "string":
        rows[column.name] = pd.Series(values, index=rows.index, dtype=rows[column.name].dtype)


def _sections(rows: pd.DataFrame, c: _Counter) -> np.ndarray:
    """The part of its sheet that each row stands in, where the numbers begin again and the rows so numbered are others; a block
    that was pasted twice stays one, so that its rows are found to be the same."""
    mine = rows.iloc[c.at]
    again = pd.Series(c.numbers).duplicated().to_numpy()
    begins = np.concatenate([[False], np.diff(c.numbers) < 0])
    if not again.any() or not begins.any() or mine.duplicated().to_numpy()[again].all():
        return np.zeros(len(c.at), dtype="int64")
    return np.cumsum(begins)


def _names(units: Mapping[tuple[Any, ...], list[tuple[str, np.ndarray]]], sent: Sent) -> dict[tuple[Any, ...], str]:
    """What each part of a submission is called: by its oldest file, and its place among the parts first met there."""
    oldest = {u: min((sent.rank.get(f, -1), f) for f, _ in parts)[1] for u, parts in units.items()}
    count: dict[str, int] = {}
    out = {}
    first = {u: min(int(at.min()) for f, at in parts if f == oldest[u]) for u, parts in units.items()}
    for u in sorted(units, key=lambda u: first[u]):
        f = oldest[u]
        count[f] = count.get(f, 0) + 1
        out[u] = f[:8] if count[f] == 1 else f"{f[:8]}.{count[f]}"
    return out


def _follow(contract: Contract, rows: pd.DataFrame, sent: Sent, tables: Mapping[str, pd.DataFrame]) -> None:
    """Puts the name of the row in place of its number where a column refers to rows that are only counted: of the same
    submitter, or of the only one there is."""
    for r in contract.references:
        there = tables.get(r.table)
        if there is None or SERIAL not in there.columns or there[SERIAL].isna().all():
            continue
        counted = there[there[SERIAL].notna()]
        column = rows[r.column]
        plain = column.astype("str").str.strip().str.extract(f"^{_PLAIN}$")[0].where(~column.isin(there[r.target]))
        by_number = {(w, s): v for w, s, v in counted[[WHO, SERIAL, r.target]].itertuples(index=False, name=None)}
        alone = counted[WHO].unique()
        values = column.to_numpy(dtype=object, copy=True)
        files, which, numbers = rows["_file"].to_numpy(), rows["_table"].to_numpy(), plain.to_numpy()
        for n in np.flatnonzero(plain.notna().to_numpy()).tolist():
            who = alone[0] if len(alone) == 1 else sent.who.get((str(files[n]), int(which[n])))
            values[n] = by_number.get((who, numbers[n]), values[n])
        rows[r.column] = pd.Series(values, index=rows.index, dtype=column.dtype)
