-- One row per indicator, factor set, year, dimension and member: how many records stand behind the value, and in how many files.
-- A change rests on what the ratio of its year and that of the base year rest on, over the same institutions where it compares
-- the same. Files that stand behind the same values with as many records, as those of single institutions often do, are
-- counted together: `files` says how many there are of one.
with of_files as (
    select file_no, count(*) as n, sum(cast(one as {{ big_number() }})) as added, bit_xor({{ hash_of(['one', '1']) }}) as mixed
    from (
        select
            file_no,
            {{ hash_of([
                'indicator_id', 'compared', 'factor_set', 'year', 'district', 'org_type', 'admin_level', 'breakdown', 'breakdown_member',
                'dataset', 'closed', 'records', 'case when not closed then sheet end', 'sheet_rows',
            ]) }} as one
        from {{ ref('int_indicator_sources') }}
    )
    group by file_no
),

alike as (
    select min(file_no) as file_no, count(*) as files
    from of_files
    group by n, added, mixed
),

sources as (
    select sources.*
    from {{ ref('int_indicator_sources') }} as sources
    inner join alike on alike.file_no = sources.file_no
),

members as (
    {{ by_dimension_and_cross('sources') }}
),

years_and_period as (
    {{ with_period('members') }}
),

found as (
    select
        indicator_id, factor_set, year, compared, dimension, member, dataset, file_no, sheet, closed,
        sum(records) as records, {{ flattened('sheet_rows') }} as sheet_rows
    from years_and_period
    group by all
),

of_changes as (
    select
        changes.indicator_id, changes.factor_set, changes.year, changes.dimension, changes.member,
        found.dataset, found.file_no, found.sheet, found.closed, sum(found.records) as records,
        {{ flattened('found.sheet_rows') }} as sheet_rows
    from {{ ref('int_indicator_changes') }} as changes
    inner join found
        on found.indicator_id = changes.change_of
        and found.factor_set = changes.factor_set
        and found.year in (changes.year, changes.base_year)
        and found.dimension = changes.of_dimension
        and found.member = changes.of_member
    where changes.change_kind = 'full' and not found.compared
    group by all
),

together as (
    select indicator_id, factor_set, year, dimension, member, file_no, records, sheet_rows from found where not compared
    union all
    select indicator_id, factor_set, year, dimension, member, file_no, records, sheet_rows from of_changes
    union all
    select
        found.indicator_id, found.factor_set, found.year,
        case found.dimension when 'total' then 'base' else 'base/' || found.dimension end as dimension,
        periods.base_year || case found.dimension when 'total' then '' else '/' || found.member end as member,
        found.file_no, found.records, found.sheet_rows
    from found
    inner join {{ ref('stg_periods') }} as periods on {{ is_measured_from('found.year', 'periods') }}
    where found.compared
),

-- A row that counts in two parts of a breakdown, or in two years, is one record.
by_file as (
    select
        indicator_id, factor_set, year, dimension, member, file_no,
        sum(coalesce({{ length_of_list('array_distinct(sheet_rows)') }}, records)) as records
    from together
    group by all
)

select
    by_file.indicator_id, by_file.factor_set, by_file.year, by_file.dimension, by_file.member,
    cast(sum(by_file.records * alike.files) as bigint) as records,
    cast(sum(alike.files) as bigint) as files
from by_file
inner join alike on alike.file_no = by_file.file_no
group by all
