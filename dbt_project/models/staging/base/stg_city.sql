with source as (
    select * from {{ source('city', 'city') }}
),

renamed as (
    select
        code,
        name_en,
        grid_region,
        cast(period_start as integer) as period_start,
        cast(period_end as integer) as period_end,
        cast(base_year as integer) as base_year,

        -- the date the release speaks of: who is in force, what is overdue
        cast('{{ env_var("MINGZHANG_AS_OF") }}' as date) as as_of
    from source
)

select * from renamed
