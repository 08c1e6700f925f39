-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'canteens') }}
),

renamed as (
    select
        canteen_id,
        org_name,
        admin_level,
        {{ whole('phase') }} as phase,
        connected_on,
        month,
        {{ whole('meals') }} as meals,
        {{ whole('official_meals') }} as official_meals,
        {{ amount('official_meal_amount') }} as official_meal_amount,
        {{ amount('in_city_reception') }} as in_city_reception,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
