with source as (
    select * from {{ source('city', 'city') }}
),

renamed as (
    select
        code,
        grid_region,
        cast(period_start as integer) as period_start,
        cast(period_end as integer) as period_end,
        cast(base_year as integer) as base_year
    from source
)

select * from renamed
