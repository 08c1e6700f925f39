-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'vehicle_costs') }}
),

renamed as (
    select
        org_name,
        month,
        service,
        {{ amount('amount') }} as amount,
        at_designated,
        {{ whole('vehicle_count') }} as vehicle_count,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
