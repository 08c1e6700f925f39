select
    sources.indicator_id,
    sources.year,
    sources.dimension,
    sources.member,
    sources.factor_set,
    sources.dataset,
    sources.file_id,
    sources.sheet,
    cast(sources.records as bigint) as records,
    sources.closed
from {{ ref('int_indicator_sources') }} as sources
inner join {{ ref('int_indicator_values') }} as known
    using (indicator_id, factor_set, year, dimension, member)
order by
    sources.indicator_id, sources.factor_set, sources.dimension, sources.member, sources.year,
    sources.dataset, sources.file_id, sources.sheet
