-- Of which datasets each total of the city is made, open or closed. A view: it is read once, and only where something is doubted.
{{ config(materialized='replaced_view') }}

select distinct indicator_id, year, dataset
from {{ ref('int_indicator_sources') }}
where not compared and breakdown in ('', 'total')
