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
    case benchmarks.dimension when 'base' then cast(city.base_year as string) else benchmarks.member end as member
from {{ ref('stg_benchmarks') }} as benchmarks
cross join {{ ref('stg_city') }} as city
order by benchmarks.benchmark_id
