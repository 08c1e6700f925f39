with compared as (
    select
        claims.*,
        found.synthetic,
        found.records,
        found.files,
        found.note_zh as value_note_zh,
        found.note_en as value_note_en,
        found.contributors,
        found.left_out,
        found.largest_share,
        found.closed,
        cast(round(cast(found.value as double) * cast(coalesce(units.multiplier, 1) as double), 6) as decimal(28, 6)) as computed_value
    from {{ ref('stg_city_claims') }} as claims
    left join {{ ref('int_indicator_values') }} as found
        using (indicator_id, year, dimension, member, factor_set)
    left join {{ ref('seed_units') }} as units
        on units.claim_unit = claims.unit and units.indicator_unit = found.unit
),

checked as (
    select
        *,
        cast(computed_value - value as decimal(28, 6)) as difference,
        {{ check_status('verifiable', 'qualifier', 'value', 'step', 'computed_value') }} as check_status
    from compared
),

worded as (
    select
        *,
        case when synthetic then '以合成示例数据计算（不能证明真实情况）：' else '' end
            || files || ' 份文件的 ' || records || ' 条记录算得 ' || {{ plain('computed_value') }} || ' ' || unit as found_zh,
        case when synthetic then 'From made-up data (which prove nothing about the real city): ' else '' end
            || records || ' records of ' || files || ' files give ' || {{ plain('computed_value') }} || ' ' || unit as found_en
    from checked
)

select
    claim_id,
    section,
    name_zh,
    name_en,
    value_text,
    value,
    unit,
    qualifier,
    nullif(concat_ws(
        ' ',
        case when period_start = period_end then cast(period_start as varchar) else period_start || '-' || period_end end,
        period_note
    ), '') as period,
    computed_value,
    difference,
    check_status,
    case when computed_value is null then null when synthetic then 'synthetic' else 'records' end as evidence,
    concat_ws(
        ' ',
        case check_status
            when 'match' then found_zh || '，与原文“' || value_text || '”一致。'
            when 'within_qualifier' then found_zh || '，在原文“' || value_text || '”的约数范围内。'
            when 'mismatch' then found_zh || '，与原文“' || value_text || '”相差 ' || {{ plain('difference') }} || ' ' || case unit when '%' then '个百分点' else unit end || '。'
            when 'no_data' then '没有可用的记录；核对需要数据集 ' || coalesce(replace(datasets, '|', '、'), '—') || '。'
        end,
        case when computed_value is not null then value_note_zh end,
        note_zh
    ) as explanation_zh,
    concat_ws(
        ' ',
        case check_status
            when 'match' then found_en || ', which agrees with the statement.'
            when 'within_qualifier' then found_en || ', within what the wording allows.'
            when 'mismatch' then found_en || ', which differs from the statement by ' || {{ plain('difference') }} || ' ' || case unit when '%' then 'percentage points' else unit end || '.'
            when 'no_data' then 'There are no records to hold this against; it needs ' || coalesce(replace(datasets, '|', ', '), '-') || '.'
        end,
        case when computed_value is not null then value_note_en end,
        note_en
    ) as explanation_en,
    sql,
    scope,
    kind,
    is_forecast,
    datasets,
    indicator_id,
    year,
    dimension,
    member,
    factor_set,
    cast(position as integer) as position,
    coalesce(synthetic, false) as synthetic,
    cast(contributors as bigint) as contributors,
    cast(left_out as bigint) as left_out,
    cast(round(largest_share, 6) as decimal(9, 6)) as largest_share,
    coalesce(closed, false) as closed
from worded
order by position
