-- One row per indicator that is a change, factor set, year after the base year, dimension and member. Of the kind `full` the
-- ratio of the year over that of the base year; `comparable` the same over the institutions that are in both years; `saved` the
-- sum of the base year less that of the year, over those in both. Dimension 'base' or 'base/<dimension>', member '2021' or
-- '2021/<member>'.
with ratios as (
    select
        *,
        cast(numerator as double) / nullif(cast(denominator as double), 0) as ratio
    from {{ ref('int_indicator_sums') }}
),

of_all as (
    select
        indicators.indicator_id,
        indicators.change_of,
        indicators.change_kind,
        now.factor_set,
        now.year,
        city.base_year,
        now.dimension as of_dimension,
        now.member as of_member,
        now.ratio / nullif(base.ratio, 0) - 1 as change,
        least(now.contributors, base.contributors) as contributors,
        now.left_out + base.left_out as left_out,
        greatest(now.largest_share, base.largest_share) as largest_share,
        now.synthetic or base.synthetic as synthetic,
        now.closed or base.closed as closed
    from {{ ref('seed_indicators') }} as indicators
    cross join {{ ref('stg_city') }} as city
    inner join ratios as now on now.indicator_id = indicators.change_of and now.year > city.base_year
    inner join ratios as base
        on base.indicator_id = indicators.change_of
        and base.factor_set = now.factor_set
        and base.year = city.base_year
        and base.dimension = now.dimension
        and base.member = now.member
    where indicators.change_kind = 'full'
),

pairs as (
    {{ by_dimension(ref('int_comparable_pairs')) }}
),

of_same as (
    select
        indicator_id,
        change_of,
        change_kind,
        factor_set,
        year,
        base_year,
        dimension as of_dimension,
        member as of_member,
        case change_kind
            when 'saved' then cast(sum(base_numerator) - sum(numerator) as double)
            else
                (cast(sum(numerator) as double) / nullif(cast(sum(denominator) as double), 0))
                / nullif(cast(sum(base_numerator) as double) / nullif(cast(sum(base_denominator) as double), 0), 0) - 1
        end as change,
        count(distinct org) as contributors,
        0 as left_out,
        greatest(
            max(abs(numerator)) / nullif(sum(abs(numerator)), 0),
            max(abs(denominator)) / nullif(sum(abs(denominator)), 0),
            max(abs(base_numerator)) / nullif(sum(abs(base_numerator)), 0),
            max(abs(base_denominator)) / nullif(sum(abs(base_denominator)), 0)
        ) as largest_share,
        bool_or(synthetic) as synthetic,
        bool_or(closed) as closed
    from pairs
    group by indicator_id, change_of, change_kind, factor_set, year, base_year, dimension, member
),

changes as (
    select * from of_all
    union all by name
    select * from of_same
)

select
    *,
    case of_dimension when 'total' then 'base' else 'base/' || of_dimension end as dimension,
    base_year || case of_dimension when 'total' then '' else '/' || of_member end as member
from changes
-- as in int_indicator_sums: a dimension of which nothing at all is known is left out
qualify bool_or(of_member <> 'unknown') over (partition by indicator_id, factor_set, of_dimension)
