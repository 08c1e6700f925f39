{# No two rows share the same values of `columns`; a null counts as a value. #}
{% test unique_combination(model, columns) %}
    select {{ condition_of(columns | join(', ')) }}, count(*) as rows_found
    from {{ model }}
    group by {{ condition_of(columns | join(', ')) }}
    having count(*) > 1
{% endtest %}

{# `expression` is true in every row; null counts as failing. #}
{% test holds(model, expression) %}
    select * from {{ model }} where not coalesce({{ condition_of(expression) }}, false)
{% endtest %}
