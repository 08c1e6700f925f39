with source as (
    select * from {{ source('city', 'factors') }}
),

renamed as (
    select
        factor_id,
        carrier,
        metric,
        cast(value as decimal(18, 6)) as value,
        per_unit,
        basis,
        region,
        cast(valid_year as integer) as valid_year,
        source,
        source_zh,
        confidence,
        {{ name_of('use') }}
    from source
)

{{ unioned([of_profile('seed_factors'), 'renamed'], [
    'factor_id',
    'carrier',
    'metric',
    'value',
    'per_unit',
    'basis',
    'region',
    'valid_year',
    'source',
    'source_zh',
    'confidence',
    name_of('use'),
]) }}
