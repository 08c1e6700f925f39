-- An indicator is a sum, a ratio, or a change of one; and what it is made of is there.
select indicator_id, 'needs a numerator or change_of, not both' as wrong
from {{ ref('stg_indicators') }}
where (numerator is null) = (change_of is null) or (change_of is null) <> (change_kind is null)
union all
select changes.indicator_id, 'change_of must be a ratio of this table, or a sum where it says what was saved'
from {{ ref('stg_indicators') }} as changes
left join {{ ref('stg_indicators') }} as changed
    on changed.indicator_id = changes.change_of
    and (changed.denominator is null) = (changes.change_kind = 'saved')
    and changed.numerator is not null
where changes.change_of is not null and changed.indicator_id is null
