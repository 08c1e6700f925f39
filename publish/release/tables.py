"""From the warehouse to the rows of the public tables.

Belongs here: what is taken from the marts, the records and the account of intake, and what of it is harmless. Not here:
suppression (publish/disclosure), files (write.py). Everything is read-only and ordered, so that the same warehouse gives
the same rows in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from expectations.contract import Contract, Contracts
from publish.disclosure.relations import Indicator
from publish.errors import ReleaseError
from publish.release.schema import MARTS, OWN, Table, Type, is_open, open_table

CASTS: dict[Type, str] = {
    "text": "varchar",
    "integer": "bigint",
    "real": "double",
    "boolean": "boolean",
    "date": "date",
}
INTERNAL = ("contributors", "largest_share", "closed")
MART = {t.name: t for t in MARTS}
BY_NAME = {t.name: t for t in (*MARTS, *OWN)}


class Warehouse:
    """The warehouse, opened read-only. Use it in a `with` block. Raises ReleaseError where it cannot be opened."""

    def __init__(self, path: Path):
        if not path.is_file():
            raise ReleaseError(f"There is no warehouse at {path.name}; run the pipeline first, then publish.")
        try:
            self.con = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as e:
            first = str(e).splitlines()[0]
            raise ReleaseError(f"The warehouse cannot be opened ({first}); wait for the run that holds it.") from e
        self.con.execute("set preserve_insertion_order = true")
        found = self.con.sql(
            "select table_schema, table_name, column_name from information_schema.columns order by ordinal_position"
        ).fetchall()
        self.columns: dict[tuple[str, str], list[str]] = {}
        for schema, table, column in found:
            self.columns.setdefault((schema, table), []).append(column)

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.con.close()

    def has(self, schema: str, table: str) -> bool:
        return (schema, table) in self.columns

    def frame(self, sql: str) -> pd.DataFrame:
        return self.con.sql(sql).df()

    def arrow(self, sql: str) -> pa.Table:
        return self.con.sql(sql).to_arrow_table()

    def take(self, schema: str, source: str, table: Table) -> pa.Table:
        """The columns of `table` from `schema.source`, cast and ordered; no such table gives no row.

        Raises ReleaseError where a column that must be there is not.
        """
        if not self.has(schema, source):
            return empty(table)
        have = self.columns[schema, source]
        missing = [f.name for f in table.fields if f.name not in have and not f.optional]
        if missing:
            raise ReleaseError(
                f"{schema}.{source} lacks the column {', '.join(missing)}, which the public table {table.name} "
                "promises; add it to the model."
            )
        parts = [
            f"{value(_id(f.name), f.type)} as {_id(f.name)}"
            if f.name in have
            else f"cast(null as {CASTS[f.type]}) as {_id(f.name)}"
            for f in table.fields
        ]
        order = ", ".join(_id(c) for c in (table.order or table.key or table.columns))
        return as_table(self.arrow(f"select {', '.join(parts)} from {schema}.{_id(source)} order by {order}"), table)


def value(expression: str, kind: Type) -> str:
    """SQL that casts to a public type: no NaN, no empty text, no control character (which no spreadsheet can hold)."""
    cast = f"cast({expression} as {CASTS[kind]})"
    if kind == "text":
        return rf"nullif(regexp_replace({cast}, '[\x00-\x08\x0b\x0c\x0e-\x1f]', '', 'g'), '')"
    if kind == "real":
        return f"case when isfinite({cast}) then {cast} end"
    return cast


def empty(table: Table) -> pa.Table:
    return table.arrow.empty_table()


def as_table(found: pa.Table, table: Table) -> pa.Table:
    """`found` in the columns and types of `table`."""
    return found.select(list(table.columns)).cast(table.arrow).combine_chunks()


def from_rows(rows: Iterable[dict[str, Any]], table: Table) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=table.arrow)


def indicator_cells(w: Warehouse) -> pd.DataFrame:
    """marts.indicator_values with what disclosure needs: the public columns, contributors, largest_share, closed.

    One row per indicator, year, dimension, member and factor set, in that order. A warehouse without the mart gives an
    empty frame. Raises ReleaseError where a column is missing: without it nothing can be said to be safe.
    """
    public = MART["indicator_values"]
    kinds: dict[str, Type] = {"contributors": "integer", "largest_share": "real", "closed": "boolean"}
    if not w.has("marts", "indicator_values"):
        return empty(public).to_pandas().assign(contributors=None, largest_share=None, closed=None)
    have = w.columns["marts", "indicator_values"]
    missing = [c for c in (*(f.name for f in public.fields), *INTERNAL) if c not in have]
    if missing:
        raise ReleaseError(f"marts.indicator_values lacks {', '.join(missing)}; secrecy cannot be kept without it.")
    parts = [f"{value(_id(f.name), f.type)} as {_id(f.name)}" for f in public.fields]
    parts += [f"{value(c, k)} as {c}" for c, k in kinds.items()]
    order = ", ".join(public.key)
    frame = w.frame(f"select {', '.join(parts)} from marts.indicator_values order by {order}")
    for c in ("year", "records", "files", "contributors"):
        frame[c] = frame[c].astype("Int64")
    return frame


def indicator_values(cells: pd.DataFrame) -> pa.Table:
    """The public rows of suppressed cells."""
    t = MART["indicator_values"]
    return pa.Table.from_pandas(cells[list(t.columns)], schema=t.arrow, preserve_index=False)


def indicators_about(w: Warehouse) -> dict[str, Indicator]:
    """What each indicator is made of, from marts.indicators: numerator, denominator and change_of stay inside."""
    if not w.has("marts", "indicators"):
        return {}
    have = w.columns["marts", "indicators"]
    inside = [c if c in have else f"null as {c}" for c in ("numerator", "denominator", "change_of")]
    found = w.con.sql(f"select indicator_id, kind, {', '.join(inside)} from marts.indicators").fetchall()
    return {name: Indicator(kind, top, bottom, of) for name, kind, top, bottom, of in found}


def claims(w: Warehouse, cells: pd.DataFrame) -> pa.Table:
    """The statements. One that rests on a suppressed value shows no value, no difference and no explanation that names it."""
    t = MART["claims"]
    found = w.take("marts", "claims", t)
    key = ["indicator_id", "year", "dimension", "member", "factor_set"]
    hidden = {tuple(k) for k in cells.loc[cells["status"] == "S", key].itertuples(index=False)}
    rows = found.to_pylist()
    for r in rows:
        if tuple(r[k] for k in key) in hidden:
            zh = "依据的数值可能反映个别单位的情况，已隐去，因此不作比较。"
            en = "The value it rests on could tell about single institutions and is suppressed, so nothing is compared."
            r |= {"computed_value": None, "difference": None, "evidence": None, "check_status": "no_data"}
            r |= {"explanation_zh": zh, "explanation_en": en}
    return from_rows(rows, t)


def open_rows(w: Warehouse, contract: Contract) -> pa.Table:
    """The public rows of a dataset that is open in rows, with where each stood and whether its file is made-up."""
    t = open_table(contract)
    if not w.has("records", contract.dataset):
        return empty(t)
    have = w.columns["records", contract.dataset]
    missing = [f.name for f in t.fields if f.name not in have and f.name != "_synthetic"]
    if missing:
        raise ReleaseError(f"records.{contract.dataset} lacks {', '.join(missing)}, which its contract describes.")
    parts = [f"{value('r.' + _id(f.name), f.type)} as {_id(f.name)}" for f in t.fields if f.name != "_synthetic"]
    order = ", ".join(_id(c) for c in (*t.key, "_file", "_sheet", "_row"))
    sql = f"""
        select {", ".join(parts)}, coalesce(f.synthetic, false) as _synthetic
        from records.{_id(contract.dataset)} r left join intake.files f on f.file_id = r._file
        order by {order}"""
    return as_table(w.arrow(sql), t)


def datasets(w: Warehouse, contracts: Contracts) -> pa.Table:
    """One row per contract: what it is, who decided that it opens, and how much there is of it."""
    rows = []
    for c in contracts.values():
        count: dict[str, Any] = {"rows": 0, "files": 0, "synthetic": False, "first_period": None, "last_period": None}
        if w.has("records", c.dataset):
            period = c.period
            p = f"cast(r.{_id(period.name)} as varchar)" if period is not None else "cast(null as varchar)"
            found = w.con.sql(
                f"""select count(*), count(distinct r._file), coalesce(bool_or(f.synthetic), false), min({p}), max({p})
                from records.{_id(c.dataset)} r left join intake.files f on f.file_id = r._file"""
            ).fetchall()[0]
            count = dict(zip(("rows", "files", "synthetic", "first_period", "last_period"), found, strict=True))
        rows.append(
            {
                "dataset": c.dataset,
                "title_zh": c.title_zh,
                "title_en": c.title_en,
                "theme": c.theme or None,
                "grain": c.grain or None,
                "frequency": c.frequency or None,
                "opening": c.opening,
                "opening_attribute": c.opening_attribute or None,
                "opening_note": c.opening_note or None,
                "decided_by": c.decided_by or None,
                "decided_on": c.decided_on or None,
                "ground": c.ground or None,
                "description": c.description or None,
                "published": is_open(c),
                **count,
            }
        )
    return from_rows(rows, BY_NAME["datasets"])


def dataset_columns(contracts: Contracts) -> pa.Table:
    """The data dictionary: one row per column of every contract, published or not."""
    rows = [
        {
            "dataset": c.dataset,
            "position": n,
            "column": col.name,
            "header_zh": col.header_zh,
            "title_en": col.title_en,
            "type": col.kind,
            "unit": col.unit,
            "required": col.required,
            "key": col.name in c.key,
            "access": col.access,
            "published": is_open(c) and col.access == "L0",
            "allowed": "|".join(col.values) or None,
            "description": col.description or None,
            "aliases": "|".join(col.aliases) or None,
        }
        for c in contracts.values()
        for n, col in enumerate(c.columns, 1)
    ]
    return from_rows(rows, BY_NAME["dataset_columns"])


def submissions(w: Warehouse, contracts: Contracts, public_names: set[str]) -> pa.Table:
    """Counts by dataset, period and status. A submitter is named only where its name stands in an open table of this
    release anyway (`public_names`) and its dataset is open: who sends closed figures, or was refused, is nobody's matter."""
    t = BY_NAME["submissions"]
    if not (w.has("intake", "sheets") and w.has("intake", "files")):
        return empty(t)
    open_sets = [c.dataset for c in contracts.values() if is_open(c)]
    sheets = w.frame("""
        select s.dataset, s.period, s.submitter,
               case when f.superseded_by is not null then 'superseded' else s.status end as status,
               s.file_id, s.rows_read, s.rows_accepted, s.rows_quarantined, s.rows_explained,
               coalesce(f.synthetic, false) as synthetic
        from intake.sheets s join intake.files f on f.file_id = s.file_id
        where s.dataset is not null and s.status <> 'ignored'""")
    sheets = sheets[sheets["dataset"].isin(list(contracts))]
    named = sheets["dataset"].isin(open_sets) & sheets["submitter"].isin(public_names)
    sheets["submitter"] = sheets["submitter"].where(named, None)
    by = ["dataset", "period", "submitter", "status", "synthetic"]
    counts = sheets.groupby(by, dropna=False, as_index=False).agg(
        files=("file_id", "nunique"),
        rows_read=("rows_read", "sum"),
        rows_accepted=("rows_accepted", "sum"),
        rows_quarantined=("rows_quarantined", "sum"),
        rows_explained=("rows_explained", "sum"),
    )
    counts = counts.sort_values(by, na_position="first", kind="stable", key=_as_text)
    return _whole(counts, t)


