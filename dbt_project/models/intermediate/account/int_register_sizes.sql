-- How many institutions the register of each year names.
{% set parts = [] %}
{%- for c in contracts() if c.is_register and c.period and c.institution_code -%}
{%- set part -%}
select try_cast(left(cast({{ name_of(c.period) }} as string), 4) as integer) as year, count(distinct {{ name_of(c.institution_code) }}) as institutions
from {{ records_of(c) }}
where {{ name_of(c.period) }} is not null
group by 1
{%- endset -%}
{%- do parts.append(part) -%}
{%- endfor -%}
{{ one_below_the_other(parts, "select 0 as year, cast(0 as bigint) as institutions where false") }}
