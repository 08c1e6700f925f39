{#
    The contracts in force, a mapping each with the columns of catalog.contracts and with `columns`, those of catalog.columns.
    They are asked for when a model is run, so that a dataset that a city adds is one more contract and no SQL. Empty while dbt
    parses the project: there is no home yet.
#}
{% macro contracts() %}
{%- set contracts, columns = source('catalog', 'contracts'), source('catalog', 'columns') -%}
{%- if not execute -%}{{ return([]) }}{%- endif -%}
{%- set asked -%}
select cast(to_json(list(listed order by listed.dataset)) as varchar)
from (
    select c.*, (select list(k order by k.position) from {{ columns }} as k where k.dataset = c.dataset) as columns
    from {{ contracts }} as c
) as listed
{%- endset -%}
{{ return(fromjson(run_query(asked).rows[0][0] or '[]')) }}
{% endmacro %}

{# The records of a contract's dataset. #}
{% macro records_of(contract) %}read_parquet({{ text_of(contract.records) }}){% endmacro %}

{# A text as it stands in a public table: without control characters, which no spreadsheet can hold; an empty one is null. #}
{% macro public_text(text) %}nullif(regexp_replace(cast({{ text }} as varchar), '[\x00-\x08\x0b\x0c\x0e-\x1f]', '', 'g'), ''){% endmacro %}

{# A text, and a name of a column, as SQL writes them. #}
{% macro text_of(text) %}'{{ text | replace("'", "''") }}'{% endmacro %}
{% macro name_of(name) %}"{{ name | replace('"', '""') }}"{% endmacro %}

{# `parts`, each a SELECT of the columns of `empty`, one below the other; `empty` is a SELECT without rows, for where there are none. #}
{% macro one_below_the_other(parts, empty) %}
{%- if parts %}{{ parts | join('\nunion all\n') }}{% else %}{{ empty }}{% endif -%}
{% endmacro %}
