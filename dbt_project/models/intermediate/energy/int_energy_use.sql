-- One row per institution, year, carrier (water and the two costs too), file and sheet: the quantity, the records that state
-- one, and the months they are of (a bit each: 2 is January).
with
{% set carriers = ['electricity', 'natural_gas', 'gasoline', 'diesel', 'coal', 'lpg', 'heat', 'other_energy', 'water', 'electricity_cost', 'water_cost'] %}
named as (
    select
        coalesce(names.org, energy.org_name) as org,
        cast(substr(energy.month, 1, 4) as integer) as year,
        energy.*
    from {{ ref('stg_energy_use') }} as energy
    left join {{ ref('int_institution_names') }} as names on names.org_name = energy.org_name
),

summed as (
    select
        org,
        year,
        file_id,
        sheet,
        {% for carrier in carriers %}
        sum({{ carrier }}) as {{ carrier }},
        count({{ carrier }}) as {{ carrier }}_records,
        bit_or({{ month_bit('month') }}) filter (where {{ carrier }} is not null) as {{ carrier }}_months{{ ',' if not loop.last }}
        {% endfor %}
    from named
    group by org, year, file_id, sheet
)

{% for carrier in carriers %}
{{ 'union all' if not loop.first }}
select
    org,
    year,
    '{{ carrier }}' as carrier,
    file_id,
    sheet,
    cast({{ carrier }} as decimal(28, 6)) as quantity,
    {{ carrier }}_records as records,
    {{ carrier }}_months as months
from summed
where {{ carrier }}_records > 0
{% endfor %}
