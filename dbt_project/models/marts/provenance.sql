-- Which files stand behind which values, as a relation: one row per sheet with what its records belong to (year, district, kind,
-- level) and a JSON object `indicators`, whose names say in which indicators they count and how many of them. Of a dataset that
-- is open in rows the rows of the sheet are named, one row of this table for those that belong to the same and count in the
-- same. Of others neither sheet nor place is given, and nothing but what a total rests on: a district's files would reveal who is
-- in it. A name is
--     indicator[:factor_set][@when][/breakdown/member]
-- where factor_set is left out for `default` and `none`. Without `when` the records count in the value of the row's year, and
-- so in that of the years together; with it in the value of just that year, as those of a comparison do, which are of two.
-- Without a breakdown they count in the total, and in the value of the row's district, kind and level.
-- publish/sources.py has the query from a value to its files.
with full_changes as (
    select distinct indicator_id, change_of, factor_set, year, base_year
    from {{ ref('int_indicator_changes') }}
    where change_kind = 'full'
),

counted {{ as_inlined() }} (
    select
        case when compared then null else year end as year,
        indicator_id || case when factor_set in ('none', 'default') then '' else ':' || factor_set end
        || case when compared then '@' || year else '' end as who,
        {{ all_but('sources', ['year', 'indicator_id', 'adds_over_years', 'compared']) }}
    from {{ ref('int_indicator_sources') }} as sources
    where not closed or (breakdown in ('', 'total') and factor_set in ('none', 'default'))
    union all
    select
        cast(null as integer) as year,
        full_changes.indicator_id || case when sources.factor_set in ('none', 'default') then '' else ':' || sources.factor_set end
        || '@' || full_changes.year as who,
        {{ all_but('sources', ['year', 'indicator_id', 'adds_over_years', 'compared']) }}
    from {{ ref('int_indicator_sources') }} as sources
    inner join full_changes
        on full_changes.change_of = sources.indicator_id
        and full_changes.factor_set = sources.factor_set
        and sources.year in (full_changes.year, full_changes.base_year)
    where not sources.compared and (not sources.closed or (sources.breakdown in ('', 'total') and sources.factor_set in ('none', 'default')))
),

disclosed {{ as_inlined() }} (
    select
        year, dataset, file_no, records, sheet_rows, closed,
        case when not closed then sheet end as sheet,
        case when not closed and breakdown <> 'total' then district end as district,
        case when not closed and breakdown <> 'total' then org_type end as org_type,
        case when not closed and breakdown <> 'total' then admin_level end as level,
        who || case when breakdown in ('', 'total') then '' else '/' || breakdown || '/' || breakdown_member end as name
    from counted
),

names as (
    select dataset, name, row_number() over (partition by dataset order by name) as name_no
    from (select distinct dataset, name from disclosed where not closed)
),

-- what is not open: the numbers alone
of_closed as (
    select year, dataset, file_no, name, sum(records) as records
    from disclosed
    where closed
    group by all
),

closed_sheets as (
    select
        dataset, file_no, cast(null as string) as sheet, year,
        cast(null as string) as district, cast(null as string) as org_type, cast(null as string) as level,
        cast(null as bigint) as records, cast(null as string) as sheet_rows,
        {{ json_object('name', 'records') }} as indicators
    from of_closed
    group by dataset, file_no, year
),

-- what is open: the rows of a sheet that count in the same
of_rows as (
    select
        disclosed.dataset, disclosed.file_no, disclosed.sheet, disclosed.year, disclosed.district, disclosed.org_type, disclosed.level,
        {{ each_of('disclosed.sheet_rows') }} as sheet_row, names.name_no
    from disclosed
    inner join names on names.dataset = disclosed.dataset and names.name = disclosed.name
    where not disclosed.closed
),

sets as (
    select {{ all_but('', ['name_no']) }}, array_sort(array_distinct({{ collected('name_no') }})) as name_nos
    from of_rows
    group by all
),

together as (
    select row_number() over (partition by dataset, file_no order by sheet, year, district, org_type, level, name_nos) as n, * from (
        select {{ all_but('', ['sheet_row']) }}, {{ collected_in_order('sheet_row') }} as sheet_rows from sets group by all
    )
),

named as (
    select one.dataset, one.file_no, one.n, {{ json_object('names.name', 'one.records') }} as indicators
    from (
        select dataset, file_no, n, {{ length_of_list('sheet_rows') }} as records, {{ each_of('name_nos') }} as name_no from together
    ) as one
    inner join names on names.dataset = one.dataset and names.name_no = one.name_no
    group by one.dataset, one.file_no, one.n
),

open_sheets as (
    select
        {{ all_but('together', ['n', 'name_nos', 'sheet_rows']) }},
        cast({{ length_of_list('together.sheet_rows') }} as bigint) as records,
        {{ json_spans('together.sheet_rows') }} as sheet_rows,
        named.indicators
    from together
    inner join named on named.dataset = together.dataset and named.file_no = together.file_no and named.n = together.n
),

sheets as (
    {{ unioned(['closed_sheets', 'open_sheets'], ['dataset', 'file_no', 'sheet', 'year', 'district', 'org_type', 'level', 'records', 'sheet_rows', 'indicators']) }}
)

select
    sheets.dataset, files.file_id, sheets.sheet, sheets.year, sheets.district, sheets.org_type, sheets.level,
    sheets.records, sheets.sheet_rows, sheets.indicators
from sheets
inner join {{ ref('int_files') }} as files on files.file_no = sheets.file_no
order by all nulls first
