-- Every factor set converts every carrier, and names only factors of the registry.
select sets.factor_set, sets.carrier, sets.factor_id, sets.density_id
from {{ ref('seed_factor_sets') }} as sets
left join {{ ref('seed_factors') }} as factor on factor.factor_id = sets.factor_id and factor.metric = 'kgce'
left join {{ ref('seed_factors') }} as density on density.factor_id = sets.density_id and density.metric = 'density'
where
    (sets.factor_id is not null and factor.factor_id is null)
    or (sets.density_id is not null and density.factor_id is null)
union all
select wanted.factor_set, wanted.carrier, null, null
from (
    select sets.factor_set, carriers.carrier
    from (select distinct factor_set from {{ ref('seed_factor_sets') }}) as sets
    cross join (select distinct carrier from {{ ref('int_energy_use') }} where carrier <> 'water') as carriers
) as wanted
left join {{ ref('seed_factor_sets') }} as known using (factor_set, carrier)
where known.carrier is null
