"""The rows of the public tables, from the marts.

Belongs here: reading the marts, their sentences (of publish/wording.py), and what secrecy and the bureau's decisions make of finished
figures, of which dbt knows nothing: indicator_values after suppression, lines of savings and distances that rest on
them, provenance, corrections. All the others are copied. Not here: the statements (statements.py), anything computed from records
(dbt_project/models/marts), suppression (publish/disclosure), files (write.py). Nothing but schema marts is read. Everything is read-only and ordered, so that the same
warehouse gives the same rows in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.contract import Contract, Contracts
from pipelines.core.city import City
from pipelines.core.sql import identifier as _id
from pipelines.core.sql import literal as _text
from publish.disclosure.contributions import WHO
from publish.disclosure.hiding import OF_CLOSED
from publish.disclosure.relations import Indicator
from publish.disclosure.scan import Scanner
from publish.disclosure.wholes import Wholes, wholes_of
from publish.errors import ReleaseError
from publish.names import dimension_names, member_names
from publish.release.warehouse import BY_NAME, MART, Warehouse, from_rows, value
from publish.schema import Table, Type, open_table
from publish.wording import LANGUAGES, finding, notes, own_bodies

PARTS_AT_A_TIME = 50_000  # rows; a slice of one indicator is then read without the rest
INTERNAL = ("contributors", "largest_share", "closed", "note_codes")
COMPONENTS = (
    "numerator",
    "denominator",
    "multiplier",
    "change_of",
    "change_kind",
    "adds_over_years",
)  # of an indicator


def indicator_cells(w: Warehouse) -> pd.DataFrame:
    """marts.indicator_values with what disclosure needs: the public columns, `note` worded, and contributors, largest_share, closed,
    closed_value.

    One row per indicator, year, dimension, member and factor set, in that order. Raises ReleaseError where a column is missing:
    without it nothing can be said to be safe.
    """
    public = MART["indicator_values"]
    kinds: dict[str, Type] = {
        "contributors": "integer", "largest_share": "real", "closed": "boolean", "note_codes": "text",
    }  # fmt: skip
    w.require("marts", "indicator_values")
    have = w.columns["marts", "indicator_values"]
    missing = [c for c in (*(f.name for f in public.fields if not f.optional), *INTERNAL) if c not in have]
    if missing:
        raise ReleaseError(
            f"marts.indicator_values lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}, without which no value can be "
            "worded or checked for disclosure, so nothing is published; add it to dbt_project/models/marts/indicator_values.sql and "
            "marts.yml, then run again."
        )
    parts = [f"{value(_id(f.name) if f.name in have else 'null', f.type)} as {_id(f.name)}" for f in public.fields]
    parts += [f"{value(c, k)} as {c}" for c, k in kinds.items()]
    parts.append(f"{value(OF_CLOSED if OF_CLOSED in have else 'null', 'real')} as {OF_CLOSED}")
    order = ", ".join(public.key)
    frame = w.frame(f"select {', '.join(parts)} from marts.indicator_values order by {order}")
    for c in ("year", "records", "files", "reporting", "population", "contributors"):
        frame[c] = frame[c].astype("Int64")
    codes = frame.pop("note_codes")
    sentences = {c: " ".join(s for s in (notes(c, lang) for lang in LANGUAGES) if s) for c in codes.dropna().unique()}
    frame["note"] = codes.map(sentences).astype("object").where(codes.notna(), None)
    return frame


def indicator_values(cells: pd.DataFrame) -> pa.Table:
    """The public rows of suppressed cells."""
    t = MART["indicator_values"]
    return pa.Table.from_pandas(cells[list(t.columns)], schema=t.arrow, preserve_index=False)


def indicators_main(data: Mapping[str, pa.Table]) -> pa.Table:
    """The one series of each indicator that people ask for, with the names of indicator, dimension and member, from finished tables.

    Crosses of dimensions and other sets of factors are left to indicator_values.
    """
    t = BY_NAME["indicators_main"]
    values = data["indicator_values"].select(
        ["indicator_id", "year", "dimension", "member", "value", "unit", "status", "factor_set"]
    )
    frame = values.to_pandas().query("factor_set in ('default', 'none') and not dimension.str.contains('/')")
    about = data["indicators"].select(["indicator_id", "name_zh", "name_en", "theme"]).to_pandas()
    declared = {
        r["column"]: (r["header_zh"], r["title_en"] or r["header_zh"]) for r in data["dataset_columns"].to_pylist()
    }
    districts = {
        r["code"]: (r["own_zh"] or r["name_zh"], r["own_en"] or r["name_en"] or "")
        for r in data["divisions"].to_pylist()
    }
    frame = frame.merge(about, on="indicator_id", how="left", validate="many_to_one")
    for column, names in (
        ("dimension", {d: dimension_names(d, declared.get) for d in frame["dimension"].unique()}),
        ("member", {m: member_names(m, districts) for m in frame["member"].unique()}),
    ):
        frame[f"{column}_zh"] = frame[column].map({code: zh for code, (zh, _) in names.items()})
        frame[f"{column}_en"] = frame[column].map({code: en for code, (_, en) in names.items()})
    return _whole(frame.sort_values(list(t.key)), t)


def corrections(rows: list[dict[str, Any]]) -> pa.Table:
    """The figures that a decision of the bureau replaced or withdrew (publish/disclosure/corrections.py), in order."""
    t = BY_NAME["corrections"]
    ordered = sorted(rows, key=lambda r: [str(r[k]) for k in t.key])
    return from_rows([r | {"since": date.fromisoformat(r["since"])} for r in ordered], t)


def indicators_about(w: Warehouse) -> dict[str, Indicator]:
    """What each indicator is made of, from marts.indicators: numerator, denominator and change_of stay inside."""
    w.require("marts", "indicators", *COMPONENTS)
    found = w.con.sql("select indicator_id, kind, numerator, denominator, change_of, change_kind from marts.indicators")
    return {
        name: Indicator(kind, top, bottom, of if how == "full" else None, of if how not in (None, "full") else None)
        for name, kind, top, bottom, of, how in found.fetchall()
    }


def wholes(w: Warehouse) -> Wholes:
    """Which figures must add up to which."""
    w.require("marts", "indicators", *COMPONENTS)
    w.require("marts", "wholes")
    indicators = w.con.sql("from marts.indicators").to_arrow_table().to_pylist()
    return wholes_of(indicators, w.con.sql("select whole, part, relation from marts.wholes").fetchall())


def contributions(w: Warehouse, path: Path) -> Path:
    """What each institution contributes to each indicator that comes from closed rows (contributions.PARTS), and how much of it
    does, written to `path` as Parquet. It never leaves the home's work folder."""
    amounts = ("numerator", "denominator", "closed_numerator", "closed_denominator")
    w.require("marts", "contributions", *WHO, *amounts, "comparable_as")
    w.con.execute("""create or replace temp table orgs as
        select org, cast(row_number() over (order by org nulls last) as integer) as number
        from (select distinct org from marts.contributions)""")
    # Of millions of rows the words are few: as members of an enumeration, and institutions as numbers, they sort ten times as fast.
    coded, plain = {"year": "cast(year as integer)", "org": "number"}, {"year": "by_year as year", "org": "orgs.org"}
    texts = [c for c in WHO if c not in coded]
    found = w.con.sql(f"select distinct {', '.join(texts)} from marts.contributions").fetchall()
    for c, column in zip(texts, zip(*found, strict=True) if found else [()] * len(texts), strict=True):
        words = sorted({word for word in column if word is not None}) or [""]
        coded[c] = f"cast({c} as enum({', '.join(_text(word) for word in words)}))"
        plain[c] = f"cast(by_{c} as varchar) as {c}"
    # One row is one institution in one cell: dbt_project/tests/an_institution_is_one_row_of_a_cell.sql.
    rows = w.con.sql(f"""
        with coded as (
            select {", ".join(f"{coded[c]} as by_{c}" for c in WHO)}, orgs.org,
                {", ".join(f"cast({c} as double) as {c}" for c in amounts)}, comparable_as
            from marts.contributions as p join orgs on orgs.org is not distinct from p.org)
        select {", ".join(c if c == "org" else plain[c] for c in WHO)}, {", ".join(amounts)}, comparable_as
        from coded order by {", ".join(f"by_{c}" for c in WHO)}""")
    batches = rows.to_arrow_reader(PARTS_AT_A_TIME)
    with pq.ParquetWriter(path, batches.schema, compression="zstd") as out:
        for batch in batches:
            out.write_batch(batch)
    return path


