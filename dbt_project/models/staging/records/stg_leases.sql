-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'leases') }}
),

renamed as (
    select
        lease_id,
        asset_id,
        org_name,
        tenant_type,
        tenant,
        {{ amount('area') }} as area,
        {{ amount('annual_rent') }} as annual_rent,
        start_on,
        end_on,
        award_method,
        {{ amount('received') }} as received,
        status,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
