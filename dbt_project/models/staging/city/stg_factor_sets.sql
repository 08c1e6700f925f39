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

select * from {{ of_profile('seed_factor_sets') }}
union all by name
select * from renamed
