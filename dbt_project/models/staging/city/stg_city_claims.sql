with source as (
    select * from {{ source('city', 'claims') }}
),

renamed as (
    select
        -- ids
        claim_id,
        period_id,
        position,

        -- what is stated
        section,
        name_zh,
        name_en,
        value_text,
        quotation,
        cast(value as decimal(28, 6)) as value,
        unit,
        qualifier,
        word,
        cast(step as decimal(28, 6)) as step,
        test,
        cast(target as decimal(28, 6)) as target,
        scope,
        level,
        kind,
        is_forecast,
        verifiable,
        datasets,

        -- where it was printed
        report_title,
        report_by,
        cast(report_date as date) as report_date,
        report_url,

        -- what it is held against
        indicator_id,
        cast(first_year as integer) as first_year,
        cast(year as integer) as year,
        dimension,
        member,
        factor_set,
        sql,

        -- words
        note_zh,
        note_en,

        -- time
        cast(period_start as integer) as period_start,
        cast(period_end as integer) as period_end,
        period_note
    from source
)

select * from renamed
