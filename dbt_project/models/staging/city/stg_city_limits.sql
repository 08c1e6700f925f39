with source as (
    select * from {{ source('city', 'limits') }}
),

renamed as (
    select
        name,
        unit,
        cast(value as decimal(18, 4)) as value
    from source
)

select * from renamed
