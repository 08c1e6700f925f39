-- The fleet, its mileage and cost, and each replacement held against the three conditions: eight full years, more than 250,000
-- km, and at most a tenth of the fleet at the start of the year, by unit and for the city.
with fleet as (
    select
        * exclude (year),
        cast(year as integer) as year,
        {{ is_new_energy() }} as new_energy,
        status = '已更新' and coalesce(extract(year from replaced_on), year) = year as replaced,
        first_registered_on < make_date(cast(year as integer), 1, 1)
            and coalesce(extract(year from replaced_on), year) >= year as here_at_start,
        lag(odometer_km) over (partition by vehicle_id order by year) as km_before,
        lag(year) over (partition by vehicle_id order by year) as year_before
    from {{ with_org(ref('stg_vehicles')) }}
),

counted as (
    select
        *,
        case when year_before = year - 1 and odometer_km >= km_before then odometer_km - km_before end as km_driven,
        10 * sum(cast(replaced as integer)) over (partition by org, year)
            <= sum(cast(here_at_start as integer)) over (partition by org, year) as unit_keeps_tenth,
        10 * sum(cast(replaced as integer)) over (partition by year)
            <= sum(cast(here_at_start as integer)) over (partition by year) as city_keeps_tenth
    from fleet
),

rules as (
    select
        *,
        coalesce(date_sub('year', first_registered_on, replaced_on) >= 8, false) as old_enough,
        -- A city's own condition; where it has none, every replacement meets it.
        coalesce(odometer_km > (select max(value) from {{ ref('stg_city_limits') }} where name = 'replacement_km'), true)
            as far_enough,
        coalesce(trim(exception_reason) <> '', false) as excused
    from counted
    where replaced
),

by_rule as (
    select
        rules.*,
        unnest([
            {'rule': '满8年', 'met': old_enough},
            {'rule': '满8年或例外', 'met': old_enough or excused},
            {'rule': '超25万公里', 'met': far_enough},
            {'rule': '超25万公里或例外', 'met': far_enough or excused},
            {'rule': '单位不超10%', 'met': unit_keeps_tenth},
            {'rule': '全市不超10%', 'met': city_keeps_tenth},
            {'rule': '三个条件（按单位）', 'met': old_enough and far_enough and unit_keeps_tenth},
            {'rule': '三个条件（按全市）', 'met': old_enough and far_enough and city_keeps_tenth},
            {'rule': '三个条件或例外（按全市）', 'met': (old_enough and far_enough and city_keeps_tenth) or excused},
            {'rule': '例外有理由', 'met': not (old_enough and far_enough and city_keeps_tenth) and excused},
            {'rule': '例外无理由', 'met': not (old_enough and far_enough and city_keeps_tenth) and not excused}
        ], recursive := true)
    from rules
),

costs as (
    select *, cast(substr(month, 1, 4) as integer) as year from {{ with_org(ref('stg_vehicle_costs')) }}
),

-- How many vehicles a unit's costs are for: the most it named in the year, once.
cost_vehicles as (
    select *, max(vehicle_count) over (partition by org, year) as vehicles
    from costs
    where vehicle_count is not null
    qualify row_number() over (partition by org, year order by file_id, sheet, sheet_row) = 1
)

{{ facts('counted', 'vehicles', [
    ('vehicles_in_use', "cast(status = '在用' as integer)", ['power', 'use_class']),
    ('vehicles_in_use_new_energy', "case when status = '在用' then cast(new_energy as integer) else 0 end"),
    ('vehicles_at_start', 'cast(here_at_start as integer)'),
    ('vehicles_replaced', 'cast(replaced as integer)'),
    ('vehicles_marked', "case when status = '在用' then cast(marked as integer) end"),
    ('vehicles_mark_known', "case when status = '在用' and marked is not null then 1 end"),
    ('vehicles_on_platform', "case when status = '在用' then cast(on_platform as integer) end"),
    ('vehicles_platform_known', "case when status = '在用' and on_platform is not null then 1 end"),
    ('vehicle_km', 'km_driven'),
    ('vehicles_with_km', 'case when km_driven is not null then 1 end'),
], closed=true) }}
union all
{{ facts('by_rule', 'vehicles', [('vehicle_rule_met', 'cast(met as integer)', ['rule'], 'parts')], closed=true) }}
union all
{{ facts('costs', 'vehicle_costs', [
    ('vehicle_cost', 'amount', ['service']),
    ('vehicle_cost_designated', 'case when at_designated then amount else 0 end', ['service']),
], closed=true) }}
union all
{{ facts('cost_vehicles', 'vehicle_costs', [('vehicle_cost_vehicles', 'vehicles')], closed=true) }}
