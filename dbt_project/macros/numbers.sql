{#
    Numbers of a record. They become exact, so that a sum is the same to the last digit however it is added up. One of 10^16 or more
    is no quantity of a ledger but a slip: it is null and counts nowhere, rather than that one cell stops the statistics of the
    whole city. int_too_large counts the records that have one, and the notes of the values state how many.
#}

{# A decimal of a record as an exact number. #}
{% macro amount(column) %}cast(try_cast({{ column }} as decimal(22, 6)) as decimal(28, 6)){% endmacro %}

{# A whole number of a record. #}
{% macro whole(column) %}case when abs({{ column }}) < 10000000000000000 then {{ column }} end{% endmacro %}

{# Whether a number of a record, as its file has it, is too large to be counted. #}
{% macro is_too_large(column) %}coalesce(not abs({{ column }}) < 1e16, false){% endmacro %}
