-- One row per institution and year in which anything is told of it: what it was then by the register. Where the register has
-- no row of that year the nearest year before speaks, else the nearest after; an undated fact takes the latest.
with wanted as (
    select org, year from {{ ref('int_all_facts') }}
    union
    select org, year from {{ ref('int_energy_reporting') }}
),

ranked as (
    select
        wanted.org,
        wanted.year,
        register.district,
        register.org_type,
        register.admin_level,
        row_number() over (
            partition by wanted.org, wanted.year
            order by
                case when register.year <= coalesce(wanted.year, 9999) then 0 else 1 end,
                abs(register.year - coalesce(wanted.year, 9999))
        ) as place
    from wanted
    inner join {{ ref('int_institution_years') }} as register on register.org = wanted.org
)

select org, year, district, org_type, admin_level from ranked where place = 1
