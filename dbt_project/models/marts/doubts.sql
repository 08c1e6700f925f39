-- The open doubts that are about one institution's figures of one year, one for each dataset and column.
with issues as (
    select issues.*, files.name as file
    from {{ source('intake', 'issues') }} as issues
    inner join {{ source('intake', 'files') }} as files on files.file_id = issues.file_id
    where issues.code = 'doubtful' and issues.status = 'open' and issues.{{ name_of('column') }} is not null
),

{% set parts = [] %}
{%- for c in contracts() if c.period and c.institution_name -%}
{%- set part -%}
select
    {{ text_of(c.dataset) }} as dataset,
    _file as file_id,
    _sheet as sheet,
    _row as sheet_row,
    {{ name_of(c.institution_name) }} as institution,
    try_cast(substr(cast({{ name_of(c.period) }} as string), 1, 4) as integer) as year
from {{ records_of(c) }}
where _file in (select file_id from issues)
{%- endset -%}
{%- do parts.append(part) -%}
{%- endfor -%}
places as (
{{ one_below_the_other(parts, "select '' as dataset, '' as file_id, '' as sheet, 0 as sheet_row, '' as institution, 0 as year where false") }}
)

select
    places.dataset,
    names.org,
    places.institution,
    places.year,
    issues.{{ name_of('column') }},
    issues.file,
    issues.message_zh,
    issues.message_en
from issues
inner join places
    on places.file_id = issues.file_id
    and places.sheet = issues.sheet
    and (places.sheet_row = issues.{{ name_of('row') }} or (issues.{{ name_of('row') }} is null and contains(issues.message_zh, places.institution)))
inner join {{ ref('int_institution_names') }} as names on names.org_name = places.institution
qualify row_number() over (partition by places.dataset, names.org, places.year, issues.{{ name_of('column') }} order by issues.issue_id) = 1
order by places.dataset, names.org, places.year, issues.{{ name_of('column') }}
