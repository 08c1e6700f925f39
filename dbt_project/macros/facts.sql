{#
    Facts in the one shape of int_facts, from a relation with year, org, file_id, sheet, sheet_row (of open data) and what the
    measures need. `sheet_rows` are the rows of the sheet that a fact of open data rests on.

    `measures`: tuples (measure, amount as SQL, [columns it is broken down by], 'parts' where there is no whole). A row whose
    amount is null is no fact. A breakdown is called as its column, its members as the column's values.
    `factor_set` is SQL; so is `closed`: true for a dataset, or the rows of one, that are not open in rows. Open and closed rows
    of one sheet are facts apart.
#}
{% macro facts(relation, dataset, measures, closed=false, factor_set="'none'") %}
select
    measure, factor_set, cast(year as integer) as year, org, breakdown, breakdown_member,
    '{{ dataset }}' as dataset, file_id, sheet,
    cast(sum(amount) as decimal(28, 6)) as amount, count(*) as records, closed,
    {% if closed is sameas true %}{{ no_numbers() }}{% else %}{{ collected_once('sheet_row', 'not closed') }}{% endif %} as sheet_rows
from (
    select
        {{ factor_set }} as factor_set, year, org, file_id, sheet, {% if closed is not sameas true %}sheet_row, {% endif %}{{ closed }} as closed,
        {% set entries = [] -%}
        {%- for m in measures -%}
        {%- set columns = ([] if m | length > 3 else ['']) + (m[2] if m | length > 2 else []) -%}
        {%- for column in columns -%}
        {%- set member = "coalesce(cast(" ~ column ~ " as string), 'unknown')" if column else "''" -%}
        {%- do entries.append({'measure': "'" ~ m[0] ~ "'", 'breakdown': "'" ~ column ~ "'", 'breakdown_member': member, 'amount': 'cast(' ~ m[1] ~ ' as decimal(28, 6))'}) -%}
        {%- endfor -%}
        {%- endfor -%}
        {{ each_row(entries) }}
    from {{ relation }}
) as measured
where amount is not null
group by measure, factor_set, year, org, breakdown, breakdown_member, file_id, sheet, closed
{% endmacro %}

{# The records of a staging model with `org`: the institution's code where the register knows the name, else the name. #}
{% macro with_org(relation, name='org_name') %}(
    select coalesce(names.org, records.{{ name }}) as org, records.*
    from {{ relation }} as records
    left join {{ ref('int_institution_names') }} as names on names.org_name = records.{{ name }}
){% endmacro %}

{#
    The rows of a relation with `org` and `year`, and with `level`, what the institution was in that year (as in int_facts). For
    what is one figure of many institutions (the first contract, how long in a row): it is counted anew for each level.
#}
{% macro with_level(relation) %}(
    select counted.*, coalesce(levels.level, 'unknown') as level
    from {{ relation }} as counted
    left join (
        select
            wanted.org, wanted.year,
            min_by(
                register.admin_level,
                case when register.year <= coalesce(wanted.year, 9999) then 0 else 10000 end
                + abs(register.year - coalesce(wanted.year, 9999))
            ) as level
        from (select distinct org, year from {{ relation }}) as wanted
        inner join {{ ref('int_institution_years') }} as register on register.org = wanted.org
        group by wanted.org, wanted.year
    ) as levels on levels.org = counted.org and levels.year is not distinct from counted.year
){% endmacro %}

{# The records of a dataset that names no institution: what they tell is told of the city. #}
{% macro of_city(relation) %}(select '(city)' as org, records.* from {{ relation }} as records){% endmacro %}

{# The month of `2024-03` as one bit of an integer, so that bit_or gives the months that were reported. #}
{% macro month_bit(month) %}cast(1 << cast(substr({{ month }}, 6, 2) as integer) as integer){% endmacro %}

{# What counts as a new-energy vehicle, by the column `power` of the contracts. #}
{% macro is_new_energy() %}(power in ('纯电', '插混', '增程', '燃料电池')){% endmacro %}
