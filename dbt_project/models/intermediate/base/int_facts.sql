-- Every fact of every theme in one shape. One row per measure, factor set, year, institution, breakdown, dataset, file,
-- sheet and whether it is open in rows, with what the institution was in that year: its register row of the year, else of the nearest year before, else after.
select
    facts.*,
    coalesce(attributes.district, 'unknown') as district,
    coalesce(attributes.org_type, 'unknown') as org_type,
    coalesce(attributes.admin_level, 'unknown') as admin_level,
    coalesce(files.synthetic, false) as synthetic
from {{ ref('int_all_facts') }} as facts
left join {{ ref('int_institution_attributes') }} as attributes
    on attributes.org = facts.org and attributes.year is not distinct from facts.year
left join {{ ref('stg_files') }} as files on files.file_id = facts.file_id
