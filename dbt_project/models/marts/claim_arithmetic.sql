select
    check_id,
    expression,
    expected,
    computed,
    unit,
    reading_zh,
    reading_en,
    sql,
    cast(position as integer) as position
from {{ ref('stg_city_arithmetic') }}
order by position
