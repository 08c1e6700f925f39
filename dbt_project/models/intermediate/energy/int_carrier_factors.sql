-- One row per factor set and energy carrier: kgce for one unit of the carrier as the contract counts it (kWh, m³, L, t, kg,
-- GJ, tce). A litre weighs its density; a tonne and a gigajoule are 1,000 of the factor's own unit.
select
    sets.factor_set,
    sets.carrier,
    cast(
        round(coalesce(factor.value, 1) * coalesce(density.value, 1) * sets.multiplier, 6) as decimal(10, 6)
    ) as kgce_per_unit
from {{ ref('seed_factor_sets') }} as sets
left join {{ ref('seed_factors') }} as factor on factor.factor_id = sets.factor_id
left join {{ ref('seed_factors') }} as density on density.factor_id = sets.density_id
