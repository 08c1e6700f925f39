-- One row per measure, institution and year: the institution itself, its people and its floor area.
with years as (
    select * from {{ ref('int_institution_years') }}
)

{{ facts('years', 'institutions', [('institutions', '1')]) }}
union all
{{ facts('years', 'institutions', [('people', 'people'), ('floor_area', 'floor_area')], closed=true) }}
