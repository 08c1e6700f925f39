-- One row per address of indicator values (year, dimension, member) that the register speaks of: how many institutions it has
-- there. In the city's period each institution counts once.
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
        city.period_last,
        case members.dimension when 'total' then 'period' else 'period/' || members.dimension end,
        city.period_member || case members.dimension when 'total' then '' else '/' || members.member end
    from members
    cross join {{ ref('stg_city') }} as city
    where members.year between city.period_start and city.period_last
)

select year, dimension, member, count(distinct org) as institutions
from addressed
group by year, dimension, member
