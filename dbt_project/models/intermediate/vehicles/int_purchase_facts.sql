-- Vehicles bought: how many, at what price, driven by what, and whether plan, budget, approval and purchase came in that order.
with purchases as (
    select
        *,
        {{ is_new_energy() }} as new_energy,
        plan_on is not null and budget_on is not null and approved_on is not null as dated
    from {{ with_org(ref('stg_vehicle_purchases')) }}
),

-- How many years in a row purchases have fallen is one figure of many institutions: of the city, and of each level.
counted as (
    select *, 'total' as dimension, 'all' as member from purchases
    union all
    select {{ all_but('', ['level']) }}, 'level' as dimension, level as member from {{ with_level('purchases') }}
),

yearly as (
    select dimension, member, year, count(*) as bought, sum(price) as spent
    from counted
    group by dimension, member, year
),

-- Years since the last that did not fall.
steps as (
    select
        now.dimension,
        now.member,
        now.year,
        case when now.bought < before.bought then null else now.year end as count_stays,
        case when now.spent < before.spent then null else now.year end as spend_stays
    from yearly as now
    left join yearly as before
        on before.year = now.year - 1 and before.dimension = now.dimension and before.member = now.member
),

streaks as (
    select
        dimension,
        member,
        year,
        year - max(count_stays) over (partition by dimension, member order by year) as count_falling,
        year - max(spend_stays) over (partition by dimension, member order by year) as spend_falling
    from steps
),

first_of_year as (
    select
        {{ all_but('counted', ['org']) }},
        '(city)' as org,
        case counted.dimension when 'total' then counted.member end as total,
        case counted.dimension when 'level' then counted.member end as level,
        streaks.count_falling,
        streaks.spend_falling
    from counted
    inner join streaks
        on streaks.year = counted.year and streaks.dimension = counted.dimension and streaks.member = counted.member
    qualify row_number() over (
        partition by counted.dimension, counted.member, counted.year
        order by counted.file_id, counted.sheet, counted.sheet_row
    ) = 1
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
    ('vehicle_purchases_falling', "case when dimension = 'total' then count_falling end", ['total'], 'parts'),
    ('vehicle_purchases_falling', "case when dimension = 'level' then count_falling end", ['level'], 'parts'),
    ('vehicle_spend_falling', "case when dimension = 'total' then spend_falling end", ['total'], 'parts'),
    ('vehicle_spend_falling', "case when dimension = 'level' then spend_falling end", ['level'], 'parts'),
]) }}
