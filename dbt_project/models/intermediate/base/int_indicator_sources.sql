-- One row per indicator, year, file and sheet, and per district, kind, level and breakdown of the institutions: their records
-- that count in the indicator's value of that year, added up over the institutions. `compared`: the records, of that year and
-- of the base year, behind a comparison of the same institutions; their district, kind and level are those of the later year.
-- Which values the records count in follows from the row's columns (int_indicator_records, marts.provenance): the rows are
-- never multiplied by dimensions or periods. A file goes by its number (int_files).
--
-- Of many institutions with one system's export most are alike in a year: the same file, measures, numbers of records, district,
-- kind and level. Their closed records are looked for once, for one of each sort, and taken `n` times.
with every_fact {{ as_inlined() }} (
    select facts.*, files.file_no
    from {{ ref('int_facts') }} as facts
    inner join {{ ref('int_files') }} as files on files.file_id = facts.file_id
    where facts.year is not null
),

sorts as (
    select
        facts.org, facts.year,
        min(facts.org) over same as alike_org,
        count(*) over same as n
    from (
        select
            org, year, count(*) as facts,
            sum(cast(one as {{ big_number() }})) as facts_added, bit_xor({{ hash_of(['one', '1']) }}) as facts_mixed
        from (
            select
                org, year,
                {{ hash_of([
                    'measure', 'factor_set', 'breakdown', 'breakdown_member', 'district', 'org_type', 'admin_level', 'dataset', 'file_no',
                    'sheet', 'records',
                ]) }} as one
            from every_fact
            where closed
        )
        group by org, year
    ) as facts
    left join (
        select org, year, count(*) as parts, sum(cast(one as {{ big_number() }})) as parts_added, bit_xor({{ hash_of(['one', '1']) }}) as parts_mixed
        from (
            select org, year, {{ hash_of(['indicator_id', 'factor_set', 'breakdown', 'breakdown_member', 'below_breakdown', 'below_member']) }} as one
            from {{ ref('int_indicator_parts') }}
            where matched
        )
        group by org, year
    ) as parts on parts.org = facts.org and parts.year = facts.year
    window same as (
        partition by facts.year, facts.facts, facts.facts_added, facts.facts_mixed, parts.parts, parts.parts_added, parts.parts_mixed
    )
),

facts as (
    select every_fact.*, coalesce(sorts.n, 1) as n
    from every_fact
    left join sorts on every_fact.closed and sorts.org = every_fact.org and sorts.year = every_fact.year
    where not every_fact.closed or sorts.alike_org = every_fact.org
),

in_the_open as (
    select distinct measure from {{ ref('int_facts') }} where not closed
),

-- Indicators of the same numerator and denominator rest on the same records: these are looked for once.
quotients as (
    select numerator, denominator, by_breakdown, min(indicator_id) as stands_for
    from {{ ref('stg_indicators') }}
    where numerator is not null
    group by numerator, denominator, by_breakdown
),

named as (
    select indicators.indicator_id, indicators.adds_over_years, quotients.stands_for
    from {{ ref('stg_indicators') }} as indicators
    inner join quotients
        on quotients.numerator = indicators.numerator
        and quotients.denominator is not distinct from indicators.denominator
        and quotients.by_breakdown = indicators.by_breakdown
),

matched {{ as_inlined() }} (
    select
        parts.factor_set, parts.year, parts.org, parts.district, parts.org_type, parts.admin_level, parts.breakdown, parts.breakdown_member,
        parts.below_breakdown, parts.below_member, quotients.*
    from {{ ref('int_indicator_parts') }} as parts
    inner join quotients on quotients.stands_for = parts.indicator_id and quotients.denominator is not null
    where parts.matched
),

measured {{ as_inlined() }} (
    select halves.* from (
        select
            {{ all_but('matched', ['below_breakdown', 'below_member', 'numerator', 'denominator', 'by_breakdown']) }},
            matched.numerator as measure, matched.breakdown as of_breakdown, matched.breakdown_member as of_member
        from matched
        union all
        select
            {{ all_but('matched', ['below_breakdown', 'below_member', 'numerator', 'denominator', 'by_breakdown']) }},
            matched.denominator, matched.below_breakdown, matched.below_member
        from matched
    ) as halves
    left join sorts on sorts.org = halves.org and sorts.year = halves.year
    where halves.org = sorts.alike_org or halves.measure in (select measure from in_the_open)
),

-- Numerator and denominator may stand in the same closed records, which count once. Of open data the rows of the sheet say so.
shared as (
    select quotients.stands_for, above.dataset
    from quotients
    inner join (select distinct measure, dataset from {{ ref('int_facts') }} where closed) as above
        on above.measure = quotients.numerator
    inner join (select distinct measure, dataset from {{ ref('int_facts') }} where closed) as below
        on below.measure = quotients.denominator and below.dataset = above.dataset
),

