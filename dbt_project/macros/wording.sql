{#
    The second part of a verdict: whether the statement's words say what was computed. Which of its words is judged is the city's
    (`word`); how, follows from it.

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

{% macro wording_words(language) %}
{%- set zh = language == 'zh' -%}
{%- set figure = plain('value') ~ " || ' ' || coalesce(unit, '')" -%}
    concat_ws(
        ' ',
        case
            when check_status in ('not_verifiable', 'no_data') then {{ "'没有可核对的数字，用词不作判断。'" if zh else "'There is no figure to judge the wording by.'" }}
            when wording_rule = 'year_on_year' then
                {% if zh -%}
                '“同比”是与上一年比；'
                || case
                    when wording_status = 'fits' then '这里比的正是上一年，用词合适。'
                    else '这里比的是 ' || year || ' 年与 ' || {{ compared_with() }} || ' 年，应写“较 ' || {{ compared_with() }} || ' 年”。'
                        || coalesce('与上一年（' || (year - 1) || ' 年）比是 ' || {{ plain('year_on_year') }} || '%。', '')
                end
                {%- else -%}
                '“同比” means against the year before; '
                || case
                    when wording_status = 'fits' then 'that is what is compared here.'
                    else 'here ' || year || ' is compared with ' || {{ compared_with() }} || ', so it should say “since ' || {{ compared_with() }} || '”.'
                        || coalesce(' Against the year before (' || (year - 1) || ') the change is ' || {{ plain('year_on_year') }} || ' %.', '')
                end
                {%- endif %}
            when wording_rule = 'every_year' and wording_status = 'not_judged' then
                {{ "'“每年”是说年年如此；记录只有一个数，看不出是否如此。'" if zh else "'“每年” says it of every year; the records give one figure, which does not tell.'" }}
            when wording_rule = 'every_year' then
                {{ "'“每年”是说年年如此；有记录的 ' || years_known || ' 年中有 ' || years_match || ' 年相符。'" if zh else "'“每年” says it of every year; of ' || years_known || ' years with records ' || years_match || ' agree.'" }}
            when wording_rule = 'test' then
                {% if zh -%}
                '按“' || coalesce(word, value_text) || '”的意思，算得的数须 ' || {{ sign_of_test() }} || ' ' || {{ plain('target') }} || ' ' || computed_unit
                || case wording_status when 'does_not_fit' then '；算得的不是，用词不当。' else '；用词合适。' end
                {%- else -%}
                '“' || coalesce(word, value_text) || '” asks for a figure ' || {{ sign_of_test() }} || ' ' || {{ plain('target') }} || ' ' || computed_unit
                || case wording_status when 'does_not_fit' then '; it is not, so the wording does not fit.' else '; the wording fits.' end
                {%- endif %}
            when wording_rule in ('over', 'at_least', 'near_below', 'approx') then
                {% if zh -%}
                '“' || said || '”是说' || case wording_rule when 'near_below' then '不到 ' when 'approx' then '与之相差不超过 5%：' else '不低于 ' end
                || {{ figure }} || '；算得 ' || {{ plain('computed_value') }}
                || case wording_status when 'does_not_fit' then '，用词不当。' else '，用词合适。' end
                {%- else -%}
                '“' || said || '” says ' || case wording_rule when 'near_below' then 'less than ' when 'approx' then 'within 5 % of ' else 'no less than ' end
                || {{ figure }} || '; computed: ' || {{ plain('computed_value') }}
                || case wording_status when 'does_not_fit' then ', so the wording does not fit.' else ', so the wording fits.' end
                {%- endif %}
            when wording_rule = 'planned' then
                {{ "'“' || said || '”说的是计划数，不是实绩；这里核对的是设计或计划值。'" if zh else "'“' || said || '” speaks of a plan, not of an outcome; what is checked is the plan.'" }}
            when not no_period then {{ "'原文没有限定词，按印出的位数核对。'" if zh else "'There is no such word; the figure is checked to the digits printed.'" }}
        end,
        case when no_period and check_status not in ('not_verifiable', 'no_data') then {{ "'原文没有写期间，这里按全部有记录的年份计。'" if zh else "'The statement names no period; every year on record is counted.'" }} end
    )
{% endmacro %}

{% macro sign_of_test() %}replace(replace(test, '>=', '≥'), '<=', '≤'){% endmacro %}

{# The whole verdict in a few words, for a badge. #}
{% macro verdict_words(language) %}
{%- set zh = language == 'zh' -%}
    case check_status
        when 'not_verifiable' then {{ "'无法核验'" if zh else "'Cannot be verified'" }}
        when 'no_data' then {{ "'暂无数据'" if zh else "'No data yet'" }}
        else
            case
                when check_status = 'mismatch' then {{ "'不符'" if zh else "'Differs'" }}
                when verdict = 'holds_in_part' then {{ "'数字相符'" if zh else "'The figure matches'" }}
                when check_status = 'within_qualifier' then {{ "'在约数范围内'" if zh else "'Within its qualifier'" }}
                else {{ "'相符'" if zh else "'Match'" }}
            end
            || case
                when wording_status = 'does_not_fit' and (check_status <> 'mismatch' or wording_rule in ('year_on_year', 'every_year')) then
                    {{ "'，但用词不当（' || coalesce(said, value_text) || '）'" if zh else "', but the wording (' || coalesce(said, value_text) || ') does not fit'" }}
                when wording_status = 'incomplete' and check_status <> 'mismatch' then {{ "'，但原文没有写期间'" if zh else "', but no period is named'" }}
                else ''
            end
            || case
                when check_status = 'mismatch' and basis_match > 0 then
                    {{ "'；换系数时 ' || basis_count || ' 组中有 ' || basis_match || ' 组相符'" if zh else "'; matches under ' || basis_match || ' of ' || basis_count || ' factor sets'" }}
                when check_status <> 'mismatch' and basis_match < basis_count then
                    {{ "'；' || basis_count || ' 组系数中只有 ' || basis_match || ' 组相符'" if zh else "'; under ' || basis_match || ' of ' || basis_count || ' factor sets only'" }}
                else ''
            end
    end
{% endmacro %}
