-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'pv_sites') }}
),

renamed as (
    select
        site_id,
        org_name,
        site_name,
        {{ amount('roof_area') }} as roof_area,
        {{ amount('capacity_kw') }} as capacity_kw,
        grid_on,
        status,
        {{ amount('design_annual_kwh') }} as design_annual_kwh,
        meter_no,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
