{#
    The records of a dataset as they stand, with `file_id`, `sheet` and `sheet_row` for where each row stood. Numbers of the
    contract become exact, so that a sum is the same to the last digit however it is added up. One of 10^16 or more is no
    quantity of a ledger but a slip: it is null and counts nowhere, rather than that one cell stops the statistics of the
    whole city, and `too_large` says that the row had one (int_too_large counts them, the notes of the values name them).
#}
{% macro staged(dataset) %}
{%- set table = source('records', dataset) -%}
{%- set doubles, integers = [], [] -%}
{%- if execute -%}
{%- for column in graph.sources['source.' ~ project_name ~ '.records.' ~ dataset].columns.values() -%}
{%- if column.data_type == 'double' -%}{%- do doubles.append(column.name) -%}
{%- elif column.data_type == 'bigint' and column.name != '_row' -%}{%- do integers.append(column.name) -%}
{%- endif -%}
{%- endfor -%}
{%- endif %}
select
    * exclude (_file, _sheet, _row)
    {%- if doubles or integers %} replace (
        {%- for column in doubles %}
        {{ amount('"' ~ column ~ '"') }} as "{{ column }}"{{ ',' if not loop.last or integers }}
        {%- endfor %}
        {%- for column in integers %}
        case when abs("{{ column }}") < 10000000000000000 then "{{ column }}" end as "{{ column }}"{{ ',' if not loop.last }}
        {%- endfor %}
    ){% endif %},
    {%- if doubles or integers %}
    {% for column in doubles + integers %}coalesce(not abs("{{ column }}") < 1e16, false){{ ' or ' if not loop.last }}{% endfor %}
    {%- else %} false{% endif %} as too_large,
    _file as file_id,
    _sheet as sheet,
    _row as sheet_row
from {{ table }}
{% endmacro %}

{# A number of a record as an exact decimal; null where it is 10^16 or more. #}
{% macro amount(column) %}cast(try_cast({{ column }} as decimal(22, 6)) as decimal(28, 6)){% endmacro %}
