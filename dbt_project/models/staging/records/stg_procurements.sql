-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'procurements') }}
),

renamed as (
    select
        contract_id,
        org_name,
        category,
        method,
        framework_type,
        {{ amount('reference_price') }} as reference_price,
        {{ amount('reported_cap') }} as reported_cap,
        {{ amount('approved_cap') }} as approved_cap,
        {{ amount('award_price') }} as award_price,
        {{ amount('contract_price') }} as contract_price,
        award_on,
        end_on,
        supplier,
        losing_bids,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
