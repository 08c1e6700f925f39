"""Builds the records of a city from every reading, and the account of what became of each row.

Belongs here: the order of things, newer for older, the tables that leave this stage. Not here: whether one row holds
(judge.py), names (institutions.py), words (words.py), or bytes (tables.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from expectations.contract import Contract, Contracts
from expectations.expression import SCOPE
from pipelines.core.home import Home
from pipelines.intake.readings import Readings
from pipelines.records import corrected, tables, words
from pipelines.records.beside import Beside, in_order, load_city_tables
from pipelines.records.divisions import Divisions, load_divisions
from pipelines.records.institutions import Register, load_aliases
from pipelines.records.judge import Judged, SuiteRun, judge
from pipelines.records.serials import sent, submitter
from pipelines.sources.decisions import Decision
from pipelines.sources.ledger import Receipt


@dataclass
class RecordsSummary:
    """What a build gave. `rows` has read, accepted, quarantined, explained and superseded (accepted when read, replaced by
    a newer file since); `files` counts by status, `issues` open ones by code, `records` rows by dataset."""

    files: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    superseded: dict[str, int] = field(default_factory=dict)  # rows that a newer file replaced, by dataset
    issues: dict[str, int] = field(default_factory=dict)
    suites: list[SuiteRun] = field(default_factory=list)
    institutions: int | None = None  # in the register; None where there is none
    synthetic: bool = False
    unused: list[str] = field(default_factory=list)  # a sentence for each decision of the bureau that changed nothing


def build(
    readings: Readings,
    contracts: Contracts,
    home: Home,
    city: Path | None = None,
    receipts: Mapping[str, Receipt] | None = None,
    decided: Sequence[Decision] = (),
    on: date | None = None,
) -> RecordsSummary:
    """Writes work/records and work/intake from all readings of this home.

    `city` is the city's folder (divisions, aliases), `receipts` the latest receipt of each file: they say which is newer.
    `decided` are the bureau's decisions about submissions, as they hold on the day `on`.
    A file without one is older than any with. Rows of one dataset that did not change since the last build keep the
    result of their suite. Raises CityError, SuiteError or ContractError; what was there before then stays.
    """
    readings, unused = corrected.apply(readings, contracts, decided, on or date.today())
    ages = _ages(readings.files, receipts or {})
    divisions, aliases = load_divisions(city), load_aliases(city)
    periods = _periods(readings.sheets)
    folder = home.work / "suites"
    register: Register | None = None
    beside = Beside(*load_city_tables(contracts, city), ages["rank"])
    came = set(readings.sheets["dataset"].dropna())
    pointed_at = {r.table for c in contracts.values() for r in c.references}
    done: dict[str, _Settled] = {}
    for contract in contracts.in_order:
        rows = readings.rows.get(contract.dataset)
        if rows is None or contract.dataset not in came:
            continue
        mine = periods.get(contract.dataset, pd.Series([], dtype="str"))
        beside.gone = _newer_submissions(contract.dataset, readings.sheets, ages, register)
        if contract.undated and contract.key:
            beside.gone |= _newer_lists(contract, rows, readings.sheets, ages, register)
        beside.sent = sent(contract, readings.sheets, readings.columns, ages, register)
        judged = judge(contract, rows, readings.issues, mine, register, divisions, folder, beside)
        settled = _settle(judged, beside.gone, ages)
        if contract.register and len(settled.records):
            register = _register(contract, settled, aliases, divisions, ages)
            # The register's own rows too are called by the name of the latest year.
            judged.rows[_name(contract)] = _renamed(judged, register)
        done[contract.dataset] = settled
        if contract.dataset in pointed_at:
            beside.tables[contract.dataset] = in_order(contract, judged.rows[settled.records], ages["rank"])
    summary = _write(readings, contracts, home, ages, done, register, divisions)
    summary.unused = [corrected.said(d) for d in unused]
    return summary


@dataclass
class _Settled:
    """A judged dataset with newer put for older. Arrays belong to the rows of `judged`: `replaced_by` is the file that
    replaces the row ('' for none), `answered_by` the newer file that has an accepted row of the same key, or the whole
    submission. `sheets` maps (file, table) to the file that replaces the submission."""

    judged: Judged
    records: np.ndarray
    replaced_by: np.ndarray
    answered_by: np.ndarray
    sheets: dict[tuple[str, int], str]


def _ages(files: pd.DataFrame, receipts: Mapping[str, Receipt]) -> pd.DataFrame:
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


def _periods(sheets: pd.DataFrame) -> dict[str, pd.Series]:
    """Dataset -> the stated period by file."""
    known = sheets[sheets["dataset"].notna() & sheets["period"].notna()]
    return {str(d): g.set_index("file_id")["period"] for d, g in known.groupby("dataset")}


def _settle(judged: Judged, by_sheet: dict[tuple[str, int], str], ages: pd.DataFrame) -> _Settled:
    """Puts newer for older: whole submissions first (`by_sheet`), then single rows by key.

    A table without any data row is no submission and replaces nothing. A row in quarantine replaces nothing; a row whose
    key comes accepted in a newer file is answered, be it accepted or in quarantine.
    """
    contract, rows = judged.contract, judged.rows
    ranks = ages["rank"].reindex(rows["_file"]).fillna(-1).to_numpy().astype("int64")
    ids = ages.index.to_numpy()
    whole = _of_tables(rows, by_sheet)
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
    return _Settled(judged, judged.accepted & (replaced == ""), replaced, answered, by_sheet)


def _newer_submissions(
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


def _newer_lists(
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
        said: dict[str, set[tuple[str, ...]]] = {}  # file -> the keys of all its tables
        for at in have:
            said.setdefault(at[0], set()).update(keys[at])
        newest_first = sorted(said, key=lambda f: -int(ages["rank"].get(f, -1)))
        for at in have:
            for f in newest_first[: newest_first.index(at[0])]:
                if 2 * len(keys[at] & said[f]) >= len(keys[at]):
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


def _name(contract: Contract) -> str:
    assert contract.institution_name is not None
    return contract.institution_name.name


def _register(
    contract: Contract, settled: _Settled, aliases: list[Any], divisions: Divisions, ages: pd.DataFrame
) -> Register:
    """The register from the accepted rows in force, older years and older files first."""
    rows = settled.judged.rows[settled.records]
    period, code = contract.period, contract.institution_code
    by = pd.DataFrame({"rank": ages["rank"].reindex(rows["_file"]).to_numpy(), "row": rows["_row"].to_numpy()})
    by["period"] = rows[period.name].astype(str).to_numpy() if period is not None else ""
    at = by.sort_values(["period", "rank", "row"], kind="stable").index
    names = rows[_name(contract)].iloc[at]
    codes = rows[code.name].iloc[at] if code is not None else pd.Series([None] * len(at))
    entries = [
        (str(n), str(c) if isinstance(c, str) else None)
        for n, c in zip(names, codes, strict=True)
        if isinstance(n, str)
    ]
    return Register(entries, aliases, divisions)


def _renamed(judged: Judged, register: Register) -> pd.Series:
    contract = judged.contract
    names = judged.rows[_name(contract)]
    code = contract.institution_code
    if code is None:
        return names
    at, codes = pd.factorize(judged.rows[code.name])
    now = np.array([*(register.name_of(str(c)) for c in codes), None], dtype=object)[at]
    now[~judged.accepted] = None
    return names.where(pd.isna(now), pd.Series(now, index=names.index, dtype="str"))


def _write(
    readings: Readings,
    contracts: Contracts,
    home: Home,
    ages: pd.DataFrame,
    done: dict[str, _Settled],
    register: Register | None,
    divisions: Divisions,
) -> RecordsSummary:
    summary = RecordsSummary(institutions=None if register is None else len(register.names))
    found: list[tuple[Any, ...]] = []
    for contract in contracts.values():
        schema = tables.record_schema(contract)
        settled = done.get(contract.dataset)
        path = home.table("records", contract.dataset)
        path.parent.mkdir(parents=True, exist_ok=True)
        if settled is None:
            empty = pd.DataFrame({n: pd.Series([], dtype="object") for n in schema})
            tables.write(path, empty, schema)
            summary.records[contract.dataset] = 0
            continue
        judged = settled.judged
        records = judged.rows[settled.records].sort_values(["_file", "_sheet", "_row", "_table"], kind="stable")
        tables.write(path, records, schema)
        summary.records[contract.dataset] = len(records)
        summary.suites += judged.suites
        found += words.of_failures(judged, readings.columns, register, divisions, contracts)
        found += words.of_doubts(contract, judged.rows[settled.records], readings.columns, ages["name"])
        if register is None:
            found += words.no_register(judged)
        elif contract.register:
            found += words.renamed(judged, readings.columns)
        else:
            found += words.two_institutions(judged, readings.columns, register)
    _drop_strangers(home, contracts)
    for name, frame in _intake(readings, ages, done, found).items():
        path = home.table("intake", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        tables.write(path, frame, tables.INTAKE[name])
        _count(summary, name, frame)
    counts = {d: int((s.replaced_by != "").sum()) for d, s in sorted(done.items())}
    summary.superseded = {d: n for d, n in counts.items() if n}
    summary.rows["superseded"] = sum(counts.values())
    return summary


def _drop_strangers(home: Home, contracts: Contracts) -> None:
    """Records of a dataset that no contract describes any more would be read by whoever lists the folder."""
    for path in home.table("records", "_").parent.glob("*.parquet"):
        if path.stem not in contracts:
            path.unlink()


def _count(summary: RecordsSummary, name: str, frame: pd.DataFrame) -> None:
    if name == "files":
        summary.files = {str(k): int(v) for k, v in frame["status"].value_counts().sort_index().items()}
        summary.synthetic = bool(frame["synthetic"].fillna(False).any())
    elif name == "sheets":
        for what in ("read", "accepted", "quarantined", "explained"):
            summary.rows[what] = int(frame[f"rows_{what}"].sum())
    elif name == "issues":
        open_ones = frame.loc[frame["status"] == "open", "code"]
        summary.issues = {str(k): int(v) for k, v in open_ones.value_counts().sort_index().items()}


def _intake(
    readings: Readings, ages: pd.DataFrame, done: dict[str, _Settled], found: list[tuple[Any, ...]]
) -> dict[str, pd.DataFrame]:
    """The tables of schema intake, each in an order of its own that does not depend on the order of reading."""
    sheets = _account(readings.sheets, done)
    files = _files(readings, ages, sheets)
    columns = readings.columns.merge(
        readings.sheets[["file_id", "table", "dataset"]], on=["file_id", "table"], how="left"
    )
    quarantine, superseded = _out_of_force(done)
    return {
        "files": files.sort_values("file_id"),
        "sheets": _by_sheet(sheets),
        "columns": columns.sort_values(["file_id", "table", "first_row", "letter"], kind="stable"),
        "issues": _issues(readings.issues, ages, done, files, found),
        "quarantine": quarantine,
        "superseded": superseded,
    }


def _account(sheets: pd.DataFrame, done: dict[str, _Settled]) -> pd.DataFrame:
    """Tables with their rows accounted for: read = accepted + quarantined + explained.

    A row that a newer file replaced counts as accepted, which it was when it was read; a refused row as quarantined.
    """
    out = sheets.copy()
    keys = [
        s.judged.rows.loc[s.judged.accepted, ["_file", "_table"]].set_axis(["file_id", "table"], axis=1)
        for s in done.values()
    ]
    taken = pd.concat(keys).value_counts().rename("rows_accepted") if keys else pd.Series(dtype="int64")
    at = pd.MultiIndex.from_frame(out[["file_id", "table"]])
    out["rows_accepted"] = taken.reindex(at).fillna(0).to_numpy().astype("int64") if len(taken) else 0
    data = (out["rows_read"] - out["rows_explained"]).astype("int64")
    out["rows_quarantined"] = data - out["rows_accepted"]
    replaced = {k: by for s in done.values() for k, by in s.sheets.items()}
    out["superseded_by"] = [replaced.get((f, int(t))) for f, t in zip(out["file_id"], out["table"], strict=True)]
    looked = out["status"].isin(["accepted", "partial"]) & (data > 0)
    status = out["status"].astype("object")
    status[looked & (out["rows_quarantined"] > 0)] = "partial"
    status[looked & (out["rows_accepted"] == 0)] = "rejected"
    out.loc[looked & (out["rows_accepted"] == 0) & out["reason"].isna(), "reason"] = "no_row_accepted"
    status[out["superseded_by"].notna()] = "superseded"
    out["status"] = status
    return out


def _by_sheet(sheets: pd.DataFrame) -> pd.DataFrame:
    """One line for each sheet and dataset in it; several tables of one dataset are added up."""
    keys, counts = ["file_id", "sheet", "dataset"], ["rows_read", "rows_accepted", "rows_quarantined", "rows_explained"]
    several = sheets.duplicated(keys, keep=False)
    alone = sheets[~several]
    if several.any():
        grouped = (
            sheets[several].sort_values(["file_id", "table"], kind="stable").groupby(keys, dropna=False, sort=True)
        )
        told: dict[str, Any] = {"submitter": _one, "period": _span, "status": _status, "reason": "first"}
        joined = grouped.agg({**told, **dict.fromkeys(counts, "sum")}).reset_index()
        alone = pd.concat([alone[list(joined.columns)], joined], ignore_index=True)
    return alone.sort_values(keys, kind="stable", na_position="last", ignore_index=True)


def _one(values: pd.Series) -> str | None:
    known = values.dropna().unique()
    return str(known[0]) if len(known) == 1 else None


def _span(values: pd.Series) -> str | None:
    """One period for several tables: theirs, or from the first year to the last."""
    known = sorted(set(values.dropna()))
    if len(known) < 2:
        return str(known[0]) if known else None
    first, last = known[0][:4], max(k.split("..")[-1][:4] for k in known)
    return first if first == last else f"{first}..{last}"


def _status(values: pd.Series) -> str:
    kinds = set(values) - ({"ignored"} if len(set(values)) > 1 else set())
    return str(kinds.pop()) if len(kinds) == 1 else "partial"


def _files(readings: Readings, ages: pd.DataFrame, sheets: pd.DataFrame) -> pd.DataFrame:
    out = readings.files.copy()
    out["source_url"] = ages["url"].reindex(out["file_id"]).to_numpy()
    out["received_at"] = ages["received_at"].reindex(out["file_id"]).to_numpy()
    looked = sheets[sheets["status"] != "ignored"]
    data = looked[(looked["rows_read"] - looked["rows_explained"]).astype("int64") > 0]
    rank = ages["rank"]
    data = data.assign(by=rank.reindex(data["superseded_by"]).to_numpy())
    # A file is superseded when each of its tables is, and then by the newest of those that did it.
    told = data.groupby("file_id").agg(
        accepted=("rows_accepted", "sum"),
        lost=("rows_quarantined", "sum"),
        tables=("table", "size"),
        old=("by", "count"),
        by=("by", "max"),
    )
    told = told.reindex(out["file_id"])
    accepted, lost = told["accepted"].to_numpy(), told["lost"].to_numpy()
    whole = (told["tables"].notna() & (told["tables"] == told["old"])).to_numpy()
    status, reason = out["status"].astype("object"), out["reason"].astype("object")
    read = (status != "rejected").to_numpy()
    status[read & (lost > 0)] = "partial"
    nothing = read & (accepted == 0)
    status[nothing] = "rejected"
    reason[nothing & reason.isna().to_numpy()] = "no_row_accepted"
    status[read & whole] = "superseded"
    out["status"], out["reason"] = status, reason
    by = np.full(len(out), None, dtype=object)
    by[read & whole] = ages.index.to_numpy()[told["by"].to_numpy()[read & whole].astype("int64")]
    out["superseded_by"] = by
    return _answered_at_source(out, ages)


def _answered_at_source(files: pd.DataFrame, ages: pd.DataFrame) -> pd.DataFrame:
    """A file of which nothing was taken names no submission; it is superseded when its address holds a newer file."""
    known = files[files["source_url"].notna()]
    rank = ages["rank"].reindex(known["file_id"]).to_numpy()
    # The members of an archive share its address.
    newest = pd.Series(rank, index=known.index).groupby([known["source_url"], known["name"]]).transform("max")
    old = known.index[(newest.to_numpy() > rank) & (known["status"] == "rejected").to_numpy()]
    files.loc[old, "superseded_by"] = ages.index.to_numpy()[newest[old].to_numpy()]
    files.loc[old, "status"] = "superseded"
    return files


def _out_of_force(done: dict[str, _Settled]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows in quarantine, with their values of levels L0 and L1 alone; rows that a newer file replaced)."""
    held, old = [], []
    for dataset, s in sorted(done.items()):
        judged = s.judged
        place = {"file_id": "_file", "sheet": "_sheet", "row": "_row"}
        out = judged.rows.loc[s.replaced_by != "", list(place.values())].set_axis(list(place), axis=1)
        old.append(out.assign(dataset=dataset, superseded_by=s.replaced_by[s.replaced_by != ""]))
        at = np.flatnonzero(~judged.accepted)
        if not len(at):
            continue
        failed = judged.failures.loc[judged.failures["quarantines"], ["position", "code"]]
        why = pd.concat([failed, judged.unreadable]).drop_duplicates().sort_values(["position", "code"])
        codes = why.groupby("position")["code"].agg(",".join)
        shown = [c.name for c in judged.contract.kept if c.access in ("L0", "L1")]
        values = judged.read.loc[at, shown].astype("object")
        values = values.where(values.notna(), None)
        text = [
            json.dumps({k: _plain(v) for k, v in row.items() if v is not None}, ensure_ascii=False)
            for row in values.to_dict("records")
        ]
        out = judged.rows.loc[at, list(place.values())].set_axis(list(place), axis=1)
        out = out.assign(dataset=dataset, codes=codes.reindex(at).to_numpy(), values=text)
        held.append(out)
    order = ["file_id", "sheet", "row"]
    return tuple(  # type: ignore[return-value]
        pd.concat(parts).sort_values(order, kind="stable") if parts else pd.DataFrame(columns=list(tables.INTAKE[name]))
        for name, parts in (("quarantine", held), ("superseded", old))
    )


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return value.item() if isinstance(value, np.generic) else value


