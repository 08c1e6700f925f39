-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'pv_generation') }}
),

renamed as (
    select
        site_id,
        month,
        {{ amount('generation_kwh') }} as generation_kwh,
        {{ amount('self_use_kwh') }} as self_use_kwh,
        {{ amount('feed_in_kwh') }} as feed_in_kwh,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
