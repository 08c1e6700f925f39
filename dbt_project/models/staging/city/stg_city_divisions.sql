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
        own_en,
        cast(tile_column as integer) as tile_column,
        cast(tile_row as integer) as tile_row
    from source
)

select * from renamed
