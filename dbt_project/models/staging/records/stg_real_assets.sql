-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'real_assets') }}
),

renamed as (
    select
        asset_id,
        org_name,
        kind,
        {{ amount('land_area') }} as land_area,
        {{ amount('floor_area') }} as floor_area,
        use_status,
        found_on,
        sweep,
        {{ amount('original_value') }} as original_value,
        {{ amount('accumulated_depreciation') }} as accumulated_depreciation,
        {{ amount('net_value') }} as net_value,
        title_no,
        address,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
