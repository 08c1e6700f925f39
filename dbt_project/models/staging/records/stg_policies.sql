-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'policies') }}
),

renamed as (
    select
        policy_id,
        title,
        doc_no,
        system,
        tier,
        area,
        issued_on,
        status,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
