with source as (
    select * from {{ source('city', 'office_standards') }}
),

renamed as (
    select
        level,
        rank,
        cast(max_usable_area_m2 as decimal(18, 2)) as max_usable_area_m2
    from source
)

select * from renamed
