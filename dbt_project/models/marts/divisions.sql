select
    code,
    name_zh,
    name_en,
    parent,
    level,
    successor,
    note
from {{ ref('stg_city_divisions') }}
order by code