def source_datasets(w: Warehouse) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The datasets that the values of each indicator rest on, and those of which each file has a sheet."""
    indicators: dict[str, set[str]] = {}
    files: dict[str, set[str]] = {}
    for out, sql in (
        (
            indicators,
            "select distinct regexp_extract(unnest(json_keys(indicators)), '[^:@/]+'), dataset from marts.provenance",
        ),
        (files, "select file_id, dataset from marts.input_datasets"),
    ):
        for name, dataset in w.con.sql(sql).fetchall():
            out.setdefault(name, set()).add(dataset)
    return indicators, files


def open_rows(w: Warehouse, contract: Contract) -> pa.Table:
    """The public rows of a dataset that is open in rows, with where each stood and whether its file is made-up."""
    t = open_table(contract)
    order = (*t.key, "_file", "_sheet", "_row")
    return w.take("marts", contract.dataset, replace(t, order=order))


def task_counts(w: Warehouse) -> pa.Table:
    """How many errors are being mended, by dataset, month and state. A dataset that nobody recognised is '' here, not null."""
    found = w.take("marts", "task_counts", MART["task_counts"], nulls="first")
    return found.set_column(0, found.schema.field("dataset"), found["dataset"].fill_null(""))


def not_reported(w: Warehouse, city: City) -> pa.Table:
    """The institutions that did not report, where the city decided that they are named; else none."""
    t = MART["not_reported"]
    found = w.take("marts", "not_reported", t)
    return found if city.name_missing else found.slice(0, 0)


def findings(w: Warehouse, contracts: Contracts) -> pa.Table:
    """What the figures of open datasets show, each in a sentence of either language."""
    t = MART["findings"]
    rows = w.take("marts", "findings", t, nulls="first").to_pylist()
    for r in rows:
        for lang in LANGUAGES:
            r[f"sentence_{lang}"] = finding(r, contracts[r["dataset"]], lang)
    return from_rows(rows, t)


def divisions(w: Warehouse) -> pa.Table:
    """The divisions. A city's own institutions have a name of their own where its folder gives none."""
    t = MART["divisions"]
    rows = w.take("marts", "divisions", t).to_pylist()
    for r in rows:
        if r["level"] == "city":
            r["own_zh"] = r["own_zh"] or own_bodies(r["name_zh"], "zh")
            r["own_en"] = r["own_en"] or own_bodies(r["name_en"] or r["name_zh"], "en")
    return from_rows(rows, t)


