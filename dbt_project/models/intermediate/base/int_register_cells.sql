-- One row per address of indicator values (year, dimension, member) that the register speaks of: how many institutions it has
-- there. In a period of the city's each institution counts once.
with years as (
    select org, year, district, org_type, admin_level, '' as breakdown, '' as breakdown_member
    from {{ ref('int_institution_years') }}
),

members as (
    {{ by_dimension('years') }}
),

addressed as (
    select org, year, dimension, member from members
    union all
    select
        members.org,
        periods.reached,
        case members.dimension when 'total' then 'period' else 'period/' || members.dimension end,
        periods.period_member || case members.dimension when 'total' then '' else '/' || members.member end
    from members
    inner join {{ ref('stg_periods') }} as periods on members.year between periods.first_year and periods.reached
)

select year, dimension, member, count(distinct org) as institutions
from addressed
group by year, dimension, member
