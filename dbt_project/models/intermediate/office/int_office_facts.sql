-- Offices against the standard of each rank, and space vacated, moved, sealed or put right.
with rooms as (
    select
        rooms.*,
        rooms.headcount * standards.max_usable_area_m2 as standard_area,
        greatest(rooms.used_area - rooms.headcount * standards.max_usable_area_m2, 0) as excess_area
    from {{ with_org(ref('stg_office_rooms')) }} as rooms
    left join {{ ref('stg_city_office_standards') }} as standards on standards.rank = rooms.rank
),

changes as (
    select
        *,
        change as office_change,
        extract(year from changed_on) as year,
        row_number() over (partition by project order by changed_on, change_id) = 1 as first
    from {{ with_org(ref('stg_office_changes')) }}
),

projects as (
    select * from changes where project is not null
)

{{ facts('rooms', 'office_rooms', [
    ('office_area', 'used_area', ['rank']),
    ('office_headcount', 'headcount', ['rank']),
    ('office_standard_area', 'standard_area', ['rank']),
    ('office_excess_area', 'excess_area', ['rank']),
], closed=true) }}
union all
{{ facts('changes', 'office_changes', [
    ('office_changes', '1', ['office_change']),
    ('office_changed_area', 'area', ['office_change']),
    ('office_vacated_area', "case when change = '腾退' then area end", ['area_basis', 'project']),
    ('office_corrections', "cast(change in ('封存', '整改') as integer)"),
]) }}
union all
{{ facts('projects', 'office_changes', [('office_projects', 'cast(first as integer)')]) }}
