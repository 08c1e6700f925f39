-- Vehicles bought: how many, at what price, driven by what, and whether plan, budget, approval and purchase came in that order.
with purchases as (
    select
        *,
        {{ is_new_energy() }} as new_energy,
        plan_on is not null and budget_on is not null and approved_on is not null as dated
    from {{ with_org(ref('stg_vehicle_purchases')) }}
),

yearly as (
    select year, count(*) as bought, sum(price) as spent from purchases group by year
),

-- How many years in a row each has fallen: years since the last that did not.
steps as (
    select
        now.year,
        case when now.bought < before.bought then null else now.year end as count_stays,
        case when now.spent < before.spent then null else now.year end as spend_stays
    from yearly as now
    left join yearly as before on before.year = now.year - 1
),

streaks as (
    select
        year,
        year - max(count_stays) over (order by year) as count_falling,
        year - max(spend_stays) over (order by year) as spend_falling
    from steps
),

first_of_year as (
    select purchases.* replace ('(city)' as org), streaks.count_falling, streaks.spend_falling
    from purchases
    inner join streaks on streaks.year = purchases.year
    qualify row_number() over (partition by purchases.year order by purchases.file_id, purchases.sheet, purchases.sheet_row) = 1
)

{{ facts('purchases', 'vehicle_purchases', [
    ('vehicle_purchases', '1', ['power']),
    ('vehicle_purchase_amount', 'price', ['power']),
    ('nev_purchases', 'cast(new_energy as integer)'),
    ('vehicle_purchases_dated', 'case when dated then 1 end'),
    ('vehicle_purchases_in_order', 'case when dated then cast(plan_on <= budget_on and budget_on <= approved_on and approved_on <= purchased_on as integer) end'),
    ('vehicle_purchases_over_price', 'cast(price > 180000 as integer)'),
]) }}
union all
{{ facts('first_of_year', 'vehicle_purchases', [
    ('vehicle_purchases_falling', 'count_falling'), ('vehicle_spend_falling', 'spend_falling'),
]) }}
