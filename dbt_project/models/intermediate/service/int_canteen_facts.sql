-- Canteens by month and by year: which are connected, what was eaten, and whether anything was spent on receptions in the city.
with months as (
    select *, admin_level as canteen_level, cast(substr(month, 1, 4) as integer) as year
    from {{ with_org(ref('stg_canteens')) }}
),

-- A canteen once a year, as its last month says.
yearly as (
    select
        *,
        coalesce(connected_on <= make_date(year, 12, 31), false) as connected
    from months
    qualify row_number() over (partition by canteen_id, year order by month desc, file_id asc, sheet_row asc) = 1
),

phases as (
    select
        {{ all_but('', ['org']) }}, '(city)' as org,
        row_number() over (partition by phase order by year, canteen_id) = 1 as first
    from yearly
    where phase is not null
),

-- An institution and year: nothing spent, or something.
units as (
    select *, sum(in_city_reception) over (partition by org, year) as spent
    from months
    where in_city_reception is not null
    qualify row_number() over (partition by org, year order by file_id, sheet, sheet_row) = 1
)

{{ facts('months', 'canteens', [
    ('canteen_meals', 'meals', ['canteen_level']),
    ('official_meals', 'official_meals', ['canteen_level']),
    ('official_meal_amount', 'official_meal_amount', ['canteen_level']),
    ('in_city_reception', 'in_city_reception', ['canteen_level']),
]) }}
union all
{{ facts('yearly', 'canteens', [
    ('canteens', '1', ['canteen_level']), ('canteens_connected', 'cast(connected as integer)', ['canteen_level']),
]) }}
union all
{{ facts('phases', 'canteens', [('canteen_phases', 'cast(first as integer)')]) }}
union all
{{ facts('units', 'canteens', [
    ('zero_reception_units', 'cast(spent = 0 as integer)'), ('reception_units', '1'),
]) }}
