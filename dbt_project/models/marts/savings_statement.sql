-- Each line in each year it has a value, and over each period where its years add up. Lines of different nature are never added.
with savings as (
    select *, case dimension when 'total' then 'period' else 'period/' || dimension end as period_dimension
    from {{ ref('seed_savings') }}
),

lines as (
    select {{ all_but('savings', ['dimension', 'member', 'period_dimension']) }}, savings.dimension, savings.member
    from savings
    where dimension <> 'base'
    union all
    select
        {{ all_but('savings', ['dimension', 'member', 'period_dimension']) }}, savings.dimension,
        cast(bases.base_year as string) as member
    from savings
    cross join (select distinct base_year from {{ ref('stg_periods') }} where base_year is not null) as bases
    where savings.dimension = 'base'
    union all
    select
        {{ all_but('savings', ['dimension', 'member', 'period_dimension']) }}, savings.period_dimension as dimension,
        periods.period_member || case savings.dimension when 'total' then '' else '/' || savings.member end as member
    from savings
    cross join {{ ref('stg_periods') }} as periods
)

select
    lines.line,
    lines.nature,
    lines.name_zh,
    lines.name_en,
    found.year,
    {{ begins_with('found.dimension', "'period'") }} as whole_period,
    found.value,
    found.unit,
    cast(null as string) as status,
    found.indicator_id,
    found.dimension,
    found.member,
    found.factor_set,
    lines.explanation_zh,
    lines.explanation_en,
    found.synthetic,
    found.closed
from lines
inner join {{ ref('int_indicator_values') }} as found
    on found.indicator_id = lines.indicator_id
    and found.factor_set = lines.factor_set
    and found.dimension = lines.dimension
    and found.member = lines.member
order by lines.line, whole_period, found.year
