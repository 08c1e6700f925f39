-- One row per measure, factor set, institution, year, carrier, file and sheet: energy in kgce (whole and by carrier), CO2 of
-- the electricity bought, electricity in kWh, water in m³, and what both cost. What other factor sets give counts in the total
-- alone: by district two sets side by side would tell the electricity of a district whose own figure is hidden.
with use as (
    select * from {{ ref('int_energy_use') }}
),

-- A record counts once, however many carriers it states: electricity is required, so nobody states more records than it.
converted as (
    select
        factors.factor_set,
        factors.metric,
        case factors.factor_set when 'default' then '' else 'total' end as breakdown,
        case factors.factor_set when 'default' then '' else 'all' end as breakdown_member,
        use.*,
        cast(use.quantity * factors.per_unit as decimal(28, 6)) as amount
    from use
    inner join {{ ref('int_carrier_factors') }} as factors on factors.carrier = use.carrier and factors.year = use.year
),

facts as (
    select
        case metric when 'kgce' then 'energy_kgce' else 'co2_electricity' end as measure,
        factor_set, year, org, breakdown, breakdown_member, file_id, sheet,
        sum(amount) as amount, max(records) as records
    from converted
    group by metric, factor_set, year, org, breakdown, breakdown_member, file_id, sheet
    union all
    select
        'energy_kgce', factor_set, year, org, 'carrier', carrier, file_id, sheet, amount, records
    from converted
    where metric = 'kgce' and factor_set = 'default'
    union all
    select
        carrier, 'none', year, org, '', '', file_id, sheet, quantity, records
    from use
    where carrier in ('electricity', 'water', 'natural_gas', 'electricity_cost', 'water_cost')
    union all
    select
        'utility_cost', 'none', year, org, '', '', file_id, sheet, sum(quantity), max(records)
    from use
    where carrier in ('electricity_cost', 'water_cost')
    group by year, org, file_id, sheet
)

select
    measure,
    factor_set,
    year,
    org,
    breakdown,
    breakdown_member,
    'energy_use' as dataset,
    file_id,
    sheet,
    cast(amount as decimal(28, 6)) as amount,
    records,
    true as closed,
    {{ no_numbers() }} as sheet_rows
from facts
