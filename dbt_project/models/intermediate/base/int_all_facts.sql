-- Every fact of every theme, before it is known what the institution was. A new theme is a new name here.
{% set themes = [
    'int_institution_facts',
    'int_energy_facts',
    'int_conservation_facts',
    'int_pv_facts',
    'int_procurement_facts',
    'int_property_facts',
    'int_warehouse_facts',
    'int_vehicle_facts',
    'int_purchase_facts',
    'int_parking_facts',
    'int_timeshare_facts',
    'int_office_facts',
    'int_governance_facts',
    'int_canteen_facts',
    'int_declared_facts',
] %}
{% for theme in themes %}
{{ 'union all' if not loop.first }}
select
    measure, factor_set, year, org, breakdown, breakdown_member, dataset, file_id, sheet, amount, records, closed, sheet_rows
from {{ ref(theme) }}
{%- endfor %}
