-- One row per measure, institution, fiscal year, file and sheet. A year nobody stated stays null and counts in no year.
with funds as (
    select
        coalesce(names.org, funds.org_name) as org,
        funds.*
    from {{ ref('stg_retrofit_funds') }} as funds
    left join {{ ref('int_institution_names') }} as names on names.org_name = funds.org_name
)

{% for measure, amount in [('retrofit_projects', '1'), ('retrofit_funds_planned', 'planned_amount'), ('retrofit_funds_paid', 'paid_amount')] %}
{{ 'union all' if not loop.first }}
select
    '{{ measure }}' as measure,
    'none' as factor_set,
    year,
    org,
    '' as breakdown,
    '' as breakdown_member,
    'retrofit_funds' as dataset,
    file_id,
    sheet,
    cast(sum({{ amount }}) as decimal(28, 6)) as amount,
    count(*) as records,
    false as closed
from funds
where {{ amount }} is not null
group by year, org, file_id, sheet
{% endfor %}
