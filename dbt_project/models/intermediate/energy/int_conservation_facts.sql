-- Funds for retrofits, energy performance contracts, and who was certified. A year nobody stated stays null and counts in none.
with funds as (
    select *, cast(fiscal_year as integer) as year from {{ with_org(ref('stg_retrofit_funds')) }}
),

contracts as (
    select
        *,
        extract(year from start_on) as year,
        status as contract_status,
        contract_type = '能源费用托管' and status = '实施' as entrusted,
        baseline_tce * guaranteed_rate as guaranteed_tce_times_100,
        row_number() over (
            partition by org, contract_type = '能源费用托管' and status = '实施' order by start_on, contract_id
        ) = 1 as first
    from {{ with_org(ref('stg_epc_contracts')) }}
),

city_funds as (select {{ all_but('', ['org']) }}, '(city)' as org from funds),

city_contracts as (select {{ all_but('', ['org']) }}, '(city)' as org from contracts),

-- What an institution holds at the end of each year: the last word of each kind of certificate up to then.
held as (
    select {{ all_but('certificates', ['type']) }}, certificates.type as recognition, years.year
    from {{ with_org(ref('stg_recognitions')) }} as certificates
    inner join {{ ref('int_years') }} as years on certificates.issued_on <= years.day
    qualify row_number() over (
        partition by certificates.org, certificates.type, years.year
        order by certificates.issued_on desc, certificates.batch desc, certificates.file_id asc, certificates.sheet_row asc
    ) = 1
),

built as (
    select held.*, coalesce(scope.in_conservation_scope, false) as in_scope
    from held
    left join {{ ref('int_institution_years') }} as scope on scope.org = held.org and scope.year = held.year
    where held.status = '建成'
),

-- The denominator is the list of organs that should be certified; each counts nothing here and one in `built`.
scope as (
    select * from {{ ref('int_institution_years') }} where in_conservation_scope
)

{{ facts('funds', 'retrofit_funds', [
    ('retrofit_projects', '1'), ('retrofit_funds_planned', 'planned_amount'), ('retrofit_funds_paid', 'paid_amount'),
]) }}
union all
{{ facts('city_funds', 'retrofit_funds', [('retrofit_funds_of_city', 'planned_amount')]) }}
union all
{{ facts('contracts', 'epc_contracts', [
    ('epc_units', 'case when entrusted then cast(first as integer) end'),
    ('epc_contracts', '1', ['contract_type', 'contract_status']),
    ('epc_annual_fee', 'annual_fee'),
    ('epc_baseline', 'case when verified_saving_tce is not null then baseline_tce end', ['contract_type']),
    ('epc_verified_saving', 'case when baseline_tce is not null then verified_saving_tce end', ['contract_type']),
    ('epc_assessed', 'case when verified_saving_tce is not null and guaranteed_tce_times_100 is not null then 1 end'),
    ('epc_guarantee_met', 'case when verified_saving_tce is not null and guaranteed_tce_times_100 is not null then cast(100 * verified_saving_tce >= guaranteed_tce_times_100 as integer) end'),
]) }}
union all
{{ facts('city_contracts', 'epc_contracts', [('epc_saving_of_city', 'verified_saving_tce')]) }}
union all
{{ facts('built', 'recognitions', [
    ('recognised_orgs', '1', ['recognition']),
    ('conservation_orgs', "case when recognition = '节约型机关' then 1 end"),
    ('conservation_built', "case when recognition = '节约型机关' and in_scope then 1 end"),
]) }}
union all
{{ facts('scope', 'institutions', [('conservation_scope', '1'), ('conservation_built', '0')]) }}
