{#
    One row for each dimension that a row of `relation` counts in, with `dimension` and `member` added.

    A row with an empty `breakdown` counts in total, district, org_type and level; one with a breakdown counts in that one
    alone (one with the breakdown 'total' and member 'all' in the total alone), so that nothing is counted twice. A member nobody knows is 'unknown': the members of a dimension add up to the total.
#}
{% macro by_dimension(relation) %}
    select
        parts.*,
        dims.dimension,
        case dims.dimension
            when 'total' then 'all'
            when 'district' then parts.district
            when 'org_type' then parts.org_type
            when 'level' then parts.admin_level
        end as member
    from {{ relation }} as parts
    cross join (values ('total'), ('district'), ('org_type'), ('level')) as dims(dimension)
    where parts.breakdown = ''
    union all
    select parts.*, parts.breakdown as dimension, parts.breakdown_member as member
    from {{ relation }} as parts
    where parts.breakdown <> ''
{% endmacro %}

{#
    The rows of `relation` (with year, dimension, member, adds_over_years) and, for what adds up over years, a second row
    that counts in the city's whole period: year its last, dimension 'period' or 'period/<dimension>', member
    '2021-2025' or '2021-2025/<member>'. What is told of single institutions nowhere and has many carriers (energy and water)
    counts in the total alone: its members over the years would tie the hidden figures of all years to one another, and finding
    what else must be hidden took minutes instead of seconds in a city of 80 institutions.
#}
{% macro years_added_in_the_total() -%}
('energy_kgce', 'energy_tce', 'electricity', 'natural_gas', 'water', 'electricity_cost', 'water_cost', 'utility_cost', 'co2_electricity')
{%- endmacro %}

{% macro with_period(relation) %}
    select * from {{ relation }}
    union all
    select
        years.* replace (
            cast(city.period_end as integer) as year,
            case years.dimension when 'total' then 'period' else 'period/' || years.dimension end as dimension,
            city.period_start || '-' || city.period_end
                || case years.dimension when 'total' then '' else '/' || years.member end as member
        )
    from {{ relation }} as years
    cross join {{ ref('stg_city') }} as city
    where
        years.adds_over_years
        and years.year between city.period_start and city.period_end
        and (years.dimension = 'total' or years.indicator_id not in {{ years_added_in_the_total() }})
{% endmacro %}
