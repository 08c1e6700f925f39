-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'vehicles') }}
),

renamed as (
    select
        vehicle_id,
        {{ whole('year') }} as year,
        org_name,
        plate_no,
        vin,
        use_class,
        power,
        model,
        {{ amount('displacement') }} as displacement,
        {{ amount('price') }} as price,
        first_registered_on,
        {{ whole('odometer_km') }} as odometer_km,
        status,
        replaced_on,
        exception_reason,
        marked,
        on_platform,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