def data_issues(w: Warehouse) -> pa.Table:
    """Counts by dataset, code, severity, responsibility and status; never a value, a name or a message."""
    t = BY_NAME["data_issues"]
    if not (w.has("intake", "issues") and w.has("intake", "files")):
        return empty(t)
    sql = """
        with one as (select file_id, sheet, min(dataset) as dataset from intake.sheets group by all having count(distinct dataset) = 1)
        select s.dataset, i.code, i.severity, i.responsibility, i.status,
               count(*) as issues, count(distinct i.file_id) as files, coalesce(f.synthetic, false) as synthetic
        from intake.issues i
        left join one s on s.file_id = i.file_id and s.sheet = coalesce(i.sheet, '')
        left join intake.files f on f.file_id = i.file_id
        group by all order by all"""
    return _whole(w.frame(sql), t)


def provenance(w: Warehouse, contracts: Contracts, cells: pd.DataFrame) -> pa.Table:
    """From a value to the files it came from: for open datasets with sheets and the letters of columns, else file hashes
    and counts. Nothing is said of a suppressed value: the number of its records would say how few stand behind it."""
    t = MART["provenance"]
    open_sets = {c.dataset for c in contracts.values() if is_open(c)}
    parts = []
    if w.has("marts", "provenance"):
        have = w.columns["marts", "provenance"]
        file = "file" if "file" in have else "file_id"
        found = w.frame(
            f"""select indicator_id, cast(year as bigint) as year, dimension, member, factor_set, dataset,
                {file} as file, sheet, cast(records as bigint) as records from marts.provenance"""
        )
        key = ["indicator_id", "year", "dimension", "member", "factor_set"]
        hidden = cells.loc[cells["status"] == "S", key].astype({"year": "int64"}).assign(hidden=True)
        found = found.merge(hidden, on=key, how="left")
        found = found[found["hidden"].isna()].drop(columns="hidden")
        found["sheet"] = found["sheet"].where(found["dataset"].isin(open_sets), None)
        by = [*key, "dataset", "file", "sheet"]
        counted = found.groupby(by, dropna=False, as_index=False).agg(records=("records", "sum"))
        parts.append(counted.assign(kind="value", column=None, letter=None))
    if w.has("intake", "columns"):
        letters = w.frame("""
            select distinct s.dataset, c.file_id as file, c.sheet, c."column", c.letter
            from intake.columns c join intake.sheets s on s.file_id = c.file_id and s.sheet = c.sheet
            where c."column" is not null""")
        published = {(c.dataset, col.name) for c in contracts.values() if is_open(c) for col in c.public}
        letters = letters[[p in published for p in zip(letters["dataset"], letters["column"], strict=True)]]
        parts.append(letters.assign(kind="column"))
    if not parts:
        return empty(t)
    rows = pd.concat([p.reindex(columns=list(t.columns)) for p in parts], ignore_index=True)
    order = ["kind", "indicator_id", "dimension", "member", "year", "factor_set", "dataset", "file", "sheet", "column"]
    order += ["letter"]
    return _whole(rows.sort_values(order, na_position="first", kind="stable"), t)


