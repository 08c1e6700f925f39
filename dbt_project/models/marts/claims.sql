-- One row per statement: the figure the records give, the verdict and what its sentences name, as codes and numbers. The release
-- words them (publish/wording.py).
with spans as (
    select indicator_id, min(year) as first_record, max(year) as last_record
    from {{ ref('int_indicator_values') }}
    where value is not null and dimension not like 'period%'
    group by indicator_id
),

-- A statement about years before or after all records is not held against the records of another year.
stated as (
    select
        claims.*,
        spans.first_record,
        spans.last_record,
        coalesce(
            coalesce(claims.period_end, claims.period_start) < spans.first_record
            or coalesce(claims.period_start, claims.period_end) > spans.last_record,
            false
        ) as outside_records
    from {{ ref('int_claims') }} as claims
    left join spans on spans.indicator_id = claims.indicator_id
),

found as (
    select
        claims.claim_id,
        sum(indicator_values.value) as value,
        max(indicator_values.unit) as unit,
        bool_or(indicator_values.synthetic) as synthetic,
        sum(indicator_values.records) as records,
        case when claims.first_year is null then max(indicator_values.files) end as files,
        max(indicator_values.note_codes) as note_codes,
        min(indicator_values.contributors) as contributors,
        max(indicator_values.left_out) as left_out,
        max(indicator_values.largest_share) as largest_share,
        bool_or(indicator_values.closed) as closed
    from stated as claims
    inner join {{ ref('int_indicator_values') }} as indicator_values
        on indicator_values.indicator_id = claims.indicator_id
        and indicator_values.year between coalesce(claims.first_year, claims.year) and claims.year
        and indicator_values.dimension = claims.dimension
        and indicator_values.member = claims.member
        and indicator_values.factor_set = claims.factor_set
    where not claims.outside_records
    group by claims.claim_id, claims.first_year
),

compared as (
    select
        {{ all_but('claims', ['sql']) }},
        case when not claims.outside_records then coalesce(claims.sql, {{ claim_sql() }}) end as sql,
        {{ all_but('beside', ['claim_id']) }},
        {{ all_but('found', ['claim_id', 'value', 'unit']) }},
        case
            when claims.unit is null or (claims.test is not null and units.multiplier is null) then indicators.unit
            else claims.unit
        end as computed_unit,
        {{ in_unit('found.value', 'coalesce(units.multiplier, 1)') }} as computed_value
    from stated as claims
    left join found on found.claim_id = claims.claim_id
    left join {{ ref('int_claim_beside') }} as beside on beside.claim_id = claims.claim_id and not claims.outside_records
    left join {{ ref('stg_indicators') }} as indicators on indicators.indicator_id = claims.indicator_id
    left join {{ ref('stg_units') }} as units
        on units.claim_unit = claims.unit and units.indicator_unit = indicators.unit
),

checked as (
    select
        *,
        cast(computed_value - coalesce(target, value) as decimal(28, 6)) as difference,
        {{ check_status('(verifiable and not outside_records)', 'qualifier', 'value', 'step', 'computed_value', 'test', 'target') }} as check_status
    from compared
),

-- How the words beside the number are judged.
phrased as (
    select
        *,
        {{ wording_rule() }} as wording_rule,
        {{ compared_with() }} as compared_year,
        first_year is not null and period_start is null as no_period
    from checked
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
        case when period_start = period_end then cast(period_start as string) else period_start || '-' || period_end end,
        period_note
    ), '') as period,
    computed_value,
    computed_unit,
    difference,
    check_status,
    case when computed_value is null then null when synthetic then 'synthetic' else 'records' end as evidence,
    cast(null as string) as explanation_zh,
    cast(null as string) as explanation_en,
    sql,
    verdict,
    cast(null as string) as verdict_zh,
    cast(null as string) as verdict_en,
    word,
    wording_status,
    cast(null as string) as wording_zh,
    cast(null as string) as wording_en,
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
    quotation,
    report_title,
    report_by,
    report_date,
    report_url,
    period_id,
    coalesce(synthetic, false) as synthetic,
    cast(contributors as bigint) as contributors,
    cast(left_out as bigint) as left_out,
    cast(round(largest_share, 6) as decimal(9, 6)) as largest_share,
    coalesce(closed, false) as closed,
    wording_rule,
    cast(records as bigint) as records,
    cast(files as bigint) as files,
    test,
    cast(target as decimal(28, 6)) as target,
    compared_year,
    years_known,
    years_match,
    year_on_year,
    no_period,
    case when outside_records then period_start end as stated_from,
    case when outside_records then period_end end as stated_to,
    case when outside_records then cast(first_record as integer) end as first_record,
    case when outside_records then cast(last_record as integer) end as last_record,
    note_codes,
    note_zh,
    note_en
from verdicts
order by position
