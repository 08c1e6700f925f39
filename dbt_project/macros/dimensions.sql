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
    The same for the parts of indicators, and besides their crosses with the level (crossed_with_level).
#}
{% macro by_dimension_and_cross(relation) %}
    {{ by_dimension(relation) }}
    union all
    {{ crossed_with_level(relation) }}
{% endmacro %}

{#
    For a breakdown that a statement about one level asks for (int_claim_crosses), the rows of its cross with the level: dimension
    'level/<breakdown>', member '<level>/<member>'. Only where all of the indicator is open in rows, so that nothing of it has to
    be hidden: a cross of closed figures would be one more table to prove safe.
#}
{% macro crossed_with_level(relation) %}
    select parts.*, 'level/' || parts.breakdown as dimension, parts.admin_level || '/' || parts.breakdown_member as member
    from {{ relation }} as parts
    where
        (parts.indicator_id, parts.breakdown) in (select indicator_id, breakdown from {{ ref('int_claim_crosses') }})
        and not exists (select 1 from {{ ref('int_indicator_parts') }} as theirs where theirs.closed and theirs.indicator_id = parts.indicator_id)
{% endmacro %}

{#
    The rows of `relation` (with year, dimension, member, adds_over_years) and, for what adds up over years, a second row
    that counts in its period of the city's, as far as that has come: year its last, dimension 'period' or 'period/<dimension>', member
    '2021-2025' or '2021-2025/<member>'; `in_year` is the year that the row is of. What is told of single institutions nowhere and
    has many carriers (energy and water; `period_of_total_alone` of stg_indicators) counts in the total alone: its members over
    the years would tie the hidden figures of all years to one another, and finding what else must be hidden took minutes instead
    of seconds in a city of 80 institutions.
#}
{% macro years_added_in_the_total() -%}
(select indicator_id from {{ ref('stg_indicators') }} where period_of_total_alone)
{%- endmacro %}

{% macro with_period(relation) %}
    {%- set rest = all_but('years', ['year', 'dimension', 'member']) -%}
    select {{ rest }}, years.year, years.dimension, years.member, years.year as in_year from {{ relation }} as years
    union all
    select
        {{ rest }},
        periods.reached as year,
        case years.dimension when 'total' then 'period' else 'period/' || years.dimension end as dimension,
        periods.period_member || case years.dimension when 'total' then '' else '/' || years.member end as member,
        years.year as in_year
    from {{ relation }} as years
    inner join {{ ref('stg_periods') }} as periods on years.year between periods.first_year and periods.reached
    where
        years.adds_over_years
        and (
            years.dimension = 'total'
            or years.indicator_id not in {{ years_added_in_the_total() }}
        )
{% endmacro %}

{# Whether a year is of a period of stg_periods: each is of one. #}
{% macro is_of_period(year, periods) -%}
{{ year }} between coalesce({{ periods }}.own_from, {{ year }}) and coalesce({{ periods }}.own_to, {{ year }})
{%- endmacro %}

{# Whether a year is measured from the base year of a period of stg_periods: it is of that period, and comes after the base year. #}
{% macro is_measured_from(year, periods) -%}
{{ year }} > {{ periods }}.base_year and {{ is_of_period(year, periods) }}
{%- endmacro %}

{# The dimension, and below it the member, of a group of `grouping sets ((), (district), (org_type), (admin_level))`. #}
{% macro dimension_of_grouping() -%}
case
            when grouping(district) = 0 then 'district'
            when grouping(org_type) = 0 then 'org_type'
            when grouping(admin_level) = 0 then 'level'
            else 'total'
        end
{%- endmacro %}

{% macro member_of_grouping() -%}
case
            when grouping(district) = 0 then district
            when grouping(org_type) = 0 then org_type
            when grouping(admin_level) = 0 then admin_level
            else 'all'
        end
{%- endmacro %}

{#
    The parts of the years that the figures of each period add up, with the dimension and member of the year that they count in, and
    of the period `period_member` and the year it has `reached`: as with_period, but what counts in the total alone is never
    multiplied by the dimensions.
#}
{% macro parts_of_period(relation) %}
    {%- set in_period -%}
        select years.*, periods.period_member, periods.reached
        from {{ relation }} as years
        inner join {{ ref('stg_periods') }} as periods on years.year between periods.first_year and periods.reached
        where years.adds_over_years
    {%- endset -%}
    select *, 'total' as dimension, 'all' as member
    from ({{ in_period }}) as parts
    where parts.breakdown in ('', 'total') and parts.indicator_id in {{ years_added_in_the_total() }}
    union all
    select by_dimension.*
    from ({{ by_dimension_and_cross('(' ~ in_period ~ ' and years.indicator_id not in ' ~ years_added_in_the_total() ~ ')') }}) as by_dimension
{% endmacro %}

{# The columns of int_indicator_sums, added over rows that are one institution each; `first` and `last`: the years that a row is of. #}
{% macro sums_over_institutions(first, last) -%}
sum(numerator) filter (where matched) as numerator,
        sum(denominator) filter (where matched) as denominator,
        sum(closed_numerator) filter (where matched) as closed_numerator,
        case
            when coalesce(bool_or(closed) filter (where matched), false) then count(*) filter (where matched and closed)
            else count(*) filter (where matched)
        end as contributors,
        count(*) filter (where not matched) as left_out,
        count(*) filter (where matched and names_institution and complete) as reporting,
        count(*) filter (where matched and names_institution and not complete) as partly,
        count(*) filter (where matched and names_institution and not registered) as unregistered,
        bool_or(names_institution) as names_institution,
        min({{ first }}) filter (where matched) as first_in,
        max({{ last }}) filter (where matched) as last_in,
        coalesce(
            greatest(
                {{ largest_part('closed_numerator', 'matched') }},
                {{ largest_part('closed_denominator', 'matched') }}
            ),
            greatest(
                {{ largest_part('numerator', 'matched') }},
                {{ largest_part('denominator', 'matched') }}
            )
        ) as largest_share,
        coalesce(bool_or(synthetic) filter (where matched), bool_or(synthetic)) as synthetic,
        bool_or(closed) as closed
{%- endmacro %}

{# The largest of the parts of a sum, as a share of it. #}
{% macro largest_part(amount, only='true') -%}
cast(max(abs({{ amount }})) filter (where {{ only }}) as double) / nullif(cast(sum(abs({{ amount }})) filter (where {{ only }}) as double), 0)
{%- endmacro %}

{# The columns of int_indicator_changes of the same institutions, added over rows that are one institution each. #}
{% macro sums_over_pairs() -%}
sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(base_numerator) as base_numerator,
        sum(base_denominator) as base_denominator,
        false as months_differ,
        count(*) filter (where names_institution) as reporting,
        cast(0 as bigint) as partly,
        count(*) filter (where names_institution and not registered) as unregistered,
        bool_or(names_institution) as names_institution,
        count(*) filter (where items_differ) as items_differ,
        count(*) as contributors,
        0 as left_out,
        greatest(
            {{ largest_part('numerator') }},
            {{ largest_part('denominator') }},
            {{ largest_part('base_numerator') }},
            {{ largest_part('base_denominator') }}
        ) as largest_share,
        bool_or(synthetic) as synthetic,
        bool_or(closed) as closed
{%- endmacro %}
