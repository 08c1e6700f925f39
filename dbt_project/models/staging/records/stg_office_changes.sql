-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'office_changes') }}
),

renamed as (
    select
        change_id,
        org_name,
        change,
        {{ amount('area') }} as area,
        area_basis,
        project,
        changed_on,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
