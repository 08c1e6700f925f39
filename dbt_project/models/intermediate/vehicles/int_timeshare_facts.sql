-- Shared cars and their trips. A trip's row names no institution: it is that of the car.
with cars as (
    select
        {{ all_but('', ['batch']) }},
        cast(batch as string) as batch,
        extract(year from start_on) as year,
        row_number() over (partition by org order by batch, start_on, vehicle_id) = 1 as first
    from {{ with_org(ref('stg_timeshare_vehicles')) }}
),

first_car as (
    select {{ all_but('', ['org']) }}, '(city)' as org, 100 * extract(year from start_on) + extract(month from start_on) as started
    from cars
    qualify row_number() over (order by start_on, vehicle_id) = 1
),

trips as (
    select trips.*, coalesce(cars.org, '(unknown)') as org, cast(substr(trips.month, 1, 4) as integer) as year
    from {{ ref('stg_timeshare_trips') }} as trips
    left join cars on cars.vehicle_id = trips.vehicle_id
)

{{ facts('cars', 'timeshare_vehicles', [
    ('timeshare_vehicles', '1', ['batch']), ('timeshare_units', 'cast(first as integer)', ['batch']),
]) }}
union all
{{ facts('first_car', 'timeshare_vehicles', [('timeshare_start', 'started')]) }}
union all
{{ facts('trips', 'timeshare_trips', [
    ('timeshare_trips', 'trips'),
    ('timeshare_km', 'km'),
    ('timeshare_minutes', 'minutes'),
    ('timeshare_fee', 'fee'),
    ('timeshare_vehicle_months', '1'),
], closed=true) }}
