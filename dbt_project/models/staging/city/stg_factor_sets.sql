with source as (
    select * from {{ source('city', 'factor_sets') }}
),

renamed as (
    select
        factor_set,
        metric,
        carrier,
        factor_id,
        basis,
        region,
        coalesce(newest, false) as newest,
        density_id,
        cast(coalesce(multiplier, 1) as decimal(18, 6)) as multiplier
    from source
)

{{ unioned([of_profile('seed_factor_sets'), 'renamed'], [
    'factor_set',
    'metric',
    'carrier',
    'factor_id',
    'basis',
    'region',
    'newest',
    'density_id',
    'multiplier',
]) }}
