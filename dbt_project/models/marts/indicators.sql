select
    indicator_id,
    theme,
    name_zh,
    name_en,
    unit,
    definition_zh,
    definition_en,
    formula,
    kind,
    better,
    decimals,
    numerator,
    denominator,
    case change_kind when 'full' then change_of end as change_of
from {{ ref('seed_indicators') }}
order by indicator_id
