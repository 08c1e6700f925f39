with source as (
    select * from {{ source('city', 'benchmarks') }}
),

renamed as (
    select
        benchmark_id,
        name_zh,
        name_en,
        cast(year as integer) as year,
        cast(value as decimal(18, 6)) as value,
        unit,
        source,
        source_zh,
        comparison,
        cast(base_year as integer) as base_year,
        indicator_id,
        dimension,
        member
    from source
)

{{ unioned([of_profile('seed_benchmarks'), 'renamed'], [
    'benchmark_id',
    'name_zh',
    'name_en',
    'year',
    'value',
    'unit',
    'source',
    'source_zh',
    'comparison',
    'base_year',
    'indicator_id',
    'dimension',
    'member',
]) }}
