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

select * from {{ of_profile('seed_units') }}
union all by name
select * from renamed
