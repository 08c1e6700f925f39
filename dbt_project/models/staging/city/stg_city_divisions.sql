with source as (
    select * from {{ source('city', 'divisions') }}
),

renamed as (
    select
        code,
        name_zh,
        name_en,
        parent,
        level,
        successor,
        note,
        own_zh,
        own_en
    from source
)

select * from renamed
