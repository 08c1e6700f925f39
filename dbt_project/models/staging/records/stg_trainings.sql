-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'trainings') }}
),

renamed as (
    select
        training_id,
        topic,
        held_on,
        {{ whole('attendees') }} as attendees,
        {{ amount('hours') }} as hours,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
