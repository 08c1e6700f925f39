"""Builds the records of a city from every reading, and the account of what became of each row.

Belongs here: the order of things, and one dataset's share of the account. Not here: whether one row holds (judge.py), which is
newer (settle.py), names (institutions.py), words (words.py), what is kept between runs (parts.py) or bytes (tables.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from expectations.contract import Contract, Contracts
from pipelines.core.home import Home
from pipelines.intake.readings import Readings
from pipelines.records import account, corrected, final_years, inputs, once, tables, words
from pipelines.records.divisions import load_divisions
from pipelines.records.institutions import Register, load_aliases
from pipelines.records.judge import Judged, SuiteRun, judge
from pipelines.records.parts import ACCOUNT, SCHEMAS, Part, Parts
from pipelines.records.referenced import ReferencedRows, in_order, load_city_tables
from pipelines.records.serials import SERIAL, WHO, sent
from pipelines.records.settle import Settled, ages_of, newer_lists, newer_submissions, settle
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
    waiting: dict[str, int] = field(
        default_factory=dict
    )  # rows that arrived after their year was declared final, by year


def build(
    readings: Readings,
    contracts: Contracts,
    home: Home,
    city: Path | None = None,
    receipts: Mapping[str, Receipt] | None = None,
    decided: Sequence[Decision] = (),
    on: date | None = None,
) -> RecordsSummary:
    """Makes work/records and work/intake what all readings of this home say, and returns what was found.

    `city` is the city's folder (divisions, aliases), `receipts` the latest receipt of each file: they say which is newer.
    `decided` are the bureau's decisions about submissions, as they hold on the day `on`.
    A file without one is older than any with. A dataset is judged again only where something that its records are made from
    has changed since (inputs.py), and then its rows of a year whose suite would find the same keep that suite's result; the
    result is that of judging all. Raises CityError, SuiteError or ContractError; what was there before then stays.
    """
    day = on or date.today()
    readings, unused = corrected.apply(readings, contracts, decided, day)
    ages = ages_of(readings.files, receipts or {})
    work = _Build(readings, contracts, home, city, ages, [d for d in decided if corrected.holds(d, day)])
    parts: dict[str, Part] = {}
    came = set(readings.sheets["dataset"].dropna())
    for contract in contracts.in_order:
        if contract.dataset in came and contract.dataset in readings.rows:
            parts[contract.dataset] = work.part(contract)
    _drop_others(home, contracts, parts)
    summary = _summary(contracts, parts)
    in_order = [d for d in contracts if d in parts]
    shares = {n: work.parts.joined(n, in_order) for n in ACCOUNT}
    for name, frame in account.tables_of(readings, ages, shares).items():
        tables.write(home.table("intake", name), frame, tables.INTAKE[name])
        _count(summary, name, frame)
    summary.unused = [corrected.described(d) for d in unused]
    for part in parts.values():
        for year, rows in part.waiting.items():
            summary.waiting[year] = summary.waiting.get(year, 0) + rows
    return summary


class _Build:
    """What the datasets of one build have in common, and the share of each."""

    def __init__(
        self,
        readings: Readings,
        contracts: Contracts,
        home: Home,
        city: Path | None,
        ages: pd.DataFrame,
        decided: Sequence[Decision],
    ):
        self.readings, self.contracts, self.home, self.ages, self.decided = readings, contracts, home, ages, decided
        self.parts = Parts(home)
        self.divisions, self.aliases = load_divisions(city), load_aliases(city)
        self.city_tables, self.limits = load_city_tables(contracts, city)
        self.periods = _periods(readings.sheets)
        self.final = final_years.final_years(decided)
        self._of_city = inputs.of_city(self.divisions, self.aliases)
        self._register: tuple[str, str] | None = None  # the dataset that is the register, and the digest of its entries
        self._rows: dict[str, str] = {}  # dataset -> the digest of its rows for other datasets' references

    @cached_property
    def register(self) -> Register | None:
        """The register, once its dataset is done; None where there is none."""
        if self._register is None:
            return None
        entries = self.parts.table(self._register[0], "register")
        codes = [c if isinstance(c, str) else None for c in entries["code"]]
        return Register(zip(entries["name"], codes, strict=True), self.aliases, self.divisions)

    def part(self, contract: Contract) -> Part:
        """The share of one dataset: the kept one where nothing that it was made from has changed, else a new one."""
        inputs_digest = inputs.digest(
            inputs.code(),
            inputs.of_contracts(contract, self.contracts),
            self._of_city,
            inputs.of_referenced(contract, self.city_tables, self.limits, self._rows),
            inputs.of_readings(contract, self.readings, self.ages, self.decided),
            self._register,
        )
        part = self.parts.kept(contract.dataset, inputs_digest) or self._made(contract, inputs_digest)
        if part.institutions is not None:
            self._register = (contract.dataset, part.digests["register"])
        if "rows" in part.digests:
            self._rows[contract.dataset] = part.digests["rows"]
        return part

    def _made(self, contract: Contract, inputs_digest: str) -> Part:
        waiting, how_many = self._waiting(contract)
        settled = self._settled(contract, waiting)
        register = None if contract.register else self.register
        entries = _entries(contract, settled, self.ages) if contract.register else None
        if entries is not None and len(entries):
            codes = [c if isinstance(c, str) else None for c in entries["code"]]
            register = Register(zip(entries["name"], codes, strict=True), self.aliases, self.divisions)
            # The register's own rows too are called by the name of the latest year.
            settled.judged.rows[_name(contract)] = _renamed(settled.judged, register)
        rows = settled.judged.rows
        records = rows if settled.records.all() else rows[settled.records]
        made = self._share(contract, settled, records, register, waiting)
        if entries is not None and register is not None:
            made["register"] = (entries, SCHEMAS["register"])
        asked = _referenced_columns(contract, self.contracts)
        if asked:
            schema = {n: tables.TYPES[contract.column(n).kind] for n in asked} | {SERIAL: tables.TEXT, WHO: tables.TEXT}
            made["rows"] = (in_order(contract, records, self.ages["rank"]), schema)
        self.parts.forget(contract.dataset)
        records = records.sort_values(["_file", "_sheet", "_row", "_table"], kind="stable")
        schema = tables.record_schema(contract)
        period = None if contract.undated else contract.period
        tables.write_years(self.home.records(contract.dataset), records, schema, period)
        part = Part(
            inputs_digest,
            version="",
            records=len(records),
            superseded=int((settled.replaced_by != "").sum()),
            institutions=len(register.names) if contract.register and register is not None else None,
            suites=settled.judged.suites,
            digests={},
            waiting=how_many,
        )
        return self.parts.keep(contract.dataset, part, made)

    def _settled(self, contract: Contract, waiting: pd.DataFrame) -> Settled:
        """The rows of one dataset, judged, with newer put for older. `waiting` are the issues of rows whose year is final."""
        rows, ages, issues = self.readings.rows[contract.dataset], self.ages, self.readings.issues
        sheets = final_years.submissions(self.readings.sheets, self.final)
        register = None if contract.register else self.register

        def replaced_among(sheets: pd.DataFrame) -> dict[tuple[str, int], str]:
            found = newer_submissions(contract.dataset, sheets, ages, register)
            if contract.undated and contract.key:
                found |= newer_lists(contract, rows, sheets, ages, register)
            return found

        replaced = replaced_among(sheets)
        at = sent(contract, self.readings.sheets, self.readings.columns, ages, register)
        there = {t: self.parts.table(t, "rows") for t in {r.table for r in contract.references} if t in self._rows}
        for table in there.values():
            for name in (SERIAL, WHO):
                table[name] = table[name].astype("object").where(table[name].notna(), None)
        referenced = ReferencedRows(self.city_tables | there, self.limits, ages["rank"], replaced, at)
        periods = self.periods.get(contract.dataset, pd.Series([], dtype="str"))
        folder = self.home.work / "suites"
        if len(waiting):
            issues = pd.concat([issues, waiting], ignore_index=True)
        judged = judge(contract, rows, issues, periods, register, self.divisions, folder, referenced)
        if not self.final:
            return settle(judged, replaced, ages)
        years = final_years.years_of_rows(contract, judged.rows, self.readings.sheets)
        then = [(years == f.year, replaced_among(sheets[~sheets["file_id"].isin(f.late)])) for f in self.final]
        return settle(judged, replaced, ages, then)

    def _waiting(self, contract: Contract) -> tuple[pd.DataFrame, dict[str, int]]:
        """An issue for each row that waits because its year is final, and how many there are by year."""
        if not self.final:
            return self.readings.issues.iloc[:0], {}
        rows = self.readings.rows[contract.dataset]
        years = final_years.years_of_rows(contract, rows, self.readings.sheets)
        return final_years.waiting(rows, years, self.final, self.readings.issues)

    def _share(
        self,
        contract: Contract,
        settled: Settled,
        records: pd.DataFrame,
        register: Register | None,
        waiting: pd.DataFrame,
    ) -> dict[str, tuple[pd.DataFrame, tables.Schema]]:
        """The tables of `ACCOUNT` for one dataset. `waiting` are the issues of rows whose year is final."""
        judged, columns = settled.judged, self.readings.columns
        found = words.of_failures(judged, columns, register, self.divisions, self.contracts)
        found += once.of_failures(judged, columns)
        found += words.of_doubts(contract, records, columns, self.ages["name"])
        if register is None:
            found += words.no_register(judged)
        elif contract.register:
            found += words.renamed(judged, columns)
        else:
            found += words.two_institutions(judged, columns, register)
        issues = pd.DataFrame(found, columns=words.FIELDS).astype({"table": "Int64", "row": "Int64"})
        if len(waiting):
            issues = pd.concat([issues, waiting[words.FIELDS]], ignore_index=True)
        made = {
            "sheets": _sheets(settled),
            "answered": _answered(settled, pd.concat([self.readings.issues[words.FIELDS], issues])),
            "issues": issues,
            "quarantine": _quarantine(judged),
            "superseded": _superseded(settled),
        }
        return {n: (frame, SCHEMAS[n]) for n, frame in made.items()}


def _referenced_columns(contract: Contract, contracts: Contracts) -> list[str]:
    """The columns of a dataset that other datasets' references look at."""
    out = set()
    for c in contracts.values():
        for r in c.references:
            if r.table == contract.dataset:
                out |= {r.target, *(n.split(".")[1] for n in c.referenced if n.split(".")[0] == r.name)}
    return sorted(out)


