-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'energy_use') }}
),

renamed as (
    select
        org_name,
        uscc,
        month,
        {{ amount('electricity') }} as electricity,
        {{ amount('water') }} as water,
        {{ amount('natural_gas') }} as natural_gas,
        {{ amount('gasoline') }} as gasoline,
        {{ amount('diesel') }} as diesel,
        {{ amount('coal') }} as coal,
        {{ amount('lpg') }} as lpg,
        {{ amount('heat') }} as heat,
        {{ amount('other_energy') }} as other_energy,
        {{ amount('pv_generation') }} as pv_generation,
        {{ amount('electricity_cost') }} as electricity_cost,
        {{ amount('water_cost') }} as water_cost,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
