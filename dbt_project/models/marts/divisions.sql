-- own_zh, own_en: what the institutions of the division itself are called in a list of its parts. The code of a city stands
-- beside its districts for the city's own bodies, and under the city's name they would be taken for the whole city.
select
    code,
    name_zh,
    name_en,
    parent,
    level,
    successor,
    note,
    coalesce(own_zh, case when level = 'city' then name_zh || '本级' end) as own_zh,
    coalesce(own_en, case when level = 'city' then 'Bodies of ' || coalesce(name_en, name_zh) || ' itself' end) as own_en
from {{ ref('stg_city_divisions') }}
order by code
