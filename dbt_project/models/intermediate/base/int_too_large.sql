-- One row per dataset: how many of its records hold a number of 10^16 or more, which counts nowhere.
{% set parts = [] %}
{%- for c in contracts() -%}
{%- set numbers = [] -%}
{%- for column in c.columns if column.type in ('integer', 'year', 'decimal') and column.access != 'L3' -%}
{%- do numbers.append(is_too_large(name_of(column.column))) -%}
{%- endfor -%}
{%- set part -%}
select {{ text_of(c.dataset) }} as dataset, count(*) as records
from {{ records_of(c) }}
where {{ numbers | join(' or ') if numbers else 'false' }}
{%- endset -%}
{%- do parts.append(part) -%}
{%- endfor -%}
{{ one_below_the_other(parts, "select '' as dataset, cast(0 as bigint) as records where false") }}