of_ratios {{ as_inlined() }} (
    select
        {{ all_but('measured', ['measure', 'of_breakdown', 'of_member']) }},
        facts.dataset, facts.file_no, facts.sheet, facts.closed, facts.n, facts.records, facts.sheet_rows,
        facts.closed and shared.dataset is not null as once
    from measured
    inner join facts
        on facts.org = measured.org
        and facts.year = measured.year
        and facts.measure = measured.measure
        and facts.breakdown = measured.of_breakdown
        and facts.breakdown_member = measured.of_member
        and facts.factor_set in (measured.factor_set, 'none')
    left join shared on shared.stands_for = measured.stands_for and shared.dataset = facts.dataset
),

by_institution {{ as_inlined() }} (
    select
        quotients.stands_for,
        facts.factor_set, facts.year, facts.org, facts.district, facts.org_type, facts.admin_level, facts.breakdown, facts.breakdown_member,
        facts.dataset, facts.file_no, facts.sheet, facts.closed, facts.n, facts.records, facts.sheet_rows
    from facts
    inner join quotients on quotients.numerator = facts.measure and quotients.denominator is null
    union all
    select
        stands_for, factor_set, year, org, district, org_type, admin_level, breakdown, breakdown_member,
        dataset, file_no, sheet, closed, n, records, sheet_rows
    from of_ratios
    where not once
    union all
    select
        stands_for, factor_set, year, org, district, org_type, admin_level, breakdown, breakdown_member,
        dataset, file_no, sheet, closed, n, max(records) as records, {{ no_numbers() }} as sheet_rows
    from of_ratios
    where once
    group by
        stands_for, factor_set, year, org, district, org_type, admin_level, breakdown, breakdown_member,
        dataset, file_no, sheet, closed, n
),

of_years as (
    select
        stands_for, factor_set, year, district, org_type, admin_level, breakdown, breakdown_member, dataset, file_no, sheet, closed,
        sum(records * n) as records,
        {{ flattened('sheet_rows') }} as sheet_rows
    from by_institution
    group by stands_for, factor_set, year, district, org_type, admin_level, breakdown, breakdown_member, dataset, file_no, sheet, closed
),

-- Which of each sort stands for the institutions compared, in either year, and how often.
pairs {{ as_inlined() }} (
    select pairs.*, named.stands_for, {{ each_of(list_of(['pairs.year', 'pairs.base_year'])) }} as in_year
    from {{ ref('int_comparable_pairs') }} as pairs
    inner join named on named.indicator_id = pairs.change_of
),

compared as (
    select
        pairs.indicator_id, pairs.stands_for, pairs.factor_set, pairs.year, pairs.in_year, pairs.district, pairs.org_type, pairs.admin_level,
        pairs.breakdown, pairs.breakdown_member, sorts.alike_org as org, true as closed, count(*) as n
    from pairs
    inner join sorts on sorts.org = pairs.org and sorts.year = pairs.in_year
    group by all
    union all
    select
        indicator_id, stands_for, factor_set, year, in_year, district, org_type, admin_level,
        breakdown, breakdown_member, org, false as closed, 1 as n
    from pairs
    where stands_for in (
        select stands_for from quotients
        where numerator in (select measure from in_the_open) or denominator in (select measure from in_the_open)
    )
),

of_pairs as (
    select
        compared.indicator_id, compared.factor_set, compared.year, compared.district, compared.org_type, compared.admin_level,
        compared.breakdown, compared.breakdown_member,
        found.dataset, found.file_no, found.sheet, found.closed, sum(found.records * compared.n) as records,
        {{ flattened('found.sheet_rows') }} as sheet_rows
    from compared
    inner join by_institution as found
        on found.stands_for = compared.stands_for
        and found.factor_set = compared.factor_set
        and found.org = compared.org
        and found.year = compared.in_year
        and found.closed = compared.closed
        and found.breakdown in ('', 'total')
    group by all
)

select
    named.indicator_id, named.adds_over_years, false as compared,
    of_years.factor_set, of_years.year, of_years.district, of_years.org_type, of_years.admin_level, of_years.breakdown,
    of_years.breakdown_member, of_years.dataset, of_years.file_no, of_years.sheet, of_years.closed, of_years.records, of_years.sheet_rows
from of_years
inner join named on named.stands_for = of_years.stands_for
union all
select
    indicator_id, false as adds_over_years, true as compared,
    factor_set, year, district, org_type, admin_level, breakdown,
    breakdown_member, dataset, file_no, sheet, closed, records, sheet_rows
from of_pairs
