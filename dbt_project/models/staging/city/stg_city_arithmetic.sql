with source as (
    select * from {{ source('city', 'arithmetic') }}
),

renamed as (
    select
        check_id,
        position,
        expression,
        cast(expected as decimal(28, 6)) as expected,
        cast(computed as decimal(28, 6)) as computed,
        unit,
        cast(step as decimal(28, 6)) as step,
        reading_zh,
        reading_en,
        sql
    from source
)

select * from renamed
