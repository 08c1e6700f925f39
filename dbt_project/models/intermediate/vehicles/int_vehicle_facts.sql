-- The fleet, its mileage and cost, and each replacement held against the three conditions: eight full years (the national
-- rule), and the city's own two (its limits.csv): more than so many km, and at most so large a share of the fleet at the start
-- of the year, by unit and for the city. Where a city has no such condition, every replacement meets it.
with limits as (
    select
        max(value) filter (where name = 'replacement_km') as km,
        max(value) filter (where name = 'replacement_share') as share
    from {{ ref('stg_city_limits') }}
),

named_limits as (
    select
        *,
        coalesce('超' || {{ plain('km / 10000') }} || '万公里', '里程不限') as rule_km,
        coalesce('不超' || {{ plain('share * 100') }} || '%', '数量不限') as rule_share
    from limits
),

fleet as (
    select
        {{ all_but('', ['year']) }},
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
        sum(cast(replaced as integer)) over (partition by org, year) as unit_replaced,
        sum(cast(here_at_start as integer)) over (partition by org, year) as unit_had,
        sum(cast(replaced as integer)) over (partition by year) as city_replaced,
        sum(cast(here_at_start as integer)) over (partition by year) as city_had
    from fleet
),

rules as (
    select
        counted.*,
        limits.rule_km,
        limits.rule_share,
        coalesce({{ whole_years_between('first_registered_on', 'replaced_on') }} >= 8, false) as old_enough,
        limits.km is null or coalesce(odometer_km > limits.km, false) as far_enough,
        coalesce(unit_replaced <= unit_had * limits.share, true) as unit_keeps_share,
        coalesce(city_replaced <= city_had * limits.share, true) as city_keeps_share,
        coalesce(trim(exception_reason) <> '', false) as excused
    from counted
    cross join named_limits as limits
    where replaced
),

by_rule as (
    select
        rules.*,
        {{ each_row([
            {'rule': "'满8年'", 'met': "old_enough"},
            {'rule': "'满8年或例外'", 'met': "old_enough or excused"},
            {'rule': "rule_km", 'met': "far_enough"},
            {'rule': "rule_km || '或例外'", 'met': "far_enough or excused"},
            {'rule': "'单位' || rule_share", 'met': "unit_keeps_share"},
            {'rule': "'全市' || rule_share", 'met': "city_keeps_share"},
            {'rule': "'三个条件（按单位）'", 'met': "old_enough and far_enough and unit_keeps_share"},
            {'rule': "'三个条件（按全市）'", 'met': "old_enough and far_enough and city_keeps_share"},
            {'rule': "'三个条件或例外（按全市）'", 'met': "(old_enough and far_enough and city_keeps_share) or excused"},
            {'rule': "'例外有理由'", 'met': "not (old_enough and far_enough and city_keeps_share) and excused"},
            {'rule': "'例外无理由'", 'met': "not (old_enough and far_enough and city_keeps_share) and not excused"},
        ]) }}
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
