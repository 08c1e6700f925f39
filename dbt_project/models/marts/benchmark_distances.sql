-- How far the city is from each target and average, in each year it has a value. What a benchmark is held against is an
-- indicator value by the factors of the set `default`, for official averages count electricity at its calorific value.
with benchmarks as (
    select
        benchmarks.* exclude (member),
        case benchmarks.dimension when 'base' then cast(city.base_year as varchar) else benchmarks.member end as member,
        city.base_year as city_base_year,
        indicators.better
    from {{ ref('seed_benchmarks') }} as benchmarks
    cross join {{ ref('stg_city') }} as city
    inner join {{ ref('seed_indicators') }} as indicators
        on indicators.indicator_id = benchmarks.indicator_id and indicators.unit = benchmarks.unit
)

select
    benchmarks.benchmark_id,
    benchmarks.comparison,
    found.year,
    found.indicator_id,
    found.dimension,
    found.member,
    found.factor_set,
    found.value,
    benchmarks.value as benchmark_value,
    benchmarks.year as benchmark_year,
    benchmarks.unit,
    cast(found.value - benchmarks.value as decimal(28, 6)) as difference,
    case
        when benchmarks.comparison = 'average' then
            {{ half_up(millionths('(found.value - benchmarks.value)') ~ ' * 100', millionths('benchmarks.value'), 2) }}
    end as percent,
    case
        when benchmarks.comparison = 'average' or benchmarks.base_year <> benchmarks.city_base_year then null
        when benchmarks.better = 'up' then found.value >= benchmarks.value
        else found.value <= benchmarks.value
    end as reached,
    cast(null as varchar) as status,
    nullif(concat_ws(
        ' ',
        case
            when benchmarks.base_year <> benchmarks.city_base_year then
                '目标以 ' || benchmarks.base_year || ' 年为基期，本市的变化以 ' || benchmarks.city_base_year
                || ' 年为基期：只列距离，不判断是否达到。'
        end,
        case when benchmarks.comparison = 'average' and found.year <> benchmarks.year then '参照的是 ' || benchmarks.year || ' 年的平均数。' end,
        case when starts_with(found.indicator_id, 'co2_') then '本市只计用电的排放，目标的范围更宽。' end
    ), '') as note_zh,
    nullif(concat_ws(
        ' ',
        case
            when benchmarks.base_year <> benchmarks.city_base_year then
                'The target counts from ' || benchmarks.base_year || ', the city''s change from ' || benchmarks.city_base_year
                || ': the distance is given, not whether it is met.'
        end,
        case when benchmarks.comparison = 'average' and found.year <> benchmarks.year then 'The average is of ' || benchmarks.year || '.' end,
        case when starts_with(found.indicator_id, 'co2_') then 'The city''s figure is the CO2 of electricity alone; the target is wider.' end
    ), '') as note_en,
    found.synthetic,
    found.closed
from benchmarks
inner join {{ ref('int_indicator_values') }} as found
    on found.indicator_id = benchmarks.indicator_id
    and found.dimension = benchmarks.dimension
    and found.member = benchmarks.member
    and found.factor_set in ('default', 'none')
where found.value is not null
order by benchmarks.benchmark_id, found.year
