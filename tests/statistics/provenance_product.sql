-- The product of values and files that provenance was before it was a relation: what it gives for a value still holds.
create temp table old_sources as
with measured as (
    select
        parts.indicator_id, parts.adds_over_years, parts.factor_set, parts.year, parts.org, parts.district, parts.org_type,
        parts.admin_level, parts.breakdown, parts.breakdown_member,
        indicators.numerator as measure,
        parts.breakdown as of_breakdown,
        parts.breakdown_member as of_member
    from intermediate.int_indicator_parts as parts
    inner join seeds.seed_indicators as indicators on indicators.indicator_id = parts.indicator_id
    where parts.matched
    union all
    select
        parts.indicator_id, parts.adds_over_years, parts.factor_set, parts.year, parts.org, parts.district, parts.org_type,
        parts.admin_level, parts.breakdown, parts.breakdown_member,
        indicators.denominator,
        parts.below_breakdown,
        parts.below_member
    from intermediate.int_indicator_parts as parts
    inner join seeds.seed_indicators as indicators on indicators.indicator_id = parts.indicator_id
    where parts.matched and indicators.denominator is not null
),
by_institution as (
    select
        measured.* exclude (measure, of_breakdown, of_member),
        facts.dataset,
        files.file_no,
        facts.closed,
        case when not facts.closed then facts.sheet end as sheet,
        max(facts.records) as records,
        flatten(list(facts.sheet_rows) filter (where facts.sheet_rows is not null)) as sheet_rows
    from measured
    inner join intermediate.int_facts as facts
        on facts.org = measured.org
        and facts.year = measured.year
        and facts.measure = measured.measure
        and facts.breakdown = measured.of_breakdown
        and facts.breakdown_member = measured.of_member
        and facts.factor_set in (measured.factor_set, 'none')
    inner join intermediate.int_files as files on files.file_id = facts.file_id
    group by all
),
by_file as (
    select * exclude (org, records, sheet_rows), sum(records) as records, flatten(list(sheet_rows) filter (where sheet_rows is not null)) as sheet_rows
    from by_institution
    group by all
),
members as (
    select
        parts.*,
        dims.dimension,
        case dims.dimension
            when 'total' then 'all'
            when 'district' then parts.district
            when 'org_type' then parts.org_type
            when 'level' then parts.admin_level
        end as member
    from by_file as parts
    cross join (values ('total'), ('district'), ('org_type'), ('level')) as dims(dimension)
    where parts.breakdown = ''
    union all
    select parts.*, parts.breakdown as dimension, parts.breakdown_member as member
    from by_file as parts
    where parts.breakdown <> ''
    union all
    select parts.*, 'level/' || parts.breakdown as dimension, parts.admin_level || '/' || parts.breakdown_member as member
    from by_file as parts
    where
        (parts.indicator_id, parts.breakdown) in (select (indicator_id, breakdown) from intermediate.int_claim_crosses)
        and parts.indicator_id not in (select indicator_id from intermediate.int_indicator_parts where closed)
),
years_and_period as (
    select *, year as in_year from members
    union all
    select
        years.* replace (
            periods.reached as year,
            case years.dimension when 'total' then 'period' else 'period/' || years.dimension end as dimension,
            periods.period_member || case years.dimension when 'total' then '' else '/' || years.member end as member
        ),
        years.year as in_year
    from members as years
    inner join staging.stg_periods as periods on years.year between periods.first_year and periods.reached
    where
        years.adds_over_years
        and (years.dimension = 'total' or years.indicator_id not in ('energy_kgce', 'energy_tce', 'electricity', 'natural_gas', 'water', 'electricity_cost', 'water_cost', 'utility_cost', 'co2_electricity'))
),
of_values as (
    select
        indicator_id, factor_set, year, dimension, member, dataset, file_no, sheet, closed, sum(records) as records,
        flatten(list(sheet_rows) filter (where sheet_rows is not null)) as sheet_rows
    from years_and_period
    group by all
),
of_changes as (
    select
        changes.indicator_id, changes.factor_set, changes.year, changes.dimension, changes.member,
        sources.dataset, sources.file_no, sources.sheet, sources.closed, sum(sources.records) as records,
        flatten(list(sources.sheet_rows) filter (where sources.sheet_rows is not null)) as sheet_rows
    from intermediate.int_indicator_changes as changes
    inner join of_values as sources
        on sources.indicator_id = changes.change_of
        and sources.factor_set = changes.factor_set
        and sources.year in (changes.year, changes.base_year)
        and sources.dimension = changes.of_dimension
        and sources.member = changes.of_member
    where changes.change_kind = 'full'
    group by all
),
pairs as (
    select
        pairs.indicator_id, pairs.factor_set, pairs.year, pairs.base_year, pairs.district, pairs.org_type, pairs.admin_level,
        pairs.breakdown, pairs.breakdown_member,
        sources.dataset, sources.file_no, sources.sheet, sources.closed, sum(sources.records) as records,
        flatten(list(sources.sheet_rows) filter (where sources.sheet_rows is not null)) as sheet_rows
    from intermediate.int_comparable_pairs as pairs
    inner join by_institution as sources
        on sources.indicator_id = pairs.change_of
        and sources.factor_set = pairs.factor_set
        and sources.org = pairs.org
        and sources.year in (pairs.year, pairs.base_year)
        and sources.breakdown in ('', 'total')
    group by all
),
pair_members as (
    select
        parts.*,
        dims.dimension,
        case dims.dimension
            when 'total' then 'all'
            when 'district' then parts.district
            when 'org_type' then parts.org_type
            when 'level' then parts.admin_level
        end as member
    from pairs as parts
    cross join (values ('total'), ('district'), ('org_type'), ('level')) as dims(dimension)
    where parts.breakdown = ''
    union all
    select parts.*, parts.breakdown as dimension, parts.breakdown_member as member
    from pairs as parts
    where parts.breakdown <> ''
),
of_pairs as (
    select
        indicator_id, factor_set, year,
        case dimension when 'total' then 'base' else 'base/' || dimension end as dimension,
        base_year || case dimension when 'total' then '' else '/' || member end as member,
        dataset, file_no, sheet, closed, sum(records) as records,
        flatten(list(sheet_rows) filter (where sheet_rows is not null)) as sheet_rows
    from pair_members
    group by all
),
found as (
    select * from of_values
    union all by name
    select * from of_changes
    union all by name
    select * from of_pairs
)
select * replace (list_sort(list_distinct(sheet_rows)) as sheet_rows, coalesce(len(list_distinct(sheet_rows)), records) as records)
from found;

create temp table old_provenance as
select
    sources.indicator_id,
    sources.year,
    sources.dimension,
    sources.member,
    sources.factor_set,
    sources.dataset,
    files.file_id,
    sources.sheet,
    cast(sources.records as bigint) as records,
    cast(to_json(list_transform(
        list_zip(
            list_filter(sources.sheet_rows, lambda x, i: i = 1 or sources.sheet_rows[i - 1] <> x - 1),
            list_filter(sources.sheet_rows, lambda x, i: i = len(sources.sheet_rows) or sources.sheet_rows[i + 1] <> x + 1)
        ),
        lambda span: [span[1], span[2]]
    )) as varchar) as sheet_rows,
    sources.closed
from old_sources as sources
inner join intermediate.int_indicator_values as known
    using (indicator_id, factor_set, year, dimension, member)
inner join intermediate.int_files as files on files.file_no = sources.file_no
where
    not sources.closed
    or (sources.dimension in ('total', 'period', 'base') and sources.factor_set in ('none', 'default'))
order by
    sources.indicator_id, sources.factor_set, sources.dimension, sources.member, sources.year,
    sources.dataset, sources.file_no, sources.sheet;
