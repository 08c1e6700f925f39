-- One row per measure made of several items (seed_items), institution and year: whether every required item was stated, and
-- what a comparison with another year needs to be equal. An item is stated in months, a bit each. What is `required`, or
-- required `beside` it in a comparison (the parts of a bill are compared over the institutions of the whole bill, so that they
-- add up to it), must be stated in the same months as every other such item; what must be the `same` is stated in both years or
-- in neither; `optional` items may be left empty and count as nothing.
with stated as (
    select 'energy_use' as dataset, org, year, carrier as item, months
    from {{ ref('int_energy_use') }}
    union all
    select
        'vehicle_costs' as dataset,
        org,
        cast(substr(month, 1, 4) as integer) as year,
        {{ each_of(list_of(["'all'", "case when service in ('加油', '充电') then 'fuel_or_charging' else service end"])) }} as item,
        {{ month_bit('month') }} as months
    from {{ with_org(ref('stg_vehicle_costs')) }}
),

by_year as (
    select dataset, org, year, item, bit_or(months) as months from stated group by dataset, org, year, item
),

needed as (
    select
        measure,
        count(*) filter (where need = 'required') as required,
        count(*) filter (where need in ('required', 'beside')) as compared
    from {{ ref('seed_items') }}
    group by measure
),

found as (
    select
        items.measure,
        by_year.org,
        by_year.year,
        count(*) filter (where items.need = 'required') as required,
        count(*) filter (where items.need in ('required', 'beside')) as compared,
        bit_or(by_year.months) filter (where items.need = 'required') as months,
        bit_and(by_year.months) filter (where items.need = 'required') as months_of_all,
        bit_or(by_year.months) filter (where items.need in ('required', 'beside')) as compared_months,
        bit_and(by_year.months) filter (where items.need in ('required', 'beside')) as compared_months_of_all,
        coalesce({{ joined_in_order('items.item', ' ', only="items.need = 'same'") }}, '') as same_items,
        coalesce({{ joined_in_order('items.item', ' ', only="items.need = 'optional'") }}, '') as optional_items
    from {{ ref('seed_items') }} as items
    inner join by_year on by_year.dataset = items.dataset and by_year.item = items.item
    group by items.measure, by_year.org, by_year.year
)

select
    found.measure,
    found.org,
    found.year,
    found.required = needed.required and found.months = found.months_of_all as complete,
    -- null where it cannot be compared with any year
    case
        when found.compared = needed.compared and found.compared_months = found.compared_months_of_all then
            found.compared_months || ' ' || found.same_items
    end as comparable_as,
    found.optional_items
from found
inner join needed on needed.measure = found.measure
