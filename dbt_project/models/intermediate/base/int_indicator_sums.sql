-- One row per indicator, factor set, year, dimension and member: sums over institutions, before any division.
-- Where some of the rows are open and some are not, it is the institutions of the closed ones that are counted: what they have
-- is the sum less the open rows, which anybody can take off.
-- A dimension of which nothing at all is known (no register yet) is left out.
--
-- int_indicator_parts has one row for each institution in each cell of a year (the test an_institution_is_one_row_of_a_cell), so that a
-- year's cells are added in one pass and counting rows counts institutions. In a period an institution has a row for each year:
-- these are added first.
with in_years as (
    select
        indicator_id,
        factor_set,
        year,
        {{ dimension_of_grouping() }} as dimension,
        {{ member_of_grouping() }} as member,
        {{ sums_over_institutions('year', 'year') }}
    from {{ ref('int_indicator_parts') }}
    where breakdown = ''
    group by indicator_id, factor_set, year, grouping sets ((), (district), (org_type), (admin_level))
    union all
    select
        indicator_id, factor_set, year, breakdown as dimension, breakdown_member as member,
        {{ sums_over_institutions('year', 'year') }}
    from {{ ref('int_indicator_parts') }}
    where breakdown <> ''
    group by indicator_id, factor_set, year, breakdown, breakdown_member
    union all
    select
        indicator_id, factor_set, year, dimension, member,
        {{ sums_over_institutions('year', 'year') }}
    from ({{ crossed_with_level(ref('int_indicator_parts')) }}) as crosses
    group by indicator_id, factor_set, year, dimension, member
),

adding_up as (
    {{ parts_of_period(ref('int_indicator_parts')) }}
),

by_institution as (
    select
        indicator_id, factor_set, reached, period_member, dimension, member, org, matched,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(closed_numerator) as closed_numerator,
        sum(closed_denominator) as closed_denominator,
        min(year) as first_year,
        max(year) as last_year,
        bool_and(complete) as complete,
        bool_or(registered) as registered,
        bool_or(names_institution) as names_institution,
        bool_or(synthetic) as synthetic,
        bool_or(closed) as closed
    from adding_up
    group by indicator_id, factor_set, reached, period_member, dimension, member, org, matched
),

in_period as (
    select
        indicator_id, factor_set, reached as year,
        case dimension when 'total' then 'period' else 'period/' || dimension end as dimension,
        period_member || case dimension when 'total' then '' else '/' || member end as member,
        {{ sums_over_institutions('first_year', 'last_year') }}
    from by_institution
    group by indicator_id, factor_set, reached, period_member, by_institution.dimension, by_institution.member
),

summed as (
    select * from in_years
    union all
    select * from in_period
)

select *
from summed
qualify
    bool_or(member <> 'unknown' and member not like '%/unknown' and member not like 'unknown/%' and member not like '%/unknown/%')
        over (partition by indicator_id, factor_set, dimension)
