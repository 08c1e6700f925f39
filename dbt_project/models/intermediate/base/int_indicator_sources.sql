-- One row per indicator value, dataset, file and sheet: the records of it that went into the value. A change rests on what
-- the ratio of its year and that of the base year rest on. The sheet of a dataset that is not open in rows is left out: its
-- name may say whose it is.
with parts as (
    select
        parts.indicator_id,
        parts.adds_over_years,
        parts.factor_set,
        parts.year,
        parts.district,
        parts.org_type,
        parts.admin_level,
        parts.breakdown,
        parts.breakdown_member,
        facts.dataset,
        facts.file_id,
        facts.closed,
        case when not facts.closed then facts.sheet end as sheet,
        facts.records
    from {{ ref('int_indicator_parts') }} as parts
    inner join {{ ref('seed_indicators') }} as indicators on indicators.indicator_id = parts.indicator_id
    inner join {{ ref('int_facts') }} as facts
        on facts.org = parts.org
        and facts.year = parts.year
        and facts.breakdown = parts.breakdown
        and facts.breakdown_member = parts.breakdown_member
        and facts.measure in (indicators.numerator, indicators.denominator)
        and facts.factor_set in (parts.factor_set, 'none')
    where parts.matched
),

-- Summed before it is unfolded: one file of many institutions is one row.
by_file as (
    select
        indicator_id, adds_over_years, factor_set, year, district, org_type, admin_level, breakdown, breakdown_member,
        dataset, file_id, closed, sheet, sum(records) as records
    from parts
    group by all
),

members as (
    {{ by_dimension('by_file') }}
),

years_and_period as (
    {{ with_period('members') }}
),

of_values as (
    select
        indicator_id, factor_set, year, dimension, member, dataset, file_id, sheet, closed, sum(records) as records
    from years_and_period
    group by all
),

of_changes as (
    select
        changes.indicator_id, changes.factor_set, changes.year, changes.dimension, changes.member,
        sources.dataset, sources.file_id, sources.sheet, sources.closed, sum(sources.records) as records
    from {{ ref('int_indicator_changes') }} as changes
    inner join of_values as sources
        on sources.indicator_id = changes.change_of
        and sources.factor_set = changes.factor_set
        and sources.year in (changes.year, changes.base_year)
        and sources.dimension = changes.of_dimension
        and sources.member = changes.of_member
    group by all
)

select * from of_values
union all
select * from of_changes
