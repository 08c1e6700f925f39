-- `expected` is the size of that year's register where each institution owes a row; else nobody knows who owed one.
select
    found.dataset,
    found.period,
    found.institutions,
    case when contracts.is_owed then sizes.institutions end as expected
from {{ ref('int_dataset_institutions') }} as found
inner join {{ source('catalog', 'contracts') }} as contracts on contracts.dataset = found.dataset
left join {{ ref('int_register_sizes') }} as sizes on sizes.year = try_cast(left(found.period, 4) as integer)
order by found.dataset, found.period
