-- The names of institutions that stand in public rows: these, and no others, may be named elsewhere.
{% set parts = [] %}
{%- for c in contracts() if c.published and c.institution_name -%}
{%- for column in c.columns if column.column == c.institution_name and column.published -%}
{%- set part -%}
select {{ public_text(name_of(column.column)) }} as name
from {{ records_of(c) }}
where true and ({{ condition_of(c.opens_when) }})
{%- endset -%}
{%- do parts.append(part) -%}
{%- endfor -%}
{%- endfor -%}
select distinct name
from (
{{ one_below_the_other(parts, "select '' as name where false") }}
)
where name is not null
