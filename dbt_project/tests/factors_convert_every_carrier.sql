-- Every factor set converts every carrier in every year, and names only factors of the registry.
select sets.factor_set, sets.carrier, sets.factor_id, sets.density_id
from {{ ref('stg_factor_sets') }} as sets
left join {{ ref('stg_factors') }} as factor on factor.factor_id = sets.factor_id and factor.metric = sets.metric
left join {{ ref('stg_factors') }} as density on density.factor_id = sets.density_id and density.metric = 'density'
where
    (sets.factor_id is not null and factor.factor_id is null)
    or (sets.density_id is not null and density.factor_id is null)
union all
select wanted.factor_set, wanted.carrier, null, null
from (
    select sets.factor_set, used.carrier, used.year
    from (select distinct factor_set from {{ ref('int_carrier_factors') }} where metric = 'kgce') as sets
    cross join (
        select distinct carrier, year
        from {{ ref('int_energy_use') }}
        where carrier not in ('water', 'electricity_cost', 'water_cost')
    ) as used
) as wanted
left join {{ ref('int_carrier_factors') }} as known
    on known.factor_set = wanted.factor_set
    and known.carrier = wanted.carrier
    and known.year = wanted.year
    and known.metric = 'kgce'
where known.per_unit is null
