-- Every fact of every theme, before it is known what the institution was.
{% for theme in themes() %}
{{ 'union all' if not loop.first }}
select
    measure, factor_set, year, org, breakdown, breakdown_member, dataset, file_id, sheet, amount, records, closed, sheet_rows
from {{ ref(theme) }}
{%- endfor %}
