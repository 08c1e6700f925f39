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
