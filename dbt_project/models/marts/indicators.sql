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
    multiplier,
    change_of,
    change_kind,
    adds_over_years,
    home_order,
    topic_order
from {{ ref('stg_indicators') }}
order by indicator_id