def _periods(sheets: pd.DataFrame) -> dict[str, pd.Series]:
    """Dataset -> the stated period by file."""
    known = sheets[sheets["dataset"].notna() & sheets["period"].notna()]
    return {str(d): g.set_index("file_id")["period"] for d, g in known.groupby("dataset")}


def _name(contract: Contract) -> str:
    assert contract.institution_name is not None
    return contract.institution_name.name


def _entries(contract: Contract, settled: Settled, ages: pd.DataFrame) -> pd.DataFrame:
    """The names and codes of the register's accepted rows in force, older years and older files first."""
    rows = settled.judged.rows[settled.records]
    period, code = contract.period, contract.institution_code
    by = pd.DataFrame({"rank": ages["rank"].reindex(rows["_file"]).to_numpy(), "row": rows["_row"].to_numpy()})
    by["period"] = rows[period.name].astype(str).to_numpy() if period is not None else ""
    at = by.sort_values(["period", "rank", "row"], kind="stable").index
    names = rows[_name(contract)].iloc[at]
    codes = (
        rows[code.name].iloc[at] if code is not None else pd.Series([None] * len(at), index=names.index, dtype="str")
    )
    return pd.DataFrame({"name": names, "code": codes})[names.notna()]


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


def _sheets(settled: Settled) -> pd.DataFrame:
    judged, keys = settled.judged, ["file_id", "table"]
    taken = judged.rows.loc[judged.accepted, ["_file", "_table"]].set_axis(keys, axis=1).value_counts(sort=False)
    accepted = taken.rename("rows_accepted").reset_index()
    replaced = pd.DataFrame([(f, t, by) for (f, t), by in settled.sheets.items()], columns=[*keys, "superseded_by"])
    return accepted.astype({"table": "int64"}).merge(replaced, on=keys, how="outer").sort_values(keys)


