-- One row per measure, institution and year: the institution itself, its people and its floor area.
with years as (
    select * from {{ ref('int_institution_years') }}
)

{% for measure, amount, closed in [('institutions', '1', 'false'), ('people', 'people', 'true'), ('floor_area', 'floor_area', 'true')] %}
{{ 'union all' if not loop.first }}
select
    '{{ measure }}' as measure,
    'none' as factor_set,
    year,
    org,
    '' as breakdown,
    '' as breakdown_member,
    'institutions' as dataset,
    file_id,
    sheet,
    cast({{ amount }} as decimal(28, 6)) as amount,
    1 as records,
    {{ closed }} as closed
from years
{{ 'where ' ~ amount ~ ' is not null' if closed == 'true' }}
{% endfor %}
