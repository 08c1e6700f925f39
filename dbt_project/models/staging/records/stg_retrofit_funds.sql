-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'retrofit_funds') }}
),

renamed as (
    select
        {{ whole('seq') }} as seq,
        org_name,
        project_name,
        {{ amount('planned_amount') }} as planned_amount,
        {{ whole('fiscal_year') }} as fiscal_year,
        {{ amount('paid_amount') }} as paid_amount,
        remark,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
