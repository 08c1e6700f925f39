-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'timeshare_vehicles') }}
),

renamed as (
    select
        vehicle_id,
        org_name,
        power,
        start_on,
        {{ whole('batch') }} as batch,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
