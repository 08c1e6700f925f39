-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'service_assessments') }}
),

renamed as (
    select
        compound,
        area,
        month,
        {{ amount('score') }} as score,
        {{ whole('issues') }} as issues,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