def inputs(w: Warehouse) -> list[dict[str, Any]]:
    """Every file that was looked at: its sha256 and what became of it, in order. Names stay inside."""
    if not w.has("intake", "files"):
        return []
    found = w.con.sql(
        "select file_id, status, coalesce(synthetic, false) from intake.files order by file_id, status"
    ).fetchall()
    return [{"sha256": i, "status": s, "synthetic": bool(y)} for i, s, y in found]


def secret_values(w: Warehouse, contracts: Contracts) -> dict[str, set[str]]:
    """`dataset.column` -> the distinct texts of every L2 column that is text, of this run's records.

    The gate looks for them in the finished files. An enumeration is no secret: its values stand in the contract.
    """
    out: dict[str, set[str]] = {}
    for c in contracts.values():
        if not w.has("records", c.dataset):
            continue
        have = w.columns["records", c.dataset]
        for col in c.columns:
            if col.access == "L2" and col.name in have and not col.values and col.kind == "string":
                found = w.con.sql(
                    f"select distinct {_id(col.name)} from records.{_id(c.dataset)} where {_id(col.name)} is not null"
                ).fetchall()
                out[f"{c.dataset}.{col.name}"] = {str(v) for (v,) in found}
    return out


def institution_names(tables: dict[str, pa.Table], contracts: Contracts) -> set[str]:
    """Names of institutions that stand in an open table of this release."""
    out: set[str] = set()
    for c in contracts.values():
        name = c.institution_name
        if c.dataset in tables and name is not None and name in c.public:
            out |= {v for v in tables[c.dataset][name.name].unique().to_pylist() if v}
    return out


def _as_text(column: pd.Series) -> pd.Series:
    return column.astype("str").where(column.notna(), None)


def _whole(frame: pd.DataFrame, table: Table) -> pa.Table:
    frame = frame.reindex(columns=list(table.columns))
    for f in table.fields:
        if f.type == "integer":
            frame[f.name] = frame[f.name].astype("Int64")
        elif f.type == "text":
            frame[f.name] = frame[f.name].astype("object").where(frame[f.name].notna(), None)
        elif f.type == "boolean":
            frame[f.name] = frame[f.name].astype("boolean")
    return pa.Table.from_pandas(frame, schema=table.arrow, preserve_index=False)


def _id(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
