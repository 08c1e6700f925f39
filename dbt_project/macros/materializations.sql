{#
    Tables and views replaced in one statement. A warehouse is built beside the one in use (pipelines/statistics/run.py), so nothing
    has to be kept while a table or view is made, where dbt's own materializations look for what was there before, build beside
    it, rename and grant: measured in docs/statistics.md. They have names of their own, which dbt_project.yml asks for by folder:
    dbt's `table` and `view` are as dbt has them, and an upgrade changes nothing here but `create_table_as`. Contracts are held by
    both.
#}
{% materialization replaced_table, adapter='duckdb' %}
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

{% materialization replaced_view, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {%- if config.get('contract').enforced -%}{%- do get_assert_columns_equivalent(compiled_code) -%}{%- endif -%}
    {% call statement('main') %}create or replace view {{ target }} as ({{ compiled_code }}
    ){% endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# On Spark a table is Parquet in the metastore's folder, and nothing is there before: a run has a warehouse of its own. #}
{% materialization replaced_table, adapter='spark' %}
    {%- set target = this.incorporate(type='table') -%}
    {#- the contracts of the marts name DuckDB's types, and are held there -#}
    {% call statement('drop') %}drop table if exists {{ target }}{% endcall %}
    {% call statement('main') %}create table {{ target }} using parquet as {{ compiled_code }}{% endcall %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% materialization replaced_view, adapter='spark' %}
    {#- a mart is read from its files when Spark has ended, and a view has none -#}
    {%- set stored = this.schema == 'marts' -%}
    {%- set target = this.incorporate(type='table' if stored else 'view') -%}
    {% call statement('main') -%}
        {{ 'create table ' ~ target ~ ' using parquet' if stored else 'create or replace view ' ~ target }} as {{ compiled_code }}
    {%- endcall %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
