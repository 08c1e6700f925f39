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
    The same for the parts of indicators, and besides, for a breakdown that a statement about one level asks for
    (int_claim_crosses), its cross with the level: dimension 'level/<breakdown>', member '<level>/<member>'. Only where all of the
    indicator is open in rows, so that nothing of it has to be hidden: a cross of closed figures would be one more table to
    prove safe.
#}
{% macro by_dimension_and_cross(relation) %}
    {{ by_dimension(relation) }}
    union all
    select parts.*, 'level/' || parts.breakdown as dimension, parts.admin_level || '/' || parts.breakdown_member as member
    from {{ relation }} as parts
    where
        (parts.indicator_id, parts.breakdown) in (select (indicator_id, breakdown) from {{ ref('int_claim_crosses') }})
        and parts.indicator_id not in (select indicator_id from {{ ref('int_indicator_parts') }} where closed)
{% endmacro %}

{#
    The rows of `relation` (with year, dimension, member, adds_over_years) and, for what adds up over years, a second row
    that counts in the city's period, as far as it has come: year its last, dimension 'period' or 'period/<dimension>', member
    '2021-2025' or '2021-2025/<member>'; `in_year` is the year that the row is of. What is told of single institutions nowhere and has many carriers (energy and water)
    counts in the total alone: its members over the years would tie the hidden figures of all years to one another, and finding
    what else must be hidden took minutes instead of seconds in a city of 80 institutions.
#}
{% macro years_added_in_the_total() -%}
('energy_kgce', 'energy_tce', 'electricity', 'natural_gas', 'water', 'electricity_cost', 'water_cost', 'utility_cost', 'co2_electricity')
{%- endmacro %}

{% macro with_period(relation) %}
    select *, year as in_year from {{ relation }}
    union all
    select
        years.* replace (
            city.period_last as year,
            case years.dimension when 'total' then 'period' else 'period/' || years.dimension end as dimension,
            city.period_member || case years.dimension when 'total' then '' else '/' || years.member end as member
        ),
        years.year as in_year
    from {{ relation }} as years
    cross join {{ ref('stg_city') }} as city
    where
        years.adds_over_years
        and years.year between city.period_start and city.period_last
        and (years.dimension = 'total' or years.indicator_id not in {{ years_added_in_the_total() }})
{% endmacro %}
