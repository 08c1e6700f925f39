-- One row per year from the city's first base year, or the start of its first period, up to the as-of date: the day on which stocks are
-- counted (its last, or the as-of date in the year that is not over), and whether it is the latest, in which lists that say nothing of
-- time are counted: the year of the as-of date, or the last of the last period.
with bounds as (
    select
        min(least(first_year, coalesce(base_year, first_year))) as first_year,
        max(last_year) as last_year,
        max(as_of) as as_of
    from {{ ref('stg_periods') }}
),

years as (
    select
        {{ each_number('first_year', 'greatest(last_year, cast(extract(year from as_of) as integer))') }} as year,
        last_year,
        as_of
    from bounds
)

select
    cast(year as integer) as year,
    make_date(year, 1, 1) as first_day,
    least(make_date(year, 12, 31), as_of) as day,
    as_of,
    year = least(cast(extract(year from as_of) as integer), last_year) as latest
from years
where year <= extract(year from as_of)
