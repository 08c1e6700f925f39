-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'event_support') }}
),

renamed as (
    select
        event_id,
        event_type,
        event_name,
        item_name,
        {{ whole('quantity') }} as quantity,
        unit,
        from_warehouse,
        start_on,
        end_on,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
