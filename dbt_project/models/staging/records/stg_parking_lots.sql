-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'parking_lots') }}
),

renamed as (
    select
        org_name,
        lot_name,
        {{ whole('spaces') }} as spaces,
        weekday_hours,
        weekend,
        started_on,
        open,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
