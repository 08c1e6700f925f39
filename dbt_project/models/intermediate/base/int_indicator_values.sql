-- One row per indicator, factor set, year, dimension and member: the value as published, and in `note_codes` what limits it: codes
-- separated by a space, each with the numbers its sentence names (publish/wording.toml): months_missing:5 left_out:2.
with values_of_sums as (
    select
        sums.indicator_id, sums.factor_set, sums.year, sums.dimension, sums.member,
        sums.contributors, sums.left_out, sums.largest_share, sums.synthetic, sums.closed,
        sums.reporting, sums.partly, sums.unregistered, sums.names_institution,
        cast(0 as bigint) as items_differ,
        false as months_differ,
        case when indicators.denominator is null then {{ millionths('sums.closed_numerator') }} end as closed_above,
        cast(null as integer) as base_year,
        periods.first_year,
        case when not periods.is_over then sums.first_in end as first_in,
        case when not periods.is_over then sums.last_in end as last_in,
        case
            when sums.dimension = 'period' then 'total'
            when sums.dimension like 'period/%' then substr(sums.dimension, 8)
            else sums.dimension
        end as of_dimension,
        case
            when sums.dimension = 'period' then 'all'
            when sums.dimension like 'period/%' then substr(sums.member, position('/' in sums.member) + 1)
            else sums.member
        end as of_member,
        {{ millionths('sums.numerator') }} as above,
        case
            when indicators.denominator is null then cast(1000000 as {{ big_number() }}) else {{ millionths('sums.denominator') }}
        end as below
    from {{ ref('int_indicator_sums') }} as sums
    left join {{ ref('stg_periods') }} as periods
        on sums.dimension like 'period%' and periods.period_member = split_part(sums.member, '/', 1)
    inner join {{ ref('stg_indicators') }} as indicators on indicators.indicator_id = sums.indicator_id
),

changes as (
    select
        indicator_id, factor_set, year, dimension, member,
        contributors, left_out, largest_share, synthetic, closed,
        reporting, partly, unregistered, names_institution, items_differ, months_differ,
        cast(null as {{ big_number() }}) as closed_above,
        base_year, cast(null as integer) as first_year, cast(null as integer) as first_in, cast(null as integer) as last_in,
        of_dimension, of_member, above, below
    from {{ ref('int_indicator_changes') }}
),

together as (
    {{ unioned(['values_of_sums', 'changes'], [
        'indicator_id', 'factor_set', 'year', 'dimension', 'member', 'contributors', 'left_out', 'largest_share', 'synthetic', 'closed',
        'reporting', 'partly', 'unregistered', 'names_institution', 'items_differ', 'months_differ', 'closed_above', 'base_year',
        'first_year', 'first_in', 'last_in', 'of_dimension', 'of_member', 'above', 'below',
    ]) }}
),

-- which part of the register a value is of: a breakdown of its own is of the whole city, crossed with the level of that
all_values as (
    select
        *,
        case
            when of_dimension in ('district', 'org_type', 'level') then of_dimension
            when of_dimension like 'level/%' then 'level'
            else 'total'
        end as register_dimension,
        case
            when of_dimension in ('district', 'org_type', 'level') then of_member
            when of_dimension like 'level/%' then split_part(of_member, '/', 1)
            else 'all'
        end as register_member
    from together
),

undated as (
    select measure, sum(records) as records
    from {{ ref('int_facts') }}
    where year is null and breakdown = ''
    group by measure
),

too_large as (
    select indicators.indicator_id, sum(too_large.records) as records
    from {{ ref('stg_indicators') }} as indicators
    left join {{ ref('stg_indicators') }} as changed on changed.indicator_id = indicators.change_of
    inner join (select distinct measure, dataset from {{ ref('int_facts') }}) as facts
        on facts.measure in (indicators.numerator, indicators.denominator, changed.numerator, changed.denominator)
    inner join {{ ref('int_too_large') }} as too_large on too_large.dataset = facts.dataset
    group by indicators.indicator_id
),

-- By which factors the electricity of a value was converted, in each of its years.
spans as (
    select distinct indicator_id, factor_set, year, base_year, first_year from all_values
),

used_factors as (
    select
        spans.*, {{ joined_in_order('factors.factor_id', ',', distinct=true) }} as factor_ids
    from spans
    inner join {{ ref('stg_indicators') }} as indicators on indicators.indicator_id = spans.indicator_id
    inner join {{ ref('int_carrier_factors') }} as factors
        on factors.metric = indicators.factor_metric
        and factors.carrier = 'electricity'
        and factors.factor_set = spans.factor_set
        and (factors.year in (spans.year, spans.base_year) or factors.year between spans.first_year and spans.year)
    group by spans.indicator_id, spans.factor_set, spans.year, spans.base_year, spans.first_year
),

