-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'warehouse_moves') }}
),

renamed as (
    select
        move_id,
        item_name,
        category_code,
        {{ whole('quantity') }} as quantity,
        unit,
        {{ amount('original_value') }} as original_value,
        direction,
        from_org,
        to_org,
        purpose,
        moved_on,
        returned_on,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
