-- One row per institution and year that should have reported every month: those of the year's register and those that
-- reported anyway. Only years in which somebody reported.
with reported as (
    select
        coalesce(names.org, energy.org_name) as org,
        cast(substr(energy.month, 1, 4) as integer) as year,
        count(distinct energy.month) as months
    from {{ ref('stg_energy_use') }} as energy
    left join {{ ref('int_institution_names') }} as names on names.org_name = energy.org_name
    group by 1, 2
),

expected as (
    select org, year from reported
    union
    select org, year
    from {{ ref('int_institution_years') }}
    where year in (select year from reported)
)

select
    'energy_use' as dataset,
    expected.org,
    expected.year,
    12 - coalesce(reported.months, 0) as months_missing,
    reported.org is null as silent
from expected
left join reported on reported.org = expected.org and reported.year = expected.year
