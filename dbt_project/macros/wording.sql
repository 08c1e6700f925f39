{#
    The second part of a verdict, as codes: whether the statement's words say what was computed. Which of its words is judged is the
    city's (`word`); how, follows from it. The sentences are publish/wording.toml's.

    同比 compares with the year before. 每年 says it of each year. A statement with a `test` says more than a number (每月, 逐年下降).
    余, 多, 超 and 至少 put the figure below what there is, 近 above it, 约 within 5 % of it. 预计 speaks of a plan. A figure that is
    counted over every year on record, because the statement names none, is said incompletely.
#}
{% macro wording_rule() %}
    case
        when word = '同比' and dimension like 'base%' then 'year_on_year'
        when word = '每年' then 'every_year'
        when test is not null then 'test'
        when qualifier in ('over', 'at_least', 'near_below', 'approx', 'planned') then qualifier
        else 'none'
    end
{% endmacro %}

{% macro compared_with() %}try_cast(split_part(member, '/', 1) as integer){% endmacro %}

{% macro wording_status() %}
    case
        when check_status in ('not_verifiable', 'no_data') then 'not_judged'
        when wording_rule = 'year_on_year' and {{ compared_with() }} <> year - 1 then 'does_not_fit'
        when wording_rule = 'every_year' and years_known < 2 then 'not_judged'
        when wording_rule = 'every_year' and years_match < years_known then 'does_not_fit'
        when wording_rule = 'test' and check_status <> 'match' then 'does_not_fit'
        when wording_rule in ('over', 'at_least') and computed_value < value then 'does_not_fit'
        when wording_rule = 'near_below' and computed_value >= value then 'does_not_fit'
        when wording_rule = 'approx' and check_status <> 'within_qualifier' then 'does_not_fit'
        when no_period then 'incomplete'
        when wording_rule = 'none' then 'no_word'
        else 'fits'
    end
{% endmacro %}
