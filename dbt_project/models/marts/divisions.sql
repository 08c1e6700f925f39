-- own_zh, own_en: what the institutions of the division itself are called in a list of its parts, where the city's folder says so.
select
    code,
    name_zh,
    name_en,
    parent,
    level,
    successor,
    note,
    own_zh,
    own_en
from {{ ref('stg_city_divisions') }}
order by code
