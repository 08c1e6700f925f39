with source as (
    select * from {{ source('city', 'indicators') }}
),

renamed as (
    select
        indicator_id,
        theme,
        name_zh,
        name_en,
        unit,
        definition_zh,
        definition_en,
        formula,
        kind,
        better,
        cast(decimals as integer) as decimals,
        numerator,
        denominator,
        cast(multiplier as decimal(18, 12)) as multiplier,
        change_of,
        change_kind,
        adds_over_years,
        coalesce(period_of_total_alone, false) as period_of_total_alone,
        coalesce(by_breakdown, false) as by_breakdown,
        monthly_dataset,
        factor_metric,
        cast(home_order as integer) as home_order,
        cast(topic_order as integer) as topic_order
    from source
)

{{ unioned([of_profile('seed_indicators'), 'renamed'], [
    'indicator_id',
    'theme',
    'name_zh',
    'name_en',
    'unit',
    'definition_zh',
    'definition_en',
    'formula',
    'kind',
    'better',
    'decimals',
    'numerator',
    'denominator',
    'multiplier',
    'change_of',
    'change_kind',
    'adds_over_years',
    'period_of_total_alone',
    'by_breakdown',
    'monthly_dataset',
    'factor_metric',
    'home_order',
    'topic_order',
]) }}
