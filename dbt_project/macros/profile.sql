{#
    What a city takes over from the project, where its profile says so (pipelines/core/city.py), and nothing where it does not.
#}

{# Whether the city has the profile whose contracts are in expectations/contracts; true while dbt parses the project. #}
{% macro has_profile() %}
{%- set profile = source('city', 'profile') -%}
{%- if not execute -%}{{ return(true) }}{%- endif -%}
{{ return(run_query("select count(*) from " ~ profile ~ " where profile = 'government-offices'").rows[0][0] > 0) }}
{% endmacro %}

{# The rows of a seed, which are the profile's. #}
{% macro of_profile(seed) -%}
(select * from {{ ref(seed) }} where exists (select 1 from {{ source('city', 'profile') }} where profile = 'government-offices'))
{%- endmacro %}

{#
    In the place of dbt's own `source`: a dataset of the profile that this city does not have is a table without rows, with the columns
    and types of sources.yml. So the staging models of all datasets can stand in one project.
#}
{% macro source(source_name, table_name) %}
{%- set found = parquet_source(source_name, table_name) if target.type == 'spark' else builtins.source(source_name, table_name) -%}
{%- if source_name != 'records' or not execute or has_profile() -%}{{ return(found) }}{%- endif -%}
{%- set columns = [] -%}
{%- for node in graph.sources.values() if node.source_name == source_name and node.name == table_name -%}
{%- for column in node.columns.values() -%}
{%- do columns.append('cast(null as ' ~ (column.data_type | replace('varchar', 'string')) ~ ') as ' ~ name_of(column.name)) -%}
{%- endfor -%}
{%- endfor -%}
{{ return('(select ' ~ columns | join(', ') ~ ' where false)') }}
{% endmacro %}

{# A source as Spark reads it, where dbt-duckdb fills in its `external_location` itself: read_parquet('<folder>/{name}.parquet'). #}
{% macro parquet_source(source_name, table_name) %}
{%- do builtins.source(source_name, table_name) -%}
{%- if not execute -%}{{ return(builtins.source(source_name, table_name)) }}{%- endif -%}
{%- for node in graph.sources.values() if node.source_name == source_name and node.name == table_name -%}
{%- set path = (node.meta.external_location or node.source_meta.external_location) | replace('{name}', node.identifier) -%}
{{ return(parquet_of(path[14:-2])) }}
{%- endfor -%}
{% endmacro %}
