-- Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.
with source as (
    select * from {{ source('records', 'utility_separation') }}
),

renamed as (
    select
        community_id,
        org_name,
        community,
        {{ whole('buildings') }} as buildings,
        {{ whole('households') }} as households,
        {{ amount('floor_area') }} as floor_area,
        items,
        started_on,
        handed_over_on,
        {{ amount('subsidy_before') }} as subsidy_before,
        {{ amount('subsidy_after') }} as subsidy_after,
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
