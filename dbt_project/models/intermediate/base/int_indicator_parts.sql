-- One row per indicator, factor set, year, institution and breakdown: the institution's part of the numerator and of the
-- denominator. In a ratio an institution that lacks either is not matched and counts in neither.
with facts as (
    select
        measure, factor_set, year, org, breakdown, breakdown_member, district, org_type, admin_level,
        sum(amount) as amount,
        bool_or(synthetic) as synthetic,
        bool_or(closed) as closed
    from {{ ref('int_facts') }}
    where year is not null
    group by
        measure, factor_set, year, org, breakdown, breakdown_member, district, org_type, admin_level
),

sums as (
    select
        indicators.indicator_id,
        indicators.adds_over_years,
        facts.* exclude (measure, amount),
        facts.amount as numerator,
        cast(null as decimal(28, 6)) as denominator,
        true as matched
    from {{ ref('seed_indicators') }} as indicators
    inner join facts on facts.measure = indicators.numerator
    where indicators.denominator is null
),

ratios as (
    select
        indicators.indicator_id,
        indicators.adds_over_years,
        case when above.factor_set <> 'none' then above.factor_set else coalesce(below.factor_set, 'none') end as factor_set,
        above.* exclude (measure, factor_set, amount, synthetic, closed),
        above.synthetic or coalesce(below.synthetic, false) as synthetic,
        above.closed or coalesce(below.closed, false) as closed,
        above.amount as numerator,
        below.amount as denominator,
        below.org is not null as matched
    from {{ ref('seed_indicators') }} as indicators
    inner join facts as above on above.measure = indicators.numerator and above.breakdown = ''
    left join facts as below
        on below.measure = indicators.denominator and below.breakdown = '' and below.org = above.org and below.year = above.year
    where indicators.denominator is not null
)

select * from sums
union all by name
select * from ratios
