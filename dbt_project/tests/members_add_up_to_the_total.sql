-- The members of a dimension add up to the total, to the last digit, in every indicator that is a sum (an index is none).
with sums as (
    select sums.*
    from {{ ref('int_indicator_sums') }} as sums
    inner join {{ ref('stg_indicators') }} as indicators on indicators.indicator_id = sums.indicator_id
    where indicators.denominator is null and indicators.kind <> 'index'
),

members as (
    select indicator_id, factor_set, year, dimension, sum(numerator) as added
    from sums
    group by indicator_id, factor_set, year, dimension
)

select members.*, totals.numerator as total
from members
inner join sums as totals
    on totals.indicator_id = members.indicator_id
    and totals.factor_set = members.factor_set
    and totals.year = members.year
    and totals.dimension = case when members.dimension like 'period%' then 'period' else 'total' end
where members.added <> totals.numerator
