-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'tasks') }}
),

renamed as (
    select
        task_id,
        source,
        area,
        text,
        owner_dept,
        assigned_on,
        due_on,
        feedback_on,
        supervised_on,
        closed_on,
        status,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
