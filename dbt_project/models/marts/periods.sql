-- One row per period of the city: a year of a figure is in it from first_year to last_year, and what the years come to together
-- stands in indicator_values under dimension 'period' (or 'period/...'), member `member`.
select
    period_id,
    name_zh,
    name_en,
    first_year,
    last_year,
    base_year,
    period_member as member,
    is_over
from {{ ref('stg_periods') }}
order by first_year
