-- One row per dataset that is reported monthly, year, dimension and member: institution-months missing, and institutions of
-- the register that reported nothing.
with parts as (
    select
        reporting.*,
        coalesce(attributes.district, 'unknown') as district,
        coalesce(attributes.org_type, 'unknown') as org_type,
        coalesce(attributes.admin_level, 'unknown') as admin_level,
        '' as breakdown,
        '' as breakdown_member
    from {{ ref('int_energy_reporting') }} as reporting
    left join {{ ref('int_institution_attributes') }} as attributes
        on attributes.org = reporting.org and attributes.year = reporting.year
),

members as (
    {{ by_dimension('parts') }}
)

select
    dataset,
    year,
    dimension,
    member,
    sum(months_missing) as months_missing,
    sum(case when silent then 1 else 0 end) as silent
from members
group by dataset, year, dimension, member
