{#
    Rounding half up (四舍五入, away from zero) of exact numbers. DuckDB divides decimals as doubles, and a double that should be a
    half is often a little less; so a quotient is made of whole numbers: amounts have six decimals (macro facts), and their
    millionths are counted. A big number (macro big_number) holds 38 digits: sums and ratios of records below 10^16 fit in any city; the cross products
    of a change that do not (macro relative_change) give null.
#}

{# An amount of six decimals as a whole number of millionths. #}
{% macro millionths(amount) %}cast({{ amount }} * 1000000 as {{ big_number() }}){% endmacro %}

{# `above` over `below` (big numbers), half up to `decimals` (0..6) places, as decimal(28,6); null where `below` is zero or either null. #}
{% macro half_up(above, below, decimals) -%}
{%- set ten = 'cast(power(10, ' ~ decimals ~ ') as ' ~ big_number() ~ ')' -%}
cast(
    cast(
        {{ sign_of(above) }} * {{ sign_of(below) }}
        * {{ whole_quotient('(2 * abs(' ~ above ~ ') * ' ~ ten ~ ' + abs(' ~ below ~ '))', '(2 * nullif(abs(' ~ below ~ '), 0))') }}
        * cast(power(10, 6 - {{ decimals }}) as {{ big_number() }})
        as decimal(28, 0)
    ) * cast(0.000001 as decimal(6, 6))
    as decimal(28, 6)
)
{%- endmacro %}

{# A decimal (up to six places) over a whole number, half up to six places: the twelfth of a year's amount. #}
{% macro share_of(amount, parts) %}{{ half_up(millionths('cast(' ~ amount ~ ' as decimal(28, 6))'), 'cast(' ~ parts ~ ' * 1000000 as ' ~ big_number() ~ ')', 6) }}{% endmacro %}

{#
    The change of a ratio since the base year, or of a sum where the kind is `saved`, as one whole number over another:
    (n / d) / (n0 / d0) - 1 = (n d0 - n0 d) / (n0 d). What n and n0, and d and d0, have in common is taken out first, so that
    the products stay within 38 digits; null where they do not.
#}
{% macro change_above(n, d, n0, d0, kind) -%}
case {{ kind }}
    when 'saved' then {{ millionths('(' ~ n0 ~ ' - ' ~ n ~ ')') }}
    else {{ difference_or_null(in_common(n, n, n0), in_common(d0, d, d0), in_common(n0, n, n0), in_common(d, d, d0)) }}
end
{%- endmacro %}

{% macro change_below(n, d, n0, d0, kind) -%}
case {{ kind }}
    when 'saved' then cast(1000000 as {{ big_number() }})
    else {{ product_or_null(in_common(n0, n, n0), in_common(d, d, d0)) }}
end
{%- endmacro %}

{# An amount in millionths, without what the two have in common. It is a multiple of that, so that nothing is lost. #}
{% macro in_common(amount, one, other) -%}
{{ whole_quotient(millionths(amount), 'nullif(' ~ gcd_of(millionths(one), millionths(other)) ~ ', 0)') }}
{%- endmacro %}

{# An indicator's multiplier as a fraction of whole numbers: one below 1 is one over a whole number (kg to t, minutes to hours). #}
{% macro times(multiplier) %}cast(case when {{ multiplier }} < 1 then 1 else {{ multiplier }} end as {{ big_number() }}){% endmacro %}
{% macro over(multiplier) %}cast(case when {{ multiplier }} < 1 then round(1 / {{ multiplier }}) else 1 end as {{ big_number() }}){% endmacro %}

{# A value in another unit, half up to six places. #}
{% macro in_unit(value, multiplier) %}{{ half_up('(' ~ millionths(value) ~ ' * ' ~ times(multiplier) ~ ')', '(cast(1000000 as ' ~ big_number() ~ ') * ' ~ over(multiplier) ~ ')', 6) }}{% endmacro %}
