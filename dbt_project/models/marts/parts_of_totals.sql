-- What each institution is of each total of the city, open or closed. A view: it is read once.
{{ config(materialized='replaced_view') }}

select indicator_id, factor_set, year, org, cast(sum(numerator) as double) as part
from {{ ref('int_indicator_parts') }}
where matched and breakdown in ('', 'total')
group by all
