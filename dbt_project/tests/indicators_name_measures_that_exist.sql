-- An indicator is a sum, a ratio, or a change of a ratio; and what it is made of is there.
select indicator_id, 'needs a numerator or change_of, not both' as wrong
from {{ ref('seed_indicators') }}
where (numerator is null) = (change_of is null)
union all
select changes.indicator_id, 'change_of must be a ratio of this table'
from {{ ref('seed_indicators') }} as changes
left join {{ ref('seed_indicators') }} as ratios
    on ratios.indicator_id = changes.change_of and ratios.denominator is not null
where changes.change_of is not null and ratios.indicator_id is null
