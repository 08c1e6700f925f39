-- One row per indicator, factor set, year, dimension and member: sums over institutions, before any division.
-- Where some of the rows are open and some are not, it is the institutions of the closed ones that are counted: what they have
-- is the sum less the open rows, which anybody can take off.
-- A dimension of which nothing at all is known (no register yet) is left out.
with parts as (
    {{ by_dimension_and_cross(ref('int_indicator_parts')) }}
),

years_and_period as (
    {{ with_period('parts') }}
),

by_institution as (
    select
        indicator_id, factor_set, year, dimension, member, org, matched,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(closed_numerator) as closed_numerator,
        sum(closed_denominator) as closed_denominator,
        min(in_year) as first_in,
        max(in_year) as last_in,
        bool_and(complete) as complete,
        bool_or(registered) as registered,
        bool_or(names_institution) as names_institution,
        bool_or(synthetic) as synthetic,
        bool_or(closed) as closed
    from years_and_period
    group by indicator_id, factor_set, year, dimension, member, org, matched
),

-- One row of by_institution is one institution, matched or not, so that counting rows counts institutions.
summed as (
    select
        indicator_id,
        factor_set,
        year,
        dimension,
        member,
        sum(numerator) filter (where matched) as numerator,
        sum(denominator) filter (where matched) as denominator,
        sum(closed_numerator) filter (where matched) as closed_numerator,
        case
            when coalesce(bool_or(closed) filter (where matched), false) then count(*) filter (where matched and closed)
            else count(*) filter (where matched)
        end as contributors,
        count(*) filter (where not matched) as left_out,
        count(*) filter (where matched and names_institution and complete) as reporting,
        count(*) filter (where matched and names_institution and not complete) as partly,
        count(*) filter (where matched and names_institution and not registered) as unregistered,
        bool_or(names_institution) as names_institution,
        min(first_in) filter (where matched) as first_in,
        max(last_in) filter (where matched) as last_in,
        coalesce(
            greatest(
                max(abs(closed_numerator)) filter (where matched) / nullif(sum(abs(closed_numerator)) filter (where matched), 0),
                max(abs(closed_denominator)) filter (where matched) / nullif(sum(abs(closed_denominator)) filter (where matched), 0)
            ),
            greatest(
                max(abs(numerator)) filter (where matched) / nullif(sum(abs(numerator)) filter (where matched), 0),
                max(abs(denominator)) filter (where matched) / nullif(sum(abs(denominator)) filter (where matched), 0)
            )
        ) as largest_share,
        coalesce(bool_or(synthetic) filter (where matched), bool_or(synthetic)) as synthetic,
        bool_or(closed) as closed
    from by_institution
    group by indicator_id, factor_set, year, dimension, member
)

select *
from summed
qualify
    bool_or(member <> 'unknown' and member not like '%/unknown' and member not like 'unknown/%' and member not like '%/unknown/%')
        over (partition by indicator_id, factor_set, dimension)
