-- One row per institution and year of the register.
with ranked as (
    select
        {{ all_but('', ['year']) }},
        cast(year as integer) as year,
        row_number() over (partition by uscc, year order by file_id desc, sheet desc, sheet_row desc) as place
    from {{ ref('stg_institutions') }}
)

select
    uscc as org,
    year,
    coalesce(org_type, 'unknown') as org_type,
    coalesce(admin_level, 'unknown') as admin_level,
    coalesce(division_code, 'unknown') as district,
    energy_population as people,
    floor_area,
    in_conservation_scope,
    file_id,
    sheet,
    sheet_row
from ranked
where place = 1
