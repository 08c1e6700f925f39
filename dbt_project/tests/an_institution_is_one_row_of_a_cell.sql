-- int_indicator_sums counts the rows of int_indicator_parts as institutions. An institution would be two rows of a cell where a
-- measure had, by the same factors, both a whole (breakdown '') and a part of the total alone, or were converted in some facts
-- and in others not. What an institution is in a year is one row of int_institution_attributes by construction.
with measures as (
    select distinct measure, factor_set, breakdown from {{ ref('int_facts') }}
)

select measure, factor_set, 'a whole and a part of the total' as fault
from measures
where breakdown in ('', 'total')
group by measure, factor_set
having count(*) > 1
union all
select measure, null as factor_set, 'converted and not converted' as fault
from measures
group by measure
having bool_or(factor_set = 'none') and bool_or(factor_set <> 'none')
