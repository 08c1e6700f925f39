-- One row per measure, factor set, institution, year, carrier, file and sheet: energy in kgce (whole and by carrier),
-- electricity in kWh, water in m³.
with use as (
    select * from {{ ref('int_energy_use') }}
),

-- A record counts once, however many carriers it states: electricity is required, so nobody states more records than it.
converted as (
    select
        factors.factor_set,
        use.*,
        cast(use.quantity * factors.kgce_per_unit as decimal(28, 6)) as kgce
    from use
    inner join {{ ref('int_carrier_factors') }} as factors on factors.carrier = use.carrier
),

facts as (
    select
        'energy_kgce' as measure, factor_set, year, org, '' as breakdown, '' as breakdown_member, file_id, sheet,
        sum(kgce) as amount, max(records) as records
    from converted
    group by factor_set, year, org, file_id, sheet
    union all
    select
        'energy_kgce', factor_set, year, org, 'carrier', carrier, file_id, sheet, kgce, records
    from converted
    union all
    select
        carrier, 'none', year, org, '', '', file_id, sheet, quantity, records
    from use
    where carrier in ('electricity', 'water')
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
    true as closed
from facts
