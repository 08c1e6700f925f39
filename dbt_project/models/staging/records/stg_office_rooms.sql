-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'office_rooms') }}
),

renamed as (
    select
        org_name,
        building,
        rank,
        {{ whole('headcount') }} as headcount,
        {{ amount('used_area') }} as used_area,
        {{ whole('year') }} as year,
        room_no,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
