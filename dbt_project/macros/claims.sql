{#
    How a statement stands against what the records give. Tolerances by the qualifier's word: exact (and a planned figure) to
    the printed digits, 约 within 5 % either way, 近 from 10 % below up to but not at the figure, 余/多 from the figure up to but
    not at 10 % above, 至少 from the figure up. Source: the platform's statement rules, methods §1.11. Where words say more than
    a number (每月, 逐年下降, all of them), the city's `test` and `target` say what the records must give for the words to hold.
#}
{% macro check_status(verifiable, qualifier, value, step, computed, test, target) %}
    case
        when not {{ verifiable }} then 'not_verifiable'
        when {{ test }} is not null then
            case
                when {{ computed }} is null then 'no_data'
                when ({{ test }} = '=' and {{ computed }} = {{ target }})
                    or ({{ test }} = '>=' and {{ computed }} >= {{ target }})
                    or ({{ test }} = '>' and {{ computed }} > {{ target }})
                    or ({{ test }} = '<=' and {{ computed }} <= {{ target }})
                    or ({{ test }} = '<' and {{ computed }} < {{ target }}) then 'match'
                else 'mismatch'
            end
        when {{ computed }} is null or {{ value }} is null then 'no_data'
        when {{ qualifier }} in ('exact', 'planned') then
            -- what rounds to the printed figure: without a division, which would make doubles of decimals
            case
                when 2 * abs({{ computed }}) >= 2 * abs({{ value }}) - {{ step }}
                    and 2 * abs({{ computed }}) < 2 * abs({{ value }}) + {{ step }}
                    and sign({{ computed }}) * sign({{ value }}) >= 0 then 'match'
                else 'mismatch'
            end
        when {{ qualifier }} = 'approx' and abs({{ computed }} - {{ value }}) <= 0.05 * abs({{ value }}) then 'within_qualifier'
        when {{ qualifier }} = 'near_below'
            and {{ computed }} < {{ value }} and {{ computed }} >= {{ value }} - 0.1 * abs({{ value }}) then 'within_qualifier'
        when {{ qualifier }} = 'over'
            and {{ computed }} >= {{ value }} and {{ computed }} < {{ value }} + 0.1 * abs({{ value }}) then 'within_qualifier'
        when {{ qualifier }} = 'at_least' and {{ computed }} >= {{ value }} then 'within_qualifier'
        else 'mismatch'
    end
{% endmacro %}

{# A statement's value from the public database, by the address of the indicator value it is held against. #}
{% macro claim_sql() %}
    'select '
    || case when claims.first_year is null then 'value' else 'sum(value)' end
    || case
        when units.multiplier > 1 then ' * ' || {{ plain('units.multiplier') }}
        when units.multiplier < 1 then ' / ' || cast({{ over('units.multiplier') }} as string)
        else ''
    end
    || ' from indicator_values where indicator_id = ''' || claims.indicator_id
    || case
        when claims.first_year is null then ''' and year = ' || claims.year
        else ''' and year between ' || claims.first_year || ' and ' || claims.year
    end
    || ' and dimension = ''' || claims.dimension || ''' and member = ''' || claims.member
    || ''' and factor_set = ''' || claims.factor_set || ''''
{% endmacro %}

{# A decimal without trailing zeros: 438, not 438.000000. #}
{% macro plain(number) %}{{ replace_all('cast(' ~ number ~ ' as string)', '\\.?0+$', "''") }}{% endmacro %}
