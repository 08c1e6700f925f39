with source as (
    select * from {{ source('records', 'institutions') }}
),

renamed as (
    select
        -- ids
        uscc,
        org_name,

        -- attributes
        org_type,
        admin_level,
        division_code as district,

        -- quantities
        {{ amount('energy_population') }} as people,
        {{ amount('floor_area') }} as floor_area,

        -- time
        cast(year as integer) as year,

        -- where it stands
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