def savings_statement(w: Warehouse, cells: pd.DataFrame) -> pa.Table:
    """The lines of savings, each with the value and status of its cell as published."""
    t = MART["savings_statement"]
    return _whole(_with_cells(w, t, cells).sort_values(["line", "whole_period", "year"]), t)


def benchmark_distances(w: Warehouse, cells: pd.DataFrame) -> pa.Table:
    """The distances to targets and averages, each with the value and status of its cell as published. What was computed
    from a value that is not the published one (hidden, or standing as in the last release) is left empty: it would tell it."""
    t = MART["benchmark_distances"]
    lines = _with_cells(w, t, cells, "note_codes")
    same = np.isclose(lines["value"].astype(float), lines["computed"].astype(float), rtol=1e-9, atol=0)
    for name in ("difference", "percent", "reached"):
        lines[name] = lines[name].where(same)
    for lang in LANGUAGES:
        lines[f"note_{lang}"] = [
            notes(codes, lang)
            for codes in lines["note_codes"].astype("object").where(lines["note_codes"].notna(), None)
        ]
    return _whole(lines.sort_values(["benchmark_id", "year"]), t)


def _with_cells(w: Warehouse, t: Table, cells: pd.DataFrame, *texts: str) -> pd.DataFrame:
    """The rows of a mart that speaks of indicator values, with the published `value` and `status` of each, as `computed` the value
    that the mart has, and the columns `texts`, which are not public. Raises ReleaseError where the mart lacks a column."""
    w.require("marts", t.name)
    have = w.columns["marts", t.name]
    taken = [f for f in t.fields if f.name not in ("value", "status")]
    if missing := [c for c in (*(f.name for f in taken), *texts) if c not in have]:
        raise ReleaseError(f"marts.{t.name} lacks {', '.join(missing)}, which the public table promises.")
    parts = [f"{value(_id(f.name), f.type)} as {_id(f.name)}" for f in taken] + [_id(c) for c in texts]
    lines = w.frame(f"select {', '.join(parts)}, cast(value as double) as computed from marts.{t.name}")
    key = ["indicator_id", "year", "dimension", "member", "factor_set"]
    shown = cells[[*key, "value", "status"]].astype({"year": "int64"})
    return lines.merge(shown, on=key, how="left")


