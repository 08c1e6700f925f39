-- One row per factor set, metric (kgce, kgCO2), carrier and year: what one unit of the carrier as the contract counts it (kWh,
-- m³, L, t, kg, GJ, tce) comes to, and by which factor. A litre weighs its density; a tonne and a gigajoule are 1,000 of the
-- factor's own unit. A set names its factor, or a kind of factor (basis), of which that of the year is taken, else the latest
-- before, else the first; `newest` takes the last for every year. What a set does not name is as in the set `default`. Region
-- `city` is the city's grid, else the country's. What a city's statements imply (原文隐含) is for that city alone.
with years as (
    select distinct year from {{ ref('int_energy_use') }}
    union
    select year from {{ ref('int_years') }}
),

named as (
    select sets.*
    from {{ ref('stg_factor_sets') }} as sets
    cross join {{ ref('stg_city') }} as city
    left join {{ ref('stg_factors') }} as factor on factor.factor_id = sets.factor_id
    where factor.basis is null or factor.basis <> '原文隐含' or factor.region = city.name_en
),

sets as (
    select * from named
    union all
    select others.factor_set, {{ all_but('defaults', ['factor_set']) }}
    from named as defaults
    inner join (select distinct factor_set, metric from named where factor_set <> 'default') as others
        on others.metric = defaults.metric
    where defaults.factor_set = 'default'
    and (others.factor_set, defaults.metric, defaults.carrier) not in (select factor_set, metric, carrier from named)
),

choices as (
    select
        sets.factor_set,
        sets.metric,
        sets.carrier,
        sets.multiplier,
        sets.density_id,
        years.year,
        factor.factor_id,
        factor.value,
        row_number() over (
            partition by sets.factor_set, sets.metric, sets.carrier, years.year
            order by
                case when factor.region = city.grid_region then 0 else 1 end,
                case when sets.newest or coalesce(factor.valid_year, 0) <= years.year then 0 else 1 end,
                case when sets.newest or factor.valid_year <= years.year then -factor.valid_year else factor.valid_year end
        ) as place
    from sets
    cross join years
    cross join {{ ref('stg_city') }} as city
    left join {{ ref('stg_factors') }} as factor
        on factor.factor_id = sets.factor_id
        or (
            sets.basis is not null
            and factor.carrier = sets.carrier
            and factor.metric = sets.metric
            and (
                (factor.basis = sets.basis and factor.region = case sets.region when 'city' then city.grid_region else sets.region end)
                or (sets.region = 'city' and factor.region = 'CN' and factor.basis = '全国平均')
            )
        )
)

select
    choices.factor_set,
    choices.metric,
    choices.carrier,
    choices.year,
    choices.factor_id,
    cast(
        round(coalesce(choices.value, 1) * coalesce(density.value, 1) * choices.multiplier, 6) as decimal(10, 6)
    ) as per_unit
from choices
left join {{ ref('stg_factors') }} as density on density.factor_id = choices.density_id
where choices.place = 1
