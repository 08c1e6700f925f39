with source as (
    select * from {{ source('city', 'units') }}
),

renamed as (
    select
        claim_unit,
        indicator_unit,
        cast(multiplier as decimal(18, 10)) as multiplier
    from source
)

{{ unioned([of_profile('seed_units'), 'renamed'], [
    'claim_unit',
    'indicator_unit',
    'multiplier',
]) }}