def _issues(
    reading: pd.DataFrame,
    ages: pd.DataFrame,
    done: dict[str, _Settled],
    files: pd.DataFrame,
    found: list[tuple[Any, ...]],
) -> pd.DataFrame:
    """All issues, of reading and of suites, open or closed by a newer file."""
    ours = pd.DataFrame(found, columns=words.FIELDS).astype({"table": "Int64", "row": "Int64"})
    out = pd.concat([reading[words.FIELDS], ours], ignore_index=True) if len(ours) else reading[words.FIELDS].copy()
    by_file = files.set_index("file_id")["superseded_by"].dropna().to_dict()
    by_table = {k: by for s in done.values() for k, by in s.sheets.items()}
    by_row: dict[tuple[str, int, int], str] = {}
    for s in done.values():
        at = np.flatnonzero((s.answered_by != "") & s.judged.rows["_file"].isin(out["file_id"].unique()).to_numpy())
        place = s.judged.rows.loc[at, ["_file", "_table", "_row"]]
        by_row |= {
            (f, int(t), int(n)): by
            for (f, t, n), by in zip(place.itertuples(index=False), s.answered_by[at], strict=True)
        }

    def answer(f: str, t: Any, n: Any) -> str | None:
        if pd.isna(t):
            return by_file.get(f)
        row = None if pd.isna(n) else by_row.get((f, int(t), int(n)))
        return by_table.get((f, int(t))) or row or by_file.get(f)

    closed_by = [answer(f, t, n) for f, t, n in zip(out["file_id"], out["table"], out["row"], strict=True)]
    received = ages["received_at"]
    out["status"] = ["open" if by is None else "closed" for by in closed_by]
    out["opened_at"] = received.reindex(out["file_id"]).to_numpy()
    out["closed_at"] = received.reindex(pd.Index(closed_by, dtype="object")).to_numpy()
    order = ["file_id", "table", "row", "column", "code", "cell"]
    out = out.sort_values(order, kind="stable", na_position="first", ignore_index=True)
    seen = out.groupby(["file_id", "sheet", "row", "column", "cell", "code"], dropna=False).cumcount()
    out["issue_id"] = [
        hashlib.sha256("\0".join("" if pd.isna(p) else str(p) for p in place).encode()).hexdigest()[:16]
        for place in zip(
            out["file_id"], out["sheet"], out["row"], out["column"], out["cell"], out["code"], seen, strict=True
        )
    ]
    return out
