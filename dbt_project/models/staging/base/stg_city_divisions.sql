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
        note
    from source
)

select * from renamed
