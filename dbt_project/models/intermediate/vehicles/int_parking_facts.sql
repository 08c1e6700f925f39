-- One row per measure, institution, year, file and sheet: who has a car park open at the end of the year, and its spaces.
-- A lot counts from the year it opened, else from the first year of its sheet's period; an undated one in the latest year
-- of all, for the list it stands in says that it is open now. A list without any date or period tells of no year.
with listed as (
    select *, cast(extract(year from started_on) as integer) as started_year
    from {{ ref('stg_parking_lots') }}
    where open
),

lots as (
    select
        coalesce(names.org, lots.org_name) as org,
        lots.file_id,
        lots.sheet,
        lots.sheet_row,
        lots.spaces,
        coalesce(lots.started_year, cast(substr(sheets.period, 1, 4) as integer)) as first_year,
        greatest(
            coalesce(lots.started_year, 0),
            coalesce(cast(substr(split_part(sheets.period, '..', -1), 1, 4) as integer), 0)
        ) as known_until
    from listed as lots
    left join {{ ref('int_institution_names') }} as names on names.org_name = lots.org_name
    left join (
        select file_id, sheet, max(period) as period
        from {{ ref('stg_sheets') }}
        where dataset = 'parking_lots'
        group by file_id, sheet
    ) as sheets on sheets.file_id = lots.file_id and sheets.sheet = lots.sheet
),

latest as (
    select nullif(max(known_until), 0) as year from lots
),

-- Every year from the first opening to the latest, whether or not one opened in it.
years as (
    select cast(year as integer) as year
    from (
        select {{ each_number('first_year', 'last_year') }} as year
        from (
            select coalesce(min(lots.first_year), max(latest.year)) as first_year, max(latest.year) as last_year
            from lots cross join latest
        ) as span
        where last_year is not null
    ) as each_year
),

open_lots as (
    select years.year, lots.*
    from lots
    cross join latest
    inner join years on years.year >= coalesce(lots.first_year, latest.year)
    union all
    select cast(null as integer), lots.* from lots cross join latest where latest.year is null
),

-- One car park of many makes an institution one that opens: it counts once, in the first of its files.
by_file as (
    select
        year, org, file_id, sheet, sum(spaces) as spaces, count(*) as records, {{ collected('sheet_row') }} as sheet_rows,
        row_number() over (partition by year, org order by file_id, sheet) as place
    from open_lots
    group by year, org, file_id, sheet
)

{% for measure, amount in [('parking_units', 'case when place = 1 then 1 else 0 end'), ('parking_spaces', 'spaces')] %}
{{ 'union all' if not loop.first }}
select
    '{{ measure }}' as measure,
    'none' as factor_set,
    year,
    org,
    '' as breakdown,
    '' as breakdown_member,
    'parking_lots' as dataset,
    file_id,
    sheet,
    cast({{ amount }} as decimal(28, 6)) as amount,
    records,
    false as closed,
    sheet_rows
from by_file
{% endfor %}
