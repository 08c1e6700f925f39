-- The texts that stay inside (level L2): the gate looks for them in the finished files. An enumeration is none, its values stand
-- in the contract.
{% set parts = [] %}
{%- for c in contracts() -%}
{%- for column in c.columns if column.access == 'L2' and column.type == 'string' and not column.allowed -%}
{%- set part -%}
select distinct {{ text_of(c.dataset) }} as dataset, {{ text_of(column.column) }} as {{ name_of('column') }}, cast({{ name_of(column.column) }} as string) as value
from {{ records_of(c) }}
where {{ name_of(column.column) }} is not null
{%- endset -%}
{%- do parts.append(part) -%}
{%- endfor -%}
{%- endfor -%}
{{ one_below_the_other(parts, "select '' as dataset, '' as " ~ name_of('column') ~ ", '' as value where false") }}
