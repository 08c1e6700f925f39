-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'institutions') }}
),

renamed as (
    select
        uscc,
        org_name,
        {{ whole('year') }} as year,
        org_type,
        admin_level,
        division_code,
        {{ whole('energy_population') }} as energy_population,
        {{ amount('floor_area') }} as floor_area,
        in_conservation_scope,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
