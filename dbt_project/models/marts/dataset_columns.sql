-- The data dictionary: one row per column of every contract, published or not.
select
    dataset,
    position,
    {{ name_of('column') }},
    header_zh,
    title_en,
    type,
    unit,
    required,
    key,
    access,
    published,
    allowed,
    description,
    description_en,
    aliases
from {{ source('catalog', 'columns') }}
order by dataset, position
