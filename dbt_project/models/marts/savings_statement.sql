-- Each line in each year it has a value, and over the period where its years add up. Lines of different nature are never added.
with lines as (
    select
        {{ all_but('savings', ['member']) }},
        case savings.dimension when 'base' then cast(city.base_year as string) else savings.member end as member,
        case savings.dimension when 'total' then 'period' else 'period/' || savings.dimension end as period_dimension,
        city.period_member
            || case savings.dimension when 'total' then '' else '/' || savings.member end as period_member
    from {{ ref('seed_savings') }} as savings
    cross join {{ ref('stg_city') }} as city
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
    and (
        (found.dimension = lines.dimension and found.member = lines.member)
        or (found.dimension = lines.period_dimension and found.member = lines.period_member)
    )
order by lines.line, whole_period, found.year
