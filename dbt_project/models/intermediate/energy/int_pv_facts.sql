-- Solar roofs: what is listed (in the latest year, for a list says what is planned or stands now), what was on the grid at the
-- end of each year, what was generated, what that saves by each factor set, and what the treasury got.
with sites as (
    select * from {{ with_org(ref('stg_pv_sites')) }}
),

listed as (
    select
        sites.*,
        sites.status as site_status,
        years.year,
        row_number() over (partition by sites.org order by sites.site_id) = 1 as first
    from sites
    inner join {{ ref('int_years') }} as years on years.latest
),

by_year as (
    select sites.*, years.year, coalesce(sites.grid_on <= years.day, false) as on_grid
    from sites
    inner join {{ ref('int_years') }} as years on true
),

-- A site that nobody listed has no capacity to be held against; its power counts all the same.
generated as (
    select
        generation.*,
        coalesce(sites.org, generation.site_id) as org,
        cast(substr(generation.month, 1, 4) as integer) as year,
        sites.capacity_kw,
        sites.design_annual_kwh
    from {{ ref('stg_pv_generation') }} as generation
    left join sites on sites.site_id = generation.site_id
),

factors as (
    select * from {{ ref('int_carrier_factors') }} where carrier = 'electricity'
),

forecast as (
    select listed.*, factors.factor_set, factors.metric, listed.design_annual_kwh * factors.per_unit as saved
    from listed
    inner join factors on factors.year = listed.year
),

avoided as (
    select generated.*, factors.factor_set, factors.metric, generated.generation_kwh * factors.per_unit as saved
    from generated
    inner join factors on factors.year = generated.year
),

revenue as (
    select *, kind as revenue_kind from {{ of_city(ref('stg_pv_revenue')) }}
)

{{ facts('listed', 'pv_sites', [
    ('pv_units', 'cast(first as integer)'),
    ('pv_sites', '1', ['site_status']),
    ('pv_roof_area', 'roof_area'),
    ('pv_capacity', 'capacity_kw', ['site_status']),
    ('pv_design_generation', 'design_annual_kwh'),
]) }}
union all
{{ facts('by_year', 'pv_sites', [
    ('pv_sites_known', '1'),
    ('pv_sites_on_grid', 'cast(on_grid as integer)'),
    ('pv_capacity_on_grid', 'case when on_grid then capacity_kw else 0 end'),
]) }}
union all
{{ facts('generated', 'pv_generation', [
    ('pv_generation', 'generation_kwh'),
    ('pv_self_use', 'self_use_kwh'),
    ('pv_feed_in', 'feed_in_kwh'),
    ('pv_generation_with_use', 'case when self_use_kwh is not null then generation_kwh end'),
    ('pv_generation_with_design', 'case when design_annual_kwh is not null then generation_kwh end'),
    ('pv_expected', share_of('design_annual_kwh', 12)),
    ('pv_capacity_years', share_of('capacity_kw', 12)),
]) }}
union all
{{ facts('forecast', 'pv_sites', [
    ('pv_coal_saved', "case metric when 'kgce' then saved end"), ('pv_co2_avoided', "case metric when 'kgCO2' then saved end"),
], factor_set='factor_set') }}
union all
{{ facts('avoided', 'pv_generation', [
    ('pv_coal_saved_actual', "case metric when 'kgce' then saved end"), ('pv_co2_avoided_actual', "case metric when 'kgCO2' then saved end"),
], factor_set='factor_set') }}
union all
{{ facts('revenue', 'pv_revenue', [('pv_revenue', 'amount', ['revenue_kind'])]) }}
