-- One row per indicator, factor set, year, institution and breakdown: the institution's part of the numerator and of the
-- denominator. In a ratio an institution that lacks either is not matched and counts in neither. A ratio that is broken down is
-- held against the same part of the denominator where that is broken down likewise, else against the whole. What of either
-- comes from rows that are not open stands beside it: the rest anybody can add up. Of a numerator made of several items
-- (int_items_stated) it says whether the institution stated every one that is required, and what of it a comparison needs equal.
with facts as (
    select
        measure, factor_set, year, org, breakdown, breakdown_member, district, org_type, admin_level,
        sum(amount) as amount,
        sum(amount) filter (where closed) as closed_amount,
        bool_or(synthetic) as synthetic,
        bool_or(closed) as closed
    from {{ ref('int_facts') }}
    where year is not null
    group by
        measure, factor_set, year, org, breakdown, breakdown_member, district, org_type, admin_level
),

broken_down as (
    select distinct measure, breakdown from facts where breakdown not in ('', 'total')
),

sums as (
    select
        indicators.indicator_id,
        indicators.adds_over_years,
        {{ all_but('facts', ['measure', 'amount', 'closed_amount']) }},
        cast(null as string) as below_breakdown,
        cast(null as string) as below_member,
        facts.amount as numerator,
        cast(null as decimal(28, 6)) as denominator,
        facts.closed_amount as closed_numerator,
        cast(null as decimal(28, 6)) as closed_denominator,
        true as matched
    from {{ ref('stg_indicators') }} as indicators
    inner join facts on facts.measure = indicators.numerator
    where indicators.denominator is null
),

above as (
    select
        indicators.indicator_id,
        indicators.adds_over_years,
        indicators.denominator as below_measure,
        facts.*,
        case when broken_down.measure is not null then facts.breakdown else '' end as below_breakdown,
        case when broken_down.measure is not null then facts.breakdown_member else '' end as below_member
    from {{ ref('stg_indicators') }} as indicators
    inner join facts on facts.measure = indicators.numerator
    left join broken_down
        on broken_down.measure = indicators.denominator and broken_down.breakdown = facts.breakdown
    where indicators.denominator is not null and (facts.breakdown in ('', 'total') or indicators.by_breakdown)
),

-- A denominator that counts in the total alone, because it is converted by another set of factors, is the whole there. No measure has
-- both by the same factors (the test an_institution_is_one_row_of_a_cell).
below_facts as (
    select
        *,
        case when breakdown = 'total' then '' else breakdown end as of_breakdown,
        case when breakdown = 'total' then '' else breakdown_member end as of_member
    from facts
),

ratios as (
    select
        above.indicator_id,
        above.adds_over_years,
        case when above.factor_set <> 'none' then above.factor_set else coalesce(below.factor_set, 'none') end as factor_set,
        {{ all_but('above', ['indicator_id', 'adds_over_years', 'below_measure', 'measure', 'factor_set', 'amount', 'closed_amount', 'synthetic', 'closed', 'below_breakdown', 'below_member']) }},
        coalesce(below.breakdown, above.below_breakdown) as below_breakdown,
        coalesce(below.breakdown_member, above.below_member) as below_member,
        above.synthetic or coalesce(below.synthetic, false) as synthetic,
        above.closed or coalesce(below.closed, false) as closed,
        above.amount as numerator,
        below.amount as denominator,
        above.closed_amount as closed_numerator,
        below.closed_amount as closed_denominator,
        below.org is not null as matched
    from above
    left join below_facts as below
        on below.measure = above.below_measure
        and below.of_breakdown = above.below_breakdown
        and below.of_member = above.below_member
        and below.org = above.org
        and below.year = above.year
        -- of a quotient of two converted quantities, both by the same factors
        and (above.factor_set = 'none' or below.factor_set in ('none', above.factor_set))
),

parts as (
    {{ unioned(['sums', 'ratios'], [
        'indicator_id', 'adds_over_years', 'factor_set', 'year', 'org', 'breakdown', 'breakdown_member', 'district', 'org_type',
        'admin_level', 'synthetic', 'closed', 'below_breakdown', 'below_member', 'numerator', 'denominator', 'closed_numerator',
        'closed_denominator', 'matched',
    ]) }}
)

select
    parts.*,
    not {{ begins_with('parts.org', "'('") }} as names_institution,
    register.org is not null as registered,
    coalesce(items.complete, true) as complete,
    case when items.measure is null then '' else items.comparable_as end as comparable_as,
    coalesce(items.optional_items, '') as optional_items
from parts
inner join {{ ref('stg_indicators') }} as indicators on indicators.indicator_id = parts.indicator_id
left join {{ ref('int_items_stated') }} as items
    on items.measure = indicators.numerator and items.org = parts.org and items.year = parts.year
left join {{ ref('int_institution_years') }} as register on register.org = parts.org and register.year = parts.year
