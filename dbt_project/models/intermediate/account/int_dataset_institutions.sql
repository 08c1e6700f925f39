-- How many institutions have a record of each dataset in each period: a month, else a year.
{% set parts = [] %}
{%- for c in contracts() if c.period and c.institution_name -%}
{%- set period = 'cast(' ~ name_of(c.period) ~ ' as string)' -%}
{%- set part -%}
select
    {{ text_of(c.dataset) }} as dataset,
    {{ 'left(' ~ period ~ ', 4)' if c.period_kind == 'date' else period }} as period,
    count(distinct {{ name_of(c.institution_name) }}) as institutions
from {{ records_of(c) }}
where {{ name_of(c.period) }} is not null
group by 2
{%- endset -%}
{%- do parts.append(part) -%}
{%- endfor -%}
{{ one_below_the_other(parts, "select '' as dataset, '' as period, cast(0 as bigint) as institutions where false") }}