-- A breakdown of its own (carrier) has no register to be held against, so it takes the gaps of the total. A comparison over the
-- same institutions has none: who lacks a month is not in it.
gaps as (
    select
        all_values.indicator_id, all_values.factor_set, all_values.year, all_values.dimension, all_values.member,
        sum(gaps.months_missing) as months_missing,
        sum(gaps.silent) as silent
    from all_values
    inner join {{ ref('stg_indicators') }} as indicators on indicators.indicator_id = all_values.indicator_id
    inner join {{ ref('int_reporting_gaps') }} as gaps
        on gaps.dataset = indicators.monthly_dataset
        and coalesce(indicators.change_kind, '') not in ('comparable', 'saved')
        and (
            gaps.year in (all_values.year, all_values.base_year)
            or gaps.year between all_values.first_year and all_values.year
        )
        and gaps.dimension = all_values.register_dimension
        and gaps.member = all_values.register_member
    group by all_values.indicator_id, all_values.factor_set, all_values.year, all_values.dimension, all_values.member
),

described as (
    select
        all_values.*,
        indicators.unit,
        coalesce(indicators.change_kind, '') in ('comparable', 'saved') as of_the_same,
        {{ half_up('(all_values.above * ' ~ times('indicators.multiplier') ~ ')', '(all_values.below * ' ~ over('indicators.multiplier') ~ ')', 'indicators.decimals') }} as value,
        {{ half_up('(all_values.closed_above * ' ~ times('indicators.multiplier') ~ ')', '(cast(1000000 as ' ~ big_number() ~ ') * ' ~ over('indicators.multiplier') ~ ')', 'indicators.decimals') }} as closed_value,
        -- who was expected: the register of the year in that district, kind or level (of a breakdown of its own, of the city), and
        -- whoever stated something without being in it; nobody knows where there is no register of the year
        case when all_values.names_institution and register.institutions is not null then register.institutions + all_values.unregistered end as population,
        coalesce(sources.records, 0) as records,
        coalesce(sources.files, 0) as files,
        coalesce(gaps.months_missing, 0) as months_missing,
        coalesce(gaps.silent, 0) as silent,
        not coalesce(periods.is_over, true) as unfinished,
        all_values.first_year is null and all_values.year > extract(year from city.as_of) as in_future,
        all_values.first_year is null and all_values.year = extract(year from city.as_of)
            and city.as_of < make_date(all_values.year, 12, 31) as year_not_over,
        cast(city.as_of as string) as as_of,
        periods.period_id as plan,
        nullif(concat_ws('-', all_values.first_in, nullif(all_values.last_in, all_values.first_in)), '') as years_in,
        coalesce(undated.records, 0) as undated,
        coalesce(too_large.records, 0) as too_large,
        used_factors.factor_ids
    from all_values
    cross join {{ ref('stg_city') }} as city
    left join {{ ref('stg_periods') }} as periods on periods.first_year = all_values.first_year
    left join {{ ref('int_indicator_records') }} as sources using (indicator_id, factor_set, year, dimension, member)
    left join gaps using (indicator_id, factor_set, year, dimension, member)
    left join {{ ref('int_register_cells') }} as register
        on register.year = all_values.year
        and register.dimension = case
            when all_values.first_year is null then all_values.register_dimension
            when all_values.register_dimension = 'total' then 'period'
            else 'period/' || all_values.register_dimension
        end
        and register.member = case
            when all_values.first_year is null then all_values.register_member
            when all_values.register_dimension = 'total' then all_values.first_year || '-' || all_values.year
            else all_values.first_year || '-' || all_values.year || '/' || all_values.register_member
        end
    inner join {{ ref('stg_indicators') }} as indicators on indicators.indicator_id = all_values.indicator_id
    left join undated on undated.measure = indicators.numerator
    left join too_large on too_large.indicator_id = all_values.indicator_id
    left join used_factors
        on used_factors.indicator_id = all_values.indicator_id
        and used_factors.factor_set = all_values.factor_set
        and used_factors.year = all_values.year
        and used_factors.base_year is not distinct from all_values.base_year
        and used_factors.first_year is not distinct from all_values.first_year
)

select
    {{ all_but('', ['reporting']) }},
    case when names_institution then reporting end as reporting,
    nullif(concat_ws(
        ' ',
        case when value is null and months_differ then 'other_months' when value is null then 'no_denominator' end,
        case when unfinished then 'plan_not_over:' || plan || '/' || years_in end,
        case when in_future then 'year_to_come' end,
        case when year_not_over then 'year_not_over:' || as_of end,
        case
            when months_missing > 0 and silent > 0 then 'months_missing_some_all_year:' || months_missing || '/' || silent
            when months_missing > 0 then 'months_missing:' || months_missing
        end,
        case
            when of_the_same and names_institution then 'same_institutions:' || reporting
            when of_the_same then 'same_entries:' || contributors
        end,
        case
            when left_out > 0 and names_institution then 'left_out:' || left_out
            when left_out > 0 then 'entries_left_out:' || left_out
        end,
        case when partly > 0 then 'stated_in_part:' || partly end,
        case when items_differ > 0 then 'other_carriers:' || items_differ end,
        case when undated > 0 then 'undated:' || undated end,
        case when too_large > 0 then 'too_large:' || too_large end,
        case when factor_ids is not null then 'electricity_factors:' || factor_ids end
    ), '') as note_codes
from described
