-- How far the city is from each target and average, in each year it has a value. What a benchmark is held against is an
-- indicator value by the factors of the set `default`, for official averages count electricity at its calorific value.
with benchmarks as (
    select
        {{ all_but('benchmarks', ['member']) }},
        case benchmarks.dimension when 'base' then cast(periods.base_year as string) else benchmarks.member end as member,
        periods.base_year as city_base_year,
        indicators.better
    from {{ ref('stg_benchmarks') }} as benchmarks
    inner join {{ ref('stg_periods') }} as periods on {{ is_of_period('benchmarks.year', 'periods') }}
    inner join {{ ref('stg_indicators') }} as indicators
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
    cast(null as string) as status,
    cast(null as string) as note_zh,
    cast(null as string) as note_en,
    found.synthetic,
    found.closed,
    nullif(concat_ws(
        ' ',
        case
            when benchmarks.base_year <> benchmarks.city_base_year then
                'other_base_year:' || benchmarks.base_year || '/' || benchmarks.city_base_year
        end,
        case when benchmarks.comparison = 'average' and found.year <> benchmarks.year then 'average_of:' || benchmarks.year end,
        case when {{ begins_with('found.indicator_id', "'co2_'") }} then 'electricity_alone' end
    ), '') as note_codes
from benchmarks
inner join {{ ref('int_indicator_values') }} as found
    on found.indicator_id = benchmarks.indicator_id
    and found.dimension = benchmarks.dimension
    and found.member = benchmarks.member
    and found.factor_set in ('default', 'none')
where found.value is not null
order by benchmarks.benchmark_id, found.year