def _answered(settled: Settled, issues: pd.DataFrame) -> pd.DataFrame:
    """The rows with an issue that a newer file answered."""
    place = ["file_id", "table", "row"]
    at = np.flatnonzero(settled.answered_by != "")
    rows = settled.judged.rows.loc[at, ["_file", "_table", "_row"]].set_axis(place, axis=1)
    rows = rows.assign(superseded_by=settled.answered_by[at])
    return rows.merge(issues[place].dropna().drop_duplicates(), on=place).sort_values(place)


def _place(judged: Judged, at: np.ndarray) -> pd.DataFrame:
    rows = judged.rows.loc[at, ["_file", "_sheet", "_row"]]
    return rows.set_axis(["file_id", "sheet", "row"], axis=1).assign(dataset=judged.contract.dataset)


def _superseded(settled: Settled) -> pd.DataFrame:
    """The accepted rows that a newer file replaced."""
    at = np.flatnonzero(settled.replaced_by != "")
    return _place(settled.judged, at).assign(superseded_by=settled.replaced_by[at])


def _quarantine(judged: Judged) -> pd.DataFrame:
    """The rows in quarantine, with their values of levels L0 and L1 alone."""
    at = np.flatnonzero(~judged.accepted)
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
    return _place(judged, at).assign(codes=codes.reindex(at).to_numpy(), values=text)


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return value.item() if isinstance(value, np.generic) else value


def _summary(contracts: Contracts, parts: Mapping[str, Part]) -> RecordsSummary:
    """What the shares say in all, in the order of the contracts."""
    register = next((p for p in parts.values() if p.institutions is not None), None)
    out = RecordsSummary(institutions=None if register is None else register.institutions)
    for dataset in contracts:
        out.records[dataset] = parts[dataset].records if dataset in parts else 0
        out.suites += parts[dataset].suites if dataset in parts else []
    out.superseded = {d: p.superseded for d, p in sorted(parts.items()) if p.superseded}
    out.rows["superseded"] = sum(out.superseded.values())
    return out


def _drop_others(home: Home, contracts: Contracts, parts: Mapping[str, Part]) -> None:
    """Empties the records of datasets that did not come, and removes what no contract describes any more (and the files that the
    code before kept beside the folders): it would be read by whoever lists the folder."""
    Parts(home).drop_others(parts)
    for dataset, contract in contracts.items():
        if dataset not in parts:
            schema = tables.record_schema(contract)
            empty = pd.DataFrame({n: pd.Series([], dtype="object") for n in schema})
            tables.write_years(home.records(dataset), empty, schema, None)
    for path in home.records("_").parent.iterdir():
        if path.is_dir() and path.name not in contracts:
            shutil.rmtree(path)
        elif not path.is_dir():
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
