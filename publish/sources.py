"""The query from a value to its files, sheets and rows, over the public tables of a release.

Belongs here: how the names in provenance.indicators are formed and read, once for the release, the API, the pages, the gate
and docs/api.md. Not here: which of them may be told (publish/release/provenance.py).

A name is `indicator[:factor_set][@when][/breakdown/member]` (dbt_project/models/marts/provenance.sql). A value is found by its
name and by the row's year and, for districts, kinds and levels, by the row's own; where that would tell of a hidden value, or
would not give what the value was published with, rows name it outright: `@when` is then its year, or its period, and the
breakdown its dimension. Such names go before.
"""

from __future__ import annotations

from collections.abc import Collection

from publish.schema import MARTS, Field, Table

KEY = ("indicator_id", "year", "dimension", "member", "factor_set")
_VALUE = {t.name: t for t in MARTS}["indicator_values"]
_ROW = {t.name: t for t in MARTS}["provenance"]
# What the query gives.
SOURCES = Table(
    "sources",
    "数值的来源",
    "Files behind a value",
    (
        Field("kind", "text", "类别", "Kind", note="value: a file a value came from"),
        *(f for t, names in ((_VALUE, KEY), (_ROW, ("dataset", "file", "sheet", "records", "sheet_rows"))) for f in t.fields if f.name in names),
    ),
)  # fmt: skip

# Of each row of a relation of values: the name by which its sources go (`plain`), the one they have where a district, kind or
# level is a breakdown of their own (`direct`), and the one that says it outright; over which years; which of a row's own
# columns (`part`) says whether one that goes by `plain` belongs, and what that must be. SQL for SQLite and DuckDB alike.
_ADDRESSED = """
    select *,
        who || case when span = 'base' then '@' || year else '' end || case
            when dim in ('total', 'district', 'org_type', 'level') then ''
            when dim like 'level/%' then '/' || substr(dim, 7) || '/' || substr(mem, instr(mem, '/') + 1)
            else '/' || dim || '/' || mem end as plain,
        who || case when span = 'base' then '@' || year else '' end || '/' || dim || '/' || mem as direct,
        who || '@' || case when span = 'period' then substr(member, 1, instr(member || '/', '/') - 1) else cast(year as text) end
            || case when dim = 'total' then '' else '/' || dim || '/' || mem end as outright,
        case when span = 'period' then cast(substr(member, 1, 4) as integer) else year end as first_year,
        case when dim like 'level/%' then 'level' when dim in ('district', 'org_type', 'level') then dim end as part,
        case when dim like 'level/%' then substr(mem, 1, instr(mem, '/') - 1) when dim in ('district', 'org_type', 'level') then mem end as belongs
    from (
        select *,
            case when span = 'year' then dimension when dimension = span then 'total' else substr(dimension, instr(dimension, '/') + 1) end as dim,
            case when span = 'year' then member when dimension = span then 'all' else substr(member, instr(member, '/') + 1) end as mem,
            indicator_id || case when factor_set in ('none', 'default') then '' else ':' || factor_set end as who
        from (
            select {columns},
                case when dimension = 'period' or dimension like 'period/%' then 'period'
                     when dimension = 'base' or dimension like 'base/%' then 'base' else 'year' end as span
            from {values}) as spans) as parts"""

