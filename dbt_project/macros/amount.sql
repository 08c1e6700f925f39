{#
    A number of a record as an exact decimal, so that a sum is the same to the last digit however it is added up.
    One of 10^16 or more is no quantity of a ledger but a slip that a contract's maximum should have caught: it is null, and
    counts nowhere, rather than that one cell stops the statistics of the whole city.
#}
{% macro amount(column) %}cast(try_cast({{ column }} as decimal(22, 6)) as decimal(28, 6)){% endmacro %}
