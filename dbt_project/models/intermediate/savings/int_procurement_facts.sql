-- Purchases and what they saved against which price, designated services, and the separation of utilities.
with contracts as (
    select *, extract(year from award_on) as year from {{ with_org(ref('stg_procurements')) }}
),

-- The cut of the cap and the bid below it are two savings with two bases: a row for each.
property_parts as (
    select *, '核减上限' as part, reported_cap - approved_cap as saving from contracts where category = '物业'
    union all
    select *, '招标降价' as part, approved_cap - award_price as saving from contracts where category = '物业'
),

-- What is one figure of many institutions stands for the city in the total, and for each level counted anew.
property_contracts as (
    select * from {{ with_level('contracts') }} where category = '物业'
),

first_property as (
    select {{ all_but('', ['org']) }}, '(city)' as org, 'all' as total
    from property_contracts
    qualify row_number() over (order by award_on, contract_id) = 1
),

first_property_of_level as (
    select {{ all_but('', ['org']) }}, '(city)' as org
    from property_contracts
    qualify row_number() over (partition by level order by award_on, contract_id) = 1
),

-- A service is designated in a year in which a framework agreement for it was in force; it counts once.
agreements as (
    select {{ all_but('contracts', ['year']) }}, contracts.category as service, years.year
    from contracts
    inner join {{ ref('int_years') }} as years
        on contracts.award_on <= years.day and coalesce(contracts.end_on, years.day) >= years.first_day
    where contracts.method = '框架协议' and contracts.category in ('加油', '保险', '维修保养')
),

designated as (
    select {{ all_but('', ['org']) }}, '(city)' as org, 'all' as total
    from agreements
    qualify row_number() over (partition by year, category order by award_on, contract_id) = 1
),

designated_at_level as (
    select {{ all_but('', ['org']) }}, '(city)' as org
    from {{ with_level('agreements') }}
    qualify row_number() over (partition by year, level, category order by award_on, contract_id) = 1
),

separated as (
    select *, extract(year from coalesce(handed_over_on, started_on)) as year
    from {{ with_org(ref('stg_utility_separation')) }}
),

-- A compound is counted once at each level of the institutions that had a part in it.
communities as (
    select
        *,
        row_number() over (partition by org order by coalesce(handed_over_on, started_on), community_id) = 1 as first_of_org,
        row_number() over (partition by level, community order by coalesce(handed_over_on, started_on), community_id) = 1 as first_of_name
    from {{ with_level('separated') }}
),

handed_over as (
    select * from communities where handed_over_on is not null
),

-- The whole reform: from the first start to the last handing over.
ends_of_reform as (
    select min(started_on) as first, max(handed_over_on) as last from handed_over
),

reform as (
    select
        {{ all_but('handed_over', ['org']) }}, '(city)' as org, 'all' as total,
        {{ months_between_dates('ends_of_reform.first', 'ends_of_reform.last') }} as months
    from handed_over
    cross join ends_of_reform
    qualify row_number() over (order by handed_over.handed_over_on desc, handed_over.community_id asc) = 1
),

reform_at_level as (
    select
        {{ all_but('', ['org']) }}, '(city)' as org,
        {{ months_between_dates('min(started_on) over (partition by level)', 'max(handed_over_on) over (partition by level)') }} as months
    from handed_over
    qualify row_number() over (partition by level order by handed_over_on desc, community_id asc) = 1
)

{{ facts('contracts', 'procurements', [
    ('procurement_contracts', '1', ['category', 'method']),
    ('procurement_amount', 'contract_price', ['category', 'method']),
    ('framework_saving', "case when method = '框架协议' and category in ('空调', '办公设备', '办公家具') then reference_price - contract_price end", ['category']),
]) }}
union all
{{ facts('property_parts', 'procurements', [('property_saving', 'saving', ['part'])]) }}
union all
{{ facts('first_property', 'procurements', [('property_since', 'year', ['total'], 'parts')]) }}
union all
{{ facts('first_property_of_level', 'procurements', [('property_since', 'year', ['level'], 'parts')]) }}
union all
{{ facts('designated', 'procurements', [('designated_services', '1', ['total', 'service'], 'parts')]) }}
union all
{{ facts('designated_at_level', 'procurements', [('designated_services', '1', ['level'], 'parts')]) }}
union all
{{ facts('communities', 'utility_separation', [
    ('sgyy_units', 'cast(first_of_org as integer)'),
    ('sgyy_communities', 'cast(first_of_name as integer)'),
    ('sgyy_buildings', 'buildings'),
    ('sgyy_households', 'households'),
    ('sgyy_floor_area', 'floor_area'),
    ('sgyy_subsidy_before', 'subsidy_before'),
    ('sgyy_subsidy_after', 'subsidy_after'),
    ('sgyy_annual_saving', 'subsidy_before - subsidy_after'),
]) }}
union all
{{ facts('reform', 'utility_separation', [('sgyy_months', 'months', ['total'], 'parts')]) }}
union all
{{ facts('reform_at_level', 'utility_separation', [('sgyy_months', 'months', ['level'], 'parts')]) }}
