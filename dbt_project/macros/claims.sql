{#
    How a statement stands against what the records give. Tolerances by the qualifier's word: exact (and a planned figure) to
    the printed digits, 约 within 5 % either way, 近 from 10 % below up to but not at the figure, 余/多 from the figure up to but
    not at 10 % above, 至少 from the figure up. Source: the platform's statement rules, methods §1.11.
#}
{% macro check_status(verifiable, qualifier, value, step, computed) %}
    case
        when not {{ verifiable }} then 'not_verifiable'
        when {{ computed }} is null or {{ value }} is null then 'no_data'
        when {{ qualifier }} in ('exact', 'planned') then
            case when round({{ computed }} / {{ step }}) = round({{ value }} / {{ step }}) then 'match' else 'mismatch' end
        when {{ qualifier }} = 'approx' and abs({{ computed }} - {{ value }}) <= 0.05 * abs({{ value }}) then 'within_qualifier'
        when {{ qualifier }} = 'near_below'
            and {{ computed }} < {{ value }} and {{ computed }} >= {{ value }} - 0.1 * abs({{ value }}) then 'within_qualifier'
        when {{ qualifier }} = 'over'
            and {{ computed }} >= {{ value }} and {{ computed }} < {{ value }} + 0.1 * abs({{ value }}) then 'within_qualifier'
        when {{ qualifier }} = 'at_least' and {{ computed }} >= {{ value }} then 'within_qualifier'
        else 'mismatch'
    end
{% endmacro %}

{# A decimal as people write it: 438, not 438.000000. #}
{% macro plain(number) %}regexp_replace(cast({{ number }} as varchar), '\.?0+$', ''){% endmacro %}
