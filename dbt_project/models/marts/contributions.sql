-- What each institution contributes to each indicator that comes from closed rows. A view: it is read once.
{{ config(materialized='replaced_view') }}

select
    indicator_id,
    factor_set,
    year,
    org,
    breakdown,
    breakdown_member,
    district,
    org_type,
    admin_level,
    numerator,
    denominator,
    closed_numerator,
    closed_denominator,
    cast(comparable_as as string) as comparable_as
from {{ ref('int_indicator_parts') }}
where
    matched
    and indicator_id in (select indicator_id from {{ ref('int_indicator_parts') }} where closed)
