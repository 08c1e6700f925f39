-- One row per indicator that compares the same institutions, factor set, year after its period's base year and institution that stated
-- every required item of it in both, in the same months (int_items_stated): its parts in both years, and what the institution
-- was in the later one.
select
    indicators.indicator_id,
    indicators.change_of,
    indicators.change_kind,
    now.factor_set,
    now.year,
    periods.base_year,
    now.org,
    now.district,
    now.org_type,
    now.admin_level,
    -- a difference counts in the total alone: beside both years' figures of a district it would tell a hidden one
    case indicators.change_kind when 'saved' then 'total' else now.breakdown end as breakdown,
    case indicators.change_kind when 'saved' then 'all' else now.breakdown_member end as breakdown_member,
    now.numerator,
    now.denominator,
    base.numerator as base_numerator,
    base.denominator as base_denominator,
    now.registered,
    now.names_institution,
    now.optional_items <> base.optional_items as items_differ,
    now.synthetic or base.synthetic as synthetic,
    now.closed or base.closed as closed
from {{ ref('stg_indicators') }} as indicators
inner join {{ ref('int_indicator_parts') }} as now
    on now.indicator_id = indicators.change_of and now.matched and now.breakdown in ('', 'total')
inner join {{ ref('stg_periods') }} as periods on {{ is_measured_from('now.year', 'periods') }}
inner join {{ ref('int_indicator_parts') }} as base
    on base.indicator_id = indicators.change_of
    and base.matched
    and base.factor_set = now.factor_set
    and base.breakdown = now.breakdown
    and base.org = now.org
    and base.year = periods.base_year
    and base.comparable_as = now.comparable_as
where indicators.change_kind in ('comparable', 'saved')
