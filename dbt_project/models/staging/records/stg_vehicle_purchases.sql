-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'vehicle_purchases') }}
),

renamed as (
    select
        purchase_id,
        org_name,
        {{ whole('year') }} as year,
        power,
        {{ amount('price') }} as price,
        plan_on,
        budget_on,
        approved_on,
        purchased_on,
        replaces_vehicle_id,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
