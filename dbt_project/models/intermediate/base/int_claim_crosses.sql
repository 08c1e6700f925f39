-- One row per indicator and breakdown that a statement about one level needs by level.
select distinct
    indicator_id,
    split_part(dimension, '/', case when dimension like 'period/%' then 2 else 1 end) as breakdown
from {{ ref('stg_city_claims') }}
where level is not null and indicator_id is not null and dimension not in ('total', 'period', 'base')
