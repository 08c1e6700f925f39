-- One row per measure, institution, year of sale, breakdown, file and sheet, over disposals that are closed (已成交): whole,
-- by method, and by kind of area. One without a date of sale has no year and counts in none.
with sold as (
    select
        coalesce(names.org, disposals.org_name) as org,
        disposals.*
    from {{ ref('stg_disposals') }} as disposals
    left join {{ ref('int_institution_names') }} as names on names.org_name = disposals.org_name
    where disposals.status = '已成交'
),

by_kind as (
    select *, '' as breakdown, '' as breakdown_member from sold
    union all
    select *, 'method', method from sold
    union all
    select *, 'area_kind', area_kind from sold
)

{% for measure, amount in [('disposal_count', '1'), ('disposal_area', 'area'), ('disposal_amount', 'deal_amount'), ('disposal_treasury', 'treasury_amount')] %}
{{ 'union all' if not loop.first }}
select
    '{{ measure }}' as measure,
    'none' as factor_set,
    year,
    org,
    breakdown,
    breakdown_member,
    'disposals' as dataset,
    file_id,
    sheet,
    cast(sum({{ amount }}) as decimal(28, 6)) as amount,
    count(*) as records,
    false as closed
from by_kind
where {{ amount }} is not null
group by year, org, breakdown, breakdown_member, file_id, sheet
{% endfor %}
