-- One row per year from the city's base year, or the start of its period, up to the as-of date: the day on which stocks are counted (its last, or the as-of
-- date in the year that is not over), and whether it is the latest, in which lists that say nothing of time are counted.
with years as (
    select
        {{ each_number('least(period_start, base_year)', 'greatest(period_end, cast(extract(year from as_of) as integer))') }} as year,
        period_end,
        as_of
    from {{ ref('stg_city') }}
)

select
    cast(year as integer) as year,
    make_date(year, 1, 1) as first_day,
    least(make_date(year, 12, 31), as_of) as day,
    as_of,
    year = least(cast(extract(year from as_of) as integer), period_end) as latest
from years
where year <= extract(year from as_of)
