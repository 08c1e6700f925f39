-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'recognitions') }}
),

renamed as (
    select
        org_name,
        type,
        batch,
        issued_on,
        issuer,
        {{ amount('score') }} as score,
        status,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
