with found as (
    select
        claims.claim_id,
        sum("values".value) as value,
        any_value("values".unit) as unit,
        bool_or("values".synthetic) as synthetic,
        sum("values".records) as records,
        case when claims.first_year is null then any_value("values".files) end as files,
        any_value("values".note_zh) as note_zh,
        any_value("values".note_en) as note_en,
        min("values".contributors) as contributors,
        max("values".left_out) as left_out,
        max("values".largest_share) as largest_share,
        bool_or("values".closed) as closed
    from {{ ref('int_claims') }} as claims
    inner join {{ ref('int_indicator_values') }} as "values"
        on "values".indicator_id = claims.indicator_id
        and "values".year between coalesce(claims.first_year, claims.year) and claims.year
        and "values".dimension = claims.dimension
        and "values".member = claims.member
        and "values".factor_set = claims.factor_set
    group by claims.claim_id, claims.first_year
),

compared as (
    select
        claims.* replace (coalesce(claims.sql, {{ claim_sql() }}) as sql),
        beside.* exclude (claim_id),
        found.* exclude (claim_id, value, unit, note_zh, note_en),
        found.note_zh as value_note_zh,
        found.note_en as value_note_en,
        case
            when claims.unit is null or (claims.test is not null and units.multiplier is null) then indicators.unit
            else claims.unit
        end as computed_unit,
        {{ in_unit('found.value', 'coalesce(units.multiplier, 1)') }} as computed_value
    from {{ ref('int_claims') }} as claims
    left join found on found.claim_id = claims.claim_id
    left join {{ ref('int_claim_beside') }} as beside on beside.claim_id = claims.claim_id
    left join {{ ref('seed_indicators') }} as indicators on indicators.indicator_id = claims.indicator_id
    left join {{ ref('seed_units') }} as units
        on units.claim_unit = claims.unit and units.indicator_unit = indicators.unit
),

checked as (
    select
        *,
        cast(computed_value - coalesce(target, value) as decimal(28, 6)) as difference,
        {{ check_status('verifiable', 'qualifier', 'value', 'step', 'computed_value', 'test', 'target') }} as check_status
    from compared
),

titles as (
    select dataset, title_zh, title_en from {{ ref('stg_contracts') }}
),

needed as (
    select
        words.claim_id,
        string_agg(coalesce('《' || titles.title_zh || '》', words.dataset), '、' order by words.place) as needs_zh,
        string_agg(coalesce(titles.title_en, words.dataset), ', ' order by words.place) as needs_en
    from (
        select
            claim_id,
            unnest(string_split(datasets, '|')) as dataset,
            unnest(range(len(string_split(datasets, '|')))) as place
        from checked
    ) as words
    left join titles on titles.dataset = words.dataset
    group by words.claim_id
),

worded as (
    select
        checked.*,
        needed.needs_zh,
        needed.needs_en,
        case when synthetic then '以合成示例数据计算（不能证明真实情况）：' else '' end
            || coalesce(files || ' 份文件的 ', '') || records || ' 条记录算得 ' || {{ spelled('computed_value', 'computed_unit', 'zh') }} as found_zh,
        case when synthetic then 'From made-up data (which prove nothing about the real city): ' else '' end
            || records || ' records' || coalesce(' of ' || files || ' files', '') || ' give ' || {{ spelled('computed_value', 'computed_unit', 'en') }} as found_en,
        case when test is not null then '（须 ' || replace(replace(test, '>=', '≥'), '<=', '≤') || ' ' || {{ plain('target') }} || ' ' || computed_unit || '）' end as wanted_zh,
        case when test is not null then ' (must be ' || test || ' ' || {{ plain('target') }} || ' ' || computed_unit || ')' end as wanted_en
    from checked
    left join needed on needed.claim_id = checked.claim_id
),

-- The words beside the number: whether they say what was computed.
phrased as (
    select
        *,
        coalesce(word, case qualifier when 'over' then '余' when 'near_below' then '近' when 'approx' then '约' when 'at_least' then '至少' when 'planned' then '预计' end)
            as said,
        {{ wording_rule() }} as wording_rule,
        first_year is not null and period_start is null as no_period
    from worded
),

judged as (
    select *, {{ wording_status() }} as wording_status
    from phrased
),

verdicts as (
    select
        *,
        case
            when check_status in ('not_verifiable', 'no_data') then check_status
            when check_status = 'mismatch' then 'differs'
            when wording_status in ('does_not_fit', 'incomplete') or basis_match < basis_count then 'holds_in_part'
            else 'holds'
        end as verdict
    from judged
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
    computed_unit,
    difference,
    check_status,
    case when computed_value is null then null when synthetic then 'synthetic' else 'records' end as evidence,
    concat_ws(
        ' ',
        case check_status
            when 'match' then found_zh || coalesce(wanted_zh, '') || '，与原文“' || value_text || '”一致。'
            when 'within_qualifier' then found_zh || '，在原文“' || value_text || '”的约数范围内。'
            when 'mismatch' then
                found_zh || coalesce(wanted_zh, '') || '，与原文“' || value_text || '”'
                || case when test is not null then '不符，差 ' else '相差 ' end
                || {{ apart('zh') }} || '。'
            when 'no_data' then '没有可用的记录；核对需要' || coalesce(needs_zh, '别的数据') || '。'
        end,
        case when synthetic and check_status = 'mismatch' and kind = 'count' then '示例城市的机构数与真实城市不同，按机构计数的表述会因此不一致。' end,
        case when computed_value is not null then value_note_zh end,
        note_zh
    ) as explanation_zh,
    concat_ws(
        ' ',
        case check_status
            when 'match' then found_en || coalesce(wanted_en, '') || ', which agrees with the statement.'
            when 'within_qualifier' then found_en || ', within what the wording allows.'
            when 'mismatch' then
                found_en || coalesce(wanted_en, '') || ', which '
                || case when test is not null then 'does not bear the statement out: it is off by ' else 'differs from the statement by ' end
                || {{ apart('en') }} || '.'
            when 'no_data' then 'There are no records to hold this against; it needs: ' || coalesce(needs_en, 'other data') || '.'
        end,
        case when synthetic and check_status = 'mismatch' and kind = 'count' then 'The made-up city has not as many institutions as the real one, so that counts of them differ.' end,
        case when computed_value is not null then value_note_en end,
        note_en
    ) as explanation_en,
    sql,
    verdict,
    {{ verdict_words('zh') }} as verdict_zh,
    {{ verdict_words('en') }} as verdict_en,
    word,
    wording_status,
    {{ wording_words('zh') }} as wording_zh,
    {{ wording_words('en') }} as wording_en,
    basis,
    basis_count,
    basis_match,
    scope,
    level,
    kind,
    is_forecast,
    datasets,
    indicator_id,
    first_year,
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
from verdicts
order by position
