with source as (
    select * from {{ source('records', 'parking_lots') }}
),

renamed as (
    select
        -- ids
        org_name,
        lot_name,

        -- quantities
        {{ amount('spaces') }} as spaces,

        -- attributes
        "open" as is_open,

        -- time
        cast(extract(year from started_on) as integer) as started_year,

        -- where it stands
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