def inputs(w: Warehouse) -> list[dict[str, Any]]:
    """Every file that was looked at: its sha256 and what became of it, in order. Names stay inside."""
    w.require("marts", "inputs")
    found = w.con.sql("select file_id, status, synthetic from marts.inputs order by file_id, status").fetchall()
    return [{"sha256": i, "status": s, "synthetic": bool(y)} for i, s, y in found]


def secret_values(w: Warehouse, contracts: Contracts) -> dict[str, set[str]]:
    """`dataset.column` -> the distinct texts of every L2 column that is text, of this run's records.

    The gate looks for them in the finished files. An enumeration is no secret: its values stand in the contract.
    """
    w.require("marts", "secrets")
    out: dict[str, set[str]] = {
        f"{c.dataset}.{col.name}": set()
        for c in contracts.values()
        for col in c.columns
        if col.access == "L2" and not col.values and col.kind == "string"
    }
    for column, text in w.con.sql("""select dataset || '.' || "column", value from marts.secrets""").fetchall():
        out.setdefault(column, set()).add(text)
    return out


def open_values(w: Warehouse) -> dict[str, set[str]]:
    """`dataset.column` -> those texts of an open L0 column of this run's records that are an L2 value of another dataset.

    Who bought here may be a supplier there, whose name is published by contract: in that column it is no secret.
    """
    w.require("marts", "open_secrets")
    out: dict[str, set[str]] = {}
    for column, text in w.con.sql("""select dataset || '.' || "column", value from marts.open_secrets""").fetchall():
        out.setdefault(column, set()).add(text)
    return out


def scanner(w: Warehouse, contracts: Contracts, opened: dict[str, pa.Table]) -> Scanner:
    """What finds this run's secrets in a text; `opened` holds at least the tables of datasets that are open in rows."""
    words = "\n".join(c.path.read_text(encoding="utf-8") for c in contracts.values())
    secrets = secret_values(w, contracts)
    return Scanner(secrets, institution_names(opened, contracts), words, open_values(w))


def institution_names(tables: dict[str, pa.Table], contracts: Contracts) -> set[str]:
    """Names of institutions that stand in an open table of this release."""
    out: set[str] = set()
    for c in contracts.values():
        name = c.institution_name
        if c.dataset in tables and name is not None and name in c.public:
            out |= {v for v in tables[c.dataset][name.name].unique().to_pylist() if v}
    return out


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
