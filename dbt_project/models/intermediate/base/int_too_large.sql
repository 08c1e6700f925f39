-- One row per dataset: how many of its records hold a number of 10^16 or more, which counts nowhere.
{%- set datasets = [
    'canteens', 'disposals', 'energy_use', 'epc_contracts', 'event_support', 'inspections', 'institutions', 'leases', 'meetings',
    'office_changes', 'office_rooms', 'parking_lots', 'policies', 'procurements', 'pv_generation', 'pv_revenue', 'pv_sites',
    'real_assets', 'recognitions', 'retrofit_funds', 'service_assessments', 'tasks', 'timeshare_trips', 'timeshare_vehicles',
    'trainings', 'utility_separation', 'vehicle_costs', 'vehicle_purchases', 'vehicles', 'warehouse_moves',
] %}
{% for dataset in datasets %}
{{ 'union all' if not loop.first }}
select '{{ dataset }}' as dataset, count(*) as records from {{ ref('stg_' ~ dataset) }} where too_large
{%- endfor %}
