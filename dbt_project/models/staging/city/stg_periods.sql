-- One row per period of the city. `reached` and `period_member`: as far as it has come, for one that is not over is never called by its
-- whole length. Every year is of one period (`own_from` to `own_to`, null where nothing bounds it): of the last that had begun,
-- the years before the first of the first; it is measured from that period's base year.
with source as (
    select * from {{ source('city', 'periods') }}
),

renamed as (
    select
        source.period_id,
        source.name_zh,
        source.name_en,
        cast(source.first_year as integer) as first_year,
        cast(source.last_year as integer) as last_year,
        cast(source.base_year as integer) as base_year,
        city.as_of
    from source
    cross join {{ ref('stg_city') }} as city
),

reached as (
    select
        *,
        greatest(least(last_year, cast(extract(year from as_of) as integer)), first_year) as reached,
        as_of >= make_date(last_year, 12, 31) as is_over,
        case when lag(first_year) over (order by first_year) is not null then first_year end as own_from,
        lead(first_year) over (order by first_year) - 1 as own_to
    from renamed
)

select *, first_year || '-' || reached as period_member from reached
