-- own_zh, own_en: what the institutions of the division itself are called in a list of its parts, where the city's folder says so.
-- tile_column, tile_row: the division's place on a map of equal tiles, which the city's folder chose.
select
    code,
    name_zh,
    name_en,
    parent,
    level,
    successor,
    note,
    own_zh,
    own_en,
    tile_column,
    tile_row
from {{ ref('stg_city_divisions') }}
order by code