_SOURCES = """with chosen as (
    select {key} from indicator_values
    where coalesce(status, '') <> 'Q'
    and ({where})),
asked as materialized (
    select row_number() over () as nth, * from ({asked})),
ways as materialized (
    select nth, outright as name, 1 as exactly from asked
    union all select nth, plain, 0 from asked where plain <> outright
    union all select nth, direct, 0 from asked where direct not in (plain, outright)),
named as materialized (
    select p.dataset, p.file, p.sheet, p.year as of_year, p.district, p.org_type, p.level, p.sheet_rows, one.key as name, one.value as n
    from provenance p join json_each(p.indicators) one
    where p.kind = 'sheet' and one.key in (select name from ways)
        and (p.year is null or p.year between (select min(first_year) from asked) and (select max(year) from asked))
        and instr(p.indicators, (
            select case when min(indicator_id) = max(indicator_id) then '"' || min(indicator_id) else '' end from asked)) > 0),
found as materialized (
    select nth, exactly, dataset, file, sheet, sheet_rows, n from ways join named using (name) join asked using (nth)
    where exactly or (
        (span = 'base' or of_year between first_year and year)
        and (part is null or name = direct or belongs = case part when 'district' then district when 'org_type' then org_type else level end))),
best as materialized (
    select found.* from found join (select nth, max(exactly) as exactly from found group by nth) using (nth, exactly)),
spans as (
    select nth, dataset, file, sheet, one.value ->> 0 as first, one.value ->> 1 as last from best join json_each(best.sheet_rows) one),
steps as (
    select *, max(last) over (
        partition by nth, dataset, file, sheet order by first, last rows between unbounded preceding and 1 preceding) as reached
    from spans),
runs as (
    select *, sum(reached is null or first > reached + 1) over (
        partition by nth, dataset, file, sheet order by first, last rows unbounded preceding) as run
    from steps),
merged as (
    select nth, dataset, file, sheet, min(first) as first, max(last) as last from runs group by nth, dataset, file, sheet, run
    order by nth, dataset, file, sheet, first),
counted as (
    select nth, dataset, file, sheet, sum(last - first + 1) as records, json_group_array(json_array(first, last)) as sheet_rows
    from merged group by nth, dataset, file, sheet
    union all
    select nth, dataset, file, sheet, sum(n), null from best where sheet_rows is null group by nth, dataset, file, sheet)
select 'value' as kind, {key}, dataset, file, sheet, records, sheet_rows from counted join asked using (nth)
order by indicator_id, dimension, member, year, factor_set, dataset, file, sheet"""

# A release made before provenance was a relation has a row for each value and file.
_BEFORE = """select 'value' as kind, {key}, dataset, file, sheet, records, {rows} as sheet_rows from provenance
where kind = 'value' and {where} order by indicator_id, dimension, member, year, factor_set, dataset, file, sheet"""

# The rows that say of a suppressed value that records stand behind it, with its key.
_DISCLOSING = """with hidden as materialized (
    select row_number() over () as nth, * from ({asked})),
ways as materialized (
    select nth, outright as name, 1 as exactly from hidden
    union all select nth, plain, 0 from hidden where span <> 'period'
    union all select nth, direct, 0 from hidden where span <> 'period'),
named as materialized (
    select p.rowid as at, p.year as of_year, p.district, p.org_type, p.level, one.key as name
    from provenance p join json_each(p.indicators) one where p.kind = 'sheet' and one.key in (select name from ways))
select distinct at, {key} from ways join named using (name) join hidden using (nth)
where exactly or (
    (span = 'base' or of_year = year)
    and (part is null or name = direct or belongs = case part when 'district' then district when 'org_type' then org_type else level end))
order by 1"""


def addressed(values: str, columns: str = "*") -> str:
    """SQL (SQLite, DuckDB) for the relation `values`, which has KEY, with the names its sources go by."""
    return _ADDRESSED.format(values=values, columns=columns)


def sources_of(where: str, columns: Collection[str]) -> str:
    """SQL (SQLite) for the rows of SOURCES behind the values of a release for which `where` holds, in order.

    `where` is SQL of this package over the columns of KEY; `columns` are those of the release's provenance. A suppressed value has
    no row.
    """
    key = ", ".join(KEY)
    if "indicators" not in columns:
        return _BEFORE.format(key=key, where=where, rows="sheet_rows" if "sheet_rows" in columns else "null")
    return _SOURCES.format(asked=addressed("chosen", key), key=key, where=where)


def disclosing_rows() -> str:
    """SQL (SQLite) for `at`, the rowid of each row of provenance that tells of a suppressed value, with the value's KEY."""
    key = ", ".join(KEY)
    return _DISCLOSING.format(
        asked=addressed(f"(select {key} from indicator_values where status = 'Q') as suppressed", key), key=key
    )


def resting(columns: Collection[str]) -> str:
    """SQL (SQLite) for the ids of the indicators that rest on the dataset `:dataset`, in a release whose provenance has `columns`."""
    if "indicators" not in columns:
        return "select distinct indicator_id from provenance where dataset = :dataset and kind = 'value'"
    return """select distinct substr(key, 1, min(instr(key || ':', ':'), instr(key || '@', '@'), instr(key || '/', '/')) - 1)
        from (select distinct indicators from provenance where dataset = :dataset and kind = 'sheet') as sets, json_each(sets.indicators)"""
