"""The public table `provenance`: the marts' relation of sheets and indicators, without what would disclose a value.

Belongs here: leaving out what would tell of a hidden value, and keeping what stands behind a value that stands as last
published. Not here: how a value finds its sources (publish/sources.py), or which values are hidden (publish/disclosure).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from expectations.contract import Contracts
from pipelines.core.sql import identifier as _id
from pipelines.core.sql import literal as _text
from publish.release.warehouse import CASTS, MART, Warehouse
from publish.schema import ARROW, Table, is_open
from publish.sources import KEY, SOURCES, addressed, sources_of

NAMES_LONG = 30_000  # characters of names in one row, so that a cell of a workbook holds them
PARTS = ("district", "org_type", "level")


def provenance(
    w: Warehouse, contracts: Contracts, cells: pd.DataFrame, held: np.ndarray, last: Path | None
) -> pa.Table:
    """Which sheets stand behind which values, and for open datasets the letters of columns.

    Nothing is said of a suppressed value. One that stands as in the `last` release (its folder; `held` says which) has what it
    was made from there. Of a dataset that is not open in rows neither sheet nor rows are named.
    """
    w.require("marts", "letters")
    w.require("marts", "provenance")
    t = MART["provenance"]
    columns = _letters(w, t)
    values = cells[list(KEY)].astype({"year": "int64"}).assign(hidden=cells["status"] == "Q", frozen=held)
    frozen = _as_before(last, values[held & ~values["hidden"]])
    w.con.register("given_values", values)
    w.con.register("given_before", frozen)
    try:
        opened = f"dataset in ({', '.join(_text(c.dataset) for c in contracts.values() if is_open(c)) or 'null'})"
        for name, sql in _STEPS.items():
            w.con.execute(f"create or replace temp table {name} as {sql.replace('{opened}', opened)}")
        sources = {f: f for f in ("year", *PARTS, "dataset", "file", "sheet", "records", "sheet_rows", "indicators")}
        order = ", ".join(
            f"{c} nulls first" for c in ("dataset", "file", "sheet", "year", *PARTS, "sheet_rows", "piece")
        )
        sheets = w.arrow(f"select {_columns(t, sources | {'kind': _text('sheet')})} from told_sheets order by {order}")
    finally:
        for name in _STEPS:
            w.con.execute(f"drop table if exists temp.{name}")
        for name in ("given_values", "given_before"):
            w.con.unregister(name)
    return pa.concat_tables([columns.cast(t.arrow), sheets.cast(t.arrow)])


def _letters(w: Warehouse, t: Table) -> pa.Table:
    """Where each public column of an open dataset stands in each sheet."""
    sources = {"kind": "'column'", "file": "file_id"} | {c: _id(c) for c in ("dataset", "sheet", "column", "letter")}
    return w.arrow(f"select {_columns(t, sources)} from marts.letters order by all nulls first")


def _columns(table: Table, sources: Mapping[str, str]) -> str:
    """The columns of provenance, each from the SQL in `said`, else null."""
    return ", ".join(f"cast({sources.get(f.name, 'null')} as {CASTS[f.type]}) as {_id(f.name)}" for f in table.fields)


def _as_before(last: Path | None, values: pd.DataFrame) -> pa.Table:
    """What stands behind `values` in the release `last`: rows of the query, none where there is no release or no value."""
    shape = pa.schema([pa.field(f.name, ARROW[f.type]) for f in SOURCES.fields])
    rows: list[dict[str, Any]] = []
    if last is not None and not values.empty:
        path = (last / "mingzhang.db").absolute()
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as con:
            con.row_factory = sqlite3.Row
            have = [r["name"] for r in con.execute("pragma table_info(provenance)")]
            picked = ", ".join(f"value ->> {n}" for n in range(len(KEY)))
            where = f"({', '.join(KEY)}) in (select {picked} from json_each(:keys))"
            keys = json.dumps(values[list(KEY)].values.tolist(), ensure_ascii=False)
            rows = [dict(r) for r in con.execute(sources_of(where, have), {"keys": keys})]
    return pa.Table.from_pylist(rows, schema=shape)


# Each a temporary table, over those before it. `of_year` is the year of a row, 0 where its names say which.
_STEPS = {
    "asked_values": addressed("given_values"),
    "all_names": """
        select dataset, file_id as file, sheet, year, coalesce(year, 0) as of_year, district, org_type, level, sheet_rows,
            unnest(map_entries(from_json(indicators, '"map(varchar, bigint)"')), recursive := true)
        from marts.provenance""",
    # values that rows of just their year tell of, or may not: by name, year, and which column of the row says whether it belongs
    "by_year": """
        select distinct
            unnest([plain, direct]) as key, case span when 'base' then 0 else year end as of_year,
            unnest([part, null]) as part, unnest([belongs, null]) as belongs, hidden or frozen as gone
        from asked_values where span <> 'period'""",
    "shown": "select key, of_year, part, belongs from by_year group by all having not bool_or(gone)",
    "gone": "select key, of_year, part, belongs from by_year group by all having bool_or(gone)",
    "kept_names": """
        select n.* replace (
            case when d.key is not null then n.district end as district,
            case when t.key is not null then n.org_type end as org_type,
            case when l.key is not null then n.level end as level)
        from all_names n
        semi join (select key, of_year from shown where part is null) whole using (key, of_year)
        left join shown d on (d.key, d.of_year, d.part, d.belongs) = (n.key, n.of_year, 'district', n.district)
        left join shown t on (t.key, t.of_year, t.part, t.belongs) = (n.key, n.of_year, 'org_type', n.org_type)
        left join shown l on (l.key, l.of_year, l.part, l.belongs) = (n.key, n.of_year, 'level', n.level)""",
    # values that may be told and lack rows by that
    "broken_values": """
        select v.* from asked_values v semi join gone g on g.key in (v.plain, v.direct)
            and case v.span when 'base' then g.of_year = 0 else g.of_year between v.first_year and v.year end
            and (g.part is null or (g.part = v.part and g.belongs = v.belongs))
        where not v.hidden and not v.frozen""",
    "outright_names": """
        select n.dataset, n.file, n.sheet, n.sheet_rows, v.outright as key, n.value
        from broken_values v join all_names n on n.key in (v.plain, v.direct)
            and case v.span when 'base' then n.of_year = 0 else n.of_year between v.first_year and v.year end
            and (v.part is null or n.key = v.direct or v.belongs = case v.part when 'district' then n.district when 'org_type' then n.org_type else n.level end)
        union all
        select b.dataset, b.file, b.sheet, b.sheet_rows, v.outright, b.records
        from given_before b join asked_values v using (indicator_id, year, dimension, member, factor_set)""",
    "told_names": """
        with every as (
            select * exclude (of_year) from kept_names
            union all by name
            select * from outright_names),
        opened as (select *, coalesce({opened}, false) as is_open from every)
        select * exclude (is_open) replace (
            case when is_open then sheet end as sheet, case when is_open then sheet_rows end as sheet_rows,
            case when is_open then district end as district, case when is_open then org_type end as org_type,
            case when is_open then level end as level)
        from opened where is_open or not contains(key, '/')""",
    "told_sheets": f"""
        with counted as (
            select * exclude (value), coalesce(max(value) filter (where sheet_rows is not null), sum(value)) as value
            from told_names group by all),
        pieces as (
            select *, sum(length(key) + 24) over (
                partition by dataset, file, sheet, year, district, org_type, level, sheet_rows order by key) // {NAMES_LONG} as piece
            from counted)
        select * exclude (key, value), cast(any_value(value) filter (where sheet_rows is not null) as bigint) as records,
            cast(to_json(map_from_entries(list(struct_pack(k := key, v := cast(value as bigint)) order by key))) as varchar) as indicators
        from pieces group by all""",
}
