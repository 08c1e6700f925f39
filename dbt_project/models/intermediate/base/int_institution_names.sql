-- One row per name ever used in the register: which institution it names. A name two institutions used is the later one's.
with ranked as (
    select
        org_name,
        uscc as org,
        row_number() over (partition by org_name order by year desc, uscc asc) as place
    from {{ ref('stg_institutions') }}
)

select org_name, org from ranked where place = 1
