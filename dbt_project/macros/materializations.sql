{#
    A warehouse is built from nothing beside the one that stands (pipelines/statistics/run.py), so that nothing is there to be
    kept while a table or view is made: each is one statement, where dbt's own materializations look for what stood there
    before, build beside it, rename, and grant. Contracts are held all the same. Measured in docs/statistics.md.
#}
{% materialization table, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- if config.get('contract').enforced -%}
        {%- set make = 'drop table if exists ' ~ target ~ ';' ~ create_table_as(False, target, compiled_code) -%}
    {%- else -%}
        {%- set make = 'create or replace table ' ~ target ~ ' as (' ~ compiled_code ~ '\n)' -%}
    {%- endif -%}
    {% call statement('main') %}{{ make }}{% endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {% call statement('main') %}create or replace view {{ target }} as ({{ compiled_code }}
    ){% endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
