select
    benchmarks.benchmark_id,
    benchmarks.name_zh,
    benchmarks.name_en,
    benchmarks.year,
    benchmarks.value,
    benchmarks.unit,
    benchmarks.source,
    benchmarks.source_zh,
    benchmarks.comparison,
    benchmarks.indicator_id,
    benchmarks.dimension,
    case benchmarks.dimension when 'base' then cast(periods.base_year as string) else benchmarks.member end as member
from {{ ref('stg_benchmarks') }} as benchmarks
inner join {{ ref('stg_periods') }} as periods on {{ is_of_period('benchmarks.year', 'periods') }}
order by benchmarks.benchmark_id
