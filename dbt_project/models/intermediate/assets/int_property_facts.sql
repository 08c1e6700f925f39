-- Land and buildings: what the sweep found idle and what is still idle, what was sold, what is let.
with assets as (
    select
        *,
        kind as asset_kind,
        extract(year from found_on) as year,
        use_status in ('闲置', '待处置', '已处置') as found_idle,
        use_status in ('闲置', '待处置') as still_idle
    from {{ with_org(ref('stg_real_assets')) }}
),

-- One without a date of sale has no year and counts in none.
sold as (
    select *, cast(extract(year from sold_on) as integer) as year from {{ with_org(ref('stg_disposals')) }} where status = '已成交'
),

-- What a person rents is not open in rows.
leases as (
    select * from {{ with_org(ref('stg_leases')) }}
),

in_force as (
    select leases.*, years.year
    from leases
    inner join {{ ref('int_years') }} as years on leases.start_on <= years.day and leases.end_on >= years.day
    where leases.status = '在租'
),

-- A status says what is now: vacant and unpaid are counted in the latest year alone.
now as (
    select
        leases.*,
        years.year,
        case when leases.received is not null then greatest(leases.annual_rent - leases.received, 0) end as unpaid
    from leases
    inner join {{ ref('int_years') }} as years on years.latest and leases.start_on <= years.as_of
    where leases.status <> '到期'
)

{{ facts('assets', 'real_assets', [
    ('assets_swept', '1', ['asset_kind', 'use_status']),
    ('asset_original_value', 'original_value', ['asset_kind', 'use_status']),
    ('idle_land_found', "case when asset_kind = '土地' and found_idle then land_area end", ['sweep', 'use_status']),
    ('idle_land_left', "case when asset_kind = '土地' and found_idle then case when still_idle then land_area else 0 end end", ['sweep']),
    ('idle_building_found', "case when asset_kind = '房屋' and found_idle then floor_area end", ['sweep', 'use_status']),
    ('idle_building_left', "case when asset_kind = '房屋' and found_idle then case when still_idle then floor_area else 0 end end", ['sweep']),
]) }}
union all
{{ facts('sold', 'disposals', [
    ('disposal_count', '1', ['method', 'area_kind']),
    ('disposal_area', 'area', ['method', 'area_kind']),
    ('disposal_amount', 'deal_amount', ['method', 'area_kind']),
    ('disposal_treasury', 'treasury_amount', ['method', 'area_kind']),
    ('disposal_with_treasury', 'case when treasury_amount is not null then deal_amount end', ['method', 'area_kind']),
    ('disposal_appraised', 'case when appraised_value is not null and deal_amount is not null then 1 end', ['method', 'area_kind']),
    ('disposal_below_appraisal', 'case when appraised_value is not null and deal_amount is not null then cast(deal_amount < appraised_value as integer) end', ['method', 'area_kind']),
]) }}
union all
{{ facts('in_force', 'leases', [
    ('lease_count', '1', ['tenant_type', 'award_method']),
    ('lease_area', 'area', ['tenant_type']),
    ('lease_annual_rent', 'annual_rent', ['tenant_type', 'award_method']),
    ('lease_received', 'received', ['tenant_type']),
], closed="coalesce(tenant_type = '个人', true)") }}
union all
{{ facts('now', 'leases', [
    ('lease_assets', '1', ['tenant_type']),
    ('lease_vacant', "cast(status = '空置' as integer)"),
    ('lease_due', "case when status in ('在租', '欠租') and unpaid is not null then annual_rent end"),
    ('lease_unpaid', "case when status in ('在租', '欠租') then unpaid end"),
    ('lease_in_arrears', "case when status in ('在租', '欠租') then cast(status = '欠租' or coalesce(unpaid, 0) > 0 as integer) end"),
    ('lease_let', "case when status in ('在租', '欠租') then 1 end"),
], closed="coalesce(tenant_type = '个人', true)") }}
