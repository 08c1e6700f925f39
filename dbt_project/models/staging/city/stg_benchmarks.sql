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

select * from {{ of_profile('seed_benchmarks') }}
union all by name
select * from renamed
