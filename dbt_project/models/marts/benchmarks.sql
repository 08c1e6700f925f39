select
    benchmark_id,
    name_zh,
    name_en,
    year,
    value,
    unit,
    source
from {{ ref('seed_benchmarks') }}
order by benchmark_id
