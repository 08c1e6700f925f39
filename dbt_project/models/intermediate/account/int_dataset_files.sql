-- How many records of each dataset stand in each file, and of which periods.
{% set parts = [] %}
{%- for c in contracts() -%}
{%- set period = 'cast(' ~ name_of(c.period) ~ ' as string)' if c.period else 'cast(null as string)' -%}
{%- set part -%}
select {{ text_of(c.dataset) }} as dataset, _file as file_id, count(*) as records, min({{ period }}) as first_period, max({{ period }}) as last_period
from {{ records_of(c) }}
group by _file
{%- endset -%}
{%- do parts.append(part) -%}
{%- endfor -%}
{{ one_below_the_other(parts, "select '' as dataset, '' as file_id, cast(0 as bigint) as records, '' as first_period, '' as last_period where false") }}
