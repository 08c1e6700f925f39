-- One row per indicator value, dataset, file and sheet: the records of it that went into the value. A change rests on what
-- the ratio of its year and that of the base year rest on, over the same institutions where it compares the same. The sheet of a
-- dataset that is not open in rows is left out: its name may say whose it is. Of one that is, the rows of the sheet are named.
-- A file goes by its number (int_files): by the 64 letters of its hash this took most of the memory of a build.
with measured as (
    select
        parts.indicator_id, parts.adds_over_years, parts.factor_set, parts.year, parts.org, parts.district, parts.org_type,
        parts.admin_level, parts.breakdown, parts.breakdown_member,
        indicators.numerator as measure,
        parts.breakdown as of_breakdown,
        parts.breakdown_member as of_member
    from {{ ref('int_indicator_parts') }} as parts
    inner join {{ ref('seed_indicators') }} as indicators on indicators.indicator_id = parts.indicator_id
    where parts.matched
    union all
    select
        parts.indicator_id, parts.adds_over_years, parts.factor_set, parts.year, parts.org, parts.district, parts.org_type,
        parts.admin_level, parts.breakdown, parts.breakdown_member,
        indicators.denominator,
        parts.below_breakdown,
        parts.below_member
    from {{ ref('int_indicator_parts') }} as parts
    inner join {{ ref('seed_indicators') }} as indicators on indicators.indicator_id = parts.indicator_id
    where parts.matched and indicators.denominator is not null
),

-- The numerator and the denominator may stand in the same records: those count once.
by_institution as (
    select
        measured.* exclude (measure, of_breakdown, of_member),
        facts.dataset,
        files.file_no,
        facts.closed,
        case when not facts.closed then facts.sheet end as sheet,
        max(facts.records) as records,
        flatten(list(facts.sheet_rows) filter (where facts.sheet_rows is not null)) as sheet_rows
    from measured
    inner join {{ ref('int_facts') }} as facts
        on facts.org = measured.org
        and facts.year = measured.year
        and facts.measure = measured.measure
        and facts.breakdown = measured.of_breakdown
        and facts.breakdown_member = measured.of_member
        and facts.factor_set in (measured.factor_set, 'none')
    inner join {{ ref('int_files') }} as files on files.file_id = facts.file_id
    group by all
),

-- Summed before it is unfolded: one file of many institutions is one row.
by_file as (
    select * exclude (org, records, sheet_rows), sum(records) as records, flatten(list(sheet_rows) filter (where sheet_rows is not null)) as sheet_rows
    from by_institution
    group by all
),

members as (
    {{ by_dimension_and_cross('by_file') }}
),

years_and_period as (
    {{ with_period('members') }}
),

of_values as (
    select
        indicator_id, factor_set, year, dimension, member, dataset, file_no, sheet, closed, sum(records) as records,
        flatten(list(sheet_rows) filter (where sheet_rows is not null)) as sheet_rows
    from years_and_period
    group by all
),

of_changes as (
    select
        changes.indicator_id, changes.factor_set, changes.year, changes.dimension, changes.member,
        sources.dataset, sources.file_no, sources.sheet, sources.closed, sum(sources.records) as records,
        flatten(list(sources.sheet_rows) filter (where sources.sheet_rows is not null)) as sheet_rows
    from {{ ref('int_indicator_changes') }} as changes
    inner join of_values as sources
        on sources.indicator_id = changes.change_of
        and sources.factor_set = changes.factor_set
        and sources.year in (changes.year, changes.base_year)
        and sources.dimension = changes.of_dimension
        and sources.member = changes.of_member
    where changes.change_kind = 'full'
    group by all
),

pairs as (
    select
        pairs.indicator_id, pairs.factor_set, pairs.year, pairs.base_year, pairs.district, pairs.org_type, pairs.admin_level,
        pairs.breakdown, pairs.breakdown_member,
        sources.dataset, sources.file_no, sources.sheet, sources.closed, sum(sources.records) as records,
        flatten(list(sources.sheet_rows) filter (where sources.sheet_rows is not null)) as sheet_rows
    from {{ ref('int_comparable_pairs') }} as pairs
    inner join by_institution as sources
        on sources.indicator_id = pairs.change_of
        and sources.factor_set = pairs.factor_set
        and sources.org = pairs.org
        and sources.year in (pairs.year, pairs.base_year)
        and sources.breakdown in ('', 'total')
    group by all
),

pair_members as (
    {{ by_dimension('pairs') }}
),

of_pairs as (
    select
        indicator_id, factor_set, year,
        case dimension when 'total' then 'base' else 'base/' || dimension end as dimension,
        base_year || case dimension when 'total' then '' else '/' || member end as member,
        dataset, file_no, sheet, closed, sum(records) as records,
        flatten(list(sheet_rows) filter (where sheet_rows is not null)) as sheet_rows
    from pair_members
    group by all
),

found as (
    select * from of_values
    union all by name
    select * from of_changes
    union all by name
    select * from of_pairs
)

-- A row that counts in two parts of a breakdown is one record.
select * replace (list_sort(list_distinct(sheet_rows)) as sheet_rows, coalesce(len(list_distinct(sheet_rows)), records) as records)
from found
