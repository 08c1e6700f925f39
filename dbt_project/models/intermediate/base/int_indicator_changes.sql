-- One row per indicator that is a change, factor set, year after its period's base year, dimension and member. Of the kind `full` the
-- ratio of the year over that of the base year, null where not the same months were reported in both (a year that is not over);
-- `comparable` the same over the institutions that stated all of it in both years; `saved` the sum of the base year less that of
-- the year, over those. The change is `above` over `below`, whole numbers. Dimension 'base' or 'base/<dimension>', member '2021'
-- or '2021/<member>'.
with months as (
    select 'energy_use' as dataset, year, bit_or(months) as months from {{ ref('int_energy_use') }} group by year
),

of_all as (
    select
        indicators.indicator_id,
        indicators.change_of,
        indicators.change_kind,
        now.factor_set,
        now.year,
        periods.base_year,
        now.dimension as of_dimension,
        now.member as of_member,
        case when months_now.months is not distinct from months_base.months then now.numerator end as numerator,
        now.denominator,
        base.numerator as base_numerator,
        base.denominator as base_denominator,
        months_now.months is distinct from months_base.months as months_differ,
        least(now.reporting, base.reporting) as reporting,
        now.partly + base.partly as partly,
        now.unregistered,
        now.names_institution,
        cast(0 as bigint) as items_differ,
        least(now.contributors, base.contributors) as contributors,
        now.left_out + base.left_out as left_out,
        greatest(now.largest_share, base.largest_share) as largest_share,
        now.synthetic or base.synthetic as synthetic,
        now.closed or base.closed as closed
    from {{ ref('stg_indicators') }} as indicators
    inner join {{ ref('int_indicator_sums') }} as now on now.indicator_id = indicators.change_of
    inner join {{ ref('stg_periods') }} as periods on {{ is_measured_from('now.year', 'periods') }}
    inner join {{ ref('int_indicator_sums') }} as base
        on base.indicator_id = indicators.change_of
        and base.factor_set = now.factor_set
        and base.year = periods.base_year
        and base.dimension = now.dimension
        and base.member = now.member
    left join months as months_now on months_now.dataset = indicators.monthly_dataset and months_now.year = now.year
    left join months as months_base on months_base.dataset = indicators.monthly_dataset and months_base.year = periods.base_year
    where indicators.change_kind = 'full'
),

-- int_comparable_pairs has one row for each institution in a cell, as int_indicator_parts has.
of_same as (
    select
        indicator_id,
        change_of,
        change_kind,
        factor_set,
        year,
        base_year,
        {{ dimension_of_grouping() }} as of_dimension,
        {{ member_of_grouping() }} as of_member,
        {{ sums_over_pairs() }}
    from {{ ref('int_comparable_pairs') }}
    where breakdown = ''
    group by
        indicator_id, change_of, change_kind, factor_set, year, base_year,
        grouping sets ((), (district), (org_type), (admin_level))
    union all
    select
        indicator_id,
        change_of,
        change_kind,
        factor_set,
        year,
        base_year,
        breakdown as of_dimension,
        breakdown_member as of_member,
        {{ sums_over_pairs() }}
    from {{ ref('int_comparable_pairs') }}
    where breakdown <> ''
    group by indicator_id, change_of, change_kind, factor_set, year, base_year, breakdown, breakdown_member
),

changes as (
    {{ unioned(['of_all', 'of_same'], [
        'indicator_id', 'change_of', 'change_kind', 'factor_set', 'year', 'base_year', 'of_dimension', 'of_member', 'numerator',
        'denominator', 'base_numerator', 'base_denominator', 'months_differ', 'reporting', 'partly', 'unregistered',
        'names_institution', 'items_differ', 'contributors', 'left_out', 'largest_share', 'synthetic', 'closed',
    ]) }}
)

select
    *,
    {{ change_above('numerator', 'denominator', 'base_numerator', 'nullif(base_denominator, 0)', 'change_kind') }} as above,
    {{ change_below('numerator', 'denominator', 'base_numerator', 'nullif(base_denominator, 0)', 'change_kind') }} as below,
    case of_dimension when 'total' then 'base' else 'base/' || of_dimension end as dimension,
    base_year || case of_dimension when 'total' then '' else '/' || of_member end as member
from changes
-- as in int_indicator_sums: a dimension of which nothing at all is known is left out
qualify bool_or(of_member <> 'unknown') over (partition by indicator_id, factor_set, of_dimension)
