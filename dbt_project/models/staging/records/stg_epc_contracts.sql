-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'epc_contracts') }}
),

renamed as (
    select
        contract_id,
        org_name,
        contract_type,
        provider,
        start_on,
        end_on,
        {{ amount('annual_fee') }} as annual_fee,
        {{ amount('baseline_tce') }} as baseline_tce,
        {{ amount('guaranteed_rate') }} as guaranteed_rate,
        {{ amount('verified_saving_tce') }} as verified_saving_tce,
        status,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
