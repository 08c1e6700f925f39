{# The records of a contract's dataset. #}
{% macro records_of(contract) %}{{ parquet_of(contract.records) }}{% endmacro %}

{# A text as it stands in a public table: without control characters, which no spreadsheet can hold; an empty one is null. #}
{% macro public_text(text) %}nullif({{ replace_all('cast(' ~ text ~ ' as string)', '[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]', "''") }}, ''){% endmacro %}

{# A text, and a name of a column, as SQL writes them. #}
{% macro text_of(text) %}{{ return(adapter.dispatch('text_of', 'mingzhang')(text)) }}{% endmacro %}
{% macro default__text_of(text) %}'{{ text | replace("'", "''") }}'{% endmacro %}
{% macro spark__text_of(text) %}'{{ text | replace('\\', '\\\\') | replace("'", "\\'") }}'{% endmacro %}
{% macro name_of(name) %}{{ return(adapter.dispatch('name_of', 'mingzhang')(name)) }}{% endmacro %}
{% macro default__name_of(name) %}"{{ name | replace('"', '""') }}"{% endmacro %}
{% macro spark__name_of(name) %}`{{ name | replace('`', '``') }}`{% endmacro %}

{# `parts`, each a SELECT of the columns of `empty`, one below the other; `empty` is a SELECT without rows, for where there are none. #}
{% macro one_below_the_other(parts, empty) %}
{%- if parts %}{{ parts | join('\nunion all\n') }}{% else %}{{ empty }}{% endif -%}
{% endmacro %}

{# What a file's hash begins with: one of 4,096, over which files are spread evenly. #}
{% macro file_bucket() %}substr(file_id, 1, 3){% endmacro %}
