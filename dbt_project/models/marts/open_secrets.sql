-- Those texts of public rows that are a secret of another dataset: who bought here may be a supplier there, whose name is
-- published by contract. In that column it is no secret.
{% set parts = [] %}
{%- for c in contracts() if c.published -%}
{%- for column in c.columns if column.published and column.type == 'string' -%}
{%- set part -%}
select distinct {{ text_of(c.dataset) }} as dataset, {{ text_of(column.column) }} as {{ name_of('column') }}, {{ name_of(column.column) }} as value
from {{ records_of(c) }}
where {{ name_of(column.column) }} in (select value from {{ ref('secrets') }} where dataset <> {{ text_of(c.dataset) }}) and ({{ condition_of(c.opens_when) }})
{%- endset -%}
{%- do parts.append(part) -%}
{%- endfor -%}
{%- endfor -%}
{{ one_below_the_other(parts, "select dataset, " ~ name_of('column') ~ ", value from " ~ ref('secrets') ~ " where false") }}
