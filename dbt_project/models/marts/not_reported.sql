-- Who of each year's register has no record of a dataset that each institution owes, in how many of the periods of that year in
-- which anybody has one. An institution that reported under a former name has reported. Whether a name leaves the house is the city's
-- decision (name_missing of city.yaml); here, as there, only names stand that are public anyway.
{% set registers = [] %}
{%- for c in contracts() if c.is_register and c.period and c.institution_code and c.institution_name -%}
{%- do registers.append(c) -%}
{%- endfor -%}
{% set parts = [] %}
{%- for c in contracts() if registers and c.is_owed and not c.is_register and c.institution_name -%}
{%- set period = 'cast(' ~ name_of(c.period) ~ ' as string)' -%}
{%- set part -%}
select distinct
    {{ text_of(c.dataset) }} as dataset,
    try_cast(left({{ period }}, 4) as integer) as year,
    {{ 'left(' ~ period ~ ', 4)' if c.period_kind == 'date' else period }} as period,
    cast({{ name_of(c.institution_name) }} as string) as org_name
from {{ records_of(c) }}
where {{ name_of(c.period) }} is not null
{%- endset -%}
{%- do parts.append(part) -%}
{%- endfor -%}
with register as (
{% if registers %}{% set r = registers[0] %}
    select distinct
        try_cast(left(cast({{ name_of(r.period) }} as string), 4) as integer) as year,
        cast({{ name_of(r.institution_code) }} as string) as org,
        cast({{ name_of(r.institution_name) }} as string) as org_name
    from {{ records_of(r) }}
{% else %}
    select 0 as year, '' as org, '' as org_name where false
{% endif %}
),

records as (
{{ one_below_the_other(parts, "select '' as dataset, 0 as year, '' as period, '' as org_name where false") }}
),

-- Of a name that several institutions had, that of the year, else of the latest, as everywhere.
named as (
    select org_name, max(org) as org, year from register group by org_name, year
),

latest as (
    select org_name, org
    from (select org_name, org, row_number() over (partition by org_name order by year desc, org asc) as place from named)
    where place = 1
),

reported as (
    select
        records.dataset,
        records.year,
        coalesce(named.org, latest.org, records.org_name) as org,
        count(distinct records.period) as periods
    from records
    left join named on named.org_name = records.org_name and named.year = records.year
    left join latest on latest.org_name = records.org_name
    group by records.dataset, records.year, coalesce(named.org, latest.org, records.org_name)
),

due as (
    select dataset, year, count(distinct period) as periods from records group by dataset, year
),

-- one name each: the register may have had two in a year
expected as (
    select year, org, {{ public_text('max(org_name)') }} as org_name from register group by year, org
),

missing as (
    select
        due.dataset,
        due.year,
        expected.org_name,
        max(due.periods - coalesce(reported.periods, 0)) as missing,
        max(due.periods) as periods
    from due
    inner join expected on expected.year = due.year
    left join reported on reported.dataset = due.dataset and reported.year = due.year and reported.org = expected.org
    group by due.dataset, due.year, expected.org_name
)

select
    missing.dataset,
    missing.year,
    missing.org_name,
    cast(missing.missing as bigint) as missing,
    cast(missing.periods as bigint) as periods
from missing
inner join {{ ref('int_open_names') }} as open_names on open_names.name = missing.org_name
where missing.missing > 0
order by missing.dataset, missing.year, missing.org_name
