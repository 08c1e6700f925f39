-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'inspections') }}
),

renamed as (
    select
        inspection_id,
        type,
        held_on,
        area,
        {{ whole('issue_count') }} as issue_count,
        {{ whole('rectified_count') }} as rectified_count,
        {{ whole('notices') }} as notices,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
