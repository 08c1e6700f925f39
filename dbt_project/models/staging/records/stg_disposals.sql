-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'disposals') }}
),

renamed as (
    select
        disposal_id,
        asset_id,
        org_name,
        method,
        area_kind,
        {{ amount('area') }} as area,
        approved_on,
        listed_on,
        sold_on,
        {{ amount('appraised_value') }} as appraised_value,
        {{ amount('deal_amount') }} as deal_amount,
        {{ amount('treasury_amount') }} as treasury_amount,
        buyer,
        status,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
