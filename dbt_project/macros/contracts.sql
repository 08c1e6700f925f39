{#
    The contracts in force, a mapping each with the columns of catalog.contracts and with `columns`, those of catalog.columns.
    They are asked for when a model is run, so that a dataset that a city adds is one more contract and no SQL. Empty while dbt
    parses the project: there is no home yet.
#}
{% macro contracts() %}
{%- set contracts, columns = source('catalog', 'contracts'), source('catalog', 'columns') -%}
{%- if not execute -%}{{ return([]) }}{%- endif -%}
{%- set by_dataset = {} -%}
{%- for c in fromjson(run_query(json_of_relation(contracts, 'dataset')).rows[0][0] or '[]') -%}
{%- do by_dataset.update({c.dataset: dict(c, columns=[])}) -%}
{%- endfor -%}
{%- for k in fromjson(run_query(json_of_relation(columns, 'position')).rows[0][0] or '[]') -%}
{%- do by_dataset[k.dataset].columns.append(k) -%}
{%- endfor -%}
{{ return(by_dataset.values() | list) }}
{% endmacro %}
