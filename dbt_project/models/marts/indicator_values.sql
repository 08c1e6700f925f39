select
    indicator_id,
    year,
    dimension,
    member,
    value,
    unit,
    case
        when value is null then 'O'
        when in_future then 'F'
        when unfinished or year_not_over then 'P'
        when months_missing > 0 then 'E'
        else 'A'
    end as status,
    cast(records as bigint) as records,
    cast(files as bigint) as files,
    factor_set,
    synthetic,
    cast(null as string) as note,
    cast(reporting as bigint) as reporting,
    cast(population as bigint) as population,
    cast(null as string) as revised,
    cast(contributors as bigint) as contributors,
    cast(left_out as bigint) as left_out,
    cast(round(largest_share, 6) as decimal(9, 6)) as largest_share,
    closed_value,
    closed,
    note_codes
from {{ ref('int_indicator_values') }}
order by indicator_id, factor_set, dimension, member, year
