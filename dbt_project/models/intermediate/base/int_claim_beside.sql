-- One row per statement that is held against a value: what else stands beside that value. `basis`: what each set of factors gives,
-- as JSON [{factor_set, value, check_status}], with how many there are and how many of them bear the statement out.
-- `years_known`, `years_match`: the years of the statement's period that have a figure, and those whose figure is the one stated. `year_on_year`: of
-- a change since another year, the change against the year before, in %.
with held as (
    select
        claims.*,
        coalesce(units.multiplier, 1) as multiplier,
        indicator_values.year as value_year,
        indicator_values.member as value_member,
        indicator_values.factor_set as value_set,
        indicator_values.value as found
    from {{ ref('int_claims') }} as claims
    inner join {{ ref('int_indicator_values') }} as indicator_values
        on indicator_values.indicator_id = claims.indicator_id and indicator_values.dimension = claims.dimension
        and indicator_values.member = claims.member
    left join {{ ref('stg_indicators') }} as indicators on indicators.indicator_id = claims.indicator_id
    left join {{ ref('stg_units') }} as units
        on units.claim_unit = claims.unit and units.indicator_unit = indicators.unit
),

by_set as (
    select
        claim_id, value_set, verifiable, qualifier, value, step, test, target,
        {{ in_unit('sum(found)', 'max(multiplier)') }} as computed
    from held
    where factor_set <> 'none' and value_set <> 'none' and value_year between coalesce(first_year, year) and year
    group by claim_id, value_set, verifiable, qualifier, value, step, test, target
),

judged_sets as (
    select
        *, {{ check_status('verifiable', 'qualifier', 'value', 'step', 'computed', 'test', 'target') }} as check_status
    from by_set
),

sets as (
    select
        claim_id,
        {{ json_rows({'factor_set': 'value_set', 'value': 'cast(computed as double)', 'check_status': 'check_status'}, by='value_set') }} as basis,
        count(*) as basis_count,
        count(*) filter (where check_status in ('match', 'within_qualifier')) as basis_match
    from judged_sets
    group by claim_id
),

by_year as (
    select *, {{ in_unit('found', 'multiplier') }} as computed
    from held
    where value_set = factor_set
),

judged_years as (
    select
        by_year.*,
        {{ check_status('verifiable', 'qualifier', 'value', 'step', 'computed', 'test', 'target') }} as check_status
    from by_year
),

years as (
    select
        judged_years.claim_id,
        count(*) filter (where judged_years.value_year between periods.first_year and periods.last_year and judged_years.computed is not null)
            as years_known,
        count(*) filter (
            where judged_years.value_year between periods.first_year and periods.last_year
            and judged_years.check_status in ('match', 'within_qualifier')
        ) as years_match,
        max(judged_years.computed) filter (where judged_years.value_year = judged_years.year) as this_change,
        max(judged_years.computed) filter (where judged_years.value_year = judged_years.year - 1) as change_before
    from judged_years
    inner join {{ ref('stg_periods') }} as periods on periods.period_id = judged_years.period_id
    group by judged_years.claim_id
)

select
    years.claim_id,
    sets.basis,
    cast(sets.basis_count as integer) as basis_count,
    cast(sets.basis_match as integer) as basis_match,
    cast(years.years_known as integer) as years_known,
    cast(years.years_match as integer) as years_match,
    -- (1 + a/100) / (1 + b/100) - 1 = (a - b) / (100 + b)
    cast(
        {{ half_up('(' ~ millionths('(years.this_change - years.change_before)') ~ ' * 100)', millionths('(100 + years.change_before)'), 2) }}
        as decimal(28, 2)
    ) as year_on_year
from years
left join sets on sets.claim_id = years.claim_id
