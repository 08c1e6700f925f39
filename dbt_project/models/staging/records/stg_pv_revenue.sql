-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'pv_revenue') }}
),

renamed as (
    select
        entry_id,
        {{ whole('year') }} as year,
        kind,
        {{ amount('amount') }} as amount,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
