-- A factor belongs to the sets that use it for some carrier and year of this city.
with used as (
    select factor_id as id, factor_set from {{ ref('int_carrier_factors') }}
    union
    select density_id, factor_set from {{ ref('stg_factor_sets') }}
)

select
    factors.factor_id,
    factors.carrier,
    factors.metric,
    factors.value,
    factors.per_unit,
    factors.basis,
    factors.region,
    factors.valid_year,
    factors.source,
    factors.source_zh,
    factors.confidence,
    factors.{{ name_of('use') }} as use_note,
    {{ joined_in_order('used.factor_set', ',') }} as factor_sets
from {{ ref('stg_factors') }} as factors
left join used on used.id = factors.factor_id
group by all
order by factors.factor_id
