-- One row per indicator that is a change, factor set, year after the base year, dimension and member: the ratio of the year
-- over that of the base year. Dimension 'base' or 'base/<dimension>', member '2021' or '2021/<member>'.
with ratios as (
    select
        *,
        cast(numerator as double) / nullif(cast(denominator as double), 0) as ratio
    from {{ ref('int_indicator_sums') }}
)

select
    indicators.indicator_id,
    indicators.change_of,
    now.factor_set,
    now.year,
    city.base_year,
    now.dimension as of_dimension,
    now.member as of_member,
    case now.dimension when 'total' then 'base' else 'base/' || now.dimension end as dimension,
    city.base_year || case now.dimension when 'total' then '' else '/' || now.member end as member,
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
