-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'timeshare_trips') }}
),

renamed as (
    select
        vehicle_id,
        month,
        {{ whole('trips') }} as trips,
        {{ amount('km') }} as km,
        {{ amount('minutes') }} as minutes,
        {{ amount('fee') }} as fee,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
