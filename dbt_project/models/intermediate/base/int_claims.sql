-- One row per statement: at which value it looks, and its SQL. One about one level (市直) looks at that level: at the member of
-- `level` instead of the total, at the cross of level and breakdown instead of the breakdown. In its SQL {level of <name> in
-- <year>} becomes the condition that the institution of that name was of the level in that year, as int_facts has it: by the
-- register's row of the year, else of the nearest year before, else of the first after.
{% set named = "(select n.uscc from institutions n where n.org_name = \\1 order by n.year desc, n.uscc limit 1)" %}
{% set quote, two_quotes = text_of("'"), text_of("''") %}
{% set row = "select i.admin_level from institutions i where i.uscc = " ~ named ~ " and i.year" %}
select
    {{ all_but('', ['dimension', 'member', 'sql']) }},
    case
        when level is null or dimension is null then dimension
        when dimension = 'total' then 'level'
        when dimension in ('period', 'base') then dimension || '/level'
        when dimension like 'period/%' then 'period/level/' || substr(dimension, 8)
        else 'level/' || dimension
    end as dimension,
    case
        when level is null or dimension is null then member
        when dimension = 'total' then level
        when dimension in ('period', 'base') then member || '/' || level
        when dimension like 'period/%' then split_part(member, '/', 1) || '/' || level || substr(member, position('/' in member))
        else level || '/' || member
    end as member,
    {% set by -%}
        'coalesce(({{ row }} <= cast(\2 as integer) order by i.year desc limit 1), '
        || '({{ row }} > cast(\2 as integer) order by i.year limit 1)) = '
        || {{ quote }} || coalesce(replace(level, {{ quote }}, {{ two_quotes }}), '') || {{ quote }}
    {%- endset %}
    {{ replace_all('sql', '\\{level of ([\\w.]+) in ([^{}]+)\\}', by) }} as sql
from {{ ref('stg_city_claims') }}
