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
),

-- the plan as far as it has come: a plan that is not over is never called by its whole length
reached as (
    select
        *,
        greatest(least(period_end, cast(extract(year from as_of) as integer)), period_start) as period_last,
        as_of >= make_date(period_end, 12, 31) as period_over
    from renamed
)

select *, period_start || '-' || period_last as period_member from reached
